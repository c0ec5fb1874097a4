//! Are these notes in order: can they be read, do their examples and look-alikes come out as they
//! say, and does another note claim the same?

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::job::{Job, Stopped};
use crate::notes::{Kind, Note, Paste, Plugins, Problem, Rank};
use crate::trace::{self, Piece};
use crate::triage::{self, MatchedNote};

/// A paste beside a note is one that a person read; more than this is something else.
const MOST_BYTES: u64 = 16 << 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// The notes that were looked at, by id.
    pub notes: Vec<String>,
    /// How many examples and look-alikes were tried.
    pub tried: usize,
    /// What is wrong or to be thought about, in the order of the notes.
    pub findings: Vec<Finding>,
}

/// One thing about a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Whether it must be mended.
    pub level: Level,
    /// The file.
    pub file: String,
    /// The line, from 1, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The note does not work.
    Error,
    /// It works, and may not be what was meant.
    Remark,
}

/// Checks the notes below `targets` (files, plugins, folders of plugins) beside those shipped and
/// those in `folders`.
pub fn check(job: &Job, folders: &[PathBuf], targets: &[PathBuf]) -> Result<Checked, Stopped> {
    let mut all = folders.to_vec();
    all.extend(targets.iter().map(|target| plugin_of(target).to_owned()));
    all.dedup();
    let (plugins, problems) = Plugins::load(&all);
    let mut checked = Checked::default();
    let meant = |file: &Path| targets.iter().any(|target| file.starts_with(target));
    let is_meant = |problem: &Problem| {
        // Those of all notes together name no file.
        meant(Path::new(&problem.file)) || !Path::new(&problem.file).has_root()
    };
    checked.findings.extend(problems.into_iter().filter(is_meant).map(Finding::from));
    for target in targets {
        let is_in =
            |note: &Note| plugins.file_of(&note.id).is_some_and(|file| file.starts_with(target));
        if checked.findings.is_empty() && !plugins.notes().iter().any(is_in) {
            checked.findings.push(empty(target));
        }
    }
    for note in plugins.notes().iter() {
        let Some(file) = plugins.file_of(&note.id).filter(|file| meant(file)) else { continue };
        let mut one = OneNote::new(job, &plugins, note, file);
        one.check()?;
        checked.notes.push(note.id.clone());
        checked.tried += one.tried;
        checked.findings.append(&mut one.findings);
    }
    Ok(checked)
}

/// The plugin's folder of a note's file `PLUGIN/notes/NAME.toml`; other paths are folders themselves.
fn plugin_of(target: &Path) -> &Path {
    let is_note = target.extension().is_some_and(|extension| extension == "toml");
    let parent = target.parent().filter(|_| is_note);
    match parent {
        Some(notes) if notes.ends_with("notes") => notes.parent().unwrap_or(notes),
        Some(plugin) => plugin,
        None => target,
    }
}

fn empty(target: &Path) -> Finding {
    Finding {
        level: Level::Error,
        file: target.display().to_string(),
        line: None,
        what: "there is no note".to_owned(),
        hint: "a note is PLUGIN/notes/NAME.toml; docs/notes.md shows one".to_owned(),
    }
}

impl From<Problem> for Finding {
    fn from(Problem { file, line, what, hint }: Problem) -> Self {
        Finding { level: Level::Error, file, line, what, hint }
    }
}

/// Where in its file each example and look-alike begins.
#[derive(Default, Deserialize)]
struct Places {
    #[serde(default)]
    example: Vec<Spanned<toml::Table>>,
    #[serde(default)]
    lookalike: Vec<Spanned<toml::Table>>,
    #[serde(default, rename = "match")]
    signatures: Vec<Spanned<toml::Table>>,
}

/// The check of one note.
struct OneNote<'n> {
    job: &'n Job,
    plugins: &'n Plugins,
    note: &'n Note,
    file: &'n Path,
    /// Its file, for the lines of findings.
    text: String,
    places: Places,
    tried: usize,
    findings: Vec<Finding>,
}

impl<'n> OneNote<'n> {
    fn new(job: &'n Job, plugins: &'n Plugins, note: &'n Note, file: &'n Path) -> Self {
        // It has just been read; should it be gone since, findings have no lines.
        let text = fs::read_to_string(file).unwrap_or_default();
        let places = toml::from_str(&text).unwrap_or_default();
        OneNote { job, plugins, note, file, text, places, tried: 0, findings: Vec::new() }
    }

    fn find(&mut self, level: Level, at: Option<usize>, what: String, hint: &str) {
        let before = at.and_then(|at| self.text.get(..at));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let file = self.file.display().to_string();
        self.findings.push(Finding { level, file, line, what, hint: hint.to_owned() });
    }

    fn check(&mut self) -> Result<(), Stopped> {
        if self.note.examples.is_empty() {
            let hint = "add a paste that it must recognise";
            self.find(Level::Remark, None, "no example shows that it works".to_owned(), hint);
        }
        if self.note.lookalikes.is_empty() {
            let hint = "add a paste of another bug that looks alike";
            self.find(Level::Remark, None, "no look-alike shows where it ends".to_owned(), hint);
        }
        self.check_examples()?;
        self.check_lookalikes()?;
        self.check_signatures();
        Ok(())
    }

