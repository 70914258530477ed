use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use acme_types::Url;

/// Accounts, orders, keys, revocation: what is asked for, limits and lifetimes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderPolicy {
    /// The terms of service that an account agrees to. `None`: there are none.
    pub terms_of_service: Option<Url>,
    /// The CA's web site, for the directory.
    pub website: Option<Url>,
    /// Whether an account must be bound to an external one (RFC 8555 §7.3.4).
    pub external_accounts: ExternalAccounts,
    /// The most contact URLs of an account.
    pub contacts_max: usize,
    /// The most identifiers of an order.
    pub identifiers_max: usize,
    /// For how long an order may be worked on, and its pending authorizations with it.
    pub order_lifetime: Duration,
    /// How many orders an account may make. `None`: as many as it likes.
    pub new_orders: Option<Rate>,
    /// Whether an order may ask for a notBefore and a notAfter.
    pub requested_validity: bool,
    /// How old the last look at CAA may be when a certificate is issued (BR §3.2.2.8.1).
    pub caa_age_max: Duration,
    /// The reasons that a client may revoke for, by number (RFC 5280 §5.3.1).
    pub revocation_reasons: BTreeSet<u8>,
    /// How many orders a page of an account's list has.
    pub orders_per_page: usize,
    /// When to look again at what is processing: the Retry-After of RFC 8555 §7.4 and §7.5.1.
    pub processing_retry_after: Duration,
    /// When to come again after serverInternal.
    pub unavailable_retry_after: Duration,
}

/// So many in so long, evenly refilled (GCRA).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many at once, and in each period.
    pub count: u32,
    /// The period.
    pub period: Duration,
}

impl Rate {
    /// What one costs: the time in which it is refilled.
    pub fn cost(&self) -> Duration {
        self.period.checked_div(self.count).unwrap_or(self.period)
    }
}

/// Whether accounts are bound to external ones (RFC 8555 §7.3.4), and to which.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ExternalAccounts {
    /// A binding isn't looked at: an account that sends one is made without it.
    Ignored,
    /// A binding may be sent, and is checked if it is.
    Optional(BTreeMap<String, MacKey>),
    /// Nobody makes an account without one.
    Required(BTreeMap<String, MacKey>),
}

impl ExternalAccounts {
    /// Whether an account can't be made without a binding.
    pub fn is_required(&self) -> bool {
        matches!(self, Self::Required(_))
    }

    /// The MAC key of a key id.
    pub fn key(&self, kid: &str) -> Option<&MacKey> {
        match self {
            Self::Ignored => None,
            Self::Optional(keys) | Self::Required(keys) => keys.get(kid),
        }
    }
}

/// A MAC key that the CA gave to somebody with an external account. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MacKey(Vec<u8>);

pub use acme_jws::eab::MAC_KEY_LEN_MIN;

/// The key is shorter than [`MAC_KEY_LEN_MIN`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a MAC key has at least {MAC_KEY_LEN_MIN} bytes")]
pub struct MacKeyTooShort;

impl MacKey {
    /// From its bytes.
    ///
    /// # Errors
    /// Fewer than [`MAC_KEY_LEN_MIN`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, MacKeyTooShort> {
        if bytes.len() < MAC_KEY_LEN_MIN {
            Err(MacKeyTooShort)
        } else {
            Ok(Self(bytes))
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl OrderPolicy {
    /// What the Web PKI asks for, with the limits that Let's Encrypt found to work.
    pub fn webpki() -> Self {
        Self {
            terms_of_service: None,
            website: None,
            external_accounts: ExternalAccounts::Ignored,
            contacts_max: 10,
            identifiers_max: 100,
            order_lifetime: DAY.saturating_mul(7),
            new_orders: Some(Rate {
                count: 300,
                period: HOUR.saturating_mul(3),
            }),
            // BR's lifetimes are the profile's; who asks for others mostly has the wrong clock.
            requested_validity: false,
            caa_age_max: HOUR.saturating_mul(8),
            // unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation:
            // BR §7.2.2 leaves privilegeWithdrawn to the CA.
            revocation_reasons: [0, 1, 3, 4, 5].into(),
            orders_per_page: 100,
            processing_retry_after: Duration::from_secs(3),
            unavailable_retry_after: Duration::from_secs(60),
        }
    }

    /// A CA of one's own.
    pub fn private() -> Self {
        Self {
            new_orders: None,
            requested_validity: true,
            revocation_reasons: [0, 1, 3, 4, 5, 9].into(),
            processing_retry_after: Duration::from_secs(1),
            unavailable_retry_after: Duration::from_secs(5),
            ..Self::webpki()
        }
    }
}
