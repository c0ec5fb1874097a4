//! `layout.*`: where the members of a type are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::{BinaryRef, Provenance};
use super::method;
use crate::types;

method!(OffsetsOfMethod, "layout.offsets_of", OffsetsOfRequest => OffsetsOf,
    "Every distinct layout of the types of a name, or of one member by its path.");

/// Which type, and in which binaries.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetsOfRequest {
    /// `struct libxl__ev_fd`, `libxl_domain_config`, `union foo`, `ns::Type<int>`; a member path may
    /// follow: `struct libxl__ev_fd.entry.le_next`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// A member path inside the type, for instance `entry.le_next` or `fds[3].events`. Indices
    /// count as the source counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where to look; empty: the configured binaries, then those the plugins name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Only definitions in this language, for instance `c`, `c++`, `rust`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Also return the answer as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render: Option<LayoutForm>,
}

/// The forms of a layout as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayoutForm {
    /// `member => offset`, as people know it from gdb scripts.
    Script,
    /// The C-like view with types, sizes, bit fields and holes.
    Layout,
    /// C that compiles where the layout is true: `_Static_assert` of sizes, offsets, enumerators.
    Asserts,
    /// Members and holes to scale, as blocks of letters.
    Map,
    /// Members and holes to scale, as a picture.
    Svg,
}

/// The answer: at least one match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OffsetsOf {
    /// Every distinct layout under the name.
    pub matches: Vec<LayoutMatch>,
    /// Every binary that was looked into, in that order, with where its debug info is.
    pub searched: Vec<Searched>,
    /// The answer as text, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<String>,
}

/// One layout, and the member asked for in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutMatch {
    /// The layout of the type asked for.
    #[serde(flatten)]
    pub layout: Layout,
    /// The member that the path leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Selected>,
}

/// The place a member path leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selected {
    /// The path as understood, anonymous members left out.
    pub path: String,
    /// The member there; its offset counts from the start of the type asked for.
    #[serde(flatten)]
    pub member: Member,
}

/// A binary that was looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Searched {
    /// Its path.
    pub path: String,
    /// Why it was looked into: `asked`, `configured`, `plugin NAME`, `needed by PATH`.
    pub because: String,
    /// Where its debug info came from.
    pub debug_info: Provenance,
    /// How many definitions of the name it holds.
    pub definitions: usize,
    /// What of it could not be read, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where the members of one type are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layout {
    /// Its name with its keyword: `struct libxl__ev_fd`; a typedef's own name when the struct has none.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `struct`, `union`, `class`, `enum`, `typedef`, `base`…
    pub kind: String,
    /// The typedefs that led to it, outermost first; a pointer typedef shows its pointee.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
    /// In bytes; null when it is only known at run time, `why` says so.
    pub size: Option<u64>,
    /// The alignment, where the debug info states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<u64>,
    /// The binaries with this layout.
    pub binaries: Vec<LayoutSource>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<DeclaredAt>,
    /// `c`, `c++`, `rust`, …
    pub language: String,
    /// In the order of declaration.
    pub members: Vec<Member>,
    /// The values of an enum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enumerators: Vec<Enumerator>,
    /// Unused bits between members; those inside of members are theirs.
    pub holes: Vec<Hole>,
    /// Unused bytes at the end, of a union behind its largest member.
    pub padding: u64,
    /// Its members stand closer than their types ask for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub packed: bool,
    /// An order of the members that takes fewer bytes; only sought for C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better_order: Option<BetterOrder>,
    /// What could not be known, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A better order of a struct's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BetterOrder {
    /// The size of the struct in that order.
    pub size: u64,
    /// How many bytes that saves.
    pub saves: u64,
    /// The members by their positions in `members`.
    pub order: Vec<usize>,
}

/// A binary that holds a layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutSource {
    /// Its path.
    pub path: String,
    /// Its build-id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// How many of its units define the type with this layout.
    pub units: usize,
}

/// A place in source text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaredAt {
    /// The file, as the debug info names it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
}

