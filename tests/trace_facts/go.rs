//! Go's panics, against what `runtime.Callers` tells a deferred function on the way out.

use std::process::Command;

use dbgmate::address::Pc;

use crate::known::{Facts, Known, KnownStack, KnownThread, read, run};
use crate::programs::{Programs, sources};
use crate::tools::have_printer;

/// How much the runtime prints (GOTRACEBACK).
#[derive(Clone, Copy, PartialEq)]
enum Level {
    /// The program's frames, without addresses.
    Single,
    /// The runtime's too, and where each frame is.
    System,
}

fn known(text: &str, level: Level) -> Vec<Known> {
    let mut frames = Vec::new();
    // The address of a machine frame: that of the innermost function inlined in it.
    let mut innermost = None;
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [function, file, line, address, offset, inlined] =
            fields.as_slice().try_into().unwrap();
        let hexadecimal = |text: &str| u64::from_str_radix(&text[2..], 16).unwrap();
        let place = *innermost.get_or_insert((hexadecimal(address), hexadecimal(offset)));
        let machine = (inlined == "false").then(|| innermost.take()).flatten().map(|_| place);
        frames.push(Known {
            pc: Some(Pc::Return),
            function: Some(function.to_owned()),
            address: machine.map(|(address, _)| address).filter(|_| level == Level::System),
            offset: machine.map(|(_, offset)| offset),
            file: Some(file.to_owned()),
            line: Some(line.parse().unwrap()),
            ..Known::default()
        });
    }
    // The runtime shows its own frames, but for those that began the panic, on demand.
    let is_runtimes =
        |known: &Known| known.function.as_ref().is_some_and(|name| name.starts_with("runtime."));
    if level == Level::Single {
        frames.retain(|known| !is_runtimes(known));
    } else {
        frames.remove(0);
    }
    frames
}

fn compare(level: Level) {
    if !have_printer("go") {
        return;
    }
    let programs = Programs::new();
    let program = programs.folder().join("panics");
    run(Command::new("go").args(["build", "-o"]).arg(&program).arg(sources().join("panics.go")));
    let mut command = Command::new(program);
    let name = if level == Level::System { "system" } else { "single" };
    let output = command.env("GOTRACEBACK", name).output().unwrap();
    let [stdout, text] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let mut known = known(&stdout, level);
    let mut trace = read(&text);
    let stack = &mut trace.stacks[0];
    if level == Level::System {
        // `panic`, which has gone on since the deferred function ran in it.
        assert_eq!(stack.frames.remove(0).function.as_deref(), Some("panic"));
    }
    let first = stack.frames[0].index;
    known.iter_mut().zip(first..).for_each(|(known, index)| known.index = index);
    let thread = KnownThread { number: Some(1), ..KnownThread::default() };
    let mut facts = Facts::new("go");
    facts.stack(&trace.stacks[0], &KnownStack { thread, frames: known, ..KnownStack::default() });
    facts.hold(7);
}

#[test]
fn single() {
    compare(Level::Single);
}

#[test]
fn system() {
    compare(Level::System);
}
