//! What do syslog and systemd's journal put before a line: when, and which program?
//!
//! ```text
//! Nov  9 08:24:57 host libvirtd[4836]: …                 RFC 3164 §4.1.1, journalctl -o short
//! Nov 09 08:24:57.123456 host libvirtd[4836]: …          -o short-precise
//! 2012-11-09T08:24:57.123456+01:00 host libvirtd[4836]: …  rsyslog; -o short-iso, short-iso-precise
//! Fri 2012-11-09 08:24:57 CET host libvirtd[4836]: …     -o short-full
//! [ 1234.567890] host libvirtd[4836]: …                  -o short-monotonic
//! 1352446497.123456 host libvirtd[4836]: …               -o short-unix
//! ```
//! (systemd's src/shared/logs-show.c, `output_short`.)

use super::parts::begins_with_any;
use super::prefix::Prefix;
use super::{Format, number};

/// Their names in times that people write.
pub(in crate::trace) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Their names before such times.
pub(in crate::trace) const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What stands before the message, and the message.
pub(super) fn prefix(line: &str) -> Option<(Prefix<'_>, &str)> {
    let text = after_priority(line);
    let (time, rest) = time(text)?;
    // Some leave the host out.
    let rest = match rest.split_once(' ').unwrap_or((rest, "")) {
        (first, _) if first.ends_with(':') => (!text.starts_with('[')).then_some(rest)?,
        (host, rest) => (!host.is_empty()).then_some(rest)?,
    };
    let end = rest.find(['[', ':', ' '])?;
    let (program, rest) = rest.split_at_checked(end)?;
    let word = |c: char| c.is_alphanumeric() || "-_./@()".contains(c);
    let named = program.chars().any(|c| !c.is_ascii_digit()) && program.chars().all(word);
    named.then_some(())?;
    let (pid, rest) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (pid, rest) = number(inner)?;
            (Some(pid), rest.strip_prefix(']')?)
        }
        // The kernel's own log begins with a clock too.
        None if text.starts_with('[') && program != "kernel" => return None,
        None => (None, rest),
    };
    let rest = rest.strip_prefix(':')?;
    let rest = rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(rest))?;
    let prefix = Prefix {
        format: Format::Syslog,
        time: Some(time),
        program: Some(program),
        thread: pid,
        level: None,
    };
    Some((prefix, rest))
}

/// Whether a record begins here, perhaps before its line was broken: `Nov  9 08:24:57 host`.
pub(in crate::trace) fn begins(text: &str) -> bool {
    let text = after_priority(text);
    text.starts_with(|c: char| c.is_ascii_uppercase()) && time(text).is_some()
}

/// Without syslog's `<30>`.
fn after_priority(text: &str) -> &str {
    let inner = text.strip_prefix('<').and_then(number::<u8>);
    inner.and_then(|(_, rest)| rest.strip_prefix('>')).unwrap_or(text)
}

/// The time at the start of the text, and what stands behind the blank after it.
fn time(text: &str) -> Option<(&str, &str)> {
    let end = if text.starts_with(|c: char| c.is_ascii_digit()) {
        let end = text.find(' ')?;
        let word = text.get(..end)?;
        (shaped(word, "0000-00-00T00:00:00") || is_unix_time(word)).then_some(end)?
    } else if let Some(inner) = text.strip_prefix('[') {
        let (clock, _) = inner.split_once("] ")?;
        let time = clock.trim_start();
        is_seconds(time).then_some(())?;
        return Some((time, inner.get(clock.len() + "] ".len()..)?));
    } else if begins_with_any(text, &MONTHS) {
        let clock = text.get("Nov 09 ".len()..)?;
        let day = text.get("Nov ".len().."Nov 09".len())?.trim_start();
        (day.parse::<u8>().is_ok() && shaped(clock, "00:00:00")).then_some(())?;
        "Nov 09 ".len() + clock.find(' ')?
    } else if begins_with_any(text, &DAYS) {
        let date = text.get("Fri ".len()..)?;
        shaped(date, "0000-00-00 00:00:00 ").then_some(())?;
        let zone = "Fri 2012-11-09 08:24:57 ".len();
        zone + text.get(zone..)?.find(' ')?
    } else {
        return None;
    };
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Whether the text starts as the shape has it, digits for its zeros.
pub(super) fn shaped(text: &str, shape: &str) -> bool {
    let fits = |(byte, shape): (u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        separator => byte == separator,
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// `1234.567890`
pub(super) fn is_seconds(text: &str) -> bool {
    let split = text.split_once('.');
    split.is_some_and(|(seconds, micro)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits(seconds) && digits(micro) && micro.len() == 6
    })
}

fn is_unix_time(word: &str) -> bool {
    word.len() >= "1352446497.123456".len() && is_seconds(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journals_forms() {
        for (line, time) in [
            ("Nov  9 08:24:57 host libvirtd[4836]: text", "Nov  9 08:24:57"),
            ("<30>Nov  9 08:24:57 host libvirtd[4836]: text", "Nov  9 08:24:57"),
            ("Nov 09 08:24:57.123456 host libvirtd[4836]: text", "Nov 09 08:24:57.123456"),
            ("2012-11-09T08:24:57+0100 host libvirtd[4836]: text", "2012-11-09T08:24:57+0100"),
            (
                "2012-11-09T08:24:57.123456+01:00 host libvirtd[4836]: text",
                "2012-11-09T08:24:57.123456+01:00",
            ),
            (
                "Fri 2012-11-09 08:24:57 CET host libvirtd[4836]: text",
                "Fri 2012-11-09 08:24:57 CET",
            ),
            ("[ 1234.567890] host libvirtd[4836]: text", "1234.567890"),
            ("1352446497.123456 host libvirtd[4836]: text", "1352446497.123456"),
        ] {
            let (prefix, text) = prefix(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((prefix.time, prefix.program), (Some(time), Some("libvirtd")), "{line}");
            assert_eq!((prefix.thread, text), (Some(4836), "text"), "{line}");
        }
        let (kernel, text) = prefix("Nov  9 08:24:57 h kernel: [ 1.000000] x").unwrap();
        assert_eq!((kernel.program, text), (Some("kernel"), "[ 1.000000] x"));
    }

    #[test]
    fn other_lines_have_none() {
        for line in [
            "Nov 9 is a fine day: yes",
            "Nov  9 08:24:57",
            "Nov  9 08:24:57 08: text",
            "March of the penguins: x",
            "2012-11-09 08:24:57.660+0000: 4836: error : text",
            "[ 1234.567890] usb 1-1: new device",
            "[ 1234.567890] libvirtd[6026]: segfault at 0",
            "[<ffffffff8103e0a1>] f+0x1/0x2",
            "1234.5 a b: c",
            "",
        ] {
            assert!(prefix(line).is_none(), "{line}");
        }
    }
}
