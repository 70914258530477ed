//! Reading JSON: strictly for the CA, tolerantly for the client.

mod error;
mod object;
pub mod strict;
pub mod tolerant;

pub use error::{FieldPath, JsonError};
pub use object::JsonObject;
