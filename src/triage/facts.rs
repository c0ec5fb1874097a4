//! What must be known of a trace before any note is tried?
//!
//! Names reduced once, stacks by the functions on them, log records by the patterns they match:
//! a note whose functions are not in the paste costs a few look-ups, whatever the paste's size.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::job::{Job, Stopped};
use crate::notes::{MemberPath, Notes};
use crate::trace::public_name;
use crate::trace::{Event, EventKind, Frame, Lines, LogRecord, Stack, Trace};

/// Work between two looks at the job.
const CHECK_EVERY: usize = 4096;

/// A trace with its indices.
pub(super) struct Facts<'t> {
    pub(super) trace: &'t Trace,
    stacks: Vec<StackFacts<'t>>,
    by_function: FxHashMap<Cow<'t, str>, Vec<usize>>,
    assertions: FxHashMap<String, Vec<Assertion<'t>>>,
    signals: Vec<Signal<'t>>,
    log: FxHashMap<&'t str, Vec<usize>>,
    /// The expression of each printed value, where it is a member path.
    paths: Vec<Option<MemberPath>>,
}

struct StackFacts<'t> {
    /// The public name of each frame; none for `??` and for the frame of a signal.
    names: Vec<Option<Cow<'t, str>>>,
    program: Option<&'t str>,
    signal: Option<&'t str>,
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
}

impl<'t> Facts<'t> {
    /// Reads the trace once.
    pub(super) fn of(job: &Job, trace: &'t Trace, notes: &'t Notes) -> Result<Self, Stopped> {
        let mut facts = Facts {
            trace,
            stacks: Vec::with_capacity(trace.stacks.len()),
            by_function: FxHashMap::default(),
            assertions: FxHashMap::default(),
            signals: Vec::new(),
            log: FxHashMap::default(),
            paths: Vec::with_capacity(trace.values.len()),
        };
        facts.read_stacks(job)?;
        facts.read_events(job)?;
        facts.read_log(job, notes)?;
        for (number, value) in trace.values.iter().enumerate() {
            check(job, number)?;
            let path = value.expression.as_deref().and_then(|text| MemberPath::parse(text).ok());
            facts.paths.push(path);
        }
        Ok(facts)
    }

    fn read_stacks(&mut self, job: &Job) -> Result<(), Stopped> {
        let mut frames = 0;
        for (index, stack) in self.trace.stacks.iter().enumerate() {
            let mut names = Vec::with_capacity(stack.frames.len());
            for frame in &stack.frames {
                frames += 1;
                check(job, frames)?;
                let name = name_of(frame);
                if let Some(name) = &name {
                    let stacks = self.by_function.entry(name.clone()).or_default();
                    if stacks.last() != Some(&index) {
                        stacks.push(index);
                    }
                }
                names.push(name);
            }
            let program = program_of(stack, &names);
            self.stacks.push(StackFacts { names, program, signal: None });
        }
        Ok(())
    }

    fn read_events(&mut self, job: &Job) -> Result<(), Stopped> {
        for (number, event) in self.trace.events.iter().enumerate() {
            check(job, number)?;
            let stack = event.stack.and_then(|stack| self.stacks.get_mut(stack));
            match &event.what {
                EventKind::Signal { name, .. } => {
                    if let Some(stack) = stack {
                        stack.signal = Some(name);
                    }
                    self.signals.push(Signal { event, name });
                }
                EventKind::Assertion { expression, file, function, program, .. } => {
                    let stack_program = stack.and_then(|stack| stack.program);
                    let assertion = Assertion {
                        event,
                        function: public_name(function.as_deref().unwrap_or_default()),
                        file: file.as_deref(),
                        program: program.as_deref().or(stack_program),
                    };
                    self.assertions.entry(unspaced(expression)).or_default().push(assertion);
                }
                EventKind::Breakpoint { .. } | EventKind::Session { .. } => {}
            }
        }
        Ok(())
    }

    fn read_log(&mut self, job: &Job, notes: &'t Notes) -> Result<(), Stopped> {
        let patterns = notes.patterns();
        if patterns.is_empty() {
            return Ok(());
        }
        for (number, record) in self.trace.log.iter().enumerate() {
            check(job, number)?;
            for matched in &patterns.matches(&record.text) {
                if let Some(pattern) = patterns.patterns().get(matched) {
                    self.log.entry(pattern).or_default().push(number);
                }
            }
        }
        Ok(())
    }

    /// The failed assertions with this expression; spaces do not count.
    pub(super) fn assertions(&self, expression: &str) -> &[Assertion<'t>] {
        self.assertions.get(&unspaced(expression)).map_or(&[], Vec::as_slice)
    }

    /// Every failed assertion.
    pub(super) fn all_assertions(&self) -> impl Iterator<Item = &Assertion<'t>> {
        self.assertions.values().flatten()
    }

    /// The signals, in the order of the text.
    pub(super) fn signals(&self) -> &[Signal<'t>] {
        &self.signals
    }

    /// The stacks with a frame of this function, in the order of the text.
    pub(super) fn stacks_with(&self, function: &str) -> &[usize] {
        self.by_function.get(function).map_or(&[], Vec::as_slice)
    }

    /// The public names of a stack's frames.
    pub(super) fn names(&self, stack: usize) -> &[Option<Cow<'t, str>>] {
        self.stacks.get(stack).map_or(&[], |stack| stack.names.as_slice())
    }

    /// The program a stack belongs to, where it says.
    pub(super) fn program(&self, stack: usize) -> Option<&'t str> {
        self.stacks.get(stack)?.program
    }

    /// Every program a stack names, with the lines of that stack.
    pub(super) fn programs(&self) -> impl Iterator<Item = (&'t str, &'t Lines)> {
        let stacks = self.stacks.iter().zip(&self.trace.stacks);
        stacks.filter_map(|(facts, stack)| Some((facts.program?, &stack.lines)))
    }

    /// The signal a stack was printed for, where the text says.
    pub(super) fn signal(&self, stack: usize) -> Option<&'t str> {
        self.stacks.get(stack)?.signal
    }

    /// The records that match a pattern of the notes.
    pub(super) fn log(&self, pattern: &str) -> impl Iterator<Item = &'t LogRecord> {
        let records = self.log.get(pattern).map_or(&[] as &[usize], Vec::as_slice);
        records.iter().filter_map(|record| self.trace.log.get(*record))
    }

    /// The member paths of the printed values, one a value.
    pub(super) fn paths(&self) -> &[Option<MemberPath>] {
        &self.paths
    }
}

fn check(job: &Job, number: usize) -> Result<(), Stopped> {
    if number.is_multiple_of(CHECK_EVERY) { job.check() } else { Ok(()) }
}

fn name_of(frame: &Frame) -> Option<Cow<'_, str>> {
    frame.function.as_deref().filter(|_| !frame.signal_handler).map(public_name)
}

fn unspaced(expression: &str) -> String {
    expression.split_whitespace().collect()
}

/// The program is where `main` is: its module, or else the name of its source file, which says
/// nothing when it is `main` as well.
fn program_of<'t>(stack: &'t Stack, names: &[Option<Cow<'t, str>>]) -> Option<&'t str> {
    let main = names.iter().rposition(|name| name.as_deref() == Some("main"))?;
    let main = stack.frames.get(main)?;
    if let Some(module) = &main.module {
        return Some(module);
    }
    let file = main.file.as_deref()?.rsplit('/').next()?;
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    (stem != "main").then_some(stem)
}
