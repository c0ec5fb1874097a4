//! Which lines below a log record are more of its message?

use super::formats::prefix::Prefix;
use super::formats::{Format, Record};
use super::model::{Lines, LogRecord};

/// Bytes of a log record's message that are kept.
const MESSAGE: usize = 64 << 10;

/// A log record, and what may be more of its message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) record: LogRecord,
    pub(super) format: Format,
    goes_on: GoesOn,
}

/// Which lines below a log record are more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoesOn {
    /// None.
    Never,
    /// Indented ones.
    Indented,
    /// Those of a domain description too.
    Markup,
    /// All: another program's output is in the message.
    Always,
}

impl Message {
    /// The record that a line begins.
    pub(super) fn new(record: &Record<'_>, format: &str, lines: Lines) -> Self {
        Message {
            record: record.to_record(format, lines, MESSAGE),
            format: record.format,
            goes_on: GoesOn::of(record),
        }
    }

    /// Whether the line can be more of the message.
    pub(super) fn goes_on_with(&self, line: &str, prefix: Option<Prefix<'_>>) -> bool {
        // A log that puts something before each line begins a record with it.
        if prefix.is_some() && !matches!(self.format, Format::LibvirtLog | Format::LibxlLog) {
            return false;
        }
        let indented = line.starts_with([' ', '\t']);
        match self.goes_on {
            GoesOn::Never => false,
            GoesOn::Indented => indented,
            GoesOn::Markup => indented || line.starts_with(['<', ',', ')', '}', ']']),
            GoesOn::Always => true,
        }
    }

    /// Takes the line as more of the message.
    pub(super) fn join(&mut self, line: &str, number: usize) {
        self.record.lines.last = number;
        if self.record.text.len() + line.len() < MESSAGE {
            self.record.text.push('\n');
            self.record.text.push_str(line);
        }
    }
}

impl GoesOn {
    /// A message of libvirt holds whole domain descriptions, or what a program that failed said;
    /// below others, a line that begins like a sentence is a person's.
    fn of(record: &Record<'_>) -> Self {
        const OUTPUTS: [&str; 3] = ["exit status", "process exited", "Process exited"];
        match record.format {
            Format::LibvirtLog if OUTPUTS.iter().any(|words| record.text.contains(words)) => {
                GoesOn::Always
            }
            Format::LibvirtLog => GoesOn::Markup,
            Format::LibxlLog | Format::Syslog | Format::Plugin(_) => GoesOn::Indented,
            _ => GoesOn::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    #[test]
    fn a_message_of_libvirt_holds_markup_or_a_programs_output() {
        let line = |text: &str| format!("2012-11-15 03:01:03.903+0000: 4309: error : f:1 : {text}");
        for (text, last) in [
            (line("xml=<domain>\n  <name/>\n</domain>\n, flags=0\nMy words"), 4),
            (line("exit status 2: iptables: no\nTry `iptables -h' or so"), 2),
            (line("x\nMy own words"), 1),
        ] {
            assert_eq!(
                parse(&Job::new(), &[Piece::unnamed(&text)]).unwrap().log[0].lines.last,
                last,
                "{text}"
            );
        }
    }
}