/// A member, a base class, or an anonymous struct or union with its own members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Its name; empty when anonymous.
    pub name: String,
    /// Its type, as C or the language would spell it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Bytes from the start of the type asked for; null when only known at run time.
    pub offset: Option<u64>,
    /// In bytes; null when it is only known at run time.
    pub size: Option<u64>,
    /// A bit field's first bit, counted as gdb's bitpos from the start of the type asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_offset: Option<u64>,
    /// A bit field's width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_size: Option<u64>,
    /// The alignment, where the debug info states one for this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<u64>,
    /// Who may name it in C++; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// A base class.
    #[serde(default, skip_serializing_if = "is_false")]
    pub base: bool,
    /// A struct or union without a name whose members belong to its parent's scope.
    #[serde(default, skip_serializing_if = "is_false")]
    pub anonymous: bool,
    /// For a variant of an enum that holds data: with which values of the discriminant it is there, in
    /// decimal: `3`, `1, 5..=9` or `otherwise`. For a variant in another: `3 and 0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The members of a struct or union, when it is part of this one's bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// Bits of such a struct or union that no member uses, to its end: in C++ others may be in the bytes at the
    /// end of a base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
    /// What could not be known, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Who may name a member, besides its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Classes that are derived.
    Protected,
    /// None.
    Private,
}

/// One value of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// Its value in decimal; a string, since 64-bit values do not survive JSON numbers.
    pub value: String,
}

/// Bits between members that no member uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hole {
    /// The first unused bit from the start of the type.
    pub bit_offset: u64,
    /// How many.
    pub bit_size: u64,
}

impl LayoutMatch {
    /// Whether two matches say the same of the bytes, whichever binaries they are from.
    pub(crate) fn shows_same(&self, other: &LayoutMatch) -> bool {
        let bare = |found: &LayoutMatch| LayoutMatch {
            layout: Layout {
                binaries: Vec::new(),
                declared_at: None,
                via: Vec::new(),
                ..found.layout.clone()
            },
            ..found.clone()
        };
        bare(self) == bare(other)
    }
}

impl From<&types::LayoutMatch> for LayoutMatch {
    /// The binaries are left for the caller to fill in: a layout does not know them.
    fn from(found: &types::LayoutMatch) -> Self {
        let selected = found.selected.as_ref().map(|selected| Selected {
            path: selected.path.clone(),
            member: Member::from(selected.member.view()),
        });
        LayoutMatch { layout: Layout::from(&found.layout), selected }
    }
}

impl From<&types::Layout> for Layout {
    fn from(layout: &types::Layout) -> Self {
        let declared_at = layout.declared_at.as_ref();
        let enumerators = layout.enumerators.iter().map(|enumerator| Enumerator {
            name: enumerator.name.clone(),
            value: enumerator.value.to_string(),
        });
        Layout {
            type_name: layout.type_name.clone(),
            kind: layout.kind.name().to_owned(),
            via: layout.via.clone(),
            size: layout.size.known(),
            align: layout.align,
            binaries: Vec::new(),
            declared_at: declared_at
                .map(|(file, line)| DeclaredAt { file: file.clone(), line: *line }),
            language: layout.language.name().to_owned(),
            members: layout.members.iter().map(Member::from).collect(),
            enumerators: enumerators.collect(),
            holes: layout.holes.iter().map(Hole::from).collect(),
            padding: layout.padding,
            packed: layout.packed,
            better_order: layout.better_order.as_ref().map(|better| BetterOrder {
                size: better.size,
                saves: better.saves(layout),
                order: better.order.clone(),
            }),
            why: layout.why.clone(),
        }
    }
}

impl From<&types::Hole> for Hole {
    fn from(hole: &types::Hole) -> Self {
        Hole { bit_offset: hole.bit_offset, bit_size: hole.bit_size }
    }
}

/// With which values of discriminants a member is there; none where it always is.
pub(super) fn when(member: types::Member<'_>) -> Option<String> {
    let all: Vec<_> = member.variants().iter().map(types::Variant::to_string).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

impl From<types::Member<'_>> for Member {
    fn from(member: types::Member<'_>) -> Self {
        Member {
            name: member.name().to_owned(),
            type_name: member.type_name().to_string(),
            offset: member.offset(),
            size: member.size().known(),
            bit_offset: member.bits().map(|bits| bits.offset),
            bit_size: member.bit_size(),
            align: member.align(),
            access: match member.access() {
                types::Access::Public => None,
                types::Access::Protected => Some(Access::Protected),
                types::Access::Private => Some(Access::Private),
            },
            base: member.kind() == types::MemberKind::Base,
            anonymous: member.kind() == types::MemberKind::Anonymous,
            when: when(member),
            members: member.inside().map(Member::from).collect(),
            holes: member.holes().map(|hole| Hole::from(&hole)).collect(),
            why: member.why().map(str::to_owned),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}
