//! Which releases does the paste come from, and do they have the bug?
//!
//! A log record, the name of a file and a build-id tell a release. The line of an assertion only
//! hints at one: patches of distributions move lines.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::notes::{Affected, Release, ToldBy, Versions, has_bug};
use crate::trace::{EventKind, Lines};

/// How many releases of a hint are named each.
const NAMED: usize = 4;

/// What the paste tells of the releases that a note speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseTold {
    /// The project.
    pub project: String,
    /// Its release: `4.2.1`, a series `4.2`, or those that it may be.
    pub release: String,
    /// Whether it has the bug.
    pub verdict: ReleaseVerdict,
    /// It only hints at the release.
    pub hint: bool,
    /// Where in the paste.
    pub lines: Lines,
    /// What tells it there.
    pub text: String,
}

/// Whether a release has a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseVerdict {
    /// It has it.
    Affected,
    /// It was mended by then, or is older than the bug.
    NotAffected,
    /// Some of the releases it may be have it, or that is not known.
    Open,
}

/// A release that the paste tells, whatever the note.
pub(super) struct Told {
    project: String,
    releases: Vec<Release>,
    hint: bool,
    lines: Lines,
    text: String,
}

/// Every release that the paste tells, each once.
pub(super) fn told(facts: &Facts<'_>, versions: &Versions) -> Vec<Told> {
    let mut told = Vec::new();
    for rule in &versions.rules {
        let mut tell = |release: Release, lines: &Lines, text: &str| {
            told.push(Told {
                project: rule.project.clone(),
                releases: vec![release],
                hint: false,
                lines: lines.clone(),
                text: text.to_owned(),
            });
        };
        match &rule.told_by {
            ToldBy::Log(pattern, _) => {
                for record in facts.log(pattern) {
                    if let Some(release) = rule.of_record(&record.text) {
                        tell(release, &record.lines, &record.text);
                    }
                }
            }
            ToldBy::File(_) => {
                for (path, lines) in facts.files() {
                    if let Some(release) = rule.of_file(path) {
                        tell(release, lines, path);
                    }
                }
            }
            ToldBy::Build(_) => {
                for (build_id, lines) in builds(facts) {
                    if let Some(release) = rule.of_build(build_id) {
                        tell(release, lines, &format!("build-id {build_id}"));
                    }
                }
            }
        }
    }
    told.extend(by_lines(facts, versions));
    let mut seen = BTreeSet::new();
    told.retain(|one| seen.insert((one.project.clone(), one.releases.clone(), one.hint)));
    told
}

/// The build-ids that the paste, or what was looked up of its addresses, names.
fn builds<'t>(facts: &Facts<'t>) -> impl Iterator<Item = (&'t str, &'t Lines)> + use<'t> {
    let trace = facts.trace;
    let modules = trace.modules.iter();
    let modules = modules.filter_map(|module| Some((module.build_id.as_deref()?, &module.lines)));
    let frames =
        trace.stacks.iter().flat_map(|stack| &stack.frames).filter_map(|frame| {
            Some((frame.resolved.as_ref()?.build_id.as_deref()?, &frame.lines))
        });
    modules.chain(frames)
}

/// The releases in which a failed assertion stands on its line.
fn by_lines(facts: &Facts<'_>, versions: &Versions) -> Vec<Told> {
    let mut told = Vec::new();
    for failed in facts.all_assertions() {
        let EventKind::Assertion { expression, line: Some(line), .. } = &failed.event.what else {
            continue;
        };
        let unspaced: String = expression.split_whitespace().collect();
        for column in &versions.lines {
            let is_it = column.expression == unspaced
                && column.function.as_ref().is_none_or(|function| *function == failed.function);
            let releases: Vec<Release> = if is_it {
                column.releases(*line).into_iter().cloned().collect()
            } else {
                Vec::new()
            };
            if !releases.is_empty() {
                told.push(Told {
                    project: column.project.clone(),
                    releases,
                    hint: true,
                    lines: failed.event.lines.clone(),
                    text: format!("{expression} on line {line}"),
                });
            }
        }
    }
    told
}

/// What is told of the projects that a note names, the certain first.
pub(super) fn judged(told: &[Told], affected: &[Affected]) -> Vec<ReleaseTold> {
    let of_project = affected.iter().flat_map(|affected| {
        let told = told.iter().filter(|told| told.project == affected.project);
        told.map(move |told| judge(told, affected))
    });
    let mut judged: Vec<ReleaseTold> = of_project.collect();
    judged.sort_by_key(|told| told.hint);
    judged
}

fn judge(told: &Told, affected: &Affected) -> ReleaseTold {
    let verdicts: BTreeSet<Option<bool>> =
        told.releases.iter().map(|release| has_bug(affected, release)).collect();
    let verdict = match verdicts.iter().collect::<Vec<_>>().as_slice() {
        [Some(true)] => ReleaseVerdict::Affected,
        [Some(false)] => ReleaseVerdict::NotAffected,
        _ => ReleaseVerdict::Open,
    };
    ReleaseTold {
        project: told.project.clone(),
        release: in_words(&told.releases),
        verdict,
        hint: told.hint,
        lines: told.lines.clone(),
        text: told.text.clone(),
    }
}

/// `4.2.0 or 4.2.1`; of many the first and the last.
fn in_words(releases: &[Release]) -> String {
    let names: Vec<String> = releases.iter().map(Release::to_string).collect();
    match names.as_slice() {
        [first, .., last] if names.len() > NAMED => {
            format!("{first} to {last} ({} of them)", names.len())
        }
        names => names.join(" or "),
    }
}
