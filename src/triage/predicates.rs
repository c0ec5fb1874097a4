//! Does a predicate hold on the trace, and what shows it?

use std::collections::BTreeSet;

use super::facts::{Assertion, Facts};
use super::frames::{self, Found};
use super::report::Evidence;
use super::values;
use crate::notes::{AssertionFailed, Expected, FramesOn, Logged, Predicate, Ran, Stopped, ValueIs};
use crate::trace::{EventKind, Frame, Lines, Value};

/// How much of a line evidence repeats, in characters.
const MAX_TEXT: usize = 240;

/// What shows that the predicate holds; nothing where it does not. Stacks in `excluded`, and what
/// belongs to them, are not looked at.
pub(super) fn evidence(
    facts: &Facts<'_>,
    predicate: &Predicate,
    excluded: &BTreeSet<usize>,
) -> Option<Evidence> {
    let (lines, text) = match predicate {
        Predicate::Assertion(asked) => assertion(facts, asked, excluded),
        Predicate::Frames(asked) => frames(facts, asked, excluded),
        Predicate::Value(asked) => value(facts, asked, excluded),
        Predicate::Log(asked) => log(facts, asked),
        Predicate::Signal(asked) => signal(facts, asked, excluded),
        Predicate::Program(asked) => program(facts, asked),
    }?;
    Some(Evidence { what: predicate.to_string(), lines, text: shorten(&text), required: false })
}

/// The stacks that a predicate of a signature's `none` rules out.
pub(super) fn stacks_where(facts: &Facts<'_>, predicate: &Predicate) -> Vec<usize> {
    match predicate {
        Predicate::Frames(asked) => frames::find(facts, asked, &BTreeSet::new())
            .into_iter()
            .map(|found| found.stack)
            .collect(),
        _ => Vec::new(),
    }
}

fn is_excluded(stack: Option<usize>, excluded: &BTreeSet<usize>) -> bool {
    stack.is_some_and(|stack| excluded.contains(&stack))
}

fn assertion(
    facts: &Facts<'_>,
    asked: &AssertionFailed,
    excluded: &BTreeSet<usize>,
) -> Option<(Lines, String)> {
    let failed = facts.assertions(&asked.expression).iter().find(|failed| {
        !is_excluded(failed.event.stack, excluded)
            && failed.function == asked.function
            && asked.file.allow(failed.file)
            && asked.program.allow(failed.program)
            && has_caller(facts, asked, failed)
    })?;
    Some((failed.event.lines.clone(), in_words(failed)))
}

/// `assertion fd == ev->fd failed in libxl_osevent_occurred_fd, libxl_event.c:1020`.
fn in_words(failed: &Assertion<'_>) -> String {
    let EventKind::Assertion { expression, line, .. } = &failed.event.what else {
        return String::new();
    };
    let mut text = format!("assertion {expression} failed in {}", failed.function);
    if let Some(file) = failed.file {
        text.push_str(&format!(", {file}"));
    }
    if let Some(line) = line {
        text.push_str(&format!(":{line}"));
    }
    text
}

/// Whether the frame that called `__assert_fail`, where there is a stack that names one, is the
/// one meant. It is not always the function of the assertion, which may have been inlined.
fn has_caller(facts: &Facts<'_>, asked: &AssertionFailed, failed: &Assertion<'_>) -> bool {
    let Some(pattern) = &asked.caller else { return true };
    let Some(stack) = failed.event.stack else { return true };
    let names = facts.names(stack);
    let failing = names.iter().position(|name| name.as_deref() == Some("__assert_fail"));
    let caller = failing.map(|failing| failing + 1);
    let stacks = &facts.trace.stacks;
    let frame = caller.and_then(|caller| stacks.get(stack)?.frames.get(caller));
    match (frame, caller.and_then(|caller| names.get(caller))) {
        (Some(frame), Some(Some(name))) => frames::fits(frame, Some(name), pattern),
        _ => true,
    }
}

fn frames(
    facts: &Facts<'_>,
    asked: &FramesOn,
    excluded: &BTreeSet<usize>,
) -> Option<(Lines, String)> {
    let found = frames::find(facts, asked, excluded);
    let first = found.first()?;
    let lines = lines(facts, first)?;
    match asked.count.and(found.last()) {
        Some(last) => {
            let lines = frames::join(&lines, &self::lines(facts, last)?);
            Some((lines, format!("{} stops: {}", found.len(), chain(facts, first)?)))
        }
        None => Some((lines, chain(facts, first)?)),
    }
}

