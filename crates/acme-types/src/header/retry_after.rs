use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::http_date;
use crate::Timestamp;

/// The shortest wait that is made of a `Retry-After`: less would be a busy loop.
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest wait that is made of a `Retry-After`: more would let a CA's mistake outlast a
/// certificate.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// A `Retry-After` (RFC 9110 §10.2.3): so many seconds, or a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetryAfter {
    /// So long after the response came.
    Delay(Duration),
    /// At that time.
    Date(Timestamp),
}

impl RetryAfter {
    /// Reads a header's value that came at `now`. `None` for what is neither a number of seconds
    /// nor a date.
    pub fn parse(value: &str, now: Timestamp) -> Option<Self> {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            // More digits than fit mean a very long time.
            let secs = value.parse::<u32>().unwrap_or(u32::MAX);
            return Some(Self::Delay(Duration::from_secs(secs.into())));
        }
        http_date::parse(value, now).map(Self::Date)
    }

    /// The first `Retry-After` of a response that came at `now`.
    pub fn from_headers(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        headers
            .get_all(RETRY_AFTER)
            .iter()
            .find_map(|v| Self::parse(v.to_str().ok()?, now))
    }

    /// When to try again, between [`RETRY_AFTER_MIN`] and [`RETRY_AFTER_MAX`] after `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        self.at_within(now, RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }

    /// When to try again, between `shortest` and `longest` after `now`; `longest` wins if they
    /// cross.
    pub fn at_within(self, now: Timestamp, shortest: Duration, longest: Duration) -> Timestamp {
        let wanted = match self {
            Self::Delay(delay) => now.after(delay),
            Self::Date(date) => date,
        };
        wanted.max(now.after(shortest)).min(now.after(longest))
    }
}

/// As the header's value; a delay in whole seconds, rounded up.
impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(delay) => {
                let more = u64::from(delay.subsec_nanos() > 0);
                write!(f, "{}", delay.as_secs().saturating_add(more))
            }
            Self::Date(date) => f.write_str(&http_date::format(*date)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_clamped() {
        let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
        let check = |value: &str, wait: Option<u64>| {
            let at = RetryAfter::parse(value, now).map(|found| found.at(now));
            assert_eq!(at.map(|at| at.since(now).as_secs()), wait, "{value}");
        };
        check("120", Some(120));
        check(" 3 ", Some(3));
        check("Tue, 24 Nov 2026 00:01:00 GMT", Some(60));
        // H212, ZeroSSL's day, and what Pebble mixes.
        check("0", Some(1));
        check("86400", Some(86_400));
        check("999999999999999999999999999", Some(86_400));
        check("Mon, 23 Nov 2026 00:01:00 GMT", Some(1));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400));
        for bad in ["-1", "1e30", "NaN", "soon", "", "1.5", "+1", "1, 2"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_response_may_have_several() {
        let now = Timestamp::EPOCH;
        let headers: HeaderMap = [
            (RETRY_AFTER, "soon".parse().unwrap()),
            (RETRY_AFTER, "7".parse().unwrap()),
        ]
        .into_iter()
        .collect();
        let found = RetryAfter::from_headers(&headers, now);
        assert_eq!(found, Some(RetryAfter::Delay(Duration::from_secs(7))));
        assert_eq!(
            RetryAfter::Delay(Duration::from_millis(6_001)).to_string(),
            "7"
        );
        assert_eq!(
            RetryAfter::Date(now).to_string(),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }
}
