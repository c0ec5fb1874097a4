//! `trace.*`: what a paste says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method;
use crate::trace::Trace;

method!(ParseMethod, "trace.parse", ParseRequest => Trace,
    "Reads pasted text: stacks, events, values, log records, and what was skipped.");

/// A paste: one text, or several named ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParseRequest {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Several texts, read in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<TextPiece>,
}

/// One of several texts of a paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextPiece {
    /// Its name, which line ranges repeat.
    pub name: String,
    /// The text.
    pub text: String,
}
