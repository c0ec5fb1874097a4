//! Does a predicate hold on the trace, and what shows it?

use std::borrow::Cow;

use super::facts::{Assertion, Facts};
use super::frames::{self, Found};
use super::number::readings;
use super::report::Evidence;
use super::scope::{Occasion, Scope};
use super::values;
use crate::notes::{
    AssertionFailed, Expected, FramesOn, Logged, Predicate, Ran, Reached, StackPrinted, Stopped,
    ValueIs,
};
use crate::trace::{EventKind, Frame, Lines, Value};

/// How much of a line evidence repeats, in characters.
const MAX_TEXT: usize = 240;

/// A predicate that holds.
pub(super) struct Held {
    pub(super) evidence: Evidence,
    /// The stack it holds on.
    pub(super) stack: Option<usize>,
}

/// Where and by what a predicate holds.
struct Shows {
    lines: Lines,
    text: String,
    stack: Option<usize>,
}

/// What shows that the predicate holds within the scope; nothing where it does not.
pub(super) fn held(facts: &Facts<'_>, predicate: &Predicate, scope: &Scope<'_>) -> Option<Held> {
    let Shows { lines, text, stack } = match predicate {
        Predicate::Assertion(asked) => assertion(facts, asked, scope),
        Predicate::Frames(asked) => frames(facts, asked, scope),
        Predicate::Value(asked) => value(facts, asked, scope),
        Predicate::Log(asked) => log(facts, asked),
        Predicate::Breakpoint(asked) => breakpoint(facts, asked),
        Predicate::Signal(asked) => signal(facts, asked, scope),
        Predicate::Program(asked) => program(facts, asked),
    }?;
    let what = predicate.to_string();
    let evidence = Evidence { what, lines, text: shorten(&text), required: false };
    Some(Held { evidence, stack })
}

fn assertion(facts: &Facts<'_>, asked: &AssertionFailed, scope: &Scope<'_>) -> Option<Shows> {
    let mut failed = facts.assertions(&asked.expression).take_while(|_| facts.may_go_on());
    let failed = failed.find(|failed| {
        failed.function == asked.function
            && asked.file.allow(failed.file)
            && asked.program.allow(failed.program)
            && failed
                .event
                .stack
                .is_none_or(|stack| scope.allows(facts, stack) && has_callers(facts, asked, stack))
    })?;
    Some(Shows {
        lines: failed.event.lines.clone(),
        text: in_words(failed),
        stack: failed.event.stack,
    })
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

/// Whether the frames that called `__assert_fail`, where they are named, are those meant. The
/// caller is not always the function of the assertion, which may have been inlined into it, with
/// or without a frame of its own.
fn has_callers(facts: &Facts<'_>, asked: &AssertionFailed, stack: usize) -> bool {
    let names = facts.names(stack);
    let mut callers =
        names.iter().enumerate().skip_while(|(_, name)| !is_named(name, "__assert_fail"));
    let own = |name: &Option<Cow<'_, str>>| {
        is_named(name, &asked.function)
            && asked
                .caller
                .as_ref()
                .is_some_and(|caller| caller.function.as_deref() != Some(asked.function.as_str()))
    };
    let caller = callers.by_ref().skip(1).find(|(_, name)| !own(name));
    let Some((at, Some(name))) = caller else { return true };
    let stacks = &facts.trace.stacks;
    let Some(frame) = stacks.get(stack).and_then(|stack| stack.frames.get(at)) else {
        return true;
    };
    asked.caller.as_ref().is_none_or(|caller| frames::fits(frame, Some(name), caller))
        && frames::is_under(facts, stack, at + 1, &asked.under)
}

fn is_named(name: &Option<Cow<'_, str>>, as_asked: &str) -> bool {
    name.as_deref() == Some(as_asked)
}

fn frames(facts: &Facts<'_>, asked: &FramesOn, scope: &Scope<'_>) -> Option<Shows> {
    let found = frames::find(facts, asked, scope);
    let first = found.first()?;
    let (lines, text) = (lines(facts, first)?, chain(facts, first)?);
    let stack = asked.before.is_none().then_some(first.stack);
    match asked.count.and(found.last()) {
        Some(last) => {
            let lines = frames::join(&lines, &self::lines(facts, last)?);
            let text = format!("{} stops: {text}", frames::stops(facts, &found));
            Some(Shows { lines, text, stack })
        }
        None => Some(Shows { lines, text, stack }),
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

fn value(facts: &Facts<'_>, asked: &ValueIs, scope: &Scope<'_>) -> Option<Shows> {
    let shown = values::find(facts, &asked.path, asked.function.as_deref())
        .find(|shown| is(shown.value, &asked.equals) && scope.speaks(facts, shown))?;
    Some(Shows {
        lines: shown.lines.clone(),
        text: format!("{} = {}", asked.shown, shown.value.text),
        stack: shown.stack,
    })
}

fn is(value: &Value, expected: &Expected) -> bool {
    match expected {
        Expected::Number(comparison) => {
            let holds = |number| comparison.holds(number);
            readings(value).is_some_and(|(plain, signed)| holds(plain) || holds(signed))
        }
        Expected::Text(text) => {
            value.string.as_deref().is_some_and(|string| string == text) || value.text == *text
        }
    }
}

fn log(facts: &Facts<'_>, asked: &Logged) -> Option<Shows> {
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
    Some(Shows { lines: first.lines.clone(), text, stack: None })
}

fn breakpoint(facts: &Facts<'_>, asked: &Reached) -> Option<Shows> {
    let event = facts.breakpoint_in(&asked.function)?;
    let EventKind::Breakpoint { number } = &event.what else { return None };
    let text = format!("breakpoint {number}, {}", frame_text(event.frame.as_deref()?));
    Some(Shows { lines: event.lines.clone(), text, stack: event.stack })
}

fn signal(facts: &Facts<'_>, asked: &Stopped, scope: &Scope<'_>) -> Option<Shows> {
    let Occasion::Signal(number) = scope.occasion else { return None };
    let signal = facts.signals().get(number)?;
    let stack = signal.event.stack;
    let fits = asked.names.iter().any(|name| name == signal.name)
        && asked.program.allow(signal.program)
        && (asked.stack != Some(StackPrinted::None) || stack.is_none())
        && facts.signal_asserted_in(number, &asked.asserted_in)
        && stack.is_none_or(|stack| !scope.rules_out(facts, stack));
    fits.then_some(())?;
    let EventKind::Signal { meaning, .. } = &signal.event.what else { return None };
    let text = match meaning {
        Some(meaning) => format!("signal {}, {meaning}", signal.name),
        None => format!("signal {}", signal.name),
    };
    Some(Shows { lines: signal.event.lines.clone(), text, stack })
}

/// A program named by an assertion's message, a stack, a list of modules or a log record.
fn program(facts: &Facts<'_>, asked: &Ran) -> Option<Shows> {
    let failed = facts.all_assertions().iter();
    let failed = failed.filter_map(|failed| Some((failed.program?, &failed.event.lines)));
    let modules = facts.trace.modules.iter().map(|module| (module.path.as_str(), &module.lines));
    let log = &facts.trace.log;
    let log = log.iter().filter_map(|record| Some((record.program.as_deref()?, &record.lines)));
    let mut named = facts.programs().chain(failed).chain(modules).chain(log);
    let (name, lines) = named.find(|(name, _)| asked.program.contain(name))?;
    Some(Shows { lines: lines.clone(), text: name.to_owned(), stack: None })
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
