//! `layout.functions`: which functions take or return a type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::layout::DeclaredAt;
use super::method;

method!(FunctionsMethod, "layout.functions", FunctionsRequest => Functions,
    "The functions that take or return a type, also behind pointers and typedefs.");

/// Which type, and what the functions do with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionsRequest {
    /// `struct libxl__ev_fd`, `libxl_ctx`; a scope is not looked at.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Only those that do this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<FunctionRole>,
    /// Where to look; empty: the configured binaries, then those the plugins name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// So many functions at most; 100 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From where the last answer's `next` left off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What a function does with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FunctionRole {
    /// A parameter leads to it.
    Takes,
    /// What it returns leads to it.
    Returns,
}

/// A part of the functions, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Functions {
    /// The functions.
    pub functions: Vec<FoundFunction>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A function of one or several binaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundFunction {
    /// Its name, without scope.
    pub name: String,
    /// As it is declared: `int f(struct point *, int)`.
    pub signature: String,
    /// Whether a parameter leads to the type.
    pub takes: bool,
    /// Whether what it returns does.
    pub returns: bool,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<DeclaredAt>,
    /// The binaries that know it, by path.
    pub binaries: Vec<String>,
}
