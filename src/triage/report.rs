//! The report: plain data and its own wire form, as the trace is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::lives::ObjectLife;
use super::releases::ReleaseTold;
use crate::history::Seen;
use crate::notes::{Affected, Claim, Fix, Interleaving, Rank, Setting};
use crate::trace::{Lines, Trace};

/// What triage says of one trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The trace it speaks of.
    pub trace: Trace,
    /// The notes that match, best first; empty when none does.
    pub notes: Vec<MatchedNote>,
    /// The objects that were followed through the logs, those with something odd first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectLife>,
    /// By what the crash is known again.
    #[serde(default)]
    pub identity: Identity,
    /// How often it was seen before, and what somebody noted down about it, where a history knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// A note that fits the trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchedNote {
    /// `plugin/name`.
    pub id: String,
    /// One line.
    pub title: String,
    /// `race`, `assertion`, `bug`, `pattern`, `symptom`.
    pub kind: String,
    /// How well it fits.
    pub rank: Rank,
    /// What in the paste speaks for it, in the order of the note's signature.
    pub evidence: Vec<Evidence>,
    /// What would have spoken for it and is not in the paste.
    pub missing: Vec<Missing>,
    /// What would make it certain, where it is not: each by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisive: Vec<Missing>,
    /// What goes wrong.
    pub cause: Claim,
    /// What a reader of the paste may have missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlooked: Option<Claim>,
    /// What is to be borne in mind about this very paste.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Claim>,
    /// Who does what, in which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interleaving: Option<Interleaving>,
    /// Which releases have the bug.
    pub affected: Vec<Affected>,
    /// What the paste tells of those releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseTold>,
    /// Commits that mend it; empty when none is known.
    pub fixes: Vec<Fix>,
    /// What helps until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workaround: Option<Claim>,
    /// What to look at next.
    pub asks: Vec<Ask>,
    /// What to log, to see it in a log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// Where the note's knowledge comes from.
    pub sources: Vec<String>,
    /// Notes to read with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<String>,
}

/// One thing in the paste that speaks for a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What it shows, for instance `assertion fd == ev->fd in libxl_osevent_occurred_fd`.
    pub what: String,
    /// Where in the paste.
    pub lines: Lines,
    /// The text there, shortened.
    pub text: String,
    /// The signature needs it; otherwise it supports.
    pub required: bool,
}

/// One thing that would speak for a note and is not in the paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What it is, as evidence says it.
    pub what: String,
    /// How to get it.
    pub how: String,
}

/// A question to the person (or to a live debugger) whose answer decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Why it is asked.
    pub why: String,
    /// The function in whose frame to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    /// A member path to show there: never a call, an assignment or an operator.
    pub show: String,
    /// `type.member` that must exist, or the path would read nonsense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_member: Option<String>,
    /// The comparison that confirms the note, for instance `== -1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<String>,
    /// The comparison that refutes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refutes: Option<String>,
    /// What the paste itself answers, where it holds the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What that answer says of the note, where a comparison decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What an answer says of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It speaks for it.
    Confirms,
    /// It speaks against it.
    Refutes,
}
