//! What does a log say that is too large to be read as a whole?
//!
//! ```
//! use dbgmate::{job::Job, trace::LogStream};
//!
//! let mut log = LogStream::new();
//! let mut errors = 0;
//! let mut count = |record: &_| errors += usize::from(is_error(record));
//! for piece in [&b"2012-11-15 03:01:03.903+0000: 4309: error : f:1 : te"[..], b"xt\n#0  main ()\n"] {
//!     log.feed(&Job::new(), piece, &mut count)?;
//! }
//! let trace = log.finish(&mut count);
//! assert_eq!((errors, trace.stacks.len()), (1, 1));
//! # fn is_error(record: &dbgmate::trace::LogRecord) -> bool { record.level.as_deref() == Some("error") }
//! # Ok::<(), dbgmate::job::Stopped>(())
//! ```
//!
//! Rule: the same records, in the same order, as a paste of the whole would have; each is shown once
//! and forgotten. What else the log holds, as the stack of a crash, is kept as far as a bounded
//! memory goes. Only what needs the whole is not seen: the width at which a terminal cut lines.

use memchr::{memchr, memchr_iter};

use super::LINES_A_LOOK;
use super::assemble::Assembler;
use super::line_formats::LineFormats;
use super::lines;
use super::model::{LogRecord, Trace};
use crate::job::{Job, Stopped};

/// Bytes of one line that are looked at.
const LINE: usize = 1 << 20;

/// A log that comes in pieces, cut anywhere.
#[derive(Debug)]
pub struct LogStream<'f> {
    assembler: Assembler<'f>,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    number: usize,
}

impl Default for LogStream<'_> {
    fn default() -> Self {
        LogStream { assembler: Assembler::passing_records_on(), begun: Vec::new(), number: 0 }
    }
}

impl<'f> LogStream<'f> {
    /// A log of which nothing has come.
    pub fn new() -> Self {
        LogStream::default()
    }

    /// The same, with the formats that plugins know.
    pub fn with(formats: &'f LineFormats) -> Self {
        let assembler = Assembler::passing_records_on().with_formats(formats);
        LogStream { assembler, ..LogStream::default() }
    }

    /// What comes is of another file, of this name.
    pub fn file(&mut self, name: Option<&str>, each: &mut dyn FnMut(&LogRecord)) {
        self.end_line();
        self.number = 0;
        self.assembler.piece(name);
        self.show(each);
    }

    /// Reads on, and shows each record that is complete.
    pub fn feed(
        &mut self,
        job: &Job,
        bytes: &[u8],
        each: &mut dyn FnMut(&LogRecord),
    ) -> Result<(), Stopped> {
        job.check()?;
        let Some(first) = memchr(b'\n', bytes) else {
            self.begin(bytes);
            return Ok(());
        };
        let (end, rest) = bytes.split_at(first);
        self.begin(end);
        self.end_line();
        let mut from = 1;
        for end in memchr_iter(b'\n', rest).skip(1) {
            self.line(rest.get(from..end).unwrap_or_default());
            from = end + 1;
            if self.number.is_multiple_of(LINES_A_LOOK) {
                job.check()?;
                self.show(each);
            }
        }
        self.begin(rest.get(from..).unwrap_or_default());
        self.show(each);
        Ok(())
    }

    /// The log has ended: what it holds beside its records.
    pub fn finish(mut self, each: &mut dyn FnMut(&LogRecord)) -> Trace {
        self.end_line();
        let mut trace = self.assembler.finish();
        trace.log.drain(..).for_each(|record| each(&record));
        trace
    }

    fn show(&mut self, each: &mut dyn FnMut(&LogRecord)) {
        self.assembler.take_records().for_each(|record| each(&record));
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.begun);
        self.line(&line);
        self.begun = line;
        self.begun.clear();
    }

    fn line(&mut self, line: &[u8]) {
        self.number += 1;
        let line = line.get(..LINE.min(line.len())).unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        for line in lines::of_line(&text, self.number) {
            self.assembler.line(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Piece, parse};

    /// The records and the rest, of a text in pieces of so many bytes.
    fn streamed(text: &str, size: usize) -> (Vec<LogRecord>, Trace) {
        let (mut stream, mut records) = (LogStream::new(), Vec::new());
        let mut each = |record: &LogRecord| records.push(record.clone());
        for piece in text.as_bytes().chunks(size) {
            stream.feed(&Job::new(), piece, &mut each).unwrap();
        }
        let trace = stream.finish(&mut each);
        (records, trace)
    }

    #[test]
    fn wherever_it_is_cut_a_log_reads_as_the_whole() {
        let text = "2012-11-15 03:01:03.903+0000: 4309: debug : f:1 : xml=<domain>\n  <né/>\n</domain>\n\
                    \nlibxl: debug: a.c:1:f: text\r\n#0  0x1 in f (a=1,\n    b=2) at f.c:1\nxc: error: end";
        let mut whole = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        let log = std::mem::take(&mut whole.log);
        assert_eq!((log.len(), log[0].lines.last), (3, 3));
        for size in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(streamed(text, size), (log.clone(), whole.clone()), "{size}");
        }
    }

    #[test]
    fn files_have_their_names_and_lines() {
        let (mut stream, mut places) = (LogStream::new(), Vec::new());
        let mut each = |record: &LogRecord| {
            places.push((record.lines.piece.clone(), record.lines.first));
        };
        for name in ["a", "b"] {
            stream.file(Some(name), &mut each);
            stream.feed(&Job::new(), b"\nxl: error: text", &mut each).unwrap();
        }
        stream.finish(&mut each);
        assert_eq!(places, [(Some("a".to_owned()), 2), (Some("b".to_owned()), 2)]);
    }

    #[test]
    fn a_line_without_end_is_kept_as_far_as_it_matters() {
        let mut stream = LogStream::new();
        let mut each = |_: &LogRecord| {};
        for _ in 0..64 {
            stream.feed(&Job::new(), &[b'x'; 1 << 18], &mut each).unwrap();
        }
        assert_eq!(stream.begun.len(), LINE);
        let trace = stream.finish(&mut each);
        assert_eq!(trace.skipped[0].lines.last, 1);
    }

    #[test]
    fn a_stopped_job_stops() {
        let job = Job::new();
        job.cancel_handle().cancel();
        assert!(LogStream::new().feed(&job, b"x\n", &mut |_| {}).is_err());
    }
}
