//! `trace.symbolize` and `address.resolve`: what is at the addresses of a paste, or of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::{BinaryRef, Provenance};
use super::method;
use super::trace::TextPiece;
use crate::address::{FileAddress, LoadBias};
use crate::trace::{Certainty, FrameCheck, Lines, Resolved, Trace};

method!(SymbolizeMethod, "trace.symbolize", SymbolizeRequest => Symbolized,
    "Looks the frames of a paste up in binaries: functions, source lines, inlined callers, and how \
     sure it is that the binaries are those of the paste.");
method!(ResolveMethod, "address.resolve", ResolveRequest => ResolvedAddresses,
    "Looks addresses of one binary up: functions, source lines, inlined callers.");

/// A paste, as text, as several texts, or already parsed: exactly one of the three.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SymbolizeRequest {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Several texts, read in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<TextPiece>,
    /// What `trace.parse` returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Binaries to look in first: programs, libraries, their unstripped or debug twins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Where modules were loaded, when that is known and the paste does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<GivenModule>,
    /// Also so many lines of source above and below each frame's, where sources may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// Also return the trace as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render: Option<TraceForm>,
}

/// Where a module was loaded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenModule {
    /// Its path or file name, as the paste has it; absent for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its load bias.
    pub bias: LoadBias,
}

/// The forms of a trace as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceForm {
    /// As gdb prints a backtrace, without colours.
    Text,
}

/// The trace with what the binaries say, and which binaries those are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Symbolized {
    /// The trace; frames that were looked up have `resolved`.
    pub trace: Trace,
    /// The modules that were placed.
    pub modules: Vec<PlacedModule>,
    /// The modules that were not, and why.
    pub refused: Vec<RefusedModule>,
    /// The binaries of the request that no module was looked for in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<UnusedBinary>,
    /// The trace as text, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
}

/// A module whose frames were looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlacedModule {
    /// Its name in the paste; absent for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path of the binary.
    pub path: String,
    /// Its build-id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Where it was loaded.
    pub bias: LoadBias,
    /// How that is known.
    pub because: BiasSource,
    /// Certain when the build is proved for all of its frames.
    pub certainty: Certainty,
    /// How many of its frames have an address.
    pub frames: usize,
    /// How many of those are proved to be of this build.
    pub proved: usize,
    /// Where its debug info came from.
    pub debug_info: Provenance,
    /// What of it could not be read, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How a load bias is known, the surest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BiasSource {
    /// The request says it.
    Given,
    /// The paste lists where the module was.
    Listed,
    /// The program is not position-independent.
    Fixed,
    /// A frame of the C library prints where `main` is.
    StartFrame,
    /// The names of the frames leave one place.
    Inferred,
}

/// A module whose frames were not looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedModule {
    /// Its name in the paste; absent for the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many of its frames have an address.
    pub frames: usize,
    /// Why.
    pub why: Refusal,
    /// The binaries that were tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<TriedBinary>,
}

/// Why a module's frames were not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No binary of that name is here.
    NoBinary,
    /// The paste is from another build than each of those that are here.
    OtherBuild,
    /// The paste names the build that is here, but its frames do not fit where it says that was.
    OtherPlace,
    /// Several places, or several builds, would do.
    Ambiguous,
    /// No frame has a name by which to tell where the module was loaded.
    NoNames,
    /// The text has no addresses for its frames.
    NoAddresses,
}

/// A binary that might have been a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriedBinary {
    /// Its path.
    pub path: String,
    /// Its build-id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Where it would have been loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<LoadBias>,
    /// The frame that cannot be from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfit: Option<MisfitFrame>,
    /// Why it could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A binary that was named and is none of the paste's modules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnusedBinary {
    /// Its path.
    pub path: String,
    /// The binary that fits better, where a module has its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// The frame that proves that a trace is from another build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MisfitFrame {
    /// Its number.
    pub index: u32,
    /// Where it stands in the paste.
    pub lines: Lines,
    /// What is wrong with it.
    pub why: FrameCheck,
}

/// Which addresses of which binary.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// The binary.
    pub binary: BinaryRef,
    /// The addresses, as the file numbers them.
    pub addresses: Vec<FileAddress>,
    /// Also so many lines of source above and below each place, where sources may be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// Also compare each answer with that of the crate addr2line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verify: bool,
}

/// What is at the addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedAddresses {
    /// In the order of the request.
    pub addresses: Vec<ResolvedAddress>,
    /// Where the binary's debug info came from.
    pub debug_info: Provenance,
    /// What of it could not be read, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What is at one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedAddress {
    /// The address.
    pub address: FileAddress,
    /// What is there; absent where nothing is known to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolved>,
    /// What the crate addr2line says, where it was asked and says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
}
