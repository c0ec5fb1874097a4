//! A layout: what is known of a type's bytes.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use smol_str::SmolStr;

use super::{BetterOrder, Number};
use crate::dwarf::{DieRef, Language};

/// How many bytes something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// So many.
    Known(u64),
    /// Only known at run time.
    Dynamic,
}

impl Size {
    /// The bytes, where they are known.
    pub fn known(self) -> Option<u64> {
        match self {
            Size::Known(bytes) => Some(bytes),
            Size::Dynamic => None,
        }
    }
}

/// The kinds of type that people ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `struct`.
    Struct,
    /// `union`.
    Union,
    /// `class`.
    Class,
    /// `enum`.
    Enum,
    /// Anything else with a name: a number, a pointer, a function type, an array.
    Other,
}

impl Kind {
    /// The keyword, or `type`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Struct => "struct",
            Kind::Union => "union",
            Kind::Class => "class",
            Kind::Enum => "enum",
            Kind::Other => "type",
        }
    }

    /// Whether it has members.
    pub fn is_aggregate(self) -> bool {
        matches!(self, Kind::Struct | Kind::Union | Kind::Class)
    }
}

/// Where the members of one type are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The DIE it was read from.
    pub die: DieRef,
    /// The name people know it by.
    pub type_name: String,
    /// What it is.
    pub kind: Kind,
    /// The typedefs, and `*` for a pointer, on the way from the name asked for.
    pub via: Vec<String>,
    /// Its size.
    pub size: Size,
    /// DW_AT_alignment, in bytes.
    pub align: Option<u64>,
    /// The file and line of its declaration.
    pub declared_at: Option<(String, u64)>,
    /// The language of its unit.
    pub language: Language,
    /// Its members, as declared.
    pub members: Vec<Member>,
    /// An enum's values.
    pub enumerators: Vec<Enumerator>,
    /// Bits that no member uses.
    pub holes: Vec<Hole>,
    /// Bytes after the last member.
    pub padding: u64,
    /// Its members stand closer than their types ask for.
    pub packed: bool,
    /// An order of the members that takes fewer bytes; only sought for C.
    pub better_order: Option<BetterOrder>,
    /// What could not be known.
    pub why: Option<String>,
}

impl Layout {
    /// Whether two layouts say the same of the bytes, wherever they were read.
    pub fn same_as(&self, other: &Layout) -> bool {
        self.type_name == other.type_name
            && self.kind == other.kind
            && self.language == other.language
            && self.size == other.size
            && self.align == other.align
            && self.members == other.members
            && self.enumerators == other.enumerators
            && self.why == other.why
    }
}

/// What part of a type a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A member with a name, or a bit field without one.
    Field,
    /// A base class.
    Base,
    /// A struct or union without a name: its members are found in the parent's scope.
    Anonymous,
}

/// Some bits, counted from the start of what they are a part of (gdb's bitpos).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitField {
    /// The first bit.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

/// A member's place, from the start of what it is a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// So many bytes.
    Bytes(u64),
    /// These bits: a bit field, or what starts within a byte (Ada).
    Bits(BitField),
    /// Only run time can tell (virtual bases), or it starts within a byte and its size is not known.
    Dynamic {
        /// How many bits a bit field has.
        bits: Option<u64>,
    },
}

/// Who may name a member in C++ (DWARF 5 §2.11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// All.
    #[default]
    Public,
    /// Those that are derived.
    Protected,
    /// The class alone, and its friends.
    Private,
}

/// One member.
#[derive(Clone, Debug, Eq)]
pub struct Member {
    /// Its name; empty where it has none.
    pub name: SmolStr,
    /// What part it is.
    pub kind: MemberKind,
    /// Its type.
    pub(super) member_type: Arc<MemberType>,
    /// Where it is.
    pub location: Location,
    /// Who may name it.
    pub access: Access,
    /// What it consists of, where it is a struct or union.
    pub parts: Option<Arc<Parts>>,
    /// What is to be said of few: a layout has hundreds of members, which are gone through many times.
    pub(super) particulars: Option<Box<Particulars>>,
}

/// What members show of their type: the same for all that have it.
#[derive(Clone, Debug, Eq)]
pub(super) struct MemberType {
    /// The type itself; none stands for `void`, which no member has in sound debug info.
    pub(super) die: Option<DieRef>,
    pub(super) spelled: SmolStr,
    pub(super) size: Size,
    /// It is an array, behind typedefs and qualifiers.
    pub(super) is_array: bool,
    /// That has no bound.
    pub(super) is_unbounded: bool,
    /// The struct, union or class that it is, behind typedefs and qualifiers.
    pub(super) aggregate: Option<Aggregate>,
}

/// A struct, union or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aggregate {
    pub(super) at: DieRef,
    /// Where it is defined is not known.
    pub(super) is_declaration: bool,
}

impl PartialEq for MemberType {
    /// Equal in what they say; the DIE it was read from does not matter.
    fn eq(&self, other: &MemberType) -> bool {
        self.spelled == other.spelled && self.size == other.size
    }
}