fn lines(facts: &Facts<'_>, found: &Found) -> Option<Lines> {
    Some(frames::lines_of(facts.trace.stacks.get(found.stack)?, &found.frames))
}

/// The frames as printed: `#3 f () from lib ← #4 g () at g.c:7`.
fn chain(facts: &Facts<'_>, found: &Found) -> Option<String> {
    let frames = facts.trace.stacks.get(found.stack)?.frames.get(found.frames.clone())?;
    // The shortened text shows no more than these, however deep the stack.
    let shown: Vec<String> = frames.iter().take(MAX_TEXT / 4).map(frame_text).collect();
    Some(shown.join(" ← "))
}

fn frame_text(frame: &Frame) -> String {
    let mut text = format!("#{} {}", frame.index, frame.function.as_deref().unwrap_or("??"));
    if let (Some(file), Some(line)) = (&frame.file, frame.line) {
        text.push_str(&format!(" at {file}:{line}"));
    } else if let Some(module) = &frame.module {
        text.push_str(&format!(" from {module}"));
    }
    text
}

fn value(
    facts: &Facts<'_>,
    asked: &ValueIs,
    excluded: &BTreeSet<usize>,
) -> Option<(Lines, String)> {
    let shown = values::find(facts, &asked.path, asked.function.as_deref())
        .find(|shown| !is_excluded(shown.stack, excluded) && is(shown.value, &asked.equals))?;
    Some((shown.lines.clone(), format!("{} = {}", asked.shown, shown.value.text)))
}

fn is(value: &Value, expected: &Expected) -> bool {
    match expected {
        Expected::Number(comparison) => {
            frames::number_of(value).is_some_and(|number| comparison.holds(number))
        }
        Expected::Text(text) => {
            value.string.as_deref().is_some_and(|string| string == text) || value.text == *text
        }
    }
}

fn log(facts: &Facts<'_>, asked: &Logged) -> Option<(Lines, String)> {
    let allowed = |among: &[String], printed: Option<&str>| {
        among.is_empty() || printed.is_some_and(|printed| among.iter().any(|one| one == printed))
    };
    let mut records = asked
        .patterns
        .iter()
        .flat_map(|pattern| facts.log(pattern))
        .filter(|record| allowed(&asked.format, Some(&record.format)))
        .filter(|record| allowed(&asked.level, record.level.as_deref()));
    let first = records.next()?;
    let text = match records.count() {
        0 => first.text.clone(),
        more => format!("{} (and {more} more)", shorten(&first.text)),
    };
    Some((first.lines.clone(), text))
}

fn signal(
    facts: &Facts<'_>,
    asked: &Stopped,
    excluded: &BTreeSet<usize>,
) -> Option<(Lines, String)> {
    let signal = facts.signals().iter().find(|signal| {
        let program = signal.event.stack.and_then(|stack| facts.program(stack));
        asked.names.iter().any(|name| name == signal.name)
            && !is_excluded(signal.event.stack, excluded)
            && asked.program.allow(program)
    })?;
    let EventKind::Signal { meaning, .. } = &signal.event.what else { return None };
    let text = match meaning {
        Some(meaning) => format!("signal {}, {meaning}", signal.name),
        None => format!("signal {}", signal.name),
    };
    Some((signal.event.lines.clone(), text))
}

/// A program named by an assertion's message, a stack, a list of modules or a log record.
fn program(facts: &Facts<'_>, asked: &Ran) -> Option<(Lines, String)> {
    let failed =
        facts.all_assertions().filter_map(|failed| Some((failed.program?, &failed.event.lines)));
    let modules = facts.trace.modules.iter().map(|module| (module.path.as_str(), &module.lines));
    let log = &facts.trace.log;
    let log = log.iter().filter_map(|record| Some((record.program.as_deref()?, &record.lines)));
    let mut named = facts.programs().chain(failed).chain(modules).chain(log);
    let (name, lines) = named.find(|(name, _)| asked.program.contain(name))?;
    Some((lines.clone(), name.to_owned()))
}

/// At most [`MAX_TEXT`] characters, on one line.
fn shorten(text: &str) -> String {
    let mut words = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c });
    let mut short: String = words.by_ref().take(MAX_TEXT).collect();
    if words.next().is_some() {
        short.push('…');
    }
    short
}
