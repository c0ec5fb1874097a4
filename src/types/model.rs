//! A layout: what is known of a type's bytes.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use super::{BetterOrder, Member, Members, Number, OwnedMember};
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
    #[inline]
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
    pub members: Members,
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

impl Location {
    /// Whether only run time can tell.
    #[inline]
    pub(super) fn is_dynamic(self) -> bool {
        matches!(self, Location::Dynamic { .. })
    }
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
        let inside = |member: Member<'_>| member.parts().map_or(0, |parts| parts.count);
        let members = self.layout.members.iter().map(|member| 1 + inside(member));
        let selected = self.selected.iter().map(|selected| inside(selected.member.view()));
        members.chain(selected).sum::<usize>() + self.layout.enumerators.len()
    }
}

/// Where a member path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The path as understood.
    pub path: String,
    /// The member there, its place from the start of the type asked for.
    pub member: OwnedMember,
}
