//! Where does each thing a paste shows begin and end?
//!
//! Printers wrap long lines and people wrap them again. Lines are joined here until brackets are
//! closed and nothing is lacking, then read whole. Rule: a line that begins something known always
//! ends what is open, so that a cut-off text costs no more than itself; what turns out not to be
//! what it looked like is skipped, all its lines.

use super::builder::{Builder, SKIPPED_TEXT};
use super::formats::gdb::{self, Lacks};
use super::formats::gdb_session::{self, Talk};
use super::formats::{Format, Record, Start, start};
use super::lines::Line;
use super::model::{Event, EventKind, Frame, LogRecord, SessionKind, SourceLine, Stack, Trace};
use super::nesting::Nesting;
use super::{notation, value};

/// Bounds of what may be joined to one frame, in lines and bytes.
const FRAME: Bounds = Bounds { lines: 200, bytes: 64 << 10 };
/// Bounds of what may be joined to one value, pretty-printed structs among them.
const VALUE: Bounds = Bounds { lines: 20_000, bytes: 1 << 20 };
/// Bytes of a log record's message that are kept.
const MESSAGE: usize = 64 << 10;

struct Bounds {
    lines: usize,
    bytes: usize,
}

/// Joins lines and hands what they show to the builder.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    open: Option<Open>,
    builder: Builder,
}

/// What has begun and may go on in the next line.
#[derive(Debug)]
enum Open {
    Text(Wrapped),
    Record(LogRecord, Format),
}

/// A text that gdb or a mail may have wrapped.
#[derive(Debug)]
struct Wrapped {
    shows: Shows,
    text: String,
    /// The first line as it stands, shortened: what is shown if it must be skipped.
    line: String,
    first: usize,
    last: usize,
    nesting: Nesting,
}

/// What a text shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shows {
    /// A frame with its number.
    Frame(u32),
    /// The frame of a stop.
    StopFrame,
    /// The frame that `finish` runs to the end of, the line's words before it left out.
    LeftFrame,
    /// A printed value.
    Value { number: Option<u32>, expression: Option<String> },
    /// A local variable of the frame above.
    Local,
    /// One of the variables that were asked for.
    Variable,
}

impl Assembler {
    /// A new piece begins.
    pub(super) fn piece(&mut self, name: Option<&str>) {
        self.close();
        self.builder.piece(name);
    }

    /// All that was read.
    pub(super) fn finish(mut self) -> Trace {
        self.close();
        self.builder.finish()
    }

    /// Reads the next line.
    pub(super) fn line(&mut self, line: &Line<'_>) {
        let mut text: &str = &line.text;
        if let Some(rest) = gdb_session::after_page_break(text) {
            if rest.trim().is_empty() {
                return self.page_break(line.number);
            }
            text = rest;
        }
        if text.trim().is_empty() {
            self.close();
            return self.builder.blank(line.number);
        }
        let starts = start_of(text);
        if starts.is_none() && self.goes_on(text, line.number) {
            return;
        }
        self.close();
        match starts {
            Some(starts) => self.start(starts, text, line.number),
            None => self.other(text, line.number),
        }
    }

    /// gdb's question between two pages, on a line of its own: it ends nothing.
    fn page_break(&mut self, number: usize) {
        if let Some(Open::Text(wrapped)) = &mut self.open {
            wrapped.last = number;
        } else {
            self.talk(Talk::Other(SessionKind::Other), "", number);
        }
    }

    /// Joins the line to what is open, if it can be part of it.
    fn goes_on(&mut self, text: &str, number: usize) -> bool {
        match &mut self.open {
            Some(Open::Text(wrapped)) if wrapped.goes_on_with(text) => {
                wrapped.join(text, number);
                if wrapped.is_complete() {
                    self.close();
                }
                true
            }
            Some(Open::Record(record, format)) if record_goes_on(*format, text) => {
                record.lines.last = number;
                if record.text.len() + text.len() < MESSAGE {
                    record.text.push('\n');
                    record.text.push_str(text);
                }
                true
            }
            _ => false,
        }
    }

