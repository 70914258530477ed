//! The ACME client library on tokio, and the acme command.
