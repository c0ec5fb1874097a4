//! One member of a type.

use std::ops::Range;
use std::sync::Arc;

use smol_str::SmolStr;

use super::member_type::NO_TYPE;
use super::{MemberType, Members, NO_MEMBERS, Parts, Row};
use crate::dwarf::DieRef;
use crate::types::{Access, BitField, Hole, Location, MemberKind, Size, Variant};

/// One of the [`Members`] of a type.
#[derive(Clone, Copy, Debug)]
pub struct Member<'m> {
    pub(super) of: &'m Members,
    pub(super) row: &'m Row,
    /// Where it is.
    pub location: Location,
}

/// What is to be said of few members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::types) struct Particulars {
    pub(in crate::types) align: Option<u64>,
    pub(in crate::types) variants: Vec<Variant>,
    pub(in crate::types) why: Option<String>,
}

impl<'m> Member<'m> {
    /// Its name; empty where it has none.
    pub fn name(&self) -> &'m str {
        let (start, end) = self.row.name;
        self.of.names.get(start as usize..end as usize).unwrap_or_default()
    }

    /// What part it is.
    #[inline]
    pub fn kind(&self) -> MemberKind {
        self.row.kind
    }

    /// Who may name it.
    pub fn access(&self) -> Access {
        self.row.access
    }

    /// Its type.
    #[inline]
    pub(in crate::types) fn member_type(&self) -> &'m MemberType {
        self.of.type_at(self.row.member_type).map_or(&NO_TYPE, |member_type| &**member_type)
    }

    /// What it consists of, where it is a struct or union.
    #[inline]
    pub fn parts(&self) -> Option<&'m Arc<Parts>> {
        self.of.parts.get(self.row.parts? as usize)
    }

    #[inline]
    fn particulars(&self) -> Option<&'m Particulars> {
        self.of.particulars.get(self.row.particulars? as usize)
    }

    /// The members of a struct or union that is part of this one, with places from its own start.
    pub fn members(&self) -> &'m Members {
        self.parts().map_or(&NO_MEMBERS, |parts| &parts.members)
    }

    /// The same with places that count from where its own do.
    pub fn inside(&self) -> impl Iterator<Item = Member<'m>> {
        let start = self.start();
        self.members().iter().map(move |member| member.seen_from(start))
    }

    /// Bits in it that no member uses, counted as its own place is. Of a record that Ada packs, the end
    /// of the type is not part of it.
    pub fn holes(&self) -> impl Iterator<Item = Hole> {
        let holes = self.parts().into_iter().flat_map(|parts| &parts.holes);
        let (start, width) = (self.start(), self.bits().map_or(u64::MAX, |bits| bits.size));
        holes.filter_map(move |hole| {
            let bit_size = hole.bit_size.min(width.saturating_sub(hole.bit_offset));
            let bit_offset = start?.saturating_add(hole.bit_offset);
            (bit_size > 0).then_some(Hole { bit_offset, bit_size })
        })
    }

    /// Its type, spelled.
    pub fn type_name(&self) -> &'m SmolStr {
        &self.member_type().spelled
    }

    /// Its type; none stands for `void`, which no member has in sound debug info.
    #[inline]
    pub fn type_die(&self) -> Option<DieRef> {
        self.member_type().die
    }

    /// Its size.
    #[inline]
    pub fn size(&self) -> Size {
        self.member_type().size
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
    #[inline]
    pub fn bit_size(&self) -> Option<u64> {
        match self.location {
            Location::Bytes(_) => None,
            Location::Bits(bits) => Some(bits.size),
            Location::Dynamic { bits } => bits,
        }
    }

    /// DW_AT_alignment, in bytes.
    #[inline]
    pub fn align(&self) -> Option<u64> {
        self.particulars()?.align
    }

    /// When it is there, for what is part of a variant; of a variant in another, the outer's first.
    pub fn variants(&self) -> &'m [Variant] {
        self.particulars().map(|its| its.variants.as_slice()).unwrap_or_default()
    }

    /// What could not be known.
    pub fn why(&self) -> Option<&'m str> {
        self.particulars()?.why.as_deref()
    }

    /// The bits that it covers, of a flexible array none; none where only run time can tell them.
    #[inline]
    pub(in crate::types) fn covered(&self) -> Option<Range<u64>> {
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
    pub fn seen_from(self, base: Option<u64>) -> Member<'m> {
        let start = self.start().zip(base).and_then(|(start, base)| base.checked_add(start));
        let whole = || self.size().known().map(|bytes| bytes.saturating_mul(8));
        let location = match (start, self.bits()) {
            (None, _) => Location::Dynamic { bits: self.bit_size() },
            (Some(start), None) if start.is_multiple_of(8) => Location::Bytes(start / 8),
            (Some(offset), bits) => match bits.map(|bits| bits.size).or_else(whole) {
                Some(size) => Location::Bits(BitField { offset, size }),
                None => Location::Dynamic { bits: None },
            },
        };
        Member { location, ..self }
    }

    /// Whether it is such an array, or a struct or union that holds one at any depth: it has no end.
    #[inline]
    pub(in crate::types) fn is_open_ended(&self) -> bool {
        self.is_flexible_array() || self.parts().is_some_and(|parts| parts.is_open_ended)
    }

    /// Whether it is a flexible array.
    #[inline]
    pub(in crate::types) fn is_flexible_array(&self) -> bool {
        self.member_type().is_flexible_array()
    }
}

