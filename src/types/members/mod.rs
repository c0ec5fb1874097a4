//! The members of one type, in columns.
//!
//! A struct of a kernel has hundreds, and all of them are read to show one. They have few types between them, and
//! names of a few bytes each: so the names are one text, a type is there for all that have it, and what few have is kept
//! apart.

mod draft;
mod entry;
mod location;
mod member;
mod member_type;
mod parts;
mod read;

use std::sync::Arc;

pub(super) use draft::Shown;
use member::Particulars;
pub use member::{Member, OwnedMember};
pub(super) use member_type::MemberType;
pub use parts::Parts;
pub(super) use read::Nesting;

use super::{Access, Location, MemberKind};

/// The members of one type, as declared.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// All names, one behind the other.
    names: String,
    rows: Vec<Row>,
    types: Vec<Arc<MemberType>>,
    parts: Vec<Arc<Parts>>,
    particulars: Vec<Particulars>,
}

/// A member; what is in other columns by its position there.
#[derive(Clone, Copy, Debug)]
struct Row {
    location: Location,
    /// Where its name begins and ends.
    name: (u32, u32),
    member_type: TypeAt,
    parts: Option<u32>,
    particulars: Option<u32>,
    kind: MemberKind,
    access: Access,
}

/// Where a type is among those that some members have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TypeAt(u32);

/// What members come to that there are none of.
pub(super) static NO_MEMBERS: Members = Members {
    names: String::new(),
    rows: Vec::new(),
    types: Vec::new(),
    parts: Vec::new(),
    particulars: Vec::new(),
};

impl Members {
    /// How many they are, without theirs.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One after the other.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Member<'_>> + ExactSizeIterator + Clone {
        self.rows.iter().map(|row| self.member(row))
    }

    /// One by its position.
    pub fn get(&self, position: usize) -> Option<Member<'_>> {
        Some(self.member(self.rows.get(position)?))
    }

    #[inline]
    fn member<'m>(&'m self, row: &'m Row) -> Member<'m> {
        Member { of: self, row, location: row.location }
    }
}

impl Members {
    /// Adds a type. No answer has so many members that they could not be counted so.
    fn add_type(&mut self, member_type: Arc<MemberType>) -> TypeAt {
        self.types.push(member_type);
        TypeAt(self.types.len() as u32 - 1)
    }

    /// A type that was added.
    #[inline]
    fn type_at(&self, at: TypeAt) -> Option<&Arc<MemberType>> {
        self.types.get(at.0 as usize)
    }

    /// What one consists of, to be changed for it alone.
    pub(super) fn parts_mut(&mut self, position: usize) -> Option<&mut Parts> {
        let at = self.rows.get(position)?.parts?;
        self.parts.get_mut(at as usize).map(Arc::make_mut)
    }

    /// Who may name all of them.
    fn set_access(&mut self, access: Access) {
        self.rows.iter_mut().for_each(|row| row.access = access);
    }
}

impl PartialEq for Members {
    /// Equal in what they say, one by one.
    fn eq(&self, other: &Members) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Members {}

#[cfg(test)]
impl FromIterator<OwnedMember> for Members {
    fn from_iter<T: IntoIterator<Item = OwnedMember>>(all: T) -> Self {
        let mut draft = draft::Draft::default();
        for owned in all {
            let member = owned.view();
            let member_type = draft.add_type(Arc::new(member.member_type().clone()));
            let (name, kind) = (member.name().as_bytes(), member.kind());
            draft.push(name, kind, member_type, member.location, member.access()).unwrap();
            if let Some(parts) = member.parts() {
                draft.give_parts(Arc::clone(parts));
            }
        }
        draft.finish()
    }
}