/// What is to be said of few members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Particulars {
    pub(super) align: Option<u64>,
    pub(super) variants: Vec<Variant>,
    pub(super) why: Option<String>,
}

/// What a struct or union consists of that is part of another: the same for all that have a member of the
/// type, since places count from its own start.
#[derive(Clone, Debug, Default, Eq)]
pub struct Parts {
    /// Its members, as declared.
    pub members: Vec<Member>,
    /// Bits that no member uses, to its end.
    pub holes: Vec<Hole>,
    /// What could not be known.
    pub(super) why: Option<String>,
    /// How many members it has, at any depth.
    pub(super) count: usize,
    /// How deep they are nested; none where some are left out.
    pub(super) depth: Option<usize>,
    /// One of them has no end, at any depth.
    pub(super) is_open_ended: bool,
}

impl PartialEq for Parts {
    /// Equal in what they say; the rest is derived from it, and from the DIEs it was read from.
    fn eq(&self, other: &Parts) -> bool {
        self.members == other.members && self.holes == other.holes && self.why == other.why
    }
}

impl Parts {
    pub(super) fn of(members: Vec<Member>, holes: Vec<Hole>, why: Option<String>) -> Parts {
        let inside = || members.iter().filter_map(|member| member.parts.as_ref());
        let count = members.len() + inside().map(|parts| parts.count).sum::<usize>();
        let depth = inside().try_fold(0, |depth, parts| Some(parts.depth?.max(depth)));
        let depth = depth.map(|depth| depth + 1);
        let is_open_ended = members.iter().any(Member::is_open_ended);
        Parts { members, holes, why, count, depth, is_open_ended }
    }

    /// Those of a type that is nested deeper than layouts are shown.
    pub(super) fn left_out() -> Parts {
        let why = "its members are nested too deep to be shown";
        Parts { why: Some(why.to_owned()), ..Parts::default() }
    }
}

impl Member {
    /// The members of a struct or union that is part of this one, with places from its own start.
    pub fn members(&self) -> &[Member] {
        self.parts.as_ref().map(|parts| parts.members.as_slice()).unwrap_or_default()
    }

    /// The same with places that count from where its own do.
    pub fn inside(&self) -> impl Iterator<Item = Member> {
        self.members().iter().map(|member| member.clone().seen_from(self.start()))
    }

    /// Bits in it that no member uses, counted as its own place is. Of a record that Ada packs, the end
    /// of the type is not part of it.
    pub fn holes(&self) -> impl Iterator<Item = Hole> {
        let holes = self.parts.iter().flat_map(|parts| &parts.holes);
        let (start, width) = (self.start(), self.bits().map_or(u64::MAX, |bits| bits.size));
        holes.filter_map(move |hole| {
            let bit_size = hole.bit_size.min(width.saturating_sub(hole.bit_offset));
            let bit_offset = start?.saturating_add(hole.bit_offset);
            (bit_size > 0).then_some(Hole { bit_offset, bit_size })
        })
    }

    /// Its type, spelled.
    pub fn type_name(&self) -> &SmolStr {
        &self.member_type.spelled
    }

    /// Its type; none stands for `void`, which no member has in sound debug info.
    pub fn type_die(&self) -> Option<DieRef> {
        self.member_type.die
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.member_type.size
    }

    /// Bytes from the start of what it is a member of; none where only run time can tell.
    pub fn offset(&self) -> Option<u64> {
        match self.location {
            Location::Bytes(offset) => Some(offset),
            Location::Bits(bits) => Some(bits.offset / 8),
            Location::Dynamic { .. } => None,
        }
    }

    /// Its bits, for a bit field, from the start of what it is a member of.
    pub fn bits(&self) -> Option<BitField> {
        match self.location {
            Location::Bits(bits) => Some(bits),
            Location::Bytes(_) | Location::Dynamic { .. } => None,
        }
    }

    /// Whether only run time can tell where it is.
    #[inline]
    pub(super) fn is_dynamic(&self) -> bool {
        matches!(self.location, Location::Dynamic { .. })
    }

    /// Its first bit; none where only run time can tell.
    #[inline]
    pub fn start(&self) -> Option<u64> {
        match self.location {
            Location::Bytes(offset) => offset.checked_mul(8),
            Location::Bits(bits) => Some(bits.offset),
            Location::Dynamic { .. } => None,
        }
    }

    /// How many bits a bit field has, wherever it is.
    pub fn bit_size(&self) -> Option<u64> {
        match self.location {
            Location::Bytes(_) => None,
            Location::Bits(bits) => Some(bits.size),
            Location::Dynamic { bits } => bits,
        }
    }

    /// DW_AT_alignment, in bytes.
    pub fn align(&self) -> Option<u64> {
        self.particulars.as_ref()?.align
    }

    /// When it is there, for what is part of a variant; of a variant in another, the outer's first.
    pub fn variants(&self) -> &[Variant] {
        self.particulars.as_ref().map(|its| its.variants.as_slice()).unwrap_or_default()
    }

