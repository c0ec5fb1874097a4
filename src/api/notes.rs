//! `notes.*`: which bugs are known, and whether the notes on them are in order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method;
pub use crate::authoring::{Checked, Finding, Level};
pub use crate::notes::{Kind, Problem};

method!(ListMethod, "notes.list", ListRequest => NoteList,
    "The known bugs, by id, and what is wrong with the notes that are not used.");
method!(GetMethod, "notes.get", GetRequest => NoteText, "A note as it is written.");
method!(CheckMethod, "notes.check", CheckRequest => Checked,
    "Whether notes can be read, recognise their examples and leave their look-alikes alone.");

/// Which part.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRequest {
    /// So many at most; 1,000 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From where the last answer's `next` left off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A part of the notes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteList {
    /// The notes, by id.
    pub notes: Vec<KnownNote>,
    /// The plugins, notes and patterns that are not used, and why: of all, in every part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A note, by its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownNote {
    /// `plugin/name`.
    pub id: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// Its file; absent where it is inside the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Which one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRequest {
    /// `plugin/name`.
    pub id: String,
}

/// A note as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoteText {
    /// Its head.
    #[serde(flatten)]
    pub note: KnownNote,
    /// Its file's text, TOML.
    pub text: String,
}

/// Which ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// Notes, plugins or folders of plugins, by absolute paths; where there is none, all that are not
    /// inside the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}
