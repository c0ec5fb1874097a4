//! Plugins are part of the program: a note that is added or changed builds it anew.

#![allow(clippy::print_stdout)] // how a build script talks to cargo

fn main() {
    println!("cargo::rerun-if-changed=plugins");
    println!("cargo::rerun-if-changed=build.rs");
}
