//! Every distinct definition of a name, from the binaries that hold it: those that are named, configured
//! or known, then those that they load.

use std::sync::Arc;

use super::binaries::Opened;
use super::known::{Because, Known};
use super::{Engine, packages};
use crate::api::binary::{BinaryRef, Provenance};
use crate::api::layout::{LayoutSource, Searched};
use crate::binary::debuginfod::Reach;
use crate::dwarf::Language;
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::types::{self, MemberPath, Question, TypeName};

/// Suggestions come from so many binaries at most: the ones that were asked come first.
const MAX_SUGGESTING: usize = 4;

/// A binary with its answer, or with why it has none.
type Asked = (Arc<Opened>, Result<Arc<[Arc<types::LayoutMatch>]>, Error>);

/// The ways to read the name: with a path apart, or split off it.
pub(super) type Readings = Vec<(TypeName, Option<MemberPath>)>;

/// Reads a name, with a path apart or behind it.
pub(super) fn readings(type_name: &str, path: Option<&str>) -> Result<Readings, Error> {
    match path {
        Some(path) => Ok(vec![(TypeName::parse(type_name)?, Some(MemberPath::parse(path)?))]),
        None => Ok(TypeName::parse_with_path(type_name)?),
    }
}

/// A language by its name in requests.
pub(super) fn language_named(name: &str) -> Result<Language, Error> {
    Language::named(name).ok_or_else(|| {
        Error::new(Kind::Request, format!("{name:?} is no language known here"))
            .hint("one of c, c++, rust, go, assembly, other")
    })
}

/// A definition, and the binary it is in.
pub(super) struct Found {
    pub(super) opened: Arc<Opened>,
    pub(super) found: Arc<types::LayoutMatch>,
}

impl Found {
    /// Where it is from.
    pub(super) fn source(&self) -> LayoutSource {
        let binary = self.opened.binary();
        LayoutSource {
            path: binary.path().display().to_string(),
            build_id: binary.build_id().map(ToString::to_string),
            units: self.found.units,
        }
    }
}

/// One search: what was asked, and where it has looked.
pub(super) struct Search<'e> {
    engine: &'e Engine,
    job: &'e Job,
    language: Option<Language>,
    searched: Vec<Searched>,
    open: Vec<Arc<Opened>>,
    /// The first binary that could not be asked to the end: the answer, unless another one has one.
    failure: Option<Error>,
    /// So many of `searched` are there in their own right, not since another one loads them.
    asked: usize,
}

