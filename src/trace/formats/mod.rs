//! Which printer wrote this line, and what does it say?
//!
//! One file a format. Each recognises the beginning of what it prints by the line alone; joining
//! wrapped lines and tying things together is `assemble`'s work.

pub(super) mod abrt;
pub(super) mod android;
pub(super) mod assertion;
mod command;
pub(super) mod coredump;
mod dmesg;
pub(super) mod eu_stack;
mod frame_info;
pub(super) mod gdb;
pub(super) mod gdb_session;
pub(super) mod glibc_backtrace;
pub(super) mod glibc_heap;
pub(super) mod go;
pub(super) mod java;
pub(super) mod libvirt_log;
pub(super) mod libxl_log;
pub(super) mod linux;
pub(super) mod lldb;
pub(super) mod llvm;
pub(super) mod maps;
pub(super) mod parts;
pub(super) mod perf;
pub(super) mod prefix;
pub(super) mod print;
mod printers;
pub(super) mod python;
mod registers;
pub(super) mod report;
pub(super) mod rust_panic;
pub(super) mod sanitizer;
pub(super) mod shared_libraries;
pub(super) mod syslog;
mod translated;
pub(super) mod valgrind;
pub(super) mod xen;
mod xen_console;

use std::sync::LazyLock;

use memchr::memmem;

use super::model::{EventKind, Frame, Lines, LogRecord, Module, Thread};
use super::notation::shorten;
use super::physical::Addresses;
use super::steps::took;
use crate::address::Pc;
pub(super) use report::{Adds, Fault, Numbered, Says, Told};

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
    /// A frame that its line tells whole.
    Told(Box<Told>),
    /// A program or library, with its place.
    Module(Format, Module),
    /// What a printer says around its stacks.
    Says(Format, Says<'a>),
    /// The kernel's line about a program.
    Crash(Box<Crash<'a>>),
}

/// Both a signal and the frame it came in, with the mapping that holds it.
#[derive(Debug, PartialEq)]
pub(super) struct Crash<'a> {
    pub(super) says: Says<'a>,
    pub(super) thread: Thread,
    pub(super) told: Told,
    pub(super) module: Option<Module>,
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
    /// The record on its own, by the name of its format, its message kept up to `limit` bytes.
    pub(super) fn to_record(&self, format: &str, lines: Lines, limit: usize) -> LogRecord {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        LogRecord {
            lines,
            format: format.to_owned(),
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
    /// Lists of mappings.
    Maps,
    /// Reports of AddressSanitizer and its kin.
    Sanitizer,
    /// What systemd-coredump and coredumpctl print.
    Coredump,
    /// eu-stack's stacks.
    EuStack,
    /// glibc's `backtrace_symbols`.
    GlibcBacktrace,
    /// glibc's checks of the heap and the stack.
    GlibcHeap,
    /// The Linux kernel's oopses, warnings and lines about programs.
    Linux,
    /// Reports of valgrind's tools.
    Valgrind,
    /// LLVM's own crashes.
    Llvm,
    /// lldb's frames.
    Lldb,
    /// perf script's samples.
    Perf,
    /// Rust's panics.
    RustPanic,
    /// Go's panics.
    Go,
    /// Python's tracebacks and faulthandler.
    Python,
    /// Java's exceptions and thread dumps.
    Java,
    /// The Xen hypervisor's crashes.
    Xen,
    /// Android's tombstones.
    Android,
    /// ABRT's reports.
    Abrt,
    /// libxenlight's, libxenctrl's and xl's log.
    LibxlLog,
    /// libvirt's log.
    LibvirtLog,
    /// syslog, and systemd's journal in its short forms.
    Syslog,
    /// The Linux kernel's log.
    Dmesg,
    /// The console of the Xen hypervisor, and of guests on it.
    XenConsole,
    /// A person's own debug print.
    #[default]
    Print,
    /// An error of a command that a person typed.
    Command,
    /// A C library's line about a failed assertion.
    Assertion,
    /// A plugin's, by its number.
    Plugin(u32),
}

impl Format {
    /// The name in `Trace::formats` and `LogRecord::format`; a plugin's is [`super::line_formats::LineFormats::name`].
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Gdb => "gdb",
            Format::Maps => "maps",
            Format::Sanitizer => "sanitizer",
            Format::Coredump => "coredump",
            Format::EuStack => "eu-stack",
            Format::GlibcBacktrace => "glibc-backtrace",
            Format::GlibcHeap => "glibc-heap",
            Format::Linux => "linux",
            Format::Valgrind => "valgrind",
            Format::Llvm => "llvm",
            Format::Lldb => "lldb",
            Format::Perf => "perf",
            Format::RustPanic => "rust-panic",
            Format::Go => "go",
            Format::Python => "python",
            Format::Java => "java",
            Format::Xen => "xen",
            Format::Android => "android",
            Format::Abrt => "abrt",
            Format::LibxlLog => "libxl-log",
            Format::LibvirtLog => "libvirt-log",
            Format::Syslog => "syslog",
            Format::Dmesg => "dmesg",
            Format::XenConsole => "xen-console",
            Format::Print => "print",
            Format::Command => "command",
            Format::Assertion => "assertion",
            Format::Plugin(_) => "plugin",
        }
    }

    /// How the addresses of its frames are meant.
    pub(super) fn addresses(self) -> Addresses {
        match self {
            Format::Gdb
            | Format::EuStack
            | Format::Coredump
            | Format::Lldb
            | Format::Perf
            | Format::Plugin(_) => Addresses::InnermostExact,
            // Old ones have no letter: the first is the instruction pointer.
            Format::Xen => Addresses::InnermostExactElseAsTold,
            _ => Addresses::AsTold,
        }
    }
}

