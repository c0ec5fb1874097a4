//! The members of a type while they are being read.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use super::member::Particulars;
use super::{MemberType, Members, Parts, Row, TypeAt};
use crate::types::{Access, Error, Location, MemberKind, Size, Variant};

/// Room is made for so many members at most, before they are read.
const MAX_EXPECTED: usize = 1 << 10;

/// What a name of C takes.
const NAME_BYTES: usize = 12;

/// The names of one type take so many bytes at most: an entry is small, whatever name it points to, and all may
/// point to the same.
const MAX_NAMES: usize = 1 << 26;

/// Members that are being read. Their names are no text yet: whether they are sound is asked of all together.
#[derive(Debug, Default)]
pub(super) struct Draft {
    members: Members,
    names: Vec<u8>,
    /// A type is an array without a bound.
    has_flexible_array: bool,
    /// Which one it is of those that are read with the same [`Shown`] types.
    number: u64,
}

/// What members show of a type, and where the draft has it that it was put into last.
#[derive(Debug)]
pub(in crate::types) struct Shown {
    member_type: Arc<MemberType>,
    last: Cell<Option<(u64, TypeAt)>>,
}

impl Shown {
    pub(super) fn new(member_type: Arc<MemberType>) -> Shown {
        Shown { member_type, last: Cell::new(None) }
    }

    /// Puts it into a draft that does not have it.
    #[inline]
    pub(super) fn put_into(&self, draft: &mut Draft) -> TypeAt {
        match self.last.get() {
            Some((number, at)) if number == draft.number => at,
            _ => {
                let at = draft.add_type(Arc::clone(&self.member_type));
                self.last.set(Some((draft.number, at)));
                at
            }
        }
    }
}

impl Draft {
    /// One for about so many members. Its number is its own.
    pub(super) fn new(number: u64, expected: usize) -> Draft {
        let expected = expected.min(MAX_EXPECTED);
        let members = Members {
            rows: Vec::with_capacity(expected),
            // Many have the same, and a quarter are structs themselves.
            types: Vec::with_capacity(expected / 2),
            parts: Vec::with_capacity(expected / 4),
            ..Members::default()
        };
        let names = Vec::with_capacity(expected * NAME_BYTES);
        Draft { members, names, has_flexible_array: false, number }
    }

    /// Adds a member without parts, with a type that was added.
    #[inline]
    pub(super) fn push(
        &mut self,
        name: &[u8],
        kind: MemberKind,
        member_type: TypeAt,
        location: Location,
        access: Access,
    ) -> Result<(), Error> {
        let name = self.add_name(name)?;
        let (parts, particulars) = (None, None);
        self.members.rows.push(Row {
            location,
            name,
            member_type,
            parts,
            particulars,
            kind,
            access,
        });
        Ok(())
    }

    /// How many were read.
    pub(super) fn len(&self) -> usize {
        self.members.rows.len()
    }

    /// Adds a type.
    pub(super) fn add_type(&mut self, member_type: Arc<MemberType>) -> TypeAt {
        self.has_flexible_array |= member_type.is_flexible_array();
        self.members.add_type(member_type)
    }

    /// Whether a type that was added is a struct, union or class.
    #[inline]
    pub(super) fn is_aggregate(&self, at: TypeAt) -> bool {
        self.members.type_at(at).is_some_and(|member_type| member_type.aggregate.is_some())
    }

    /// How large a type is that was added.
    pub(super) fn size_of(&self, at: TypeAt) -> Size {
        self.members.type_at(at).map_or(Size::Dynamic, |member_type| member_type.size)
    }

    /// The member that was added last, and what it shows of its type.
    pub(super) fn last(&self) -> Option<(&Row, &Arc<MemberType>)> {
        let row = self.members.rows.last()?;
        Some((row, self.members.type_at(row.member_type)?))
    }

    /// Says what the last member consists of.
    pub(super) fn give_parts(&mut self, parts: Arc<Parts>) {
        if let Some(row) = self.members.rows.last_mut() {
            row.parts = Some(self.members.parts.len() as u32);
            self.members.parts.push(parts);
        }
    }

    /// Says of the last member what is to be said of few.
    pub(super) fn particularise_last(&mut self, align: Option<u64>, why: Option<String>) {
        if let Some(row) = self.members.rows.last_mut() {
            row.particulars = Some(self.members.particulars.len() as u32);
            self.members.particulars.push(Particulars { align, variants: Vec::new(), why });
        }
    }

