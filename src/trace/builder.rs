//! Which stack belongs to which stop, and which frame was a value printed in?
//!
//! A session is told in order: a stop names a thread, a `bt` shows its stack, `frame 3` selects a
//! frame of it, `print` shows a value there, `continue` forgets all that. The builder receives
//! whole frames, events, values and records, and ties them.
//!
//! Rule: nothing is tied on a guess: a value printed where no frame is known has none.

use super::budget::{Budget, HEAP};
use super::formats::gdb_session::Command;
use super::formats::{Format, assertion};
use super::model::{
    Argument, Event, EventKind, Frame, Lines, LogRecord, PrintedValue, SessionKind, Skipped,
    SourceLine, Stack, StackKind, Thread, Trace, Value,
};
use super::notation::shorten;
use super::physical;
use super::threads::{self, ThreadFrom};

/// Bytes of a skipped run's first line that are kept.
pub(super) const SKIPPED_TEXT: usize = 120;
/// How many stacks back a selected frame's backtrace is looked for.
const BACK: usize = 64;
/// Texts that an item has, its piece's name aside: a frame's function and file, a record's time,
/// level, function and message.
const TEXTS: usize = 4;

/// What is told so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    trace: Trace,
    pub(super) budget: Budget,
    piece: Option<String>,
    stack: Option<Pending>,
    session: Session,
    /// The line that would join the skipped run, if it too is skipped.
    joins_skipped: Option<usize>,
    /// The line that would join the empty prompts above it.
    joins_prompts: Option<usize>,
}

/// What gdb's state must be, by what it printed.
#[derive(Debug, Default)]
struct Session {
    /// The thread that was last named.
    thread: Option<Thread>,
    /// The stop whose backtrace has not been seen.
    stop: Option<usize>,
    /// The stack and the number of the frame that is selected.
    selected: Option<(usize, u32)>,
    /// What the next stack's label and thread are.
    introduction: Introduction,
    /// The expression of the `print` whose value has not been seen.
    expression: Option<String>,
    /// Variables are listed: the answer to `info locals`.
    lists_variables: bool,
    /// What a frame without a number, or a source line, would belong to.
    awaits: Awaits,
}

/// What introduces the next stack.
#[derive(Debug, Default)]
struct Introduction {
    label: String,
    thread: Option<Thread>,
    selects: bool,
}

/// Where gdb stands in the telling of a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Awaits {
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

/// A stack whose end has not been seen.
#[derive(Debug)]
struct Pending {
    introduction: Introduction,
    frames: Vec<Frame>,
    /// The core it may be the stop of.
    core: Option<usize>,
    source: Option<SourceLine>,
    /// A skipped line followed the last frame: what comes next is no part of it.
    interrupted: bool,
}

impl Builder {
    /// A new piece begins: nothing said before holds in it.
    pub(super) fn piece(&mut self, name: Option<&str>) {
        self.finish_stack();
        self.piece = name.map(str::to_owned);
        self.session = Session::default();
        self.joins_skipped = None;
        self.joins_prompts = None;
    }

    /// All that was told.
    pub(super) fn finish(mut self) -> Trace {
        self.finish_stack();
        self.trace
    }

    /// The lines from `first` to `last` of the current piece.
    pub(super) fn lines(&self, first: usize, last: usize) -> Lines {
        Lines { piece: self.piece.clone(), first, last }
    }

    /// Whether an item with texts of `bytes` can be kept.
    pub(super) fn pay<T>(&mut self, bytes: usize) -> bool {
        self.pay_for(size_of::<T>() + TEXTS * HEAP + bytes)
    }

    /// Whether `bytes` and the name of the piece can be kept.
    fn pay_for(&mut self, bytes: usize) -> bool {
        let name = self.piece.as_ref().map_or(0, |name| name.len() + HEAP);
        self.budget.pay(bytes + name)
    }

    fn tell(&mut self, format: Format) {
        self.joins_skipped = None;
        if !self.trace.formats.iter().any(|name| name == format.name()) {
            self.trace.formats.push(format.name().to_owned());
        }
    }

    /// A line nothing is made of.
    pub(super) fn skip(&mut self, first: usize, last: usize, text: &str) {
        if let Some(stack) = &mut self.stack {
            stack.interrupted = true;
        }
        let joins = self.joins_skipped.replace(last + 1) == Some(first);
        if let (true, Some(run)) = (joins, self.trace.skipped.last_mut()) {
            run.lines.last = last;
            return;
        }
        // gdb's complaint about the expression, or nothing of gdb's at all.
        self.session.expression = None;
        self.session.awaits = Awaits::Nothing;
        if !self.pay_for(size_of::<Skipped>() + HEAP + text.len().min(SKIPPED_TEXT)) {
            // From here on all is one run.
            self.budget.exhaust();
        }
        let skipped = Skipped { lines: self.lines(first, last), text: shorten(text, SKIPPED_TEXT) };
        self.trace.skipped.push(skipped);
    }

