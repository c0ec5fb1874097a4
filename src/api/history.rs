//! `history.*`: which crashes were seen before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::method;
use super::trace::TextPiece;
pub use crate::history::{Entry, Imported, Line, Similar};
use crate::trace::Trace;

method!(ListMethod, "history.list", ListRequest => HistoryList,
    "The crashes that are remembered, the latest first.");
method!(GetMethod, "history.get", GetRequest => Entry, "One of the crashes that are remembered.");
method!(SimilarMethod, "history.similar", SimilarRequest => SimilarCrashes,
    "The remembered crashes that are like one of them, or like that of a paste.");
method!(NoteMethod, "history.note", NoteRequest => Noted,
    "Attaches a person's words to all crashes of a fingerprint.");
method!(DeleteMethod, "history.delete", DeleteRequest => Deleted, "Forgets crashes.");
method!(ExportMethod, "history.export", ListRequest => Exported,
    "All that is remembered, in parts, as `history.import` takes it.");
method!(ImportMethod, "history.import", ImportRequest => Imported,
    "Takes over what another history has exported: all lines, or none.");

/// Which part.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRequest {
    /// So many at most; 100 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From where the last answer's `next` left off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A part of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryList {
    /// The crashes.
    pub entries: Vec<Entry>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRequest {
    /// Its number.
    pub id: i64,
}

/// A remembered crash or a paste: exactly one of the four.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarRequest {
    /// The number of a remembered crash, which is then not in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The text of a paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Several texts, read in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<TextPiece>,
    /// What `trace.parse` returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Binaries to look the frames of a paste up in, besides those known: programs, libraries, their
    /// unstripped or debug twins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// So many at most; 10 if this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// The crashes that are like it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SimilarCrashes {
    /// Those of the same fingerprint first, then the most alike.
    pub similar: Vec<Similar>,
}

/// What to attach to what: exactly one of `id` and `fingerprint`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteRequest {
    /// The number of a remembered crash that has a fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// A fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The words, which take the place of earlier ones; empty, they take those away.
    pub text: String,
}

/// To what it was attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Noted {
    /// The fingerprint.
    pub fingerprint: String,
}

/// What to forget.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// Their numbers.
    pub ids: Vec<i64>,
}

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// How many of them there were.
    pub deleted: usize,
}

/// A part of all that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    /// The lines, oldest first; the notes of persons are at the end.
    pub lines: Vec<Line>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What to take over.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The lines.
    pub lines: Vec<Line>,
}
