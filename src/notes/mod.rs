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
mod ignored;
mod index;
mod line_format;
mod member_path;
mod note;
mod objects;
mod patterns;
mod plugin;
mod predicate;
mod problem;
mod releases;
mod versions;

pub use claims::{Affected, Claim, Confidence, Fix, Interleaving, Rank, Setting, Step};
pub use note::{Example, Kind, Lookalike, Note, Paste};
pub use objects::{LifeState, LifeStep};
pub use plugin::Plugin;
pub use problem::Problem;

pub(crate) use comparison::integer;
pub(crate) use frame_pattern::{FramePattern, Globs};
pub(crate) use frames_on::{Before, FramesOn, Recursion, Runs, StacksOn, Start};
pub(crate) use ignored::Ignored;
pub(crate) use index::Clue;
pub(crate) use member_path::MemberPath;
pub(crate) use note::{Question, Signature};
pub(crate) use objects::{ObjectRule, SeenIn, StepRule};
pub(crate) use predicate::{
    AssertionFailed, Deadlock, Deadlocked, Expected, Fared, Faulted, Logged, Predicate, Ran,
    Reached, StackPrinted, Stopped, ValueIs,
};
pub(crate) use releases::{Release, has as has_bug};
pub(crate) use versions::{ToldBy, Versions};

use std::collections::BTreeMap;
use std::mem;
use std::path::{Path, PathBuf};

use files::PluginFiles;
use index::Index;
use patterns::Patterns;
use plugin::Manifest;

use crate::trace::{LineFormat, LineFormats};

/// Every plugin loaded, and their notes.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    plugins: BTreeMap<String, Plugin>,
    line_formats: LineFormats,
    notes: Notes,
    /// The files of notes that are not shipped, by their ids.
    own_notes: BTreeMap<String, String>,
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
        let mut loaded = Loaded::default();
        for files in &found {
            loaded.add_plugin(files, &mut problems);
            loaded.add_notes(files, &mut problems);
        }
        let line_formats = line_formats(&loaded.line_formats, &mut problems);
        let notes = Notes::new(&mut loaded, &mut problems);
        let Loaded { plugins, own_notes, .. } = loaded;
        (Plugins { plugins, line_formats, notes, own_notes }, problems)
    }

    /// The plugins, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.values()
    }

    /// The forms of lines that the plugins know, for [`trace::parse_with`](crate::trace::parse_with).
    pub fn line_formats(&self) -> &LineFormats {
        &self.line_formats
    }

    /// The file of a note that is not shipped.
    pub fn file_of(&self, id: &str) -> Option<&Path> {
        self.own_notes.get(id).map(Path::new)
    }

    /// The text of a note inside the program, unless another has taken its place.
    pub fn shipped_text(&self, id: &str) -> Option<&'static str> {
        if self.own_notes.contains_key(id) { None } else { files::shipped_text(id) }
    }

    /// The notes of all plugins.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }
}

/// All forms of lines as one. Should they be more than one set takes, which the bounds on each rule out,
/// none is used.
fn line_formats(
    plugins: &BTreeMap<String, Vec<LineFormat>>,
    problems: &mut Vec<Problem>,
) -> LineFormats {
    let formats = plugins.values().flatten().cloned();
    LineFormats::new(formats.collect()).unwrap_or_else(|error| {
        problems.push(Problem {
            file: "all plugins".to_owned(),
            line: None,
            what: format!("the line formats do not fit together: {error}"),
            hint: "simplify the largest pattern".to_owned(),
        });
        LineFormats::default()
    })
}

/// What was read so far; later plugins and notes take the place of earlier ones.
#[derive(Default)]
struct Loaded {
    plugins: BTreeMap<String, Plugin>,
    line_formats: BTreeMap<String, Vec<LineFormat>>,
    notes: BTreeMap<String, Note>,
    /// The files of notes that are not shipped.
    own_notes: BTreeMap<String, String>,
    versions: BTreeMap<String, Versions>,
    objects: BTreeMap<String, Vec<ObjectRule>>,
    ignored: BTreeMap<String, Ignored>,
}

impl Loaded {
    fn add_plugin(&mut self, files: &PluginFiles, problems: &mut Vec<Problem>) {
        let Some(file) = &files.manifest else {
            if !self.plugins.contains_key(&files.name) {
                problems.push(Problem {
                    file: files.folder.clone(),
                    line: None,
                    what: "the folder has no plugin.toml and no plugin of its name is known"
                        .to_owned(),
                    hint: "write one, as docs/notes.md shows".to_owned(),
                });
            }
            return;
        };
        let Manifest { plugin, line_formats, project, versions, objects, ignored, flaws } =
            match Manifest::read(&file.text, &files.name) {
                Ok(manifest) => manifest,
                Err(flaw) => {
                    problems.push(flaw.in_file(&file.path, &file.text));
                    return;
                }
            };
        problems.extend(flaws.into_iter().map(|flaw| flaw.in_file(&file.path, &file.text)));
        self.plugins.insert(files.name.clone(), plugin);
        self.line_formats.insert(files.name.clone(), line_formats);
        let lines = files.lines.as_ref().and_then(|file| {
            let lines = versions::read_lines(&file.text, &project);
            lines.map_err(|flaw| problems.push(flaw.in_file(&file.path, &file.text))).ok()
        });
        let versions = Versions { rules: versions, lines: lines.unwrap_or_default() };
        self.versions.insert(files.name.clone(), versions);
        self.objects.insert(files.name.clone(), objects);
        self.ignored.insert(files.name.clone(), ignored);
    }

