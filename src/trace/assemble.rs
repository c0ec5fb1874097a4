//! Where does each thing a paste shows begin and end?
//!
//! Printers wrap long lines and people wrap them again. Lines are joined here until brackets are
//! closed and nothing is lacking, then read whole. Rule: a line that begins something known always
//! ends what is open, so that a cut-off text costs no more than itself; what turns out not to be
//! what it looked like is skipped, all its lines.

use std::borrow::Cow;

use super::builder::Builder;
use super::flattened;
use super::folded::Folded;
use super::formats::gdb_session::{self, Command, Talk};
use super::formats::prefix::{Prefix, prefix};
use super::formats::{
    self, Crash, Format, Record, Says, Start, assertion, eu_stack, gdb, lldb, valgrind,
};
use super::line_formats::LineFormats;
use super::lines::{End, Line};
use super::message::Message;
use super::model::{
    Argument, Event, EventKind, Frame, LogRecord, Module, SessionKind, SourceLine, Stack, Trace,
};
use super::said::{Before, start_of};
use super::wrapped::{At, Shows, Wrapped};
use super::{notation, value};

/// Joins lines and hands what they show to the builder.
#[derive(Debug, Default)]
pub(super) struct Assembler<'f> {
    /// A text that gdb or a mail may have wrapped.
    text: Option<Wrapped>,
    /// Whether a log has put something before its first line.
    text_is_logged: bool,
    /// Lines that a mail may have broken.
    folded: Option<Folded>,
    /// A log record whose message may go on; it can stand in the midst of the text.
    record: Option<Message>,
    builder: Builder<'f>,
}

/// Why a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Something else begins.
    Followed,
    /// The paste ends, perhaps in the midst of a word.
    OfPaste,
}

impl<'f> Assembler<'f> {
    /// One whose records are taken away as they come, and that keeps little else.
    pub(super) fn passing_records_on() -> Self {
        Assembler { builder: Builder::passing_records_on(), ..Assembler::default() }
    }

    /// The same, which knows the formats of plugins too.
    pub(super) fn with_formats(mut self, formats: &'f LineFormats) -> Self {
        self.builder.formats = Some(formats);
        self
    }

