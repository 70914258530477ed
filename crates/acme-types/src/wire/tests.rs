mod requests;
mod responses;

use serde::Serialize;

use crate::Timestamp;

fn write<T: Serialize>(object: &T) -> String {
    serde_json::to_string(object).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::from_rfc3339(text).unwrap())
}
