//! What is at an address, compared with llvm-symbolizer and the crate addr2line: programs compiled
//! in many ways, every byte of their code.

#![allow(clippy::unwrap_used)]

#[path = "../tools/mod.rs"]
mod tools;

mod addresses;
mod bombs;
mod llvm;
mod ways;

use ways::{C, CXX, RUST, Source, Way};

/// Inlined functions, in one another and twice; a part that is rarely run; a jump table; functions
/// with the same code; a function local to another.
const C_SOURCE: Source =
    Source { name: "source.c", text: include_str!("../fixtures/symbols/source.c") };

/// Templates, members, lambdas, exceptions, namespaces without a name, local classes.
const CXX_SOURCE: Source =
    Source { name: "source.cc", text: include_str!("../fixtures/symbols/source.cc") };

/// Closures, generic functions, methods, panics.
const RUST_SOURCE: Source =
    Source { name: "source.rs", text: include_str!("../fixtures/symbols/source.rs") };

#[test]
fn c_is_read_as_llvm_symbolizer_reads_it() {
    every(C, &C_SOURCE);
}

#[test]
fn cxx_is_read_as_llvm_symbolizer_reads_it() {
    every(CXX, &CXX_SOURCE);
}

#[test]
fn rust_is_read_as_llvm_symbolizer_reads_it() {
    every(RUST, &RUST_SOURCE);
}

fn every(ways: &[Way], source: &Source) {
    if !tools::have(&["llvm-symbolizer"]) {
        return;
    }
    let compiled = ways.iter().filter_map(|way| way.compile(source));
    let mut compared = 0;
    for compiled in compiled {
        addresses::compare(&compiled);
        compared += 1;
    }
    assert!(compared > 0, "no compiler for {}", source.name);
}
