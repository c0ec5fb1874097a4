//! The bits of a struct that no member uses.
//!
//! Members may share bits: those of a union, and in C++ a base, or a member without an address of its own,
//! whose bytes at the end are used by what comes next (Itanium C++ ABI §2.4). A bit that any member of a
//! struct uses, at any depth, is unused in none of its members. Those of a union are alternatives, as the
//! variants of a variant part are: what is unused in one of them, others may use.

use std::ops::Range;
use std::sync::Arc;

use super::{Hole, Kind, Layout, Member, MemberKind, Members, Parts, Size};

/// Of members that share bits so many used ranges are taken from each other; of more the holes are not
/// known.
const MAX_RANGES: usize = 1 << 20;

/// Finds the holes and the padding of a layout whose members are all in known places.
pub(super) fn find(layout: &mut Layout) {
    if !layout.kind.is_aggregate() || layout.why.is_some() {
        return;
    }
    let Size::Known(size) = layout.size else { return };
    let total = size.saturating_mul(8);
    let Some((mut holes, used)) = unused(layout.kind, &mut layout.members) else { return };
    // The bits left in the last byte used are a hole; whole bytes behind it are padding.
    let byte_end = used.checked_next_multiple_of(8).unwrap_or(total).min(total);
    holes.extend(hole(used, byte_end));
    layout.holes = holes;
    // In bytes: a size that is none in bits has them all the same.
    layout.padding = size.saturating_sub(byte_end / 8);
}

/// The bits of a struct or union inside another that none of its members uses, to its end.
pub(super) fn inside(kind: Kind, size: Size, members: &mut Members) -> Vec<Hole> {
    let found = unused(kind, members);
    let (Size::Known(size), Some((mut holes, used))) = (size, found) else { return Vec::new() };
    holes.extend(hole(used, size.saturating_mul(8)));
    holes
}

/// The holes between members, and where the last of their bits ends; none where the place of one is not known.
fn unused(kind: Kind, members: &mut Members) -> Option<(Vec<Hole>, u64)> {
    if let Some(found) = between_in_order(members) {
        return Some(found);
    }
    if kind != Kind::Union {
        share(members);
    }
    between(members)
}

/// The same for members that follow each other, as those of all structs of C do: nothing is shared, and nothing
/// has to be sorted.
fn between_in_order(members: &Members) -> Option<(Vec<Hole>, u64)> {
    let (mut holes, mut used) = (Vec::new(), 0);
    for member in members.iter() {
        let is_next = |bits: &Range<u64>| bits.start >= used && member.kind() != MemberKind::Base;
        let bits = extent(member).filter(is_next)?;
        if let Some(hole) = hole(used, bits.start) {
            holes.push(hole);
        }
        used = bits.end;
    }
    Some((holes, used))
}

/// The holes between members, and where the last of their bits is; none where the place of one is not
/// known. Overlap is legal: what counts is the union of their bits. Where there are no members all is unused:
/// bit fields without a name are padding (C17 §6.7.2.1), and in no DWARF: `__u64 :64;` may be all.
fn between(members: &Members) -> Option<(Vec<Hole>, u64)> {
    if members.iter().any(is_anywhere) {
        return None;
    }
    let mut ranges: Vec<_> = members.iter().filter_map(extent).collect();
    ranges.sort_unstable_by_key(|bits| (bits.start, bits.end));
    let mut holes = Vec::new();
    let mut used = 0;
    for bits in ranges {
        holes.extend(hole(used, bits.start));
        used = used.max(bits.end);
    }
    Some((holes, used))
}

#[inline]
fn hole(start: u64, end: u64) -> Option<Hole> {
    let bit_size = end.checked_sub(start).filter(|size| *size > 0)?;
    Some(Hole { bit_offset: start, bit_size })
}

/// The bits that a member covers; a flexible array has a place, and covers none.
#[inline]
fn extent(member: Member<'_>) -> Option<Range<u64>> {
    let flexible = || member.start().filter(|_| member.is_flexible_array());
    member.covered().or_else(|| flexible().map(|start| start..start))
}

/// Whether some bits of a member may be anywhere in the struct: it is a virtual base, or a base that has
/// one, or is damaged.
fn is_anywhere(member: Member<'_>) -> bool {
    let is_base_with_such = |parts: &Arc<Parts>| {
        member.kind() == MemberKind::Base
            && (parts.why.is_some() || parts.members.iter().any(is_anywhere))
    };
    extent(member).is_none() || member.parts().is_some_and(is_base_with_such)
}

