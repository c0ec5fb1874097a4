//! `layout.find`: the types of binaries that are as asked.

mod conditions;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::binaries::Opened;
use super::search::{Found, language_named};
use super::{Answer, Engine};
use crate::api::binary::BinaryRef;
use crate::api::find::{Find, FindMethod, FindRequest, FoundType};
use crate::api::layout::DeclaredAt;
use crate::binary::debuginfod::Reach;
use crate::dwarf::Language;
use crate::error::{Error, Kind};
use crate::job::{Job, Progress};
use crate::types::{self, Keyword, LayoutMatch, Question, Survey, Surveyor, TypeName};
use conditions::Conditions;
use pattern::{Pattern, is_plain};

/// An answer has so many names where the request does not say.
const DEFAULT_LIMIT: usize = 100;

/// Names are looked at so many between two tellings of how far it is.
const TELL_EVERY: usize = 256;

/// So many names near one that is nowhere are named.
const MAX_NEAR: usize = 5;

impl Answer for FindMethod {
    fn answer(engine: &Engine, job: &Job, request: FindRequest) -> Result<Find, Error> {
        let [(name_is, name), (like_is, like)] = [&request.name, &request.like]
            .map(|text| text.as_deref().map_or((None, None), keyword_and_name));
        let pattern = name.map(Pattern::parse).transpose()?;
        let like = like.map(types::pointee);
        let is_shaped = Conditions::are_in(&request);
        if pattern.is_none() && like.is_none() && !is_shaped {
            return Err(Error::new(Kind::Request, "nothing is asked for: all types would do")
                .hint("give a name as a glob, a size, a member, or a type that they hold"));
        }
        let language = request.language.as_deref().map(language_named).transpose()?;
        let binaries = opened(engine, job, &request.binaries)?;
        let keyword = name_is.or(like_is);
        let looking = Looking { engine, job, request: &request, keyword, language };
        let mut names = looking.names(&binaries, pattern.as_ref(), like)?;
        // `x *` is a glob, and how C writes a pointer to `x`.
        let mut name = name;
        if let Some(bare) = name.filter(|_| names.is_empty()).map(types::pointee)
            && name != Some(bare)
        {
            let pattern = Pattern::parse(bare)?;
            names = looking.names(&binaries, Some(&pattern), like)?;
            name = Some(bare);
        }
        let mut answer = if is_shaped {
            let survey = |binary: &Arc<Opened>| Survey::of(job, &binary.file, engine.threads());
            let surveys = binaries.iter().map(survey).collect::<Result<Vec<_>, _>>()?;
            let mut shaped = Vec::with_capacity(binaries.len());
            for (binary, survey) in binaries.iter().zip(&surveys) {
                let surveyor = Surveyor::new(job, &binary.file, survey)?;
                let conditions = Conditions::of(job, &request, survey, &surveyor)?;
                shaped.push((surveyor, conditions));
            }
            looking.part(&names, &binaries, |position, name| {
                let Some((surveyor, conditions)) = shaped.get(position) else { return Ok(vec![]) };
                let mut fitting = Vec::new();
                let mut definitions = surveyor.definitions(name, language)?;
                definitions
                    .retain(|found| keyword.is_none_or(|keyword| keyword.fits(&found.layout)));
                for mut found in types::merged(definitions) {
                    // A typedef of a tag is the same answer again, unless a name is asked for.
                    let via = &found.layout.via;
                    let is_own = via.is_empty() || found.layout.type_name == name;
                    let is_wanted = is_own || request.name.is_some() || request.like.is_some();
                    if is_wanted && conditions.fit(surveyor, &found.layout)? {
                        found.layout.declared_at = surveyor.declared_at(found.layout.die)?;
                        fitting.push(found);
                    }
                }
                Ok(fitting)
            })?
        } else {
            looking.part(&names, &binaries, |position, name| match binaries.get(position) {
                Some(binary) => looking.definitions(binary, name),
                None => Ok(Vec::new()),
            })?
        };
        if let Some(name) = name.filter(|name| is_plain(name) && names.is_empty()) {
            answer.near = looking.near(&binaries, name)?;
        }
        Ok(answer)
    }
}

fn keyword_and_name(text: &str) -> (Option<Keyword>, Option<&str>) {
    let (keyword, name) = Keyword::split(text);
    (keyword, Some(name))
}

/// Names, each with the positions of the binaries that have it.
type Names = BTreeMap<String, Vec<usize>>;

struct Looking<'l> {
    engine: &'l Engine,
    job: &'l Job,
    request: &'l FindRequest,
    keyword: Option<Keyword>,
    language: Option<Language>,
}

