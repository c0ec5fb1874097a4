//! Every distinct layout that a name stands for in one binary.

use std::sync::atomic::{AtomicUsize, Ordering};

use gimli::{UnitOffset, constants as dw};
use rustc_hash::{FxHashMap, FxHashSet};

use super::known_types::KnownTypes;
use super::reader::{MAX_CHAIN, Reader, is_aggregate, is_qualifier};
use super::shape::Shapes;
use super::spelling::ANONYMOUS;
use super::twins::{Grouping, Twins};
use super::{Error, LayoutMatch, MemberPath, TypeName, kept};
use crate::dwarf::{DebugFile, Die, DieRef, Entries, Index, Language};
use crate::job::Job;

/// What is asked of one binary.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The name.
    pub name: &'q TypeName,
    /// The member wanted.
    pub path: Option<&'q MemberPath>,
    /// Only types of this language.
    pub language: Option<Language>,
    /// How many threads may be used.
    pub threads: usize,
}

impl Question<'_> {
    /// The same for the same question, however many threads answer it, and for no other: as people write them,
    /// a name with a keyword and one that has the word in it look alike.
    pub(super) fn key(&self) -> String {
        format!("{:?} {:?} {:?}", self.name, self.path, self.language)
    }
}

/// A thread takes so many definitions at a time; fewer are not worth a thread.
const AT_A_TIME: usize = 32;

/// Where a name leads: a type, and what was passed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) die: DieRef,
    pub(super) via: Vec<String>,
    /// The typedef that names a type without a name.
    pub(super) known_as: Option<String>,
}

/// A target, and its shape if that is known.
type Shaped = (Target, Option<Shape>);

/// Targets that are written differently, each with how many are like it.
type Distinct = Vec<(Target, usize)>;

/// Every distinct layout, the most common first; empty where the binary does not define the name.
/// Where a member is asked for, those that have it.
pub fn find(
    job: &Job,
    file: &DebugFile,
    question: &Question<'_>,
) -> Result<Vec<LayoutMatch>, Error> {
    find_knowing(job, file, &KnownTypes::default(), question)
}

/// The same with what earlier questions to this file have found out about its types.
pub(super) fn find_knowing(
    job: &Job,
    file: &DebugFile,
    known: &KnownTypes,
    question: &Question<'_>,
) -> Result<Vec<LayoutMatch>, Error> {
    let spellings = question.name.spellings();
    let watch = || Grouping::new(job, &spellings);
    let (index, watchers) = file.index_watched(job, question.threads, watch)?;
    let view = file.view();
    let reader = Reader::knowing(job, &view, &index, known.take());
    let workers = Workers { job, file, index: &index, threads: question.threads };
    let found = layouts(&workers, &reader, question, watchers);
    known.give_back(reader.into_known());
    found
}

