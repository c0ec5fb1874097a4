//! The bits of a struct that no member uses.

use super::{Hole, Kind, Layout, Member, Size};

/// Finds the holes and the padding of a layout whose members are all in known places; overlap is
/// legal, so what counts is the union of the members' bits.
pub(super) fn find(layout: &mut Layout) {
    let Size::Known(size) = layout.size else { return };
    if !matches!(layout.kind, Kind::Struct | Kind::Class) || layout.members.is_empty() {
        return;
    }
    let Some(mut ranges) = layout.members.iter().map(bits_of).collect::<Option<Vec<_>>>() else {
        return;
    };
    ranges.sort_unstable();
    let total = size.saturating_mul(8);
    let mut used = 0;
    for (start, end) in ranges {
        if start > used {
            layout.holes.push(Hole { bit_offset: used, bit_size: start - used });
        }
        used = used.max(end);
    }
    // The bits left in the last byte used are a hole; whole bytes behind it are padding.
    let byte_end = used.checked_next_multiple_of(8).unwrap_or(total).min(total);
    if byte_end > used {
        layout.holes.push(Hole { bit_offset: used, bit_size: byte_end - used });
    }
    layout.padding = total.saturating_sub(byte_end) / 8;
}

/// The bits a member covers, from the start of the type; a flexible array covers none.
fn bits_of(member: &Member) -> Option<(u64, u64)> {
    if let Some(bits) = member.bits {
        return Some((bits.offset, bits.offset.saturating_add(bits.size)));
    }
    let start = member.offset?.checked_mul(8)?;
    let size = match member.size {
        Size::Known(bytes) => bytes.checked_mul(8)?,
        Size::Dynamic if member.type_name.ends_with("[]") => 0,
        Size::Dynamic => return None,
    };
    Some((start, start.checked_add(size)?))
}
