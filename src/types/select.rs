//! Where a member path leads: step by step through members and elements.

use std::sync::Arc;

use gimli::constants as dw;

use super::members::{MemberType, NO_MEMBERS, Nesting};
use super::reader::{Reader, is_aggregate};
use super::sizes::Extent;
use super::{
    BitField, Error, Location, Member, MemberKind, MemberPath, Members, OwnedMember, Parts,
    PathStep, Selected, Size,
};
use crate::dwarf::Die;

impl<'a> Reader<'_, 'a> {
    /// Follows a member path through the type.
    pub(super) fn select(&self, die: &Die<'a>, path: &MemberPath) -> Result<Selected, Error> {
        let member_type = Arc::new(MemberType {
            die: Some(die.at()),
            spelled: self.spell(Some(die))?.into(),
            size: self.size_of(die)?,
            ..MemberType::default()
        });
        let mut member = OwnedMember::new("", member_type, Location::Bytes(0));
        let mut steps = path.steps();
        while let Some((first, rest)) = steps.split_first() {
            (member, steps) = match first {
                PathStep::Member(name) => (self.step_into(member.view(), name)?, rest),
                PathStep::Element(_) => self.step_to(member.view(), steps)?,
            };
        }
        // The members behind the path, at any depth, as the layout itself would show them.
        let parts = self.parts_of(member.view())?;
        let member = member.with(parts);
        Ok(Selected { path: path.to_string(), member })
    }

    /// What a struct or union consists of: as part of what it is a member of, where that was seen, since
    /// other members may be in its holes.
    fn parts_of(&self, member: Member<'_>) -> Result<Option<Arc<Parts>>, Error> {
        if let Some(parts) = member.parts().filter(|parts| parts.depth.is_some()) {
            return Ok(Some(Arc::clone(parts)));
        }
        let Some(at) = member.type_die() else { return Ok(None) };
        let underlying = self.underlying(self.die(at)?)?;
        let Some(die) = underlying.filter(|die| is_aggregate(die.tag())) else { return Ok(None) };
        Ok(Some(self.parts(die.unit(), die.at(), member.size(), Nesting::Deep, None)?))
    }

    fn step_into(&self, from: Member<'_>, name: &str) -> Result<OwnedMember, Error> {
        let parts = self.parts_of(from)?;
        let members = parts.as_ref().map_or(&NO_MEMBERS, |parts| &parts.members);
        let found = find_member(members, name).ok_or_else(|| Error::NoSuchMember {
            step: name.to_owned(),
            inside: from.type_name().to_string(),
            members: visible_names(members),
        })?;
        Ok(found.seen_from(from.start()).into())
    }

    /// The element of an array: takes as many of the steps as are indices and the array has
    /// dimensions, and returns the rest. Fewer leave an array of the dimensions that remain.
    fn step_to<'s>(
        &self,
        from: Member<'_>,
        steps: &'s [PathStep],
    ) -> Result<(OwnedMember, &'s [PathStep]), Error> {
        let array = match from.type_die() {
            Some(at) => self.underlying(self.die(at)?)?,
            None => None,
        };
        let array = array.filter(|die| die.tag() == dw::DW_TAG_array_type);
        let subscripts = array.as_ref().map(|array| self.subscripts(array)).transpose()?;
        let no_such = |index: &i128| Error::NoSuchMember {
            step: format!("[{index}]"),
            inside: from.type_name().to_string(),
            members: Vec::new(),
        };
        let indices = steps.iter().map_while(|step| match step {
            PathStep::Element(index) => Some(*index),
            PathStep::Member(_) => None,
        });
        let mut indices: Vec<i128> = indices.collect();
        let element = array.as_ref().map(|array| self.type_of(array)).transpose()?.flatten();
        let (Some(array), Some(subscripts), Some(element)) = (array, subscripts, element) else {
            return Err(no_such(indices.first().unwrap_or(&0)));
        };
        indices.truncate(subscripts.dimensions.len());
        let position = subscripts
            .number_of(&indices)
            .map_err(|position| no_such(indices.get(position).unwrap_or(&0)))?;
        let names: String = indices.iter().map(|index| format!("[{index}]")).collect();
        let name = from.name().to_owned() + &names;
        let rest = steps.get(indices.len()..).unwrap_or_default();
        let remaining = subscripts.dimensions.get(indices.len()..).unwrap_or_default();
        let count = remaining
            .iter()
            .try_fold(1_u64, |all, dimension| all.checked_mul(dimension.extent.count()?));
        let spacing = self.spacing(&array, &element)?;
        let row = spacing.zip(count).map(|(bits, count)| bits.saturating_mul(count));
        let distance = position.zip(row).and_then(|(at, bits)| at.checked_mul(bits));
        let start = from.start().zip(distance).and_then(|(start, bits)| start.checked_add(bits));
        // An element has no padding of its own; a row of them has that of each.
        let (size, width) = match (remaining, row) {
            ([], _) => {
                let size = self.size_of(&element)?;
                (size, size.known().zip(spacing).map(|(bytes, bits)| bits.min(bytes * 8)))
            }
            (_, Some(bits)) => (Size::Known(bits.div_ceil(8)), Some(bits)),
            (_, None) => (Size::Dynamic, None),
        };
        let is_whole = start.is_none_or(|bit| bit.is_multiple_of(8))
            && width.is_none_or(|bits| size.known() == Some(bits / 8) && bits.is_multiple_of(8));
        let location = match (start, width) {
            (Some(start), _) if is_whole => Location::Bytes(start / 8),
            (Some(offset), Some(size)) => Location::Bits(BitField { offset, size }),
            _ => Location::Dynamic { bits: None },
        };
        let member_type = Arc::new(MemberType {
            die: remaining.is_empty().then(|| element.at()),
            spelled: self.spell_array(&element, remaining)?.into(),
            size,
            is_array: !remaining.is_empty(),
            is_unbounded: remaining.first().map(|first| first.extent) == Some(Extent::Flexible),
            ..MemberType::default()
        });
        let mut member = OwnedMember::new(&name, member_type, location).like(from);
        if start.is_some() && location.is_dynamic() {
            member = member.because("it starts within a byte, and its size is not known");
        }
        Ok((member, rest))
    }
}

/// A member by name: in this scope first, then in anonymous members, then in base classes.
fn find_member<'m>(members: &'m Members, name: &str) -> Option<Member<'m>> {
    let direct = members.iter().find(|member| member.name() == name);
    let inside = |kind: MemberKind| {
        let mut inner = members.iter().filter(move |member| member.kind() == kind);
        inner
            .find_map(|member| Some(find_member(member.members(), name)?.seen_from(member.start())))
    };
    direct.or_else(|| inside(MemberKind::Anonymous)).or_else(|| inside(MemberKind::Base))
}

/// The names a path step could have meant.
fn visible_names(members: &Members) -> Vec<String> {
    let mut names = Vec::new();
    for member in members.iter() {
        if member.kind() == MemberKind::Field && !member.name().is_empty() {
            names.push(member.name().to_owned());
        } else {
            names.extend(visible_names(member.members()));
        }
    }
    names
}
