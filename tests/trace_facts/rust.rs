//! Rust's panics, short and full, against the addresses that the unwinder tells the panic's hook, and what
//! llvm-symbolizer says of them.

use std::path::Path;
use std::process::Command;

use dbgmate::address::Pc;
use dbgmate::trace::Frame;
use serde_json::Value as Json;

use crate::known::{Facts, Known, KnownStack, KnownThread, read, run};
use crate::programs::{Programs, sources};
use crate::symbolizer::symbolized;
use crate::tools::have;

/// Which frames the panic shows, and what of them (RUST_BACKTRACE).
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    /// Functions and places, between the marks that std puts around a program's own frames.
    Short,
    /// Addresses and hashes too, of everything.
    Full,
}

/// What the program has printed of itself, and its panic.
struct Panic {
    load: u64,
    thread: u64,
    addresses: Vec<u64>,
    text: String,
}

impl Panic {
    fn of(program: &Path, shows: Shows) -> Panic {
        let mut command = Command::new(program);
        let level = if shows == Shows::Full { "full" } else { "1" };
        command.current_dir(program.parent().unwrap());
        let output = command.env("RUST_BACKTRACE", level).output().unwrap();
        let [stdout, text] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let mut lines = stdout.lines();
        let hexadecimal = |text: &str| u64::from_str_radix(&text[2..], 16).unwrap();
        let load = hexadecimal(lines.next().unwrap());
        let thread = lines.next().unwrap().parse().unwrap();
        Panic { load, thread, addresses: lines.map(hexadecimal).collect(), text }
    }

    /// What is known of the frames of the hook's caller and all outside of it, in the program's own code.
    fn known(&self, program: &Path, shows: Shows) -> Vec<Known> {
        // The first is in the hook, which is not where the printer asks; the last are the C library's.
        let own = |address: &&u64| (self.load..self.load + (64 << 20)).contains(*address);
        let addresses: Vec<u64> = self.addresses.iter().skip(1).filter(own).copied().collect();
        let places: Vec<(&str, u64)> = addresses
            .iter()
            .map(|address| (program.to_str().unwrap(), address - 1 - self.load))
            .collect();
        let functions = symbolized(&places, &["--no-demangle"]);
        let machine = (0..).zip(&addresses).zip(functions);
        let frames = machine.flat_map(|((physical, address), functions)| {
            functions.into_iter().map(move |at| known_frame(&at, *address, physical, shows))
        });
        frames.collect()
    }
}

fn known_frame(at: &Json, address: u64, physical: u32, shows: Shows) -> Known {
    let text = |name: &str| at[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let number = |name: &str| at[name].as_u64().filter(|number| *number > 0);
    let function = text("FunctionName").map(|name| {
        let name = rustc_demangle::demangle(&name);
        if shows == Shows::Full { name.to_string() } else { format!("{name:#}") }
    });
    Known {
        physical: (shows == Shows::Full).then_some(physical),
        pc: Some(Pc::Return),
        address: (shows == Shows::Full).then_some(address),
        function,
        file: text("FileName"),
        line: number("Line").map(|line| line as u32),
        column: number("Column").map(|column| column as u32),
        ..Known::default()
    }
}

/// Of the frames that are read, those the known ones are of.
fn between<T: Clone>(frames: &[T], first: impl Fn(&T) -> bool, end: impl Fn(&T) -> bool) -> Vec<T> {
    let from = frames.iter().position(first).unwrap_or(0);
    let count = frames[from..].iter().position(end).unwrap_or(frames.len() - from);
    frames[from..from + count].to_vec()
}

fn compare(shows: Shows, at_least: usize) {
    if !have(&["rustc", "llvm-symbolizer"]) {
        return;
    }
    let programs = Programs::new();
    let program = programs.folder().join("panics");
    let source = sources().join("panics.rs");
    run(Command::new("rustc").args(["--edition=2024", "-g", "-O", "-o"]).arg(&program).arg(source));
    let panic = Panic::of(&program, shows);
    let mut known = panic.known(&program, shows);
    let mut trace = read(&panic.text);
    let is = |what: &'static str| {
        move |known: &Known| known.function.as_ref().is_some_and(|name| name.contains(what))
    };
    let stack = &mut trace.stacks[0];
    match shows {
        Shows::Short => {
            // What follows the end mark is shown, and what precedes the beginning's.
            known = between(
                &known,
                is("__rust_end_short_backtrace"),
                is("__rust_begin_short_backtrace"),
            );
            known.remove(0);
        }
        Shows::Full => {
            // The printer's own frames come first, and the C library's last.
            let first = known[0].address;
            let foreign = |frame: &Frame| frame.function.as_deref() == Some("start_thread");
            let address = |frame: &Frame| frame.address.map(|address| address.0);
            stack.frames = between(&stack.frames, |frame| address(frame) == first, foreign);
        }
    }
    let first = stack.frames[0].index;
    known.iter_mut().zip(first..).for_each(|(known, index)| known.index = index);
    let thread = KnownThread {
        name: Some("a worker".to_owned()),
        lwp: Some(panic.thread),
        ..KnownThread::default()
    };
    let mut facts = Facts::new("rust");
    facts.stacks(&trace.stacks, &[KnownStack { thread, frames: known, ..KnownStack::default() }]);
    facts.hold(at_least);
}

#[test]
fn short() {
    compare(Shows::Short, 6);
}

#[test]
fn full() {
    compare(Shows::Full, 15);
}