fn layouts(
    workers: &Workers<'_>,
    reader: &Reader<'_, '_>,
    question: &Question<'_>,
    watchers: Vec<Grouping<'_, '_>>,
) -> Result<Vec<LayoutMatch>, Error> {
    let (distinct, mut failure) = match kept::recall(workers.file, question) {
        Some(distinct) => (distinct, None),
        None => {
            let groups = watchers.into_iter().flat_map(Grouping::groups);
            distinct_targets(workers, reader, question, &firsts(groups))?
        }
    };
    let mut matches: Vec<LayoutMatch> = Vec::new();
    for (target, units) in &distinct {
        let found = match read(reader, target, *units, question.path) {
            Ok(found) => found,
            Err(error) if is_its_own(&error) => {
                failure = failure.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        // What is inside an array's elements shows only where a path leads there.
        let is_same = |other: &&mut LayoutMatch| {
            other.layout.same_as(&found.layout) && other.selected == found.selected
        };
        match matches.iter_mut().find(is_same) {
            Some(same) => same.units += units,
            None => matches.push(found),
        }
    }
    if let (Some(failure), []) = (failure, matches.as_slice()) {
        return Err(failure);
    }
    // Stable: among equally common ones, the order of the file.
    matches.sort_by_key(|found| std::cmp::Reverse(found.units));
    Ok(matches)
}

/// The targets of a name that are written differently, each with how many are like it, and the first
/// reason why one was left out. What was found out is kept for later questions.
fn distinct_targets(
    workers: &Workers<'_>,
    reader: &Reader<'_, '_>,
    question: &Question<'_>,
    firsts: &Firsts,
) -> Result<(Distinct, Option<Error>), Error> {
    let (targets, failure) = targets(workers, reader, question, firsts)?;
    let unshaped = targets.iter().filter(|(_, shape)| shape.is_none());
    let unshaped: Vec<DieRef> = unshaped.map(|(target, _)| target.die).collect();
    let mut shapes = workers.each(&unshaped, |comparing, die| comparing.shape(*die))?.into_iter();
    let mut groups: FxHashMap<_, usize> = FxHashMap::default();
    let mut distinct = Distinct::new();
    for (target, shape) in targets {
        let shape = shape.or_else(|| shapes.next());
        // The typedef that names a type is part of what its layout shows.
        let alike = (shape, target.known_as.clone(), target.via.clone());
        let position = *groups.entry(alike).or_insert(distinct.len());
        match distinct.get_mut(position) {
            Some((_, units)) => *units += 1,
            None => distinct.push((target, 1)),
        }
    }
    if failure.is_none() {
        kept::remember(workers.file, question, &distinct);
    }
    Ok((distinct, failure))
}

/// What one target comes to.
fn read(
    reader: &Reader<'_, '_>,
    target: &Target,
    units: usize,
    path: Option<&MemberPath>,
) -> Result<LayoutMatch, Error> {
    let die = reader.die(target.die)?;
    let mut layout = reader.layout(&die, target.known_as.as_deref())?;
    layout.via.clone_from(&target.via);
    let selected = path.map(|path| reader.select(&die, path)).transpose()?;
    Ok(LayoutMatch { layout, units, selected })
}

/// Whether an error is about one definition: it lacks the member, or is damaged. The others of the
/// name are an answer all the same.
pub(super) fn is_its_own(error: &Error) -> bool {
    matches!(error, Error::NoSuchMember { .. } | Error::Dwarf(_) | Error::TooDeep)
}

/// Of definitions that say the same, the first of them.
type Firsts = FxHashMap<DieRef, DieRef>;

fn firsts(groups: impl Iterator<Item = Vec<DieRef>>) -> Firsts {
    let mut firsts = Firsts::default();
    for group in groups {
        if let Some(first) = group.iter().min().copied() {
            firsts.extend(group.into_iter().map(|at| (at, first)));
        }
    }
    firsts
}

/// The types the name leads to, each once: tags first, so that a typedef of the same name adds
/// nothing. With them the first reason why one was left out.
fn targets(
    workers: &Workers<'_>,
    reader: &Reader<'_, '_>,
    question: &Question<'_>,
    firsts: &Firsts,
) -> Result<(Vec<Shaped>, Option<Error>), Error> {
    let spellings = question.name.spellings();
    let find = |name: &String| reader.index.find(name.as_bytes()).definitions;
    let (mut tags, mut others) = (Vec::new(), Vec::new());
    let mut named: Vec<DieRef> = spellings.iter().flat_map(find).collect();
    named.extend(reader.with_arguments(&question.name.name)?);
    if named.is_empty() {
        named = reader.respelled(&question.name.name)?;
    }
    let first = |at: &DieRef| *firsts.get(at).unwrap_or(at);
    let read: Vec<DieRef> = named.iter().copied().filter(|at| first(at) == *at).collect();
    let found = workers.each(&read, |comparing, at| comparing.tag_of_c(*at, question))?;
    let found: FxHashMap<DieRef, Read> = read.into_iter().zip(found).collect();
    for at in named {
        match found.get(&first(&at)) {
            Some(Read::Unwanted) => continue,
            Some(Read::Tag(shape)) => {
                let target = Target { die: at, via: Vec::new(), known_as: None };
                tags.push(Named::Tag(target, *shape));
                continue;
            }
            Some(Read::Other) | None => {}
        }
        let die = reader.die(at)?;
        let wanted = question.name.admits(die.tag())
            && question.language.is_none_or(|language| language == die.language())
            && in_scope(reader, &die, question.name)?;
        match (wanted, die.tag()) {
            (false, _) => {}
            (true, dw::DW_TAG_typedef) => others.push(Named::Other(die)),
            (true, _) => tags.push(Named::Other(die)),
        }
    }
    let mut seen = FxHashSet::default();
    let mut targets = Vec::new();
    let mut failure = None;
    for named in tags.into_iter().chain(others) {
        let resolved = match named {
            Named::Tag(target, shape) => {
                if seen.insert(target.die) {
                    targets.push((target, Some(shape)));
                }
                continue;
            }
            Named::Other(die) => resolve(reader, die),
        };
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(error) if is_its_own(&error) => {
                failure = failure.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        let resolved = resolved.into_iter().filter(|target| seen.insert(target.die));
        targets.extend(resolved.map(|target| (target, None)));
    }
    Ok((targets, failure))
}

/// A DIE of the name.
enum Named<'a> {
    /// A struct, union or enum of C, which leads nowhere else.
    Tag(Target, Shape),
    Other(Die<'a>),
}

/// Whether the scopes written are the innermost ones around the DIE.
fn in_scope<'a>(reader: &Reader<'_, 'a>, die: &Die<'a>, name: &TypeName) -> Result<bool, Error> {
    if name.scope.is_empty() && !name.is_full {
        return Ok(true);
    }
    // C has no scopes, and asking would walk the unit.
    if die.language() == Language::C {
        return Ok(name.scope.is_empty());
    }
    // Unnamed and inline namespaces are left out by those who type names.
    let around = reader.view.named_scope_of(die)?;
    // The name that was looked up may hold the scope itself.
    if !name.scope.is_empty() && reader.name(die) == name.with_scope() {
        return Ok(true);
    }
    let written: Vec<&String> = name.scope.iter().filter(|scope| *scope != ANONYMOUS).collect();
    for around in [around.all, around.without_inline] {
        let Some(more) = around.len().checked_sub(written.len()) else { continue };
        let mut is_it = more == 0 || !name.is_full;
        for (scope, written) in around.into_iter().skip(more).zip(&written) {
            is_it = is_it && reader.is_scope(die, scope, written)?;
        }
        if is_it {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Follows typedefs, qualifiers and one pointer to a struct; a type that is only declared here
/// leads to each of its definitions, or to nothing.
pub(super) fn resolve<'a>(reader: &Reader<'_, 'a>, die: Die<'a>) -> Result<Vec<Target>, Error> {
    let mut via = Vec::new();
    let mut known_as = None;
    let mut current = die;
    for _ in 0..MAX_CHAIN {
        let tag = current.tag();
        let next = match tag {
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias => {
                let name = reader.name(&current);
                via.push(name.clone());
                known_as = Some(name);
                reader.type_of(&current)?
            }
            dw::DW_TAG_pointer_type if !via.contains(&"*".to_owned()) => {
                match reader.type_of(&current)? {
                    Some(pointee) if leads_to_aggregate(reader, &pointee)? => {
                        via.push("*".to_owned());
                        known_as = None;
                        Some(pointee)
                    }
                    _ => None,
                }
            }
            tag if is_qualifier(tag) => reader.type_of(&current)?,
            _ => None,
        };
        match next {
            Some(next) => current = next,
            None => break,
        }
    }
    let target = |die: DieRef| Target { die, via: via.clone(), known_as: known_as.clone() };
    if !current.is_declaration() {
        return Ok(vec![target(current.at())]);
    }
    Ok(reader.definitions_of(&current)?.all.iter().copied().map(target).collect())
}

fn leads_to_aggregate<'a>(reader: &Reader<'_, 'a>, die: &Die<'a>) -> Result<bool, Error> {
    let underlying = reader.underlying(die.clone())?;
    Ok(underlying.is_some_and(|die| is_aggregate(die.tag())))
}

/// What tells which definitions are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Hash(u64),
    /// Alike with none: whatever it comes to, it is read.
    Its(DieRef),
}

/// What was found at a DIE of the name.
enum Read {
    /// A struct, union or enum of C that is asked for.
    Tag(Shape),
    /// One that is not.
    Unwanted,
    /// Something else, or what has to be read in full.
    Other,
}

/// What compares definitions, on one thread.
struct Comparing<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    shapes: Shapes<'r, 'v, 'a>,
    twins: Twins<'r, 'a>,
    /// Of the definitions that were learned.
    hashes: Vec<u64>,
}

impl<'a> Comparing<'_, '_, 'a> {
    /// Nearly all DIEs of a name are tags of C: to see so takes less than to read them.
    fn tag_of_c(&mut self, at: DieRef, question: &Question<'_>) -> Result<Read, Error> {
        self.reader.count()?;
        // What cannot be read so is read in full, or says why not.
        let Ok((entries, offset)) = self.reader.view.entries_of(at) else { return Ok(Read::Other) };
        if entries.language() != Language::C || !question.name.scope.is_empty() {
            return Ok(Read::Other);
        }
        let Ok(Some(entry)) = entries.entry(offset) else { return Ok(Read::Other) };
        let is_tag = is_aggregate(entry.tag()) || entry.tag() == dw::DW_TAG_enumeration_type;
        let stands_for_another = entries
            .declared(&entry)
            .any(|declared| matches!(declared.name(), dw::DW_AT_signature | dw::DW_AT_declaration));
        if !is_tag || stands_for_another {
            return Ok(Read::Other);
        }
        let is_language = question.language.is_none_or(|language| language == Language::C);
        if !is_language || !question.name.admits(entry.tag()) {
            return Ok(Read::Unwanted);
        }
        self.shape_in(&entries, offset, at).map(Read::Tag)
    }

    fn shape(&mut self, at: DieRef) -> Result<Shape, Error> {
        match self.reader.view.entries_of(at) {
            Ok((entries, offset)) => self.shape_in(&entries, offset, at),
            Err(_) => self.hashed(at),
        }
    }

    fn shape_in(
        &mut self,
        entries: &Entries<'a>,
        offset: UnitOffset,
        at: DieRef,
    ) -> Result<Shape, Error> {
        let known = self.twins.find(entries, offset)?;
        if let Some(hash) = known.and_then(|number| self.hashes.get(number)) {
            return Ok(Shape::Hash(*hash));
        }
        let shape = self.hashed(at)?;
        // One that is written differently need not be another.
        if let Shape::Hash(hash) = shape
            && !self.hashes.contains(&hash)
            && self.twins.learn(entries, offset).is_some()
        {
            self.hashes.push(hash);
        }
        Ok(shape)
    }

    fn hashed(&mut self, at: DieRef) -> Result<Shape, Error> {
        match self.reader.die(at).and_then(|die| self.shapes.of(&die)) {
            Ok(hash) => Ok(Shape::Hash(hash)),
            Err(error) if is_its_own(&error) => Ok(Shape::Its(at)),
            Err(error) => Err(error),
        }
    }
}

/// The threads that definitions are compared on.
struct Workers<'w> {
    job: &'w Job,
    file: &'w DebugFile,
    index: &'w Index,
    threads: usize,
}