    /// A blank line; skipped lines around it are one run.
    pub(super) fn blank(&mut self, number: usize) {
        if self.joins_skipped == Some(number) {
            self.joins_skipped = Some(number + 1);
        }
    }

    /// A frame with its number.
    pub(super) fn frame(&mut self, frame: Frame) {
        self.tell(Format::Gdb);
        let next = self.stack.as_ref().is_some_and(|stack| stack.goes_on_with(&frame));
        if !next {
            self.finish_stack();
        }
        let awaits = std::mem::take(&mut self.session.awaits);
        let introduction = &mut self.session.introduction;
        let stack = self.stack.get_or_insert_with(|| Pending {
            introduction: std::mem::take(introduction),
            frames: Vec::new(),
            core: match awaits {
                Awaits::CoreFrame(event) => Some(event),
                _ => None,
            },
            source: None,
            interrupted: false,
        });
        stack.interrupted = false;
        stack.frames.push(frame);
    }

    /// Whether a frame that says neither its address nor its place would follow the one above.
    pub(super) fn expects(&self, index: u32) -> bool {
        let next = |stack: &Pending| {
            let last = stack.frames.last().map(|frame| frame.index);
            last.is_some_and(|last| last.checked_add(1) == Some(index))
        };
        index == 0 || self.session.introduction.selects || self.stack.as_ref().is_some_and(next)
    }

    /// Whether the last thing told was a frame with its number, whose locals may follow.
    pub(super) fn last_frame(&mut self) -> Option<&mut Frame> {
        let stack = self.stack.as_mut().filter(|stack| !stack.interrupted);
        stack?.frames.last_mut()
    }

    /// Whether variables are listed.
    pub(super) fn lists_variables(&self) -> bool {
        self.session.lists_variables
    }

    /// A local variable of the last frame.
    pub(super) fn local(&mut self, variable: Argument, last: usize) {
        if let Some(frame) = self.last_frame() {
            frame.locals.push(variable);
            frame.lines.last = last;
        }
    }

    /// Whether a frame without a number may come next.
    pub(super) fn awaits_frame(&self) -> bool {
        matches!(self.session.awaits, Awaits::Frame(_))
    }

    /// The frame of the stop that was told.
    pub(super) fn stop_frame(&mut self, frame: Frame) {
        let Awaits::Frame(index) = self.session.awaits else { return };
        if let Some(event) = self.trace.events.get_mut(index) {
            event.lines.last = frame.lines.last;
            event.frame = Some(Box::new(frame));
            self.session.awaits = Awaits::Source(index);
        }
    }

