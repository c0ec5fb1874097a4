//! What must be known of a trace before any note is tried?
//!
//! Names reduced once, stacks by the functions on them, signals with the stacks and assertions that
//! belong to them, log records by the patterns they match: a note whose functions are not in the
//! paste costs a few look-ups, whatever the paste's size.

use std::borrow::Cow;
use std::cell::Cell;

use rustc_hash::FxHashMap;

use super::in_text::InText;
use super::lives::{self, ObjectLife};
use super::number::number_of;
use super::program;
use crate::job::{Job, Stopped};
use crate::notes::{Clue, MemberPath, Notes};
use crate::public_name::public_name;
use crate::trace::{Event, EventKind, Frame, Lines, LogRecord, Trace};

/// Work between two looks at the job.
const CHECK_EVERY: usize = 4096;

/// A trace with its indices.
pub(super) struct Facts<'t> {
    pub(super) trace: &'t Trace,
    /// The objects that were followed through its logs.
    pub(super) lives: Vec<ObjectLife>,
    job: &'t Job,
    work: Cell<usize>,
    stacks: Vec<StackFacts<'t>>,
    by_function: FxHashMap<Cow<'t, str>, Vec<usize>>,
    assertions: Vec<Assertion<'t>>,
    by_expression: FxHashMap<String, Vec<usize>>,
    signals: Vec<Signal<'t>>,
    /// The first stop at a breakpoint in each function.
    breakpoints: FxHashMap<Cow<'t, str>, &'t Event>,
    in_text: InText<'t>,
    main_threads: FxHashMap<Option<&'t str>, Option<&'t str>>,
    log: FxHashMap<&'t str, Vec<usize>>,
    /// The faults by the patterns that their words match.
    faults: FxHashMap<&'t str, Vec<&'t Event>>,
    /// The expression of each printed value, where it is a member path.
    paths: Vec<Option<MemberPath>>,
}

struct StackFacts<'t> {
    /// The public name of each frame; none for `??` and for the frame of a signal.
    names: Vec<Option<Cow<'t, str>>>,
    program: Option<&'t str>,
    /// The signal it was printed for.
    signal: Option<usize>,
    /// The assertions it shows.
    assertions: Vec<usize>,
}

/// A failed assertion.
pub(super) struct Assertion<'t> {
    pub(super) event: &'t Event,
    pub(super) function: Cow<'t, str>,
    pub(super) file: Option<&'t str>,
    /// As its message names it, or else the stack it is on.
    pub(super) program: Option<&'t str>,
}

/// A signal that stopped the program.
pub(super) struct Signal<'t> {
    pub(super) event: &'t Event,
    pub(super) name: &'t str,
    /// The program, where the text says.
    pub(super) program: Option<&'t str>,
    /// The stacks between the signal before it and this one.
    pub(super) before: Vec<usize>,
    /// The assertion messages that it followed.
    assertions: Vec<usize>,
}

impl<'t> Facts<'t> {
    /// Reads the trace once.
    pub(super) fn of(job: &'t Job, trace: &'t Trace, notes: &'t Notes) -> Result<Self, Stopped> {
        let mut facts = Facts {
            trace,
            lives: Vec::new(),
            job,
            work: Cell::new(0),
            stacks: Vec::with_capacity(trace.stacks.len()),
            by_function: FxHashMap::default(),
            assertions: Vec::new(),
            by_expression: FxHashMap::default(),
            signals: Vec::new(),
            breakpoints: FxHashMap::default(),
            in_text: InText::default(),
            main_threads: program::main_threads(trace),
            log: FxHashMap::default(),
            faults: FxHashMap::default(),
            paths: Vec::with_capacity(trace.values.len()),
        };
        facts.read_stacks()?;
        facts.read_events()?;
        facts.read_messages()?;
        facts.read_log(notes)?;
        facts.lives = lives::lives(&facts, notes.objects());
        for value in &trace.values {
            facts.check()?;
            let path = value.expression.as_deref().and_then(|text| MemberPath::parse(text).ok());
            facts.paths.push(path);
        }
        Ok(facts)
    }