/// What the line begins, if a format knows it.
pub(super) fn start(line: &str) -> Option<Start<'_>> {
    took(line.len());
    let text = line.trim_start();
    if text.starts_with("from /") {
        // The second half of a frame's line, the most frequent line of all pastes: no printer begins one so.
        return None;
    }
    // Logs are long, and few of their lines have anything that another format would know first.
    let mut record = libvirt_log::record(text).or_else(|| libxl_log::record(text));
    if let Some(record) = record.take_if(|record| !has_ssertion(record.text)) {
        return Some(Start::Record(record));
    }
    if let Some((index, rest)) = gdb::frame_start(text) {
        let told = numbered(rest, index).map(|told| Start::Told(Box::new(told)));
        return Some(told.unwrap_or(Start::Frame { index, rest }));
    }
    gdb::value_start(text)
        .or_else(|| gdb_session::talk(text).map(Start::Talk))
        .or_else(|| gdb_session::is_cut_header(text).then_some(Start::CutHeader))
        .or_else(|| asserts(text))
        .or_else(|| record.map(Start::Record))
        .or_else(|| printers::report(text, line))
        .or_else(|| print::record(line).map(Start::Record))
        .or_else(|| command::record(line).map(Start::Record))
}

/// A failed assertion; few lines have the word, or end as a translation does.
fn asserts(text: &str) -> Option<Start<'_>> {
    if let Some(what) = assertion::in_translation(text) {
        return Some(Start::Assertion(what));
    }
    has_ssertion(text).then_some(())?;
    let whole = assertion::assertion(text).map(Start::Assertion);
    whole.or_else(|| assertion::begins(text).then_some(Start::CutAssertion))
}

/// Whether the text has the word that all lines about failed assertions have, but for translated ones; its first letter
/// may be a capital.
fn has_ssertion(text: &str) -> bool {
    static WORD: LazyLock<memmem::Finder<'static>> =
        LazyLock::new(|| memmem::Finder::new("ssertion"));
    WORD.find(text.as_bytes()).is_some()
}

/// The frame of this number, if a printer other than gdb wrote it.
pub(super) fn numbered(rest: &str, index: u32) -> Option<Told> {
    if gdb::has_arguments(rest) {
        return None;
    }
    android::frame(rest, index)
        .or_else(|| coredump::frame(rest, index))
        .or_else(|| sanitizer::frame(rest, index))
        .or_else(|| llvm::frame(rest, index))
        .or_else(|| eu_stack::frame(rest, index))
}

/// What a line says that means something only below the heading or the frames of a format.
pub(super) fn within(format: Format, line: &str) -> Option<Start<'_>> {
    let text = line.trim();
    let remark = |is_remark: bool| is_remark.then_some(Start::Says(format, Says::Remark));
    let told = |told: Option<Told>| told.map(|told| Start::Told(Box::new(told)));
    let rows = |text| registers::all(text).map(|rows| Start::Says(format, Says::Registers(rows)));
    match format {
        Format::Linux => linux::in_trace(text),
        Format::Xen => told(xen::frame(text)).or_else(|| xen::says(text)),
        Format::Sanitizer => rows(text).or_else(|| remark(sanitizer::is_legend(text))),
        Format::Android => rows(text),
        Format::Lldb => registers::of_lldb(text)
            .map(|register| Start::Says(format, Says::Registers(vec![register]))),
        Format::RustPanic => told(rust_panic::frame(text)),
        Format::Go => told(go::frame(text)).or_else(|| remark(go::is_remark(text))),
        Format::Python => python::exception(line).map(|says| Start::Says(format, says)),
        Format::Java => java::within(text).map(|says| Start::Says(format, says)),
        Format::Llvm => remark(llvm::is_activity(text)),
        _ => None,
    }
}

/// What a line says where nothing is known of what is above.
pub(super) fn without(line: &str) -> Option<Start<'_>> {
    let text = line.trim();
    let told = glibc_backtrace::frame(text).or_else(|| linux::old_frame(text));
    let thrown = || java::thrown(text).map(|says| Start::Says(Format::Java, says));
    let empty = || python::is_empty(text).then_some(Start::Says(Format::Python, Says::Remark));
    told.map(|told| Start::Told(Box::new(told))).or_else(thrown).or_else(empty)
}

/// What a line adds to this format's frame, module or fault above it.
pub(super) fn adds(format: Format, line: &str) -> Option<Adds> {
    let text = line.trim();
    match format {
        Format::EuStack => eu_stack::adds(text),
        Format::Lldb => {
            (text.starts_with('/') && line.starts_with(' ')).then(|| Adds::Path(text.to_owned()))
        }
        Format::RustPanic => rust_panic::adds(text),
        Format::Go => go::adds(text),
        Format::Python => python::adds(line),
        Format::Java => java::adds(text),
        Format::Xen => xen::adds(text),
        _ => None,
    }
}

/// A frame of which nothing is known.
pub(super) fn bare_frame(index: u32) -> Frame {
    Frame {
        index,
        lines: Lines { piece: None, first: 0, last: 0 },
        physical: 0,
        pc: Pc::Exact,
        address: None,
        function: None,
        offset: None,
        module: None,
        module_offset: None,
        file: None,
        line: None,
        column: None,
        arguments: Vec::new(),
        locals: Vec::new(),
        guess: false,
        signal_handler: false,
        check: None,
        resolved: None,
    }
}

/// A decimal number that starts the text, and what follows it.
fn number<T: std::str::FromStr>(text: &str) -> Option<(T, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}
