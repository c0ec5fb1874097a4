//! Where does a stack begin and end, and which stop is it of?

use super::Builder;
use super::session::Awaits;
use crate::address::Pc;
use crate::trace::formats::{Format, Numbered, Told, assertion};
use crate::trace::model::{Argument, Frame, SourceLine, Stack, StackKind, Thread};
use crate::trace::physical;
use crate::trace::threads::{self, ThreadFrom};

/// How many stacks back a selected frame's backtrace is looked for.
pub(super) const BACK: usize = 64;

/// A stack whose end has not been seen.
#[derive(Debug)]
pub(super) struct Pending {
    /// Whose frames they are.
    pub(super) format: Format,
    pub(super) introduction: Introduction,
    pub(super) frames: Vec<Frame>,
    /// The core it may be the stop of.
    pub(super) core: Option<usize>,
    pub(super) source: Option<SourceLine>,
    /// A skipped line followed the last frame: what comes next is no part of it.
    pub(super) interrupted: bool,
    /// The innermost frame comes last.
    pub(super) outermost_first: bool,
    /// The blanks before its first frame.
    indentation: usize,
    /// The highest number of a frame so far, and the highest before that one was read: what stands between them
    /// may be elided.
    highest: Option<u32>,
    highest_before: Option<u32>,
    /// The positions of the frames that say to be inlined into the next.
    pub(super) inlined: Vec<usize>,
}

/// What introduces the next stack.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    pub(super) label: String,
    pub(super) thread: Option<Thread>,
    pub(super) selects: bool,
}

impl Builder<'_> {
    /// A frame with its number, which so many blanks stand before.
    pub(in crate::trace) fn frame(&mut self, frame: Frame, indentation: usize) {
        self.tell(Format::Gdb);
        self.leave_reports();
        let next = self.stack.as_ref().is_some_and(|stack| stack.goes_on_with(&frame, indentation));
        if !next {
            self.finish_stack();
        }
        let awaits = std::mem::take(&mut self.session.awaits);
        let introduction = &mut self.session.introduction;
        let stack = self.stack.get_or_insert_with(|| Pending {
            core: match awaits {
                Awaits::CoreFrame(event) => Some(event),
                _ => None,
            },
            indentation,
            ..Pending::new(Format::Gdb, std::mem::take(introduction))
        });
        stack.interrupted = false;
        if stack.highest.is_none_or(|highest| frame.index > highest) {
            stack.highest_before = stack.highest.replace(frame.index);
        }
        stack.frames.push(frame);
    }

    /// Whether a frame that says neither its address nor its place would follow the one above.
    pub(in crate::trace) fn expects(&self, index: u32) -> bool {
        let next = |stack: &Pending| {
            let last = stack.frames.last().map(|frame| frame.index);
            last.is_some_and(|last| last.checked_add(1) == Some(index))
        };
        index == 0 || self.session.introduction.selects || self.stack.as_ref().is_some_and(next)
    }

    /// Whether the last thing told was a frame with its number, whose locals may follow.
    pub(in crate::trace) fn last_frame(&mut self) -> Option<&mut Frame> {
        let gdb = |stack: &&mut Pending| !stack.interrupted && stack.format == Format::Gdb;
        self.stack.as_mut().filter(gdb)?.frames.last_mut()
    }

    /// A local variable of the last frame.
    pub(in crate::trace) fn local(&mut self, variable: Argument, last: usize) {
        if let Some(frame) = self.last_frame() {
            frame.locals.push(variable);
            frame.lines.last = last;
        }
    }

    /// The open stack is complete: its frames are told apart, and it is tied to its stop.
    pub(super) fn finish_stack(&mut self) {
        let Some(pending) = self.stack.take() else { return };
        if let Some(stop) = pending.core.filter(|_| pending.frames.len() == 1) {
            return self.core_frame(stop, pending);
        }
        let first = pending.frames.iter().map(|frame| frame.lines.first).min();
        let last = pending.frames.iter().map(|frame| frame.lines.last).max();
        let (Some(first), Some(last)) = (first, last) else { return };
        let lines = self.lines(first, last);
        let outermost_first = pending.outermost_first;
        let kind = pending.kind();
        let (thread, from) = match pending.introduction.thread {
            Some(thread) => (Some(thread), ThreadFrom::Header),
            None if pending.format != Format::Gdb => (None, ThreadFrom::Header),
            None => (self.session.thread.clone(), ThreadFrom::Session),
        };
        let mut frames = pending.frames;
        frames.shrink_to_fit();
        if outermost_first {
            frames.reverse();
            (0..).zip(&mut frames).for_each(|(index, frame)| frame.index = index);
        }
        let format = pending.format;
        match format {
            Format::Gdb => {
                frames.sort_by_key(|frame| frame.index);
                physical::number(&mut frames);
            }
            _ => {
                physical::number_told(&mut frames, format.addresses());
                physical::join(&mut frames, &pending.inlined);
            }
        }
        let label = pending.introduction.label;
        self.tie_reports(format, &label, &frames);
        let name = match format {
            Format::Plugin(_) => self.name(format).to_owned().into(),
            _ => format.name().into(),
        };
        let stack = Stack { kind, label, format: name, thread, lines, frames };
        if format != Format::Gdb {
            return self.trace.stacks.push(stack);
        }
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
        self.tie_registers(&stack, from);
        let from_the_top = stack.frames.first().is_some_and(|frame| frame.index == 0);
        if from == ThreadFrom::Session && from_the_top && self.session.selected.is_none() {
            self.session.selected = Some((index, 0));
        }
        self.trace.stacks.push(stack);
    }
}

