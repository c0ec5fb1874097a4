//! Reads one type's layout from its DIE.

use std::rc::Rc;
use std::sync::Arc;

use gimli::{DwTag, constants as dw};
use smol_str::SmolStr;

use super::alignment::member_alignment;
use super::location::{Location, location};
use super::member_entry::MemberEntry;
use super::order::Field;
use super::reader::Reader;
use super::spelling::kind_of;
use super::{
    Access, BitField, Enumerator, Error, Kind, Layout, Member, MemberKind, Parts, Size, gaps, order,
};
use crate::dwarf::{Die, DieRef, Language, UnitView};

/// The members of members are laid out so deep. A tuple of forty nests as deep; beyond, a member
/// says that its own are left out.
const MAX_NESTING: usize = 48;

/// Whether the members of members are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Only what every value has: no variants, and nothing of members.
    Always,
    /// Only what a path step needs: the members, and through anonymous ones.
    Shallow,
    /// The type's own: also those of types without a name.
    Own,
    /// All of them.
    Deep,
}

impl Nesting {
    /// Whether the members of a member are wanted whose type is a struct or union, and of theirs.
    fn inside(self, kind: MemberKind, type_name: &str) -> Option<Nesting> {
        let is_wanted = match self {
            Nesting::Always => false,
            Nesting::Shallow => kind != MemberKind::Field,
            Nesting::Own => kind != MemberKind::Field || is_without_name(type_name),
            Nesting::Deep => true,
        };
        is_wanted.then_some(self)
    }
}

/// The types around the members that are being read.
#[derive(Debug)]
pub(super) struct Within<'w> {
    die: DieRef,
    outer: Option<&'w Within<'w>>,
    depth: usize,
    /// Of members that do not say (DWARF 5 §5.7.6).
    access: Access,
}

impl<'w> Within<'w> {
    /// Fails for a type that holds itself: damage, since it would have no end.
    fn new(die: &Die<'_>, outer: Option<&'w Within<'w>>) -> Result<Within<'w>, Error> {
        let is_class = die.tag() == dw::DW_TAG_class_type;
        let access = if is_class { Access::Private } else { Access::Public };
        let die = die.at();
        let mut around = outer;
        while let Some(within) = around {
            if within.die == die {
                return Err(Error::TooDeep);
            }
            around = within.outer;
        }
        Ok(Within { die, outer, depth: outer.map_or(0, |outer| outer.depth + 1), access })
    }
}

impl<'a> Reader<'_, 'a> {
    /// The layout of a type. `known_as` is the typedef that names a type without a name.
    pub(super) fn layout(&self, die: &Die<'a>, known_as: Option<&str>) -> Result<Layout, Error> {
        let mut layout = self.layout_of(die, known_as, Nesting::Deep)?;
        layout.declared_at = self.declared_at(die);
        match self.judge(&mut layout) {
            Err(Error::Stopped(stopped)) => Err(Error::Stopped(stopped)),
            // It reads types that the layout itself does not need: damage there is none of it.
            _ => Ok(layout),
        }
    }

    /// The same without what is inside of members whose types have a name, without a judgement on the
    /// order of its members, and without the place of its declaration: where that is, the file names of
    /// its unit have to be read for.
    pub(super) fn own_layout(
        &self,
        die: &Die<'a>,
        known_as: Option<&str>,
    ) -> Result<Layout, Error> {
        self.layout_of(die, known_as, Nesting::Own)
    }

