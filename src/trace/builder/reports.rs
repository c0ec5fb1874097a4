//! Which fault and which heading is a stack of, where another printer than gdb tells it?
//!
//! A fault comes first, then headings, each with its stack. Rule: the first stack after a fault is the
//! fault's, when the same printer wrote both; a heading's stack is the next.

use std::mem;

use rustc_hash::FxHashSet;

use super::stacks::{Introduction, Pending};
use super::{Builder, SKIPPED_TEXT};
use crate::address::{LoadBias, Pc, RuntimeAddress};
use crate::public_name::public_name;
use crate::trace::budget::HEAP;
use crate::trace::formats::{Adds, Fault, Format, Numbered, Says, Told, python};
use crate::trace::model::{
    Event, EventKind, Frame, Lines, Module, ModuleSource, Register, Stack, Thread,
};
use crate::trace::notation::shorten;
use crate::trace::threads::{self, ThreadFrom};

/// Bytes of what went wrong that are kept.
const FAULT_TEXT: usize = 4 << 10;

/// What printers other than gdb have told that a stack may belong to.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Whose stack or list comes next, or goes on.
    within: Option<Format>,
    /// The faults and signals whose stack has not been seen, and who told each.
    faults: Vec<(Format, usize)>,
    /// The fault whose message is on the next line.
    without_message: Option<(Format, usize)>,
    /// The line that would be more of what was thrown last.
    message_goes_on: Option<usize>,
    /// The heading whose stack has not been seen.
    heading: Option<usize>,
    /// The remark that the line of this number would join.
    remark: Option<(usize, usize)>,
    /// The line that would add to the module listed last.
    adds_to_module: Option<usize>,
    /// The modules that frames have told, by name and place.
    modules: FxHashSet<(String, u64)>,
}

