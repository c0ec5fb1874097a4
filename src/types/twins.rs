//! Whether a definition says what one that was seen before says.
//!
//! A kernel has two thousand copies of task_struct, each of some thousand entries, and nearly all of
//! them say the same. Their abbreviations have other numbers, and often other forms: a file's number
//! takes one byte or two, or stands in the abbreviation. So the first definition is made a [`Model`] of
//! values, and each unit's abbreviations are made steps that read values in the same order ([`Plans`]).
//! Then an entry is compared without decoding what does not show.
//!
//! It says yes only where nothing can differ that a layout shows ([`super::shape`] says what that is).
//! Where it cannot tell, or meets what C does not have, it says nothing, and the shape is hashed.

use std::ops::Range;

use gimli::{DwTag, Encoding, UnitOffset};
use rustc_hash::FxHashMap;

use super::Error;
use super::plans::{PlanId, Plans, Unit, Value};
use super::reader::{Count, is_aggregate};
use super::shape::{Through, is_pointer_like, keeps_value};
use crate::dwarf::{DieRef, DieSection, Entries, FileId, Language, Name, Watch};
use crate::job::Job;

/// So many different definitions of a name are remembered.
const MAX_MODELS: usize = 4;

/// A type that comes to more entries is hashed.
const MAX_NODES: usize = 1 << 16;

/// Compares the definitions of one name with those that were seen.
#[derive(Debug)]
pub(super) struct Twins<'j, 'a> {
    count: Count<'j>,
    models: Vec<(Model<'a>, Vec<Seen>)>,
    plans: Plans<'a>,
    /// Where in the definition each node of the model was met; nowhere is 0.
    met: Vec<u32>,
}

/// One definition, with all that its layout shows.
#[derive(Debug)]
struct Model<'a> {
    file: FileId,
    encoding: Encoding,
    /// In the order in which they are met; the first is the type itself.
    nodes: Vec<Node<'a>>,
    rows: Vec<Row>,
    values: Vec<Value<'a>>,
}

/// Entries that were found to say what a row of the model says are known again as they are written: by
/// their plan, and the bytes of their values.
type Seen = Option<(PlanId, u128)>;

/// So many are remembered of each row: units declare their entries in a few ways.
const SEEN: usize = 2;

/// One entry that others refer to.
#[derive(Debug)]
enum Node<'a> {
    /// Only its name shows.
    Named { tag: DwTag, name: Name<'a> },
    /// All of it shows: its own row, then those of its children.
    Whole(Range<usize>),
}

/// The attributes of an entry.
#[derive(Clone, Copy, Debug)]
struct Row {
    kind: u32,
    /// The position of its first value.
    values: usize,
    /// The node that it refers to.
    target: Option<u32>,
}

impl<'j, 'a> Twins<'j, 'a> {
    pub(super) fn new(job: &'j Job) -> Self {
        let (models, plans, met) = (Vec::new(), Plans::default(), Vec::new());
        Twins { count: Count::new(job), models, plans, met }
    }

    /// Which of the definitions that were learned says the same.
    pub(super) fn find(
        &mut self,
        entries: &Entries<'a>,
        offset: UnitOffset,
    ) -> Result<Option<usize>, Error> {
        self.plans.enter(entries);
        for (position, (model, seen)) in self.models.iter_mut().enumerate() {
            let is_comparable = entries.language() == Language::C
                && (entries.file(), entries.encoding()) == (model.file, model.encoding);
            if !is_comparable {
                continue;
            }
            let (unit, count) = (Unit::new(entries), &self.count);
            let (plans, met) = (&mut self.plans, &mut self.met);
            let mut comparison = Comparison { count, model, seen, unit, plans, met };
            if comparison.is_alike(offset)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Remembers how a definition is written; its number, from 0 on. None where it cannot be, or enough
    /// are known.
    pub(super) fn learn(&mut self, entries: &Entries<'a>, offset: UnitOffset) -> Option<usize> {
        if self.models.len() >= MAX_MODELS {
            return None;
        }
        self.plans.enter(entries);
        let (file, encoding) = (entries.file(), entries.encoding());
        let (nodes, rows, values) = (Vec::new(), Vec::new(), Vec::new());
        let model = Model { file, encoding, nodes, rows, values };
        let unit = Unit::new(entries);
        let making = Making { unit, plans: &mut self.plans, model, met: Met::default() };
        let model = making.model(offset)?;
        let seen = vec![None; model.rows.len() * SEEN];
        self.models.push((model, seen));
        Some(self.models.len() - 1)
    }
}

/// Puts the definitions of some names together that say the same, as their units are gone through.
#[derive(Debug)]
pub(super) struct Grouping<'j, 'a> {
    names: &'j [String],
    twins: Twins<'j, 'a>,
    /// By the number of the first, which was learned.
    groups: Vec<Vec<DieRef>>,
}

impl<'j> Grouping<'j, '_> {
    pub(super) fn new(job: &'j Job, names: &'j [String]) -> Self {
        Grouping { names, twins: Twins::new(job), groups: Vec::new() }
    }

    /// Definitions that say the same. Those that are in none of the groups may be like any.
    pub(super) fn groups(self) -> Vec<Vec<DieRef>> {
        self.groups
    }
}

impl<'a> Watch<'a> for Grouping<'_, 'a> {
    fn is_wanted(&self, name: &[u8]) -> bool {
        self.names.iter().any(|wanted| wanted.as_bytes() == name)
    }

