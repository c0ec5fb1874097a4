//! What real printers print of a running program, read and compared with what the program itself, or its
//! debugger's API, knows: the number of frames, and every field of each.
//!
//! `cargo test --test trace_facts -- --nocapture` prints how much was compared.

#![allow(clippy::unwrap_used)]

#[path = "../tools/mod.rs"]
mod tools;

mod eu_stack;
mod gdb;
mod glibc;
mod go;
mod known;
mod lldb;
mod perf;
mod programs;
mod python;
mod rust;
mod sanitizers;
mod symbolizer;
mod valgrind;
