//! Which records of a log would be there again if it happened again, and by which patterns?

use std::sync::LazyLock;

use regex::Regex;

use crate::trace::{LogRecord, Trace};

/// Patterns that are proposed at most.
const MOST: usize = 3;

/// What is longer is cut at a word: the beginning of a message tells which it is.
const LONGEST: usize = 120;

/// A pattern of fewer letters would match too much.
const LETTERS: usize = 8;

/// A pattern for the text of a record, and the record's format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Telling<'t> {
    pub(super) pattern: String,
    pub(super) format: &'t str,
    /// The words themselves, for a title.
    pub(super) words: &'t str,
}

/// The errors of a log, else its warnings, else what somebody had printed to look at it; each pattern
/// once, in the order of the log.
pub(super) fn telling(trace: &Trace) -> Vec<Telling<'_>> {
    let worst = trace.log.iter().filter_map(weight).min();
    let mut found: Vec<Telling<'_>> = Vec::new();
    for record in trace.log.iter().filter(|record| weight(record).is_some_and(|w| Some(w) == worst))
    {
        let words = shortened(record.text.lines().next().unwrap_or_default());
        let telling = Telling { pattern: pattern(words), format: &record.format, words };
        let is_known = found.iter().any(|one| one.pattern == telling.pattern);
        if !is_known && words.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS {
            found.push(telling);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// How bad a record is, the worst first; none where it tells of what goes well.
fn weight(record: &LogRecord) -> Option<u8> {
    match record.level.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("emerg" | "alert" | "crit" | "critical" | "fatal" | "panic" | "err" | "error") => {
            Some(0)
        }
        Some("warn" | "warning") => Some(1),
        None if record.format == "print" => Some(2),
        _ => None,
    }
}

fn shortened(text: &str) -> &str {
    let Some((end, _)) = text.char_indices().nth(LONGEST) else { return text };
    let text = &text[..end];
    text.rsplit_once(' ').map_or(text, |(words, _)| words)
}

/// A pattern that matches these words with other addresses, numbers and quoted names. `-1` stays: it is
/// what C has for none.
fn pattern(words: &str) -> String {
    const CHANGING: &str = r#"(?x)
        (?<uuid>    [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} )
      | (?<address> 0x[0-9a-f]+ )
      | (?<none>    -1\b )
      | (?<number>  [0-9]+ )
      | (?<single>  '[^']+' )
      | (?<double>  "[^"]+" )"#;
    static CHANGES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CHANGING).ok());
    let mut pattern = String::new();
    let mut done = 0;
    for found in CHANGES.iter().flat_map(|changes| changes.captures_iter(words)) {
        let Some(whole) = found.get(0) else { continue };
        let instead = [
            ("uuid", "[0-9a-f-]{36}"),
            ("address", "0x[0-9a-f]+"),
            ("none", "-1"),
            ("number", r"\d+"),
            ("single", "'[^']+'"),
            ("double", "\"[^\"]+\""),
        ];
        let instead = instead.into_iter().find(|(name, _)| found.name(name).is_some());
        pattern.push_str(&regex::escape(&words[done..whole.start()]));
        pattern.push_str(instead.map_or("", |(_, instead)| instead));
        done = whole.end();
    }
    // `escape` also escapes what means nothing outside a class, which nobody wants to read.
    (pattern + &regex::escape(&words[done..])).replace(r"\-", "-").replace(r"\&", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{self, Piece};

    #[test]
    fn what_changes_from_run_to_run_is_left_open() {
        for (words, expected) in [
            (
                "Can't create lock file /var/lib/xen/suspend_evtchn_12_lock.d: Internal error",
                r"Can't create lock file /var/lib/xen/suspend_evtchn_\d+_lock\.d: Internal error",
            ),
            ("f: fd<43>, ev->fd<-1>, ev=0x7fd08805aa60", r"f: fd<\d+>, ev->fd<-1>, ev=0x[0-9a-f]+"),
            (
                "no domain 'vm one' of 6f1c1c1e-0d43-4a0e-9c5f-0123456789ab",
                r"no domain '[^']+' of [0-9a-f-]{36}",
            ),
            (r#"read "/a b" failed (-12)"#, r#"read "[^"]+" failed \(-\d+\)"#),
        ] {
            let pattern = pattern(words);
            assert_eq!(pattern, expected);
            assert!(Regex::new(&pattern).unwrap().is_match(words), "{words}");
        }
    }

    #[test]
    fn the_worst_records_tell() {
        let read = |text: &str| trace::parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        let log = |level: &str, text: &str| {
            format!("2026-01-31 12:00:00.000+0000: 7: {level} : f:1 : {text}\n")
        };
        let all = log("warning", "the disk is nearly full")
            + &log("error", "cannot write block 7")
            + &log("error", "cannot write block 8")
            + &log("error", "7")
            + &log("debug", "all is well with this one");
        let trace = read(&all);
        let found: Vec<String> = telling(&trace).into_iter().map(|one| one.pattern).collect();
        assert_eq!(found, [r"cannot write block \d+"]);
        let trace = read(&log("warning", &format!("it is {}", "long ".repeat(99))));
        assert!(telling(&trace)[0].pattern.len() <= LONGEST);
        assert_eq!(telling(&read(&log("debug", "all is well with this one"))), []);
    }
}
