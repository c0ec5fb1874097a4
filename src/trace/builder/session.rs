//! What must gdb's state be, by what it printed?

use super::Builder;
use super::stacks::{BACK, Introduction};
use crate::trace::formats::Format;
use crate::trace::formats::gdb_session::Command;
use crate::trace::model::{
    Event, EventKind, Frame, Lines, PrintedValue, SessionKind, SourceLine, Thread, Value,
};
use crate::trace::threads;

/// What gdb's state must be, by what it printed.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The thread that was last named.
    pub(super) thread: Option<Thread>,
    /// The stop whose backtrace has not been seen.
    pub(super) stop: Option<usize>,
    /// The position of the first stack that can be of this stop.
    pub(super) first_stack: usize,
    /// Registers that were shown before the stack they are of.
    pub(super) registers: Vec<usize>,
    /// The stack and the number of the frame that is selected.
    pub(super) selected: Option<(usize, u32)>,
    /// What the next stack's label and thread are.
    pub(super) introduction: Introduction,
    /// The expression of the `print` whose value has not been seen.
    pub(super) expression: Option<String>,
    /// Variables are listed: the answer to `info locals`.
    pub(super) lists_variables: bool,
    /// What a frame without a number, or a source line, would belong to.
    pub(super) awaits: Awaits,
}

/// Where gdb stands in the telling of a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Awaits {
    /// Nothing is told.
    #[default]
    Nothing,
    /// This event's frame comes next.
    Frame(usize),
    /// This core's frame comes next, with its number.
    CoreFrame(usize),
    /// The source line of this event's frame comes next.
    Source(usize),
}

