//! Which stack belongs to which stop, and which frame was a value printed in?
//!
//! A session is told in order: a stop names a thread, a `bt` shows its stack, `frame 3` selects a
//! frame of it, `print` shows a value there, `continue` forgets all that. The builder receives
//! whole frames, events, values and records, and ties them.
//!
//! Rule: nothing is tied on a guess: a value printed where no frame is known has none.

mod reports;
mod session;
mod stacks;

use super::budget::{Budget, HEAP};
use super::formats::Format;
use super::line_formats::LineFormats;
use super::model::{Event, EventKind, Lines, LogRecord, Skipped, Thread, Trace};
use super::notation::shorten;
use reports::Reports;
use session::{Awaits, Session};
use stacks::Pending;

/// Bytes of a skipped run's first line that are kept.
pub(in crate::trace) const SKIPPED_TEXT: usize = 120;
/// Texts that an item has, its piece's name aside: a frame's function and file, a record's time,
/// level, function and message.
const TEXTS: usize = 4;

/// What is told so far.
#[derive(Debug, Default)]
pub(in crate::trace) struct Builder<'f> {
    trace: Trace,
    /// The formats of plugins.
    pub(in crate::trace) formats: Option<&'f LineFormats>,
    pub(in crate::trace) budget: Budget,
    piece: Option<String>,
    records: Records,
    stack: Option<Pending>,
    session: Session,
    reports: Reports,
    /// The line that would join the skipped run, if it too is skipped.
    joins_skipped: Option<usize>,
    /// The line that would join the empty prompts above it.
    joins_prompts: Option<usize>,
}

/// What becomes of log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Records {
    /// They are kept, and paid for.
    #[default]
    Kept,
    /// They are taken away soon.
    PassedOn,
}

/// What may be kept beside a log that is passed on, in bytes.
const BESIDE_LOG: usize = 16 << 20;

impl<'f> Builder<'f> {
    /// One whose log records are to be taken away soon.
    pub(in crate::trace) fn passing_records_on() -> Self {
        let budget = Budget::of(BESIDE_LOG);
        Builder { budget, records: Records::PassedOn, ..Builder::default() }
    }

    /// The records told so far, which are no longer kept.
    pub(in crate::trace) fn take_records(&mut self) -> std::vec::Drain<'_, LogRecord> {
        self.trace.log.drain(..)
    }

    /// Whether a log record of `bytes` can be kept.
    pub(in crate::trace) fn pay_for_record(&mut self, bytes: usize) -> bool {
        self.records == Records::PassedOn || self.pay::<LogRecord>(bytes)
    }

    /// A new piece begins: nothing said before holds in it.
    pub(in crate::trace) fn piece(&mut self, name: Option<&str>) {
        self.finish_stack();
        self.piece = name.map(str::to_owned);
        self.session = Session { first_stack: self.trace.stacks.len(), ..Session::default() };
        self.reports = Reports::default();
        self.joins_skipped = None;
        self.joins_prompts = None;
    }

    /// All that was told.
    pub(in crate::trace) fn finish(mut self) -> Trace {
        self.finish_stack();
        self.trace
    }

    /// The lines from `first` to `last` of the current piece.
    pub(in crate::trace) fn lines(&self, first: usize, last: usize) -> Lines {
        Lines { piece: self.piece.clone(), first, last }
    }

    /// Whether an item with texts of `bytes` can be kept.
    pub(in crate::trace) fn pay<T>(&mut self, bytes: usize) -> bool {
        self.pay_for(size_of::<T>() + TEXTS * HEAP + bytes)
    }

    /// Whether `bytes` and the name of the piece can be kept.
    fn pay_for(&mut self, bytes: usize) -> bool {
        let name = self.piece.as_ref().map_or(0, |name| name.len() + HEAP);
        self.budget.pay(bytes + name)
    }

    /// The name of a format.
    pub(in crate::trace) fn name(&self, format: Format) -> &'f str {
        match (format, self.formats) {
            (Format::Plugin(number), Some(formats)) => formats.name(number),
            _ => format.name(),
        }
    }

    fn tell(&mut self, format: Format) {
        self.joins_skipped = None;
        let name = self.name(format);
        if !self.trace.formats.iter().any(|told| told == name) {
            self.trace.formats.push(name.to_owned());
        }
    }

    /// A line that is no part of what was told before it.
    pub(in crate::trace) fn interrupt(&mut self) {
        if let Some(stack) = &mut self.stack {
            stack.interrupted = true;
        }
        self.interrupt_reports();
        // gdb's complaint about the expression, or nothing of gdb's at all.
        self.session.expression = None;
        self.session.awaits = Awaits::Nothing;
    }

    /// A line nothing is made of.
    pub(in crate::trace) fn skip(&mut self, first: usize, last: usize, text: &str) {
        self.interrupt();
        let joins = self.joins_skipped.replace(last + 1) == Some(first);
        if let (true, Some(run)) = (joins, self.trace.skipped.last_mut()) {
            run.lines.last = last;
            return;
        }
        if !self.pay_for(size_of::<Skipped>() + HEAP + text.len().min(SKIPPED_TEXT)) {
            // From here on all is one run.
            self.budget.exhaust();
        }
        let skipped = Skipped { lines: self.lines(first, last), text: shorten(text, SKIPPED_TEXT) };
        self.trace.skipped.push(skipped);
    }

    /// A blank line; skipped lines around it are one run.
    pub(in crate::trace) fn blank(&mut self, number: usize) {
        if let Some(stack) = self.stack.as_mut().filter(|stack| stack.format != Format::Gdb) {
            stack.interrupted = true;
        }
        if self.joins_skipped == Some(number) {
            self.joins_skipped = Some(number + 1);
        }
    }

    /// gdb's talk, a stop or an assertion; the event's index.
    fn event(&mut self, what: EventKind, thread: Option<Thread>, lines: Lines) -> usize {
        self.trace.events.push(Event {
            what,
            lines,
            stack: None,
            thread,
            frame: None,
            source: None,
        });
        self.trace.events.len() - 1
    }

    /// An assertion's line.
    pub(in crate::trace) fn assertion(&mut self, what: EventKind, lines: Lines) {
        self.tell(Format::Assertion);
        self.event(what, None, lines);
    }

    /// A log record; it may stand in the midst of anything.
    pub(in crate::trace) fn record(&mut self, record: LogRecord, format: Format) {
        self.tell(format);
        self.trace.log.push(record);
    }
}
