//! What is kept of a crash: plain data and its own wire form, as a trace is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One crash that was triaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// A hash of the paste's stacks and events, `0x…`: the same paste counts once.
    pub digest: String,
    /// When it was triaged first, for instance `2026-01-31T12:00:00Z`.
    pub at: String,
    /// The fingerprint; absent where the crash has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What the fingerprint is made of, or why there is none.
    pub because: String,
    /// The functions on the stack of the crash, innermost first; an unknown one is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// The ids of the notes that fitted, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A record with its place in this history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its number, which no other record of this history has or had.
    pub id: i64,
    /// The record.
    #[serde(flatten)]
    pub record: Record,
    /// What somebody noted down about its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Some of the records, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub entries: Vec<Entry>,
    /// Where to go on, where there are more.
    pub next: Option<i64>,
}

/// What somebody noted down about all crashes of one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonNote {
    /// The fingerprint.
    pub fingerprint: String,
    /// The words.
    pub text: String,
    /// When they were written.
    pub at: String,
}

/// One line of an exported history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// A record.
    Record(Record),
    /// A person's note.
    Note(PersonNote),
}

/// What became of imported lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// Lines that are new here.
    pub added: usize,
    /// Lines that this history had: the same paste, or a note that is not older.
    pub known: usize,
}

/// How often crashes of one fingerprint were seen in other pastes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// How many other pastes have it; 0 where there is but a note.
    pub times: u64,
    /// When the first of them was triaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When the last one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The number of the last one in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_id: Option<i64>,
    /// What somebody noted down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A crash that is like the one asked about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Similar {
    /// The latest record of it.
    pub entry: Entry,
    /// How many records have this very stack.
    pub times: u64,
    /// Both have one fingerprint.
    pub same_fingerprint: bool,
    /// How alike the stacks are, from 0 to 1.
    pub similarity: f64,
}

/// The time now, as records have it.
pub fn now() -> String {
    in_words(Timestamp::now().as_second())
}

/// Seconds since 1970 as a record says them.
pub(super) fn in_words(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Seconds since 1970 of a time as a record says it.
pub(super) fn in_seconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_second())
}

/// A digest as the database has it: SQLite knows signed numbers only.
pub(super) fn digest_of(text: &str) -> Option<i64> {
    let number = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    Some(number.cast_signed())
}

/// A digest as a record says it.
pub(super) fn digest_in_words(number: i64) -> String {
    format!("{:#018x}", number.cast_unsigned())
}