    /// Says of members that they are there when what they are in is, which is a variant.
    pub(super) fn put_into(&mut self, read: Range<usize>, variant: &Variant) {
        let all = &mut self.members.particulars;
        for row in self.members.rows.get_mut(read).unwrap_or_default() {
            let at = *row.particulars.get_or_insert_with(|| {
                all.push(Particulars::default());
                all.len() as u32 - 1
            });
            if let Some(particulars) = all.get_mut(at as usize) {
                particulars.variants.insert(0, variant.clone());
            }
        }
    }

    #[inline]
    fn add_name(&mut self, name: &[u8]) -> Result<(u32, u32), Error> {
        let start = self.names.len();
        self.names.extend_from_slice(name);
        if self.names.len() > MAX_NAMES {
            return Err(Error::TooMany);
        }
        Ok((start as u32, self.names.len() as u32))
    }

    /// Names the last member, if it has no name.
    pub(super) fn name_last(&mut self, name: &str) -> Result<(), Error> {
        if self.members.rows.last().is_some_and(|row| row.name.0 == row.name.1) {
            let name = self.add_name(name.as_bytes())?;
            self.members.rows.last_mut().into_iter().for_each(|row| row.name = name);
        }
        Ok(())
    }

    /// An array without a bound that cannot be flexible, since it does not end a struct that has more
    /// members (C17 §6.7.2.1), is empty: GCC before 8 wrote `[0]` so.
    pub(super) fn settle_empty_arrays(&mut self, read: Range<usize>) {
        if !self.has_flexible_array {
            return;
        }
        let flexible = if read.len() > 1 { read.end - 1 } else { read.end };
        for position in read.start..flexible {
            let Some(row) = self.members.rows.get(position) else { return };
            let Some(known) = self.members.type_at(row.member_type) else { return };
            if !known.is_flexible_array() {
                continue;
            }
            let spelled = known.spelled.replacen("[]", "[0]", 1).into();
            let empty = MemberType { size: Size::Known(0), spelled, ..MemberType::clone(known) };
            let member_type = self.members.add_type(Arc::new(empty));
            if let Some(row) = self.members.rows.get_mut(position) {
                row.member_type = member_type;
            }
        }
    }

    /// The members with their names. They may be kept for long, and a file may say of its entries that they take
    /// any room.
    pub(super) fn finish(mut self) -> Members {
        trim(&mut self.members.rows);
        trim(&mut self.members.types);
        trim(&mut self.members.parts);
        trim(&mut self.names);
        self.members.names = match String::from_utf8(self.names) {
            Ok(names) if names.is_ascii() => names,
            // The names may be sound together though each is not.
            Ok(names) => one_by_one(names.as_bytes(), &mut self.members.rows),
            Err(error) => one_by_one(error.as_bytes(), &mut self.members.rows),
        };
        self.members
    }
}

/// Gives back the room that was too much.
fn trim<T>(column: &mut Vec<T>) {
    if column.capacity() / 2 > column.len() {
        column.shrink_to_fit();
    }
}

/// Each name as text, and where the rows have it now.
fn one_by_one(names: &[u8], rows: &mut [Row]) -> String {
    let mut text = String::with_capacity(names.len());
    for row in rows {
        let name = names.get(row.name.0 as usize..row.name.1 as usize).unwrap_or_default();
        let start = text.len() as u32;
        text.push_str(&String::from_utf8_lossy(name));
        row.name = (start, text.len() as u32);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::OwnedMember;

    fn named(names: &[&[u8]]) -> Vec<String> {
        let mut draft = Draft::default();
        let member_type = OwnedMember::sized("int", 0, 4).view().member_type().clone();
        let at = draft.add_type(Arc::new(member_type));
        for name in names {
            let (kind, location) = (MemberKind::Field, Location::Bytes(0));
            draft.push(name, kind, at, location, Access::Public).unwrap();
        }
        draft.finish().iter().map(|member| member.name().to_owned()).collect()
    }

    #[test]
    fn each_name_is_text_by_itself() {
        assert_eq!(named(&[b"a", b"", b"bc"]), ["a", "", "bc"]);
        assert_eq!(named(&["ä".as_bytes(), "日本".as_bytes()]), ["ä", "日本"]);
        // The two halves of a letter, and what is none.
        assert_eq!(
            named(&[b"a\xc3", b"\xa4b", b"\xff", b"c"]),
            ["a\u{fffd}", "\u{fffd}b", "\u{fffd}", "c"]
        );
    }
}