/// Takes from the holes in members of a struct what others of its members use. Of bases that share a bit
/// which none uses, it stays a hole of the last.
fn share(members: &mut Members) {
    if members.iter().any(is_anywhere) {
        forget(members);
    }
    let shared = sharing(members);
    let all = taken(&shared);
    for (order, one) in shared.iter().enumerate() {
        let whole = std::slice::from_ref(&one.bits);
        let taken = match all.as_ref().and_then(|all| all.get(order)) {
            Some((own, deep)) => Taken { own, deep },
            None => Taken { own: whole, deep: whole },
        };
        taken.take_from(members, one.position, 0);
    }
}

/// Ranges in order and apart from each other.
type Ranges = Vec<Range<u64>>;

/// What the others use of the bits of each of the members that share some, of its own and deep; none where
/// that is too much.
fn taken(shared: &[Sharing]) -> Option<Vec<(Ranges, Ranges)>> {
    let (mut left, mut all) = (MAX_RANGES, Vec::new());
    let everyone: Vec<(usize, &Sharing)> = shared.iter().enumerate().collect();
    let mut plain = everyone.clone();
    plain.retain(|(_, member)| !member.is_variant);
    for (order, one) in shared.iter().enumerate() {
        let (mut own, mut deep) = (Vec::new(), Vec::new());
        for (other_order, other) in if one.is_variant { &plain } else { &everyone } {
            left = left.checked_sub(1)?;
            if *other_order == order || !overlap(&one.bits, &other.bits) {
                continue;
            }
            let own_of_other = match *other_order < order {
                true => touched(&other.own, &one.bits),
                false => std::slice::from_ref(&other.bits),
            };
            let deep_of_other = touched(&other.deep, &one.bits);
            left = left.checked_sub(own_of_other.len() + deep_of_other.len())?;
            own.extend_from_slice(own_of_other);
            deep.extend_from_slice(deep_of_other);
        }
        all.push((merged(own), merged(deep)));
    }
    Some(all)
}

/// A member that shares bits with another.
struct Sharing {
    position: usize,
    bits: Range<u64>,
    is_variant: bool,
    /// What it uses itself: those of its members with a name whole.
    own: Ranges,
    /// What it uses at any depth.
    deep: Ranges,
}

/// The members that share bits with others, in the order of their first bits.
fn sharing(members: &Members) -> Vec<Sharing> {
    let placed = members.iter().enumerate().filter_map(|(position, member)| {
        let bits = member.covered().filter(|bits| !bits.is_empty())?;
        let is_variant = !member.variants().is_empty();
        Some(Sharing { position, bits, is_variant, own: Vec::new(), deep: Vec::new() })
    });
    let mut placed: Vec<Sharing> = placed.collect();
    placed.sort_by_key(|member| member.bits.start);
    let starts: Vec<u64> = placed.iter().skip(1).map(|member| member.bits.start).collect();
    let (mut end, mut starts) = (0, starts.into_iter());
    placed.retain(|member| {
        let is_behind = member.bits.start >= end;
        let is_before = starts.next().is_none_or(|next| next >= member.bits.end);
        end = end.max(member.bits.end);
        !(is_behind && is_before)
    });
    for one in &mut placed {
        if let Some(member) = members.get(one.position) {
            let (mut own, mut deep) = (Vec::new(), Vec::new());
            used(member, 0, false, &mut own);
            used(member, 0, true, &mut deep);
            (one.own, one.deep) = (merged(own), merged(deep));
        }
    }
    placed
}

/// The bits that a member uses, of a struct or union those of its members, in what starts `base` bits before.
/// What has a name has all of its own bits, unless one looks `deep`.
fn used(member: Member<'_>, base: u64, deep: bool, all: &mut Vec<Range<u64>>) {
    let Some(bits) = member.covered() else { return };
    let bits = shifted(&bits, base);
    match member.parts() {
        Some(parts) if parts.why.is_none() && (deep || member.kind() != MemberKind::Field) => {
            parts.members.iter().for_each(|member| used(member, bits.start, deep, all));
        }
        _ => all.push(bits),
    }
}

/// Bases that are not where they are in every object: what else is in their bytes is not known.
fn forget(members: &mut Members) {
    let is_base = |member: Member<'_>| member.kind() == MemberKind::Base;
    let has_some = |member: Member<'_>| {
        let parts = member.parts().filter(|_| is_base(member));
        parts.is_some_and(|parts| !parts.holes.is_empty() || parts.members.iter().any(is_base))
    };
    for position in 0..members.len() {
        if members.get(position).is_some_and(has_some)
            && let Some(parts) = members.parts_mut(position)
        {
            parts.holes.clear();
            forget(&mut parts.members);
        }
    }
}

/// Bits that are no holes, in order and apart from each other.
#[derive(Clone, Copy)]
struct Taken<'t> {
    /// Of a base or a struct without a name: those of members with a name are theirs.
    own: &'t [Range<u64>],
    /// Of members with a name.
    deep: &'t [Range<u64>],
}

