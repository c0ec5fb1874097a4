//! On which stacks do the frames that a note names stand?

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::facts::Facts;
use super::number::number_of;
use super::scope::{Occasion, Scope};
use crate::notes::{Before, FramePattern, FramesOn, Globs, Runs, Start, integer};
use crate::trace::{Argument, Frame, Lines, Stack, Value, ValueKind};

/// Frames found on a stack.
pub(super) struct Found {
    pub(super) stack: usize,
    /// From the first frame named to the last, gaps included.
    pub(super) frames: Range<usize>,
}

/// The stacks on which the frames stand: with a count all of them, otherwise the first.
pub(super) fn find(facts: &Facts<'_>, asked: &FramesOn, scope: &Scope<'_>) -> Vec<Found> {
    let found = candidates(facts, asked, scope)
        .into_iter()
        .take_while(|_| facts.may_go_on())
        .filter(|stack| belongs(facts, asked, scope, *stack))
        .filter_map(|stack| Some(Found { stack, frames: place(facts, asked, stack)? }));
    match asked.count {
        None => found.take(1).collect(),
        Some(count) => {
            let found: Vec<Found> = found.collect();
            if stops(facts, &found) == count.get() { found } else { Vec::new() }
        }
    }
}

/// The stacks worth a look.
fn candidates(facts: &Facts<'_>, asked: &FramesOn, scope: &Scope<'_>) -> Vec<usize> {
    let signal = match scope.occasion {
        Occasion::Signal(number) => facts.signals().get(number),
        Occasion::Paste | Occasion::NoSignal => None,
    };
    if signal.is_some_and(|signal| !names(&asked.signal, signal.name)) {
        return Vec::new();
    }
    match (asked.before, signal) {
        (Some(Before::Signal), signal) => {
            signal.map_or_else(Vec::new, |signal| signal.before.clone())
        }
        (None, Some(signal)) if !asked.signal.is_empty() => {
            signal.event.stack.into_iter().collect()
        }
        (None, _) => rarest(facts, &asked.runs),
    }
}

/// Whether a signal is one of those asked for; none asked for is any.
fn names(asked: &[String], name: &str) -> bool {
    asked.is_empty() || asked.iter().any(|asked| asked == name)
}

/// The stacks that have the rarest of the functions named; all where none is by its whole name.
pub(super) fn rarest(facts: &Facts<'_>, runs: &Runs) -> Vec<usize> {
    let named = runs.frames().filter_map(FramePattern::names);
    let count = |names: &Vec<&str>| -> usize {
        names.iter().map(|name| facts.stacks_with(name).len()).sum()
    };
    let Some(names) = named.min_by_key(count) else {
        return (0..facts.trace.stacks.len()).collect();
    };
    let mut stacks: Vec<usize> =
        names.iter().flat_map(|name| facts.stacks_with(name)).copied().collect();
    if names.len() > 1 {
        stacks.sort_unstable();
        stacks.dedup();
    }
    stacks
}

fn belongs(facts: &Facts<'_>, asked: &FramesOn, scope: &Scope<'_>, stack: usize) -> bool {
    match asked.before {
        Some(Before::Signal) => !scope.rules_out(facts, stack),
        None => {
            // What stopped it is told, and is not what was asked for.
            let is_other = scope.occasion == Occasion::NoSignal
                && !asked.signal.is_empty()
                && facts.signal_of(stack).is_some();
            !is_other && scope.allows(facts, stack)
        }
    }
}

/// Where on a stack the frames stand, if its surroundings fit.
pub(super) fn place(facts: &Facts<'_>, asked: &FramesOn, stack: usize) -> Option<Range<usize>> {
    let frames = &facts.trace.stacks.get(stack)?.frames;
    let place = find_runs(frames, facts.names(stack), &asked.runs, asked.from)?;
    let place = span(&asked.runs, &place)?;
    let fits = asked.program.allow(facts.program(stack))
        && facts.stack_asserted_in(stack, &asked.asserted_in)
        && is_under(facts, stack, place.end, &asked.under);
    fits.then_some(place)
}

/// Whether, among the frames from `start` outward, one is of a function meant, or none is named.
pub(super) fn is_under(facts: &Facts<'_>, stack: usize, start: usize, meant: &Globs) -> bool {
    let mut outer = facts.names(stack).get(start..).unwrap_or_default().iter().flatten().peekable();
    meant.is_empty() || outer.peek().is_none() || outer.any(|name| meant.contain(name))
}