impl Builder<'_> {
    /// Whose lines may follow that mean nothing by themselves.
    pub(in crate::trace) fn within(&self) -> Option<Format> {
        self.reports.within
    }

    /// Something else stands between: only kernels have lines of others in the midst of theirs.
    pub(super) fn interrupt_reports(&mut self) {
        self.reports.within.take_if(|format| !matches!(format, Format::Linux | Format::Xen));
    }

    /// gdb goes on: what others have told is over.
    pub(super) fn leave_reports(&mut self) {
        self.reports.within = None;
        self.reports.heading = None;
    }

    /// A frame that one line tells.
    pub(in crate::trace) fn told(&mut self, told: Told, lines: Lines) {
        self.tell(told.format);
        self.reports.within = Some(told.format);
        if let Some(first) = self.stack.as_ref().and_then(|stack| stack.repeated_by(&told)) {
            // Arm64's kernel begins `Call trace:` with what `pc :` was.
            let text = format!("{}+{:#x}", first, told.frame.offset.unwrap_or_default());
            return self.remark(told.format, text, lines);
        }
        if !self.stack.as_ref().is_some_and(|stack| stack.takes(&told)) {
            self.finish_stack();
        }
        if let Some(module) = module_of(&told, &lines) {
            self.module_by_frame(module);
        }
        let introduction = &mut self.session.introduction;
        let stack = self
            .stack
            .get_or_insert_with(|| Pending::new(told.format, std::mem::take(introduction)));
        stack.interrupted = false;
        stack.outermost_first = told.number == Numbered::CallsNext;
        let index = match told.number {
            Numbered::Printed | Numbered::Inlined => told.frame.index,
            _ => u32::try_from(stack.frames.len()).unwrap_or(u32::MAX),
        };
        if told.number == Numbered::Inlined {
            stack.inlined.push(stack.frames.len());
        }
        stack.frames.push(Frame { index, lines, ..told.frame });
    }

    /// A line below a frame or a module that tells more of it; false where it is not.
    pub(in crate::trace) fn adds(&mut self, adds: Adds, lines: &Lines) -> bool {
        let last = match adds {
            Adds::BuildId(_) | Adds::Path(_) => return self.adds_to_module(adds, lines),
            Adds::Message(text) => {
                let format = self.reports.within;
                return format.is_some_and(|format| self.adds_to_fault(format, &text, lines));
            }
            _ => self.stack.as_mut().filter(|stack| stack.format != Format::Gdb),
        };
        let Some(frame) = last.and_then(|stack| stack.frames.last_mut()) else { return false };
        if frame.lines.last + 1 != lines.first {
            return false;
        }
        match adds {
            Adds::Place(place) if frame.line.is_none() => {
                (frame.file, frame.line, frame.column) =
                    (Some(place.file), Some(place.line), place.column);
            }
            Adds::PlaceAndOffset { place, offset, address } if frame.line.is_none() => {
                (frame.file, frame.line) = (Some(place.file), Some(place.line));
                (frame.offset, frame.address) = (Some(offset), address);
            }
            Adds::Source => {}
            Adds::Module { build_id, start } if frame.module.is_some() => {
                let module = Module {
                    build_id: Some(build_id),
                    start: Some(start),
                    lines: frame.lines.clone(),
                    ..listed(frame.module.clone().unwrap_or_default(), ModuleSource::ModuleList)
                };
                frame.lines.last = lines.last;
                self.module_by_frame(module);
                return true;
            }
            _ => return false,
        }
        frame.lines.last = lines.last;
        true
    }

    /// The message of a fault that had none on its own line.
    fn adds_to_fault(&mut self, format: Format, text: &str, lines: &Lines) -> bool {
        let fault = self.reports.without_message.take();
        let index = fault.and_then(|(by, index)| (by == format).then_some(index));
        let Some(event) = index.and_then(|index| self.trace.events.get_mut(index)) else {
            return false;
        };
        match &mut event.what {
            EventKind::Fault { what, .. }
                if !text.is_empty() && event.lines.last + 1 == lines.first =>
            {
                *what = shorten(text, FAULT_TEXT);
                event.lines.last = lines.last;
                true
            }
            _ => false,
        }
    }

    /// Takes the line as more of what was thrown on the one above: Python and Java print messages of
    /// several lines as they are. A blank line ends them.
    pub(in crate::trace) fn message_goes_on(&mut self, text: &str, lines: &Lines) -> bool {
        if self.reports.message_goes_on.take() != Some(lines.first) {
            return false;
        }
        self.reports.message_goes_on = Some(lines.last + 1);
        let text = python::inside_group(text);
        let room = self.pay_for(text.len());
        let Some(event) = self.trace.events.last_mut() else { return false };
        if let EventKind::Fault { what, .. } = &mut event.what
            && room
            && what.len() + text.len() < FAULT_TEXT
        {
            what.push('\n');
            what.push_str(text);
        }
        event.lines.last = lines.last;
        true
    }

    fn adds_to_module(&mut self, adds: Adds, lines: &Lines) -> bool {
        if self.reports.adds_to_module != Some(lines.first) {
            return false;
        }
        let Some(module) = self.trace.modules.last_mut() else { return false };
        match adds {
            Adds::BuildId(build_id) if module.build_id.is_none() => {
                module.build_id = Some(build_id)
            }
            // The first path is the file's, the next its debug file's.
            Adds::Path(path) if path != "-" && !module.path.contains('/') => {
                module.path = path;
            }
            _ => {}
        }
        module.lines.last = lines.last;
        self.reports.adds_to_module = Some(lines.last + 1);
        true
    }

    /// A program or library that the text lists.
    pub(in crate::trace) fn module(&mut self, module: Module, format: Format) {
        self.tell(format);
        if matches!(format, Format::EuStack | Format::Lldb) {
            self.finish_stack();
            self.reports.within = Some(format);
            self.reports.adds_to_module = Some(module.lines.last + 1);
        }
        self.trace.modules.push(module);
    }

    /// A module as a frame tells it: the same once.
    fn module_by_frame(&mut self, module: Module) {
        let place = module.bias.map(|bias| bias.0).or(module.start.map(|start| start.0));
        let known = (module.path.clone(), place.unwrap_or(0));
        if !self.reports.modules.contains(&known)
            && self.pay::<(Module, (String, u64))>(2 * known.0.len())
        {
            self.reports.modules.insert(known);
            self.trace.modules.push(module);
        }
    }

    /// What a printer says around its stacks.
    pub(in crate::trace) fn says(
        &mut self,
        format: Format,
        says: Says<'_>,
        text: &str,
        lines: Lines,
    ) {
        self.tell(format);
        let text = shorten(text.trim(), SKIPPED_TEXT);
        match says {
            Says::Remark => return self.remark(format, text, lines),
            Says::Ends => {
                self.finish_stack();
                return self.remark(format, text, lines);
            }
            Says::Registers(values) => return self.registers(format, values, text, lines),
            Says::Program { path } => {
                self.event(EventKind::Program { path: path.to_owned() }, None, lines);
                return;
            }
            _ => {}
        }
        let open = self.stack.as_ref().filter(|stack| stack.format == format);
        if let (Says::Heading { .. }, Some(stack), Format::Linux) = (&says, open, format)
            && stack.frames.iter().all(|frame| frame.pc == Pc::Exact)
        {
            // `RIP: …` above `Call Trace:` is the innermost frame of the one stack.
            return self.remark(format, text, lines);
        }
        let above = open.is_some();
        self.finish_stack();
        let thrown = matches!(says, Says::Fault(_) | Says::Ended(_))
            && matches!(format, Format::Python | Format::Java);
        self.reports.message_goes_on = thrown.then_some(lines.last + 1);
        self.reports.within = Some(format);
        if let Says::Ended(fault) = says {
            self.reports.within = None;
            let event = self.event(fault_of(self.name(format), fault), None, lines);
            let last = self.trace.stacks.len().checked_sub(1).filter(|_| above);
            if let Some(event) = self.trace.events.get_mut(event) {
                event.stack = last;
            }
            return;
        }
        if says == Says::Begins {
            return self.remark(format, text, lines);
        }
        let introduction = Introduction { label: text.clone(), ..Introduction::default() };
        let introduced = mem::replace(&mut self.session.introduction, introduction).thread;
        // debuggerd names the thread once, above what it says of it.
        let introduced = introduced.filter(|_| format == Format::Android);
        self.session.introduction.thread.clone_from(&introduced);
        match says {
            Says::Fault(fault) if self.adds_to_fault(format, fault.what, &lines) => {}
            Says::Fault(fault) => {
                let is_bare = fault.what.is_empty();
                let thread = fault.thread.as_deref().cloned().or(introduced);
                self.session.introduction.thread.clone_from(&thread);
                let fault = self.event(fault_of(self.name(format), fault), thread, lines);
                if let (Format::Xen, true, true) = (format, is_bare, above) {
                    // Xen panics when it has shown the stack.
                    self.tie(fault, self.trace.stacks.len().checked_sub(1));
                } else {
                    self.fault(format, fault);
                }
                self.reports.without_message = is_bare.then_some((format, fault));
                self.reports.heading = None;
            }
            Says::Signal { name, meaning } => {
                let signal = self.signal(name, meaning, introduced, lines);
                self.fault(format, signal);
            }
            Says::Heading { thread } => {
                let thread = thread.or(introduced).or_else(|| self.thread_of_fault(format));
                self.session.introduction.thread.clone_from(&thread);
                let what = EventKind::Remark { by: self.name(format).to_owned(), text };
                self.reports.heading = Some(self.event(what, thread, lines));
            }
            Says::Begins
            | Says::Ended(_)
            | Says::Ends
            | Says::Remark
            | Says::Program { .. }
            | Says::Registers(_) => {}
        }
    }

    /// The thread of the fault whose stack is to come: a heading that names none stands before it.
    fn thread_of_fault(&self, format: Format) -> Option<Thread> {
        let (_, event) = self.reports.faults.iter().rev().find(|(by, _)| *by == format)?;
        self.trace.events.get(*event)?.thread.clone()
    }

    /// A fault whose stack is to come; one that got none is forgotten when many follow.
    fn fault(&mut self, format: Format, event: usize) {
        const KEPT: usize = 8;
        let faults = &mut self.reports.faults;
        faults.retain(|(by, _)| *by == format || *by == Format::GlibcHeap);
        if faults.len() >= KEPT {
            faults.remove(0);
        }
        faults.push((format, event));
    }

    /// A signal, with the frame it came in.
    pub(in crate::trace) fn crash(
        &mut self,
        says: Says<'_>,
        thread: Thread,
        told: Told,
        module: Option<Module>,
        text: &str,
    ) {
        let lines = told.frame.lines.clone();
        let format = told.format;
        self.says(format, says, text, lines.clone());
        if let Some(event) = self.trace.events.last_mut() {
            event.thread = Some(thread.clone());
        }
        self.session.introduction.thread = Some(thread);
        if let Some(module) = module {
            self.module_by_frame(Module { lines: lines.clone(), ..module });
        }
        self.told(told, lines);
        self.finish_stack();
    }

    fn signal(
        &mut self,
        name: &str,
        meaning: Option<&str>,
        thread: Option<Thread>,
        lines: Lines,
    ) -> usize {
        let name = if name.starts_with("SIG") { name.to_owned() } else { format!("SIG{name}") };
        self.event(EventKind::Signal { name, meaning: meaning.map(str::to_owned) }, thread, lines)
    }

    /// Registers: a dump of several lines is one event. A kernel's and a sanitizer's stand above their stack, a
    /// debugger's are of the stack and the thread it is at.
    fn registers(&mut self, format: Format, rows: Vec<Register>, text: String, lines: Lines) {
        let names: usize = rows.iter().map(|register| register.name.len() + HEAP).sum();
        if rows.is_empty() || !self.pay_for(names + rows.len() * size_of::<Register>()) {
            return self.remark(format, text, lines);
        }
        if matches!(format, Format::Gdb | Format::Lldb) {
            self.finish_stack();
        } else if let Some(stack) = &mut self.stack {
            stack.interrupted = true;
        }
        let name = self.name(format);
        if let Some(Event { what: EventKind::Registers { by, values }, lines: above, .. }) =
            self.trace.events.last_mut()
            && by == name
            && above.last + 1 == lines.first
            && above.piece == lines.piece
        {
            above.last = lines.last;
            values.extend(rows);
            return;
        }
        let what = EventKind::Registers { by: name.to_owned(), values: rows };
        match format {
            Format::Gdb => self.registers_of_session(what, lines),
            Format::Lldb => {
                let last = self.trace.stacks.last().filter(|stack| stack.format == name);
                let thread = last.and_then(|stack| stack.thread.clone());
                let stack = last.map(|_| self.trace.stacks.len() - 1);
                let event = self.event(what, thread, lines);
                self.tie(event, stack);
            }
            _ => {
                let thread = self.thread_of_fault(format);
                let event = self.event(what, thread, lines);
                self.fault(format, event);
            }
        }
    }

    /// gdb's registers: where the stop's stack has not been seen, they are of the one to come.
    fn registers_of_session(&mut self, what: EventKind, lines: Lines) {
        let stack = self.current_stack();
        let shown = stack.and_then(|stack| self.trace.stacks.get(stack)?.thread.clone());
        let thread = self.session.thread.clone().or(shown);
        let event = self.event(what, thread, lines);
        self.tie(event, stack);
        if stack.is_none() {
            self.session.registers.push(event);
        }
    }

    /// Ties the registers that were shown before the stack that comes next.
    pub(super) fn tie_registers(&mut self, stack: &Stack, from: ThreadFrom) {
        let next = self.trace.stacks.len();
        let events = &mut self.trace.events;
        self.session.registers.retain(|event| {
            let Some(event) = events.get_mut(*event) else { return false };
            let is_its = threads::is_stack_of(event, stack, from);
            if is_its {
                event.stack = Some(next);
            }
            !is_its
        });
    }

    fn tie(&mut self, event: usize, stack: Option<usize>) {
        if let Some(event) = self.trace.events.get_mut(event) {
            event.stack = stack;
        }
    }

    fn remark(&mut self, format: Format, text: String, lines: Lines) {
        if let Some(stack) = &mut self.stack {
            stack.interrupted = true;
        }
        let (first, last) = (lines.first, lines.last);
        let events = self.trace.events.len();
        let name = self.name(format);
        if let Some((index, line)) = self.reports.remark
            && line == first
            && let Some(Event { what: EventKind::Remark { by, .. }, lines, .. }) =
                self.trace.events.get_mut(index)
            && by == name
            && index + 1 == events
        {
            lines.last = last;
            self.reports.remark = Some((index, last + 1));
            return;
        }
        let index = self.event(EventKind::Remark { by: name.to_owned(), text }, None, lines);
        self.reports.remark = Some((index, last + 1));
    }

    /// Ties what was told to the stack that comes next, of this format.
    pub(super) fn tie_reports(&mut self, format: Format, label: &str, frames: &[Frame]) {
        let next = self.trace.stacks.len();
        let of_heap = |frame: &Frame| frame.function.as_deref().is_some_and(reports_heap);
        let belongs = |(by, _): &&(Format, usize)| {
            let heap = *by == Format::GlibcHeap;
            let checked =
                || format == Format::GlibcBacktrace || frames.iter().take(16).any(of_heap);
            // Python shows every thread; the one that crashed is the current one.
            let bystander = format == Format::Python && label.starts_with("Thread ");
            *by == format && !bystander || heap && checked()
        };
        let tied: Vec<(Format, usize)> =
            self.reports.faults.iter().filter(belongs).copied().collect();
        self.reports.faults.retain(|fault| !tied.contains(fault));
        let heading = self.reports.heading.take().filter(|_| format != Format::Gdb);
        for event in tied.into_iter().map(|(_, event)| event).chain(heading) {
            if let Some(event) = self.trace.events.get_mut(event) {
                event.stack = Some(next);
            }
        }
    }
}

