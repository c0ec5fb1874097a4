//! Where a name stands in the debug info, and how long it is: eight bytes instead of a copy.
//!
//! Tables of a kernel's functions and files would hold its names many times over; the sections are
//! mapped anyway, and are not touched before a name is read.

use std::num::NonZeroU64;

use gimli::Section;

use crate::dwarf::{Entries, Slice, View};

type Dwarf<'a> = gimli::Dwarf<Slice<'a>>;

/// The place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text(NonZeroU64);

// From the top: the number of the section from 1 on, the length, the offset.
const OFFSET_BITS: u32 = 40;
const LENGTH_BITS: u32 = 20;

/// The sections that texts stand in, of the files that one unit reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a>([&'a [u8]; SECTIONS]);

const SECTIONS: usize = 9;

impl<'a> Texts<'a> {
    /// Those of a unit in the main file.
    pub(super) fn of(view: &View<'a>) -> Texts<'a> {
        Texts::new(view.dwarf(), None)
    }

    /// Those of a split unit with these entries.
    pub(super) fn of_split(view: &View<'a>, entries: &Entries<'a>) -> Texts<'a> {
        Texts::new(view.dwarf(), Some(entries.dwarf()))
    }

    fn new(main: &Dwarf<'a>, split: Option<&Dwarf<'a>>) -> Texts<'a> {
        let (supplement, none) = (main.sup(), &[][..]);
        let bytes = |section: Slice<'a>| section.slice();
        Texts([
            bytes(*main.debug_str.reader()),
            bytes(*main.debug_line_str.reader()),
            bytes(*main.debug_line.reader()),
            bytes(*main.debug_info.reader()),
            supplement.map_or(none, |file| bytes(*file.debug_str.reader())),
            supplement.map_or(none, |file| bytes(*file.debug_line_str.reader())),
            supplement.map_or(none, |file| bytes(*file.debug_info.reader())),
            split.map_or(none, |file| bytes(*file.debug_str.reader())),
            split.map_or(none, |file| bytes(*file.debug_info.reader())),
        ])
    }

    /// Where a text that was read from one of the sections stands; none for one of a megabyte, or a
    /// terabyte into its section.
    pub(super) fn place(&self, text: &[u8]) -> Option<Text> {
        let address = text.as_ptr() as usize;
        let length = text.len() as u64;
        self.0.iter().zip(1_u64..).find_map(|(section, number)| {
            let offset = address.checked_sub(section.as_ptr() as usize)?;
            // An empty text at the very end of a section would belong to the next.
            if offset >= section.len() || length >> LENGTH_BITS != 0 {
                return None;
            }
            let offset = Some(offset as u64).filter(|offset| offset >> OFFSET_BITS == 0)?;
            let place = (number << LENGTH_BITS | length) << OFFSET_BITS | offset;
            NonZeroU64::new(place).map(Text)
        })
    }

    /// The text at a place.
    #[inline]
    pub(super) fn at(&self, text: Text) -> &'a [u8] {
        let place = text.0.get();
        let offset = (place & ((1 << OFFSET_BITS) - 1)) as usize;
        let length = (place >> OFFSET_BITS & ((1 << LENGTH_BITS) - 1)) as usize;
        let number = (place >> (OFFSET_BITS + LENGTH_BITS)) as usize - 1;
        let section = self.0.get(number).copied().unwrap_or_default();
        section.get(offset..offset + length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_again_where_it_stands() {
        let (one, two) = (b"abc\0def\0".as_slice(), b"abc\0".as_slice());
        let texts = Texts([one, two, &[], &[], &[], &[], &[], &[], &[]]);
        for text in [&one[..3], &one[4..7], &one[1..3], &two[..3]] {
            assert_eq!(texts.at(texts.place(text).unwrap()), text);
        }
        assert_eq!(texts.place(b"abc"), None);
    }
}