    fn definition(&mut self, entries: &Entries<'a>, offset: UnitOffset, at: DieRef) {
        if at.section() != DieSection::Info {
            return;
        }
        // What is damaged or too much is told by those who read it in full.
        let Ok(found) = self.twins.find(entries, offset) else { return };
        let Some(number) = found.or_else(|| self.twins.learn(entries, offset)) else { return };
        if self.groups.len() <= number {
            self.groups.resize(number + 1, Vec::new());
        }
        self.groups.get_mut(number).into_iter().for_each(|group| group.push(at));
    }
}

/// Compares one definition with a model.
struct Comparison<'c, 'a> {
    count: &'c Count<'c>,
    model: &'c Model<'a>,
    seen: &'c mut Vec<Seen>,
    unit: Unit<'c, 'a>,
    plans: &'c mut Plans<'a>,
    met: &'c mut Vec<u32>,
}

impl<'a> Comparison<'_, 'a> {
    fn is_alike(&mut self, offset: UnitOffset) -> Result<bool, Error> {
        let Ok(first) = u32::try_from(offset.0) else { return Ok(false) };
        self.met.clear();
        self.met.resize(self.model.nodes.len(), 0);
        meet(self.met, 0, first);
        for (position, node) in self.model.nodes.iter().enumerate() {
            self.count.one()?;
            let offset = self.met.get(position).copied().unwrap_or_default();
            let Some(at) = self.unit.position(UnitOffset(offset as usize)) else {
                return Ok(false);
            };
            let is_alike = match node {
                Node::Named { tag, name } => self.is_named(at, *tag, *name),
                Node::Whole(rows) => self.is_whole_alike(rows.clone(), at),
            };
            if is_alike.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_named(&mut self, at: usize, tag: DwTag, name: Name<'a>) -> Option<()> {
        let (plan, start) = self.plans.at(self.unit, at)?;
        let plan = self.plans.get(plan)?;
        if let Some(named) = Plans::name(self.unit, plan, start) {
            return (plan.tag == tag && named == name).then_some(());
        }
        let entry = self.unit.entries.entry(self.unit.offset(at)).ok()??;
        let is_alike = entry.tag() == tag && self.unit.entries.name(&entry).ok()? == Some(name);
        is_alike.then_some(())
    }

    fn is_whole_alike(&mut self, mut rows: Range<usize>, at: usize) -> Option<()> {
        let (plan, start) = self.plans.at(self.unit, at)?;
        let has_children = self.plans.get(plan)?.has_children;
        let mut at = self.after_alike(rows.next()?, plan, start)?;
        if !has_children {
            return Some(());
        }
        while let Some((plan, start)) = self.plans.at(self.unit, at) {
            at = match self.plans.get(plan)?.is_part {
                true => self.after_alike(rows.next()?, plan, start)?,
                false => after_all(self.unit, at)?,
            };
        }
        (self.unit.is_end(at) && rows.next().is_none()).then_some(())
    }

    /// The place after the attributes of an entry that says what a row of the model says.
    #[inline]
    fn after_alike(&mut self, row: usize, id: PlanId, start: usize) -> Option<usize> {
        let (plan, position) = (self.plans.get(id)?, row);
        let row = self.model.rows.get(row)?;
        let written = plan.written(self.unit, start).map(|written| (id, written));
        let seen = self.seen.get_mut(position * SEEN + id.get() as usize % SEEN)?;
        if written.is_some() && written == *seen {
            let (target, after) = plan.target(self.unit, start)?;
            match (target, row.target) {
                (Some(target), Some(node)) => meet(self.met, node, target)?,
                (None, None) => {}
                _ => return None,
            }
            return Some(after);
        }
        if plan.kind != Some(row.kind) {
            return None;
        }
        let mut values = self.model.values.get(row.values..)?.iter();
        let met = &mut *self.met;
        let after =
            self.plans.values(self.unit, plan, start, |value| match (value, values.next()?) {
                (Value::Type(target), Value::Type(node)) => meet(met, *node, target),
                (value, other) => (value == *other).then_some(()),
            })?;
        *seen = written;
        Some(after)
    }
}

/// Whether a reference leads to what the model's leads to: a node is met at one place only.
#[inline]
fn meet(met: &mut [u32], node: u32, offset: u32) -> Option<()> {
    let met = met.get_mut(node as usize)?;
    if *met == 0 {
        *met = offset;
    }
    (*met == offset).then_some(())
}

/// The place after an entry and all below it.
#[cold]
fn after_all(unit: Unit<'_, '_>, at: usize) -> Option<usize> {
    let entry = unit.entries.entry(unit.offset(at)).ok()??;
    unit.position(unit.entries.after_children(&entry).ok()?)
}

/// Makes a model of one definition.
struct Making<'m, 'a> {
    unit: Unit<'m, 'a>,
    plans: &'m mut Plans<'a>,
    model: Model<'a>,
    met: Met,
}

/// The entries that a model has so far, and how each is met.
#[derive(Default)]
struct Met {
    numbers: FxHashMap<(u32, Through), u32>,
    order: Vec<(u32, Through)>,
}

impl Met {
    fn number(&mut self, offset: u32, through: Through) -> u32 {
        let next = self.order.len() as u32;
        *self.numbers.entry((offset, through)).or_insert_with(|| {
            self.order.push((offset, through));
            next
        })
    }
}

impl<'a> Making<'_, 'a> {
    /// None where the definition has something that is not compared here.
    fn model(mut self, offset: UnitOffset) -> Option<Model<'a>> {
        if self.unit.entries.language() != Language::C {
            return None;
        }
        self.met.number(u32::try_from(offset.0).ok()?, Through::Value);
        while let Some((offset, through)) = self.met.order.get(self.model.nodes.len()).copied() {
            if self.model.nodes.len() > MAX_NODES {
                return None;
            }
            let node = self.node(UnitOffset(offset as usize), through)?;
            self.model.nodes.push(node);
        }
        Some(self.model)
    }

