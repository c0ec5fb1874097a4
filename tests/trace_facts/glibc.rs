//! glibc's `backtrace_symbols_fd`, against what the loader tells the program of the same addresses (`dladdr`).

use std::process::Command;

use dbgmate::address::Pc;

use crate::known::{Facts, Known, KnownStack, read};
use crate::programs::Programs;
use crate::tools::have;

fn known_frame((index, line): (usize, &str)) -> Known {
    let fields: Vec<&str> = line.split('\t').collect();
    let [address, module, symbol, offset] = fields.as_slice().try_into().unwrap();
    let hexadecimal = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let named = !symbol.is_empty();
    Known {
        index: u32::try_from(index).unwrap(),
        pc: Some(Pc::Return),
        address: hexadecimal(address),
        function: named.then(|| symbol.to_owned()),
        offset: hexadecimal(offset).filter(|_| named),
        module: Some(module.to_owned()),
        module_offset: hexadecimal(offset).filter(|_| !named),
        ..Known::default()
    }
}

#[test]
fn backtrace_symbols_fd() {
    if !have(&["g++"]) {
        return;
    }
    let programs = Programs::new();
    let mut facts = Facts::new("glibc");
    // With all functions among the dynamic symbols, and with those of the library only.
    for flags in [["-O1", "-rdynamic"], ["-O1", "-w"]] {
        let program = programs.built("g++", &flags);
        let output = Command::new(program).arg("backtrace").output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let frames = stdout.lines().enumerate().map(known_frame).collect();
        let known = KnownStack { frames, ..KnownStack::default() };
        facts.stacks(&read(&stderr).stacks, &[known]);
    }
    facts.hold(20);
}
