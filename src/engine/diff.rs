//! `layout.diff`: a type, or all types, of two builds side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::binaries::Opened;
use super::{Answer, Engine};
use crate::api::diff::{Diff, DiffMethod, DiffRequest, MemberDiff, TypeChange, TypeDiff};
use crate::error::{Error, Kind};
use crate::job::{Job, Progress, Stopped};
use crate::types::{
    self, Behind, Change, Ground, Layout, LayoutMatch, Question, Reach, Relations, Survey,
    Surveyor, TypeName,
};

impl Answer for DiffMethod {
    fn answer(engine: &Engine, job: &Job, request: DiffRequest) -> Result<Diff, Error> {
        let builds = Builds {
            engine,
            job,
            old: engine.open(job, &request.old)?,
            new: engine.open(job, &request.new)?,
        };
        match &request.type_name {
            Some(name) => builds.one(&TypeName::parse(name)?),
            None => builds.all(),
        }
    }
}

/// Names are compared so many by one thread at a time.
const CHUNK: usize = 256;

struct Builds<'e> {
    engine: &'e Engine,
    job: &'e Job,
    old: Arc<Opened>,
    new: Arc<Opened>,
}

/// What types have come to so far.
#[derive(Default)]
struct Compared {
    diff: Vec<TypeDiff>,
    unchanged: usize,
    /// In the newer build.
    relations: Relations,
}

impl Builds<'_> {
    /// One type, with all that is in it, and the types that it is part of.
    fn one(&self, name: &TypeName) -> Result<Diff, Error> {
        let mut compared = Compared::default();
        let (old, new) = (self.layouts(&self.old, name)?, self.layouts(&self.new, name)?);
        if old.is_empty() && new.is_empty() {
            return Err(Error::new(Kind::NotFound, format!("neither build has a type `{name}`"))
                .hint("check the spelling: `dbgmate offsets-of` names the types near it"));
        }
        let grounds = self.grounds()?;
        let behind = grounds.each_ref().map(Ground::behind);
        compared.add(&old, &new, Reach::Whole, &behind)?;
        let (mut types, unchanged) = (compared.diff, compared.unchanged);
        if types.iter().all(|found| found.change != TypeChange::Changed) {
            return Ok(Diff { types, unchanged });
        }
        let asked: BTreeSet<String> = types.iter().map(|found| found.type_name.clone()).collect();
        let mut others = self.all()?.types;
        for found in &mut types {
            let same = others.iter().find(|other| other.type_name == found.type_name);
            if let Some(same) = same {
                (found.holds, found.held_by) = (same.holds.clone(), same.held_by.clone());
            }
        }
        others.retain(|other| {
            !asked.contains(&other.type_name) && other.holds.iter().any(|held| asked.contains(held))
        });
        types.append(&mut others);
        Ok(Diff { types, unchanged })
    }

    fn all(&self) -> Result<Diff, Error> {
        let threads = self.engine.threads();
        let old = Survey::of(self.job, &self.old.file, threads)?;
        let new = Survey::of(self.job, &self.new.file, threads)?;
        let names: BTreeSet<&str> = old.names().chain(new.names()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let next = AtomicUsize::new(0);
        let worker = || -> Result<Compared, Error> {
            let old = Surveyor::new(self.job, &self.old.file, &old)?;
            let new = Surveyor::new(self.job, &self.new.file, &new)?;
            let grounds = self.grounds()?;
            let behind = grounds.each_ref().map(Ground::behind);
            let mut compared = Compared::default();
            let chunks = || {
                let number = next.fetch_add(1, Ordering::Relaxed);
                Some((number * CHUNK, names.chunks(CHUNK).nth(number)?))
            };
            while let Some((done, chunk)) = chunks() {
                self.tell(done, names.len())?;
                for name in chunk {
                    let new = new.definitions(name, None)?;
                    new.iter().for_each(|found| compared.relations.add(name, found));
                    let new = types::merged(new);
                    let (old, new) = (own(name, old.layouts(name, None)?), own(name, new));
                    compared.add(&old, &new, Reach::Own, &behind)?;
                }
            }
            Ok(compared)
        };
        let mut all = Compared::default();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            for worker in workers {
                // A worker that panicked is a bug: passing it on reaches the caller's guard.
                let part =
                    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                all.diff.extend(part.diff);
                all.unchanged += part.unchanged;
                all.relations.merge(&part.relations);
            }
            Ok::<(), Error>(())
        })?;
        Ok(all.finished())
    }

    /// Where members are looked behind, in the older build and in the newer.
    fn grounds(&self) -> Result<[Ground<'_>; 2], Error> {
        let threads = self.engine.threads();
        let old = Ground::new(self.job, &self.old.file, threads)?;
        Ok([old, Ground::new(self.job, &self.new.file, threads)?])
    }

    fn tell(&self, done: usize, total: usize) -> Result<(), Error> {
        self.job.check()?;
        let what = "comparing the builds".to_owned();
        let (done, total) = (done as u64, Some(total as u64));
        self.job.progress(&Progress { what, done, total });
        Ok(())
    }

    /// The distinct layouts of a name, in full.
    fn layouts(&self, build: &Opened, name: &TypeName) -> Result<Vec<Layout>, Error> {
        let question =
            Question { name, path: None, language: None, threads: self.engine.threads() };
        Ok(own(&name.name, build.layouts.find_anew(self.job, &build.file, &question)?))
    }
}

