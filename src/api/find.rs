//! `layout.find`: which types there are, by name, by shape, by what they hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::layout::{DeclaredAt, LayoutSource};
use super::method;

method!(FindMethod, "layout.find", FindRequest => Find,
    "The types whose name, size, members or holdings are as asked.");

/// What the types have to be; each condition that is given has to hold, and one has to be given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRequest {
    /// A name without its scope: a glob (`libxl__ev_*`; without `*`, `?` and `[` this very name), or between
    /// slashes a regular expression (`/_ev_(fd|time)$/`). A keyword in front of a glob says what the types
    /// have to be: `struct libxl__*`, `union *`, `typedef *_t`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A name that may be mistyped, with its keyword or without: the types of the few names that are nearest
    /// to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// A member of this name, also one of an anonymous struct in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_member: Option<String>,
    /// So many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Aligned to so many bytes, as the source says or else as its members have to be. Types whose
    /// alignment is not certain do not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<u64>,
    /// Members, at any depth and elements of arrays too, that take these very bytes: what was seen to
    /// be read or written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SeenBytes>,
    /// A type that is part of its bytes, at any depth: `struct point`, `libxl__ev_fd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    /// A type whose bytes it is part of, at any depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// A type that a member of its own points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<String>,
    /// Where to look; empty: the configured binaries, then those the plugins name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Only definitions in this language, for instance `c`, `c++`, `rust`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// So many names at most; 100 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From where the last answer's `next` left off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Some bytes of a value of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenBytes {
    /// The first, from the start of the type.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

/// A part of the types, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Find {
    /// The types.
    pub types: Vec<FoundType>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where a name without wildcards is nowhere: names near it, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<String>,
}

/// One distinct layout of one binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundType {
    /// The name it was found by.
    pub name: String,
    /// The type, spelled: another name where a typedef was found.
    #[serde(rename = "type")]
    pub type_name: String,
    /// In bytes; null when it is only known at run time.
    pub size: Option<u64>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<DeclaredAt>,
    /// The binary.
    pub binary: LayoutSource,
}
