//! Files that are no binaries, or damaged ones, or made to harm: each gets one clear sentence and the
//! right exit status, in bounded time and memory.

#![allow(clippy::unwrap_used)]

mod ask;
mod dies;
mod dwarf;
mod elf;
mod files;
mod mutants;
mod sound;
