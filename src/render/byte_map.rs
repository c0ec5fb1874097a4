//! Which member has which bits? What the pictures of a layout, as blocks and as SVG, are drawn from.
//!
//! Members lie in lanes: those of a struct in one, those of a union in one each, since they overlap.

use crate::api::layout::{LayoutMatch, Member};

/// More lanes than this nobody reads; what would lie in others is counted.
const MOST_LANES: usize = 24;

/// A picture has at most so many rows; beyond, each takes more bytes.
const MOST_ROWS: u64 = 64;

/// The cells of a row, each a byte where the type is small: a cache line.
pub(super) const CELLS: u64 = 64;

/// A type or a member, laid out flat.
#[derive(Debug)]
pub(super) struct ByteMap {
    pub(super) title: String,
    /// Bytes from the start of the type asked for.
    pub(super) start: u64,
    pub(super) size: u64,
    /// In the order of their first bits.
    pub(super) pieces: Vec<Piece>,
    pub(super) lanes: usize,
    /// How many members have no place in the picture.
    pub(super) left_out: usize,
    /// The runs of bits that no member uses that has a place.
    pub(super) holes: Vec<(u64, u64)>,
    /// Nothing is in these: of some members only run time can tell where they are.
    pub(super) are_unused: bool,
}

/// A member in the picture. Bits count from the start of the type asked for.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) is_bit_field: bool,
    pub(super) lane: usize,
}

impl ByteMap {
    /// None where there are no members, or the size is not known or nothing.
    pub(super) fn of(found: &LayoutMatch) -> Option<ByteMap> {
        let layout = &found.layout;
        let (title, start, size, members) = match &found.selected {
            Some(selected) => {
                let member = &selected.member;
                let title = format!("{}.{}", layout.type_name, selected.path);
                (title, member.offset?, member.size?, &member.members)
            }
            None => (layout.type_name.clone(), 0, layout.size?, &layout.members),
        };
        // Sizes come from the binary: a picture needs sums that do not overflow.
        start.checked_add(size)?.checked_mul(16).filter(|_| size > 0)?;
        let (pieces, holes) = (Vec::new(), Vec::new());
        let (lanes, left_out, are_unused) = (1, 0, layout.why.is_none());
        let mut map = ByteMap { title, start, size, pieces, lanes, left_out, holes, are_unused };
        match &found.selected {
            // A member without members is all there is to see.
            Some(selected) if members.is_empty() => map.add(std::slice::from_ref(&selected.member)),
            _ => map.add(members),
        }
        let has_members = !matches!(layout.kind.as_str(), "type" | "enum");
        if map.pieces.is_empty() && map.left_out == 0 && !has_members {
            return None;
        }
        map.pieces.sort_by_key(|piece| (piece.first, std::cmp::Reverse(piece.end)));
        map.holes = map.uncovered();
        map.assign_lanes();
        Some(map)
    }

    /// The members of structs without a name and of bases stand for themselves.
    fn add(&mut self, members: &[Member]) {
        for member in members {
            self.are_unused &= member.offset.is_some();
            // One without members, of which nothing is unknown, is empty.
            let stands_for_itself = member.members.is_empty() && member.why.is_some();
            if (member.anonymous || member.base) && !stands_for_itself {
                self.add(&member.members);
                continue;
            }
            let bits = match (member.bit_offset, member.bit_size, member.offset, member.size) {
                (Some(first), Some(size), ..) => first.checked_add(size).map(|end| (first, end)),
                (_, _, Some(offset), Some(size)) => {
                    let first = offset.checked_mul(8);
                    first
                        .zip(size.checked_mul(8))
                        .and_then(|(first, bits)| first.checked_add(bits).map(|end| (first, end)))
                }
                _ => None,
            };
            let bounds = (self.start * 8, (self.start + self.size) * 8);
            match bits.filter(|(first, end)| first < end && *first >= bounds.0 && *end <= bounds.1)
            {
                Some((first, end)) => self.pieces.push(Piece {
                    name: if member.name.is_empty() { "<unnamed>" } else { &member.name }
                        .to_owned(),
                    type_name: member.type_name.clone(),
                    first,
                    end,
                    is_bit_field: member.bit_size.is_some(),
                    lane: 0,
                }),
                None => self.left_out += 1,
            }
        }
    }

    /// Each piece into the first lane that is free there.
    fn assign_lanes(&mut self) {
        let mut ends: Vec<u64> = Vec::new();
        self.pieces.retain_mut(|piece| {
            let free = ends.iter().position(|end| *end <= piece.first);
            let lane = free.unwrap_or(ends.len());
            match ends.get_mut(lane) {
                Some(end) => *end = piece.end,
                None if lane < MOST_LANES => ends.push(piece.end),
                None => {
                    self.left_out += 1;
                    return false;
                }
            }
            piece.lane = lane;
            true
        });
        self.lanes = ends.len().max(1);
    }

    /// The bytes of a cell.
    pub(super) fn bytes_per_cell(&self) -> u64 {
        self.size.div_ceil(CELLS * MOST_ROWS).next_power_of_two()
    }

    /// The rows: each its first byte and its end, from the start of the type asked for.
    pub(super) fn rows(&self) -> impl Iterator<Item = (u64, u64)> {
        let (bytes, start, end) =
            (CELLS * self.bytes_per_cell(), self.start, self.start + self.size);
        let count = self.size.div_ceil(bytes);
        (0..count).map(move |row| {
            let first = start + row * bytes;
            (first, (first + bytes).min(end))
        })
    }

    /// The pieces that lie in these bits, with their positions.
    pub(super) fn between(&self, first: u64, end: u64) -> impl Iterator<Item = (usize, &Piece)> {
        let pieces = self.pieces.iter().enumerate();
        pieces.filter(move |(_, piece)| piece.first < end && piece.end > first)
    }

    /// What is told of its holes.
    pub(super) fn holes_are(&self) -> &'static str {
        if self.are_unused { "unused" } else { "unused, or of members whose place is not known" }
    }

    /// The runs of bits that no piece covers.
    fn uncovered(&self) -> Vec<(u64, u64)> {
        let (mut holes, mut used) = (Vec::new(), self.start * 8);
        for piece in &self.pieces {
            if piece.first > used {
                holes.push((used, piece.first));
            }
            used = used.max(piece.end);
        }
        let end = (self.start + self.size) * 8;
        if used < end {
            holes.push((used, end));
        }
        holes
    }
}

impl Piece {
    /// `fd 0+4`, or `flag 96.3+2` in bits.
    pub(super) fn place(&self) -> String {
        let (byte, bit) = (self.first / 8, self.first % 8);
        let bits = self.end - self.first;
        match self.is_bit_field {
            true => format!("{} {byte}.{bit}:{bits}", self.name),
            false => format!("{} {byte}+{}", self.name, bits / 8),
        }
    }
}
