//! A layout: what is known of a type's bytes.

use std::fmt;
use std::ops::RangeInclusive;

use super::BetterOrder;
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

/// A bit field, in bits from the start of the type asked for (gdb's bitpos).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitField {
    /// The first bit.
    pub offset: u64,
    /// How many.
    pub size: u64,
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
    pub name: String,
    /// What part it is.
    pub kind: MemberKind,
    /// Its type, spelled.
    pub type_name: String,
    /// Its type; none stands for `void`, which no member has in sound debug info.
    pub type_die: Option<DieRef>,
    /// Bytes from the start of the type asked for; none where only run time can tell.
    pub offset: Option<u64>,
    /// Its size.
    pub size: Size,
    /// Its bits, for a bit field.
    pub bits: Option<BitField>,
    /// DW_AT_alignment, in bytes.
    pub align: Option<u64>,
    /// Who may name it.
    pub access: Access,
    /// When it is there, for what is part of a variant; of a variant in another, the outer's first.
    pub variants: Vec<Variant>,
    /// The members of a struct or union that is part of this one.
    pub members: Vec<Member>,
    /// Bits of such a struct that none of its members uses, to its end.
    pub holes: Vec<Hole>,
    /// What could not be known.
    pub why: Option<String>,
}

impl PartialEq for Member {
    /// Equal in what they say; the DIE it was read from does not matter, and holes follow from the
    /// members.
    fn eq(&self, other: &Member) -> bool {
        self.name == other.name
            && self.kind == other.kind
            && self.type_name == other.type_name
            && self.offset == other.offset
            && self.size == other.size
            && self.bits == other.bits
            && self.align == other.align
            && self.access == other.access
            && self.variants == other.variants
            && self.members == other.members
            && self.why == other.why
    }
}

/// With which values of the discriminant a variant is there (DWARF 5 §5.7.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variant {
    /// With these.
    Values(Vec<RangeInclusive<i128>>),
    /// With all that are no other's.
    Otherwise,
}

impl Variant {
    /// Whether it lists a value.
    pub(super) fn lists(&self, value: i128) -> bool {
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
    pub value: i128,
}

/// Bits between members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The first.
    pub bit_offset: u64,
    /// How many.
    pub bit_size: u64,
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
        fn all(members: &[Member]) -> usize {
            members.iter().map(|member| 1 + all(&member.members)).sum()
        }
        let selected = self.selected.iter().map(|selected| all(&selected.member.members));
        all(&self.layout.members) + self.layout.enumerators.len() + selected.sum::<usize>()
    }
}

/// Where a member path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The path as understood.
    pub path: String,
    /// The member there.
    pub member: Member,
}