/// Whether glibc's checks of heap and stack end in this function.
fn reports_heap(name: &str) -> bool {
    ["malloc_printerr", "__libc_message", "__fortify_fail", "__stack_chk_fail"]
        .contains(&&*public_name(name))
}

fn fault_of(format: &str, fault: Fault<'_>) -> EventKind {
    let Fault { what, address, place, .. } = fault;
    let (file, line, column) = match place {
        Some(place) => (Some(place.file), Some(place.line), place.column),
        None => (None, None, None),
    };
    let what = shorten(what, FAULT_TEXT);
    EventKind::Fault { by: format.to_owned(), what, address, file, line, column }
}

/// The module that a frame tells by giving its address both ways, or its build-id.
fn module_of(told: &Told, lines: &Lines) -> Option<Module> {
    let frame = &told.frame;
    let (path, offset) = (frame.module.clone()?, frame.module_offset?);
    let start = frame.address.map(|address| address.0.wrapping_sub(offset.0));
    let build_id = told.build_id.clone();
    (start.is_some() || build_id.is_some()).then_some(())?;
    let module =
        Module { build_id, lines: lines.clone(), ..listed(path, ModuleSource::FrameOffset) };
    Some(match told.format {
        Format::Coredump => {
            Module { start: start.map(RuntimeAddress), source: ModuleSource::Coredump, ..module }
        }
        _ => Module { bias: start.map(LoadBias), ..module },
    })
}

fn listed(path: String, source: ModuleSource) -> Module {
    Module {
        path,
        build_id: None,
        bias: None,
        start: None,
        end: None,
        file_offset: None,
        source,
        lines: Lines::default(),
    }
}
