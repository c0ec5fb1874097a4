//! Reads the members of a type from its DIE.

use std::rc::Rc;
use std::sync::Arc;

use gimli::{DwTag, constants as dw};
use smol_str::SmolStr;

use super::layout::is_without_name;
use super::location::location;
use super::member_entry::MemberEntry;
use super::model::{MemberType, Particulars};
use super::reader::Reader;
use super::spelling::kind_of;
use super::{Access, Error, Member, MemberKind, Parts, Size, gaps};
use crate::dwarf::{Die, DieRef, Language, UnitView};

/// The members of members are laid out so deep. A tuple of forty nests as deep; beyond, a member
/// says that its own are left out.
const MAX_NESTING: usize = 48;

/// Room is made for so many members at most, before they are read.
const MAX_EXPECTED: usize = 1 << 10;

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
    /// The members of a struct, without theirs, that are there whatever variant there is.
    pub(super) fn constant_members(&self, die: &Die<'a>) -> Result<Vec<Member>, Error> {
        Ok(self.members(die, Nesting::Always, None)?.0)
    }

    /// The members of a struct. Damage ends the list: what was read is returned with the reason.
    pub(super) fn members(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        outer: Option<&Within<'_>>,
    ) -> Result<(Vec<Member>, Option<String>), Error> {
        let mut members = Vec::with_capacity(expected_members(die));
        let why = self.add_members(die, nesting, &Within::new(die, outer)?, &mut members)?;
        // They may be kept for long, and a file may say of its entries that they take any room.
        if members.capacity() / 2 > members.len() {
            members.shrink_to_fit();
        }
        if why.is_none() && die.tag() != dw::DW_TAG_union_type {
            settle_empty_arrays(&mut members);
        }
        Ok((members, why))
    }

    /// Reads them to their end, or to where damage is: then the reason is returned.
    fn add_members(
        &self,
        die: &Die<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Vec<Member>,
    ) -> Result<Option<String>, Error> {
        let (unit, mut children) = (die.unit(), die.walk_children()?);
        while let Some(walk) = &mut children {
            self.count()?;
            if let Some(plain) = walk.plain_member() {
                let entry = MemberEntry::plain(plain);
                self.add_member(unit, dw::DW_TAG_member, &entry, nesting, within, members)?;
                continue;
            }
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
        members: &mut Vec<Member>,
    ) -> Result<(), Error> {
        let part = self.variant_part(part)?;
        if let Some(own) = &part.own {
            members.push(self.discriminant(own, nesting, within)?);
        }
        for (variant, when) in &part.variants {
            let (mut inside, _) = self.members(variant, nesting, Some(within))?;
            if let Some(when) = when.as_ref().filter(|_| part.discriminant.is_some()) {
                inside.iter_mut().for_each(|member| member.put_into(when.clone()));
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
        self.count_members(1)?;
        let (unit, entry) = (die.unit(), MemberEntry::of(die)?);
        let mut discriminant =
            self.bare_member(unit, die.tag(), &entry, self.typed(unit, &entry)?, within);
        self.say_more(&mut discriminant, unit, entry.align, nesting, within)?;
        if discriminant.name.is_empty() {
            discriminant.name = SmolStr::new_static("<discriminant>");
        }
        Ok(discriminant)
    }

    /// The member that is a discriminant.
    pub(super) fn discriminant_of(&self, die: &Die<'a>) -> Result<Member, Error> {
        self.discriminant(die, Nesting::Always, &Within::new(die, None)?)
    }

    /// Adds a member, made where it stays: moving them had most of the time that they took.
    #[inline]
    fn add_member(
        &self,
        unit: &Rc<UnitView<'a>>,
        tag: DwTag,
        entry: &MemberEntry<'a>,
        nesting: Nesting,
        within: &Within<'_>,
        members: &mut Vec<Member>,
    ) -> Result<(), Error> {
        self.count_members(1)?;
        let member_type = self.typed(unit, entry)?;
        let is_aggregate = member_type.aggregate.is_some();
        members.push(self.bare_member(unit, tag, entry, member_type, within));
        match members.last_mut() {
            Some(member) if is_aggregate || entry.align.is_some() || member.is_dynamic() => {
                self.say_more(member, unit, entry.align, nesting, within)
            }
            _ => Ok(()),
        }
    }

    /// A member without its own members, and without what is to be said of few.
    #[inline(always)]
    fn bare_member(
        &self,
        unit: &UnitView<'a>,
        tag: DwTag,
        entry: &MemberEntry<'a>,
        member_type: Arc<MemberType>,
        within: &Within<'_>,
    ) -> Member {
        let name = entry.name(self.view, unit);
        let kind = match tag {
            dw::DW_TAG_inheritance => MemberKind::Base,
            _ if name.is_empty() && member_type.aggregate.is_some() => MemberKind::Anonymous,
            _ => MemberKind::Field,
        };
        let location = location(unit, entry, member_type.size);
        let access = entry.access.unwrap_or(within.access);
        let (name, parts, particulars) = (text(name), None, None);
        Member { name, kind, member_type, location, access, parts, particulars }
    }

    /// What a member consists of, and what is to be said of few.
    fn say_more(
        &self,
        member: &mut Member,
        unit: &Rc<UnitView<'a>>,
        align: Option<u64>,
        nesting: Nesting,
        within: &Within<'_>,
    ) -> Result<(), Error> {
        let mut why = member.is_dynamic().then_some("its offset is only known at run time");
        if let Some(aggregate) = member.member_type.aggregate {
            let inner = nesting.inside(member.kind, member.type_name());
            if aggregate.is_declaration {
                why = why.or(Some("its type is declared here and defined elsewhere"));
            } else if let Some(inner) = inner {
                let (at, size) = (aggregate.at, member.size());
                let mut inside = self.parts(unit, at, size, inner, Some(within))?;
                if member.kind == MemberKind::Anonymous && member.access != Access::Public {
                    inherit(member.access, &mut inside);
                }
                member.parts = Some(inside);
            }
        }
        let inside = || member.parts.as_ref().and_then(|parts| parts.why.clone());
        let why = why.map(str::to_owned).or_else(inside);
        if align.is_some() || why.is_some() {
            member.particulars = Some(Box::new(Particulars { align, variants: Vec::new(), why }));
        }
        Ok(())
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
}

/// How many members a struct of C is about to have: most entries take 13 to 15 bytes, and in C there is nothing
/// else in a struct. A list that turns out longer grows as any does.
fn expected_members(die: &Die<'_>) -> usize {
    let bytes = die.children_size().filter(|_| die.language() == Language::C);
    bytes.map_or(0, |bytes| (bytes / 13).min(MAX_EXPECTED))
}

/// An array without a bound that cannot be flexible, since it does not end a struct that has more
/// members (C17 §6.7.2.1), is empty: GCC before 8 wrote `[0]` so.
fn settle_empty_arrays(members: &mut [Member]) {
    let flexible = if members.len() > 1 { members.len() - 1 } else { members.len() };
    for member in members.iter_mut().take(flexible).filter(|member| member.is_flexible_array()) {
        let empty = Arc::make_mut(&mut member.member_type);
        empty.size = Size::Known(0);
        empty.spelled = empty.spelled.replacen("[]", "[0]", 1).into();
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

/// Texts up to so many bytes are in the string itself, as nearly all names are. `SmolStr::new` makes the same
/// distinction, and moves them once more: a sixteenth of the time that a layout takes.
const INLINE: usize = 23;

#[inline]
fn text(bytes: &[u8]) -> SmolStr {
    // Nearly all are sound, and then need no string in between.
    match str::from_utf8(bytes) {
        Ok(text) if text.len() <= INLINE => SmolStr::new_inline(text),
        Ok(text) => SmolStr::new(text),
        Err(_) => SmolStr::from(String::from_utf8_lossy(bytes)),
    }
}
