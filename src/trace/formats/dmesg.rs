//! What does the kernel's log put before a line: when, how grave, by which thread?
//!
//! ```text
//! [ 1234.567890] …                        (kernel/printk/printk.c, `print_prefix`)
//! <6>[ 1234.567890][ T4836] …             with CONFIG_PRINTK_CALLER
//! [Fri Nov  9 08:24:57 2012] …            dmesg -T
//! 2012-11-09T08:24:57,123456+01:00 …      dmesg --time-format iso
//! kern  :info  : [ 1234.567890] …         dmesg -x
//! ```

use super::prefix::Prefix;
use super::syslog::{is_seconds, shaped};
use super::{Format, number};

/// The levels by their numbers (linux/kern_levels.h), as dmesg names them.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

/// What stands before the message, and the message.
pub(super) fn prefix(line: &str) -> Option<(Prefix<'_>, &str)> {
    let (level, text) = level(line);
    let (time, rest) = bracketed(text).or_else(|| iso(text))?;
    let (thread, rest) = match caller(rest) {
        Some((thread, rest)) => (thread, rest),
        None => (None, rest),
    };
    let rest = rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(rest))?;
    let prefix =
        Prefix { format: Format::Dmesg, time: Some(time), program: Some("kernel"), thread, level };
    Some((prefix, rest))
}

fn level(line: &str) -> (Option<&'static str>, &str) {
    let named = |text: &str| LEVELS.iter().find(|level| text.trim_end() == **level).copied();
    if let Some((grade, rest)) = line.strip_prefix('<').and_then(|text| text.split_once('>')) {
        let grade = grade.parse::<usize>().ok().and_then(|grade| LEVELS.get(grade % 8)).copied();
        return (grade, if grade.is_some() { rest } else { line });
    }
    let decoded = line.strip_prefix("kern  :").and_then(|text| text.split_once(": "));
    match decoded.and_then(|(grade, rest)| Some((named(grade)?, rest))) {
        Some((grade, rest)) => (Some(grade), rest),
        None => (None, line),
    }
}

/// `[ 1234.567890]`, `[Fri Nov  9 08:24:57 2012]`
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (clock, rest) = text.strip_prefix('[')?.split_once(']')?;
    let time = clock.trim_start();
    let calendar =
        || time.get(4..7).is_some() && time.get(11..).is_some_and(|t| shaped(t, "00:00:00 0000"));
    (is_seconds(time) || calendar()).then_some((time, rest))
}

fn iso(text: &str) -> Option<(&str, &str)> {
    shaped(text, "0000-00-00T00:00:00,000000").then_some(())?;
    text.split_at_checked(text.find(' ')?)
}

/// `[ T4836]` a thread, `[    C1]` a processor.
fn caller(text: &str) -> Option<(Option<u64>, &str)> {
    let (who, rest) = text.strip_prefix('[')?.split_once(']')?;
    let who = who.trim_start();
    if let Some(thread) = who.strip_prefix('T') {
        let (thread, end) = number(thread)?;
        return end.is_empty().then_some((Some(thread), rest));
    }
    let (_, end) = number::<u64>(who.strip_prefix('C')?)?;
    end.is_empty().then_some((None, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_kernels_log() {
        for (line, time, level, thread) in [
            ("[ 1234.567890] text", "1234.567890", None, None),
            ("<6>[ 1234.567890][ T4836] text", "1234.567890", Some("info"), Some(4836)),
            ("<11>[    0.000000][    C1] text", "0.000000", Some("err"), None),
            ("[Fri Nov  9 08:24:57 2012] text", "Fri Nov  9 08:24:57 2012", None, None),
            (
                "2012-11-09T08:24:57,123456+01:00 text",
                "2012-11-09T08:24:57,123456+01:00",
                None,
                None,
            ),
            ("kern  :warn  : [    0.000000] text", "0.000000", Some("warn"), None),
        ] {
            let (prefix, text) = prefix(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((prefix.time, prefix.level), (Some(time), level), "{line}");
            assert_eq!((prefix.thread, text), (thread, "text"), "{line}");
        }
    }

    #[test]
    fn other_lines_have_none() {
        for line in ["[<ffff>] f", "[sic] text", "[1.5] x", "[ 1.000000]text", "<b> x", "[", ""] {
            assert!(prefix(line).is_none(), "{line}");
        }
    }
}
