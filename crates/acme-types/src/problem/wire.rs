//! Problems as JSON and as stored. A format that doesn't name its fields can't leave any out, so
//! there are two forms.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{PROBLEM_DETAIL_LEN_MAX, Problem, ProblemType, SUBPROBLEMS_MAX, Subproblem};
use crate::wire::member::{lenient, lenient_default, lenient_list};
use crate::{Identifier, Known};

/// The document of the wire.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    kind: Option<ProblemType>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    title: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    status: Option<Status>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    detail: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    instance: Option<String>,
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    identifier: Option<Known<Identifier>>,
    #[serde(
        default,
        deserialize_with = "subproblems",
        skip_serializing_if = "Vec::is_empty"
    )]
    subproblems: Vec<Subproblem>,
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    algorithms: Vec<String>,
}

/// Some CAs write the number as a text.
struct Status(u16);

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_u64().and_then(|status| status.try_into().ok()),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        };
        number
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not an HTTP status"))
    }
}

/// Subproblems beyond the limit are left out; there are people who read the rest.
fn subproblems<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Subproblem>, D::Error> {
    let mut entries: Vec<Value> = lenient_default(deserializer)?;
    entries.retain(Value::is_object);
    entries.truncate(SUBPROBLEMS_MAX);
    Ok(entries
        .into_iter()
        .filter_map(|entry| Subproblem::deserialize(entry).ok())
        .collect())
}

fn cut(mut detail: String) -> String {
    let end = (0..=PROBLEM_DETAIL_LEN_MAX)
        .rev()
        .find(|end| detail.is_char_boundary(*end));
    detail.truncate(end.unwrap_or(0));
    detail
}

impl From<Document> for Problem {
    fn from(document: Document) -> Self {
        Self {
            kind: document.kind.unwrap_or(ProblemType::ABOUT_BLANK),
            detail: document.detail.map(cut),
            status: document.status.map(|status| status.0),
            title: document.title.map(cut),
            instance: document.instance.map(cut),
            subproblems: document.subproblems,
            algorithms: document.algorithms,
        }
    }
}

impl From<Document> for Subproblem {
    fn from(document: Document) -> Self {
        Self {
            kind: document.kind.unwrap_or(ProblemType::ABOUT_BLANK),
            detail: document.detail.map(cut),
            status: document.status.map(|status| status.0),
            identifier: document.identifier,
        }
    }
}

impl From<&Problem> for Document {
    fn from(problem: &Problem) -> Self {
        Self {
            kind: Some(problem.kind.clone()),
            title: problem.title.clone(),
            status: problem.status.map(Status),
            detail: problem.detail.clone(),
            instance: problem.instance.clone(),
            identifier: None,
            subproblems: problem.subproblems.clone(),
            algorithms: problem.algorithms.clone(),
        }
    }
}

impl From<&Subproblem> for Document {
    fn from(subproblem: &Subproblem) -> Self {
        Self {
            kind: Some(subproblem.kind.clone()),
            title: None,
            status: subproblem.status.map(Status),
            detail: subproblem.detail.clone(),
            instance: None,
            identifier: subproblem.identifier.clone(),
            subproblems: Vec::new(),
            algorithms: Vec::new(),
        }
    }
}

/// The stored form of a problem: all fields, in this order.
type StoredProblem = (
    ProblemType,
    Option<String>,
    Option<u16>,
    Option<String>,
    Option<String>,
    Vec<Subproblem>,
    Vec<String>,
);

/// The stored form of a subproblem: all fields, in this order.
type StoredSubproblem = (
    ProblemType,
    Option<String>,
    Option<u16>,
    Option<Known<Identifier>>,
);

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Document::from(self).serialize(serializer);
        }
        let Self {
            kind,
            detail,
            status,
            title,
            instance,
            subproblems,
            algorithms,
        } = self;
        (
            kind,
            detail,
            status,
            title,
            instance,
            subproblems,
            algorithms,
        )
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Document::deserialize(deserializer).map(Into::into);
        }
        let (kind, detail, status, title, instance, subproblems, algorithms) =
            StoredProblem::deserialize(deserializer)?;
        Ok(Self {
            kind,
            detail,
            status,
            title,
            instance,
            subproblems,
            algorithms,
        })
    }
}

impl Serialize for Subproblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Document::from(self).serialize(serializer);
        }
        let Self {
            kind,
            detail,
            status,
            identifier,
        } = self;
        (kind, detail, status, identifier).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Subproblem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Document::deserialize(deserializer).map(Into::into);
        }
        let (kind, detail, status, identifier) = StoredSubproblem::deserialize(deserializer)?;
        Ok(Self {
            kind,
            detail,
            status,
            identifier,
        })
    }
}
