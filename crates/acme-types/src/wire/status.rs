//! The states of RFC 8555 §7.1.6. Its lists are exhaustive: on the CA's side nothing else exists,
//! so the enums are closed. The client reads `Known<…>`.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! status {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize,
        )]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

status! {
    /// The state of an account (RFC 8555 §7.1.2).
    AccountStatus {
        /// In use.
        Valid = "valid",
        /// Given up by the client.
        Deactivated = "deactivated",
        /// Shut by the CA.
        Revoked = "revoked",
    }
}

status! {
    /// The state of an order (RFC 8555 §7.1.3).
    OrderStatus {
        /// Some authorization isn't valid yet.
        Pending = "pending",
        /// All authorizations are valid; waits for the CSR.
        Ready = "ready",
        /// The certificate is being issued.
        Processing = "processing",
        /// The certificate is there.
        Valid = "valid",
        /// Failed, expired, or an authorization was lost.
        Invalid = "invalid",
    }
}

status! {
    /// The state of an authorization (RFC 8555 §7.1.4).
    AuthorizationStatus {
        /// No challenge succeeded or failed yet.
        Pending = "pending",
        /// A challenge succeeded.
        Valid = "valid",
        /// A challenge failed, or it expired while pending.
        Invalid = "invalid",
        /// Given up by the client.
        Deactivated = "deactivated",
        /// Was valid, and too long ago.
        Expired = "expired",
        /// Taken back by the CA.
        Revoked = "revoked",
    }
}

status! {
    /// The state of a challenge (RFC 8555 §7.1.5 and §8).
    ChallengeStatus {
        /// The client hasn't said that it is ready.
        Pending = "pending",
        /// Validation goes on, perhaps after attempts that failed.
        Processing = "processing",
        /// Validation succeeded.
        Valid = "valid",
        /// Validation failed for good.
        Invalid = "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        for status in AuthorizationStatus::ALL {
            let json = serde_json::to_string(status).unwrap();
            assert_eq!(json, format!("\"{status}\""));
            assert_eq!(
                serde_json::from_str::<AuthorizationStatus>(&json).unwrap(),
                *status
            );
        }
        assert!(serde_json::from_str::<OrderStatus>("\"Valid\"").is_err());
    }
}
