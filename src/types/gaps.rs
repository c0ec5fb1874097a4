//! The bits of a struct that no member uses.
//!
//! Members may share bits: those of a union, and in C++ a base, or a member without an address of its own,
//! whose bytes at the end are used by what comes next (Itanium C++ ABI §2.4). A bit that any of them uses,
//! at any depth, is unused in none.

use std::ops::Range;
use std::sync::Arc;

use super::{Hole, Kind, Layout, Member, MemberKind, Parts, Size};

/// Members that share bits are compared in so many pairs; of more the holes are not known.
const MAX_PAIRS: usize = 1 << 16;

/// Finds the holes and the padding of a layout whose members are all in known places.
pub(super) fn find(layout: &mut Layout) {
    if !layout.kind.is_aggregate() || layout.why.is_some() {
        return;
    }
    let Size::Known(size) = layout.size else { return };
    let total = size.saturating_mul(8);
    if layout.kind != Kind::Union {
        share(&mut layout.members);
    }
    let Some((mut holes, used)) = between(&layout.members) else { return };
    // The bits left in the last byte used are a hole; whole bytes behind it are padding.
    let byte_end = used.checked_next_multiple_of(8).unwrap_or(total).min(total);
    holes.extend(hole(used, byte_end));
    layout.holes = holes;
    // In bytes: a size that is none in bits has them all the same.
    layout.padding = size.saturating_sub(byte_end / 8);
}

/// The bits of a struct or union inside another that none of its members uses, to its end.
pub(super) fn inside(kind: Kind, size: Size, members: &mut [Member]) -> Vec<Hole> {
    if kind != Kind::Union {
        share(members);
    }
    let Size::Known(size) = size else { return Vec::new() };
    let Some((mut holes, used)) = between(members) else { return Vec::new() };
    holes.extend(hole(used, size.saturating_mul(8)));
    holes
}