impl PartialEq for Member<'_> {
    /// Equal in what they say; the DIE it was read from does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.kind() == other.kind()
            && self.member_type() == other.member_type()
            && self.location == other.location
            && self.access() == other.access()
            && self.parts() == other.parts()
            && self.particulars() == other.particulars()
    }
}

impl Eq for Member<'_> {}

/// A member by itself.
#[derive(Clone, Debug)]
pub struct OwnedMember {
    /// What the row needs.
    of: Members,
    row: Row,
}

impl OwnedMember {
    /// One that has a name and all that its type shows.
    pub(in crate::types) fn new(
        name: &str,
        member_type: Arc<MemberType>,
        location: Location,
    ) -> OwnedMember {
        let mut of = Members { names: name.to_owned(), ..Members::default() };
        let (member_type, kind) = (of.add_type(member_type), MemberKind::Field);
        let name = (0, of.names.len() as u32);
        let (parts, particulars, access) = (None, None, Access::Public);
        let row = Row { location, name, member_type, parts, particulars, kind, access };
        OwnedMember { of, row }
    }

    /// With what is to be said of another too: what part it is, who may name it, and what few have.
    pub(in crate::types) fn like(mut self, other: Member<'_>) -> OwnedMember {
        self.row.kind = other.kind();
        self.row.access = other.access();
        self.row.particulars = other.particulars().map(|_| 0);
        self.of.particulars = other.particulars().cloned().into_iter().collect();
        self
    }

    /// Says why something could not be known of it.
    pub(in crate::types) fn because(mut self, why: &str) -> OwnedMember {
        let mut particulars = self.of.particulars.pop().unwrap_or_default();
        particulars.why = Some(why.to_owned());
        self.of.particulars = vec![particulars];
        self.row.particulars = Some(0);
        self
    }

    /// With what it consists of.
    pub(in crate::types) fn with(mut self, parts: Option<Arc<Parts>>) -> OwnedMember {
        self.row.parts = parts.as_ref().map(|_| 0);
        self.of.parts = parts.into_iter().collect();
        self
    }

    /// The member, to look at.
    pub fn view(&self) -> Member<'_> {
        Member { of: &self.of, row: &self.row, location: self.row.location }
    }
}

impl From<Member<'_>> for OwnedMember {
    fn from(member: Member<'_>) -> Self {
        let member_type = member.of.type_at(member.row.member_type).cloned();
        let member_type = member_type.unwrap_or_default();
        let owned = OwnedMember::new(member.name(), member_type, member.location);
        owned.like(member).with(member.parts().cloned())
    }
}

impl PartialEq for OwnedMember {
    fn eq(&self, other: &Self) -> bool {
        self.view() == other.view()
    }
}

impl Eq for OwnedMember {}

#[cfg(test)]
impl OwnedMember {
    /// One of that type and so many bytes.
    pub(in crate::types) fn sized(type_name: &str, offset: u64, bytes: u64) -> OwnedMember {
        let (spelled, size) = (type_name.into(), Size::Known(bytes));
        let member_type = Arc::new(MemberType { spelled, size, ..MemberType::default() });
        OwnedMember::new("m", member_type, Location::Bytes(offset))
    }
}
