//! The debug sections of one file: found by name, decompressed and relocated when first touched.
//!
//! A section is used in place where it can be. A compressed one is decompressed once; the size it
//! claims is checked against a limit first, since a few bytes can claim terabytes. In a relocatable
//! file (.o, .ko) the section is copied and its relocations applied; an executable with leftover
//! relocation sections (Debian's vmlinux has them) is final already and must be left as it is.

use std::path::Path;
use std::sync::OnceLock;

use gimli::SectionId;
use object::{
    CompressionFormat, Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationTarget,
};

use super::{Error, Mapping, elf};

/// The largest section that is decompressed, in bytes.
const MAX_DECOMPRESSED: u64 = 4 << 30;

/// No section compresses better: deflate reaches 1032:1, zstd somewhat more on constant data.
const MAX_RATIO: u64 = 20_000;

/// The sections that layouts and names need, in the order of `Sections::slots`.
const WANTED: [SectionId; 8] = [
    SectionId::DebugInfo,
    SectionId::DebugTypes,
    SectionId::DebugAbbrev,
    SectionId::DebugStr,
    SectionId::DebugLineStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugLine,
    SectionId::DebugAddr,
];

/// The debug sections of one mapped file.
#[derive(Debug)]
pub struct Sections {
    mapping: Mapping,
    relocatable: bool,
    slots: [Option<Slot>; WANTED.len()],
}

/// Where a section's bytes are in the file, and its decompressed bytes once they are needed.
#[derive(Debug)]
struct Slot {
    offset: u64,
    size: u64,
    format: CompressionFormat,
    uncompressed_size: u64,
    owned: OnceLock<Result<Box<[u8]>, String>>,
}

impl Sections {
    /// Finds the sections of a file. Fails when its headers are damaged.
    pub(crate) fn of(path: &Path, mapping: Mapping) -> Result<Sections, Error> {
        let file = elf::parse(path, &mapping)?;
        let relocatable = file.kind() == ObjectKind::Relocatable;
        let slots = WANTED.map(|id| Slot::find(&file, id));
        drop(file);
        Ok(Sections { mapping, relocatable, slots })
    }

    /// Whether there is any DWARF to read. A stripped file's debug twin keeps its section headers
    /// as NOBITS, so presence by name alone says nothing.
    pub(crate) fn has_debug_info(&self) -> bool {
        let present = |id| self.slot(id).is_some_and(|slot| slot.uncompressed_size > 0);
        present(SectionId::DebugInfo) || present(SectionId::DebugTypes)
    }

    /// Whether the file was cut while it was read.
    pub(crate) fn is_torn(&self) -> bool {
        self.mapping.is_torn()
    }

    /// The bytes of a section, empty where the file has none or it cannot be decompressed (then
    /// [`Sections::problem`] says why).
    pub fn bytes(&self, id: SectionId) -> &[u8] {
        let Some(slot) = self.slot(id) else { return &[] };
        if !self.relocatable && slot.format == CompressionFormat::None {
            return slot.raw(&self.mapping).unwrap_or(&[]);
        }
        let owned = slot.owned.get_or_init(|| self.prepare(id, slot));
        owned.as_deref().unwrap_or(&[])
    }

    /// Why a section's bytes are missing, for the sections touched so far.
    pub fn problem(&self) -> Option<String> {
        let failed = |(id, slot): (SectionId, &Option<Slot>)| {
            let why = slot.as_ref()?.owned.get()?.as_ref().err()?;
            Some(format!("{} cannot be used: {why}", id.name()))
        };
        WANTED.into_iter().zip(&self.slots).find_map(failed)
    }

    fn slot(&self, id: SectionId) -> Option<&Slot> {
        let position = WANTED.iter().position(|&wanted| wanted == id)?;
        self.slots.get(position)?.as_ref()
    }

    fn prepare(&self, id: SectionId, slot: &Slot) -> Result<Box<[u8]>, String> {
        let mut bytes = slot.decompress(&self.mapping)?;
        if self.relocatable {
            relocate(&self.mapping, id, &mut bytes).map_err(|error| error.to_string())?;
        }
        Ok(bytes.into())
    }
}

impl Slot {
    fn find(file: &object::File<'_>, id: SectionId) -> Option<Slot> {
        let section = file.section_by_name(id.name())?;
        let range = section.compressed_file_range().ok()?;
        Some(Slot {
            offset: range.offset,
            size: range.compressed_size,
            format: range.format,
            uncompressed_size: range.uncompressed_size,
            owned: OnceLock::new(),
        })
    }

    fn raw<'data>(&self, mapping: &'data Mapping) -> Option<&'data [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.size).ok()?)?;
        mapping.get(start..end)
    }

    fn decompress(&self, mapping: &Mapping) -> Result<Vec<u8>, String> {
        let data = self.raw(mapping).ok_or("it lies outside the file")?;
        let claimed = self.uncompressed_size;
        let believable = self.size.saturating_mul(MAX_RATIO).min(MAX_DECOMPRESSED);
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

/// Applies a relocatable file's relocations to one of its debug sections, as the linker would with
/// every section at its own address: references between debug sections become offsets.
fn relocate(mapping: &[u8], id: SectionId, bytes: &mut [u8]) -> object::Result<()> {
    let file = object::File::parse(mapping)?;
    let Some(section) = file.section_by_name(id.name()) else { return Ok(()) };
    let little = file.is_little_endian();
    for (offset, relocation) in section.relocations() {
        let target = match relocation.target() {
            RelocationTarget::Symbol(index) => file.symbol_by_index(index)?.address(),
            _ => 0,
        };
        let Ok(start) = usize::try_from(offset) else { continue };
        let width = usize::from(relocation.size() / 8);
        let Some(field) = start.checked_add(width).and_then(|end| bytes.get_mut(start..end)) else {
            continue;
        };
        let mut value = target.wrapping_add_signed(relocation.addend());
        if relocation.has_implicit_addend() {
            value = value.wrapping_add(read_field(field, little));
        }
        write_field(field, little, value);
    }
    Ok(())
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
