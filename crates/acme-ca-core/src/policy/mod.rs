//! What is allowed, as values. Two presets: `webpki` and `private`. No policy constant stands
//! anywhere else.

mod identifiers;
mod orders;
mod validation;

pub use identifiers::*;
pub use orders::*;
pub use validation::*;

/// All that is policy, but for issuance: that is in the authority's profiles.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which identifiers may be ordered.
    pub identifiers: IdentifierPolicy,
    /// Accounts, orders, keys: limits and lifetimes.
    pub orders: OrderPolicy,
    /// Methods, perspectives, addresses, CAA.
    pub validation: ValidationPolicy,
}

impl Policy {
    /// What the Web PKI asks for.
    pub fn webpki() -> Self {
        Self {
            identifiers: IdentifierPolicy::webpki(),
            orders: OrderPolicy::webpki(),
            validation: ValidationPolicy::webpki(),
        }
    }

    /// A CA of one's own: own suffixes, private addresses, own ports.
    pub fn private() -> Self {
        Self {
            identifiers: IdentifierPolicy::private(),
            orders: OrderPolicy::private(),
            validation: ValidationPolicy::private(),
        }
    }
}
