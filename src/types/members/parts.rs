//! What a struct or union consists of that is part of another.

use super::Members;
use crate::types::Hole;

/// What a struct or union consists of that is part of another: the same for all that have a member of the
/// type, since places count from its own start.
#[derive(Clone, Debug, Default, Eq)]
pub struct Parts {
    /// Its members, as declared.
    pub members: Members,
    /// Bits that no member uses, to its end.
    pub holes: Vec<Hole>,
    /// What could not be known.
    pub(in crate::types) why: Option<String>,
    /// How many members it has, at any depth.
    pub(in crate::types) count: usize,
    /// How deep they are nested; none where some are left out.
    pub(in crate::types) depth: Option<usize>,
    /// One of them has no end, at any depth.
    pub(in crate::types) is_open_ended: bool,
}

impl PartialEq for Parts {
    /// Equal in what they say; the rest is derived from it, and from the DIEs it was read from.
    fn eq(&self, other: &Parts) -> bool {
        self.members == other.members && self.holes == other.holes && self.why == other.why
    }
}

impl Parts {
    pub(in crate::types) fn of(members: Members, holes: Vec<Hole>, why: Option<String>) -> Parts {
        let inside = || members.iter().filter_map(|member| member.parts());
        let count = members.len() + inside().map(|parts| parts.count).sum::<usize>();
        let depth = inside().try_fold(0, |depth, parts| Some(parts.depth?.max(depth)));
        let depth = depth.map(|depth| depth + 1);
        let is_open_ended = members.iter().any(|member| member.is_open_ended());
        Parts { members, holes, why, count, depth, is_open_ended }
    }

    /// Those of a type that is nested deeper than layouts are shown.
    pub(in crate::types) fn left_out() -> Parts {
        let why = "its members are nested too deep to be shown";
        Parts { why: Some(why.to_owned()), ..Parts::default() }
    }
}
