//! Where a name stands in the debug info: eight bytes instead of a copy.
//!
//! Tables of a kernel's functions and files would hold its names many times over; the sections are
//! mapped anyway.

use std::num::NonZeroU64;

use gimli::Section;

use crate::dwarf::{Slice, View};

/// The place of a text that ends with a zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text(NonZeroU64);

/// The sections that texts stand in, of the files that one unit reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a>([&'a [u8]; SECTIONS]);

const SECTIONS: usize = 6;

/// The offset's bits; the number of the section is above them.
const OFFSET_BITS: u32 = 56;

impl<'a> Texts<'a> {
    /// The sections of a view.
    pub(super) fn of(view: &View<'a>) -> Texts<'a> {
        let dwarf = view.dwarf();
        let supplement = dwarf.sup();
        let bytes = |section: Slice<'a>| section.slice();
        Texts([
            bytes(*dwarf.debug_str.reader()),
            bytes(*dwarf.debug_line_str.reader()),
            bytes(*dwarf.debug_line.reader()),
            bytes(*dwarf.debug_info.reader()),
            supplement.map_or(&[], |file| bytes(*file.debug_str.reader())),
            supplement.map_or(&[], |file| bytes(*file.debug_info.reader())),
        ])
    }

    /// Where a text that was read from one of the sections stands.
    pub(super) fn place(&self, text: &[u8]) -> Option<Text> {
        let address = text.as_ptr() as usize;
        self.0.iter().zip(0_u64..).find_map(|(section, number)| {
            let offset = address.checked_sub(section.as_ptr() as usize)?;
            // An empty text at the very end of a section would belong to the next.
            if offset >= section.len() || offset as u64 >> OFFSET_BITS != 0 {
                return None;
            }
            NonZeroU64::new(((number + 1) << OFFSET_BITS) | offset as u64).map(Text)
        })
    }

    /// The text at a place, without the zero byte.
    #[inline]
    pub(super) fn at(&self, text: Text) -> &'a [u8] {
        let number = (text.0.get() >> OFFSET_BITS) as usize - 1;
        let offset = (text.0.get() & ((1 << OFFSET_BITS) - 1)) as usize;
        let rest = self.0.get(number).and_then(|section| section.get(offset..));
        let rest = rest.unwrap_or_default();
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_again_where_it_stands() {
        let (one, two) = (b"abc\0def\0".as_slice(), b"abc\0".as_slice());
        let texts = Texts([one, two, &[], &[], &[], &[]]);
        for text in [&one[..3], &one[4..7], &one[1..3], &two[..3]] {
            assert_eq!(texts.at(texts.place(text).unwrap()), text);
        }
        assert_eq!(texts.place(b"abc"), None);
    }
}
