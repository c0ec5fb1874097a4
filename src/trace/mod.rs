//! Pasted text → stacks, events, values and log records: what a person's paste says.
//!
//! ```
//! use dbgmate::job::Job;
//! use dbgmate::trace::{self, Piece};
//!
//! let text = "#0  0x00007f5fba7a8133 in libxl_osevent_occurred_fd ()\n   from /usr/lib64/libxenlight.so.2.0\n";
//! let trace = trace::parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
//! assert_eq!(trace.stacks[0].frames[0].module.as_deref(), Some("/usr/lib64/libxenlight.so.2.0"));
//! ```
//!
//! The way of a line: `lines` cleans it, `formats` recognise it, `assemble` joins it to what it is
//! wrapped from, `builder` ties the whole to what was told before.
//!
//! Rule: functions of text; no I/O, nothing printed, no panic whatever the input. A line that is
//! not understood is in [`Trace::skipped`], never lost.

mod model;

mod assemble;
mod budget;
mod builder;
mod by_time;
mod expanded;
mod flattened;
mod folded;
mod formats;
mod leaf;
mod line_formats;
mod lines;
mod message;
mod nesting;
mod notation;
mod physical;
mod record_keys;
mod said;
mod search;
mod steps;
mod stream;
mod threads;
mod time;
mod value;
mod wrapped;

pub use model::{
    Argument, Certainty, Event, EventKind, Frame, FrameCheck, Lines, LogRecord, Module,
    ModuleSource, PrintedValue, Register, Resolved, ResolvedFrame, SessionKind, Skipped,
    SourceLine, Stack, StackKind, Thread, Trace, Value, ValueKind,
};

pub use crate::address::Pc;
pub use by_time::ByTime;
pub use line_formats::{LineFormat, LineFormats, Reads};
pub use nesting::closed;
pub use record_keys::RecordKey;
pub use stream::LogStream;
pub use time::{Clock, Reckoning, Time, time};

use crate::job::{Job, Stopped};

/// One text of a paste: a file, or the whole when there is but one.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Its name, which [`Lines::piece`] repeats; none when there is but one text.
    pub name: Option<&'a str>,
    /// The text.
    pub text: &'a str,
}

impl<'a> Piece<'a> {
    /// A paste that is one text without a name.
    pub fn unnamed(text: &'a str) -> Self {
        Piece { name: None, text }
    }
}

/// Whether a line of a paste says nothing, so that no part of a [`Trace`] need have it: nothing is left of
/// it behind quotes and what logs put before each line.
pub fn is_blank(line: &str) -> bool {
    formats::prefix::prefix(&lines::line(line, 1).text).1.trim().is_empty()
}

/// Lines read between two looks at the job.
const LINES_A_LOOK: usize = 4096;

/// Reads the pieces in order as one paste. Fails only when the job is stopped.
pub fn parse(job: &Job, pieces: &[Piece<'_>]) -> Result<Trace, Stopped> {
    parse_with(job, pieces, &LineFormats::default())
}

/// The same, with the formats that plugins know.
pub fn parse_with(
    job: &Job,
    pieces: &[Piece<'_>],
    formats: &LineFormats,
) -> Result<Trace, Stopped> {
    let mut assembler = assemble::Assembler::default().with_formats(formats);
    for piece in pieces {
        assembler.piece(piece.name);
        for line in lines::lines(piece.text) {
            if line.number % LINES_A_LOOK == 1 {
                job.check()?;
            }
            assembler.line(&line);
        }
    }
    Ok(assembler.finish())
}

#[cfg(test)]
mod tests {
    use super::{Piece, Trace, is_blank, parse};
    use crate::job::Job;

    fn read(text: &str) -> Trace {
        parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
    }

    #[test]
    fn frames_that_a_filter_elides_stand_below_the_one_they_are_part_of() {
        let text = "#2  0x3 in c ()\n    #0  0x1 in a ()\n    #1  b () at b.c:1\n#3  0x4 in d ()\n";
        let trace = read(text);
        let [stack] = trace.stacks.as_slice() else { panic!("{trace:?}") };
        let frames: Vec<(u32, usize)> =
            stack.frames.iter().map(|frame| (frame.index, frame.lines.first)).collect();
        assert_eq!(frames, [(0, 2), (1, 3), (2, 1), (3, 4)]);
        assert_eq!((stack.lines.first, stack.lines.last), (1, 4));
        // The same number again is another stack's.
        assert_eq!(read("#2  0x3 in c ()\n    #0  0x1 in a ()\n#2  0x3 in c ()\n").stacks.len(), 2);
        let twice = "#2  0x3 in c ()\n    #0  0x1 in a ()\n#5  0x4 in d ()\n    #2  0x3 in c ()\n";
        assert_eq!(read(twice).stacks.len(), 2);
        // Another stack, all of it indented.
        assert_eq!(read("    #1  0x3 in c ()\n    #0  0x1 in a ()\n").stacks.len(), 2);
    }

    #[test]
    fn a_coredumps_message_that_rsyslog_escaped_has_its_stacks() {
        let text = "Nov 12 08:00:02 host systemd-coredump[7]: Process 6 (x) of user 0 dumped core.#012#012\
                    Stack trace of thread 6:#012#0  0x00007f5fba7a8133 f (a.so + 0x133)#012\
                    #1  0x00007f5fb8d1a4f2 n/a (b.so (deleted) + 0x4f2)#012#012\
                    Stack trace of thread 8:#012#0  0x00007f5fb59fe0e1 __poll (libc.so.6 + 0xe1)\n";
        let trace = read(text);
        let frames: Vec<usize> = trace.stacks.iter().map(|stack| stack.frames.len()).collect();
        assert_eq!(frames, [2, 1]);
        assert_eq!(trace.stacks[0].frames[1].module.as_deref(), Some("b.so (deleted)"));
        let lines = |stack: &super::Stack| (stack.lines.first, stack.lines.last);
        assert!(
            trace.stacks.iter().all(|stack| lines(stack) == (1, 1)) && trace.skipped.is_empty()
        );
    }

    #[test]
    fn blank_is_what_says_nothing() {
        for line in ["", " \t\r", "> > ", "(XEN) ", "[    1.234567] ", "\u{1b}[31m", "&gt; |"] {
            assert!(is_blank(line), "{line:?}");
        }
        for line in ["[ 1.234567] host libvirtd[7]:", "Nov  9 08:24:57 host libvirtd[7]: ", ":"] {
            assert!(is_blank(line), "{line:?}");
        }
        for line in ["}", "(XEN) }", "[Switching to Thread 7]", "[1]", "<1>", "a:", "7", "(gdb)"] {
            assert!(!is_blank(line), "{line:?}");
        }
    }
}
