//! A hash of everything a layout shows, without building it.
//!
//! A header's struct is defined anew in every unit that includes it: task_struct two thousand times
//! in a kernel. Hashing them tells which are alike; only one of each shape is then read in full.
//!
//! The hash is SipHash: a weaker one was seen to give two enums the same hash, and nothing after it
//! would tell them apart.
//!
//! Every attribute of every DIE that a layout is read from goes into the hash, as it is written;
//! references go in as the shape of what they lead to. So two types of one hash read alike, and the
//! hash may tell types apart that read alike as well (a merge follows).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use gimli::{AttributeValue, DwAt, DwTag, constants as dw};
use rustc_hash::FxHashMap;

use super::Error;
use super::reader::{Reader, is_aggregate, is_transparent};
use crate::dwarf::{Die, DieRef, Language, Slice, UnitView, Walk};

/// Types nested deeper than this are a cycle in damaged debug info.
const MAX_DEPTH: usize = 96;

/// Hashes types, remembering those it has met in one unit: the next unit has its own copies.
#[derive(Debug)]
pub(super) struct Shapes<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    unit: Option<DieRef>,
    known: FxHashMap<(DieRef, Through), u64>,
}

/// How a type is met: as bytes of the layout, as bytes that are of interest only where the type has no
/// name of its own, or behind a pointer, where only its name shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Through {
    Value,
    Part,
    Pointer,
}

/// What one DIE's attributes come to, apart from the hash of their values.
#[derive(Debug, Default)]
struct Facts<'a> {
    name: Option<AttributeValue<Slice<'a>>>,
    is_declaration: bool,
    target: Option<AttributeValue<Slice<'a>>>,
    class: Option<AttributeValue<Slice<'a>>>,
}

impl<'r, 'v, 'a> Shapes<'r, 'v, 'a> {
    pub(super) fn new(reader: &'r Reader<'v, 'a>) -> Self {
        Shapes { reader, unit: None, known: FxHashMap::default() }
    }

    /// The hash of a type that is asked for.
    pub(super) fn of(&mut self, die: &Die<'a>) -> Result<u64, Error> {
        self.enter(die);
        self.shape(die.unit(), die.at(), Through::Value, 0)
    }

    /// The hash of what is a type's own: of types with a name that are part of it, it has the name and
    /// the size.
    pub(super) fn own(&mut self, die: &Die<'a>) -> Result<u64, Error> {
        self.enter(die);
        let mut hasher = DefaultHasher::new();
        self.feed_whole(die.unit(), die.at(), Through::Part, 0, &mut hasher)?;
        Ok(hasher.finish())
    }

    fn enter(&mut self, die: &Die<'a>) {
        if self.unit.replace(die.unit().root()) != Some(die.unit().root()) {
            self.known.clear();
        }
    }

    /// The shape of the type at a reference that `near` makes.
    fn shape(
        &mut self,
        near: &Rc<UnitView<'a>>,
        at: DieRef,
        through: Through,
        depth: usize,
    ) -> Result<u64, Error> {
        if let Some(shape) = self.known.get(&(at, through)) {
            return Ok(*shape);
        }
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        // Damaged debug info may lead back here: then this stands for the type, and the walk ends.
        self.known.insert((at, through), 0);
        let unit = self.reader.view.unit_of(at, near)?;
        let mut hasher = DefaultHasher::new();
        match through {
            Through::Part => self.feed_part(&unit, at, depth, &mut hasher)?,
            through => self.feed_whole(&unit, at, through, depth, &mut hasher)?,
        }
        let shape = hasher.finish();
        self.known.insert((at, through), shape);
        Ok(shape)
    }

    /// A type that is part of another: of one with a name what its own entry says, and of a typedef
    /// what it leads to.
    fn feed_part(
        &mut self,
        unit: &Rc<UnitView<'a>>,
        at: DieRef,
        depth: usize,
        hasher: &mut DefaultHasher,
    ) -> Result<(), Error> {
        let mut walk = unit.walk(at)?;
        let (mut facts, mut own) = (Facts::default(), DefaultHasher::new());
        let step = walk.step(|name, value| facts.feed(self.reader, unit, name, value, &mut own))?;
        let Some(step) = step else { return Ok(()) };
        if facts.name.is_none() || is_pointer_like(step.tag) || facts.is_declaration {
            return self.feed_whole(unit, at, Through::Part, depth, hasher);
        }
        self.reader.count()?;
        (step.tag.0, own.finish()).hash(hasher);
        unit.language().hash(hasher);
        if unit.language() != Language::C {
            self.feed_around(at, hasher)?;
        }
        facts.feed_targets(self, unit, Through::Part, depth, hasher)
    }

    fn feed_whole(
        &mut self,
        unit: &Rc<UnitView<'a>>,
        at: DieRef,
        through: Through,
        depth: usize,
        hasher: &mut DefaultHasher,
    ) -> Result<(), Error> {
        self.reader.count()?;
        let mut walk = unit.walk(at)?;
        let mut facts = Facts::default();
        let mut own = DefaultHasher::new();
        let step = walk.step(|name, value| facts.feed(self.reader, unit, name, value, &mut own))?;
        let Some(step) = step else { return Ok(()) };
        step.tag.0.hash(hasher);
        unit.language().hash(hasher);
        if facts.name.is_some() && unit.language() != Language::C {
            self.feed_around(at, hasher)?;
        }
        // What is behind a pointer shows by name only, and may lead back to where we came from: whether
        // it is defined in this unit does not matter.
        if let (Through::Pointer, Some(name), false) =
            (through, facts.name, is_pointer_like(step.tag))
        {
            hash_value(self.reader, unit, name, hasher);
            return Ok(());
        }
        own.finish().hash(hasher);
        if facts.is_declaration && is_aggregate(step.tag) {
            let completed = self.reader.completed(self.reader.die(at)?)?;
            if completed.at() != at {
                self.shape(unit, completed.at(), through, depth + 1)?.hash(hasher);
                return Ok(());
            }
        }
        let inside = if keeps_value(step.tag) { through } else { Through::Pointer };
        facts.feed_targets(self, unit, inside, depth, hasher)?;
        if step.has_children {
            self.feed_children(&mut walk, unit, inside, depth, hasher)?;
        }
        Ok(())
    }

