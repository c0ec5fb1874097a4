//! `triage.*`: which known bug a paste shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::method;
use super::notes::Problem;
use super::trace::TextPiece;
use crate::trace::Trace;
use crate::triage::Report;

method!(ReportMethod, "triage.report", ReportRequest => ReportResponse,
    "Matches a paste against the known bugs, with the evidence for each.");

/// A paste, as text, as several texts, or already parsed: exactly one of the three.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Several texts, read in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<TextPiece>,
    /// What `trace.parse` returned, perhaps with values added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
    /// Binaries to look the frames up in, besides those known: programs, libraries, their unstripped or
    /// debug twins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Remember the crash in the history; absent: as the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remember: Option<bool>,
    /// Also return the report as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render: Option<ReportForm>,
}

/// The forms of a report as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportForm {
    /// For a terminal, without colours.
    Text,
    /// For a bug tracker.
    Markdown,
    /// A page that needs nothing else: the paste with the evidence marked, the interleaving drawn.
    Html,
    /// The lives of the objects in its logs, as an SVG picture.
    Timeline,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportResponse {
    /// The report itself.
    #[serde(flatten)]
    pub report: Report,
    /// Why the history could not be asked, or not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_problem: Option<String>,
    /// The plugins, notes and patterns that are not used, and why: what they know was not looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugin_problems: Vec<Problem>,
    /// The report as text, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
}