    /// A line that a format knows.
    fn start(&mut self, starts: Start<'_>, line: &str, number: usize) {
        match starts {
            Start::Frame { index, rest } => self.open(Shows::Frame(index), rest, line, number),
            Start::Value { number: value, expression, rest } => {
                let expression = expression.map(str::to_owned);
                self.open(Shows::Value { number: value, expression }, rest, line, number);
            }
            Start::Talk(talk) => self.talk(talk, line, number),
            Start::Assertion(what) => {
                if !self.builder.pay::<Event>(line.len()) {
                    return self.builder.skip(number, number, line);
                }
                let lines = self.builder.lines(number, number);
                self.builder.assertion(what, lines);
            }
            Start::Record(record) => self.record(&record, line, number),
        }
    }

    fn record(&mut self, record: &Record<'_>, line: &str, number: usize) {
        if !self.builder.pay::<LogRecord>(line.len()) {
            return self.builder.skip(number, number, line);
        }
        let owned = record.to_record(self.builder.lines(number, number), MESSAGE);
        self.open = Some(Open::Record(owned, record.format));
    }

    /// A line that only means something after what came before it.
    fn other(&mut self, text: &str, number: usize) {
        if self.builder.awaits_frame() && may_be_stop_frame(text) {
            return self.open(Shows::StopFrame, text, text, number);
        }
        let variable = notation::variable_start(text.trim_start()).is_some();
        if variable && self.builder.lists_variables() {
            return self.open(Shows::Variable, text, text, number);
        }
        if let Some(frame) = self.builder.last_frame() {
            if has_no_locals(text.trim()) {
                frame.lines.last = number;
                return;
            }
            if variable && text.starts_with([' ', '\t']) {
                return self.open(Shows::Local, text, text, number);
            }
        }
        let taken = source_line(text).is_some_and(|source| self.builder.source(source, number));
        if !taken {
            self.builder.skip(number, number, text);
        }
    }

    fn talk(&mut self, talk: Talk<'_>, line: &str, number: usize) {
        if !self.builder.pay::<Event>(line.len()) {
            return self.builder.skip(number, number, line);
        }
        let lines = self.builder.lines(number, number);
        let signal = |name: &str, meaning: Option<&str>| EventKind::Signal {
            name: name.to_owned(),
            meaning: meaning.map(str::to_owned),
        };
        match talk {
            Talk::Signal { name, meaning, thread } => {
                self.builder.stop(signal(name, meaning), thread, lines);
            }
            Talk::Killed { name, meaning } => self.builder.killed(signal(name, meaning), lines),
            Talk::Breakpoint { number: breakpoint, thread, frame } => {
                self.builder.stop(EventKind::Breakpoint { number: breakpoint }, thread, lines);
                self.open(Shows::StopFrame, frame, line, number);
            }
            Talk::Selected { thread } => self.builder.select_thread(thread, lines),
            Talk::Switching { thread } => self.builder.switching(thread, lines),
            Talk::Header { thread } => self.builder.thread_header(line.trim(), thread, lines),
            Talk::Command(command) => self.builder.command(command, lines),
            Talk::RunTillExit => {
                self.builder.run_till_exit(lines);
                self.open(Shows::LeftFrame, line, line, number);
            }
            Talk::Other(kind) => self.builder.session(kind, lines),
        }
    }

    /// Begins a text; it is read when it is complete, or when something else begins.
    fn open(&mut self, shows: Shows, text: &str, line: &str, number: usize) {
        let mut wrapped = Wrapped {
            shows,
            text: String::new(),
            line: notation::shorten(line, SKIPPED_TEXT),
            first: number,
            last: number,
            nesting: Nesting::default(),
        };
        wrapped.join(text, number);
        let complete = wrapped.is_complete();
        self.open = Some(Open::Text(wrapped));
        if complete {
            self.close();
        }
    }

    /// Reads what is open as a whole.
    fn close(&mut self) {
        match self.open.take() {
            Some(Open::Record(record, format)) => self.builder.record(record, format),
            Some(Open::Text(wrapped)) => self.close_text(wrapped),
            None => {}
        }
    }

