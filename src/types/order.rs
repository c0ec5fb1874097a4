//! Would the members of a struct take fewer bytes in another order?
//!
//! The rule of C compilers (System V ABI, "Aggregates and Unions" and "Bit-Fields") first lays out
//! the members as they are. Only where it comes to the very offsets that the debug info has is it
//! believed for another order: what it does not know of (`packed`, bit fields without a name) shows.

use std::cmp::Reverse;

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

/// The fields of a layout as they are declared, as long as they are where the rule puts them.
pub(super) struct AsDeclared {
    fields: Vec<Field>,
    packing: Packing,
    /// How the struct is aligned at least, in bytes.
    least: u64,
    is_understood: bool,
}

impl AsDeclared {
    /// Those of a layout. None are wanted where nothing is wasted.
    pub(super) fn new(layout: &Layout, is_wanted: bool) -> AsDeclared {
        let (least, count) = (layout.align.unwrap_or(1), layout.members.len());
        let fields = Vec::with_capacity(if is_wanted { count } else { 0 });
        AsDeclared { fields, packing: Packing::new(least), least, is_understood: is_wanted }
    }

    /// Whether all are where the rule puts them.
    pub(super) fn is_understood(&self) -> bool {
        self.is_understood
    }

    /// One of them is not, or what it asks for is not known.
    pub(super) fn give_up(&mut self) {
        self.is_understood = false;
    }

    /// Takes the next, which starts at a bit.
    #[inline]
    pub(super) fn put(&mut self, field: Field, start: Option<u64>) {
        let place = self.packing.put(&field);
        self.is_understood &= place.is_some() && place == start;
        self.fields.push(field);
    }

    /// Looks for an order that takes less than this size.
    pub(super) fn better(self, size: Size) -> Option<BetterOrder> {
        let Size::Known(size) = size else { return None };
        if !self.is_understood || self.packing.size() != Some(size) {
            return None;
        }
        let candidates = [Groups::ByAlignment, Groups::Last];
        let sized = candidates.into_iter().filter_map(|groups| {
            let (order, mut packing) = (arrange(&self.fields, groups), Packing::new(self.least));
            order.iter().try_for_each(|at| packing.put(self.fields.get(*at)?).map(drop))?;
            Some(BetterOrder { size: packing.size()?, order })
        });
        sized.min_by_key(|better| better.size).filter(|better| better.size < size)
    }
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
    let mut start = 0;
    let together = |one: &Field, next: &Field| one.bits.is_some() && next.bits.is_some();
    let pieces = fields.chunk_by(together).map(|piece| {
        let positions = start..start + piece.len();
        start = positions.end;
        let is_last = piece.iter().any(|field| field.size == 0 || field.is_last);
        let is_group = groups == Groups::Last && piece.iter().any(|field| field.bits.is_some());
        let strictest = piece.iter().map(|field| field.align).max();
        ((is_last, is_group, Reverse(strictest)), positions)
    });
    let mut pieces: Vec<_> = pieces.collect();
    pieces.sort_by_key(|(key, _)| *key);
    pieces.into_iter().flat_map(|(_, positions)| positions).collect()
}

/// A struct that fields are put into, one behind the other.
struct Packing {
    /// The bit behind the last.
    end: u64,
    /// The strictest alignment, in bytes.
    strictest: u64,
}

impl Packing {
    /// One that is aligned to so many bytes at least.
    fn new(least: u64) -> Packing {
        Packing { end: 0, strictest: least }
    }

    /// Puts a field behind the last, and returns its first bit.
    #[inline]
    fn put(&mut self, field: &Field) -> Option<u64> {
        self.strictest = self.strictest.max(field.align);
        let (first, bits) = match field.bits {
            Some(bits) => {
                // A bit field does not cross a boundary of its type.
                let unit = field.size.checked_mul(8).filter(|unit| *unit > 0)?;
                let last = self.end.checked_add(bits.max(1) - 1)?;
                let crosses = self.end / unit != last / unit;
                (if crosses { self.end.checked_next_multiple_of(unit)? } else { self.end }, bits)
            }
            None => {
                // A power of two, so that nothing has to be divided.
                let below = field.align.checked_mul(8)? - 1;
                (self.end.checked_add(below)? & !below, field.size.checked_mul(8)?)
            }
        };
        self.end = first.checked_add(bits)?;
        Some(first)
    }

    /// In bytes, with the padding behind the last.
    fn size(&self) -> Option<u64> {
        self.end.div_ceil(8).checked_next_multiple_of(self.strictest)
    }
}

impl BetterOrder {
    /// How many bytes it saves.
    pub fn saves(&self, layout: &Layout) -> u64 {
        layout.size.known().unwrap_or(0).saturating_sub(self.size)
    }
}
