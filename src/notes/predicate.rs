//! What can a note ask of a paste?
//!
//! A predicate is a table; the first of these keys that it has says which kind it is: `assertion`,
//! `frames`, `value`, `log`, `breakpoint`, `signal`, `program`. Each is read on one record, event or stack. The
//! keys beside it are fixed by the kind; a key that no kind knows is refused with its name.
//!
//! `module`, `file`, `program`, `caller`, `under`, `asserted_in` and a frame's `printed` *narrow*:
//! what the paste prints there must not be something else, and a paste that prints nothing there
//! passes. `signal` beside `frames` ties the stack to that signal, where the paste has one for it.

use std::fmt;
use std::num::NonZeroUsize;

use serde::Deserialize;
use toml::{Spanned, Table};

use super::comparison::{Comparison, integer};
use super::frame_pattern::{FramePattern, Globs, strings};
use super::member_path::MemberPath;
use super::pattern::compile;
use super::problem::Flaw;
use crate::public_name::public_name;

/// One thing asked of a paste.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    /// An assertion failed.
    Assertion(AssertionFailed),
    /// A stack has these frames.
    Frames(FramesOn),
    /// A debugger printed this value.
    Value(ValueIs),
    /// A log record says this.
    Log(Logged),
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

/// `{ frames, from?, count?, before?, signal?, program?, under?, asserted_in? }`.
#[derive(Clone, Debug)]
pub(crate) struct FramesOn {
    /// Runs of adjacent frames, innermost first; between two runs any frames may lie.
    pub(crate) runs: Vec<Vec<FramePattern>>,
    pub(crate) from: Start,
    /// On exactly so many stacks, those with the same return address counted once; otherwise on
    /// one or more.
    pub(crate) count: Option<NonZeroUsize>,
    pub(crate) before: Option<Before>,
    pub(crate) signal: Vec<String>,
    pub(crate) program: Globs,
    /// A function further out than the frames.
    pub(crate) under: Globs,
    /// The functions whose assertion the stack may show.
    pub(crate) asserted_in: Vec<String>,
}

/// Where on a stack the frames begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// At the innermost frame, or at the one that a signal interrupted.
    Top,
    /// Anywhere.
    #[default]
    Anywhere,
}

/// What the stacks stand before in the paste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Before {
    /// One signal, and after the one before it.
    Signal,
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

/// `{ breakpoint }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reached {
    /// The function it stopped in.
    #[serde(rename = "breakpoint")]
    pub(crate) function: String,
}

/// `{ signal, program?, stack?, asserted_in? }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stopped {
    #[serde(rename = "signal", deserialize_with = "strings")]
    pub(crate) names: Vec<String>,
    #[serde(default)]
    pub(crate) program: Globs,
    pub(crate) stack: Option<StackPrinted>,
    /// The functions whose assertion the paste may show with it.
    #[serde(default, deserialize_with = "strings")]
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
struct FramesKeys {
    frames: Vec<FramePattern>,
    #[serde(default)]
    from: Start,
    count: Option<NonZeroUsize>,
    before: Option<Before>,
    #[serde(default, deserialize_with = "strings")]
    signal: Vec<String>,
    #[serde(default)]
    program: Globs,
    #[serde(default)]
    under: Globs,
    #[serde(default, deserialize_with = "strings")]
    asserted_in: Vec<String>,
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
        let flaw = |what: String| Flaw::at(table, what, HINT);
        let keys = table.get_ref();
        let has = |key: &str| keys.contains_key(key);
        if has("assertion") {
            assertion(keys).map_err(flaw)
        } else if has("frames") {
            frames(keys).map_err(flaw)
        } else if has("value") {
            value(keys).map_err(flaw)
        } else if has("log") {
            log(keys).map_err(flaw)
        } else if has("breakpoint") {
            parse(keys).map(Predicate::Breakpoint).map_err(flaw)
        } else if has("signal") {
            parse(keys).map(Predicate::Signal).map_err(flaw)
        } else if has("program") {
            parse(keys).map(Predicate::Program).map_err(flaw)
        } else if has("stacks") {
            Err(flaw("`stacks` (two stacks at once) is not supported yet".to_owned()))
        } else {
            Err(flaw(
                "a predicate has one of `assertion`, `frames`, `value`, `log`, `breakpoint`, \
                 `signal`, `program`"
                    .to_owned(),
            ))
        }
    }

    /// The signals it speaks of; `None` where it speaks of none, no names for any of them.
    pub(crate) fn signals(&self) -> Option<&[String]> {
        match self {
            Predicate::Signal(asked) => Some(&asked.names),
            Predicate::Frames(asked) if asked.before.is_some() || !asked.signal.is_empty() => {
                Some(&asked.signal)
            }
            _ => None,
        }
    }

    /// How many things it pins down: where two notes fit alike, the one that says more is first.
    pub(crate) fn specificity(&self) -> usize {
        match self {
            Predicate::Assertion(asked) => 2 + usize::from(asked.caller.is_some()),
            Predicate::Frames(asked) => {
                asked.runs.iter().map(Vec::len).sum::<usize>() + usize::from(asked.count.is_some())
            }
            Predicate::Value(_) | Predicate::Log(_) | Predicate::Breakpoint(_) => 1,
            Predicate::Signal(_) | Predicate::Program(_) => 0,
        }
    }
}