    fn close_text(&mut self, wrapped: Wrapped) {
        let Wrapped { shows, text, line, first, last, .. } = wrapped;
        if !self.builder.pay::<(Frame, Stack)>(text.len()) {
            return self.builder.skip(first, last, &line);
        }
        let lines = self.builder.lines(first, last);
        let budget = &mut self.builder.budget;
        match shows {
            Shows::Frame(index) => match gdb::frame(&text, index, budget) {
                Some(frame) => self.builder.frame(Frame { lines, ..frame }),
                None => self.builder.skip(first, last, &line),
            },
            Shows::StopFrame => match gdb::frame(&text, 0, budget) {
                Some(frame) if frame.address.is_some() || frame.line.is_some() => {
                    self.builder.stop_frame(Frame { lines, ..frame });
                }
                _ => self.builder.no_stop_frame(first, last, &line),
            },
            Shows::LeftFrame => self.builder.reach(last),
            Shows::Value { number, expression } => {
                let value = value::value(&text, budget);
                self.builder.value(number, expression, value, lines);
            }
            Shows::Local => match value::variable(&text, budget) {
                Some(variable) => self.builder.local(variable, last),
                None => self.builder.skip(first, last, &line),
            },
            Shows::Variable => match value::variable(&text, budget) {
                Some(variable) => {
                    self.builder.value(None, Some(variable.name), variable.value, lines);
                }
                None => self.builder.skip(first, last, &line),
            },
        }
    }
}

impl Wrapped {
    fn join(&mut self, line: &str, number: usize) {
        let line = line.trim();
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.nesting.read(line);
        self.text.push_str(line);
        self.last = number;
    }

    fn bounds(&self) -> &'static Bounds {
        match self.shows {
            Shows::Value { .. } | Shows::Local | Shows::Variable => &VALUE,
            Shows::Frame(_) | Shows::StopFrame | Shows::LeftFrame => &FRAME,
        }
    }

    /// Whether the line can be more of this text.
    fn goes_on_with(&self, line: &str) -> bool {
        let bounds = self.bounds();
        if self.last - self.first >= bounds.lines || self.text.len() + line.len() > bounds.bytes {
            return false;
        }
        if self.nesting.is_open() {
            // Mails lose the indentation; a sentence has none of these.
            return line.starts_with([' ', '\t']) || line.contains(['=', ')', '}', '"']);
        }
        match self.shows {
            Shows::Value { .. } | Shows::Local | Shows::Variable => {
                line.starts_with([' ', '\t', '}'])
            }
            _ => match gdb::lacks(self.frame()) {
                Lacks::Nothing => false,
                Lacks::Arguments => line.trim_start().starts_with('(') || gdb::is_place(line),
                Lacks::Place => gdb::is_place(line),
                Lacks::Path => !line.trim().contains([' ', '\t']),
            },
        }
    }

    /// Whether no line can be more of this text.
    fn is_complete(&self) -> bool {
        if self.nesting.is_open() {
            return false;
        }
        match self.shows {
            Shows::Value { .. } | Shows::Local | Shows::Variable => {
                !(self.text.is_empty() || self.text.ends_with([',', '=']))
            }
            _ => gdb::lacks(self.frame()) == Lacks::Nothing,
        }
    }

    /// The text of the frame, without the words before it.
    fn frame(&self) -> &str {
        match self.shows {
            Shows::LeftFrame => {
                let frame = self.text.split_once('#').map_or("", |(_, frame)| frame);
                frame.split_once(' ').map_or("", |(_, frame)| frame.trim_start())
            }
            _ => &self.text,
        }
    }
}

/// What the line begins: by itself, or behind a prompt or a person's label glued to it.
fn start_of(line: &str) -> Option<Start<'_>> {
    let text = line.trim_start();
    if let Some(output) = gdb_session::after_prompt(text) {
        let glued = start(output).filter(|starts| !matches!(starts, Start::Record(_)));
        let typed = |starts: &Start<'_>| matches!(starts, Start::Talk(Talk::Command(_)));
        return glued.filter(|starts| !typed(starts)).or_else(|| start(text));
    }
    start(line).or_else(|| {
        let labelled = start(gdb_session::after_label(text)?)?;
        matches!(labelled, Start::Talk(_) | Start::Frame { .. }).then_some(labelled)
    })
}

