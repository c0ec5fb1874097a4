//! In which order was all of a trace told?

use rustc_hash::FxHashMap;

use crate::trace::{Event, Lines, LogRecord, PrintedValue, Stack, Trace};

/// One thing that a paste tells.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told<'t> {
    Stack(&'t Stack),
    Event(&'t Event),
    Value(&'t PrintedValue),
    Record(&'t LogRecord),
}

impl<'t> Told<'t> {
    fn lines(&self) -> &'t Lines {
        match self {
            Told::Stack(stack) => &stack.lines,
            Told::Event(event) => &event.lines,
            Told::Value(value) => &value.lines,
            Told::Record(record) => &record.lines,
        }
    }
}

/// All that the trace tells, a piece after the other, in the order of its lines.
pub(super) fn in_order(trace: &Trace) -> Vec<Told<'_>> {
    let mut told: Vec<Told<'_>> = trace.events.iter().map(Told::Event).collect();
    told.extend(trace.stacks.iter().map(Told::Stack));
    told.extend(trace.values.iter().map(Told::Value));
    told.extend(trace.log.iter().map(Told::Record));
    let mut pieces: FxHashMap<Option<&str>, usize> = FxHashMap::default();
    for one in &told {
        let next = pieces.len();
        pieces.entry(one.lines().piece.as_deref()).or_insert(next);
    }
    // Stable: an event before the stack in whose first line it was found.
    told.sort_by_key(|one| {
        let lines = one.lines();
        (pieces.get(&lines.piece.as_deref()).copied(), lines.first)
    });
    told
}
