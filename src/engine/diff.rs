//! `layout.diff`: a type, or all types, of two builds side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::binaries::Opened;
use super::{Answer, Engine};
use crate::api::diff::{Diff, DiffMethod, DiffRequest, MemberDiff, TypeChange, TypeDiff};
use crate::error::{Error, Kind};
use crate::job::{Job, Progress};
use crate::types::{self, Layout, Question, Reach, TypeName};

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

/// Names are compared so many between two tellings of how far it is.
const TELL_EVERY: usize = 256;

struct Builds<'e> {
    engine: &'e Engine,
    job: &'e Job,
    old: Arc<Opened>,
    new: Arc<Opened>,
}

/// What all types have come to so far.
#[derive(Default)]
struct Compared {
    diff: Vec<TypeDiff>,
    unchanged: usize,
    /// By type, the types whose bytes it is part of, in the newer build.
    held_by: BTreeMap<String, BTreeSet<String>>,
}

impl Builds<'_> {
    fn one(&self, name: &TypeName) -> Result<Diff, Error> {
        let mut compared = Compared::default();
        let (old, new) = (self.layouts(&self.old, name)?, self.layouts(&self.new, name)?);
        if old.is_empty() && new.is_empty() {
            return Err(Error::new(Kind::NotFound, format!("neither build has a type `{name}`"))
                .hint("check the spelling: `dbgmate offsets-of` names the types near it"));
        }
        compared.add(&old, &new, Reach::Whole);
        Ok(Diff { types: compared.diff, unchanged: compared.unchanged })
    }

    fn all(&self) -> Result<Diff, Error> {
        let names: BTreeSet<String> =
            self.names(&self.old)?.union(&self.names(&self.new)?).cloned().collect();
        let mut compared = Compared::default();
        for (count, name) in names.iter().enumerate() {
            if count.is_multiple_of(TELL_EVERY) {
                self.job.check()?;
                let what = "comparing types".to_owned();
                let (done, total) = (count as u64, Some(names.len() as u64));
                self.job.progress(&Progress { what, done, total });
            }
            let name =
                TypeName { keyword: None, scope: Vec::new(), is_full: false, name: name.clone() };
            let (old, new) = (self.layouts(&self.old, &name)?, self.layouts(&self.new, &name)?);
            compared.add(&old, &new, Reach::Own);
        }
        Ok(compared.finished())
    }

    fn names(&self, build: &Opened) -> Result<BTreeSet<String>, Error> {
        let index = build.file.index(self.job, self.engine.threads())?;
        let names = index.names().filter_map(|name| std::str::from_utf8(name).ok());
        Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// The structs, unions, classes and enums of a name, each distinct one; typedefs of others, which
    /// are compared under their own names, left out.
    fn layouts(&self, build: &Opened, name: &TypeName) -> Result<Vec<Layout>, Error> {
        let question =
            Question { name, path: None, language: None, threads: self.engine.threads() };
        let mut layouts: Vec<Layout> = Vec::new();
        for found in types::find(self.job, &build.file, &question)? {
            let layout = found.layout;
            let is_own = layout.via.is_empty() || layout.type_name == name.name;
            if layout.kind != types::Kind::Other && is_own {
                layouts.push(layout);
            }
        }
        Ok(layouts)
    }
}

impl Compared {
    /// Compares the definitions of one name: those that both builds have alike are paired first, then
    /// those of the same spelling in order.
    fn add(&mut self, old: &[Layout], new: &[Layout], reach: Reach) {
        for layout in new {
            for held in types::held_types(layout) {
                self.held_by.entry(held.to_owned()).or_default().insert(layout.type_name.clone());
            }
        }
        let mut old: Vec<&Layout> = old.iter().collect();
        let mut left = Vec::new();
        for layout in new {
            let is_same = |other: &&Layout| is_unchanged(other, layout, reach);
            match old.iter().position(is_same) {
                Some(position) => {
                    old.remove(position);
                    self.unchanged += 1;
                }
                None => left.push(layout),
            }
        }
        for layout in left {
            let is_namesake = |other: &&Layout| other.type_name == layout.type_name;
            let before = old.iter().position(is_namesake).map(|position| old.remove(position));
            self.diff.push(type_diff(before, Some(layout), reach));
        }
        self.diff.extend(old.into_iter().map(|gone| type_diff(Some(gone), None, reach)));
    }

    /// With which types hold which.
    fn finished(mut self) -> Diff {
        let changed: BTreeSet<String> = self
            .diff
            .iter()
            .filter(|diff| diff.change == TypeChange::Changed)
            .map(|diff| diff.type_name.clone())
            .collect();
        for diff in &mut self.diff {
            let holds = |name: &&String| {
                self.held_by.get(*name).is_some_and(|holders| holders.contains(&diff.type_name))
            };
            diff.holds = changed.iter().filter(holds).cloned().collect();
            if diff.change == TypeChange::Changed {
                let holders = self.held_by.get(&diff.type_name).into_iter().flatten();
                diff.held_by = holders.cloned().collect();
            }
        }
        self.diff.sort_by(|one, other| one.type_name.cmp(&other.type_name));
        Diff { types: self.diff, unchanged: self.unchanged }
    }
}

fn is_unchanged(old: &Layout, new: &Layout, reach: Reach) -> bool {
    old.type_name == new.type_name
        && (old.size, old.align) == (new.size, new.align)
        && types::diff(old, new, reach).is_empty()
}

fn type_diff(old: Option<&Layout>, new: Option<&Layout>, reach: Reach) -> TypeDiff {
    let both = old.zip(new);
    let changes = both.map(|(old, new)| types::diff(old, new, reach)).unwrap_or_default();
    let change = match both {
        Some(_) => TypeChange::Changed,
        None if new.is_some() => TypeChange::Added,
        None => TypeChange::Removed,
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
