//! `layout.field_at`: which member is at an offset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::layout::{DeclaredAt, LayoutSource, Searched};
use super::method;
use crate::types;

method!(FieldAtMethod, "layout.field_at", FieldAtRequest => FieldAt,
    "The members that cover an offset of a type, down to elements of arrays, or the hole there.");

/// Which type, and where in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldAtRequest {
    /// `struct libxl__ev_fd`, `libxl_domain_config`, `union foo`, `ns::Type<int>`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Bytes from the start of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Bits from there, or from the start of the type where no offset is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_offset: Option<u64>,
    /// How many bytes; 1 if this is absent, or one bit where a bit is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where to look; empty: the configured binaries, then those the plugins name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binaries: Vec<BinaryRef>,
    /// Only definitions in this language, for instance `c`, `c++`, `rust`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The answer: at least one match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldAt {
    /// Every distinct answer of the definitions under the name.
    pub matches: Vec<FieldMatch>,
    /// Every binary that was looked into, in that order, with where its debug info is.
    pub searched: Vec<Searched>,
}

/// What covers the place in one layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldMatch {
    /// The type, spelled.
    #[serde(rename = "type")]
    pub type_name: String,
    /// In bytes; null when it is only known at run time.
    pub size: Option<u64>,
    /// Where the first such definition is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<DeclaredAt>,
    /// The binaries with such definitions.
    pub binaries: Vec<LayoutSource>,
    /// What covers the place, in order; of a union each member that does. Empty: it is behind the end.
    pub places: Vec<Place>,
}

/// Something that covers the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The member, `fds[3].events`; of a hole the struct that it is in, empty for the type itself.
    pub path: String,
    /// What it is.
    pub kind: PlaceKind,
    /// The member's type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Its first byte, from the start of the type.
    pub offset: u64,
    /// Its first bit, from the start of the type.
    pub bit_offset: u64,
    /// How many bits it has.
    pub bit_size: u64,
}

/// What covers a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A member, or an element of an array.
    Member,
    /// A bit field.
    BitField,
    /// Unused bits between members.
    Hole,
    /// Unused bits after the last member.
    Padding,
}

impl From<&types::Place> for Place {
    fn from(place: &types::Place) -> Self {
        let (kind, type_name) = match &place.what {
            types::Covering::Member { type_name, is_bit_field: false } => {
                (PlaceKind::Member, Some(type_name.clone()))
            }
            types::Covering::Member { type_name, is_bit_field: true } => {
                (PlaceKind::BitField, Some(type_name.clone()))
            }
            types::Covering::Hole => (PlaceKind::Hole, None),
            types::Covering::Padding => (PlaceKind::Padding, None),
        };
        Place {
            path: place.path.clone(),
            kind,
            type_name,
            offset: place.bits.offset / 8,
            bit_offset: place.bits.offset,
            bit_size: place.bits.size,
        }
    }
}