impl Builder<'_> {
    /// Whether variables are listed.
    pub(in crate::trace) fn lists_variables(&self) -> bool {
        self.session.lists_variables
    }

    /// Whether a frame without a number may come next.
    pub(in crate::trace) fn awaits_frame(&self) -> bool {
        matches!(self.session.awaits, Awaits::Frame(_))
    }

    /// The frame of the stop that was told.
    pub(in crate::trace) fn stop_frame(&mut self, frame: Frame) {
        let Awaits::Frame(index) = self.session.awaits else { return };
        if let Some(event) = self.trace.events.get_mut(index) {
            event.lines.last = frame.lines.last;
            event.frame = Some(Box::new(frame));
            self.session.awaits = Awaits::Source(index);
        }
    }

    /// What looked like the frame of a stop is none; it may stand on the line of the stop itself.
    pub(in crate::trace) fn no_stop_frame(&mut self, first: usize, last: usize, line: &str) {
        if let Awaits::Frame(index) = self.session.awaits
            && let Some(event) = self.trace.events.get_mut(index)
            && event.lines.first == first
        {
            event.lines.last = last;
            return;
        }
        self.skip(first, last, line);
    }

    /// A line of source under a frame; false when there is no frame it could be of.
    pub(in crate::trace) fn source(&mut self, source: SourceLine, line: usize) -> bool {
        if let Awaits::Source(index) | Awaits::Frame(index) = self.session.awaits {
            return self.source_of_event(index, source, line);
        }
        let Some(stack) = self.stack.as_mut().filter(|stack| !stack.interrupted) else {
            return false;
        };
        match stack.frames.as_mut_slice() {
            [frame] if stack.source.is_none() && frame.line == Some(source.line) => {
                frame.lines.last = line;
                stack.source = Some(source);
                true
            }
            _ => false,
        }
    }

    fn source_of_event(&mut self, index: usize, source: SourceLine, line: usize) -> bool {
        let Some(event) = self.trace.events.get_mut(index) else { return false };
        // `next` shows the line alone; where a frame was shown, it is that frame's line.
        let fits = match (&event.frame, &event.what) {
            (Some(frame), _) => frame.line == Some(source.line),
            (None, what) => matches!(what, EventKind::Session { what: SessionKind::Command }),
        };
        if !fits {
            return false;
        }
        event.source = Some(source);
        event.lines.last = line;
        self.session.awaits = Awaits::Nothing;
        true
    }

    /// Talk that ends nothing.
    pub(in crate::trace) fn session(&mut self, what: SessionKind, lines: Lines) {
        self.tell(Format::Gdb);
        if what == SessionKind::Continuing {
            self.forget_stop();
        }
        self.event(EventKind::Session { what }, None, lines);
    }

    /// The program runs on: what is printed next is of another stop.
    fn forget_stop(&mut self) {
        self.finish_stack();
        let thread = self.session.thread.take();
        let first_stack = self.trace.stacks.len();
        self.session = Session { thread, first_stack, ..Session::default() };
    }

    /// The stack of this stop that is selected, or else the last one of the thread that the session is at.
    pub(super) fn current_stack(&self) -> Option<usize> {
        if let Some((stack, _)) = self.session.selected {
            return Some(stack);
        }
        let thread = self.session.thread.as_ref();
        let (stacks, first) = (&self.trace.stacks, self.session.first_stack);
        let of_thread = |at: &usize| {
            let shown = stacks.get(*at).filter(|stack| stack.format == Format::Gdb.name());
            shown.is_some_and(|stack| match (thread, &stack.thread) {
                (Some(current), Some(shown)) => threads::are_same(current, shown) == Some(true),
                (None, _) => true,
                (Some(_), None) => false,
            })
        };
        (first..stacks.len()).rev().take(BACK).find(of_thread)
    }

    /// A signal or a breakpoint stopped the program.
    pub(in crate::trace) fn stop(&mut self, what: EventKind, thread: Option<Thread>, lines: Lines) {
        let index = self.stopped(what, thread, lines);
        self.session.awaits = Awaits::Frame(index);
    }

    /// A signal killed the program whose core is read.
    pub(in crate::trace) fn killed(&mut self, what: EventKind, lines: Lines) {
        let index = self.stopped(what, None, lines);
        self.session.awaits = Awaits::CoreFrame(index);
    }

    fn stopped(&mut self, what: EventKind, thread: Option<Thread>, lines: Lines) -> usize {
        self.tell(Format::Gdb);
        self.forget_stop();
        if let Some(thread) = thread {
            self.session.thread = Some(threads::known_as(self.session.thread.take(), thread));
        }
        let index = self.event(what, self.session.thread.clone(), lines);
        self.session.stop = Some(index);
        index
    }

    /// A command that runs the program on: the frame of its next stop is the event's.
    pub(in crate::trace) fn run_till_exit(&mut self, lines: Lines) {
        self.tell(Format::Gdb);
        self.finish_stack();
        let index = self.event(EventKind::Session { what: SessionKind::Other }, None, lines);
        self.session.awaits = Awaits::Frame(index);
    }

    /// The event whose frame is awaited goes on to this line.
    pub(in crate::trace) fn reach(&mut self, last: usize) {
        let Awaits::Frame(index) = self.session.awaits else { return };
        if let Some(event) = self.trace.events.get_mut(index) {
            event.lines.last = last;
        }
    }

    /// gdb names the thread that what follows, or the stop just told, speaks of.
    pub(in crate::trace) fn switching(&mut self, thread: Thread, lines: Lines) {
        self.tell(Format::Gdb);
        let stop = match self.session.awaits {
            Awaits::Frame(stop) | Awaits::CoreFrame(stop) => Some(stop),
            _ => self.stack.as_ref().and_then(|stack| stack.core),
        };
        if let Some(event) = stop.and_then(|stop| self.trace.events.get_mut(stop)) {
            let named = event.thread.take().filter(|thread| thread.number.is_some());
            let named = named.unwrap_or_default();
            event.thread = Some(threads::known_as(Some(thread.clone()), named));
        }
        let of_stop = stop.and_then(|stop| self.trace.events.get(stop)?.thread.clone());
        self.session.thread = of_stop.or_else(|| Some(thread.clone()));
        self.event(EventKind::Session { what: SessionKind::Switching }, Some(thread), lines);
    }

    /// `[Switching to thread 2 (…)]`: the answer to a command; the selected frame follows.
    pub(in crate::trace) fn select_thread(&mut self, thread: Thread, lines: Lines) {
        self.finish_stack();
        self.session.selected = None;
        self.session.introduction.selects = true;
        self.session.awaits = Awaits::Nothing;
        self.switching(thread, lines);
    }

    /// `Thread 3 (…):`: the next stack is this thread's.
    pub(in crate::trace) fn thread_header(&mut self, label: &str, thread: Thread, lines: Lines) {
        self.tell(Format::Gdb);
        self.finish_stack();
        self.session.introduction =
            Introduction { label: label.to_owned(), thread: Some(thread.clone()), selects: false };
        let what = EventKind::Session { what: SessionKind::Other };
        self.event(what, Some(thread), lines);
    }

    /// A command that was typed.
    pub(in crate::trace) fn command(&mut self, command: Command<'_>, lines: Lines) {
        self.joins_prompts = None;
        self.tell(Format::Gdb);
        self.leave_reports();
        self.finish_stack();
        let index = self.event(EventKind::Session { what: SessionKind::Command }, None, lines);
        let session = &mut self.session;
        session.introduction = Introduction::default();
        session.expression = None;
        session.awaits = Awaits::Nothing;
        session.lists_variables = command == Command::Variables;
        match command {
            Command::Backtrace(label) => session.introduction.label = label.to_owned(),
            Command::Select => session.introduction.selects = true,
            Command::Print(expression) => session.expression = Some(expression.to_owned()),
            Command::Step => session.awaits = Awaits::Frame(index),
            Command::Variables | Command::None | Command::Other => {}
        }
    }

    /// A prompt at which nothing was typed; those one below the other are one event.
    pub(in crate::trace) fn prompt(&mut self, line: usize) {
        if self.joins_prompts == Some(line)
            && let Some(event) = self.trace.events.last_mut()
        {
            event.lines.last = line;
        } else if self.pay::<Event>(0) {
            self.command(Command::None, self.lines(line, line));
        } else {
            return self.skip(line, line, "(gdb)");
        }
        self.joins_prompts = Some(line + 1);
    }

    /// A value that was printed.
    pub(in crate::trace) fn value(
        &mut self,
        number: Option<u32>,
        shown: Option<String>,
        value: Value,
        lines: Lines,
    ) {
        self.tell(Format::Gdb);
        self.finish_stack();
        self.session.awaits = Awaits::Nothing;
        let expression = self.session.expression.take();
        let (stack, frame) = self.session.selected.unzip();
        let expression = shown.or(expression);
        self.trace.values.push(PrintedValue { expression, number, value, stack, frame, lines });
    }
}
