//! The list of logs to choose from: made by hand, or read from a published one (the JSON of
//! version 3 that Chrome and Apple publish).

use std::time::Duration;

use acme_crypto::Provider;
use acme_types::{Timestamp, Url};
use base64ct::{Base64, Encoding};
use serde::Deserialize;

use super::authority::LOGS_MAX;
use super::log::{Log, LogKind};
use crate::job::LogId;

/// The largest list that is read: the published ones have some 100 kB.
const LIST_LEN_MAX: usize = 4 << 20;
/// How long a published list may be relied on. Chrome takes SCTs by a list of at most 70 days;
/// logs are announced as retired long before, and a CA that hears of it after ten days is in time.
const FRESH: Duration = Duration::from_secs(10 * 86_400);
/// What `log_type` says of a log that no browser trusts.
const TEST: &str = "test";

/// The logs to choose from, and until when that choice may be relied on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogList {
    /// The logs.
    pub logs: Vec<Log>,
    /// When the list is too old: nothing that needs SCTs is issued after. `None`: never, for
    /// logs of one's own.
    pub fresh_until: Option<Timestamp>,
}

/// Not a list of logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogListError {
    /// Not JSON of that shape, or too large.
    #[error("not a log list of version 3")]
    Malformed,
    /// Its time isn't RFC 3339.
    #[error("the log list does not say when it was made")]
    Timestamp,
    /// More logs than are kept.
    #[error("the log list has more than {LOGS_MAX} usable logs")]
    TooMany,
}

#[derive(Deserialize)]
struct List {
    log_list_timestamp: String,
    operators: Vec<Operator>,
}

#[derive(Deserialize)]
struct Operator {
    name: String,
    #[serde(default)]
    logs: Vec<Entry>,
    #[serde(default)]
    tiled_logs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    log_id: String,
    key: String,
    /// Of an RFC 6962 log.
    url: Option<String>,
    /// Of a tiled log.
    submission_url: Option<String>,
    #[serde(default)]
    state: State,
    temporal_interval: Option<Interval>,
    log_type: Option<String>,
}

/// Exactly one member names the state; only this one counts here.
#[derive(Default, Deserialize)]
struct State {
    usable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Interval {
    start_inclusive: String,
    end_exclusive: String,
}

impl LogList {
    /// Reads a published list. Only logs that are usable count: not pending, qualified, read-only,
    /// retired or rejected, nor those for tests. One whose id isn't its key's hash, or that can't
    /// be used for another reason, is left out.
    ///
    /// # Errors
    /// [`LogListError`].
    pub fn from_json(json: &[u8], provider: &dyn Provider) -> Result<Self, LogListError> {
        if json.len() > LIST_LEN_MAX {
            return Err(LogListError::Malformed);
        }
        let list: List = serde_json::from_slice(json).map_err(|_| LogListError::Malformed)?;
        let made = Timestamp::from_rfc3339(&list.log_list_timestamp);
        let made = made.ok_or(LogListError::Timestamp)?;
        let mut logs: Vec<Log> = Vec::new();
        for operator in &list.operators {
            let classic = operator.logs.iter().map(|entry| (entry, LogKind::Rfc6962));
            let tiled = operator
                .tiled_logs
                .iter()
                .map(|entry| (entry, LogKind::Tiled));
            for (entry, kind) in classic.chain(tiled) {
                let log = entry.log(&operator.name, kind, provider);
                let Some(log) = log.filter(|log| logs.iter().all(|l| l.id() != log.id())) else {
                    continue;
                };
                if logs.len() >= LOGS_MAX {
                    return Err(LogListError::TooMany);
                }
                logs.push(log);
            }
        }
        Ok(Self {
            logs,
            fresh_until: Some(made.after(FRESH)),
        })
    }
}

impl Entry {
    fn log(&self, operator: &str, kind: LogKind, provider: &dyn Provider) -> Option<Log> {
        if self.state.usable.is_none() || self.log_type.as_deref() == Some(TEST) {
            return None;
        }
        let url = match kind {
            LogKind::Rfc6962 => self.url.as_deref()?,
            LogKind::Tiled => self.submission_url.as_deref()?,
        };
        let interval = match &self.temporal_interval {
            Some(interval) => Some((
                Timestamp::from_rfc3339(&interval.start_inclusive)?,
                Timestamp::from_rfc3339(&interval.end_exclusive)?,
            )),
            None => None,
        };
        let key = Base64::decode_vec(&self.key).ok()?;
        let id: [u8; 32] = Base64::decode_vec(&self.log_id).ok()?.try_into().ok()?;
        let url = Url::parse(url).ok()?;
        let log = Log::new(&key, url, operator, kind, interval, provider).ok()?;
        (log.id() == LogId(id)).then_some(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuance::log::tests::log_key;
    use crate::issuance::tests::vectors;
    use acme_crypto::rustcrypto::RustCrypto;

    fn entry(seed: u8, state: &str, more: &str) -> String {
        let key = log_key(seed).public_key().to_spki_der();
        let id = Base64::encode_string(&RustCrypto.sha256(&key));
        let key = Base64::encode_string(&key);
        format!(
            r#"{{"log_id":"{id}","key":"{key}","state":{{"{state}":{{}}}},
                "url":"https://l{seed}.example/","submission_url":"https://t{seed}.example/"{more}}}"#
        )
    }

