use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, leap seconds not counted: the only notion of time in the
/// core crates. It always comes in as a value.
///
/// Serialises as the number of milliseconds. On the wire ACME wants RFC 3339 text: see
/// [`Timestamp::to_rfc3339`] and [`Timestamp::from_rfc3339`].
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

const MILLIS_PER_SECOND: u64 = 1_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// 9999-12-31T23:59:59Z, the last second that RFC 3339 and RFC 5280 can write.
const SECONDS_MAX: u64 = 253_402_300_799;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// Later than all others: a machine that waits until then is finished.
    pub const NEVER: Self = Self(u64::MAX);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch; saturates.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(MILLIS_PER_SECOND))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / MILLIS_PER_SECOND
    }

    /// The same moment without the fraction of a second.
    pub const fn truncate_to_secs(self) -> Self {
        Self::from_secs(self.as_secs())
    }

    /// `duration` later; saturates at [`Timestamp::NEVER`].
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// `duration` earlier; saturates at [`Timestamp::EPOCH`].
    pub fn before(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long after `earlier` this is; zero if it isn't.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 text in UTC, in whole seconds: `2026-11-24T00:33:00Z`.
    ///
    /// Later than the year 9999 is written as the last second of it.
    pub fn to_rfc3339(self) -> String {
        self.to_string()
    }

    /// Reads RFC 3339 §5.6 `date-time`: any offset, any fraction (cut to milliseconds), a leap
    /// second as the second before it. `None` if it isn't one, or is before 1970.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let digits = |range: std::ops::Range<usize>| -> Option<u64> {
            let part = text.get(range)?;
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse().ok())?
        };
        let is = |at: usize, accepted: &[u8]| -> Option<()> {
            accepted.contains(text.as_bytes().get(at)?).then_some(())
        };
        let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
        let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
        for (place, accepted) in [
            (4, b"-".as_slice()),
            (7, b"-"),
            (10, b"Tt "),
            (13, b":"),
            (16, b":"),
        ] {
            is(place, accepted)?;
        }
        if hour > 23 || minute > 59 || second > 60 || day == 0 || day > days_in(year, month)? {
            return None;
        }
        let rest = text.get(19..)?;
        let fraction_len = match rest.strip_prefix('.') {
            Some(tail) => {
                1usize.checked_add(tail.bytes().take_while(u8::is_ascii_digit).count())?
            }
            None => 0,
        };
        let fraction = rest.get(..fraction_len)?;
        let millis = match fraction.strip_prefix('.') {
            Some("") => return None,
            Some(digits) => format!("{digits:0<3}").get(..3)?.parse::<u64>().ok()?,
            None => 0,
        };
        let offset = rest.get(fraction_len..)?;
        let offset_secs = offset_secs(offset)?;
        let time = hour
            .checked_mul(3600)?
            .checked_add(minute.checked_mul(60)?)?;
        let local = days_before(year, month, day)?
            .checked_mul(SECONDS_PER_DAY)?
            .checked_add(time)?
            .checked_add(second.min(59))?;
        let secs = i64::try_from(local).ok()?.checked_sub(offset_secs)?;
        let secs = u64::try_from(secs)
            .ok()
            .filter(|secs| *secs <= SECONDS_MAX)?;
        Some(Self(
            secs.checked_mul(MILLIS_PER_SECOND)?.checked_add(millis)?,
        ))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.as_secs().min(SECONDS_MAX);
        let (days, time) = (secs / SECONDS_PER_DAY, secs % SECONDS_PER_DAY);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Seconds east of Greenwich, from `Z` or `±hh:mm`.
fn offset_secs(offset: &str) -> Option<i64> {
    let (hours, minutes) = match offset.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+' | b'-', _, _, b':', _, _] => (offset.get(1..3)?, offset.get(4..6)?),
        _ => return None,
    };
    let number = |digits: &str| -> Option<i64> {
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?;
    if offset.starts_with('-') {
        east.checked_neg()
    } else {
        Some(east)
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> Option<u64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap(year) { 29 } else { 28 }),
        _ => None,
    }
}

/// Days from the epoch to this date; `None` before it.
fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    let y = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let shifted = if month > 2 {
        month.checked_sub(3)?
    } else {
        month.checked_add(9)?
    };
    // A year that starts in March puts the leap day last, so that months have fixed offsets.
    let of_year = shifted
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?
        .checked_add(day)?;
    let days = y
        .checked_mul(365)?
        .checked_add(y / 4)?
        .checked_sub(y / 100)?
        .checked_add(y / 400)?;
    days.checked_add(of_year)?
        .checked_sub(1)?
        .checked_sub(DAYS_MARCH_ZERO_TO_EPOCH)
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_MARCH_ZERO_TO_EPOCH: u64 = 719_468;

#[allow(
    clippy::arithmetic_side_effects,
    reason = "days is at most SECONDS_MAX / SECONDS_PER_DAY"
)]
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + DAYS_MARCH_ZERO_TO_EPOCH;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_examples_are_read() {
        // RFC 3339 §5.8.
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(
                Timestamp::from_rfc3339(text).map(Timestamp::as_millis),
                millis,
                "{text}"
            );
        };
        check("1985-04-12T23:20:50.52Z", Some(482_196_050_520));
        check("1996-12-19T16:39:57-08:00", Some(851_042_397_000));
        check("1990-12-31T23:59:60Z", Some(662_687_999_000));
        check("2026-02-29T00:00:00Z", None);
        check("2026-02-28T24:00:00Z", None);
        check("2026-02-28", None);
        check("2026-02-28T00:00:00", None);
        check("2026-02-28T00:00:00.Z", None);
        check("1970-01-01T00:30:00+00:30", Some(0));
        check("1970-01-01T00:30:00+00:31", None);
        check("2026-02-28T00:00:00+24:00", None);
        check("2026-02-28T00:00:00+0é:00", None);
        check("2026-02-28T00:00:00+0100", None);
        check("0001-01-01T00:00:00Z", None);
        check("2026-0é-28T00:00:00Z", None);
    }

    #[test]
    fn text_round_trips_over_the_whole_calendar() {
        for day in (0..2_932_896u64).step_by(17) {
            let at = Timestamp::from_secs(day * SECONDS_PER_DAY + day % SECONDS_PER_DAY);
            assert_eq!(Timestamp::from_rfc3339(&at.to_rfc3339()), Some(at));
        }
        assert_eq!(Timestamp::NEVER.to_rfc3339(), "9999-12-31T23:59:59Z");
    }
}
