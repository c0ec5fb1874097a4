//! `layout.diff`: what has changed in the types of a binary from one build to the next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::binary::BinaryRef;
use super::method;
use crate::types;

method!(DiffMethod, "layout.diff", DiffRequest => Diff,
    "What has changed in a type, or in all types, from one build of a binary to another.");

/// Which builds, and which type.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// The older build.
    pub old: BinaryRef,
    /// The newer build.
    pub new: BinaryRef,
    /// One type, `struct libxl__ev_fd`; absent: all that have a name.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The types that are not as they were, or not certainly, by name. Where one was asked for it comes first, and those that
    /// it is part of follow.
    pub types: Vec<TypeDiff>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// A type that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TypeDiff {
    /// The type, spelled.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether it has come, gone or changed.
    pub change: TypeChange,
    /// Its size in bytes before, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_size: Option<u64>,
    /// Its size in bytes after, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_size: Option<u64>,
    /// What is not as it was. What is in a member, or its elements, whose type has a name is told there, save
    /// of the type asked for, where all of it is but the enumerators of enums that have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberDiff>,
    /// Changed types that are part of this one's bytes, at any depth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// Types, changed or not, whose bytes this one is part of, at any depth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
}

/// What has become of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypeChange {
    /// Only the newer build has it.
    Added,
    /// Only the older build has it.
    Removed,
    /// Both have it, and it is not as it was.
    Changed,
    /// Both have it. What was compared is as it was, but not all could be: it is damaged, too much or nested
    /// too deep, as its members say.
    NotCompared,
}

/// A member or an enumerator that has come, gone, moved, is of another size or type, or is there with other
/// values of a discriminant; or where what is there was not compared in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberDiff {
    /// `entry.le_next`; `points[].x` for all elements of an array, `to->x` for what has no name behind a
    /// pointer, `(*to)[].x` behind one to an array, `(*to)->x` behind one to a pointer; `state.ON` for an
    /// enumerator of a member's enum that has no name.
    pub path: String,
    /// What it was; absent for one that has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Side>,
    /// What it is; absent for one that has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Side>,
    /// Why not all that is there was compared; then `old` and `new` are absent. With an empty path it is the
    /// type itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A member, or an enumerator, in one build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// A member's type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Bytes from the start of the type, of the first element in an array; behind pointers from the start
    /// of what the last points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// In bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// A bit field's first bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_offset: Option<u64>,
    /// A bit field's width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_size: Option<u64>,
    /// An enumerator's value in decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// For what is part of a variant: with which values of the discriminant it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

impl From<&types::Change> for MemberDiff {
    fn from(change: &types::Change) -> Self {
        let side = |side: &Option<types::Side>| side.as_ref().map(Side::from);
        MemberDiff {
            path: change.path.clone(),
            old: side(&change.old),
            new: side(&change.new),
            why: change.why.clone(),
        }
    }
}

impl From<&types::Side> for Side {
    fn from(side: &types::Side) -> Self {
        let none = Side {
            type_name: None,
            offset: None,
            size: None,
            bit_offset: None,
            bit_size: None,
            value: None,
            when: None,
        };
        match side {
            types::Side::Member(member) => {
                let member = member.view();
                Side {
                    type_name: Some(member.type_name().to_string()),
                    offset: member.offset(),
                    size: member.size().known(),
                    bit_offset: member.bits().map(|bits| bits.offset),
                    bit_size: member.bit_size(),
                    when: super::layout::when(member),
                    ..none
                }
            }
            types::Side::Value(value) => Side { value: Some(value.to_string()), ..none },
        }
    }
}
