//! What does a note claim, and what does each claim rest on?
//!
//! Plain data, the same in a note's file, in a report and on the wire.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How well a note fits, best first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// This is it.
    Match,
    /// What the paste shows fits, and does not prove it.
    Consistent,
    /// The same symptom only.
    Symptom,
}

/// What a claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The commit that fixed it says so.
    Commit,
    /// The code of that release was read.
    Code,
    /// Concluded from the above.
    Inferred,
}

/// A sentence, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What it rests on.
    pub confidence: Confidence,
    /// The sentence.
    pub text: String,
}

/// Threads and their steps, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interleaving {
    /// What it rests on.
    pub confidence: Confidence,
    /// The threads by their letters.
    pub threads: BTreeMap<String, String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step: who, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step(pub String, pub String);

/// The releases of one project that have the bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// The project.
    pub project: String,
    /// The first release with it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced: Option<String>,
    /// The first release without it, one a branch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<String>,
    /// What it rests on.
    pub confidence: Confidence,
}

/// A commit that mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// The project.
    pub project: String,
    /// The commit.
    pub commit: String,
    /// Its first line.
    pub subject: String,
    /// The first release that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Release to commit, for older branches.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub backports: BTreeMap<String, String>,
    /// A caveat: why it may not be the fix, what else it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// What to log, when what would decide is not in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What the log then tells.
    pub why: String,
    /// The setting, and where it belongs.
    pub set: String,
    /// The words to look for then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<String>,
}
