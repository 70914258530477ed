use std::fmt;
use std::str::FromStr;

use acme_types::{Timestamp, base64url};
use serde::{Deserialize, Serialize};

/// Text that names no id: not 16 bytes of canonical base64url.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id of this CA")]
pub struct IdError;

/// 48 bits of time, then 80 random bits: neighbours in time are neighbours in the store, and
/// nobody guesses another's id (RFC 8555 §10.5).
fn time_ordered(at: Timestamp, random: &[u8; 32]) -> [u8; 16] {
    let mut bytes = [0; 16];
    let time = at.as_millis().to_be_bytes();
    let parts = time.iter().skip(2).chain(random);
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = *from;
    }
    bytes
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id: the time that it orders by, and 32 bytes expanded from entropy.
            pub fn new(at: Timestamp, random: &[u8; 32]) -> Self {
                Self(time_ordered(at, random))
            }

            /// From its bytes in a key.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes in a key.
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = base64url::decode(text).map_err(|_| IdError)?;
                Ok(Self(bytes.try_into().map_err(|_| IdError)?))
            }
        }
    };
}

id!(
    /// An account.
    AccountId
);
id!(
    /// An order.
    OrderId
);
id!(
    /// An authorization.
    AuthorizationId
);
id!(
    /// A job: a validation, an issuance, a CRL run.
    JobId
);
id!(
    /// One request and its reply.
    ExchangeId
);
id!(
    /// One audit event.
    AuditId
);

/// A certificate's serial number: 16 bytes, positive, the first byte between 0x40 and 0x7f, so
/// 126 bits of CSPRNG output in a DER INTEGER of fixed length.
///
/// BR §7.1: "greater than zero (0) and less than 2^159 containing at least 64 bits of output from
/// a CSPRNG".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Serial([u8; 16]);

impl Serial {
    /// From 32 bytes expanded from entropy.
    pub fn new(random: &[u8; 32]) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(random) {
            *to = *from;
        }
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes)
    }

    /// From the content bytes of a DER INTEGER. `None`: this CA has made no such serial.
    pub fn from_der_integer(content: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = content.try_into().ok()?;
        (bytes[0] & 0xc0 == 0x40).then_some(Self(bytes))
    }

    /// The content bytes of the DER INTEGER.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl FromStr for Serial {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.as_bytes();
        if digits.len() != 32
            || digits
                .iter()
                .any(|d| !matches!(d, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(IdError);
        }
        let mut bytes = [0; 16];
        for (to, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| IdError)?;
            *to = u8::from_str_radix(pair, 16).map_err(|_| IdError)?;
        }
        Self::from_der_integer(&bytes).ok_or(IdError)
    }
}

/// A CRL shard's number. A serial's shard never changes (invariant I37).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Shard(pub u16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_by_time_and_read_back() {
        let early = OrderId::new(Timestamp::from_secs(1), &[0xff; 32]);
        let late = OrderId::new(Timestamp::from_secs(2), &[0; 32]);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!("x".parse::<OrderId>(), Err(IdError));
        assert_eq!(format!("{early}=").parse::<OrderId>(), Err(IdError));
    }

    #[test]
    fn a_serial_is_positive_and_of_fixed_length() {
        for byte in [0, 0x7f, 0x80, 0xff] {
            let serial = Serial::new(&[byte; 32]);
            assert!((0x40..0x80).contains(&serial.as_bytes()[0]));
            assert_eq!(serial.to_string().parse(), Ok(serial));
            assert_eq!(Serial::from_der_integer(serial.as_bytes()), Some(serial));
        }
        assert_eq!(Serial::from_der_integer(&[1; 16]), None);
        assert_eq!(Serial::from_der_integer(&[0x41; 15]), None);
    }
}
