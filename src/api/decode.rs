//! `layout.decode`: what the bytes of a value say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::layout::{DeclaredAt, LayoutSource, Searched};
use super::method;
use crate::address::RuntimeAddress;
use crate::types;

method!(DecodeMethod, "layout.decode", DecodeRequest => Decode,
    "Bytes as the values of a type's members: numbers, enumerators, texts, bit fields.");

/// Which type, and its bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecodeRequest {
    /// `struct libxl__ev_fd`, `libxl_domain_config`, `union foo`, `ns::Type<int>`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// In hexadecimal, or lines as gdb's `x/xb`, `x/xh`, `x/xw` or `x/xg` prints them. They may end
    /// before the type does.
    pub bytes: String,
    /// Where the first mapping of the binary starts in the process: then pointers into it are named. Not
    /// needed where the binary is not position-independent, and where gdb's lines name a symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<RuntimeAddress>,
    /// The same for all modules of the process: `/proc/PID/maps`, gdb's `info sharedlibrary` or `info proc
    /// mappings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maps: Option<String>,
    /// Where to look; empty: the configured binaries, then those the plugins name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Only definitions in this language, for instance `c`, `c++`, `rust`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The answer: at least one match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decode {
    /// What the bytes say by each distinct layout under the name.
    pub matches: Vec<DecodeMatch>,
    /// Every binary that was looked into, in that order, with where its debug info is.
    pub searched: Vec<Searched>,
}

/// What the bytes say by one layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecodeMatch {
    /// The type, spelled.
    #[serde(rename = "type")]
    pub type_name: String,
    /// In bytes; null when it is only known at run time.
    pub size: Option<u64>,
    /// How many bytes were given.
    pub given: u64,
    /// Where the first such definition is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<DeclaredAt>,
    /// The binaries with such definitions.
    pub binaries: Vec<LayoutSource>,
    /// What the bytes say.
    pub value: DecodedValue,
    /// Why no pointer has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed_pointers: Option<String>,
}

/// A value, or the values of its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecodedValue {
    /// The member's name, `[1][2]` for an element; empty for the type itself and for what has none.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Bytes from the start of the type; null when only known at run time.
    pub offset: Option<u64>,
    /// A bit field's first bit, from the start of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_offset: Option<u64>,
    /// A bit field's width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_size: Option<u64>,
    /// `-1`, `BLUE (2)`, `"text"`, `0x7ffe10`; absent for what has members or elements, and behind the
    /// end of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What a pointer points to: `fd_callback`, `ctx+16`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<String>,
    /// Its members or elements; of a union all of them, of variants those of the one that is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<DecodedValue>,
    /// Why something is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl From<&types::Decoded> for DecodedValue {
    fn from(decoded: &types::Decoded) -> Self {
        let field = decoded.bits.filter(|_| decoded.is_bit_field);
        DecodedValue {
            name: decoded.name.clone(),
            type_name: decoded.type_name.clone(),
            offset: decoded.bits.map(|bits| bits.offset / 8),
            bit_offset: field.map(|bits| bits.offset),
            bit_size: field.map(|bits| bits.size),
            value: decoded.text.clone(),
            points_to: None,
            values: decoded.values.iter().map(DecodedValue::from).collect(),
            why: decoded.why.clone(),
        }
    }
}
