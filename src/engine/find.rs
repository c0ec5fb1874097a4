//! `layout.find`: the types of binaries that are as asked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use globset::GlobBuilder;
use regex::bytes::RegexBuilder;

use super::binaries::Opened;
use super::search::{Found, language_named};
use super::{Answer, Engine};
use crate::api::find::{Find, FindMethod, FindRequest, FoundType};
use crate::api::layout::DeclaredAt;
use crate::binary::debuginfod::Reach;
use crate::dwarf::Language;
use crate::error::{Error, Kind};
use crate::job::{Job, Progress};
use crate::types::{self, Layout, Member, MemberKind, Question, TypeName};

/// An answer has so many names where the request does not say.
const DEFAULT_LIMIT: usize = 100;

/// A pattern may take so many bytes when it is compiled.
const MAX_PATTERN: usize = 1 << 20;

/// Names are looked at so many between two tellings of how far it is.
const TELL_EVERY: usize = 256;

impl Answer for FindMethod {
    fn answer(engine: &Engine, job: &Job, request: FindRequest) -> Result<Find, Error> {
        let pattern = request.name.as_deref().map(Pattern::parse).transpose()?;
        if pattern.is_none() && !has_shape(&request) {
            return Err(Error::new(Kind::Request, "nothing is asked for: all types would do")
                .hint("give a name as a glob, a size, a member, or a type that they hold"));
        }
        let language = request.language.as_deref().map(language_named).transpose()?;
        let binaries = opened(engine, job, &request)?;
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, binary) in binaries.iter().enumerate() {
            let index = binary.file.index(job, engine.threads())?;
            for name in index.names().filter_map(|name| std::str::from_utf8(name).ok()) {
                if !name.is_empty() && pattern.as_ref().is_none_or(|pattern| pattern.fits(name)) {
                    names.entry(name.to_owned()).or_default().push(position);
                }
            }
        }
        let mut answer = Find { types: Vec::new(), next: None };
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT).max(1);
        let after = Bound::Excluded(request.cursor.clone().unwrap_or_default());
        let total = names.len() as u64;
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for (count, (name, positions)) in names.range((after, Bound::Unbounded)).enumerate() {
            if count.is_multiple_of(TELL_EVERY) {
                job.check()?;
                let what = "looking at types".to_owned();
                job.progress(&Progress { what, done: count as u64, total: Some(total) });
            }
            if found.len() == limit {
                answer.next = answer.types.last().map(|last: &FoundType| last.name.clone());
                break;
            }
            for binary in positions.iter().filter_map(|position| binaries.get(*position)) {
                for one in definitions(engine, job, binary, name, language)? {
                    if fits(&one.found.layout, &request) {
                        found.insert(name);
                        answer.types.push(found_type(name, &one));
                    }
                }
            }
        }
        Ok(answer)
    }
}

/// What a name has to be.
enum Pattern {
    Glob(globset::GlobMatcher),
    Regex(regex::bytes::Regex),
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, Error> {
        let bad = |why: String| {
            Error::new(Kind::Request, format!("{text:?} is no pattern: {why}"))
                .hint("a glob as in a shell, `libxl__ev_*`, or a regular expression, `/_ev_/`")
        };
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if let Some(expression) = inner.filter(|expression| !expression.is_empty()) {
            let regex = RegexBuilder::new(expression).size_limit(MAX_PATTERN).build();
            return regex.map(Pattern::Regex).map_err(|error| bad(error.to_string()));
        }
        let glob = GlobBuilder::new(text).build().map_err(|error| bad(error.to_string()))?;
        Ok(Pattern::Glob(glob.compile_matcher()))
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Pattern::Glob(glob) => glob.is_match(name),
            Pattern::Regex(regex) => regex.is_match(name.as_bytes()),
        }
    }
}

/// The binaries that are named, else configured or known. Of those that are not named, those that
/// cannot be read are passed over.
fn opened(engine: &Engine, job: &Job, request: &FindRequest) -> Result<Vec<Arc<Opened>>, Error> {
    if !request.binaries.is_empty() {
        let named = request.binaries.iter();
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

fn definitions(
    engine: &Engine,
    job: &Job,
    opened: &Arc<Opened>,
    name: &str,
    language: Option<Language>,
) -> Result<Vec<Found>, Error> {
    let (scope, is_full) = (Vec::new(), false);
    let name = TypeName { keyword: None, scope, is_full, name: name.to_owned() };
    let question = Question { name: &name, path: None, language, threads: engine.threads() };
    match types::find(job, &opened.file, &question) {
        Ok(found) => {
            Ok(found.into_iter().map(|found| Found { opened: Arc::clone(opened), found }).collect())
        }
        // One type that is damaged is none of the answer, and no reason to give none.
        Err(types::Error::Dwarf(_) | types::Error::TooDeep) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Whether more is asked for than a name.
fn has_shape(request: &FindRequest) -> bool {
    let texts = [&request.has_member, &request.holds, &request.points_to];
    request.size.is_some() || texts.iter().any(|text| text.is_some())
}

fn fits(layout: &Layout, request: &FindRequest) -> bool {
    let has_size = request.size.is_none_or(|size| layout.size.known() == Some(size));
    let has_member =
        request.has_member.as_ref().is_none_or(|name| has_member(&layout.members, name));
    let holds = request
        .holds
        .as_ref()
        .is_none_or(|held| types::held_types(layout).contains(&held.as_str()));
    let points_to = request.points_to.as_ref().is_none_or(|to| points_to(&layout.members, to));
    has_size && has_member && holds && points_to
}

fn has_member(members: &[Member], name: &str) -> bool {
    members.iter().any(|member| {
        member.name == name
            || (member.kind != MemberKind::Field && has_member(&member.members, name))
    })
}

/// Whether a member, at any depth, is a pointer to the type.
fn points_to(members: &[Member], to: &str) -> bool {
    members.iter().any(|member| {
        let spelled = member.type_name.split('[').next().unwrap_or_default().trim_end();
        let pointee = spelled.strip_suffix('*').map(|rest| rest.trim_end_matches('*').trim_end());
        let bare = pointee.map(|text| {
            text.trim_start_matches("const ").trim_start_matches("volatile ").trim_end()
        });
        bare == Some(to) || points_to(&member.members, to)
    })
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