impl Looking<'_> {
    /// The names that are as asked.
    fn names(
        &self,
        binaries: &[Arc<Opened>],
        pattern: Option<&Pattern>,
        like: Option<&str>,
    ) -> Result<Names, Error> {
        let mut names = Names::new();
        for (position, binary) in binaries.iter().enumerate() {
            let mut take = |name: &str| {
                if !name.is_empty() && pattern.is_none_or(|pattern| pattern.fits(name)) {
                    names.entry(name.to_owned()).or_default().push(position);
                }
            };
            let threads = self.engine.threads();
            let index = binary.file.index(self.job, threads)?;
            match like {
                Some(like) if !index.find(like.as_bytes()).definitions.is_empty() => take(like),
                Some(like) => types::near_names(self.job, &binary.file, like, threads)?
                    .iter()
                    .for_each(|name| take(name)),
                None => {
                    let all = index.names().filter_map(|name| std::str::from_utf8(name).ok());
                    all.for_each(take);
                }
            }
        }
        Ok(names)
    }

    /// The types from the cursor on, up to the limit.
    fn part(
        &self,
        names: &Names,
        binaries: &[Arc<Opened>],
        types_of: impl Fn(usize, &str) -> Result<Vec<LayoutMatch>, Error>,
    ) -> Result<Find, Error> {
        let mut answer = Find { types: Vec::new(), next: None, near: Vec::new() };
        let limit = self.request.limit.unwrap_or(DEFAULT_LIMIT).max(1);
        let after = Bound::Excluded(self.request.cursor.clone().unwrap_or_default());
        let total = names.len() as u64;
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for (count, (name, positions)) in names.range((after, Bound::Unbounded)).enumerate() {
            if count.is_multiple_of(TELL_EVERY) {
                self.job.check()?;
                let what = "looking at types".to_owned();
                self.job.progress(&Progress { what, done: count as u64, total: Some(total) });
            }
            if found.len() == limit {
                answer.next = answer.types.last().map(|last: &FoundType| last.name.clone());
                break;
            }
            for position in positions {
                let Some(opened) = binaries.get(*position) else { continue };
                for one in types_of(*position, name)? {
                    found.insert(name);
                    let one = Found { opened: Arc::clone(opened), found: Arc::new(one) };
                    answer.types.push(found_type(name, &one));
                }
            }
        }
        Ok(answer)
    }

    fn definitions(&self, opened: &Opened, name: &str) -> Result<Vec<LayoutMatch>, Error> {
        let (scope, is_full) = (Vec::new(), false);
        let name = TypeName { keyword: self.keyword, scope, is_full, name: name.to_owned() };
        let threads = self.engine.threads();
        let question = Question { name: &name, path: None, language: self.language, threads };
        match opened.layouts.find_anew(self.job, &opened.file, &question) {
            Ok(found) => Ok(found),
            // One type that is damaged, or without end, is none of the answer, and no reason to give none.
            Err(types::Error::Dwarf(_) | types::Error::TooDeep | types::Error::TooMany) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn near(&self, binaries: &[Arc<Opened>], name: &str) -> Result<Vec<String>, Error> {
        let mut near = Vec::new();
        for binary in binaries {
            let found = types::near_names(self.job, &binary.file, name, self.engine.threads())?;
            near.extend(found.into_iter().filter(|name| !near.contains(name)).collect::<Vec<_>>());
        }
        near.truncate(MAX_NEAR);
        Ok(near)
    }
}

/// The binaries that are named, else configured or known. Of those that are not named, those that
/// cannot be read are passed over.
pub(super) fn opened(
    engine: &Engine,
    job: &Job,
    named: &[BinaryRef],
) -> Result<Vec<Arc<Opened>>, Error> {
    if !named.is_empty() {
        let named = named.iter();
        return named.map(|reference| engine.open(job, reference)).collect();
    }
    let mut all = Vec::new();
    for known in engine.known_binaries() {
        job.check()?;
        all.extend(engine.binaries.open(job, &known.path, Reach::Cache));
    }
    if all.is_empty() {
        return Err(Error::new(Kind::NotFound, "no binary to search: none is named or known")
            .hint("name one with --binary PATH; `dbgmate doctor` shows where is looked"));
    }
    Ok(all)
}

fn found_type(name: &str, one: &Found) -> FoundType {
    let layout = &one.found.layout;
    let declared_at = layout.declared_at.as_ref();
    FoundType {
        name: name.to_owned(),
        type_name: layout.type_name.clone(),
        size: layout.size.known(),
        declared_at: declared_at.map(|(file, line)| DeclaredAt { file: file.clone(), line: *line }),
        binary: one.source(),
    }
}