/// The structs, unions, classes and enums of a name; typedefs of others, which are compared under their
/// own names, left out.
fn own(name: &str, found: Vec<LayoutMatch>) -> Vec<Layout> {
    let layouts = found.into_iter().map(|found| found.layout);
    let is_own = |layout: &Layout| {
        layout.kind != types::Kind::Other && (layout.via.is_empty() || layout.type_name == name)
    };
    layouts.filter(is_own).collect()
}

impl Compared {
    /// Compares the definitions of one name: those that both builds have alike are paired first, then
    /// those of the same spelling in order.
    fn add(
        &mut self,
        old: &[Layout],
        new: &[Layout],
        reach: Reach,
        behind: &[Behind<'_, '_>; 2],
    ) -> Result<(), Stopped> {
        let mut old: Vec<&Layout> = old.iter().collect();
        let mut left = Vec::new();
        'new: for layout in new {
            for (position, other) in old.iter().enumerate() {
                let Some(not_compared) = alike(other, layout, reach, behind)? else { continue };
                match not_compared.is_empty() {
                    true => self.unchanged += 1,
                    false => self.diff.push(type_diff(Some(other), Some(layout), not_compared)),
                }
                old.remove(position);
                continue 'new;
            }
            left.push(layout);
        }
        for layout in left {
            let is_namesake = |other: &&Layout| other.type_name == layout.type_name;
            let before = old.iter().position(is_namesake).map(|position| old.remove(position));
            let changes = match before {
                Some(before) => types::diff(before, layout, reach, Some(behind.each_ref()))?,
                None => Vec::new(),
            };
            self.diff.push(type_diff(before, Some(layout), changes));
        }
        self.diff.extend(old.into_iter().map(|gone| type_diff(Some(gone), None, Vec::new())));
        Ok(())
    }

    /// With which types hold which.
    fn finished(mut self) -> Diff {
        let mut holds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let holders_of = self.relations.holders();
        for diff in self.diff.iter_mut().filter(|diff| diff.change == TypeChange::Changed) {
            let holders = holders_of.of(&diff.type_name);
            for holder in &holders {
                let held = holds.entry((*holder).to_owned()).or_default();
                held.push(diff.type_name.clone());
            }
            diff.held_by = holders.into_iter().map(str::to_owned).collect();
        }
        for diff in &mut self.diff {
            let spelled = [diff.type_name.as_str(), bare(&diff.type_name)];
            let held = spelled.iter().find_map(|name| holds.get(*name));
            diff.holds = held.cloned().unwrap_or_default();
            diff.holds.sort();
        }
        self.diff.sort_by(|one, other| one.type_name.cmp(&other.type_name));
        Diff { types: self.diff, unchanged: self.unchanged }
    }
}

/// Members of C++ spell a type without its keyword.
fn bare(name: &str) -> &str {
    name.split_once(' ').map_or(name, |(_, bare)| bare)
}

/// Whether two definitions are alike as far as they were compared: then what was not. None where they are not.
fn alike(
    old: &Layout,
    new: &Layout,
    reach: Reach,
    behind: &[Behind<'_, '_>; 2],
) -> Result<Option<Vec<Change>>, Stopped> {
    if !is_alike_outside(old, new) {
        return Ok(None);
    }
    let changes = types::diff(old, new, reach, Some(behind.each_ref()))?;
    Ok(changes.iter().all(|change| change.why.is_some()).then_some(changes))
}

fn is_alike_outside(old: &Layout, new: &Layout) -> bool {
    old.type_name == new.type_name && (old.size, old.align) == (new.size, new.align)
}

fn type_diff(old: Option<&Layout>, new: Option<&Layout>, changes: Vec<Change>) -> TypeDiff {
    let is_not_compared = changes.iter().all(|change| change.why.is_some());
    let change = match (old, new) {
        (None, _) => TypeChange::Added,
        (_, None) => TypeChange::Removed,
        (Some(old), Some(new)) if is_not_compared && is_alike_outside(old, new) => {
            TypeChange::NotCompared
        }
        _ => TypeChange::Changed,
    };
    let any = new.or(old);
    TypeDiff {
        type_name: any.map(|layout| layout.type_name.clone()).unwrap_or_default(),
        change,
        old_size: old.and_then(|layout| layout.size.known()),
        new_size: new.and_then(|layout| layout.size.known()),
        members: changes.iter().map(MemberDiff::from).collect(),
        holds: Vec::new(),
        held_by: Vec::new(),
    }
}