    fn node(&mut self, offset: UnitOffset, through: Through) -> Option<Node<'a>> {
        let entries = self.unit.entries;
        let entry = entries.entry(offset).ok()??;
        let name = entries.name(&entry).ok()?;
        if let (Through::Pointer, Some(name), false) = (through, name, is_pointer_like(entry.tag()))
        {
            return Some(Node::Named { tag: entry.tag(), name });
        }
        if is_aggregate(entry.tag()) && entries.is_declaration(&entry).ok()? {
            return None;
        }
        let inside = if keeps_value(entry.tag()) { through } else { Through::Pointer };
        let first = self.model.rows.len();
        let (plan, start) = self.plans.at(self.unit, self.unit.position(offset)?)?;
        let mut at = self.row(plan, start, inside)?;
        let has_children = self.plans.get(plan)?.has_children;
        while has_children && let Some((plan, start)) = self.plans.at(self.unit, at) {
            let child = self.plans.get(plan)?;
            at = match child.is_part {
                true if child.has_children => return None,
                true => self.row(plan, start, inside)?,
                false => after_all(self.unit, at)?,
            };
        }
        let is_read = !has_children || self.unit.is_end(at);
        is_read.then_some(Node::Whole(first..self.model.rows.len()))
    }

    /// Adds the row of an entry; the place after its attributes.
    fn row(&mut self, plan: PlanId, start: usize, inside: Through) -> Option<usize> {
        let plan = self.plans.get(plan)?;
        let mut row = Row { kind: plan.kind?, values: self.model.values.len(), target: None };
        let (values, met) = (&mut self.model.values, &mut self.met);
        let after = self.plans.values(self.unit, plan, start, |value| {
            values.push(match value {
                Value::Type(target) => Value::Type(*row.target.insert(met.number(target, inside))),
                value => value,
            });
            Some(())
        })?;
        self.model.rows.push(row);
        Some(after)
    }
}
