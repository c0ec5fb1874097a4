//! dbgmate's engine: struct layouts, known crashes and, from pasted text, what they share.
//!
//! Where to start, by what you came to do:
//!
//! | to | go to |
//! |---|---|
//! | open an ELF file, find its debug info | [`binary`] |
//! | find DIEs by name | [`dwarf`] |
//! | lay out a type | [`types`] |
//! | read a pasted backtrace or log | [`trace`] |
//! | take out of a trace what is private | [`redact`] |
//! | load plugins and notes | [`notes`] |
//! | match a trace against notes | [`triage`] |
//! | write a note, and see whether it works | [`authoring`] |
//! | see what a method takes and returns | [`api`] |
//! | turn an answer into text | [`render`] |
//! | answer a request | [`engine`] |
//! | serve it, or call a server | [`rpc`] |
//!
//! Data flows one way, from the top of this list to its end: a module uses only those above it.
//! Everything but [`rpc`] is plain synchronous code and prints nothing.

pub mod address;
pub mod config;
pub mod error;
pub mod job;
pub mod public_name;

pub mod binary;
pub mod dwarf;
pub mod symbols;
pub mod types;

pub mod redact;
pub mod trace;

pub mod authoring;
pub mod notes;
pub mod triage;

pub mod api;
pub mod render;

pub mod engine;
pub mod rpc;
