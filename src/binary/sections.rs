//! The debug sections of one file: found by name, decompressed and relocated when first touched.
//!
//! A section is used in place where it can be. A compressed one is decompressed once; the size it
//! claims is checked against a limit first, since a few bytes can claim terabytes. In a relocatable
//! file (.o, .ko) the section is copied and its relocations applied; an executable with leftover
//! relocation sections (Debian's vmlinux has them) is final already and must be left as it is. So are
//! the sections of split DWARF, in a .dwo or in the object itself: nothing there is relocated.
//!
//! A relocatable file has one section for each COMDAT group, all of one name: GCC and Clang put each
//! type unit into a group of its own. They are read as one, in order, as the linker joins them.

use std::sync::{Arc, OnceLock};

use gimli::SectionId;
use object::{
    CompressionFormat, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationTarget,
    SectionIndex,
};
use rustc_hash::FxHashMap;

use super::Mapping;

/// What the compressed sections of one file may come to together, in bytes.
const MAX_DECOMPRESSED: u64 = 2 << 30;

/// Debug sections compress three to twenty times; a file that claims more than this is a bomb.
const MAX_RATIO: u64 = 1000;

/// The sections that layouts, names and addresses need, in the order of the slots.
const WANTED: [SectionId; 15] = [
    SectionId::DebugInfo,
    SectionId::DebugTypes,
    SectionId::DebugAbbrev,
    SectionId::DebugStr,
    SectionId::DebugLineStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugLine,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugLoc,
    SectionId::DebugLocLists,
    SectionId::DebugCuIndex,
    SectionId::DebugTuIndex,
];

/// The debug sections of one mapped file.
#[derive(Debug)]
pub struct Sections {
    mapping: Arc<Mapping>,
    /// What the compressed sections claim to hold, all together, in bytes.
    claimed: u64,
    own: Slots,
    /// Those of split DWARF, whose names end in `.dwo` (DWARF 5 §7.3.5).
    split: Slots,
}

/// Where one section, or one of several of a name, is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its first byte.
    pub offset: u64,
    /// Its bytes, compressed where they are.
    pub size: u64,
    /// What they come to.
    pub uncompressed_size: u64,
    /// Whether they are used as they are: neither compressed nor relocated.
    pub is_in_place: bool,
}

/// The sections in the order of [`WANTED`].
type Slots = [Option<Slot>; WANTED.len()];

/// The sections of one name, and their final bytes once they are needed.
#[derive(Debug, Default)]
struct Slot {
    /// At least one.
    pieces: Vec<Piece>,
    owned: OnceLock<Result<Box<[u8]>, String>>,
}

/// Where one section's bytes are in the file.
#[derive(Debug)]
struct Piece {
    index: SectionIndex,
    offset: u64,
    size: u64,
    format: CompressionFormat,
    uncompressed_size: u64,
    /// Its bytes are not final: relocations are to be applied.
    relocated: bool,
}

/// Which sections a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Own,
    Split,
}

impl Sections {
    /// Finds the sections of a file.
    pub(super) fn of(file: &object::File<'_>, mapping: Arc<Mapping>) -> Sections {
        let mut sections =
            Sections { mapping, claimed: 0, own: Default::default(), split: Default::default() };
        for section in file.sections() {
            let Some((part, position)) = section.name().ok().and_then(place_of) else { continue };
            let Some(piece) = Piece::of(file, &section) else { continue };
            sections.claimed = sections.claimed.saturating_add(piece.claimed());
            let slots = match part {
                Part::Own => &mut sections.own,
                Part::Split => &mut sections.split,
            };
            if let Some(slot) = slots.get_mut(position) {
                slot.get_or_insert_default().pieces.push(piece);
            }
        }
        sections
    }

    /// Whether there is any DWARF to read. A stripped file's debug twin keeps its section headers
    /// as NOBITS, so presence by name alone says nothing.
    pub(crate) fn has_debug_info(&self) -> bool {
        let present = |id| self.slot(Part::Own, id).is_some_and(Slot::has_bytes);
        present(SectionId::DebugInfo) || present(SectionId::DebugTypes)
    }

    /// The bytes of the whole file.
    pub fn file(&self) -> &[u8] {
        &self.mapping
    }

