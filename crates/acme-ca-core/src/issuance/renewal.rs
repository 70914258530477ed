//! When a certificate should be renewed (RFC 9773 §4.2).

use std::time::Duration;

use acme_types::{RenewalInfo, SuggestedWindow, Timestamp};

use crate::Config;
use crate::schema::CertificateRow;

const HOUR: Duration = Duration::from_secs(3_600);
/// A certificate of less than this is renewed at half of its life, a longer one when a third is
/// left: what is short leaves little time to find out that renewal fails.
const SHORT_LIVED: Duration = Duration::from_secs(10 * 86_400);
/// When to ask again. RFC 9773 §4.3.1 leaves it to the server; six hours let a client learn of a
/// mass revocation on the same day.
const RETRY_AFTER: Duration = Duration::from_secs(6 * 3_600);
/// A fifth of [`RETRY_AFTER`], by which it differs from certificate to certificate, so that
/// clients which were all started at once don't come back all at once.
const RETRY_SPREAD_SECS: u32 = 72 * 60;

/// The suggested window of a certificate, and when to ask again. A function of the certificate
/// and of whether it is revoked: a client that asks twice is told the same.
pub fn renewal_info(
    config: &Config,
    certificate: &CertificateRow,
    revoked: bool,
    now: Timestamp,
) -> (RenewalInfo, Duration) {
    let suggested_window = if revoked {
        // RFC 9773 §4.2: a window in the past says "immediately".
        let half = Duration::from_secs(1_800);
        SuggestedWindow {
            start: now.before(HOUR).truncate_to_secs(),
            end: now.before(half).truncate_to_secs(),
        }
    } else {
        window(certificate.not_before, certificate.not_after)
    };
    let hash = config.provider.sha256(certificate.serial.as_bytes());
    let spread = u32::from_be_bytes([0, 0, hash[0], hash[1]]) % RETRY_SPREAD_SECS;
    let retry_after = RETRY_AFTER
        .saturating_sub(Duration::from_secs(u64::from(RETRY_SPREAD_SECS / 2)))
        .saturating_add(Duration::from_secs(u64::from(spread)));
    (
        RenewalInfo {
            suggested_window,
            explanation_url: None,
        },
        retry_after,
    )
}

/// A fiftieth of the validity around the point where a third (of a short one, half) is left.
fn window(not_before: Timestamp, not_after: Timestamp) -> SuggestedWindow {
    let validity = not_after.since(not_before);
    let part = |of: u32| validity.checked_div(of).unwrap_or(Duration::ZERO);
    let left = part(if validity < SHORT_LIVED { 2 } else { 3 });
    let centre = not_after.before(left);
    let margin = part(100);
    SuggestedWindow {
        start: centre.before(margin).truncate_to_secs(),
        end: centre.after(margin).truncate_to_secs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn the_window_lies_where_a_third_or_a_half_is_left() {
        let check = |from: &str, to: &str, start: &str, end: &str| {
            let found = window(at(from), at(to));
            assert_eq!(
                (found.start, found.end),
                (at(start), at(end)),
                "{from} {to}"
            );
        };
        check(
            "2026-01-01T00:00:00Z",
            "2026-04-11T00:00:00Z", // 100 days
            "2026-03-07T16:00:00Z",
            "2026-03-09T16:00:00Z",
        );
        check(
            "2026-01-01T00:00:00Z",
            "2026-01-05T04:00:00Z", // 100 hours
            "2026-01-03T01:00:00Z",
            "2026-01-03T03:00:00Z",
        );
    }
}
