//! What can a note ask of a paste?
//!
//! A predicate is a table; the first of these keys that it has says which kind it is: `assertion`,
//! `frames`, `stacks`, `recursion`, `deadlock`, `value`, `log`, `fault`, `object`, `breakpoint`, `signal`,
//! `program`. Each is read on one record, event or stack, `stacks` and `deadlock` on several. The keys
//! beside it are fixed by the kind; a key that no kind knows is refused with its name.
//!
//! `module`, `file`, `program`, `caller`, `under`, `asserted_in` and a frame's `printed` *narrow*:
//! what the paste prints there must not be something else, and a paste that prints nothing there
//! passes. `signal` beside `frames` ties the stack to that signal, where the paste has one for it.

use std::fmt;

use serde::Deserialize;
use toml::{Spanned, Table};

use super::comparison::{Comparison, integer};
use super::frame_pattern::{FramePattern, Globs, strings};
use super::frames_on::{FramesOn, Recursion, StacksOn};
use super::member_path::MemberPath;
use super::objects::LifeState;
use super::patterns::compile;
use super::problem::Flaw;
use crate::public_name::public_name;

/// One thing asked of a paste.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    /// An assertion failed.
    Assertion(AssertionFailed),
    /// A stack has these frames.
    Frames(FramesOn),
    /// Threads are at these places at once.
    Stacks(StacksOn),
    /// Functions call one another without end.
    Recursion(Recursion),
    /// Threads wait for one another.
    Deadlock(Deadlocked),
    /// A debugger printed this value.
    Value(ValueIs),
    /// A log record says this.
    Log(Logged),
    /// A runtime, a checking tool or the kernel said what is wrong.
    Fault(Faulted),
    /// An object that was followed through the log fared so.
    Object(Fared),
    /// A breakpoint was reached.
    Breakpoint(Reached),
    /// A signal stopped the program.
    Signal(Stopped),
    /// The paste names this program.
    Program(Ran),
}

/// `{ assertion, function, file?, program?, caller?, under? }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssertionFailed {
    /// The expression; `*` is any.
    #[serde(rename = "assertion")]
    pub(crate) expression: String,
    /// The same without blanks, as expressions are compared.
    #[serde(skip)]
    pub(crate) unspaced: String,
    pub(crate) function: String,
    #[serde(default)]
    pub(crate) file: Globs,
    #[serde(default)]
    pub(crate) program: Globs,
    /// The frame that called `__assert_fail`.
    pub(crate) caller: Option<FramePattern>,
    /// A function further out than that frame.
    #[serde(default)]
    pub(crate) under: Globs,
}

/// `{ value, equals, function? }`.
#[derive(Clone, Debug)]
pub(crate) struct ValueIs {
    pub(crate) shown: String,
    pub(crate) path: MemberPath,
    pub(crate) equals: Expected,
    pub(crate) function: Option<String>,
}

/// What a value must be: a number, or a name or text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Number(Comparison),
    Text(String),
}

/// `{ log, format?, level? }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logged {
    /// Any of these patterns: one for each translation of a message.
    #[serde(rename = "log", deserialize_with = "strings")]
    pub(crate) patterns: Vec<String>,
    #[serde(default, deserialize_with = "strings")]
    pub(crate) format: Vec<String>,
    #[serde(default, deserialize_with = "strings")]
    pub(crate) level: Vec<String>,
}

/// `{ fault, by?, address? }`.
#[derive(Clone, Debug)]
pub(crate) struct Faulted {
    /// Any of these patterns.
    pub(crate) patterns: Vec<String>,
    pub(crate) by: Vec<String>,
    pub(crate) address: Option<Comparison>,
}

/// `{ object, state }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fared {
    /// The kind of object, as a plugin calls it.
    pub(crate) object: String,
    pub(crate) state: LifeState,
}

/// `{ deadlock }`: by the owners that are printed of the mutexes that threads wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deadlocked {
    pub(crate) deadlock: Deadlock,
}

/// Who waits for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deadlock {
    /// A thread for itself.
    Itself,
    /// Several in a ring.
    Ring,
}

/// `{ breakpoint }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reached {
    /// The function it stopped in.
    #[serde(rename = "breakpoint")]
    pub(crate) function: String,
}

