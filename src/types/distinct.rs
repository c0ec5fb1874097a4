//! Every distinct layout that a name stands for in one binary.

use gimli::constants as dw;
use rustc_hash::{FxHashMap, FxHashSet};

use super::reader::{MAX_CHAIN, Reader, is_aggregate, is_qualifier};
use super::shape::Shapes;
use super::{Error, LayoutMatch, MemberPath, TypeName};
use crate::dwarf::{DebugFile, Die, DieRef, Language};
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

/// Fewer definitions than this are not worth a thread.
const DEFINITIONS_PER_THREAD: usize = 32;

/// Where a name leads: a type, and what was passed on the way.
#[derive(Clone, Debug)]
struct Target {
    die: DieRef,
    via: Vec<String>,
    /// The typedef that names a type without a name.
    known_as: Option<String>,
}

/// Every distinct layout, the most common first; empty where the binary does not define the name.
/// Where a member is asked for, those that have it.
pub fn find(
    job: &Job,
    file: &DebugFile,
    question: &Question<'_>,
) -> Result<Vec<LayoutMatch>, Error> {
    let index = file.index(job, question.threads)?;
    let view = file.view();
    let reader = Reader::new(job, &view, &index);
    let (targets, mut failure) = targets(&reader, question)?;
    let shapes = shapes(job, file, &reader, question.threads, &targets)?;
    let mut groups: FxHashMap<u64, usize> = FxHashMap::default();
    let mut distinct: Vec<(&Target, usize)> = Vec::new();
    for (target, shape) in targets.iter().zip(shapes) {
        let position = *groups.entry(shape).or_insert(distinct.len());
        match distinct.get_mut(position) {
            Some((_, units)) => *units += 1,
            None => distinct.push((target, 1)),
        }
    }
    let mut matches: Vec<LayoutMatch> = Vec::new();
    for (target, units) in distinct {
        let found = match read(&reader, target, units, question.path) {
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
fn is_its_own(error: &Error) -> bool {
    matches!(error, Error::NoSuchMember { .. } | Error::Dwarf(_) | Error::TooDeep)
}

/// The types the name leads to, each once: tags first, so that a typedef of the same name adds
/// nothing. With them the first reason why one was left out.
fn targets(
    reader: &Reader<'_, '_>,
    question: &Question<'_>,
) -> Result<(Vec<Target>, Option<Error>), Error> {
    let spellings = question.name.spellings();
    let find = |name: &String| reader.index.find(name.as_bytes()).definitions;
    let mut named = Vec::new();
    for at in spellings.iter().flat_map(find) {
        let die = reader.die(at)?;
        let wanted = question.name.admits(die.tag())
            && question.language.is_none_or(|language| language == die.language())
            && in_scope(reader, &die, question.name)?;
        if wanted {
            named.push(die);
        }
    }
    named.sort_by_key(|die| die.tag() == dw::DW_TAG_typedef);
    let mut seen = FxHashSet::default();
    let mut targets = Vec::new();
    let mut failure = None;
    for die in named {
        let resolved = match resolve(reader, die) {
            Ok(resolved) => resolved,
            Err(error) if is_its_own(&error) => {
                failure = failure.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        targets.extend(resolved.into_iter().filter(|target| seen.insert(target.die)));
    }
    Ok((targets, failure))
}

/// Whether the scopes written are the innermost ones around the DIE.
fn in_scope<'a>(reader: &Reader<'_, 'a>, die: &Die<'a>, name: &TypeName) -> Result<bool, Error> {
    if name.scope.is_empty() && !name.is_full {
        return Ok(true);
    }
    // Unnamed and inline namespaces are left out by those who type names.
    let around = reader.view.named_scope_of(die)?;
    let written: Vec<&[u8]> = name.scope.iter().map(String::as_bytes).collect();
    let as_written = around.all == written || around.without_inline == written;
    let ends_so = around.all.ends_with(&written) || around.without_inline.ends_with(&written);
    Ok(as_written || (ends_so && !name.is_full))
}

/// Follows typedefs, qualifiers and one pointer to a struct; a type that is only declared here
/// leads to each of its definitions, or to nothing.
fn resolve<'a>(reader: &Reader<'_, 'a>, die: Die<'a>) -> Result<Vec<Target>, Error> {
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

/// The shape of each target, spread over threads where there are many.
fn shapes(
    job: &Job,
    file: &DebugFile,
    reader: &Reader<'_, '_>,
    threads: usize,
    targets: &[Target],
) -> Result<Vec<u64>, Error> {
    let threads = threads.min(targets.len() / DEFINITIONS_PER_THREAD);
    if threads < 2 {
        return shapes_of(reader, targets);
    }
    let index = reader.index;
    std::thread::scope(|scope| {
        let chunks = targets.chunks(targets.len().div_ceil(threads));
        let workers: Vec<_> = chunks
            .map(|chunk| {
                scope.spawn(move || {
                    let view = file.view();
                    shapes_of(&Reader::new(job, &view, index), chunk)
                })
            })
            .collect();
        let mut all = Vec::with_capacity(targets.len());
        for worker in workers {
            // A worker that panicked is a bug: passing it on reaches the caller's guard.
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

/// The typedef that names a type is part of what its layout shows.
fn shapes_of(reader: &Reader<'_, '_>, targets: &[Target]) -> Result<Vec<u64>, Error> {
    use std::hash::{Hash, Hasher};
    let mut shapes = Shapes::new(reader);
    let mut all = Vec::with_capacity(targets.len());
    for target in targets {
        let mut hasher = std::hash::DefaultHasher::new();
        match reader.die(target.die).and_then(|die| shapes.of(&die)) {
            Ok(shape) => shape.hash(&mut hasher),
            // Alike with none: whatever it comes to, it is read.
            Err(error) if is_its_own(&error) => target.die.hash(&mut hasher),
            Err(error) => return Err(error),
        }
        (&target.known_as, &target.via).hash(&mut hasher);
        all.push(hasher.finish());
    }
    Ok(all)
}