    /// The records that are complete, in order.
    pub(super) fn take_records(&mut self) -> std::vec::Drain<'_, LogRecord> {
        self.builder.take_records()
    }

    /// A new piece begins.
    pub(super) fn piece(&mut self, name: Option<&str>) {
        self.unfold();
        self.close(Ending::OfPaste);
        self.builder.piece(name);
    }

    /// All that was read.
    pub(super) fn finish(mut self) -> Trace {
        self.unfold();
        self.close(Ending::OfPaste);
        self.builder.finish()
    }

    /// Reads the next line, which may be several frames' one.
    pub(super) fn line(&mut self, line: &Line<'_>) {
        if !flattened::may_be(&line.text) {
            return self.one_line(line);
        }
        let (_, text) = prefix(&line.text);
        let parts = flattened::parts(text);
        if parts.is_empty() {
            return self.one_line(line);
        }
        let logged = line.text.strip_suffix(text).unwrap_or_default();
        // Words before the first frame stand on its line: they are not skipped.
        let known = |part: &String| part.starts_with('#') || start_of(part).is_some();
        for part in parts.into_iter().filter(known) {
            let text = Cow::Owned(format!("{logged}{part}"));
            self.one_line(&Line { text, end: End::Written, ..*line });
        }
    }

    /// Reads a line, or keeps it until it is known whether the one after it is more of it.
    fn one_line(&mut self, line: &Line<'_>) {
        if let Some(mut folded) = self.folded.take() {
            let more = folded.goes_on_with(line) && self.before().is_rest(&folded, line);
            if more {
                folded.join(line);
            }
            self.folded = Some(folded);
            if more && line.end == End::Full {
                return;
            }
            self.unfold();
            if more {
                return;
            }
        }
        if line.end == End::Full && self.before().may_be_folded(&line.text) {
            self.folded = Some(Folded::new(line));
        } else {
            self.read(line);
        }
    }

    fn before(&self) -> Before {
        Before { within: self.builder.within(), in_frame: self.text.is_some() }
    }

    /// Reads the lines that may have been one.
    fn unfold(&mut self) {
        let Some(folded) = self.folded.take() else { return };
        let before = self.before();
        for line in folded.unfold(|text| before.says(text)) {
            self.read(&line);
        }
    }

    /// Reads a line. What a log has put before it is taken off; behind it everything means what it
    /// means without.
    fn read(&mut self, line: &Line<'_>) {
        let at = At { number: line.number, last: line.last, end: line.end };
        let (prefix, mut text) = prefix(&line.text);
        if let Some(rest) = gdb_session::after_page_break(text) {
            if rest.trim_start().is_empty() {
                return self.page_break(at);
            }
            text = rest;
        }
        if text.trim_start().is_empty() {
            return self.blank(line.number);
        }
        match start_of(text) {
            // Most lines of logs, without a way round.
            Some(Start::Record(record)) if record.format != Format::Print => {
                self.record_behind(prefix, record, text, at);
            }
            Some(starts) if is_sure(&starts, prefix) => self.start_at(starts, text, at, prefix),
            None if self.goes_on(text, at, prefix) => {}
            own => match self.of_plugin(&line.text, text).or(own) {
                Some(starts) => self.start_at(starts, text, at, prefix),
                None if self.message_goes_on(text, at, prefix) => {}
                None => self.unknown(text, at, prefix),
            },
        }
    }

    /// What the line begins by the formats of plugins: the whole line, or what stands behind the prefix.
    fn of_plugin<'t>(&self, line: &'t str, text: &'t str) -> Option<Start<'t>>
    where
        'f: 't,
    {
        let formats = self.builder.formats?;
        let behind = || (line.len() != text.len()).then(|| formats.start(text)).flatten();
        formats.start(line).or_else(behind)
    }

    /// A line that a format knows.
    fn start_at(&mut self, starts: Start<'_>, text: &str, at: At, prefix: Option<Prefix<'_>>) {
        if let Start::Record(record) = starts {
            return self.record_behind(prefix, record, text, at);
        }
        self.close(Ending::Followed);
        self.text_is_logged = prefix.is_some();
        self.start(starts, text, at);
    }

    /// A record behind a prefix or without one.
    fn record_behind(
        &mut self,
        prefix: Option<Prefix<'_>>,
        record: Record<'_>,
        line: &str,
        at: At,
    ) {
        match prefix {
            Some(prefix) => self.start_record(&prefix.around(record), line, at),
            None => self.start_record(&record, line, at),
        }
    }

    /// A line that no format knows by itself.
    fn unknown(&mut self, text: &str, at: At, prefix: Option<Prefix<'_>>) {
        self.close(Ending::Followed);
        self.text_is_logged = prefix.is_some();
        if self.other(text, at) {
            return;
        }
        match prefix {
            Some(prefix) => {
                self.builder.interrupt();
                self.start_record(&prefix.record(text.trim_start()), text, at);
            }
            None => self.builder.skip(at.number, at.last, text),
        }
    }

    fn blank(&mut self, number: usize) {
        self.close_record();
        if self.text.as_mut().is_some_and(|wrapped| !wrapped.blank(number)) {
            self.close_text(Ending::Followed);
        }
        self.builder.blank(number);
    }

    /// gdb's question between two pages, on a line of its own: it ends nothing.
    fn page_break(&mut self, at: At) {
        self.close_record();
        match &mut self.text {
            Some(wrapped) => wrapped.page_break(at),
            None => self.talk(Talk::Other(SessionKind::Other), "", at),
        }
    }

    /// Joins the line to what is open, if it can be part of it.
    fn goes_on(&mut self, text: &str, at: At, prefix: Option<Prefix<'_>>) -> bool {
        let own = prefix.is_none() || self.text_is_logged;
        if own && self.text.as_ref().is_some_and(|wrapped| wrapped.goes_on_with(text, at.number)) {
            self.close_record();
            if let Some(wrapped) = &mut self.text {
                wrapped.join(text, at);
            }
            self.close_complete();
            return true;
        }
        text.starts_with([' ', '\t']) && self.message_goes_on(text, at, prefix)
    }

    /// Joins the line to the message of the record above, if it can be more of it.
    fn message_goes_on(&mut self, text: &str, at: At, prefix: Option<Prefix<'_>>) -> bool {
        match &mut self.record {
            Some(message) if message.goes_on_with(text, prefix) => {
                message.join(text, at.last);
                true
            }
            _ => false,
        }
    }

    /// A line that a format knows.
    fn start(&mut self, starts: Start<'_>, line: &str, at: At) {
        match starts {
            Start::Frame { index, rest } => self.open(Shows::Frame(index), rest, line, at),
            Start::Value { number: value, expression, rest } => {
                let expression = expression.map(str::to_owned);
                self.open(Shows::Value { number: value, expression }, rest, line, at);
            }
            Start::CutHeader => self.open(Shows::Header, line, line, at),
            Start::CutAssertion => self.open(Shows::Assertion, line, line, at),
            Start::Talk(talk) => self.talk(talk, line, at),
            Start::Assertion(what) => {
                if !self.builder.pay::<Event>(line.len()) {
                    return self.builder.skip(at.number, at.last, line);
                }
                let lines = self.builder.lines(at.number, at.last);
                self.builder.assertion(what, lines);
            }
            Start::Record(record) => self.start_record(&record, line, at),
            report => self.report(report, line, at),
        }
    }

    /// A line of a printer whose lines need no joining.
    fn report(&mut self, starts: Start<'_>, line: &str, at: At) {
        if !self.builder.pay::<(Frame, Stack)>(line.len()) {
            return self.builder.skip(at.number, at.last, line);
        }
        let lines = self.builder.lines(at.number, at.last);
        let line = valgrind::without_mark(line);
        match starts {
            Start::Told(mut told) => {
                if told.format == Format::Lldb {
                    told.frame.arguments = lldb::arguments(line, &mut self.builder.budget);
                }
                self.builder.told(*told, lines);
            }
            Start::Module(format, module) => {
                self.builder.module(Module { lines, ..module }, format)
            }
            Start::Says(format, says) => self.builder.says(format, says, line, lines),
            Start::Crash(crash) => {
                let Crash { says, thread, mut told, module } = *crash;
                told.frame.lines = lines;
                self.builder.crash(says, thread, told, module, line);
            }
            _ => self.builder.skip(at.number, at.last, line),
        }
    }

    /// A log record; what is open may go on behind it.
    fn start_record(&mut self, record: &Record<'_>, line: &str, at: At) {
        self.close_record();
        if !self.builder.pay_for_record(line.len()) {
            self.close_text(Ending::Followed);
            return self.builder.skip(at.number, at.last, line);
        }
        let lines = self.builder.lines(at.number, at.last);
        self.record = Some(Message::new(record, self.builder.name(record.format), lines));
    }

    /// A line that only means something after what came before it; whether it does.
    fn other(&mut self, text: &str, at: At) -> bool {
        let number = at.last;
        if let Some(format) = self.builder.within() {
            if let Some(starts) = formats::within(format, text) {
                self.report(starts, text, at);
                return true;
            }
            if let Some(adds) = formats::adds(format, text)
                && self.builder.pay::<Module>(text.len())
                && self.builder.adds(adds, &self.builder.lines(at.number, at.last))
            {
                return true;
            }
        }
        if let Some(starts) = formats::without(text) {
            self.report(starts, text, at);
            return true;
        }
        if self.builder.message_goes_on(text, &self.builder.lines(at.number, at.last)) {
            return true;
        }
        if self.builder.awaits_frame() && gdb::may_be_stop_frame(text) {
            self.open(Shows::StopFrame, text, text, at);
            return true;
        }
        let variable = notation::variable_start(text.trim_start()).is_some();
        if variable && self.builder.lists_variables() {
            self.open(Shows::Variable, text, text, at);
            return true;
        }
        if let Some(frame) = self.builder.last_frame() {
            if gdb::has_no_locals(text.trim()) {
                frame.lines.last = number;
                return true;
            }
            if variable && text.starts_with([' ', '\t']) {
                self.open(Shows::Local, text, text, at);
                return true;
            }
        }
        gdb::source_line(text).is_some_and(|source| {
            self.builder.pay::<SourceLine>(source.text.len()) && self.builder.source(source, number)
        })
    }

    fn talk(&mut self, talk: Talk<'_>, line: &str, at: At) {
        if let Talk::Command(Command::None) = talk {
            return self.builder.prompt(at.number);
        }
        if !self.builder.pay::<Event>(line.len()) {
            return self.builder.skip(at.number, at.last, line);
        }
        let lines = self.builder.lines(at.number, at.last);
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
                self.open(Shows::StopFrame, frame, line, at);
            }
            Talk::Selected { thread } => self.builder.select_thread(thread, lines),
            Talk::Switching { thread } => self.builder.switching(thread, lines),
            Talk::Header { thread } => self.builder.thread_header(line.trim(), thread, lines),
            Talk::Command(command) => self.builder.command(command, lines),
            Talk::RunTillExit => {
                self.builder.run_till_exit(lines);
                self.open(Shows::LeftFrame, line, line, at);
            }
            Talk::Program { path } => {
                let says = Says::Program { path };
                self.builder.says(Format::Gdb, says, line, lines);
            }
            Talk::Other(kind) => self.builder.session(kind, lines),
        }
    }

    /// Begins a text; it is read when it is complete, or when something else begins.
    fn open(&mut self, shows: Shows, text: &str, line: &str, at: At) {
        self.text = Some(Wrapped::new(shows, text, line, at));
        self.close_complete();
    }

    fn close_complete(&mut self) {
        if self.text.as_ref().is_some_and(Wrapped::is_complete) {
            self.close_text(Ending::Followed);
        }
    }

    /// Reads what is open as a whole.
    fn close(&mut self, ending: Ending) {
        self.close_text(ending);
        self.close_record();
    }

    fn close_record(&mut self) {
        if let Some(Message { record, format, .. }) = self.record.take() {
            self.builder.record(record, format);
        }
    }

    fn close_text(&mut self, ending: Ending) {
        let Some(wrapped) = self.text.take() else { return };
        if !self.builder.pay::<(Frame, Stack)>(wrapped.text().len()) {
            self.skip(&wrapped);
        } else if wrapped.is_frame() {
            self.close_frame(&wrapped, ending);
        } else {
            self.close_other(&wrapped);
        }
        for blank in wrapped.blanks {
            self.builder.blank(blank);
        }
    }

    fn close_frame(&mut self, wrapped: &Wrapped, ending: Ending) {
        let lines = self.builder.lines(wrapped.first, wrapped.last);
        if let Shows::Frame(index) = wrapped.shows
            && let Some(told) = eu_stack::bare(wrapped.text(), index)
        {
            return self.builder.told(told, lines);
        }
        let mut read = |index| {
            let mut frame = gdb::frame(wrapped.text(), index, &mut self.builder.budget)?;
            if ending == Ending::OfPaste {
                gdb::keep_certain(&mut frame, wrapped.text());
            }
            Some(Frame { lines: lines.clone(), ..frame })
        };
        match wrapped.shows {
            Shows::LeftFrame => self.builder.reach(wrapped.last),
            Shows::Frame(index) => match read(index) {
                Some(frame) if says_where(&frame) || self.builder.expects(index) => {
                    self.builder.frame(frame, indentation(wrapped.first_line()));
                }
                _ => match formats::numbered(wrapped.text(), index) {
                    // A mail has broken the line.
                    Some(told) => self.builder.told(told, lines),
                    None => self.skip(wrapped),
                },
            },
            _ => match read(0) {
                Some(frame) if frame.address.is_some() || frame.line.is_some() => {
                    self.builder.stop_frame(frame);
                }
                _ => {
                    for (first, last) in wrapped.ranges() {
                        self.builder.no_stop_frame(first, last, wrapped.first_line());
                    }
                }
            },
        }
    }

    fn close_other(&mut self, wrapped: &Wrapped) {
        let lines = self.builder.lines(wrapped.first, wrapped.last);
        let text = wrapped.text();
        let budget = &mut self.builder.budget;
        match &wrapped.shows {
            Shows::Value { number, expression } => {
                let value = value::value(text, budget);
                if number.is_none() && !value::is_whole(&value) {
                    return self.skip(wrapped);
                }
                self.builder.value(*number, expression.clone(), value, lines);
            }
            Shows::Assertion => match assertion::joined(text) {
                Some(what) => self.builder.assertion(what, lines),
                None => self.skip(wrapped),
            },
            Shows::Header => match gdb_session::header(text) {
                Some(Talk::Header { thread }) => self.builder.thread_header(text, thread, lines),
                _ => self.skip(wrapped),
            },
            _ => match (value::variable(text, budget), &wrapped.shows) {
                (Some(variable), Shows::Local) => self.builder.local(variable, wrapped.last),
                (Some(Argument { name, value, .. }), _) => {
                    self.builder.value(None, Some(name), value, lines);
                }
                (None, _) => self.skip(wrapped),
            },
        }
    }

    fn skip(&mut self, wrapped: &Wrapped) {
        for (first, last) in wrapped.ranges() {
            self.builder.skip(first, last, wrapped.first_line());
        }
    }
}

/// The blanks before the text of a line.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether no format of a plugin can know the line better.
fn is_sure(starts: &Start<'_>, prefix: Option<Prefix<'_>>) -> bool {
    match starts {
        Start::Record(record) => record.format != Format::Print,
        // `warning: …` is gdb's where nothing stands before it.
        Start::Talk(_) => prefix.is_none(),
        _ => true,
    }
}

/// Whether the frame has its address or its place, or is no function's.
fn says_where(frame: &Frame) -> bool {
    let placed = frame.line.is_some() || frame.module.is_some();
    frame.address.is_some() || placed || frame.signal_handler || frame.function.is_none()
}

#[cfg(test)]
mod tests;
