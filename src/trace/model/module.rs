//! Where a paste says that programs and libraries are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Lines;
use crate::address::{FileOffset, LoadBias, RuntimeAddress};

/// A program or library the text lists with its place in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its path as printed.
    pub path: String,
    /// Its build-id, where the text gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// What the text makes the load bias, where it gives an address both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<LoadBias>,
    /// The first address, of what `source` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<RuntimeAddress>,
    /// The first address past it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RuntimeAddress>,
    /// Which byte of the file is at `start`, where the text says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_offset: Option<FileOffset>,
    /// Which kind of text told it.
    pub source: ModuleSource,
    /// Where it stands.
    pub lines: Lines,
}

/// The texts that tell where modules are, which decide what [`Module::start`] means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModuleSource {
    /// `/proc/PID/maps` or gdb's `info proc mappings`: one mapping of the file.
    Maps,
    /// gdb's `info sharedlibrary`: `start` is where the section .text starts.
    SharedLibraries,
    /// A frame that gives its address and, behind the module's name, the offset from the load bias
    /// (glibc's `backtrace_symbols`, the sanitizers).
    FrameOffset,
    /// A frame of systemd-coredump: `start` is where the module's first mapping starts.
    Coredump,
    /// The kernel's `segfault at … in lib[base+size]`: the mapping that holds the instruction.
    KernelSegfault,
    /// A list of modules with build-ids, of whatever printer; `start` is the first mapping's.
    ModuleList,
}