/// Whether a line belongs to the record above it.
fn record_goes_on(format: Format, line: &str) -> bool {
    match format {
        // Messages hold whole domain descriptions and other programs' output.
        Format::LibvirtLog => true,
        Format::LibxlLog => line.starts_with([' ', '\t']),
        Format::Gdb | Format::Print | Format::Assertion => false,
    }
}

/// `0x… in f (…)` or `f (…) at f.c:1`, as far as its first line can tell.
fn may_be_stop_frame(line: &str) -> bool {
    let text = line.trim();
    (text.starts_with("0x") && text.contains(" in ")) || text.contains(" (")
}

/// What `bt full` prints under a frame instead of local variables.
fn has_no_locals(text: &str) -> bool {
    text == "No locals." || text == "No symbol table info available."
}

/// `1020\t    assert(fd == ev->fd);`
fn source_line(text: &str) -> Option<SourceLine> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, source) = text.split_at_checked(end)?;
    let separated = source.is_empty() || source.starts_with(['\t', ' ']);
    separated.then_some(())?;
    // gdb puts its complaint where the source would stand.
    let source = if source.ends_with(": No such file or directory.") { "" } else { source.trim() };
    Some(SourceLine { line: number.parse().ok()?, text: source.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::budget::Budget;
    use crate::trace::lines::lines;

    fn read(text: &str, budget: Budget) -> Trace {
        let mut assembler = Assembler::default();
        assembler.builder.budget = budget;
        lines(text).for_each(|line| assembler.line(&line));
        assembler.finish()
    }

    fn function_lines(trace: &Trace) -> Vec<(&str, usize, usize)> {
        let frames = trace.stacks.iter().flat_map(|stack| &stack.frames);
        frames
            .map(|f| (f.function.as_deref().unwrap_or_default(), f.lines.first, f.lines.last))
            .collect()
    }

    #[test]
    fn a_frame_wraps_at_every_place_gdb_wraps_it() {
        let text = "#0  0x1 in f\n    (a=1,\n    b=2)\n    at f.c:1\n#1  g ()\n   from /lib/g.so";
        let trace = read(text, Budget::default());
        assert_eq!(function_lines(&trace), [("f", 1, 4), ("g", 5, 6)]);
        assert_eq!(trace.stacks[0].frames[0].arguments.len(), 2);
    }

    #[test]
    fn a_frame_cut_off_does_not_swallow_the_next() {
        let text = "#0  0x1 in f (a=1,\n#1  0x2 in g (s=0x2 \"unfinished\n#2  0x3 in h ()\n";
        let trace = read(text, Budget::default());
        assert_eq!(function_lines(&trace), [("f", 1, 1), ("g", 2, 2), ("h", 3, 3)]);
    }

    #[test]
    fn a_value_is_of_the_frame_that_was_selected() {
        let text = "#0  0x1 in f ()\n#1  0x2 in g ()\n(gdb) frame 1\n#1  0x2 in g ()\n\
                    (gdb) p x\n$1 = 1\n(gdb) cont\nContinuing.\n(gdb) p x\n$2 = 2\n";
        let trace = read(text, Budget::default());
        let places: Vec<_> = trace.values.iter().map(|value| (value.stack, value.frame)).collect();
        assert_eq!(places, [(Some(0), Some(1)), (None, None)]);
    }

    #[test]
    fn a_complaint_is_not_a_value() {
        let text = "(gdb) p x\nNo symbol \"x\" in current context.\n$1 = 1\n";
        assert_eq!(read(text, Budget::default()).values[0].expression, None);
    }

    #[test]
    fn what_is_too_much_is_skipped_and_said_to_be() {
        let text = "#0  0x1 in f ()\n".repeat(100);
        let trace = read(&text, Budget::of(10 * size_of::<(Frame, Stack)>()));
        assert!((1..10).contains(&trace.stacks.len()));
        let skipped = &trace.skipped[0].lines;
        assert_eq!((skipped.first, skipped.last), (trace.stacks.len() + 1, 100));
    }
}
