//! What tells whether an index was made from these very bytes.
//!
//! Tools rewrite debug sections and keep the build-id: so the places and sizes of all sections, the
//! abbreviations and the header of each unit are hashed too. They are read from the file and not from
//! its mapping, of which each touch would bring in sixteen pages.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::thread::Builder;

use gimli::{SectionId, constants as dw};

use super::super::DebugFile;
use crate::binary::{BuildId, Sections, Stored};

/// The key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dwarf) struct Key {
    /// The build-id, in hexadecimal; empty where the file has none.
    build_id: String,
    /// What the bytes come to.
    pub(super) content: u64,
}

/// Where a unit starts and ends.
type Extent = (u64, u64);

/// More than the header of any unit takes (DWARF 5 §7.5.1).
const UNIT_HEADER: usize = 40;

/// More bytes are worth a thread.
const LARGE: u64 = 1 << 20;

/// So many bytes are read at a time.
const CHUNK: usize = 1 << 16;

impl Key {
    /// The key of a file's debug info; none where it has none, or it cannot be read. With it the units of
    /// .debug_info, if their headers tell all of the units that there are.
    pub(super) fn of(file: &DebugFile) -> Option<(Key, Option<Vec<Extent>>)> {
        let debug_info = file.binary().debug_info()?;
        let build_id = file.binary().build_id().map(BuildId::to_string).unwrap_or_default();
        let is_little = file.binary().identity().endian == gimli::RunTimeEndian::Little;
        let mut hasher = DefaultHasher::new();
        build_id.hash(&mut hasher);
        let sections = debug_info.sections();
        let units = hash_file(&debug_info.reopen()?, sections, is_little, &mut hasher).ok()?;
        if let Some(supplement) = debug_info.supplement() {
            hash_file(&supplement.reopen()?, supplement.sections(), is_little, &mut hasher).ok()?;
        }
        debug_info.missing_supplement().hash(&mut hasher);
        Some((Key { build_id, content: hasher.finish() }, units))
    }

    /// The same, of more bytes.
    pub(super) fn with(&self, more: &[u8]) -> Key {
        let mut hasher = DefaultHasher::new();
        (self.content, more).hash(&mut hasher);
        Key { build_id: self.build_id.clone(), content: hasher.finish() }
    }

    /// The name of the index's file.
    pub(super) fn file_name(&self) -> String {
        format!("{}.types", self.name())
    }

    /// The name of the file of what was found out about a question.
    pub(super) fn answer_name(&self, question: &str) -> String {
        let mut hasher = DefaultHasher::new();
        question.hash(&mut hasher);
        format!("{}-{:016x}.answer", self.name(), hasher.finish())
    }

    fn name(&self) -> String {
        let build_id = if self.build_id.is_empty() { "none" } else { &self.build_id };
        format!("{build_id}-{:016x}", self.content)
    }
}

fn hash_file(
    file: &File,
    sections: &Sections,
    is_little: bool,
    hasher: &mut DefaultHasher,
) -> io::Result<Option<Vec<Extent>>> {
    file.metadata()?.len().hash(hasher);
    // A kernel's abbreviations take half as long to read as its headers: that is done beside them.
    let (abbreviations, units) = std::thread::scope(|scope| {
        let pieces = || sections.stored().filter(|(id, _)| *id == SectionId::DebugAbbrev);
        let checksums = move || pieces().map(|(_, piece)| checksum(file, piece)).collect();
        let is_large = pieces().any(|(_, piece)| piece.size > LARGE);
        // Without another thread, this one reads both.
        let beside = || Builder::new().spawn_scoped(scope, checksums).ok();
        let beside = is_large.then(beside).flatten();
        let units = hash_sections(file, sections, is_little, hasher);
        let joined = beside.and_then(|beside| beside.join().ok());
        let abbreviations: io::Result<Vec<u32>> = joined.unwrap_or_else(checksums);
        (abbreviations, units)
    });
    abbreviations?.hash(hasher);
    units
}

/// All but the abbreviations.
fn hash_sections(
    file: &File,
    sections: &Sections,
    is_little: bool,
    hasher: &mut DefaultHasher,
) -> io::Result<Option<Vec<Extent>>> {
    let mut units = None;
    let (mut infos, mut has_types) = (0, false);
    for (id, piece) in sections.stored() {
        (id.name(), piece.offset, piece.size, piece.uncompressed_size).hash(hasher);
        infos += usize::from(id == SectionId::DebugInfo);
        has_types |= id == SectionId::DebugTypes && piece.size > 0;
        match id {
            SectionId::DebugInfo | SectionId::DebugTypes if piece.is_in_place => {
                units = hash_headers(file, piece, is_little, hasher)?;
            }
            // Where the headers are is known only once it is unpacked.
            SectionId::DebugInfo | SectionId::DebugTypes => checksum(file, piece)?.hash(hasher),
            _ => {}
        }
    }
    Ok(units.filter(|_| infos == 1 && !has_types))
}

fn checksum(file: &File, piece: Stored) -> io::Result<u32> {
    let mut buffer = vec![0; CHUNK];
    let mut checksum = crc32fast::Hasher::new();
    let mut at = piece.offset;
    let end = piece.offset.saturating_add(piece.size);
    while at < end {
        let wanted = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(chunk, at)?;
        checksum.update(chunk);
        at += wanted as u64;
    }
    Ok(checksum.finalize())
}

/// Each unit's length leads to the next. Where the units are, if all of them are such as DWARF 2 to 5 have
/// in .debug_info, and none is of a type.
fn hash_headers(
    file: &File,
    piece: Stored,
    is_little: bool,
    hasher: &mut DefaultHasher,
) -> io::Result<Option<Vec<Extent>>> {
    let mut units = Some(Vec::new());
    let mut buffer = [0; UNIT_HEADER];
    let mut at = piece.offset;
    let end = piece.offset.saturating_add(piece.size);
    while at < end {
        let wanted = usize::try_from(end - at).map_or(UNIT_HEADER, |left| left.min(UNIT_HEADER));
        let header = buffer.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(header, at)?;
        header.hash(hasher);
        let number = |bytes: Option<&[u8]>| {
            let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
            let bytes = bytes.unwrap_or_default();
            if is_little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
        };
        // DWARF 5 §7.4: the escape of the 64-bit format, then the length.
        let (length, behind, offset_size) = match number(header.get(..4)) {
            0xffff_ffff => (number(header.get(4..12)).saturating_add(12), 12, 8),
            length => (length + 4, 4, 4),
        };
        // §7.5.1: the version, then in DWARF 5 what kind of unit it is and the size of addresses, which
        // comes behind the place of the abbreviations before.
        let byte = |position: usize| header.get(position).copied().unwrap_or_default();
        let (kind, address_size) = match number(header.get(behind..behind + 2)) {
            2..=4 => (dw::DW_UT_compile, byte(behind + 2 + offset_size)),
            5 => (gimli::DwUt(byte(behind + 2)), byte(behind + 3)),
            _ => (gimli::DwUt(0), 0),
        };
        let is_plain = matches!(kind, dw::DW_UT_compile | dw::DW_UT_partial | dw::DW_UT_skeleton)
            && matches!(address_size, 4 | 8);
        let next = at.saturating_add(length);
        if let Some(units) = &mut units {
            units.push((at - piece.offset, next - piece.offset));
        }
        units = units.filter(|_| is_plain && next <= end);
        at = next;
    }
    Ok(units)
}

#[cfg(test)]
impl Key {
    pub(super) fn made_up(name: &str) -> Key {
        Key { build_id: name.to_owned(), content: 7 }
    }
}
