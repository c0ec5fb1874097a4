//! Would the members of a struct take fewer bytes in another order?
//!
//! The rule of C compilers (System V ABI, "Aggregates and Unions" and "Bit-Fields") first lays out
//! the members as they are. Only where it comes to the very offsets that the debug info has is it
//! believed for another order: what it does not know of (`packed`, bit fields without a name) shows.

use super::{Layout, Size};

/// A better order of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BetterOrder {
    /// The size of the struct in that order.
    pub size: u64,
    /// The members by their positions in the declaration.
    pub order: Vec<usize>,
}

/// What a member asks of the bytes it is put into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) align: u64,
    /// Of its type.
    pub(super) size: u64,
    /// Of a bit field, how many.
    pub(super) bits: Option<u64>,
    /// It is, or ends in, a flexible array: nothing may come behind it.
    pub(super) is_last: bool,
}

/// Looks for an order that is smaller. `fields` are the members of the layout.
pub(super) fn better(layout: &Layout, fields: &[Field]) -> Option<BetterOrder> {
    let Size::Known(size) = layout.size else { return None };
    let least = layout.align.unwrap_or(1);
    let declared: Vec<usize> = (0..fields.len()).collect();
    let (places, own_size) = place(fields, &declared, least)?;
    let is_understood = own_size == size
        && places.iter().zip(&layout.members).all(|(bit, member)| member.start() == Some(*bit));
    if !is_understood {
        return None;
    }
    let candidates = [Groups::ByAlignment, Groups::Last].map(|groups| arrange(fields, groups));
    let sized = candidates.into_iter().filter_map(|order| {
        let (_, size) = place(fields, &order, least)?;
        Some(BetterOrder { size, order })
    });
    sized.min_by_key(|better| better.size).filter(|better| better.size < size)
}

/// Where the runs of bit fields go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Groups {
    ByAlignment,
    Last,
}

/// The strictest alignment first. Bit fields that stand together stay so, and what has no size, a
/// flexible array, stays at the end.
fn arrange(fields: &[Field], groups: Groups) -> Vec<usize> {
    let mut pieces: Vec<Vec<usize>> = Vec::new();
    let mut in_group = false;
    for (position, field) in fields.iter().enumerate() {
        match pieces.last_mut() {
            Some(group) if in_group && field.bits.is_some() => group.push(position),
            _ => pieces.push(vec![position]),
        }
        in_group = field.bits.is_some();
    }
    let strictest = |piece: &Vec<usize>| {
        let piece = piece.iter().filter_map(|position| fields.get(*position));
        piece.map(|field| field.align).max().unwrap_or(1)
    };
    let any = |piece: &Vec<usize>, holds: fn(&Field) -> bool| {
        piece.iter().filter_map(|position| fields.get(*position)).any(holds)
    };
    pieces.sort_by_key(|piece| {
        let is_last = any(piece, |field| field.size == 0 || field.is_last);
        let is_group = groups == Groups::Last && any(piece, |field| field.bits.is_some());
        (is_last, is_group, std::cmp::Reverse(strictest(piece)))
    });
    pieces.concat()
}

/// The first bit of each field, in that order, and the size of the whole.
fn place(fields: &[Field], order: &[usize], least: u64) -> Option<(Vec<u64>, u64)> {
    let (mut places, mut at, mut strictest) = (Vec::with_capacity(order.len()), 0_u64, least);
    for position in order {
        let field = fields.get(*position)?;
        strictest = strictest.max(field.align);
        let (first, end) = match field.bits {
            Some(bits) => {
                // A bit field does not cross a boundary of its type.
                let unit = field.size.checked_mul(8).filter(|unit| *unit > 0)?;
                let crosses = at / unit != at.checked_add(bits.max(1) - 1)? / unit;
                let first = if crosses { at.checked_next_multiple_of(unit)? } else { at };
                (first, first.checked_add(bits)?)
            }
            None => {
                let first = at.checked_next_multiple_of(field.align.checked_mul(8)?)?;
                (first, first.checked_add(field.size.checked_mul(8)?)?)
            }
        };
        places.push(first);
        at = end;
    }
    Some((places, at.div_ceil(8).checked_next_multiple_of(strictest)?))
}

impl BetterOrder {
    /// How many bytes it saves.
    pub fn saves(&self, layout: &Layout) -> u64 {
        layout.size.known().unwrap_or(0).saturating_sub(self.size)
    }
}
