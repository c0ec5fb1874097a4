//! On which stacks do the frames that a note names stand?

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::facts::Facts;
use crate::notes::{Before, FramePattern, FramesOn, Start, integer};
use crate::trace::{Argument, Frame, Lines, Stack, Value};

/// Frames found on a stack.
pub(super) struct Found {
    pub(super) stack: usize,
    /// From the first frame named to the last, gaps included.
    pub(super) frames: Range<usize>,
}

/// Every stack, but for those excluded, on which the frames stand.
pub(super) fn find(facts: &Facts<'_>, asked: &FramesOn, excluded: &BTreeSet<usize>) -> Vec<Found> {
    let found = candidates(facts, asked)
        .iter()
        .filter(|stack| !excluded.contains(stack))
        .filter(|stack| fits_surroundings(facts, asked, **stack))
        .filter_map(|&stack| {
            let frames = &facts.trace.stacks.get(stack)?.frames;
            let frames = find_runs(frames, facts.names(stack), asked)?;
            Some(Found { stack, frames })
        });
    let found: Vec<Found> = found.collect();
    match asked.before {
        Some(Before::Signal) => before_a_signal(facts, asked, found),
        None if asked.count.is_some_and(|count| count.get() != found.len()) => Vec::new(),
        None => found,
    }
}

/// The stacks that have the rarest of the functions named: the only ones worth a look.
fn candidates<'f>(facts: &'f Facts<'_>, asked: &FramesOn) -> &'f [usize] {
    let functions = asked.runs.iter().flatten().filter_map(|frame| frame.function.as_deref());
    functions.map(|name| facts.stacks_with(name)).min_by_key(|stacks| stacks.len()).unwrap_or(&[])
}

/// Program and signal, where the paste names them.
fn fits_surroundings(facts: &Facts<'_>, asked: &FramesOn, stack: usize) -> bool {
    let signal = facts.signal(stack);
    asked.program.allow(facts.program(stack))
        && (asked.signal.is_empty()
            || signal.is_none_or(|name| asked.signal.iter().any(|asked| asked == name)))
}

/// The stacks between one signal and the one before it in the same text; with a count, exactly so
/// many. The first signal that has them wins.
fn before_a_signal(facts: &Facts<'_>, asked: &FramesOn, found: Vec<Found>) -> Vec<Found> {
    let place = |lines: &'_ Lines| (lines.piece.clone(), lines.first);
    let signals: BTreeSet<(Option<String>, usize)> =
        facts.signals().iter().map(|signal| place(&signal.event.lines)).collect();
    let mut groups: BTreeMap<&(Option<String>, usize), Vec<Found>> = BTreeMap::new();
    for found in found {
        let Some(stack) = facts.trace.stacks.get(found.stack) else { continue };
        match signals.range(place(&stack.lines)..).next() {
            Some(signal) if signal.0 == stack.lines.piece => {
                groups.entry(signal).or_default().push(found);
            }
            _ => {}
        }
    }
    let fits = |group: &Vec<Found>| asked.count.is_none_or(|count| group.len() == count.get());
    groups.into_values().find(fits).unwrap_or_default()
}

/// The frames of all runs in order, the leftmost that fit. Taking each run as early as it fits
/// leaves the most room for the next, so nothing has to be tried twice.
fn find_runs(
    frames: &[Frame],
    names: &[Option<Cow<'_, str>>],
    asked: &FramesOn,
) -> Option<Range<usize>> {
    let (first, others) = asked.runs.split_first()?;
    let fits_at = |run: &[FramePattern], start: usize| {
        run.iter().enumerate().all(|(step, pattern)| {
            let at = start + step;
            match (frames.get(at), names.get(at)) {
                (Some(frame), Some(name)) => fits(frame, name.as_deref(), pattern),
                _ => false,
            }
        })
    };
    let mut starts = 0..frames.len();
    let start = match asked.from {
        Start::Anywhere => starts.find(|start| fits_at(first, *start)),
        Start::Top => starts.find(|start| is_top(frames, *start) && fits_at(first, *start)),
    }?;
    let mut end = start + first.len();
    for run in others {
        end = (end..frames.len()).find(|start| fits_at(run, *start))? + run.len();
    }
    Some(start..end)
}

/// The innermost frame, or the one a signal interrupted.
fn is_top(frames: &[Frame], index: usize) -> bool {
    match index.checked_sub(1) {
        None => true,
        Some(before) => frames.get(before).is_some_and(|frame| frame.signal_handler),
    }
}

/// Whether a frame, whose public name is given, is the one that a note means.
pub(super) fn fits(frame: &Frame, name: Option<&str>, pattern: &FramePattern) -> bool {
    name == pattern.function.as_deref()
        && !frame.signal_handler
        && pattern.pc.is_none_or(|pc| frame.address == Some(pc))
        && pattern.module.allow(frame.module.as_deref())
        && pattern.file.allow(frame.file.as_deref())
        && pattern.args.iter().all(|(argument, value)| has(&frame.arguments, argument, value))
}

/// Whether the argument of that name, or any for `*`, has the value.
fn has(arguments: &[Argument], name: &str, value: &str) -> bool {
    arguments
        .iter()
        .any(|argument| (name == "*" || argument.name == name) && is(&argument.value, value))
}

/// Whether a printed value is the one written: as a number, a string or the text itself.
fn is(value: &Value, written: &str) -> bool {
    let number = integer(written);
    (number.is_some() && number_of(value) == number)
        || value.string.as_deref() == Some(written)
        || value.text == written
}

/// The whole number that a value is; `'a'` behind it and the string behind a pointer do not count.
pub(super) fn number_of(value: &Value) -> Option<i128> {
    match value.address {
        Some(address) => Some(i128::from(address.0)),
        None => integer(value.text.split_whitespace().next()?),
    }
}

/// The lines of some frames of a stack.
pub(super) fn lines_of(stack: &Stack, frames: &Range<usize>) -> Lines {
    let frames = stack.frames.get(frames.clone()).unwrap_or_default();
    match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => join(&first.lines, &last.lines),
        _ => stack.lines.clone(),
    }
}

/// From the first lines to the last, where both are in one text.
pub(super) fn join(first: &Lines, last: &Lines) -> Lines {
    let mut lines = first.clone();
    if first.piece == last.piece {
        lines.last = lines.last.max(last.last);
    }
    lines
}
