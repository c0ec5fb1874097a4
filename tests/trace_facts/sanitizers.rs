//! Reports of AddressSanitizer, ThreadSanitizer and UndefinedBehaviorSanitizer, against what the same program tells
//! with a `stack_trace_format` of all fields, one between two tabs. Without randomised addresses both runs are alike.

use std::path::Path;
use std::process::Command;

use dbgmate::address::Pc;

use crate::known::{Facts, Known, KnownStack, KnownThread, complaint, read};
use crate::programs::Programs;
use crate::tools::have;

/// What the runtimes are asked to print of a frame (compiler-rt's sanitizer_stacktrace_printer.cpp).
const ALL_FIELDS: &str =
    "stack_trace_format=\"FACT\t%n\t%p\t%f\t%s\t%l\t%c\t%m\t%o\":print_stacktrace=1";
const AS_USUAL: &str = "print_stacktrace=1";

/// Which fields of a frame the tool prints.
#[derive(Clone, Copy, PartialEq)]
enum Prints {
    /// The address; the module only where there is no source.
    AddressOrModule,
    /// The module always, by its file's name; no address.
    Module,
}

/// The stacks that one run tells in fields.
fn known(text: &str, prints: Prints, threads: &[Option<u32>]) -> Vec<KnownStack> {
    let mut stacks: Vec<KnownStack> = Vec::new();
    for line in text.lines() {
        let Some(fields) = line.strip_prefix("FACT\t") else { continue };
        let fields: Vec<&str> = fields.split('\t').collect();
        let frame = known_frame(fields.as_slice().try_into().unwrap(), prints);
        if frame.index == 0 {
            let thread = threads.get(stacks.len()).copied().flatten();
            let thread = KnownThread { number: thread, ..KnownThread::default() };
            stacks.push(KnownStack { thread, ..KnownStack::default() });
        }
        stacks.last_mut().unwrap().frames.push(frame);
    }
    stacks
}

fn known_frame(
    [index, address, function, file, line, column, module, offset]: [&str; 8],
    prints: Prints,
) -> Known {
    let hexadecimal = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let present = |text: &str| (!["", "<null>", "0"].contains(&text)).then(|| text.to_owned());
    let file = present(file);
    let module = match prints {
        Prints::Module => Path::new(module).file_name().map(|name| name.to_str().unwrap()),
        Prints::AddressOrModule => Some(module).filter(|_| file.is_none()),
    };
    Known {
        index: index.parse().unwrap(),
        pc: Some(Pc::Adjusted),
        address: hexadecimal(address).filter(|_| prints == Prints::AddressOrModule),
        function: present(function),
        module: module.map(str::to_owned),
        module_offset: hexadecimal(offset).filter(|_| module.is_some()),
        line: present(line).map(|line| line.parse().unwrap()),
        column: present(column).map(|column| column.parse().unwrap()),
        file,
        ..Known::default()
    }
}

/// Compares the reports of an act, whose stacks are of these threads.
fn act(facts: &mut Facts, program: &Path, prints: Prints, act: &str, threads: &[Option<u32>]) {
    let report = |options: &str| {
        let mut command = Command::new("setarch");
        // Of the same length: the environment lies on the stack.
        let options = format!("{options::<width$}", width = ALL_FIELDS.len());
        for tool in ["ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"] {
            command.env(tool, &options);
        }
        complaint(command.arg("-R").arg(program).arg(act))
    };
    let known = known(&report(ALL_FIELDS), prints, threads);
    let text = report(AS_USUAL);
    assert!(known.len() >= threads.len(), "{act}: {text}");
    facts.stacks(&read(&text).stacks, &known);
}

/// What the program is told to do, and the thread of each stack of the report, where the report says it.
type Acts<'a> = [(&'a str, &'a [Option<u32>])];

fn compare(compiler: &str, flag: &str, prints: Prints, acts: &Acts<'_>, at_least: usize) {
    if !have(&[compiler, "setarch"]) {
        return;
    }
    let programs = Programs::new();
    let program = programs.built(compiler, &["-O1", "-w", flag]);
    let mut facts = Facts::new(&format!("{compiler} {flag}"));
    for (name, threads) in acts {
        act(&mut facts, &program, prints, name, threads);
    }
    facts.hold(at_least);
}

const MAIN: Option<u32> = Some(0);

fn address(compiler: &str) {
    let acts: [(&str, &[Option<u32>]); 4] = [
        ("freed", &[MAIN, MAIN, MAIN]),
        ("double", &[MAIN, MAIN, MAIN]),
        ("null", &[MAIN]),
        ("leak", &[None]),
    ];
    compare(compiler, "-fsanitize=address", Prints::AddressOrModule, &acts, 50);
}

fn thread(compiler: &str) {
    let acts: [(&str, &[Option<u32>]); 1] = [("race", &[MAIN, Some(1), None, MAIN])];
    compare(compiler, "-fsanitize=thread", Prints::Module, &acts, 9);
}

fn undefined(compiler: &str) {
    let acts: [(&str, &[Option<u32>]); 1] = [("overflow", &[None])];
    compare(compiler, "-fsanitize=signed-integer-overflow", Prints::AddressOrModule, &acts, 9);
}

#[test]
fn address_of_gcc() {
    address("g++");
}

#[test]
fn address_of_clang() {
    address("clang++");
}

#[test]
fn thread_of_gcc() {
    thread("g++");
}

#[test]
fn thread_of_clang() {
    thread("clang++");
}

#[test]
fn undefined_of_gcc() {
    undefined("g++");
}

#[test]
fn undefined_of_clang() {
    undefined("clang++");
}
