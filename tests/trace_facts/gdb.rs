//! gdb's backtraces, frames and variables, against its API.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use dbgmate::trace::EventKind;
use serde::Deserialize;

use crate::known::{Facts, KnownStack, read, run};
use crate::programs::Programs;
use crate::tools::have;

/// What session.py writes of a session.
#[derive(Deserialize)]
struct Session {
    stacks: Vec<KnownStack>,
    values: Vec<KnownValue>,
}

/// A variable of `info locals`, `info args`.
#[derive(Deserialize)]
struct KnownValue {
    expression: String,
    text: Option<String>,
    frame: u32,
}

/// The text of a session, and what gdb knows of it.
fn session(programs: &Programs, program: &Path, act: &str) -> (String, Session) {
    let facts = programs.folder().join(format!("{act}.json"));
    let text = run(Command::new("gdb")
        .args(["-nx", "-q", "-x"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace_facts/session.py"))
        .arg(program)
        .env("FACTS", &facts)
        .env("FACTS_ARGUMENTS", act)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null()));
    let known = fs::read_to_string(&facts).unwrap_or_else(|_| panic!("{text}"));
    (text, serde_json::from_str(&known).unwrap())
}

fn compare(flags: &[&str], act: &str, at_least: usize) {
    if !have(&["gdb", "g++"]) {
        return;
    }
    let programs = Programs::new();
    let program = programs.built("g++", flags);
    let (text, session) = session(&programs, &program, act);
    let trace = read(&text);
    let mut facts = Facts::new("gdb");
    facts.stacks(&trace.stacks, &session.stacks);
    facts.same("values", trace.values.len(), session.values.len());
    for (read, known) in trace.values.iter().zip(&session.values) {
        let place = format!("{} at line {}", known.expression, read.lines.first);
        facts.same(&place, read.expression.as_deref(), Some(known.expression.as_str()));
        facts.same(&place, read.frame, Some(known.frame));
        if let Some(text) = &known.text {
            facts.same(&place, read.value.text.as_str(), text);
        }
    }
    let stop = trace.events.iter().find(|event| matches!(event.what, EventKind::Breakpoint { .. }));
    let stop = stop.and_then(|stop| stop.frame.as_ref());
    let stopped_in = &session.stacks[0].frames[0];
    facts.frame("the stop", stop.unwrap(), stopped_in);
    facts.hold(at_least);
}

#[test]
fn unoptimised() {
    compare(&["-O0"], "s", 1000);
}

#[test]
fn optimised() {
    compare(&["-O2"], "s", 900);
}

#[test]
fn in_a_signal_handler() {
    compare(&["-O1"], "g", 1000);
}
