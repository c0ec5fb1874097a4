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

/// What logs have put before the line, and its own text. The colon before each line of a trace in ABRT's
/// reports says nothing, and goes too.
pub(in crate::trace) fn prefix(line: &str) -> (Option<Prefix<'_>>, &str) {
    const DEPTH: usize = 4;
    let (mut prefix, mut rest): (Option<Prefix<'_>>, &str) = (None, line);
    for _ in 0..DEPTH {
        if let Some((inner, text)) = one(rest) {
            prefix = Some(prefix.map_or(inner, |outer| inner.inside(outer)));
            rest = text;
        } else if let Some(text) = abrt(rest) {
            rest = text;
        } else {
            break;
        }
    }
    (prefix, rest)
}

fn one(text: &str) -> Option<(Prefix<'_>, &str)> {
    let first = *text.as_bytes().first()?;
    let may_begin =
        first.is_ascii_digit() || first.is_ascii_uppercase() || b"<[(k".contains(&first);
    may_begin.then_some(())?;
    syslog::prefix(text).or_else(|| dmesg::prefix(text)).or_else(|| xen_console::prefix(text))
}

fn abrt(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(':')?;
    let printed = rest.starts_with(['#', '[', ' ', 'T', 'P', 'C', '(']);
    (printed || rest.is_empty()).then_some(rest)
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
    fn prefixes_go_one_after_the_other() {
        for line in
            ["   [<ffff82d040202020>] R f+0x1/0x2", "#0  0x01 in raise () from /lib/libc.so.6", ""]
        {
            for before in [
                "(XEN) ",
                "(XEN) [2024-11-12 08:00:01.123] ",
                "[  123.456789] ",
                "<4>[  123.456789][ T1234] ",
                "[Tue Nov 12 08:00:01 2024] ",
                "Nov  2 08:00:01 host kernel: ",
                "Nov 12 08:00:01.123456 host libvirtd[77]: ",
                "Nov 12 08:00:01 libvirtd[77]: ",
                "2024-11-12T08:00:01.123456+01:00 host a/b-c[77]: ",
                "Nov 12 08:00:01 host kernel: [  123.456789] (XEN) ",
                ":",
            ] {
                if before != ":" || !line.is_empty() {
                    assert_eq!(prefix(&format!("{before}{line}")).1, line, "{before}");
                }
            }
        }
        assert_eq!((prefix("(XEN)").1, prefix(":#0  f ()").1), ("", "#0  f ()"));
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in [
            "[Switching to Thread 0x7f (LWP 7)]",
            "[0x7ffc1234]",
            "[  1] 1A31-97A7 0x7f /opt/a.so",
            "2012-11-09 08:24:57.660+0000: 4836: debug : f:1 : x",
            "2014-03-10 14:40:10 UTC libxl: error: x",
            "Nov 12 I saw: this",
            "Nov 12 08:00:01 I saw it: no",
            "::operator new (x)",
            "<optimized out>",
        ] {
            assert_eq!(prefix(line), (None, line));
        }
    }

    #[test]
    fn the_outer_clock_and_the_inner_program() {
        let line = "Nov  9 08:24:57 host kernel: [ 1234.567890][  T77] (XEN) text";
        let (prefix, text) = prefix(line);
        let prefix = prefix.unwrap();
        assert_eq!(text, "text");
        assert_eq!((prefix.format, prefix.time), (Format::XenConsole, Some("Nov  9 08:24:57")));
        assert_eq!((prefix.program, prefix.thread), (Some("xen"), Some(77)));
    }

    #[test]
    fn a_record_keeps_what_it_says_itself() {
        let (prefix, _) = prefix("Nov  9 08:24:57 host libvirtd[4836]: ");
        let own = Record {
            format: Format::LibvirtLog,
            thread: Some(4840),
            level: Some("error"),
            ..Record::default()
        };
        let record = prefix.unwrap().around(own);
        assert_eq!((record.thread, record.level), (Some(4840), Some("error")));
        assert_eq!((record.program, record.time), (Some("libvirtd"), Some("Nov  9 08:24:57")));
        assert_eq!(record.format, Format::LibvirtLog);
    }
}