/// At how many places the program stopped: a stack printed twice at one stop, or in a loop, has
/// the same address in the outermost frame found. Stacks without addresses are counted singly.
pub(super) fn stops(facts: &Facts<'_>, found: &[Found]) -> usize {
    let addresses: Vec<Option<u64>> =
        found.iter().map(|found| outermost_address(facts, found)).collect();
    let known: BTreeSet<u64> = addresses.iter().copied().flatten().collect();
    known.len() + addresses.iter().filter(|address| address.is_none()).count()
}

/// The address of the last frame found; an inlined one has that of its machine frame.
fn outermost_address(facts: &Facts<'_>, found: &Found) -> Option<u64> {
    let frames = facts.trace.stacks.get(found.stack)?.frames.get(..found.frames.end)?;
    let physical = frames.last()?.physical;
    let machine = frames.iter().rev().take_while(|frame| frame.physical == physical);
    machine.filter_map(|frame| frame.address).map(|address| address.0).next()
}

/// Where each run begins, in order, the leftmost that fit. Taking each run as early as it fits
/// leaves the most room for the next, so nothing has to be tried twice.
pub(super) fn find_runs(
    frames: &[Frame],
    names: &[Option<Cow<'_, str>>],
    runs: &Runs,
    from: Start,
) -> Option<Vec<usize>> {
    let (first, others) = runs.split_first()?;
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
    let start = match from {
        Start::Anywhere => starts.find(|start| fits_at(first, *start)),
        Start::Top => starts.find(|start| is_top(frames, *start) && fits_at(first, *start)),
    }?;
    let mut places = vec![start];
    let mut end = start + first.len();
    for run in others {
        let start = (end..frames.len()).find(|start| fits_at(run, *start))?;
        places.push(start);
        end = start + run.len();
    }
    Some(places)
}

/// From the first frame of runs that begin there to the last.
pub(super) fn span(runs: &Runs, places: &[usize]) -> Option<Range<usize>> {
    let (_, last) = placed(runs, places).last()?;
    Some(*places.first()?..last + 1)
}

/// Each frame of the runs with its place.
pub(super) fn placed<'n, 'p>(
    runs: &'n Runs,
    places: &'p [usize],
) -> impl Iterator<Item = (&'n FramePattern, usize)> + use<'n, 'p> {
    let runs = runs.split_first().into_iter();
    let runs = runs.flat_map(|(first, others)| std::iter::once(first).chain(others));
    runs.zip(places).flat_map(|(run, start)| run.iter().zip(*start..))
}

/// The innermost frame, or the one a signal interrupted. A stack that was cut at its start, or one
/// frame that was selected, has no innermost one.
fn is_top(frames: &[Frame], index: usize) -> bool {
    match index.checked_sub(1) {
        None => frames.first().is_some_and(|frame| frame.index == 0),
        Some(before) => frames.get(before).is_some_and(|frame| frame.signal_handler),
    }
}

/// Whether a frame, whose public name is given, is the one that a note means.
pub(super) fn fits(frame: &Frame, name: Option<&str>, pattern: &FramePattern) -> bool {
    pattern.is_of(name)
        && !frame.signal_handler
        && pattern.pc.is_none_or(|pc| frame.address == Some(pc))
        && pattern.module.allow(frame.module.as_deref())
        && pattern.file.allow(frame.file.as_deref())
        && pattern.args.iter().all(|(argument, value)| has(&frame.arguments, argument, value))
        && pattern.printed.iter().all(|(name, value)| allow(&frame.arguments, name, value))
}

/// Whether the argument of that name, or every one for `*`, has the value where it is printed.
fn allow(arguments: &[Argument], name: &str, value: &str) -> bool {
    arguments.iter().filter(|argument| name == "*" || argument.name == name).all(|argument| {
        matches!(argument.value.kind, ValueKind::OptimizedOut | ValueKind::Unknown)
            || is(&argument.value, value)
    })
}

/// Whether the argument of that name, or any for `*`, has the value.
fn has(arguments: &[Argument], name: &str, value: &str) -> bool {
    arguments
        .iter()
        .any(|argument| (name == "*" || argument.name == name) && is(&argument.value, value))
}

/// Whether a printed value is the one written: as a number, a string or the text itself; `?name`
/// is whatever it is.
fn is(value: &Value, written: &str) -> bool {
    if written.starts_with('?') {
        return !matches!(value.kind, ValueKind::OptimizedOut | ValueKind::Unknown);
    }
    let number = integer(written);
    (number.is_some() && number_of(value) == number)
        || value.string.as_deref() == Some(written)
        || value.text == written
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