    /// What shows around a name: its scope, and the template arguments that it leaves out.
    fn feed_around(&self, at: DieRef, hasher: &mut DefaultHasher) -> Result<(), Error> {
        let die = self.reader.die(at)?;
        self.reader.scope(&die)?.hash(hasher);
        self.reader.arguments_left_out(&die)?.hash(hasher);
        Ok(())
    }

    /// The children that a layout is read from. Damage ends them here as it does there.
    fn feed_children(
        &mut self,
        walk: &mut Walk<'_, 'a>,
        unit: &Rc<UnitView<'a>>,
        through: Through,
        depth: usize,
        hasher: &mut DefaultHasher,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        loop {
            self.reader.count()?;
            let mut facts = Facts::default();
            let mut child = DefaultHasher::new();
            let stepped =
                walk.step(|name, value| facts.feed(self.reader, unit, name, value, &mut child));
            let step = match stepped {
                Ok(Some(step)) => step,
                Ok(None) => return Ok(()),
                Err(error) => {
                    error.to_string().hash(hasher);
                    return Ok(());
                }
            };
            if !is_part_of_layout(step.tag) {
                walk.skip_children(step)?;
                continue;
            }
            (step.tag.0, child.finish()).hash(hasher);
            facts.feed_targets(self, unit, through, depth, hasher)?;
            match step.tag {
                dw::DW_TAG_variant_part | dw::DW_TAG_variant if step.has_children => {
                    self.feed_children(walk, unit, through, depth + 1, hasher)?;
                }
                _ => walk.skip_children(step)?,
            }
        }
    }
}

impl<'a> Facts<'a> {
    /// Hashes an attribute that shows, and keeps those that lead on.
    fn feed(
        &mut self,
        reader: &Reader<'_, 'a>,
        unit: &UnitView<'a>,
        name: DwAt,
        value: AttributeValue<Slice<'a>>,
        hasher: &mut DefaultHasher,
    ) {
        match name {
            dw::DW_AT_type => self.target = Some(value),
            dw::DW_AT_containing_type => self.class = Some(value),
            // Where something is declared is no part of its layout.
            dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column => {}
            dw::DW_AT_declaration => self.is_declaration = value == AttributeValue::Flag(true),
            _ => {
                if name == dw::DW_AT_name {
                    self.name = Some(value);
                }
                name.0.hash(hasher);
                hash_value(reader, unit, value, hasher);
            }
        }
    }

    fn feed_targets(
        &self,
        shapes: &mut Shapes<'_, '_, 'a>,
        unit: &Rc<UnitView<'a>>,
        through: Through,
        depth: usize,
        hasher: &mut DefaultHasher,
    ) -> Result<(), Error> {
        self.is_declaration.hash(hasher);
        for (value, through) in [(&self.target, through), (&self.class, Through::Pointer)] {
            let Some(value) = value else { continue };
            if let Some(at) = shapes.reader.view.follow(unit, *value)? {
                shapes.shape(unit, at, through, depth + 1)?.hash(hasher);
            }
        }
        Ok(())
    }
}

/// Linkers merge equal strings: the place of one says as much as its text, and is cheaper.
fn hash_value<'a>(
    reader: &Reader<'_, 'a>,
    unit: &UnitView<'a>,
    value: AttributeValue<Slice<'a>>,
    hasher: &mut DefaultHasher,
) {
    match value {
        AttributeValue::DebugStrRef(offset) => offset.0.hash(hasher),
        AttributeValue::Block(bytes) => bytes.slice().hash(hasher),
        AttributeValue::Exprloc(expression) => expression.0.slice().hash(hasher),
        AttributeValue::Flag(set) => set.hash(hasher),
        // A reference that is not followed leads to what does not show.
        AttributeValue::UnitRef(_) | AttributeValue::DebugInfoRef(_) => {}
        AttributeValue::DebugTypesRef(signature) => signature.0.hash(hasher),
        value => match (value.udata_value(), value.sdata_value()) {
            (Some(constant), _) => constant.hash(hasher),
            (None, Some(negative)) => (true, negative).hash(hasher),
            (None, None) => reader.view.string(unit, value).hash(hasher),
        },
    }
}

/// The children of a type that its layout is read from, and the parameters its spelling shows.
pub(super) fn is_part_of_layout(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_member
            | dw::DW_TAG_inheritance
            | dw::DW_TAG_enumerator
            | dw::DW_TAG_variant_part
            | dw::DW_TAG_variant
            | dw::DW_TAG_subrange_type
            | dw::DW_TAG_generic_subrange
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_formal_parameter
            | dw::DW_TAG_unspecified_parameters
    )
}

/// Types whose target is part of their own bytes; behind the others only its name shows.
pub(super) fn keeps_value(tag: DwTag) -> bool {
    is_aggregate(tag) || is_transparent(tag) || tag == dw::DW_TAG_array_type
}

/// Types whose spelling goes on behind them: the chain is followed to a type with a name.
pub(super) fn is_pointer_like(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_ptr_to_member_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_subroutine_type
    )
}
