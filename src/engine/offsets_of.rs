//! `layout.offsets_of`: every distinct layout of a name, from the binaries that hold it.

use std::sync::Arc;

use super::binaries::Opened;
use super::known::{Because, Known};
use super::{Answer, Engine, packages};
use crate::api::binary::{BinaryRef, Provenance};
use crate::api::layout::{
    LayoutMatch, LayoutSource, OffsetsOf, OffsetsOfMethod, OffsetsOfRequest, Searched,
};
use crate::binary::debuginfod::Reach;
use crate::dwarf::Language;
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::render;
use crate::types::{self, MemberPath, Question, TypeName};

/// Suggestions come from so many binaries at most: the ones that were asked come first.
const MAX_SUGGESTING: usize = 4;

impl Answer for OffsetsOfMethod {
    fn answer(engine: &Engine, job: &Job, request: OffsetsOfRequest) -> Result<OffsetsOf, Error> {
        let language = request.language.as_deref().map(language_named).transpose()?;
        let readings = readings(&request)?;
        let mut search = Search {
            engine,
            job,
            language,
            searched: Vec::new(),
            open: Vec::new(),
            failure: None,
            asked: 0,
        };
        let asked = search.asked(&request.binaries)?;
        let mut matches = search.through(&asked, &readings)?;
        if matches.is_empty() && search.failure.is_none() {
            let loaded = search.loaded_by_searched();
            matches = search.through(&loaded, &readings)?;
        }
        if matches.is_empty() {
            return Err(search.failure.take().unwrap_or_else(|| search.nothing_found(&readings)));
        }
        let mut answer = OffsetsOf { matches, searched: search.searched, rendered: None };
        let styled = request.render.map(|form| render::layout(&answer, form));
        answer.rendered = styled.as_deref().map(render::plain);
        Ok(answer)
    }
}

/// A binary with its answer, or with why it has none.
type Asked = (Arc<Opened>, Result<Arc<[types::LayoutMatch]>, Error>);

/// The ways to read the name: with a path apart, or split off it.
type Readings = Vec<(TypeName, Option<MemberPath>)>;

fn readings(request: &OffsetsOfRequest) -> Result<Readings, Error> {
    match &request.path {
        Some(path) => {
            Ok(vec![(TypeName::parse(&request.type_name)?, Some(MemberPath::parse(path)?))])
        }
        None => Ok(TypeName::parse_with_path(&request.type_name)?),
    }
}

fn language_named(name: &str) -> Result<Language, Error> {
    Language::named(name).ok_or_else(|| {
        Error::new(Kind::Request, format!("{name:?} is no language known here"))
            .hint("one of c, c++, rust, go, assembly, other")
    })
}

/// One search: what was asked, and where it has looked.
struct Search<'e> {
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

impl Search<'_> {
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

    /// Asks each binary; the same layout found in several is one match with several sources.
    fn through(
        &mut self,
        binaries: &[Known],
        readings: &Readings,
    ) -> Result<Vec<LayoutMatch>, Error> {
        let mut matches: Vec<LayoutMatch> = Vec::new();
        for known in binaries {
            self.job.check()?;
            for (found, source) in self.one(known, readings) {
                match matches.iter_mut().find(|other| other.shows_same(&found)) {
                    Some(same) => same.layout.binaries.push(source),
                    None => {
                        let mut found = found;
                        found.layout.binaries.push(source);
                        matches.push(found);
                    }
                }
            }
        }
        Ok(matches)
    }

    /// What one binary holds; what goes wrong there is noted, and the others are asked all the same.
    fn one(&mut self, known: &Known, readings: &Readings) -> Vec<(LayoutMatch, LayoutSource)> {
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
        let source = |units| LayoutSource {
            path: opened.binary().path().display().to_string(),
            build_id: opened.binary().build_id().map(ToString::to_string),
            units,
        };
        found.iter().map(|found| (LayoutMatch::from(found), source(found.units))).collect()
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
    ) -> Result<Arc<[types::LayoutMatch]>, types::Error> {
        let mut failure = None;
        for (name, path) in readings {
            let key = format!("{name}\n{path:?}\n{:?}", self.language);
            let question = Question {
                name,
                path: path.as_ref(),
                language: self.language,
                threads: self.engine.threads(),
            };
            match opened.answer(&key, || types::find(self.job, &opened.file, &question)) {
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