    fn read_stacks(&mut self) -> Result<(), Stopped> {
        for (index, stack) in self.trace.stacks.iter().enumerate() {
            let mut names = Vec::with_capacity(stack.frames.len());
            for frame in &stack.frames {
                self.check()?;
                let name = name_of(frame);
                if let Some(name) = &name {
                    let stacks = self.by_function.entry(name.clone()).or_default();
                    if stacks.last() != Some(&index) {
                        stacks.push(index);
                    }
                }
                names.push(name);
            }
            let program =
                program::of_stack(stack, &names).or_else(|| self.main_thread(&stack.lines));
            self.stacks.push(StackFacts { names, program, signal: None, assertions: Vec::new() });
        }
        Ok(())
    }

    /// The name of the session's first thread.
    fn main_thread(&self, lines: &Lines) -> Option<&'t str> {
        self.main_threads.get(&lines.piece.as_deref()).copied().flatten()
    }

    fn read_events(&mut self) -> Result<(), Stopped> {
        for event in &self.trace.events {
            self.check()?;
            let main_thread = self.main_thread(&event.lines);
            let stack = event.stack.and_then(|stack| self.stacks.get_mut(stack));
            let stack_program = stack.as_ref().and_then(|stack| stack.program);
            match &event.what {
                EventKind::Signal { name, .. } => {
                    if let Some(stack) = stack {
                        stack.signal = Some(self.signals.len());
                    }
                    self.signals.push(Signal {
                        event,
                        name,
                        program: stack_program.or(main_thread),
                        before: Vec::new(),
                        assertions: Vec::new(),
                    });
                }
                EventKind::Assertion { expression, file, function, program, .. } => {
                    let number = self.assertions.len();
                    if let Some(stack) = stack {
                        stack.assertions.push(number);
                    }
                    self.by_expression.entry(unspaced(expression)).or_default().push(number);
                    self.assertions.push(Assertion {
                        event,
                        function: public_name(function.as_deref().unwrap_or_default()),
                        file: file.as_deref(),
                        program: program.as_deref().or(stack_program),
                    });
                }
                EventKind::Breakpoint { .. } => {
                    if let Some(name) = event.frame.as_deref().and_then(name_of) {
                        self.breakpoints.entry(name).or_insert(event);
                    }
                }
                EventKind::Fault { .. }
                | EventKind::Program { .. }
                | EventKind::Remark { .. }
                | EventKind::Registers { .. }
                | EventKind::Session { .. } => {}
            }
        }
        let signals = self.signals.iter().map(|signal| &signal.event.lines);
        self.in_text = InText::of(signals.zip(0..));
        for (index, stack) in self.trace.stacks.iter().enumerate() {
            let next = self.in_text.next(&stack.lines);
            if let Some(signal) = next.and_then(|next| self.signals.get_mut(next)) {
                signal.before.push(index);
            }
        }
        Ok(())
    }

    /// An assertion's message is printed before the program aborts, and so belongs to the SIGABRT
    /// that follows it, or else to the stack with `__assert_fail`; text that is copied from two
    /// windows may have it behind.
    fn read_messages(&mut self) -> Result<(), Stopped> {
        let aborts = self.signals.iter().zip(0..).filter(|(signal, _)| signal.name == "SIGABRT");
        let aborts = InText::of(aborts.map(|(signal, number)| (&signal.event.lines, number)));
        let failing = self.stacks_with("__assert_fail").iter();
        let stacks = &self.trace.stacks;
        let failing = InText::of(failing.filter_map(|&at| Some((&stacks.get(at)?.lines, at))));
        for (number, assertion) in self.assertions.iter().enumerate() {
            self.check()?;
            if assertion.event.stack.is_some() {
                continue;
            }
            let lines = &assertion.event.lines;
            let abort = aborts.nearest(lines).and_then(|abort| self.signals.get_mut(abort));
            let stack = failing.nearest(lines).and_then(|stack| self.stacks.get_mut(stack));
            match (abort, stack) {
                (Some(abort), _) => abort.assertions.push(number),
                (None, Some(stack)) => stack.assertions.push(number),
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn read_log(&mut self, notes: &'t Notes) -> Result<(), Stopped> {
        let patterns = notes.patterns();
        if patterns.is_empty() {
            return Ok(());
        }
        for (number, record) in self.trace.log.iter().enumerate() {
            self.check()?;
            for pattern in patterns.matching(&record.text) {
                self.log.entry(pattern).or_default().push(number);
            }
        }
        for event in &self.trace.events {
            self.check()?;
            let EventKind::Fault { what, .. } = &event.what else { continue };
            for pattern in patterns.matching(what) {
                self.faults.entry(pattern).or_default().push(event);
            }
        }
        Ok(())
    }

    /// What the paste holds that a note may need.
    pub(super) fn clues(&self) -> impl Iterator<Item = Clue<'_>> {
        let functions = self.by_function.keys().map(|name| Clue::Function(name));
        let asserting = self.assertions.iter().map(|one| Clue::AssertingFunction(&one.function));
        let expressions = self.by_expression.keys().map(|text| Clue::Expression(text));
        let patterns = self.log.keys().chain(self.faults.keys());
        let patterns = patterns.map(|pattern| Clue::Pattern(pattern));
        let breakpoints = self.breakpoints.keys().map(|name| Clue::Breakpoint(name));
        let objects = self.lives.iter().map(|life| Clue::Object(&life.name));
        let events = asserting.chain(expressions).chain(breakpoints);
        functions.chain(events).chain(patterns).chain(objects).chain([Clue::Value])
    }

    /// Asks the job now and then.
    fn check(&self) -> Result<(), Stopped> {
        self.work.set(self.work.get().wrapping_add(1));
        if self.work.get().is_multiple_of(CHECK_EVERY) { self.job.check() } else { Ok(()) }
    }

    /// Whether a search may go on. A report made after it was told not to is of no use.
    pub(super) fn may_go_on(&self) -> bool {
        self.check().is_ok()
    }

    /// The failed assertions with this expression, or all for `*`; spaces do not count.
    pub(super) fn assertions<'f>(
        &'f self,
        expression: &str,
    ) -> impl Iterator<Item = &'f Assertion<'t>> + use<'f, 't> {
        let wanted = (expression != "*").then(|| unspaced(expression));
        let numbers = wanted
            .as_ref()
            .map(|wanted| self.by_expression.get(wanted).map_or(&[] as &[usize], Vec::as_slice));
        let all = if numbers.is_none() { self.assertions.as_slice() } else { &[] };
        let named = numbers.unwrap_or_default().iter();
        named.filter_map(|number| self.assertions.get(*number)).chain(all)
    }

    /// Every failed assertion.
    pub(super) fn all_assertions(&self) -> &[Assertion<'t>] {
        &self.assertions
    }

    /// The signals, in the order of the text.
    pub(super) fn signals(&self) -> &[Signal<'t>] {
        &self.signals
    }

    /// The first stop at a breakpoint in this function.
    pub(super) fn breakpoint_in(&self, function: &str) -> Option<&'t Event> {
        self.breakpoints.get(function).copied()
    }

    /// Whether no signal of the same text follows the lines.
    pub(super) fn is_after_signals(&self, lines: &Lines) -> bool {
        self.in_text.is_over(lines)
    }

    /// The stacks with a frame of this function, in the order of the text.
    pub(super) fn stacks_with(&self, function: &str) -> &[usize] {
        self.by_function.get(function).map_or(&[], Vec::as_slice)
    }

    /// The public names of a stack's frames.
    pub(super) fn names(&self, stack: usize) -> &[Option<Cow<'t, str>>] {
        self.stacks.get(stack).map_or(&[], |stack| stack.names.as_slice())
    }

    /// The number of the first stack that is printed for an assertion, a signal or a fault, which
    /// are asked in that order.
    pub(super) fn crashed_stack(&self) -> Option<usize> {
        let of = |is_such: fn(&EventKind) -> bool| {
            let mut events = self.trace.events.iter().filter(|event| is_such(&event.what));
            events.find_map(|event| event.stack)
        };
        of(|what| matches!(what, EventKind::Assertion { .. }))
            .or_else(|| of(|what| matches!(what, EventKind::Signal { .. })))
            .or_else(|| of(|what| matches!(what, EventKind::Fault { .. })))
    }

    /// The program a stack belongs to, where the text says.
    pub(super) fn program(&self, stack: usize) -> Option<&'t str> {
        self.stacks.get(stack)?.program
    }

    /// Every program a stack names, with the lines of that stack.
    pub(super) fn programs(&self) -> impl Iterator<Item = (&'t str, &'t Lines)> {
        let stacks = self.stacks.iter().zip(&self.trace.stacks);
        stacks.filter_map(|(facts, stack)| Some((facts.program?, &stack.lines)))
    }

    /// The number of the signal a stack was printed for, where the text says.
    pub(super) fn signal_of(&self, stack: usize) -> Option<usize> {
        self.stacks.get(stack)?.signal
    }

    /// Whether every assertion that the text shows with a stack failed in one of these functions.
    pub(super) fn stack_asserted_in(&self, stack: usize, functions: &[String]) -> bool {
        let Some(stack) = self.stacks.get(stack) else { return true };
        self.are_in(&stack.assertions, functions)
            && stack.signal.is_none_or(|signal| self.messages_in(signal, functions))
    }

    /// Whether every assertion that the text shows with a signal failed in one of these functions.
    pub(super) fn signal_asserted_in(&self, signal: usize, functions: &[String]) -> bool {
        let stack = self.signals.get(signal).and_then(|signal| signal.event.stack);
        self.messages_in(signal, functions)
            && stack
                .and_then(|stack| self.stacks.get(stack))
                .is_none_or(|stack| self.are_in(&stack.assertions, functions))
    }

    fn messages_in(&self, signal: usize, functions: &[String]) -> bool {
        let signal = self.signals.get(signal);
        signal.is_none_or(|signal| self.are_in(&signal.assertions, functions))
    }

    fn are_in(&self, assertions: &[usize], functions: &[String]) -> bool {
        let mut failed = assertions.iter().filter_map(|number| self.assertions.get(*number));
        functions.is_empty()
            || failed.all(|failed| {
                failed.function.is_empty() || functions.iter().any(|name| *name == failed.function)
            })
    }

    /// The records that match a pattern of the notes.
    pub(super) fn log(&self, pattern: &str) -> impl Iterator<Item = &'t LogRecord> {
        let records = self.log.get(pattern).map_or(&[] as &[usize], Vec::as_slice);
        records.iter().filter_map(|record| self.trace.log.get(*record))
    }

    /// The faults whose words match a pattern of the notes.
    pub(super) fn faults(&self, pattern: &str) -> impl Iterator<Item = &'t Event> {
        self.faults.get(pattern).into_iter().flatten().copied()
    }

    /// The address that could not be accessed, where the text says: the kernel's line, a checking
    /// tool's report on the same stack, or the signal's own information as printed after it.
    pub(super) fn fault_address(&self, signal: usize) -> Option<i128> {
        let signal = self.signals.get(signal)?;
        let EventKind::Signal { meaning, .. } = &signal.event.what else { return None };
        let in_line = meaning.as_deref().and_then(|meaning| meaning.strip_prefix("segfault at "));
        if let Some(address) = in_line.and_then(|hex| i128::from_str_radix(hex, 16).ok()) {
            return Some(address);
        }
        let reported = self.trace.events.iter().find_map(|event| match &event.what {
            EventKind::Fault { address, .. } if event.stack.is_some() => {
                address.filter(|_| event.stack == signal.event.stack)
            }
            _ => None,
        });
        let printed = || {
            let mut values = self.trace.values.iter();
            let printed = values.find(|value| {
                let shown = value.expression.as_deref().unwrap_or_default();
                shown.starts_with("$_siginfo")
                    && shown.ends_with("si_addr")
                    && value.lines.piece == signal.event.lines.piece
                    && value.lines.first > signal.event.lines.first
            });
            printed.and_then(|printed| number_of(&printed.value))
        };
        reported.map(|address| i128::from(address.0)).or_else(printed)
    }

    /// The paths of programs and libraries that the paste names, or that its addresses were found
    /// in.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'t str, &'t Lines)> + use<'t> {
        let trace = self.trace;
        let modules = trace.modules.iter().map(|module| (module.path.as_str(), &module.lines));
        let frames = trace.stacks.iter().flat_map(|stack| &stack.frames).flat_map(|frame| {
            let found = frame.resolved.as_ref().map(|resolved| resolved.module.as_str());
            frame.module.as_deref().into_iter().chain(found).map(|path| (path, &frame.lines))
        });
        modules.chain(frames)
    }

    /// The member paths of the printed values, one a value.
    pub(super) fn paths(&self) -> &[Option<MemberPath>] {
        &self.paths
    }
}

fn name_of(frame: &Frame) -> Option<Cow<'_, str>> {
    frame.function.as_deref().filter(|_| !frame.signal_handler).map(public_name)
}

pub(super) fn unspaced(expression: &str) -> String {
    expression.split_whitespace().collect()
}
