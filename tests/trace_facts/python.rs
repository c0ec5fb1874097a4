//! Python's tracebacks and faulthandler, against `traceback.extract_tb` and `extract_stack`.

use std::process::Command;

use crate::known::{Facts, KnownStack, read};
use crate::programs::sources;
use crate::tools::have;

fn compare(act: &str, at_least: usize) {
    if !have(&["python3"]) {
        return;
    }
    let mut python = Command::new("python3");
    let output = python.arg("-I").arg(sources().join("raises.py")).arg(act).output().unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let known: Vec<KnownStack> =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let known: Vec<KnownStack> = known.into_iter().map(numbered).collect();
    let mut facts = Facts::new(&format!("python {act}"));
    facts.stacks(&read(&stderr).stacks, &known);
    facts.hold(at_least);
}

/// Python does not number its frames: they have their place.
fn numbered(mut stack: KnownStack) -> KnownStack {
    (0..).zip(&mut stack.frames).for_each(|(index, frame)| frame.index = index);
    stack
}

#[test]
fn tracebacks() {
    compare("raise", 8);
}

#[test]
fn faulthandler() {
    compare("dump", 8);
}
