//! From when to when a certificate holds.

use std::time::Duration;

use acme_types::Timestamp;

use super::profile::{BACKDATE_MAX, Profile};
use super::{IssuanceError, Issuer};

/// A day of the Baseline Requirements: "a day is measured as 86,400 seconds" (BR §6.3.2).
const DAY: Duration = Duration::from_secs(86_400);
/// How far in the future a requested notBefore may lie (BR §7.1.2.7: within 48 hours).
const REQUESTED_DELAY_MAX: Duration = Duration::from_secs(48 * 3_600);

/// When a certificate holds, both ends inclusive, in whole seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Validity {
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
}

impl Validity {
    /// From notBefore through notAfter, inclusive (RFC 5280 §4.1.2.5).
    pub(crate) fn period(&self) -> Duration {
        self.not_after
            .since(self.not_before)
            .saturating_add(Duration::from_secs(1))
    }

    /// What a profile gives at a time, for an order that may have asked for either end.
    ///
    /// RFC 8555 §7.4: "The server MUST return an error if it cannot fulfill the request as
    /// specified", so what was asked for is given to the second, or refused.
    pub(crate) fn of(
        profile: &Profile,
        requested: (Option<Timestamp>, Option<Timestamp>),
        at: Timestamp,
    ) -> Result<Self, IssuanceError> {
        let parts = profile.parts();
        let not_before = match requested.0 {
            Some(wanted) => {
                let earliest = at.before(BACKDATE_MAX);
                let latest = at.after(REQUESTED_DELAY_MAX);
                if !(earliest..=latest).contains(&wanted) {
                    return Err(IssuanceError::Validity);
                }
                wanted.truncate_to_secs()
            }
            None => at.before(parts.backdate).truncate_to_secs(),
        };
        let last = not_before
            .after(parts.validity)
            .before(Duration::from_secs(1));
        let not_after = match requested.1 {
            Some(wanted) if wanted <= at || wanted <= not_before || wanted > last => {
                return Err(IssuanceError::Validity);
            }
            Some(wanted) => wanted.truncate_to_secs(),
            None => last,
        };
        Ok(Self {
            not_before,
            not_after,
        })
    }

    /// The same for an issuer that began less long ago than the profile backdates: it begins with
    /// the issuer, so that a new CA need not wait. `None` if it can't be had from this issuer at
    /// this time.
    pub(crate) fn with_issuer(self, issuer: &Issuer, at: Timestamp) -> Option<Self> {
        let not_before = self.not_before.max(issuer.not_before());
        let moved = Self { not_before, ..self };
        (not_before <= at.max(self.not_before) && moved.is_within(issuer)).then_some(moved)
    }

    /// Whether it lies within an issuer's.
    pub(crate) fn is_within(&self, issuer: &Issuer) -> bool {
        self.not_before >= issuer.not_before() && self.not_after <= issuer.not_after()
    }
}

/// The longest validity of a certificate of the Web PKI that is issued then (BR §6.3.2).
pub(crate) fn web_pki_max(issued_at: Timestamp) -> Duration {
    // (from, days); the last that has come counts.
    const TABLE: [(u64, u32); 4] = [
        (0, 398),
        (1_773_532_800, 200), // 2026-03-15
        (1_805_068_800, 100), // 2027-03-15
        (1_868_227_200, 47),  // 2029-03-15
    ];
    let row = TABLE
        .iter()
        .rev()
        .find(|(from, _)| issued_at >= Timestamp::from_secs(*from));
    row.and_then(|(_, days)| DAY.checked_mul(*days))
        .unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    #[test]
    fn the_table_of_validities_is_dated() {
        let check = |text: &str, days: u32| assert_eq!(web_pki_max(at(text)), DAY * days, "{text}");
        check("2026-03-14T23:59:59Z", 398);
        check("2026-03-15T00:00:00Z", 200);
        check("2027-03-14T23:59:59Z", 200);
        check("2027-03-15T00:00:00Z", 100);
        check("2029-03-14T23:59:59Z", 100);
        check("2029-03-15T00:00:00Z", 47);
    }

    #[test]
    fn the_period_counts_both_ends() {
        let now = at("2026-11-24T00:33:00.7Z");
        let validity = Validity::of(&Profile::classic(), (None, None), now).unwrap();
        assert_eq!(validity.not_before, at("2026-11-23T23:33:00Z"));
        assert_eq!(validity.not_after, at("2027-02-21T23:32:59Z"));
        assert_eq!(validity.period(), DAY * 90);
    }

    #[test]
    fn what_was_asked_for_is_given_or_refused() {
        let now = at("2026-11-24T00:00:00Z");
        let check = |from: Option<&str>, to: Option<&str>, period: Option<u64>| {
            let validity = Validity::of(&Profile::classic(), (from.map(at), to.map(at)), now);
            assert_eq!(
                validity.ok().map(|v| v.period().as_secs()),
                period,
                "{from:?} {to:?}"
            );
        };
        check(Some("2026-11-24T00:00:00Z"), None, Some(90 * 86_400));
        check(
            Some("2026-11-25T00:00:00Z"),
            Some("2026-11-25T23:59:59Z"),
            Some(86_400),
        );
        check(None, Some("2026-11-24T00:59:59Z"), Some(7_200));
        check(Some("2026-11-22T00:00:00Z"), None, None);
        check(Some("2026-11-27T00:00:00Z"), None, None);
        check(None, Some("2026-11-23T23:59:59Z"), None);
        check(None, Some("2027-03-24T00:00:00Z"), None);
        check(
            Some("2026-11-25T00:00:00Z"),
            Some("2026-11-24T12:00:00Z"),
            None,
        );
    }
}