fn parse<'de, T: Deserialize<'de>>(keys: &Table) -> Result<T, String> {
    keys.clone().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn assertion(keys: &Table) -> Result<Predicate, String> {
    let mut asked: AssertionFailed = parse(keys)?;
    asked.function = public_name(&asked.function).into_owned();
    Ok(Predicate::Assertion(asked))
}

fn frames(keys: &Table) -> Result<Predicate, String> {
    let FramesKeys { frames, from, count, before, signal, program, under, asserted_in } =
        parse(keys)?;
    let is_gap = |frame: &FramePattern| frame.function.as_deref() == Some("...");
    let runs: Vec<Vec<FramePattern>> = frames.split(is_gap).map(<[FramePattern]>::to_vec).collect();
    if runs.iter().any(Vec::is_empty) {
        return Err("`frames` needs a frame on both sides of each \"...\"".to_owned());
    }
    if !runs.iter().flatten().any(|frame| frame.function.is_some()) {
        return Err("`frames` names no function".to_owned());
    }
    let asked = FramesOn { runs, from, count, before, signal, program, under, asserted_in };
    Ok(Predicate::Frames(asked))
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
    if asked.patterns.is_empty() {
        return Err("`log` names no pattern".to_owned());
    }
    for pattern in &asked.patterns {
        let regex = compile(pattern)?;
        if regex.is_match("") {
            return Err(format!("the pattern {pattern:?} matches every record"));
        }
    }
    Ok(Predicate::Log(asked))
}

impl fmt::Display for Predicate {
    /// What it looks for, as a noun phrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Assertion(asked) if asked.expression == "*" => {
                write!(f, "an assertion in {}", asked.function)
            }
            Predicate::Assertion(asked) => {
                write!(f, "assertion {} in {}", asked.expression, asked.function)
            }
            Predicate::Frames(asked) => asked.fmt(f),
            Predicate::Value(asked) => match &asked.equals {
                Expected::Number(comparison) => write!(f, "{} {comparison}", asked.shown),
                Expected::Text(text) => write!(f, "{} == {text}", asked.shown),
            },
            Predicate::Log(asked) => {
                write!(f, "a log record with {}", asked.patterns.join(" or "))
            }
            Predicate::Breakpoint(asked) => write!(f, "a breakpoint in {}", asked.function),
            Predicate::Signal(asked) => {
                let stack = if asked.stack.is_some() { " without a stack" } else { "" };
                write!(f, "signal {}{stack}", asked.names.join(" or "))
            }
            Predicate::Program(asked) => write!(f, "program {}", asked.program),
        }
    }
}

impl fmt::Display for FramesOn {
    /// `strlen ← strdup ← … ← main`: innermost first, each called by the next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(count) = self.count {
            write!(f, "{count} × ")?;
        }
        for (number, run) in self.runs.iter().enumerate() {
            f.write_str(if number > 0 { " ← … ← " } else { "" })?;
            let names: Vec<String> = run.iter().map(FramePattern::to_string).collect();
            f.write_str(&names.join(" ← "))?;
        }
        f.write_str(match self.before {
            Some(Before::Signal) => " before the signal",
            None => "",
        })
    }
}