impl Taken<'_> {
    /// Takes them from the holes in one of the members, at any depth, of what starts at `base`.
    fn take_from(self, members: &mut Members, position: usize, base: u64) {
        let Some(member) = members.get(position) else { return };
        let Some((inside, start)) = self.inside(member, base) else { return };
        if !member.parts().is_some_and(|parts| inside.is_any_hole_of(parts, start)) {
            return;
        }
        let Some(parts) = members.parts_mut(position) else { return };
        let left = |hole| without(hole, start, inside.own);
        parts.holes = parts.holes.iter().flat_map(left).collect();
        for position in 0..parts.members.len() {
            inside.take_from(&mut parts.members, position, start);
        }
    }

    /// As far as a member has them that is part of what starts at `base`, and where it starts; none where
    /// it has none.
    fn inside(self, member: Member<'_>, base: u64) -> Option<(Self, u64)> {
        let bits = shifted(&member.covered()?, base);
        let deep = touched(self.deep, &bits);
        let own = if member.kind() == MemberKind::Field { deep } else { touched(self.own, &bits) };
        let is_any = !(own.is_empty() && deep.is_empty());
        is_any.then_some((Taken { own, deep }, bits.start))
    }

    /// Whether there is a hole there, at any depth, in what starts at `start`.
    fn is_any_hole_of(self, parts: &Parts, start: u64) -> bool {
        let is_there = |hole: &Hole| !touched(self.own, &shifted(&hole.bits(), start)).is_empty();
        let is_inside = |member: Member<'_>| {
            let inside = self.inside(member, start).zip(member.parts());
            inside.is_some_and(|((inside, start), parts)| inside.is_any_hole_of(parts, start))
        };
        parts.holes.iter().any(is_there) || parts.members.iter().any(is_inside)
    }
}

/// What is left of a hole in what starts at `base`.
fn without(whole: &Hole, base: u64, taken: &[Range<u64>]) -> Vec<Hole> {
    let (mut left, mut start) = (Vec::new(), whole.bit_offset);
    for bits in touched(taken, &shifted(&whole.bits(), base)) {
        left.extend(hole(start, bits.start.saturating_sub(base)));
        start = start.max(bits.end.saturating_sub(base));
    }
    left.extend(hole(start, whole.bits().end));
    left
}

fn shifted(bits: &Range<u64>, base: u64) -> Range<u64> {
    base.saturating_add(bits.start)..base.saturating_add(bits.end)
}

/// Those of some ranges, in order and apart from each other, that others touch.
fn touched<'r>(ranges: &'r [Range<u64>], bits: &Range<u64>) -> &'r [Range<u64>] {
    let first = ranges.partition_point(|range| range.end <= bits.start);
    let end = ranges.partition_point(|range| range.start < bits.end);
    ranges.get(first..end).unwrap_or_default()
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The same bits as ranges in order and apart from each other.
fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|bits| !bits.is_empty());
    ranges.sort_by_key(|bits| bits.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for bits in ranges {
        match merged.last_mut() {
            Some(last) if bits.start <= last.end => last.end = last.end.max(bits.end),
            _ => merged.push(bits),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::OwnedMember;

    /// A member of so many bytes at an offset; a struct of others where it has any.
    fn member(offset: u64, bytes: u64, members: Vec<OwnedMember>) -> OwnedMember {
        let member = OwnedMember::sized("t", offset, bytes);
        if members.is_empty() {
            return member;
        }
        let mut members: Members = members.into_iter().collect();
        let holes = inside(Kind::Struct, Size::Known(bytes), &mut members);
        member.with(Some(Arc::new(Parts::of(members, holes, None))))
    }

    fn holes(members: &Members) -> Vec<&[Hole]> {
        members.iter().map(|member| member.parts().unwrap().holes.as_slice()).collect()
    }

    #[test]
    fn what_many_that_share_bits_leave_unused_is_known() {
        let one = |number: u64| member(0, 4, vec![member(number % 2, 1, Vec::new())]);
        let mut members: Members = (0..300).map(one).collect();
        share(&mut members);
        let left = [Hole { bit_offset: 16, bit_size: 16 }];
        assert_eq!(holes(&members), vec![left.as_slice(); 300]);
    }

    #[test]
    fn what_takes_too_long_to_take_from_each_other_is_not_known() {
        let bytes = || (0..1000).map(|number| member(2 * number, 1, Vec::new())).collect();
        let mut members: Members = (0..100).map(|_| member(0, 2000, bytes())).collect();
        assert!(holes(&members).iter().all(|holes| holes.len() == 1000));
        share(&mut members);
        assert_eq!(holes(&members), vec![[].as_slice(); 100]);
    }
}
