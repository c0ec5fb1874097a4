//! The bits of a struct that no member uses.

use super::{Hole, Kind, Layout, Member, Size};

/// Finds the holes and the padding of a layout whose members are all in known places.
pub(super) fn find(layout: &mut Layout) {
    if !matches!(layout.kind, Kind::Struct | Kind::Class) {
        return;
    }
    let Size::Known(size) = layout.size else { return };
    let total = size.saturating_mul(8);
    if layout.members.is_empty() && layout.why.is_none() {
        // Bit fields without a name are padding (C17 §6.7.2.1), and in no DWARF: `__u64 :64;` may be all.
        layout.padding = size;
        return;
    }
    let Some((mut holes, used)) = between(&layout.members) else { return };
    // The bits left in the last byte used are a hole; whole bytes behind it are padding.
    let byte_end = used.checked_next_multiple_of(8).unwrap_or(total).min(total);
    holes.extend(hole(used, byte_end));
    layout.holes = holes;
    // In bytes: a size that is none in bits has them all the same.
    layout.padding = size.saturating_sub(byte_end / 8);
}

/// The bits of a struct inside another that none of its members uses, to its end.
pub(super) fn inside(size: Size, members: &[Member]) -> Vec<Hole> {
    let Size::Known(size) = size else { return Vec::new() };
    let Some((mut holes, used)) = between(members) else { return Vec::new() };
    holes.extend(hole(used, size.saturating_mul(8)));
    holes
}

/// The holes between members, and where the last of their bits is; none where there are no members
/// or the place of one is not known. Overlap is legal: what counts is the union of their bits.
fn between(members: &[Member]) -> Option<(Vec<Hole>, u64)> {
    let mut ranges = members.iter().map(bits_of).collect::<Option<Vec<_>>>()?;
    ranges.sort_unstable();
    ranges.first()?;
    let mut holes = Vec::new();
    let mut used = 0;
    for (first, end) in ranges {
        holes.extend(hole(used, first));
        used = used.max(end);
    }
    Some((holes, used))
}

fn hole(start: u64, end: u64) -> Option<Hole> {
    let bit_size = end.checked_sub(start).filter(|size| *size > 0)?;
    Some(Hole { bit_offset: start, bit_size })
}

/// The bits a member covers; a flexible array covers none.
fn bits_of(member: &Member) -> Option<(u64, u64)> {
    if let Some(bits) = member.bits {
        return Some((bits.offset, bits.offset.saturating_add(bits.size)));
    }
    let start = member.offset?.checked_mul(8)?;
    let size = match member.size {
        Size::Known(bytes) => bytes.checked_mul(8)?,
        Size::Dynamic if member.is_flexible_array() => 0,
        Size::Dynamic => return None,
    };
    Some((start, start.checked_add(size)?))
}