impl Workers<'_> {
    /// What is found for each of many things, in their order.
    fn each<T: Sync, R: Send>(
        &self,
        all: &[T],
        find: impl Fn(&mut Comparing<'_, '_, '_>, &T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let chunks: Vec<&[T]> = all.chunks(AT_A_TIME).collect();
        let next = AtomicUsize::new(0);
        let worker = || -> Result<Vec<(usize, Vec<R>)>, Error> {
            let view = self.file.view();
            let reader = &Reader::new(self.job, &view, self.index);
            let (shapes, twins) = (Shapes::new(reader), Twins::new(self.job));
            let mut comparing = Comparing { reader, shapes, twins, hashes: Vec::new() };
            let mut found = Vec::new();
            loop {
                let position = next.fetch_add(1, Ordering::Relaxed);
                let Some(chunk) = chunks.get(position) else { return Ok(found) };
                let chunk = chunk.iter().map(|one| find(&mut comparing, one));
                found.push((position, chunk.collect::<Result<Vec<R>, Error>>()?));
            }
        };
        let threads = self.threads.min(chunks.len());
        if threads < 2 {
            return Ok(worker()?.into_iter().flat_map(|(_, found)| found).collect());
        }
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            let mut found = Vec::new();
            for worker in workers {
                // A worker that panicked is a bug: passing it on reaches the caller's guard.
                found.extend(
                    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
                );
            }
            found.sort_unstable_by_key(|(position, _)| *position);
            Ok(found.into_iter().flat_map(|(_, found)| found).collect())
        })
    }
}
