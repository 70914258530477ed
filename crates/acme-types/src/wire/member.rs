//! How members of wire objects are read and written where serde's own way doesn't fit.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Known;
use crate::{Timestamp, Url};

/// The most entries of a list that a client reads: ten times the most names of a certificate in
/// the Web PKI.
pub const LIST_LEN_MAX: usize = 1_024;

/// Tolerant: what isn't understood counts as absent.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Known::deserialize(deserializer).map(Known::known)
}

/// Tolerant: what isn't understood counts as the default.
pub(crate) fn lenient_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    lenient(deserializer).map(Option::unwrap_or_default)
}

/// Tolerant: entries that aren't understood are left out, and what is no list is empty.
pub(crate) fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let entries: Vec<Known<T>> = lenient_default(deserializer)?;
    limited(entries.into_iter().filter_map(Known::known).collect())
}

/// A list in which each entry is kept, understood or not.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    limited(Vec::deserialize(deserializer)?)
}

fn limited<T, E: serde::de::Error>(entries: Vec<T>) -> Result<Vec<T>, E> {
    if entries.len() > LIST_LEN_MAX {
        return Err(E::custom("more entries than are read"));
    }
    Ok(entries)
}

/// Tolerant of absence only: a URL that is there must be one.
pub(crate) fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    Url::deserialize(deserializer).map(Some)
}

/// `serde(with)` for timestamps as RFC 3339 text (RFC 8555 §7.1.3), tolerant on reading: Go's
/// zero time and what is no time count as absent.
pub(crate) mod time {
    use super::{Deserializer, Serialize, Serializer, Timestamp, lenient};

    pub(crate) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::to_rfc3339).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text: Option<String> = lenient(deserializer)?;
        Ok(text.and_then(|text| Timestamp::from_rfc3339(&text)))
    }
}

/// `serde(with)` for a timestamp that must be there and be one.
pub(crate) mod needed_time {
    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(crate) fn serialize<S: Serializer>(
        at: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::from_rfc3339(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

/// `serde(with)` for a timestamp that may be absent, but if it is there must be one.
pub(crate) mod strict_time {
    use super::{Deserializer, Timestamp};

    pub(crate) use super::time::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        super::needed_time::deserialize(deserializer).map(Some)
    }
}

/// A problem in an order or a challenge. Some CAs send `{}` for none, or a text.
pub(crate) fn problem<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<crate::Problem>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(members) if members.is_empty() => None,
        Value::String(detail) => {
            Some(crate::Problem::new(crate::ProblemType::ABOUT_BLANK).with_detail(detail))
        }
        object @ Value::Object(_) => crate::Problem::deserialize(object).ok(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    })
}
