//! HTTP dates (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms.

use crate::Timestamp;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAYS_IN_FULL: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const SECONDS_PER_DAY: u64 = 86_400;
/// 1970-01-01 was a Thursday.
const DAY_OF_EPOCH: u64 = 3;
/// A two-digit year more than this far ahead is of the past (RFC 9110 §5.6.7).
const YEARS_AHEAD_MAX: u64 = 50;

/// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn format(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let (year, day, time) = (part(0..4), part(8..10), part(11..19));
    let month = part(5..7)
        .parse()
        .ok()
        .and_then(|month: usize| MONTHS.get(month.checked_sub(1)?));
    // The text stops at the year 9999, so the day of the week has to as well.
    let shown = Timestamp::from_rfc3339(&text).unwrap_or(at);
    let days = (shown.as_secs() / SECONDS_PER_DAY).wrapping_add(DAY_OF_EPOCH) % 7;
    let weekday = usize::try_from(days).ok().and_then(|day| DAYS.get(day));
    let (weekday, month) = (weekday.unwrap_or(&""), month.unwrap_or(&""));
    format!("{weekday}, {day} {month} {year} {time} GMT")
}

/// Reads IMF-fixdate, the date of RFC 850 and that of C's `asctime`. The day of the week must be
/// one, but isn't compared. `now` tells which century a year of two digits means. `None` for what
/// is no date, or one before 1970.
pub fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    match text.split_once(", ") {
        Some((weekday, rest)) if DAYS.contains(&weekday) => {
            let [day, month, year, time, "GMT"] = words(rest)? else {
                return None;
            };
            date(year, month, day, time)
        }
        Some((weekday, rest)) if DAYS_IN_FULL.contains(&weekday) => {
            let [date_text, time, "GMT"] = words(rest)? else {
                return None;
            };
            let mut parts = date_text.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            if parts.next().is_some() {
                return None;
            }
            date(&full_year(year, now)?, month, day, time)
        }
        Some(_) => None,
        None => {
            let (weekday, rest) = text.split_once(' ')?;
            // asctime pads the day with a space.
            let rest = rest.replace("  ", " 0");
            let [month, day, time, year] = words(&rest)?;
            if DAYS.contains(&weekday) {
                date(year, month, day, time)
            } else {
                None
            }
        }
    }
}

fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    let words: Vec<&str> = text.split(' ').take(N.saturating_add(1)).collect();
    words.try_into().ok()
}

fn date(year: &str, month: &str, day: &str, time: &str) -> Option<Timestamp> {
    if year.len() != 4 || day.len() != 2 || time.len() != 8 {
        return None;
    }
    let month = MONTHS
        .iter()
        .position(|name| *name == month)?
        .checked_add(1)?;
    Timestamp::from_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
}

fn full_year(year: &str, now: Timestamp) -> Option<String> {
    if year.len() != 2 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let year: u64 = year.parse().ok()?;
    let this: u64 = now.to_rfc3339().get(..4)?.parse().ok()?;
    let same_century = this.checked_sub(this % 100)?.checked_add(year)?;
    let far = same_century > this.checked_add(YEARS_AHEAD_MAX)?;
    let full = if far {
        same_century.checked_sub(100)?
    } else {
        same_century
    };
    Some(format!("{full:04}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
        let check = |text: &str, at: Option<&str>| {
            assert_eq!(
                parse(text, now).map(Timestamp::to_rfc3339).as_deref(),
                at,
                "{text}"
            );
        };
        // RFC 9110 §5.6.7.
        let example = Some("1994-11-06T08:49:37Z");
        check("Sun, 06 Nov 1994 08:49:37 GMT", example);
        check("Sunday, 06-Nov-94 08:49:37 GMT", example);
        check("Sun Nov  6 08:49:37 1994", example);
        check("Sun Nov 16 08:49:37 1994", Some("1994-11-16T08:49:37Z"));
        check(
            "Sunday, 06-Nov-76 08:49:37 GMT",
            Some("2076-11-06T08:49:37Z"),
        );
        check(
            "Sunday, 06-Nov-77 08:49:37 GMT",
            Some("1977-11-06T08:49:37Z"),
        );
        check(
            "Fri, 31 Dec 9999 23:59:59 GMT",
            Some("9999-12-31T23:59:59Z"),
        );
        for bad in [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "Xyz Nov  6 08:49:37 1994",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "\u{e4}, x",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let at = Timestamp::from_rfc3339("1994-11-06T08:49:37Z").unwrap();
        assert_eq!(format(at), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(format(Timestamp::EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(format(Timestamp::NEVER), "Fri, 31 Dec 9999 23:59:59 GMT");
        for day in (0..30_000).step_by(13) {
            let at = Timestamp::from_secs(day * SECONDS_PER_DAY + day);
            assert_eq!(parse(&format(at), at), Some(at));
        }
    }
}
