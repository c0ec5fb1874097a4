//! Does a predicate hold on the trace, and what shows it?

use std::borrow::Cow;

use super::facts::{Assertion, Facts};
use super::frames::{self, Found};
use super::lives::ObjectLife;
use super::number::readings;
use super::report::Evidence;
use super::scope::{Occasion, Scope};
use super::{locks, recursion, threads, values};
use crate::notes::{
    AssertionFailed, Deadlocked, Expected, Fared, Faulted, FramesOn, Logged, Predicate, Ran,
    Reached, Recursion, StackPrinted, StacksOn, Stopped, ValueIs,
};
use crate::trace::{EventKind, Frame, Lines, Value};

/// How much of a line evidence repeats, in characters.
const MAX_TEXT: usize = 240;

/// A predicate that holds.
pub(super) struct Held {
    pub(super) evidence: Vec<Evidence>,
    /// The stack it holds on.
    pub(super) stack: Option<usize>,
}

/// Where and by what a predicate holds.
struct Shows {
    lines: Lines,
    text: String,
    stack: Option<usize>,
    /// Further places, where one does not tell it all.
    more: Vec<(Lines, String)>,
}

impl Shows {
    fn at(lines: Lines, text: String, stack: Option<usize>) -> Self {
        Shows { lines, text, stack, more: Vec::new() }
    }
}

/// What shows that the predicate holds within the scope; nothing where it does not.
pub(super) fn held(facts: &Facts<'_>, predicate: &Predicate, scope: &Scope<'_>) -> Option<Held> {
    let Shows { lines, text, stack, more } = match predicate {
        Predicate::Assertion(asked) => assertion(facts, asked, scope),
        Predicate::Frames(asked) => frames(facts, asked, scope),
        Predicate::Stacks(asked) => stacks(facts, asked, scope),
        Predicate::Recursion(asked) => recursion(facts, asked, scope),
        Predicate::Deadlock(asked) => deadlock(facts, asked),
        Predicate::Value(asked) => value(facts, asked, scope),
        Predicate::Log(asked) => log(facts, asked),
        Predicate::Fault(asked) => fault(facts, asked, scope),
        Predicate::Object(asked) => object(facts, asked),
        Predicate::Breakpoint(asked) => breakpoint(facts, asked),
        Predicate::Signal(asked) => signal(facts, asked, scope),
        Predicate::Program(asked) => program(facts, asked),
    }?;
    let what = predicate.to_string();
    let places = std::iter::once((lines, text)).chain(more);
    let evidence = places.map(|(lines, text)| {
        let (what, text) = (what.clone(), shorten(&text));
        Evidence { what, lines, text, required: false }
    });
    Some(Held { evidence: evidence.collect(), stack })
}

fn assertion(facts: &Facts<'_>, asked: &AssertionFailed, scope: &Scope<'_>) -> Option<Shows> {
    let mut failed = facts.assertions(&asked.expression).take_while(|_| facts.may_go_on());
    let failed = failed.find(|failed| {
        (asked.function == "*" || failed.function == asked.function)
            && asked.file.allow(failed.file)
            && asked.program.allow(failed.program)
            && failed
                .event
                .stack
                .is_none_or(|stack| scope.allows(facts, stack) && has_callers(facts, asked, stack))
    })?;
    Some(Shows::at(failed.event.lines.clone(), in_words(failed), failed.event.stack))
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
            && asked.caller.as_ref().is_some_and(|caller| !caller.is_of(Some(&asked.function)))
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
            Some(Shows::at(lines, text, stack))
        }
        None => Some(Shows::at(lines, text, stack)),
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

fn stacks(facts: &Facts<'_>, asked: &StacksOn, scope: &Scope<'_>) -> Option<Shows> {
    let found = threads::find(facts, asked, scope)?;
    let shown = found.iter().map(|found| {
        let thread = facts.trace.stacks.get(found.stack)?.label.as_str();
        Some((lines(facts, found)?, format!("{thread}: {}", chain(facts, found)?)))
    });
    let mut shown = shown.collect::<Option<Vec<_>>>()?.into_iter();
    let (lines, text) = shown.next()?;
    Some(Shows { lines, text, stack: None, more: shown.collect() })
}

fn recursion(facts: &Facts<'_>, asked: &Recursion, scope: &Scope<'_>) -> Option<Shows> {
    let signal = match scope.occasion {
        Occasion::Signal(number) => Some(facts.signals().get(number)?),
        Occasion::Paste | Occasion::NoSignal => None,
    };
    if !asked.signal.is_empty() && signal.is_none() {
        return None;
    }
    let own = signal.map(|signal| signal.event.stack);
    let all = 0..facts.trace.stacks.len();
    let mut found = all
        .take_while(|_| facts.may_go_on())
        .filter(|stack| own.is_none_or(|own| own == Some(*stack)))
        .filter(|stack| scope.allows(facts, *stack))
        .filter_map(|stack| {
            let frames = recursion::place(facts, stack, asked.frames.get())?;
            Some(Found { stack, frames })
        });
    let found = found.next()?;
    let count = found.frames.len();
    let text = format!("{count} frames in turn: {}", chain(facts, &found)?);
    Some(Shows::at(lines(facts, &found)?, text, Some(found.stack)))
}

