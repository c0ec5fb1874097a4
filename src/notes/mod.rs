//! What is known: which bugs of which projects, and how to recognise them?
//!
//! ```
//! use dbgmate::notes::Plugins;
//!
//! let (plugins, problems) = Plugins::load(&[]);
//! assert!(problems.is_empty());
//! let note = plugins.notes().get("libxl/fd-deregister-race").unwrap();
//! println!("{}", note.title);
//! ```
//!
//! Knowledge is TOML and runs no code: docs/notes.md is its manual. Rule: what is wrong in one
//! file is a [`Problem`] that names its line, and everything else still works.

mod claims;
mod comparison;
mod files;
mod frame_pattern;
mod frames_on;
mod member_path;
mod note;
mod plugin;
mod predicate;
mod problem;

pub use claims::{Affected, Claim, Confidence, Fix, Interleaving, Rank, Setting, Step};
pub use note::{Example, Kind, Lookalike, Note, Paste};
pub use plugin::Plugin;
pub use problem::Problem;

pub(crate) use comparison::integer;
pub(crate) use frame_pattern::{FramePattern, Globs};
pub(crate) use frames_on::{Before, FramesOn, Recursion, Runs, StacksOn, Start};
pub(crate) use member_path::MemberPath;
pub(crate) use note::{Question, Signature};
pub(crate) use predicate::{
    AssertionFailed, Deadlock, Deadlocked, Expected, Faulted, Logged, Predicate, Ran, Reached,
    StackPrinted, Stopped, ValueIs,
};

use std::collections::BTreeMap;
use std::path::PathBuf;

use files::PluginFiles;
use regex::{RegexSet, RegexSetBuilder};

/// Every plugin loaded, and their notes.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    plugins: BTreeMap<String, Plugin>,
    notes: Notes,
}

impl Plugins {
    /// The shipped plugins, then those found in `folders` (each a folder of plugin folders). A
    /// later plugin or note takes the place of an earlier one of the same name.
    pub fn load(folders: &[PathBuf]) -> (Plugins, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut found = files::shipped();
        for folder in folders {
            found.extend(files::in_folder(folder, &mut problems));
        }
        let mut plugins = BTreeMap::new();
        let mut notes = BTreeMap::new();
        for files in &found {
            load_plugin(files, &mut plugins, &mut problems);
            load_notes(files, &plugins, &mut notes, &mut problems);
        }
        (Plugins { plugins, notes: Notes::new(notes, &mut problems) }, problems)
    }

    /// The plugins, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.values()
    }

    /// The notes of all plugins.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }
}

fn load_plugin(
    files: &PluginFiles,
    plugins: &mut BTreeMap<String, Plugin>,
    problems: &mut Vec<Problem>,
) {
    match &files.manifest {
        Some(file) => match Plugin::read(&file.text, &files.name) {
            Ok(plugin) => {
                plugins.insert(files.name.clone(), plugin);
            }
            Err(flaw) => problems.push(flaw.in_file(&file.path, &file.text)),
        },
        None if plugins.contains_key(&files.name) => {}
        None => problems.push(Problem {
            file: files.folder.clone(),
            line: None,
            what: "the folder has no plugin.toml and no plugin of its name is known".to_owned(),
            hint: "write one, as docs/notes.md shows".to_owned(),
        }),
    }
}

fn load_notes(
    files: &PluginFiles,
    plugins: &BTreeMap<String, Plugin>,
    notes: &mut BTreeMap<String, Note>,
    problems: &mut Vec<Problem>,
) {
    if !plugins.contains_key(&files.name) {
        return;
    }
    for (stem, file) in &files.notes {
        let id = format!("{}/{stem}", files.name);
        match Note::read(&file.text, &id) {
            Ok(note) => {
                notes.insert(id, note);
            }
            Err(flaw) => problems.push(flaw.in_file(&file.path, &file.text)),
        }
    }
}

/// The notes, and all their log patterns as one: a log is read once, however many notes there are.
#[derive(Clone, Debug)]
pub struct Notes {
    notes: BTreeMap<String, Note>,
    patterns: RegexSet,
}

impl Default for Notes {
    fn default() -> Self {
        Notes { notes: BTreeMap::new(), patterns: RegexSet::empty() }
    }
}

impl Notes {
    /// Should all patterns together be more than one set takes, which their bounds rule out, notes
    /// that read logs are left aside.
    fn new(mut notes: BTreeMap<String, Note>, problems: &mut Vec<Problem>) -> Self {
        let patterns = patterns_of(&notes);
        match RegexSetBuilder::new(&patterns)
            .size_limit(predicate::set_bytes(patterns.len()))
            .build()
        {
            Ok(patterns) => Notes { notes, patterns },
            Err(error) => {
                notes.retain(|_, note| note.log_patterns().next().is_none());
                problems.push(Problem {
                    file: "all notes".to_owned(),
                    line: None,
                    what: format!("the log patterns do not fit together: {error}"),
                    hint: "simplify the largest pattern".to_owned(),
                });
                Notes { notes, patterns: RegexSet::empty() }
            }
        }
    }

    /// The note of this id.
    pub fn get(&self, id: &str) -> Option<&Note> {
        self.notes.get(id)
    }

    /// All notes, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.notes.values()
    }

    /// Whether any note looks at what this log message says.
    pub fn read(&self, message: &str) -> bool {
        self.patterns.is_match(message)
    }

    /// Every log pattern once.
    pub(crate) fn patterns(&self) -> &RegexSet {
        &self.patterns
    }
}

fn patterns_of(notes: &BTreeMap<String, Note>) -> Vec<String> {
    let mut patterns: Vec<String> =
        notes.values().flat_map(Note::log_patterns).map(str::to_owned).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}

#[cfg(test)]
mod tests;
