//! Which printer wrote this line, and what does it say?
//!
//! One file a format. Each recognises the beginning of what it prints by the line alone; joining
//! wrapped lines and tying things together is `assemble`'s work.

pub(super) mod assertion;
pub(super) mod gdb;
pub(super) mod gdb_session;
pub(super) mod libvirt_log;
pub(super) mod libxl_log;
pub(super) mod print;

use super::model::{EventKind, Lines, LogRecord};
use super::notation::shorten;

/// What a line begins.
#[derive(Debug, PartialEq)]
pub(super) enum Start<'a> {
    /// `#3 …`.
    Frame { index: u32, rest: &'a str },
    /// `$4 = …` or `1: fd = …`.
    Value { number: Option<u32>, expression: Option<&'a str>, rest: &'a str },
    /// gdb's own talk.
    Talk(gdb_session::Talk<'a>),
    /// A failed assertion.
    Assertion(EventKind),
    /// The beginning of an assertion's line that was cut.
    CutAssertion,
    /// The beginning of a thread's header that was cut.
    CutHeader,
    /// A record of a log.
    Record(Record<'a>),
}

/// A log record's first line.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) format: Format,
    pub(super) time: Option<&'a str>,
    pub(super) level: Option<&'a str>,
    pub(super) thread: Option<u64>,
    pub(super) file: Option<&'a str>,
    pub(super) line: Option<u32>,
    pub(super) function: Option<&'a str>,
    pub(super) program: Option<&'a str>,
    pub(super) text: &'a str,
}

impl Record<'_> {
    /// The record on its own, its message kept up to `limit` bytes.
    pub(super) fn to_record(&self, lines: Lines, limit: usize) -> LogRecord {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        LogRecord {
            lines,
            format: self.format.name().to_owned(),
            time: owned(self.time),
            level: owned(self.level),
            thread: self.thread,
            file: owned(self.file),
            line: self.line,
            function: owned(self.function),
            program: owned(self.program),
            text: shorten(self.text, limit),
        }
    }
}

/// The formats by their stable names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// gdb's frames, values and talk.
    Gdb,
    /// libxenlight's, libxenctrl's and xl's log.
    LibxlLog,
    /// libvirt's log.
    LibvirtLog,
    /// A person's own debug print.
    #[default]
    Print,
    /// A C library's line about a failed assertion.
    Assertion,
}

impl Format {
    /// The name in `Trace::formats` and `LogRecord::format`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Gdb => "gdb",
            Format::LibxlLog => "libxl-log",
            Format::LibvirtLog => "libvirt-log",
            Format::Print => "print",
            Format::Assertion => "assertion",
        }
    }
}

/// What the line begins, if a format knows it.
pub(super) fn start(line: &str) -> Option<Start<'_>> {
    let text = line.trim_start();
    if let Some((index, rest)) = gdb::frame_start(text) {
        return Some(Start::Frame { index, rest });
    }
    gdb::value_start(text)
        .or_else(|| gdb_session::talk(text).map(Start::Talk))
        .or_else(|| gdb_session::is_cut_header(text).then_some(Start::CutHeader))
        .or_else(|| assertion::assertion(text).map(Start::Assertion))
        .or_else(|| assertion::begins(text).then_some(Start::CutAssertion))
        .or_else(|| libvirt_log::record(text).map(Start::Record))
        .or_else(|| libxl_log::record(text).map(Start::Record))
        .or_else(|| print::record(line).map(Start::Record))
}

/// A decimal number that starts the text, and what follows it.
fn number<T: std::str::FromStr>(text: &str) -> Option<(T, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}