    fn layout_of(
        &self,
        die: &Die<'a>,
        known_as: Option<&str>,
        nesting: Nesting,
    ) -> Result<Layout, Error> {
        let kind = kind_of(die);
        let type_name = match (known_as, self.view.name(die)) {
            (Some(name), None) if kind != Kind::Other => name.to_owned(),
            _ => self.spell_asked(die, kind)?,
        };
        let mut layout = Layout {
            die: die.at(),
            type_name,
            kind,
            via: Vec::new(),
            size: self.size_of(die)?,
            align: die.unsigned(dw::DW_AT_alignment),
            declared_at: None,
            language: die.language(),
            members: Vec::new(),
            enumerators: Vec::new(),
            holes: Vec::new(),
            padding: 0,
            packed: false,
            better_order: None,
            why: None,
        };
        match kind {
            Kind::Struct | Kind::Union | Kind::Class => {
                let (members, why) = self.members(die, nesting, None)?;
                (layout.members, layout.why) = (members, why);
            }
            Kind::Enum => layout.enumerators = self.enumerators(die)?,
            Kind::Other => {}
        }
        if layout.size == Size::Dynamic && layout.why.is_none() {
            let why = match die.tag() {
                dw::DW_TAG_subroutine_type => "a function type has no size",
                _ => "its size is only known at run time",
            };
            layout.why = Some(why.to_owned());
        }
        gaps::find(&mut layout);
        Ok(layout)
    }

    /// What the members' alignments show: that the type is packed, or that its order wastes bytes.
    fn judge(&self, layout: &mut Layout) -> Result<(), Error> {
        if layout.kind != Kind::Struct || layout.language != Language::C || layout.why.is_some() {
            return Ok(());
        }
        let (mut fields, mut strictest, mut is_certain) = (Vec::new(), 1, true);
        for member in &layout.members {
            let natural = match member.type_die {
                Some(declared) => self.alignment_at(declared)?,
                None => None,
            };
            let Some(align) = member_alignment(member, natural) else {
                is_certain = false;
                continue;
            };
            let size = member.size.known().unwrap_or(0);
            match member.bits {
                None => {
                    layout.packed |= member.offset.is_some_and(|at| !at.is_multiple_of(align));
                    strictest = strictest.max(align);
                }
                // ABIs differ in what a stricter type of a bit field does.
                Some(_) => is_certain &= align <= size,
            }
            let (bits, is_last) = (member.bits.map(|bits| bits.size), member.is_open_ended());
            fields.push(Field { align, size, bits, is_last });
        }
        layout.packed |= layout.size.known().is_some_and(|size| !size.is_multiple_of(strictest));
        let wastes = !layout.holes.is_empty() || layout.padding > 0;
        if is_certain && wastes && !layout.packed {
            layout.better_order = order::better(layout, &fields);
        }
        Ok(())
    }

    /// The name of the type asked for: with its keyword in every language that has one.
    fn spell_asked(&self, die: &Die<'a>, kind: Kind) -> Result<String, Error> {
        let name = match kind {
            Kind::Other => self.spell(Some(die))?,
            _ => self.spell_named(die)?,
        };
        Ok(match (kind, die.language()) {
            (Kind::Other, _) | (_, Language::C | Language::Other) => name,
            _ if self.view.name(die).is_none() => name,
            _ => format!("{} {name}", kind.name()),
        })
    }

    /// The members of a struct, without theirs.
    pub(super) fn direct_members(&self, die: &Die<'a>) -> Result<Vec<Member>, Error> {
        Ok(self.members(die, Nesting::Shallow, None)?.0)
    }

    /// Of these, those that are there whatever variant there is.
    pub(super) fn constant_members(&self, die: &Die<'a>) -> Result<Vec<Member>, Error> {
        Ok(self.members(die, Nesting::Always, None)?.0)
    }

