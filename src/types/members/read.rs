//! Reads the members of a type from its DIE.

use std::rc::Rc;
use std::sync::Arc;

use gimli::{DwTag, constants as dw};

use super::draft::Draft;
use super::entry::MemberEntry;
use super::location::location;
use super::{Members, OwnedMember, Parts};
use crate::dwarf::{Die, DieRef, Language, UnitView, Walk};
use crate::types::layout::is_without_name;
use crate::types::reader::Reader;
use crate::types::spelling::kind_of;
use crate::types::{Access, BitField, Error, Location, MemberKind, Size, gaps};

/// The members of members are laid out so deep. A tuple of forty nests as deep; beyond, a member
/// says that its own are left out.
const MAX_NESTING: usize = 48;

/// Whether the members of members are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::types) enum Nesting {
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
pub(in crate::types) struct Within<'w> {
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
    /// The members of a struct, without theirs, that are there whatever variant there is.
    pub(in crate::types) fn constant_members(&self, die: &Die<'a>) -> Result<Members, Error> {
        Ok(self.members(die, Nesting::Always, None)?.0)
    }

    /// The members of a struct. Damage ends the list: what was read is returned with the reason.
    pub(in crate::types) fn members(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<(Members, Option<String>), Error> {
        let mut members = self.draft(expected_members(die));
        let why = self.add_members(die, nesting, outer, &mut members)?;
        Ok((members.finish(), why))
    }

    fn draft(&self, expected: usize) -> Draft {
        Draft::new(self.known.borrow_mut().next_draft(), expected)
    }

    /// Reads them to their end, or to where damage is: then the reason is returned.
    fn add_members(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
        members: &mut Draft,
    ) -> Result<Option<String>, Error> {
        let first = members.len();
        let why = self.add_each(die, nesting, &Within::new(die, outer)?, members)?;
        if why.is_none() && die.tag() != dw::DW_TAG_union_type {
            members.settle_empty_arrays(first..members.len());
        }
        Ok(why)
    }

    fn add_each(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<Option<String>, Error> {
        let (unit, mut children) = (die.unit(), die.walk_children()?);
        while let Some(walk) = &mut children {
            self.add_plain(unit, walk, nesting, within, members)?;
            self.count()?;
            let (at, mut entry) = (walk.next(), MemberEntry::default());
            let step = walk.step(|name, value| entry.take(name, value));
            let read = step.and_then(|step| {
                step.map(|step| walk.skip_children(step).map(|()| step)).transpose()
            });
            let step = match read {
                Ok(Some(step)) => step,
                Ok(None) => break,
                Err(error) => return Ok(Some(format!("its members end early: {error}"))),
            };
            match step.tag {
                dw::DW_TAG_member if entry.is_static => {}
                dw::DW_TAG_member | dw::DW_TAG_inheritance => {
                    self.add_member(unit, step.tag, &entry, nesting, within, members)?;
                }
                dw::DW_TAG_variant_part if nesting != Nesting::Always => {
                    let part = self.view.die_from(unit, at)?;
                    self.variants(&part, nesting, within, members)?
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The discriminant and the variants of a variant part; they overlap.
    fn variants(
        &self,
        part: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<(), Error> {
        let part = self.variant_part(part)?;
        if let Some(own) = &part.own {
            self.add_discriminant(own, nesting, within, members)?;
        }
        for (variant, when) in &part.variants {
            let first = members.len();
            self.add_members(variant, nesting, Some(within), members)?;
            if let Some(when) = when.as_ref().filter(|_| part.discriminant.is_some()) {
                members.put_into(first..members.len(), when);
            }
        }
        Ok(())
    }

    fn add_discriminant(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<(), Error> {
        let entry = MemberEntry::of(die)?;
        self.add_member(die.unit(), die.tag(), &entry, nesting, within, members)?;
        members.name_last("<discriminant>")
    }

    /// The member that is a discriminant.
    pub(in crate::types) fn discriminant_of(&self, die: &Die<'a>) -> Result<OwnedMember, Error> {
        let mut members = self.draft(1);
        self.add_discriminant(die, Nesting::Always, &Within::new(die, None)?, &mut members)?;
        // It is the only one.
        members.finish().get(0).map(OwnedMember::from).ok_or(Error::TooMany)
    }

    /// Adds the members that come next, as long as they say what nearly all say. In one function with the loop around
    /// it, it took a quarter longer.
    #[inline(never)]
    fn add_plain(
        &self,
        unit: &Rc<UnitView<'a>>,
        walk: &mut Walk<'_, 'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<(), Error> {
        while let Some(plain) = walk.plain_member() {
            self.count()?;
            self.count_members(1)?;
            let at = self.typed(unit, plain.target, members)?;
            let location = match plain.bits {
                Some((offset, size)) => Location::Bits(BitField { offset, size }),
                None => Location::Bytes(plain.place),
            };
            let is_aggregate = members.is_aggregate(at);
            let is_anonymous = is_aggregate && plain.name.is_empty();
            let kind = if is_anonymous { MemberKind::Anonymous } else { MemberKind::Field };
            members.push(plain.name, kind, at, location, within.access)?;
            if is_aggregate || plain.align.is_some() {
                self.say_more(unit, plain.align, nesting, within, members)?;
            }
        }
        Ok(())
    }

    /// Adds any other member.
    fn add_member(
        &self,
        unit: &Rc<UnitView<'a>>,
        tag: DwTag,
        entry: &MemberEntry<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<(), Error> {
        self.count_members(1)?;
        let at = match entry.target(self.view, unit)? {
            Some(target) => self.typed(unit, target, members)?,
            None => members.add_type(Arc::new(self.void()?)),
        };
        let (name, is_aggregate) = (entry.name(self.view, unit), members.is_aggregate(at));
        let kind = match tag {
            dw::DW_TAG_inheritance => MemberKind::Base,
            _ if name.is_empty() && is_aggregate => MemberKind::Anonymous,
            _ => MemberKind::Field,
        };
        let location = location(unit, entry, members.size_of(at));
        members.push(name, kind, at, location, entry.access.unwrap_or(within.access))?;
        if is_aggregate || entry.align.is_some() || location.is_dynamic() {
            self.say_more(unit, entry.align, nesting, within, members)?;
        }
        Ok(())
    }

    /// What the last member consists of, and what is to be said of few.
    fn say_more(
        &self,
        unit: &Rc<UnitView<'a>>,
        align: Option<u64>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Draft,
    ) -> Result<(), Error> {
        let Some((row, member_type)) = members.last() else { return Ok(()) };
        let (is_dynamic, aggregate) = (row.location.is_dynamic(), member_type.aggregate);
        let is_declaration = aggregate.is_some_and(|aggregate| aggregate.is_declaration);
        let inner = nesting.inside(row.kind, &member_type.spelled).filter(|_| !is_declaration);
        let mut why = None;
        if let (Some(aggregate), Some(inner)) = (aggregate, inner) {
            let of_class = Some(row.access).filter(|_| row.kind == MemberKind::Anonymous);
            let mut parts =
                self.parts(unit, aggregate.at, member_type.size, inner, Some(within))?;
            if let Some(access @ (Access::Protected | Access::Private)) = of_class {
                inherit(access, &mut Arc::make_mut(&mut parts).members);
            }
            why = parts.why.clone();
            members.give_parts(parts);
        }
        if is_dynamic {
            why = Some("its offset is only known at run time".to_owned());
        } else if is_declaration {
            why = Some("its type is declared here and defined elsewhere".to_owned());
        }
        if align.is_some() || why.is_some() {
            members.particularise_last(align, why);
        }
        Ok(())
    }

    /// What a struct or union consists of: all that is in the members of a type is read once.
    #[inline]
    pub(in crate::types) fn parts(
        &self,
        unit: &Rc<UnitView<'a>>,
        at: DieRef,
        size: Size,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<Arc<Parts>, Error> {
        let levels =
            outer.map_or(MAX_NESTING + 1, |outer| MAX_NESTING - outer.depth.min(MAX_NESTING));
        if nesting == Nesting::Deep
            && let Some(known) = self.known.borrow().parts(at)
            && known.depth.is_some_and(|depth| depth <= levels)
        {
            self.count_members(known.count)?;
            return Ok(Arc::clone(known));
        }
        if levels > 0 {
            self.read_parts(unit, at, size, nesting, outer)
        } else {
            Ok(Arc::new(Parts::left_out()))
        }
    }

    #[inline(never)]
    fn read_parts(
        &self,
        unit: &Rc<UnitView<'a>>,
        at: DieRef,
        size: Size,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<Arc<Parts>, Error> {
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
    pub(in crate::types) fn known_parts(&self, die: &Die<'a>) -> Result<Arc<Parts>, Error> {
        if let Some(known) = self.known.borrow().parts(die.at()) {
            return Ok(Arc::clone(known));
        }
        self.parts(die.unit(), die.at(), Size::Dynamic, Nesting::Shallow, None)
    }
}

/// How many members a struct of C is about to have: most entries take 13 to 15 bytes, and in C there is nothing
/// else in a struct. A list that turns out longer grows as any does.
fn expected_members(die: &Die<'_>) -> usize {
    let bytes = die.children_size().filter(|_| die.language() == Language::C);
    bytes.map_or(0, |bytes| bytes / 13)
}

/// The members of an anonymous struct or union are named as if they were the class's own ([class.union.anon]).
fn inherit(access: Access, members: &mut Members) {
    members.set_access(access);
    for position in 0..members.len() {
        let is_anonymous = |members: &Members| {
            members.get(position).is_some_and(|member| member.kind() == MemberKind::Anonymous)
        };
        if is_anonymous(members)
            && let Some(parts) = members.parts_mut(position)
        {
            inherit(access, &mut parts.members);
        }
    }
}