    /// Gives back the memory of a section's pages that are used in place: the next who reads them waits for
    /// the system to bring them in again.
    pub(crate) fn release(&self, id: SectionId) {
        let stored = self.stored().filter(|(of, stored)| *of == id && stored.is_in_place);
        for (_, stored) in stored {
            let start = usize::try_from(stored.offset).unwrap_or(usize::MAX);
            let size = usize::try_from(stored.size).unwrap_or(usize::MAX);
            self.mapping.release(start..start.saturating_add(size));
        }
    }

    /// The bytes of a section, empty where the file has none or it cannot be decompressed (then
    /// [`Sections::problem`] says why).
    pub fn bytes(&self, id: SectionId) -> &[u8] {
        self.slot(Part::Own, id).map_or(&[], |slot| self.bytes_of(slot))
    }

    /// The bytes of a section of split DWARF, whose name ends in `.dwo` in this file; the two indexes
    /// of a package have none of their own.
    pub fn dwo_bytes(&self, id: SectionId) -> &[u8] {
        let slot = match id.dwo_name() {
            Some(name) if name.ends_with(".dwo") => self.slot(Part::Split, id),
            Some(_) => self.slot(Part::Own, id),
            None => None,
        };
        slot.map_or(&[], |slot| self.bytes_of(slot))
    }

    /// Where the sections are that are not of split DWARF, in the order of [`WANTED`].
    pub fn stored(&self) -> impl Iterator<Item = (SectionId, Stored)> + '_ {
        WANTED.into_iter().zip(&self.own).flat_map(|(id, slot)| {
            let pieces = slot.iter().flat_map(|slot| &slot.pieces);
            pieces.map(move |piece| (id, piece.stored()))
        })
    }

    /// Why a section's bytes are missing, for the sections touched so far.
    pub fn problem(&self) -> Option<String> {
        let failed = |(id, slot): (SectionId, &Option<Slot>)| {
            let why = slot.as_ref()?.owned.get()?.as_ref().err()?;
            Some(format!("{} cannot be used: {why}", id.name()))
        };
        let all = [&self.own, &self.split].into_iter();
        all.flat_map(|slots| WANTED.into_iter().zip(slots)).find_map(failed)
    }

    fn slot(&self, part: Part, id: SectionId) -> Option<&Slot> {
        let position = WANTED.iter().position(|&wanted| wanted == id)?;
        let slots = match part {
            Part::Own => &self.own,
            Part::Split => &self.split,
        };
        slots.get(position)?.as_ref()
    }

    fn bytes_of<'a>(&'a self, slot: &'a Slot) -> &'a [u8] {
        if let [piece] = slot.pieces.as_slice()
            && piece.format == CompressionFormat::None
            && !piece.relocated
        {
            return piece.raw(&self.mapping).unwrap_or(&[]);
        }
        let owned = slot.owned.get_or_init(|| self.prepare(slot));
        owned.as_deref().unwrap_or(&[])
    }

    fn prepare(&self, slot: &Slot) -> Result<Box<[u8]>, String> {
        if self.claimed > MAX_DECOMPRESSED {
            return Err(format!(
                "the compressed sections of its file claim to hold {} bytes, more than the \
                 {MAX_DECOMPRESSED} allowed",
                self.claimed
            ));
        }
        let mut bytes = Vec::new();
        for piece in &slot.pieces {
            bytes.append(&mut piece.decompress(&self.mapping)?);
        }
        if slot.pieces.iter().any(|piece| piece.relocated) {
            self.relocate(slot, &mut bytes).map_err(|error| error.to_string())?;
        }
        Ok(bytes.into())
    }

    /// Applies a relocatable file's relocations to its debug sections, as the linker would with every
    /// section at its own address: references between debug sections become offsets.
    fn relocate(&self, slot: &Slot, bytes: &mut [u8]) -> object::Result<()> {
        let file = object::File::parse(&**self.mapping)?;
        let little = file.is_little_endian();
        let all = self.own.iter().chain(&self.split).flatten();
        let starts: FxHashMap<SectionIndex, u64> = all.flat_map(Slot::starts).collect();
        for (index, piece_start) in slot.starts() {
            for (offset, relocation) in file.section_by_index(index)?.relocations() {
                let target = match relocation.target() {
                    RelocationTarget::Symbol(index) => {
                        let symbol = file.symbol_by_index(index)?;
                        let section = symbol.section_index();
                        let start = section.and_then(|index| starts.get(&index)).copied();
                        symbol.address().wrapping_add(start.unwrap_or(0))
                    }
                    _ => 0,
                };
                let start = piece_start.checked_add(offset).and_then(|at| usize::try_from(at).ok());
                let width = usize::from(relocation.size() / 8);
                let range = start.and_then(|start| Some(start..start.checked_add(width)?));
                let Some(field) = range.and_then(|range| bytes.get_mut(range)) else { continue };
                let mut value = target.wrapping_add_signed(relocation.addend());
                if relocation.has_implicit_addend() {
                    value = value.wrapping_add(read_field(field, little));
                }
                write_field(field, little, value);
            }
        }
        Ok(())
    }
}