/// `{ signal, address?, program?, stack?, asserted_in? }`.
#[derive(Clone, Debug)]
pub(crate) struct Stopped {
    pub(crate) names: Vec<String>,
    /// The address that could not be accessed.
    pub(crate) address: Option<Comparison>,
    pub(crate) program: Globs,
    pub(crate) stack: Option<StackPrinted>,
    /// The functions whose assertion the paste may show with it.
    pub(crate) asserted_in: Vec<String>,
}

/// Whether the paste has the stack of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StackPrinted {
    /// It has none.
    None,
}

/// `{ program }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ran {
    pub(crate) program: Globs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalKeys {
    #[serde(deserialize_with = "strings")]
    signal: Vec<String>,
    address: Option<String>,
    #[serde(default)]
    program: Globs,
    stack: Option<StackPrinted>,
    #[serde(default, deserialize_with = "strings")]
    asserted_in: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultKeys {
    #[serde(deserialize_with = "strings")]
    fault: Vec<String>,
    #[serde(default, deserialize_with = "strings")]
    by: Vec<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueKeys {
    value: String,
    equals: EqualsKey,
    function: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a whole number or a string")]
enum EqualsKey {
    Number(i64),
    Text(String),
}

impl Predicate {
    /// Reads a predicate as its first key tells.
    pub(super) fn read(table: &Spanned<Table>) -> Result<Predicate, Flaw> {
        const HINT: &str = "docs/notes.md lists the predicates and their keys";
        let keys = table.get_ref();
        let has = |key: &str| keys.contains_key(key);
        let read = match () {
            () if has("assertion") => assertion(keys),
            () if has("frames") => FramesOn::read(keys).map(Predicate::Frames),
            () if has("stacks") => StacksOn::read(keys).map(Predicate::Stacks),
            () if has("recursion") => parse(keys).map(Predicate::Recursion),
            () if has("deadlock") => parse(keys).map(Predicate::Deadlock),
            () if has("value") => value(keys),
            () if has("log") => log(keys),
            () if has("fault") => fault(keys),
            () if has("object") => parse(keys).map(Predicate::Object),
            () if has("breakpoint") => parse(keys).map(Predicate::Breakpoint),
            () if has("signal") => signal(keys),
            () if has("program") => parse(keys).map(Predicate::Program),
            () => Err("a predicate has one of `assertion`, `frames`, `stacks`, `recursion`, \
                       `deadlock`, `value`, `log`, `fault`, `object`, `breakpoint`, `signal`, `program`"
                .to_owned()),
        };
        read.map_err(|what| Flaw::at(table, what, HINT))
    }

    /// The signals it speaks of; `None` where it speaks of none, no names for any of them.
    pub(crate) fn signals(&self) -> Option<&[String]> {
        match self {
            Predicate::Signal(asked) => Some(&asked.names),
            Predicate::Frames(asked) if asked.before.is_some() || !asked.signal.is_empty() => {
                Some(&asked.signal)
            }
            Predicate::Recursion(asked) if !asked.signal.is_empty() => Some(&asked.signal),
            _ => None,
        }
    }

    /// How many things it pins down: where two notes fit alike, the one that says more is first.
    pub(crate) fn specificity(&self) -> usize {
        match self {
            Predicate::Assertion(asked) => 2 + usize::from(asked.caller.is_some()),
            Predicate::Frames(asked) => {
                asked.runs.frames().count() + usize::from(asked.count.is_some())
            }
            Predicate::Stacks(asked) => {
                asked.stacks.iter().map(|runs| runs.frames().count()).sum::<usize>()
            }
            Predicate::Value(_)
            | Predicate::Log(_)
            | Predicate::Fault(_)
            | Predicate::Recursion(_)
            | Predicate::Deadlock(_)
            | Predicate::Object(_)
            | Predicate::Breakpoint(_) => 1,
            Predicate::Signal(asked) => usize::from(asked.address.is_some()),
            Predicate::Program(_) => 0,
        }
    }
}

pub(super) fn parse<'de, T: Deserialize<'de>>(keys: &Table) -> Result<T, String> {
    keys.clone().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn assertion(keys: &Table) -> Result<Predicate, String> {
    let mut asked: AssertionFailed = parse(keys)?;
    asked.unspaced = asked.expression.split_whitespace().collect();
    if asked.expression == "*" && asked.function == "*" {
        return Err("any assertion in any function is every one".to_owned());
    }
    if asked.function != "*" {
        asked.function = public_name(&asked.function).into_owned();
    }
    Ok(Predicate::Assertion(asked))
}

fn value(keys: &Table) -> Result<Predicate, String> {
    let ValueKeys { value, equals, function } = parse(keys)?;
    let path = MemberPath::parse(&value).map_err(|error| format!("`value` is {error}"))?;
    let equals = match equals {
        EqualsKey::Number(number) => Expected::Number(Comparison::equal(number.into())),
        EqualsKey::Text(text) => match integer(&text) {
            Some(number) => Expected::Number(Comparison::equal(number)),
            None => Expected::Text(text),
        },
    };
    let function = function.map(|name| public_name(&name).into_owned());
    Ok(Predicate::Value(ValueIs { shown: value, path, equals, function }))
}

fn log(keys: &Table) -> Result<Predicate, String> {
    let asked: Logged = parse(keys)?;
    check_patterns("log", &asked.patterns)?;
    Ok(Predicate::Log(asked))
}

fn fault(keys: &Table) -> Result<Predicate, String> {
    let FaultKeys { fault, by, address } = parse(keys)?;
    check_patterns("fault", &fault)?;
    let address = address.as_deref().map(comparison).transpose()?;
    Ok(Predicate::Fault(Faulted { patterns: fault, by, address }))
}

fn signal(keys: &Table) -> Result<Predicate, String> {
    let SignalKeys { signal, address, program, stack, asserted_in } = parse(keys)?;
    let address = address.as_deref().map(comparison).transpose()?;
    Ok(Predicate::Signal(Stopped { names: signal, address, program, stack, asserted_in }))
}

fn comparison(text: &str) -> Result<Comparison, String> {
    let wrong = || format!("`address` is {text:?}, which is no comparison such as \"< 0x1000\"");
    Comparison::parse(text).ok_or_else(wrong)
}

fn check_patterns(key: &str, patterns: &[String]) -> Result<(), String> {
    if patterns.is_empty() {
        return Err(format!("`{key}` names no pattern"));
    }
    for pattern in patterns {
        let regex = compile(pattern)?;
        if regex.is_match("") {
            return Err(format!("the pattern {pattern:?} matches every record"));
        }
    }
    Ok(())
}

impl fmt::Display for Predicate {
    /// What it looks for, as a noun phrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Assertion(asked) if asked.expression == "*" => {
                write!(f, "an assertion in {}", asked.function)
            }
            Predicate::Assertion(asked) if asked.function == "*" => {
                write!(f, "assertion {}", asked.expression)
            }
            Predicate::Assertion(asked) => {
                write!(f, "assertion {} in {}", asked.expression, asked.function)
            }
            Predicate::Frames(asked) => asked.fmt(f),
            Predicate::Stacks(asked) => asked.fmt(f),
            Predicate::Recursion(asked) => {
                write!(f, "{} frames and more of functions that call one another", asked.frames)
            }
            Predicate::Deadlock(Deadlocked { deadlock: Deadlock::Itself }) => {
                f.write_str("a thread that waits for a mutex whose printed owner it is")
            }
            Predicate::Deadlock(Deadlocked { deadlock: Deadlock::Ring }) => {
                f.write_str("threads that wait for mutexes whose printed owners wait in turn")
            }
            Predicate::Value(asked) => match &asked.equals {
                Expected::Number(comparison) => write!(f, "{} {comparison}", asked.shown),
                Expected::Text(text) => write!(f, "{} == {text}", asked.shown),
            },
            Predicate::Log(asked) => {
                write!(f, "a log record with {}", asked.patterns.join(" or "))
            }
            Predicate::Fault(asked) => {
                write!(f, "a report of {}", asked.patterns.join(" or "))?;
                asked.address.map_or(Ok(()), |address| write!(f, ", address {address}"))
            }
            Predicate::Object(asked) => {
                let object = &asked.object;
                match asked.state {
                    LifeState::UsedAfterClose => write!(f, "a {object} that is used after its end"),
                    LifeState::NeverClosed => write!(f, "a {object} whose end is not in the log"),
                    LifeState::Incomplete => write!(f, "a {object} whose end cannot be known"),
                    LifeState::Closed => write!(f, "a {object} that ended"),
                }
            }
            Predicate::Breakpoint(asked) => write!(f, "a breakpoint in {}", asked.function),
            Predicate::Signal(asked) => {
                let stack = if asked.stack.is_some() { " without a stack" } else { "" };
                write!(f, "signal {}{stack}", asked.names.join(" or "))?;
                asked.address.map_or(Ok(()), |address| write!(f, ", address {address}"))
            }
            Predicate::Program(asked) => write!(f, "program {}", asked.program),
        }
    }
}
