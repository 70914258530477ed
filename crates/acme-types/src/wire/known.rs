use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What was understood, or the mark that there was something that wasn't.
///
/// The objects that a client reads have it where a CA may say something new or wrong (RFC 8555's
/// enums are closed, but not all CAs keep to them), so that one bad value costs only itself. A CA
/// knows what it writes: it makes these by `.into()`, and `Unknown` is written as null.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Known<T> {
    /// Understood.
    Known(T),
    /// Missing where it is needed, or not understood.
    #[default]
    Unknown,
}

impl<T> Known<T> {
    /// What was understood, borrowed.
    pub fn as_known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// What was understood.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// Whether it wasn't understood.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl<T: PartialEq> PartialEq<T> for Known<T> {
    fn eq(&self, other: &T) -> bool {
        self.as_known() == Some(other)
    }
}

impl<T> From<T> for Known<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, serializer.is_human_readable()) {
            (Self::Known(value), true) => value.serialize(serializer),
            _ => self.as_known().serialize(serializer),
        }
    }
}

impl<'de, T: for<'any> Deserialize<'any>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = if deserializer.is_human_readable() {
            T::deserialize(Value::deserialize(deserializer)?).ok()
        } else {
            Option::<T>::deserialize(deserializer)?
        };
        Ok(value.map_or(Self::Unknown, Self::Known))
    }
}