    /// What looked like the frame of a stop is none; it may stand on the line of the stop itself.
    pub(super) fn no_stop_frame(&mut self, first: usize, last: usize, line: &str) {
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
    pub(super) fn source(&mut self, source: SourceLine, line: usize) -> bool {
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

    /// Talk that ends nothing.
    pub(super) fn session(&mut self, what: SessionKind, lines: Lines) {
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
        self.session = Session { thread, ..Session::default() };
    }

    /// An assertion's line.
    pub(super) fn assertion(&mut self, what: EventKind, lines: Lines) {
        self.tell(Format::Assertion);
        self.event(what, None, lines);
    }

    /// A signal or a breakpoint stopped the program.
    pub(super) fn stop(&mut self, what: EventKind, thread: Option<Thread>, lines: Lines) {
        let index = self.stopped(what, thread, lines);
        self.session.awaits = Awaits::Frame(index);
    }

    /// A signal killed the program whose core is read.
    pub(super) fn killed(&mut self, what: EventKind, lines: Lines) {
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
    pub(super) fn run_till_exit(&mut self, lines: Lines) {
        self.tell(Format::Gdb);
        self.finish_stack();
        let index = self.event(EventKind::Session { what: SessionKind::Other }, None, lines);
        self.session.awaits = Awaits::Frame(index);
    }

    /// The event whose frame is awaited goes on to this line.
    pub(super) fn reach(&mut self, last: usize) {
        let Awaits::Frame(index) = self.session.awaits else { return };
        if let Some(event) = self.trace.events.get_mut(index) {
            event.lines.last = last;
        }
    }

    /// gdb names the thread that what follows, or the stop just told, speaks of.
    pub(super) fn switching(&mut self, thread: Thread, lines: Lines) {
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
        self.session.thread = Some(thread.clone());
        self.event(EventKind::Session { what: SessionKind::Switching }, Some(thread), lines);
    }

    /// `[Switching to thread 2 (…)]`: the answer to a command; the selected frame follows.
    pub(super) fn select_thread(&mut self, thread: Thread, lines: Lines) {
        self.finish_stack();
        self.session.selected = None;
        self.session.introduction.selects = true;
        self.session.awaits = Awaits::Nothing;
        self.switching(thread, lines);
    }

    /// `Thread 3 (…):`: the next stack is this thread's.
    pub(super) fn thread_header(&mut self, label: &str, thread: Thread, lines: Lines) {
        self.tell(Format::Gdb);
        self.finish_stack();
        self.session.introduction =
            Introduction { label: label.to_owned(), thread: Some(thread.clone()), selects: false };
        let what = EventKind::Session { what: SessionKind::Other };
        self.event(what, Some(thread), lines);
    }

    /// A command that was typed.
    pub(super) fn command(&mut self, command: Command<'_>, lines: Lines) {
        self.joins_prompts = None;
        self.tell(Format::Gdb);
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
    pub(super) fn prompt(&mut self, line: usize) {
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
    pub(super) fn value(
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

    /// A log record; it may stand in the midst of anything.
    pub(super) fn record(&mut self, record: LogRecord, format: Format) {
        self.tell(format);
        self.trace.log.push(record);
    }

    /// The open stack is complete: its frames are told apart, and it is tied to its stop.
    fn finish_stack(&mut self) {
        let Some(pending) = self.stack.take() else { return };
        if let Some(stop) = pending.core.filter(|_| pending.frames.len() == 1) {
            return self.core_frame(stop, pending);
        }
        let (Some(first), Some(last)) = (pending.frames.first(), pending.frames.last()) else {
            return;
        };
        let lines = self.lines(first.lines.first, last.lines.last);
        let kind = pending.kind();
        let (thread, from) = match pending.introduction.thread {
            Some(thread) => (Some(thread), ThreadFrom::Header),
            None => (self.session.thread.clone(), ThreadFrom::Session),
        };
        let mut frames = pending.frames;
        frames.shrink_to_fit();
        physical::number(&mut frames);
        let label = pending.introduction.label;
        let stack = Stack { kind, label, thread, lines, frames };
        match kind {
            StackKind::Selected => self.selected(stack),
            StackKind::Backtrace => self.backtrace(stack, from),
        }
    }

    /// The frame under which a core's program died.
    fn core_frame(&mut self, stop: usize, mut pending: Pending) {
        let (Some(event), Some(frame)) = (self.trace.events.get_mut(stop), pending.frames.pop())
        else {
            return;
        };
        event.lines.last = event.lines.last.max(frame.lines.last);
        event.source = pending.source;
        event.frame = Some(Box::new(frame));
    }

    fn selected(&mut self, mut stack: Stack) {
        let Some(frame) = stack.frames.first_mut() else { return };
        let index = frame.index;
        let shown =
            self.trace.stacks.iter().enumerate().rev().take(BACK).find_map(|(at, stack)| {
                let same = |shown: &&Frame| physical::same_frame(shown, frame);
                let shown = stack.frames.iter().find(same)?;
                (stack.kind == StackKind::Backtrace).then_some((at, shown.pc, shown.physical))
            });
        if let Some((_, pc, physical)) = shown {
            frame.pc = pc;
            frame.physical = physical;
        }
        let own = self.trace.stacks.len();
        self.session.selected = Some((shown.map_or(own, |(at, ..)| at), index));
        self.trace.stacks.push(stack);
    }

    fn backtrace(&mut self, stack: Stack, from: ThreadFrom) {
        let index = self.trace.stacks.len();
        if let Some((at, what)) = assertion::in_frames(&stack.frames) {
            let lines = stack.frames.get(at).map_or(stack.lines.clone(), |f| f.lines.clone());
            let event = self.event(what, stack.thread.clone(), lines);
            if let Some(event) = self.trace.events.get_mut(event) {
                event.stack = Some(index);
            }
        }
        let stop = self.session.stop.and_then(|stop| self.trace.events.get_mut(stop));
        if let Some(event) = stop.filter(|event| threads::is_stack_of(event, &stack, from)) {
            event.stack = Some(index);
            self.session.stop = None;
        }
        let from_the_top = stack.frames.first().is_some_and(|frame| frame.index == 0);
        if from == ThreadFrom::Session && from_the_top && self.session.selected.is_none() {
            self.session.selected = Some((index, 0));
        }
        self.trace.stacks.push(stack);
    }
}

impl Pending {
    /// A number that is not greater starts a new stack, and so does a selected frame.
    fn goes_on_with(&self, frame: &Frame) -> bool {
        let greater = self.frames.last().is_none_or(|last| frame.index > last.index);
        greater && self.kind() == StackKind::Backtrace
    }

    fn kind(&self) -> StackKind {
        // gdb prints the source under the one frame it selects, never in a backtrace.
        let selected = self.introduction.selects || self.source.is_some();
        if selected { StackKind::Selected } else { StackKind::Backtrace }
    }
}
