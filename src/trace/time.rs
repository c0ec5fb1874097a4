//! When was a record of a log written, and by which clock?
//!
//! ```
//! use dbgmate::trace::{Clock, Reckoning, time};
//!
//! let zoned = time("2012-11-09 08:24:57.660+0100", Reckoning::default()).unwrap();
//! let same = time("2012-11-09T07:24:57.660Z", Reckoning::default()).unwrap();
//! assert_eq!((zoned, zoned.clock), (same, Clock::Universal));
//! ```
//!
//! Rule: only times of one clock can be compared. What a log leaves out, its zone or its year, is not
//! guessed; who knows it says so in the [`Reckoning`].

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::formats::syslog::{DAYS, MONTHS};

/// What a time counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// UTC: the zone is printed, or known.
    Universal,
    /// The machine's zone, which the log does not name.
    Local,
    /// The same, and the year is not printed either.
    LocalWithoutYear,
    /// The start of the machine.
    Boot,
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Clock::Universal => "times with a zone",
            Clock::Local => "times without a zone",
            Clock::LocalWithoutYear => "times without a year and a zone",
            Clock::Boot => "seconds since the machine started",
        })
    }
}

/// A moment by a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Whose.
    pub clock: Clock,
    /// From its beginning, in nanoseconds.
    pub nanoseconds: i128,
}

/// What a person knows of logs that do not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reckoning {
    /// How far east of UTC the clocks without a zone are, in seconds.
    pub offset: Option<i32>,
    /// The year of times without one.
    pub year: Option<i16>,
}

impl Reckoning {
    /// Reads `+01:00`, `-0530`, `UTC` or `Z` as [`Reckoning::offset`].
    pub fn offset(zone: &str) -> Option<i32> {
        match zone.trim() {
            "Z" | "UTC" | "GMT" => Some(0),
            zone => {
                let sign = if zone.starts_with('-') { -1 } else { 1 };
                let digits = zone.strip_prefix(['+', '-'])?;
                let (hours, minutes) = digits.split_at_checked(2)?;
                let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
                let minutes = if minutes.is_empty() { 0 } else { pair(minutes)? };
                let (hours, minutes) = (pair(hours)?, minutes);
                (hours <= 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
            }
        }
    }
}

/// The moment that a time as a log prints it names; none where it is no whole time of a day of a year.
pub fn time(text: &str, reckoning: Reckoning) -> Option<Time> {
    let text = text.trim();
    if let Some(time) = seconds(text) {
        return Some(time);
    }
    let text =
        DAYS.iter().find_map(|day| text.strip_prefix(day)?.strip_prefix(' ')).unwrap_or(text);
    let (date, rest) = date(text)?;
    let (mut clock, rest) = day_time(rest.strip_prefix([' ', 'T'])?)?;
    let rest = rest.trim_start();
    let (year, zone) = match (date.year, rest.parse()) {
        // As ctime(3) has it, the year comes last.
        (None, Ok(year)) if rest.len() == 4 => (Some(year), ""),
        (year, _) => (year, rest),
    };
    let offset = match zone {
        // The abbreviations of other zones name several each.
        "" => reckoning.offset,
        zone if zone.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Reckoning::offset(zone).or(reckoning.offset)
        }
        zone => Some(Reckoning::offset(zone)?),
    };
    let known = year.or(reckoning.year);
    // A leap year has every day.
    clock.year = known.unwrap_or(2000);
    let moment = DateTime::new(
        clock.year,
        date.month,
        date.day,
        clock.hour,
        clock.minute,
        clock.second.min(59),
        clock.nanosecond,
    );
    let moment = Offset::from_seconds(offset.unwrap_or(0)).ok()?.to_timestamp(moment.ok()?).ok()?;
    let clock = match (known, offset) {
        (Some(_), Some(_)) => Clock::Universal,
        (Some(_), None) => Clock::Local,
        (None, _) => Clock::LocalWithoutYear,
    };
    Some(Time { clock, nanoseconds: moment.as_nanosecond() })
}

/// `1234.567890` since the start, `1352446497.123456` since 1970.
fn seconds(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && whole.len() <= 12 && digits(whole)).then_some(())?;
    let seconds: i128 = whole.parse().ok()?;
    let nanoseconds = seconds * 1_000_000_000 + i128::from(nanoseconds(fraction)?);
    // No machine runs for thirty years.
    let clock = if whole.len() > 9 { Clock::Universal } else { Clock::Boot };
    Some(Time { clock, nanoseconds })
}