impl Pending {
    pub(super) fn new(format: Format, introduction: Introduction) -> Self {
        let frames = Vec::new();
        Pending {
            format,
            introduction,
            frames,
            core: None,
            source: None,
            interrupted: false,
            outermost_first: false,
            indentation: 0,
            highest: None,
            highest_before: None,
            inlined: Vec::new(),
        }
    }

    /// Whether a frame that its line tells goes on with this stack.
    pub(super) fn takes(&self, told: &Told) -> bool {
        let last = self.frames.last().map(|frame| frame.index);
        self.format == told.format
            && match told.number {
                Numbered::Printed | Numbered::Inlined => {
                    last.is_none_or(|last| told.frame.index > last)
                }
                Numbered::First => false,
                Numbered::Next => !self.outermost_first,
                Numbered::Loose => !self.interrupted,
                Numbered::CallsNext => self.outermost_first && !self.interrupted,
            }
    }

    /// The function of the only frame so far, the kernel's program counter, where the next frame is the same.
    pub(super) fn repeated_by(&self, told: &Told) -> Option<&str> {
        let [first] = self.frames.as_slice() else { return None };
        let next = &told.frame;
        let same = first.function == next.function && first.offset == next.offset;
        let of_kernel = self.format == Format::Linux && told.format == Format::Linux;
        let repeats = of_kernel && told.number == Numbered::Next && !next.guess && same;
        (repeats && first.pc == Pc::Exact).then_some(first.function.as_deref()?)
    }

    /// A number that is not greater starts a new stack, and so does a selected frame.
    fn goes_on_with(&self, frame: &Frame, indentation: usize) -> bool {
        let greater = self.highest.is_none_or(|highest| frame.index > highest);
        (greater || self.elides(frame, indentation))
            && self.format == Format::Gdb
            && self.kind() == StackKind::Backtrace
    }

    /// Whether a frame filter has put the frame below the one that it calls a part of, farther in (gdb's Python
    /// API, `FrameDecorator.elided`).
    fn elides(&self, frame: &Frame, indentation: usize) -> bool {
        let last = self.frames.last().map(|last| last.index);
        let first = last == self.highest;
        indentation >= self.indentation + 4
            && self.highest.is_some_and(|highest| frame.index < highest)
            && self.highest_before.is_none_or(|before| before < frame.index)
            && (first || last.is_some_and(|last| last < frame.index))
    }

    fn kind(&self) -> StackKind {
        // gdb prints the source under the one frame it selects, never in a backtrace.
        let selected = self.introduction.selects || self.source.is_some();
        if selected { StackKind::Selected } else { StackKind::Backtrace }
    }
}