    fn list(logs: &[String], tiled: &[String]) -> String {
        format!(
            r#"{{"version":"80","log_list_timestamp":"2026-11-20T12:00:00Z","operators":
                [{{"name":"o","email":[],"logs":[{}],"tiled_logs":[{}]}}]}}"#,
            logs.join(","),
            tiled.join(",")
        )
    }

    #[test]
    fn only_usable_logs_are_taken() {
        let interval = r#","temporal_interval":{"start_inclusive":"2026-07-01T00:00:00Z",
            "end_exclusive":"2027-01-01T00:00:00Z"}"#;
        let logs = [
            entry(1, "usable", interval),
            entry(1, "usable", ""), // twice
            entry(2, "qualified", ""),
            entry(3, "retired", ""),
            entry(4, "readonly", ""),
            entry(5, "usable", r#","log_type":"test""#),
            entry(6, "usable", "").replace("l6.", "http://l6."),
            entry(7, "usable", "").replacen("\"key\":\"", "\"key\":\"AAAA", 1),
        ];
        let tiled = [
            entry(8, "usable", r#","log_type":"prod""#),
            entry(9, "rejected", ""),
        ];
        let json = list(&logs, &tiled);
        let list = LogList::from_json(json.as_bytes(), &RustCrypto).unwrap();
        let found: Vec<(&str, LogKind)> = list
            .logs
            .iter()
            .map(|log| (log.url().as_str(), log.kind()))
            .collect();
        let first = ("https://l1.example/", LogKind::Rfc6962);
        assert_eq!(found, [first, ("https://t8.example/", LogKind::Tiled)]);
        assert_eq!(
            list.fresh_until,
            Timestamp::from_rfc3339("2026-11-30T12:00:00Z")
        );
        assert!(!list.logs[0].takes(Timestamp::from_rfc3339("2027-01-01T00:00:00Z").unwrap()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let check = |json: &str, error| {
            assert_eq!(LogList::from_json(json.as_bytes(), &RustCrypto), Err(error));
        };
        check("[]", LogListError::Malformed);
        check("{}", LogListError::Malformed);
        check(
            &list(&[], &[]).replace("2026-11-20T", "yesterday "),
            LogListError::Timestamp,
        );
        check(&" ".repeat(LIST_LEN_MAX + 1), LogListError::Malformed);
    }

    #[test]
    fn published_lists_are_read() {
        let Some(vectors) = vectors("published_lists_are_read") else {
            return;
        };
        let read = |path: &str| {
            let json = std::fs::read(vectors.join(path)).unwrap();
            LogList::from_json(&json, &RustCrypto).unwrap().logs
        };
        // Two are usable.
        assert_eq!(read("ct-go/testdata/loglist3.json").len(), 2);
        // Eight are usable, one of them for certificates that ended before 1970.
        let logs = read("boulder/test/ct-test-srv/log_list.json");
        assert!((6..=8).contains(&logs.len()), "{logs:?}");
    }
}
