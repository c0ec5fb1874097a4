//! A reference to a DIE that says which file and section it is in.

use std::fmt;

/// Which of a binary's debug files a DIE is in.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FileId {
    /// The file that holds the binary's own .debug_info.
    #[default]
    Main,
    /// The dwz supplement (`.gnu_debugaltlink`, DWARF 5 §7.3.6).
    Supplement,
    /// The rest of a split unit (DWARF 5 §7.3.2): by the position of its skeleton in the main file, or
    /// behind those a type unit of a package. Below [`FileId::MAX_SPLIT`].
    Split(u32),
}

impl FileId {
    /// So many split units can be told apart.
    pub const MAX_SPLIT: u32 = (1 << FILE_BITS) - FIRST_SPLIT as u32;
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileId::Main => "the debug file",
            FileId::Supplement => "the dwz supplement",
            FileId::Split(_) => "the file of a split unit",
        })
    }
}

/// The two sections with DIEs: their offsets are independent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DieSection {
    /// `.debug_info`.
    Info,
    /// `.debug_types` (DWARF 4 only).
    Types,
}

/// The place of a DIE, in eight bytes: an index holds a million of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DieRef(u64);

// From the top: the section, the file, the offset.
const TYPES_BIT: u64 = 1 << 63;
const FILE_BITS: u32 = 21;
const OFFSET_BITS: u32 = 63 - FILE_BITS;
const FIRST_SPLIT: u64 = 2;

impl DieRef {
    /// The largest offset that can be named, of 4 TiB: no section is near that size.
    pub const MAX_OFFSET: u64 = (1 << OFFSET_BITS) - 1;

    /// The DIE at `offset` bytes into the section. Offsets past [`DieRef::MAX_OFFSET`] are cut off
    /// there: they lead nowhere either way.
    pub fn new(file: FileId, section: DieSection, offset: u64) -> DieRef {
        let file = match file {
            FileId::Main => 0,
            FileId::Supplement => 1,
            FileId::Split(number) => FIRST_SPLIT + u64::from(number.min(FileId::MAX_SPLIT - 1)),
        };
        let section = if section == DieSection::Types { TYPES_BIT } else { 0 };
        DieRef(section | file << OFFSET_BITS | offset.min(DieRef::MAX_OFFSET))
    }

    /// Which file it is in.
    pub fn file(self) -> FileId {
        match (self.0 & !TYPES_BIT) >> OFFSET_BITS {
            0 => FileId::Main,
            1 => FileId::Supplement,
            number => FileId::Split((number - FIRST_SPLIT) as u32),
        }
    }

    /// Which section it is in.
    pub fn section(self) -> DieSection {
        if self.0 & TYPES_BIT == 0 { DieSection::Info } else { DieSection::Types }
    }

    /// As a number: one that fits into four bytes is an offset of the main file's .debug_info.
    pub fn packed(self) -> u64 {
        self.0
    }

    /// From that number. Any number is the place of some DIE, which need not be there.
    pub fn from_packed(packed: u64) -> DieRef {
        DieRef(packed)
    }

    /// The DIE so many bytes behind this one.
    #[inline]
    pub(super) fn plus(self, bytes: u64) -> DieRef {
        DieRef(self.0.saturating_add(bytes).min(self.0 | DieRef::MAX_OFFSET))
    }

    /// Bytes from the start of the section.
    #[inline]
    pub fn offset(self) -> u64 {
        self.0 & DieRef::MAX_OFFSET
    }
}

impl fmt::Debug for DieRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = match self.section() {
            DieSection::Info => ".debug_info",
            DieSection::Types => ".debug_types",
        };
        write!(f, "{section}+{:#x} of {}", self.offset(), self.file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_section_and_offset_survive_packing() {
        let last = FileId::Split(FileId::MAX_SPLIT - 1);
        for file in [FileId::Main, FileId::Supplement, FileId::Split(0), last] {
            for section in [DieSection::Info, DieSection::Types] {
                for offset in [0, 11, u32::MAX as u64 + 1, DieRef::MAX_OFFSET] {
                    let die = DieRef::new(file, section, offset);
                    assert_eq!((die.file(), die.section(), die.offset()), (file, section, offset));
                }
            }
        }
    }
}
