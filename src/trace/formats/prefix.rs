//! What did the logs that a line went through put before it?
//!
//! ```text
//! Nov  9 08:24:57 host kernel: [ 1234.567890] libvirtd[6026]: segfault at …
//! └────── syslog ───────────┘ └─── dmesg ───┘
//! ```
//! Rule: a prefix is taken off, so that what stands behind is read as anything else is; a line nothing
//! else is made of is a record of the log.

use super::{Format, Record, dmesg, syslog, xen_console};

/// What stands before a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::trace) struct Prefix<'a> {
    /// Whose log it is.
    pub(super) format: Format,
    pub(super) time: Option<&'a str>,
    pub(super) level: Option<&'a str>,
    pub(super) program: Option<&'a str>,
    /// The thread, or the process where only that is said.
    pub(super) thread: Option<u64>,
}

/// What stands before the line's own text, and that.
pub(in crate::trace) fn prefix(line: &str) -> Option<(Prefix<'_>, &str)> {
    const DEPTH: usize = 3;
    let (mut outer, mut rest) = one(line)?;
    for _ in 1..DEPTH {
        let Some((inner, text)) = one(rest) else { break };
        outer = inner.inside(outer);
        rest = text;
    }
    Some((outer, rest))
}

fn one(text: &str) -> Option<(Prefix<'_>, &str)> {
    let first = *text.as_bytes().first()?;
    let may_begin =
        first.is_ascii_digit() || first.is_ascii_uppercase() || b"<[(k".contains(&first);
    may_begin.then_some(())?;
    syslog::prefix(text).or_else(|| dmesg::prefix(text)).or_else(|| xen_console::prefix(text))
}

impl<'a> Prefix<'a> {
    /// This prefix behind another: the outer one has the clock that people know.
    fn inside(self, outer: Prefix<'a>) -> Self {
        Prefix {
            format: self.format,
            time: outer.time.or(self.time),
            level: self.level.or(outer.level),
            program: self.program.or(outer.program),
            thread: self.thread.or(outer.thread),
        }
    }

    /// The message behind the prefix as a record.
    pub(in crate::trace) fn record(self, text: &'a str) -> Record<'a> {
        let Prefix { format, time, level, program, thread } = self;
        Record { format, time, level, thread, program, text, ..Record::default() }
    }

    /// The record behind the prefix, with what it does not say itself.
    pub(in crate::trace) fn around(self, record: Record<'a>) -> Record<'a> {
        let format = match record.format {
            Format::Print => self.format,
            format => format,
        };
        Record {
            format,
            time: record.time.or(self.time),
            level: record.level.or(self.level),
            program: record.program.or(self.program),
            thread: record.thread.or(self.thread),
            ..record
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_have_a_prefix() {
        let line = "Nov  9 08:24:57 host kernel: [ 1234.567890][  T77] (XEN) text";
        let (prefix, text) = prefix(line).unwrap();
        assert_eq!(text, "text");
        assert_eq!((prefix.format, prefix.time), (Format::XenConsole, Some("Nov  9 08:24:57")));
        assert_eq!((prefix.program, prefix.thread), (Some("xen"), Some(77)));
    }

    #[test]
    fn a_record_keeps_what_it_says_itself() {
        let line = "Nov  9 08:24:57 host libvirtd[4836]: ";
        let (prefix, _) = prefix(line).unwrap();
        let own = Record {
            format: Format::LibvirtLog,
            thread: Some(4840),
            level: Some("error"),
            ..Record::default()
        };
        let record = prefix.around(own);
        assert_eq!((record.thread, record.level), (Some(4840), Some("error")));
        assert_eq!((record.program, record.time), (Some("libvirtd"), Some("Nov  9 08:24:57")));
        assert_eq!(record.format, Format::LibvirtLog);
    }
}