    /// The members of a struct. Damage ends the list: what was read is returned with the reason.
    fn members(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<(Vec<Member>, Option<String>), Error> {
        let within = &Within::new(die, outer)?;
        let mut members = Vec::new();
        let (unit, mut children) = (die.unit(), die.walk_children()?);
        while let Some(walk) = &mut children {
            self.count()?;
            let (at, mut entry) = (walk.next(), MemberEntry::default());
            let step = walk.step(|name, value| entry.take(name, value));
            let read = step.and_then(|step| {
                step.map(|step| walk.skip_children(step).map(|()| step)).transpose()
            });
            let step = match read {
                Ok(Some(step)) => step,
                Ok(None) => break,
                Err(error) => {
                    return Ok((members, Some(format!("its members end early: {error}"))));
                }
            };
            match step.tag {
                dw::DW_TAG_member if entry.is_static => {}
                dw::DW_TAG_member | dw::DW_TAG_inheritance => {
                    members.push(self.member(unit, step.tag, &entry, nesting, within)?);
                }
                dw::DW_TAG_variant_part if nesting != Nesting::Always => {
                    let part = self.view.die_from(unit, at)?;
                    self.variants(&part, nesting, within, &mut members)?
                }
                _ => {}
            }
        }
        if die.tag() != dw::DW_TAG_union_type {
            settle_empty_arrays(&mut members);
        }
        Ok((members, None))
    }

    /// The discriminant and the variants of a variant part; they overlap.
    fn variants(
        &self,
        part: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Vec<Member>,
    ) -> Result<(), Error> {
        let part = self.variant_part(part)?;
        if let Some(own) = &part.own {
            members.push(self.discriminant(own, nesting, within)?);
        }
        for (variant, when) in &part.variants {
            let (mut inside, _) = self.members(variant, nesting, Some(within))?;
            if let Some(when) = when.as_ref().filter(|_| part.discriminant.is_some()) {
                inside.iter_mut().for_each(|member| member.variants.insert(0, when.clone()));
            }
            members.append(&mut inside);
        }
        Ok(())
    }

    fn discriminant(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
    ) -> Result<Member, Error> {
        let entry = MemberEntry::of(die)?;
        let mut discriminant = self.member(die.unit(), die.tag(), &entry, nesting, within)?;
        if discriminant.name.is_empty() {
            discriminant.name = SmolStr::new_static("<discriminant>");
        }
        Ok(discriminant)
    }

    /// The member that is a discriminant.
    pub(super) fn discriminant_of(&self, die: &Die<'a>) -> Result<Member, Error> {
        self.discriminant(die, Nesting::Always, &Within::new(die, None)?)
    }

    fn member(
        &self,
        unit: &Rc<UnitView<'a>>,
        tag: DwTag,
        entry: &MemberEntry<'a>,
        nesting: Nesting,
        within: &Within<'_>,
    ) -> Result<Member, Error> {
        self.count_members(1)?;
        let typed = self.typed(unit, entry)?;
        let (size, aggregate) = (typed.size, typed.aggregate);
        let name = entry.name().and_then(|name| self.view.string(unit, name)).unwrap_or_default();
        let kind = match tag {
            dw::DW_TAG_inheritance => MemberKind::Base,
            _ if name.is_empty() && aggregate.is_some() => MemberKind::Anonymous,
            _ => MemberKind::Field,
        };
        let access = entry.access.unwrap_or(within.access);
        let (offset, bits, mut why) = place(location(unit, entry, size));
        let mut parts = None;
        if let Some(aggregate) = aggregate {
            let inner = nesting.inside(kind, &typed.spelled);
            if aggregate.is_declaration {
                why =
                    why.or_else(|| Some("its type is declared here and defined elsewhere".into()));
            } else if let Some(inner) = inner {
                let mut inside = self.parts(unit, aggregate.at, size, inner, Some(within))?;
                if kind == MemberKind::Anonymous && access != Access::Public {
                    inherit(access, &mut inside);
                }
                why = why.or_else(|| inside.why.clone());
                parts = Some(inside);
            }
        }
        Ok(Member {
            name: text(name),
            kind,
            type_name: typed.spelled.clone(),
            type_die: typed.declared,
            offset,
            size,
            bits,
            width: entry.bit_size.filter(|_| bits.is_none()),
            is_unbounded: typed.is_unbounded,
            align: entry.align,
            access,
            variants: Vec::new(),
            parts,
            why,
        })
    }

    /// What a struct or union consists of: all that is in the members of a type is read once.
    pub(super) fn parts(
        &self,
        unit: &Rc<UnitView<'a>>,
        at: DieRef,
        size: Size,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<Arc<Parts>, Error> {
        let levels =
            outer.map_or(MAX_NESTING + 1, |outer| MAX_NESTING - outer.depth.min(MAX_NESTING));
        if levels == 0 {
            return Ok(Arc::new(Parts::left_out()));
        }
        if nesting == Nesting::Deep
            && let Some(known) = self.known.borrow().parts(at)
            && known.depth.is_some_and(|depth| depth <= levels)
        {
            self.count_members(known.count)?;
            return Ok(Arc::clone(known));
        }
        let die = &self.die_near(unit, at)?;
        let (mut members, why) = self.members(die, nesting, outer)?;
        let holes = match &why {
            None => gaps::inside(kind_of(die), size, &mut members),
            Some(_) => Vec::new(),
        };
        let parts = Arc::new(Parts::of(members, holes, why));
        if nesting == Nesting::Deep {
            self.known.borrow_mut().learn_parts(at, &parts);
        }
        Ok(parts)
    }

    /// The members of a type: as they were read before, or without theirs.
    pub(super) fn known_parts(&self, die: &Die<'a>) -> Result<Arc<Parts>, Error> {
        if let Some(known) = self.known.borrow().parts(die.at()) {
            return Ok(Arc::clone(known));
        }
        self.parts(die.unit(), die.at(), Size::Dynamic, Nesting::Shallow, None)
    }

    pub(super) fn enumerators(&self, die: &Die<'a>) -> Result<Vec<Enumerator>, Error> {
        let (written, mut enumerators) = (self.written(die)?, Vec::new());
        for child in die.children() {
            self.count()?;
            let child = child?;
            if child.tag() != dw::DW_TAG_enumerator {
                continue;
            }
            let Some(value) = written.constant(&child, dw::DW_AT_const_value) else { continue };
            enumerators.push(Enumerator { name: self.name(&child), value });
        }
        Ok(enumerators)
    }
}

/// An array without a bound that cannot be flexible, since it does not end a struct that has more
/// members (C17 §6.7.2.1), is empty: GCC before 8 wrote `[0]` so.
fn settle_empty_arrays(members: &mut [Member]) {
    let flexible = if members.len() > 1 { members.len() - 1 } else { members.len() };
    for member in members.iter_mut().take(flexible).filter(|member| member.is_flexible_array()) {
        member.size = Size::Known(0);
        member.type_name = member.type_name.replacen("[]", "[0]", 1).into();
    }
}

/// The members of an anonymous struct or union are named as if they were the class's own ([class.union.anon]).
fn inherit(access: Access, parts: &mut Arc<Parts>) {
    for member in &mut Arc::make_mut(parts).members {
        member.access = access;
        if let (MemberKind::Anonymous, Some(parts)) = (member.kind, &mut member.parts) {
            inherit(access, parts);
        }
    }
}

fn text(bytes: &[u8]) -> SmolStr {
    // Nearly all are sound, and then need no string in between.
    match str::from_utf8(bytes) {
        Ok(text) => SmolStr::new(text),
        Err(_) => SmolStr::from(String::from_utf8_lossy(bytes)),
    }
}

/// Whether a type is spelled as one that has no name.
pub(super) fn is_without_name(type_name: &str) -> bool {
    type_name.ends_with("{...}")
}

/// A member's place, its bits, and why it is not known.
fn place(location: Location) -> (Option<u64>, Option<BitField>, Option<String>) {
    match location {
        Location::Bytes(offset) => (Some(offset), None, None),
        Location::Bits(bits) => (Some(bits.offset / 8), Some(bits), None),
        Location::Dynamic => (None, None, Some("its offset is only known at run time".to_owned())),
    }
}