/// The holes between members, and where the last of their bits is; none where the place of one is not
/// known. Overlap is legal: what counts is the union of their bits. Where there are no members all is unused:
/// bit fields without a name are padding (C17 §6.7.2.1), and in no DWARF: `__u64 :64;` may be all.
fn between(members: &[Member]) -> Option<(Vec<Hole>, u64)> {
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

fn hole(start: u64, end: u64) -> Option<Hole> {
    let bit_size = end.checked_sub(start).filter(|size| *size > 0)?;
    Some(Hole { bit_offset: start, bit_size })
}

/// The bits that a member covers; a flexible array has a place, and covers none.
fn extent(member: &Member) -> Option<Range<u64>> {
    let empty = |start| start..start;
    let flexible = member.start().filter(|_| member.is_flexible_array()).map(empty);
    member.covered().or(flexible)
}

/// Whether some bits of a member may be anywhere in the struct: it is a virtual base, or a base that has
/// one, or is damaged.
fn is_anywhere(member: &Member) -> bool {
    let is_base_with_such = |parts: &Arc<Parts>| {
        member.kind == MemberKind::Base
            && (parts.why.is_some() || parts.members.iter().any(is_anywhere))
    };
    extent(member).is_none() || member.parts.as_ref().is_some_and(is_base_with_such)
}

/// Whether members follow each other, as those of all structs of C do.
fn stand_apart(members: &[Member]) -> bool {
    let mut end = 0;
    members.iter().all(|member| match extent(member).filter(|bits| bits.start >= end) {
        Some(bits) => {
            end = bits.end;
            member.kind != MemberKind::Base
        }
        None => false,
    })
}

/// Takes from the holes in members of a struct what others of its members use. Each bit that none uses stays
/// a hole of one member: of those that share it, the last.
fn share(members: &mut [Member]) {
    if stand_apart(members) {
        return;
    }
    if members.iter().any(is_anywhere) {
        members.iter_mut().for_each(forget);
    }
    let shared = sharing(members);
    let plain = shared.iter().filter(|member| !member.is_variant).count();
    if plain.saturating_mul(shared.len()) > MAX_PAIRS {
        let all = 0..u64::MAX;
        for one in shared {
            if let Some(parts) = members.get_mut(one.position).and_then(|it| it.parts.as_mut()) {
                take(parts, std::slice::from_ref(&all));
            }
        }
        return;
    }
    for (order, one) in shared.iter().enumerate() {
        let mut taken = Vec::new();
        for (other_order, other) in shared.iter().enumerate() {
            let is_other_variant = one.is_variant && other.is_variant;
            if other_order == order || is_other_variant || !overlap(&one.bits, &other.bits) {
                continue;
            }
            match members.get(other.position) {
                Some(member) if other_order < order => used(member, 0, &mut taken),
                _ => taken.push(other.bits.clone()),
            }
        }
        let taken = seen_from(&merged(taken), &one.bits);
        if let Some(parts) = members.get_mut(one.position).and_then(|it| it.parts.as_mut()) {
            take(parts, &taken);
        }
    }
}

/// A member that shares bits with another.
struct Sharing {
    position: usize,
    bits: Range<u64>,
    is_variant: bool,
}

/// The members that share bits with others, in the order of their first bits.
fn sharing(members: &[Member]) -> Vec<Sharing> {
    let placed = members.iter().enumerate().filter_map(|(position, member)| {
        let bits = member.covered().filter(|bits| !bits.is_empty())?;
        Some(Sharing { position, bits, is_variant: !member.variants.is_empty() })
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
    placed
}

/// The bits that a member uses, of a struct or union those of its members, in what starts `base` bits before.
fn used(member: &Member, base: u64, all: &mut Vec<Range<u64>>) {
    let Some(bits) = member.covered() else { return };
    let bits = base.saturating_add(bits.start)..base.saturating_add(bits.end);
    match &member.parts {
        Some(parts) if parts.why.is_none() => {
            parts.members.iter().for_each(|member| used(member, bits.start, all));
        }
        _ => all.push(bits),
    }
}

/// A base that is not where it is in every object: what else is in its bytes is not known.
fn forget(member: &mut Member) {
    let Some(parts) = &mut member.parts else { return };
    let has_some = !parts.holes.is_empty()
        || parts.members.iter().any(|member| member.kind == MemberKind::Base);
    if member.kind == MemberKind::Base && has_some {
        let parts = Arc::make_mut(parts);
        parts.holes.clear();
        parts.members.iter_mut().for_each(forget);
    }
}

/// Takes bits from the holes of a struct and of its members.
fn take(parts: &mut Arc<Parts>, taken: &[Range<u64>]) {
    if !has_hole(parts, taken) {
        return;
    }
    let parts = Arc::make_mut(parts);
    parts.holes = parts.holes.iter().flat_map(|hole| without(hole, taken)).collect();
    for member in &mut parts.members {
        if let (Some(bits), Some(parts)) = (member.covered(), &mut member.parts) {
            take(parts, &seen_from(taken, &bits));
        }
    }
}

/// Whether there is a hole in some bits, at any depth.
fn has_hole(parts: &Parts, bits: &[Range<u64>]) -> bool {
    let is_there = |hole: &Hole| touched(bits, &hole.bits()).next().is_some();
    !bits.is_empty()
        && (parts.holes.iter().any(is_there)
            || parts.members.iter().any(|member| match (member.covered(), &member.parts) {
                (Some(own), Some(parts)) => has_hole(parts, &seen_from(bits, &own)),
                _ => false,
            }))
}

/// What is left of a hole.
fn without(whole: &Hole, taken: &[Range<u64>]) -> Vec<Hole> {
    let (mut left, mut start) = (Vec::new(), whole.bit_offset);
    for bits in touched(taken, &whole.bits()) {
        left.extend(hole(start, bits.start));
        start = start.max(bits.end);
    }
    left.extend(hole(start, whole.bits().end));
    left
}

/// The ranges, counted from where a member starts, that it has bits of.
fn seen_from(ranges: &[Range<u64>], member: &Range<u64>) -> Vec<Range<u64>> {
    let inside = |bits: &Range<u64>| {
        let (start, end) = (bits.start.max(member.start), bits.end.min(member.end));
        start - member.start..end - member.start
    };
    touched(ranges, member).map(inside).collect()
}

/// Those of some ranges, in order and apart from each other, that others touch.
fn touched<'r>(
    ranges: &'r [Range<u64>],
    bits: &Range<u64>,
) -> impl Iterator<Item = &'r Range<u64>> {
    let first = ranges.partition_point(|range| range.end <= bits.start);
    let end = bits.end;
    ranges.iter().skip(first).take_while(move |range| range.start < end)
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