struct Date {
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// `2012-11-09`, `20121109`, `2012/11/09` or `Nov  9`, and what follows.
fn date(text: &str) -> Option<(Date, &str)> {
    if let Some(month) = MONTHS.iter().position(|month| text.starts_with(month)) {
        let (day, rest) = text.get(3..)?.trim_start().split_once(' ')?;
        let date =
            Date { year: None, month: i8::try_from(month + 1).ok()?, day: day.parse().ok()? };
        // The blank belongs to the time.
        return Some((date, text.get(text.len() - rest.len() - 1..)?));
    }
    let (year, rest) = text.split_at_checked(4)?;
    let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/'));
    let skip = usize::from(separator.is_some());
    let month = rest.get(skip..skip + 2)?;
    let day = rest.get(2 * skip + 2..2 * skip + 4)?;
    (separator.is_none() || rest.get(skip + 2..skip + 3)?.starts_with(separator?)).then_some(())?;
    let date = Date {
        year: Some(year.parse().ok().filter(|year| *year > 0)?),
        month: pair(month)?.try_into().ok()?,
        day: pair(day)?.try_into().ok()?,
    };
    Some((date, rest.get(2 * skip + 4..)?))
}

struct DayTime {
    year: i16,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
}

/// `08:24:57`, with a fraction behind a point or a comma, and what follows.
fn day_time(text: &str) -> Option<(DayTime, &str)> {
    let (time, rest) = text.split_at_checked("08:24:57".len())?;
    let mut parts = time.split(':').map(|part| pair(part).and_then(|part| i8::try_from(part).ok()));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let (nanosecond, rest) = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let (digits, rest) = fraction.split_at_checked(end)?;
            (nanoseconds(digits)?, rest)
        }
        None => (0, rest),
    };
    Some((DayTime { year: 0, hour, minute, second, nanosecond }, rest))
}

/// The digits behind the point, as nanoseconds.
fn nanoseconds(digits: &str) -> Option<i32> {
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(())?;
    let missing = u32::try_from(9 - digits.len()).ok()?;
    digits.parse::<i32>().ok()?.checked_mul(10i32.pow(missing))
}

/// Two digits.
fn pair(text: &str) -> Option<i32> {
    let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock, and the seconds since its beginning.
    fn read(text: &str) -> Option<(Clock, f64)> {
        let time = time(text, Reckoning::default())?;
        Some((time.clock, time.nanoseconds as f64 / 1e9))
    }

    /// Expected values are of date(1): `date -u -d '2012-11-09 08:24:57' +%s`.
    const NOON: f64 = 1_352_449_497.0;

    #[test]
    fn the_printers_times_are_one_moment() {
        for (text, clock, offset) in [
            ("2012-11-09 08:24:57.660+0000", Clock::Universal, 0.66),
            ("2012-11-09T09:24:57.660123+01:00", Clock::Universal, 0.660_123),
            ("2012-11-09T08:24:57Z", Clock::Universal, 0.0),
            ("2012-11-09T02:54:57-0530", Clock::Universal, 0.0),
            ("20121109T08:24:57.123Z", Clock::Universal, 0.123),
            ("2012-11-09 08:24:57 UTC", Clock::Universal, 0.0),
            ("1352449497.123456", Clock::Universal, 0.123_456),
            ("2012-11-09 08:24:57,5", Clock::Local, 0.5),
            ("2012/11/09 08:24:57", Clock::Local, 0.0),
            ("20121109 08:24:57", Clock::Local, 0.0),
            ("Fri 2012-11-09 08:24:57 CET", Clock::Local, 0.0),
            ("Fri Nov  9 08:24:57 2012", Clock::Local, 0.0),
        ] {
            let (read_clock, seconds) = read(text).unwrap();
            assert_eq!(read_clock, clock, "{text}");
            assert!((seconds - NOON - offset).abs() < 1e-6, "{text}: {seconds}");
        }
        assert_eq!(read("1234.567890"), Some((Clock::Boot, 1234.56789)));
    }

    #[test]
    fn without_a_year_days_are_in_their_order() {
        let [first, leap, last] = ["Jan  1 00:00:00", "Feb 29 08:00:00.5", "Dec 31 23:59:60"]
            .map(|text| read(text).unwrap());
        assert!(first < leap && leap < last);
        assert_eq!(first.0, Clock::LocalWithoutYear);
    }

    #[test]
    fn what_is_known_of_a_log_makes_its_times_universal() {
        let known = Reckoning { offset: Reckoning::offset("+01:00"), year: Some(2012) };
        let universal = time("2012-11-09 08:24:57+0100", Reckoning::default());
        for text in ["2012-11-09 08:24:57", "Nov  9 08:24:57", "2012-11-09 08:24:57 CET"] {
            assert_eq!(time(text, known), universal, "{text}");
        }
        let of_year = Reckoning { year: Some(2012), ..Reckoning::default() };
        assert_eq!(time("Nov 9 08:24:57", of_year).unwrap().clock, Clock::Local);
    }

    #[test]
    fn zones_are_offsets() {
        for (zone, offset) in
            [("+01:00", 3600), ("-0530", -19_800), ("+02", 7200), ("UTC", 0), ("Z", 0)]
        {
            assert_eq!(Reckoning::offset(zone), Some(offset), "{zone}");
        }
        for zone in ["", "CET", "01:00", "+1", "+25:00", "+01:60", "+01:0x", "é+"] {
            assert_eq!(Reckoning::offset(zone), None, "{zone}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "08:24:57",
            "noon",
            "2012-11-09",
            "2012-13-09 08:24:57",
            "2012-02-30 08:24:57",
            "2012-11-09 25:24:57",
            "2012-11-09 08:24:57+1",
            "Nov  9",
            "Nov 99 08:24:57",
            "1.",
            ".5",
            "1.2.3",
            "é012-11-09 08:24:57",
            "2012-11/09 08:24:57",
            "0000-11-09 08:24:57",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