/// The slot of a section's name. `.zdebug_` is how GNU tools named compressed sections before
/// SHF_COMPRESSED.
fn place_of(name: &str) -> Option<(Part, usize)> {
    let rest = name.strip_prefix(".debug_").or_else(|| name.strip_prefix(".zdebug_"))?;
    let (part, rest) = match rest.strip_suffix(".dwo") {
        Some(rest) => (Part::Split, rest),
        None => (Part::Own, rest),
    };
    let is_it = |id: &SectionId| id.name().strip_prefix(".debug_") == Some(rest);
    Some((part, WANTED.iter().position(is_it)?))
}

impl Slot {
    /// Where each section starts when they are joined.
    fn starts(&self) -> impl Iterator<Item = (SectionIndex, u64)> + '_ {
        self.pieces.iter().scan(0_u64, |end, piece| {
            let start = *end;
            *end = end.saturating_add(piece.uncompressed_size);
            Some((piece.index, start))
        })
    }

    fn has_bytes(&self) -> bool {
        self.pieces.iter().any(|piece| piece.uncompressed_size > 0)
    }
}

impl Piece {
    fn of<'data>(
        file: &object::File<'data>,
        section: &object::Section<'data, '_>,
    ) -> Option<Piece> {
        let range = section.compressed_file_range().ok()?;
        let relocatable = file.kind() == ObjectKind::Relocatable;
        Some(Piece {
            index: section.index(),
            offset: range.offset,
            size: range.compressed_size,
            format: range.format,
            uncompressed_size: range.uncompressed_size,
            relocated: relocatable && section.relocations().next().is_some(),
        })
    }

    /// What it claims to hold, if it is compressed.
    fn claimed(&self) -> u64 {
        if self.format == CompressionFormat::None { 0 } else { self.uncompressed_size }
    }

    fn stored(&self) -> Stored {
        Stored {
            offset: self.offset,
            size: self.size,
            uncompressed_size: self.uncompressed_size,
            is_in_place: self.format == CompressionFormat::None && !self.relocated,
        }
    }

    fn raw<'data>(&self, mapping: &'data Mapping) -> Option<&'data [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.size).ok()?)?;
        mapping.get(start..end)
    }

    fn decompress(&self, mapping: &Mapping) -> Result<Vec<u8>, String> {
        let data = self.raw(mapping).ok_or("it lies outside the file")?;
        let claimed = self.uncompressed_size;
        let believable = self.size.saturating_mul(MAX_RATIO);
        if self.format != CompressionFormat::None && claimed > believable {
            return Err(format!(
                "its {} bytes claim to hold {claimed}, more than the {believable} believed",
                self.size
            ));
        }
        let compressed =
            object::CompressedData { format: self.format, data, uncompressed_size: claimed };
        let bytes = compressed.decompress().map_err(|error| error.to_string())?;
        Ok(bytes.into_owned())
    }
}

fn read_field(field: &[u8], little: bool) -> u64 {
    let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
    if little { field.iter().rev().fold(0, fold) } else { field.iter().fold(0, fold) }
}

fn write_field(field: &mut [u8], little: bool, value: u64) {
    let width = field.len();
    for (position, byte) in field.iter_mut().enumerate() {
        let shift = if little { position } else { width - 1 - position } * 8;
        *byte = value.checked_shr(shift as u32).unwrap_or(0) as u8;
    }
}