    fn add_notes(&mut self, files: &PluginFiles, problems: &mut Vec<Problem>) {
        if !self.plugins.contains_key(&files.name) {
            return;
        }
        for (stem, file) in &files.notes {
            let id = format!("{}/{stem}", files.name);
            match Note::read(&file.text, &id) {
                Ok(note) => {
                    // In the place of a shipped note it is meant to be; of another, perhaps not.
                    let earlier = self.own_notes.get(&id);
                    let earlier = earlier.filter(|earlier| **earlier != file.path);
                    problems.extend(earlier.map(|earlier| twice(&id, &file.path, earlier)));
                    if !files.is_shipped() {
                        self.own_notes.insert(id.clone(), file.path.clone());
                    }
                    self.notes.insert(id, note);
                }
                Err(flaw) => problems.push(flaw.in_file(&file.path, &file.text)),
            }
        }
    }
}

/// Two files with one note: the later is used, and somebody may not know.
fn twice(id: &str, later: &str, earlier: &str) -> Problem {
    Problem {
        file: later.to_owned(),
        line: None,
        what: format!("the note {id} is also in {earlier}; this one, which comes later, is used"),
        hint: "take one of the two away, or give it another name".to_owned(),
    }
}

/// The notes, with all their patterns as one and an index of what they need: a paste is read once,
/// however many notes there are.
#[derive(Clone, Debug)]
pub struct Notes {
    /// In the order of their ids.
    notes: Vec<Note>,
    patterns: Patterns,
    index: Index,
    versions: Versions,
    objects: Vec<ObjectRule>,
    ignored: Ignored,
}

impl Default for Notes {
    fn default() -> Self {
        let (notes, index, versions, objects, ignored) = Default::default();
        Notes { notes, patterns: Patterns::none(), index, versions, objects, ignored }
    }
}

impl Notes {
    /// Should all patterns together be more than one pass takes, notes that read logs are left
    /// aside.
    fn new(loaded: &mut Loaded, problems: &mut Vec<Problem>) -> Self {
        let mut notes: Vec<Note> = mem::take(&mut loaded.notes).into_values().collect();
        let versions = Versions::all(mem::take(&mut loaded.versions).into_values());
        let objects = mem::take(&mut loaded.objects).into_values().flatten();
        let objects: Vec<ObjectRule> = objects.collect();
        let followed = objects.iter().flat_map(ObjectRule::patterns).chain(versions.patterns());
        let patterns = Patterns::new(notes.iter().flat_map(Note::patterns).chain(followed))
            .unwrap_or_else(|error| {
                notes.retain(|note| note.patterns().next().is_none());
                problems.push(Problem {
                    file: "all notes".to_owned(),
                    line: None,
                    what: format!("the log patterns do not fit together: {error}"),
                    hint: "simplify the largest pattern".to_owned(),
                });
                Patterns::none()
            });
        let index = Index::of(&notes);
        let ignored = Ignored::all(mem::take(&mut loaded.ignored).into_values());
        Notes { notes, patterns, index, versions, objects, ignored }
    }

    /// The note of this id.
    pub fn get(&self, id: &str) -> Option<&Note> {
        let place = self.notes.binary_search_by(|note| note.id.as_str().cmp(id)).ok()?;
        self.notes.get(place)
    }

    /// All notes, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter()
    }

    /// The notes that a paste which holds this may show.
    pub(crate) fn candidates<'c>(
        &self,
        held: impl Iterator<Item = Clue<'c>>,
    ) -> impl Iterator<Item = &Note> {
        self.index.candidates(held).into_iter().filter_map(|number| self.notes.get(number))
    }

    /// Whether any note looks at what this log message says.
    pub fn read(&self, message: &str) -> bool {
        self.patterns.matching(message).next().is_some()
    }

    /// The objects to follow through a log.
    pub(crate) fn objects(&self) -> &[ObjectRule] {
        &self.objects
    }

    /// What tells releases.
    pub(crate) fn versions(&self) -> &Versions {
        &self.versions
    }

    /// The functions that tell nothing of a crash.
    pub(crate) fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// Every pattern once.
    pub(crate) fn patterns(&self) -> &Patterns {
        &self.patterns
    }
}

#[cfg(test)]
mod tests;