fn deadlock(facts: &Facts<'_>, asked: &Deadlocked) -> Option<Shows> {
    let ring = locks::find(facts, asked.deadlock)?;
    let first = ring.first()?;
    let (lines, stack) = (first.frame.lines.clone(), Some(first.stack));
    let waits = ring.iter().map(|wait| (wait.frame.lines.clone(), wait.in_words()));
    let owners = ring.iter().map(|wait| (wait.owner_lines.clone(), wait.owner_in_words()));
    let more = waits.skip(1).chain(owners).collect();
    Some(Shows { lines, text: first.in_words(), stack, more })
}

fn value(facts: &Facts<'_>, asked: &ValueIs, scope: &Scope<'_>) -> Option<Shows> {
    let shown = values::find(facts, &asked.path, asked.function.as_deref())
        .find(|shown| is(shown.value, &asked.equals) && scope.speaks(facts, shown))?;
    let text = format!("{} = {}", asked.shown, shown.value.text);
    Some(Shows::at(shown.lines.clone(), text, shown.stack))
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
    Some(Shows::at(first.lines.clone(), text, None))
}

fn fault(facts: &Facts<'_>, asked: &Faulted, scope: &Scope<'_>) -> Option<Shows> {
    let mut events = asked.patterns.iter().flat_map(|pattern| facts.faults(pattern));
    let event = events.find(|event| {
        let EventKind::Fault { by, address, .. } = &event.what else { return false };
        let address = address.map(|address| i128::from(address.0));
        (asked.by.is_empty() || asked.by.contains(by))
            && asked.address.is_none_or(|asked| address.is_some_and(|at| asked.holds(at)))
            && event.stack.is_none_or(|stack| scope.allows(facts, stack))
    })?;
    let EventKind::Fault { by, what, .. } = &event.what else { return None };
    Some(Shows::at(event.lines.clone(), format!("{by}: {what}"), event.stack))
}

fn object(facts: &Facts<'_>, asked: &Fared) -> Option<Shows> {
    let fared = |life: &&ObjectLife| life.name == asked.object && life.state == asked.state;
    let life = facts.lives.iter().find(fared)?;
    let telling = life.steps.iter().find(|step| step.after_end).or(life.steps.last())?;
    let text = format!("{} {}: {}", life.name, life.key, life.told);
    Some(Shows::at(telling.lines.clone(), text, None))
}

fn breakpoint(facts: &Facts<'_>, asked: &Reached) -> Option<Shows> {
    let event = facts.breakpoint_in(&asked.function)?;
    let EventKind::Breakpoint { number } = &event.what else { return None };
    let text = format!("breakpoint {number}, {}", frame_text(event.frame.as_deref()?));
    Some(Shows::at(event.lines.clone(), text, event.stack))
}

fn signal(facts: &Facts<'_>, asked: &Stopped, scope: &Scope<'_>) -> Option<Shows> {
    let Occasion::Signal(number) = scope.occasion else { return None };
    let signal = facts.signals().get(number)?;
    let stack = signal.event.stack;
    let fits = asked.names.iter().any(|name| name == signal.name)
        && asked.program.allow(signal.program)
        && asked.address.is_none_or(|asked| {
            facts.fault_address(number).is_some_and(|address| asked.holds(address))
        })
        && (asked.stack != Some(StackPrinted::None) || stack.is_none())
        && facts.signal_asserted_in(number, &asked.asserted_in)
        && stack.is_none_or(|stack| !scope.rules_out(facts, stack));
    fits.then_some(())?;
    let EventKind::Signal { meaning, .. } = &signal.event.what else { return None };
    let mut text = match meaning {
        Some(meaning) => format!("signal {}, {meaning}", signal.name),
        None => format!("signal {}", signal.name),
    };
    if let (Some(_), Some(address)) = (asked.address, facts.fault_address(number)) {
        text.push_str(&format!(", fault address {address:#x}"));
    }
    Some(Shows::at(signal.event.lines.clone(), text, stack))
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
    Some(Shows::at(lines.clone(), name.to_owned(), None))
}

/// At most [`MAX_TEXT`] characters, on one line.
pub(super) fn shorten(text: &str) -> String {
    let mut words = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c });
    let mut short: String = words.by_ref().take(MAX_TEXT).collect();
    if words.next().is_some() {
        short.push('…');
    }
    short
}