    fn check_examples(&mut self) -> Result<(), Stopped> {
        for (number, example) in self.note.examples.iter().enumerate() {
            let at = self.places.example.get(number).map(|place| place.span().start);
            let Some(text) = self.read(&example.file, at) else { continue };
            let found = self.triage(&text)?;
            let rank = found.iter().find(|one| one.id == self.note.id).map(|one| one.rank);
            if rank != Some(example.rank) {
                let what = format!(
                    "the example {} is {}, not {}",
                    example.file,
                    in_words(rank),
                    in_words(Some(example.rank))
                );
                self.find(
                    Level::Error,
                    at,
                    what,
                    "mend the [[match]], or the `rank` of the example",
                );
            }
            self.rivals(&found, &example.file, example.rank, at);
        }
        Ok(())
    }

    /// Other notes that claim an example at least as well. Those that the two call related are meant
    /// to; a pattern stands behind what is no pattern.
    fn rivals(&mut self, found: &[MatchedNote], example: &str, rank: Rank, at: Option<usize>) {
        for other in found {
            let Some(rival) = self.plugins.notes().get(&other.id) else { continue };
            let is_behind = rival.kind == Kind::Pattern && self.note.kind != Kind::Pattern;
            if other.rank <= rank && !is_behind && self.is_stranger(rival) {
                let what = format!(
                    "the example {example} is also {} {}",
                    in_words(Some(other.rank)),
                    other.id
                );
                self.find(Level::Remark, at, what, RELATED);
            }
        }
    }

    fn is_stranger(&self, other: &Note) -> bool {
        let (own, other_id) = (&self.note.id, &other.id);
        own != other_id && !self.note.related.contains(other_id) && !other.related.contains(own)
    }

    fn check_lookalikes(&mut self) -> Result<(), Stopped> {
        for (number, lookalike) in self.note.lookalikes.iter().enumerate() {
            let at = self.places.lookalike.get(number).map(|place| place.span().start);
            let text = match &lookalike.paste {
                Paste::Text(text) => Some(text.clone()),
                Paste::File(file) => self.read(file, at),
            };
            let Some(text) = text else { continue };
            let found = self.triage(&text)?;
            let rank = found.iter().find(|one| one.id == self.note.id).map(|one| one.rank);
            if rank.is_some_and(|rank| lookalike.at_most.is_none_or(|most| rank < most)) {
                let what = format!("the look-alike ({}) is {}", lookalike.why, in_words(rank));
                self.find(Level::Error, at, what, "narrow the [[match]], or allow it by `at_most`");
            }
        }
        Ok(())
    }

    /// Other notes that ask for the same.
    fn check_signatures(&mut self) {
        for (number, signature) in self.note.signatures.iter().enumerate() {
            let at = self.places.signatures.get(number).map(|place| place.span().start);
            let wanted = signature.asks_for();
            let plugins = self.plugins;
            for other in
                plugins.notes().iter().filter(|other| self.is_stranger(other)).collect::<Vec<_>>()
            {
                if other.signatures.iter().any(|theirs| theirs.asks_for() == wanted) {
                    let asked: Vec<&str> = wanted.iter().map(String::as_str).collect();
                    let what = format!("{} asks for the same: {}", other.id, asked.join(", "));
                    self.find(Level::Remark, at, what, RELATED);
                }
            }
        }
    }

    /// A paste beside the note.
    fn read(&mut self, file: &str, at: Option<usize>) -> Option<String> {
        let stays = Path::new(file)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let path = plugin_of(self.file).join(file);
        let read = match fs::metadata(&path) {
            _ if !stays => Err("it is not below the plugin's folder".to_owned()),
            Ok(facts) if !facts.is_file() => Err("it is not a regular file".to_owned()),
            Ok(facts) if facts.len() > MOST_BYTES => {
                Err(format!("it is larger than {MOST_BYTES} bytes"))
            }
            Ok(_) => fs::read(&path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(why) => {
                let what = format!("{file} cannot be read: {why}");
                self.find(
                    Level::Error,
                    at,
                    what,
                    "a file is named relative to the plugin's folder",
                );
                None
            }
        }
    }

    fn triage(&mut self, text: &str) -> Result<Vec<MatchedNote>, Stopped> {
        self.tried += 1;
        let trace =
            trace::parse_with(self.job, &[Piece::unnamed(text)], self.plugins.line_formats())?;
        Ok(triage::report(self.job, trace, self.plugins.notes())?.notes)
    }
}

const RELATED: &str = "tell the two apart, or name the other under `related`";

fn in_words(rank: Option<Rank>) -> &'static str {
    match rank {
        Some(Rank::Match) => "`match`",
        Some(Rank::Consistent) => "`consistent`",
        Some(Rank::Symptom) => "`symptom`",
        None => "not recognised",
    }
}

impl crate::notes::Signature {
    /// What must hold, in any order.
    fn asks_for(&self) -> BTreeSet<String> {
        self.all.iter().map(ToString::to_string).collect()
    }
}