impl<'e> Search<'e> {
    /// For definitions of a language, or of any.
    pub(super) fn new(
        engine: &'e Engine,
        job: &'e Job,
        language: Option<&str>,
    ) -> Result<Search<'e>, Error> {
        let language = language.map(language_named).transpose()?;
        let (searched, open) = (Vec::new(), Vec::new());
        Ok(Search { engine, job, language, searched, open, failure: None, asked: 0 })
    }

    /// What the binaries hold that are named, else configured or known; at least one definition. And
    /// where it has looked.
    pub(super) fn of(
        mut self,
        binaries: &[BinaryRef],
        readings: &Readings,
    ) -> Result<(Vec<Found>, Vec<Searched>), Error> {
        let asked = self.asked(binaries)?;
        let mut found = self.through(&asked, readings)?;
        if found.is_empty() && self.failure.is_none() {
            let loaded = self.loaded_by_searched();
            found = self.through(&loaded, readings)?;
        }
        if found.is_empty() {
            return Err(self.failure.take().unwrap_or_else(|| self.nothing_found(readings)));
        }
        Ok((found, self.searched))
    }

    /// The same of a type alone, without a member path; `refusal` is for one. Go's names hold dots too.
    pub(super) fn of_type(
        self,
        binaries: &[BinaryRef],
        type_name: &str,
        refusal: Error,
    ) -> Result<(Vec<Found>, Vec<Searched>), Error> {
        let (engine, job, language) = (self.engine, self.job, self.language);
        let readings = readings(type_name, None)?;
        let (with_path, alone): (Readings, Readings) =
            readings.into_iter().partition(|(_, path)| path.is_some());
        match self.of(binaries, &alone) {
            Err(error) if error.kind == Kind::NotFound && !with_path.is_empty() => {
                let search = Search { language, ..Search::new(engine, job, None)? };
                Err(search.of(binaries, &with_path).map_or(error, |_| refusal))
            }
            answer => answer,
        }
    }

    /// The binaries the question names, opened; else those that are configured or known.
    fn asked(&self, references: &[BinaryRef]) -> Result<Vec<Known>, Error> {
        if references.is_empty() {
            let known = self.engine.known_binaries();
            if known.is_empty() {
                return Err(Error::new(
                    Kind::NotFound,
                    "no binary to search: none is named, none is configured, and this system has \
                     none that the plugins know",
                )
                .hint("name one with --binary PATH; `dbgmate doctor` shows where is looked"));
            }
            return Ok(known);
        }
        let mut asked = Vec::new();
        for reference in references {
            let path = self.engine.open(self.job, reference)?.binary().path().to_owned();
            asked.push(Known { path, because: Because::Asked });
        }
        Ok(asked)
    }

    /// Asks each binary.
    fn through(&mut self, binaries: &[Known], readings: &Readings) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        for known in binaries {
            self.job.check()?;
            found.extend(self.one(known, readings));
        }
        Ok(found)
    }

    /// What one binary holds; what goes wrong there is noted, and the others are asked all the same.
    fn one(&mut self, known: &Known, readings: &Readings) -> Vec<Found> {
        let mut searched = Searched {
            path: known.path.display().to_string(),
            because: known.because.to_string(),
            debug_info: Provenance::default(),
            definitions: 0,
            problem: None,
        };
        self.asked += usize::from(!known.because.is_loaded());
        let (opened, found) = match self.ask(known, readings) {
            Ok(asked) => asked,
            Err(error) => {
                searched.problem = Some(error.sentence.clone());
                self.searched.push(searched);
                self.note_failure(known, error);
                return Vec::new();
            }
        };
        searched.debug_info = Provenance::from(&*opened);
        searched.problem = opened.file.problem().or_else(|| opened.file.indexed()?.problem());
        self.open.push(Arc::clone(&opened));
        let found = found.unwrap_or_else(|error| {
            searched.problem = Some(error.sentence.clone());
            self.note_failure(known, error);
            Arc::from([])
        });
        searched.definitions = found.iter().map(|found| found.units).sum();
        self.searched.push(searched);
        let one = |found: &Arc<types::LayoutMatch>| Found {
            opened: Arc::clone(&opened),
            found: Arc::clone(found),
        };
        found.iter().map(one).collect()
    }

    /// A type without the member asked for is an answer of its own, and so is what is wrong with a
    /// binary that was named; of the others, what is wrong is told beside the answer.
    fn note_failure(&mut self, known: &Known, error: Error) {
        if error.kind == Kind::NotFound || known.because == Because::Asked {
            self.failure.get_or_insert(error);
        }
    }

    /// Opens a binary and asks it; twice, should its files change meanwhile.
    fn ask(&self, known: &Known, readings: &Readings) -> Result<Asked, Error> {
        for _ in 0..2 {
            // Nobody waits for the debug info of each library that a program happens to load.
            let reach = if known.because.is_loaded() { Reach::Cache } else { Reach::Servers };
            let opened = self.engine.binaries.open(self.job, &known.path, reach)?;
            let found = self.definitions(&opened, readings);
            // A job that was stopped is no fault of the binary's.
            self.job.check()?;
            if opened.binary().is_current() {
                return Ok((opened, found.map_err(Error::from)));
            }
        }
        let sentence = format!("{} was rewritten while it was being read", known.path.display());
        Err(Error::new(Kind::Unreadable, sentence).hint("ask again once the build is done"))
    }

    /// The definitions by the first reading that has any.
    fn definitions(
        &self,
        opened: &Opened,
        readings: &Readings,
    ) -> Result<Arc<[Arc<types::LayoutMatch>]>, types::Error> {
        let mut failure = None;
        for (name, path) in readings {
            let question = Question {
                name,
                path: path.as_ref(),
                language: self.language,
                threads: self.engine.threads(),
            };
            match opened.layouts.find(self.job, &opened.file, &question) {
                Ok(found) if found.is_empty() => {}
                Ok(found) => return Ok(found),
                // Another reading may still hold: Go's names have dots.
                Err(error @ types::Error::NoSuchMember { .. }) => failure = failure.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        failure.map_or_else(|| Ok(Arc::from([])), Err)
    }

    fn loaded_by_searched(&self) -> Vec<Known> {
        let mut loaded: Vec<Known> = Vec::new();
        for opened in &self.open {
            for known in self.engine.loaded_by(self.job, opened) {
                let is_new = |path: String| self.searched.iter().all(|other| other.path != path);
                if is_new(known.path.display().to_string())
                    && loaded.iter().all(|other| other.path != known.path)
                {
                    loaded.push(known);
                }
            }
        }
        loaded
    }

    /// Why there is no answer: no debug info at all, or no type of the name.
    fn nothing_found(&self, readings: &Readings) -> Error {
        let asked = || self.searched.iter().take(self.asked);
        if asked().all(|searched| searched.debug_info.used.is_none())
            && let Some(first) = asked().next()
        {
            return no_debug_info(self.job, first);
        }
        let name = readings.first().map(|(name, _)| name.to_string()).unwrap_or_default();
        let places = match self.searched.as_slice() {
            [one] => one.path.clone(),
            many => format!("the {} binaries searched", many.len()),
        };
        let mut sentence = format!("no type `{name}` in {places}");
        if let Some(problem) = self.searched.iter().find_map(|searched| searched.problem.as_ref()) {
            sentence.push_str(&format!(", not all of which could be read: {problem}"));
        }
        let error = Error::new(Kind::NotFound, sentence);
        let near = self.near(readings);
        let without = self.searched.iter().filter(|searched| searched.debug_info.used.is_none());
        match (near.as_slice(), without.count()) {
            ([], 0) => error.hint("check the spelling, or name another binary with --binary"),
            ([], without) => error.hint(format!(
                "{without} of them have no debug info: `dbgmate doctor` says how to install it"
            )),
            (near, _) => error.hint(format!("did you mean {}?", near.join(", "))),
        }
    }

    fn near(&self, readings: &Readings) -> Vec<String> {
        let Some((name, _)) = readings.first() else { return Vec::new() };
        let mut near = Vec::new();
        for opened in self.open.iter().take(MAX_SUGGESTING) {
            // Suggestions are a courtesy: without them the error stands all the same.
            let found =
                types::near_names(self.job, &opened.file, &name.name, self.engine.threads());
            for candidate in found.unwrap_or_default() {
                if !near.contains(&candidate) {
                    near.push(candidate);
                }
            }
        }
        near.truncate(5);
        near
    }
}

fn no_debug_info(job: &Job, searched: &Searched) -> Error {
    if let Some(problem) = &searched.problem {
        return Error::new(Kind::Malformed, format!("{}: {problem}", searched.path))
            .hint("name another copy of it with --binary");
    }
    let tried: Vec<String> = searched
        .debug_info
        .tried
        .iter()
        .map(|tried| format!("{}: {}", tried.place, tried.why))
        .collect();
    let sentence = format!("{} has no debug info (tried {})", searched.path, tried.join("; "));
    let error = Error::new(Kind::NoDebugInfo, sentence);
    match packages::install_command(job, std::path::Path::new(&searched.path)) {
        Some(command) => error.hint(command),
        None => error.hint("build it with -g, or name a copy that has debug info with --binary"),
    }
}