    /// What could not be known.
    pub fn why(&self) -> Option<&str> {
        self.particulars.as_ref()?.why.as_deref()
    }

    /// It is there when what it is in is, which is a variant.
    pub(super) fn put_into(&mut self, variant: Variant) {
        self.particulars.get_or_insert_default().variants.insert(0, variant);
    }

    /// The bits that it covers, of a flexible array none; none where only run time can tell them.
    #[inline]
    pub(super) fn covered(&self) -> Option<Range<u64>> {
        let (start, width) = match (self.location, self.size()) {
            (Location::Bits(bits), _) => (bits.offset, bits.size),
            (Location::Bytes(offset), Size::Known(bytes)) => {
                (offset.checked_mul(8)?, bytes.checked_mul(8)?)
            }
            (Location::Bytes(_), Size::Dynamic) | (Location::Dynamic { .. }, _) => return None,
        };
        Some(start..start.checked_add(width)?)
    }

    /// It, as a member of what starts `base` bits before; none where only run time can tell how many.
    /// Ada packs records so that they start within a byte: then their members are counted in bits too.
    pub fn seen_from(mut self, base: Option<u64>) -> Member {
        let start = self.start().zip(base).and_then(|(start, base)| base.checked_add(start));
        let whole = || self.size().known().map(|bytes| bytes.saturating_mul(8));
        self.location = match (start, self.bits()) {
            (None, _) => Location::Dynamic { bits: self.bit_size() },
            (Some(start), None) if start.is_multiple_of(8) => Location::Bytes(start / 8),
            (Some(offset), bits) => match bits.map(|bits| bits.size).or_else(whole) {
                Some(size) => Location::Bits(BitField { offset, size }),
                None => Location::Dynamic { bits: None },
            },
        };
        self
    }

    /// Whether it is such an array, or a struct or union that holds one at any depth: it has no end.
    pub(super) fn is_open_ended(&self) -> bool {
        self.is_flexible_array() || self.parts.as_ref().is_some_and(|parts| parts.is_open_ended)
    }

    /// Whether it is a flexible array: one that is empty has a size.
    #[inline]
    pub(super) fn is_flexible_array(&self) -> bool {
        self.member_type.is_unbounded && self.size() == Size::Dynamic
    }
}

#[cfg(test)]
impl Member {
    /// One of that type and so many bytes.
    pub(super) fn sized(type_name: &str, offset: u64, bytes: u64) -> Member {
        Member {
            name: "m".into(),
            kind: MemberKind::Field,
            member_type: Arc::new(MemberType {
                die: None,
                spelled: type_name.into(),
                size: Size::Known(bytes),
                is_array: false,
                is_unbounded: false,
                aggregate: None,
            }),
            location: Location::Bytes(offset),
            access: Access::Public,
            parts: None,
            particulars: None,
        }
    }
}

impl PartialEq for Member {
    /// Equal in what they say; the DIE it was read from does not matter.
    fn eq(&self, other: &Member) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.member_type == other.member_type
            && self.location == other.location
            && self.access == other.access
            && self.parts == other.parts
            && self.particulars == other.particulars
    }
}

/// With which values of the discriminant a variant is there (DWARF 5 §5.7.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variant {
    /// With these.
    Values(Vec<RangeInclusive<Number>>),
    /// With all that are no other's.
    Otherwise,
}

impl Variant {
    /// Whether it lists a value.
    pub(super) fn lists(&self, value: Number) -> bool {
        match self {
            Variant::Values(ranges) => ranges.iter().any(|range| range.contains(&value)),
            Variant::Otherwise => false,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Variant::Values(ranges) = self else { return f.write_str("otherwise") };
        for (position, range) in ranges.iter().enumerate() {
            f.write_str(if position == 0 { "" } else { ", " })?;
            match range.start() == range.end() {
                true => write!(f, "{}", range.start())?,
                false => write!(f, "{}..={}", range.start(), range.end())?,
            }
        }
        Ok(())
    }
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Number,
}

/// Bits between members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The first.
    pub bit_offset: u64,
    /// How many.
    pub bit_size: u64,
}

impl Hole {
    /// From the first to the end.
    pub(super) fn bits(&self) -> Range<u64> {
        self.bit_offset..self.bit_offset.saturating_add(self.bit_size)
    }
}

/// A layout that a name stands for, in one binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutMatch {
    /// The layout.
    pub layout: Layout,
    /// How many definitions in the binary have it.
    pub units: usize,
    /// The member that the path leads to.
    pub selected: Option<Selected>,
}

impl LayoutMatch {
    /// How many members and enumerators it holds, at any depth.
    pub fn count(&self) -> usize {
        let inside = |member: &Member| member.parts.as_ref().map_or(0, |parts| parts.count);
        let members = self.layout.members.iter().map(|member| 1 + inside(member));
        let selected = self.selected.iter().map(|selected| inside(&selected.member));
        members.chain(selected).sum::<usize>() + self.layout.enumerators.len()
    }
}

/// Where a member path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The path as understood.
    pub path: String,
    /// The member there, its place from the start of the type asked for.
    pub member: Member,
}
