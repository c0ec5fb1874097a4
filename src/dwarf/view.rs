//! One question's eyes on a debug file: borrows the sections, keeps the units it has met.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use gimli::{
    AttributeValue, DebugAddrBase, DebugInfoOffset, DebugLocListsBase, DebugRngListsBase,
    DebugStrOffsetsBase, DwarfFileType, Reader, Unit, UnitHeader, UnitOffset, constants as dw,
};
use rustc_hash::FxHashMap;

use super::scope::Scope;
use super::units::UnitEntry;
use super::{DebugFile, Die, DieRef, DieSection, Entries, Error, FileId, Language, Root, Slice};

/// Reads DIEs for one question, on one thread.
#[derive(Debug)]
pub struct View<'a> {
    file: &'a DebugFile,
    pub(super) dwarf: gimli::Dwarf<Slice<'a>>,
    units: RefCell<FxHashMap<usize, Rc<UnitView<'a>>>>,
}

/// A unit, ready to read DIEs of.
#[derive(Debug)]
pub struct UnitView<'a> {
    pub(super) unit: Unit<Slice<'a>>,
    section: DieSection,
    start: u64,
    language: Language,
    endian: gimli::RunTimeEndian,
    line_offset: Option<gimli::DebugLineOffset>,
    pub(super) scopes: OnceCell<Vec<Scope<'a>>>,
}

impl<'a> View<'a> {
    pub(super) fn new(file: &'a DebugFile, dwarf: gimli::Dwarf<Slice<'a>>) -> View<'a> {
        View { file, dwarf, units: RefCell::default() }
    }

    /// The file it looks at.
    pub fn file(&self) -> &'a DebugFile {
        self.file
    }

    /// Reads the DIE at a reference.
    pub fn die(&self, at: DieRef) -> Result<Die<'a>, Error> {
        if at.file() != FileId::Main {
            return Err(Error::Elsewhere(at.file()));
        }
        let position = self.file.units().position_of(at).ok_or(Error::Dangling(at))?;
        let unit = self.unit(position)?;
        Die::read(unit, at)
    }

    /// Reads the DIE that a DIE of `unit` refers to: most references stay in their unit, which then
    /// need not be looked up.
    pub fn die_from(&self, unit: &Rc<UnitView<'a>>, at: DieRef) -> Result<Die<'a>, Error> {
        if unit.holds(at) { Die::read(Rc::clone(unit), at) } else { self.die(at) }
    }

    /// Where an attribute's reference leads (DWARF 5 §7.5.5, class reference).
    pub fn follow(
        &self,
        from: &UnitView<'a>,
        value: AttributeValue<Slice<'a>>,
    ) -> Result<Option<DieRef>, Error> {
        Ok(Some(match value {
            AttributeValue::UnitRef(offset) => from.die_ref(offset),
            AttributeValue::DebugInfoRef(offset) => {
                DieRef::new(FileId::Main, DieSection::Info, offset.0 as u64)
            }
            AttributeValue::DebugInfoRefSup(offset) => {
                DieRef::new(FileId::Supplement, DieSection::Info, offset.0 as u64)
            }
            AttributeValue::DebugTypesRef(signature) => {
                let die = self.file.units().by_signature(signature.0);
                die.ok_or(Error::NoSuchSignature(signature.0))?
            }
            _ => return Ok(None),
        }))
    }

    /// The unit at a position of the unit table.
    pub(super) fn unit(&self, position: usize) -> Result<Rc<UnitView<'a>>, Error> {
        if let Some(unit) = self.units.borrow().get(&position) {
            return Ok(Rc::clone(unit));
        }
        let entry = self.file.units().entries().get(position);
        let entry = entry.ok_or(gimli::Error::OffsetOutOfBounds(position as u64))?;
        let header = self.header(entry)?;
        let abbreviations = match entry.abbreviations.get() {
            Some(abbreviations) => Arc::clone(abbreviations),
            None => {
                let parsed = self.dwarf.abbreviations(&header)?;
                Arc::clone(entry.abbreviations.get_or_init(|| parsed))
            }
        };
        let unit = Rc::new(UnitView::new(entry, header, abbreviations)?);
        self.units.borrow_mut().insert(position, Rc::clone(&unit));
        Ok(unit)
    }

    /// Reads a unit's header again: it borrows the section, so the unit table cannot keep it.
    pub(super) fn header(&self, entry: &UnitEntry) -> Result<UnitHeader<Slice<'a>>, Error> {
        let offset = usize::try_from(entry.start).unwrap_or(usize::MAX);
        Ok(match entry.section {
            DieSection::Info => self.dwarf.unit_header(DebugInfoOffset(offset))?,
            DieSection::Types => {
                let cut = self.dwarf.debug_types.borrow(|section| from(*section, offset));
                let header = cut.units().next()?;
                let header = header.ok_or(gimli::Error::NoEntryAtGivenOffset(entry.start))?;
                moved_to(&header, offset)
            }
        })
    }

    /// The sections.
    pub fn dwarf(&self) -> &gimli::Dwarf<Slice<'a>> {
        &self.dwarf
    }

    /// The sections alone.
    pub fn into_dwarf(self) -> gimli::Dwarf<Slice<'a>> {
        self.dwarf
    }

    /// The unit of a DIE, and the DIE's place in it.
    pub fn entries_of(&self, at: DieRef) -> Result<(Entries<'a>, UnitOffset), Error> {
        if at.file() != FileId::Main || at.section() != DieSection::Info {
            return Err(Error::Elsewhere(at.file()));
        }
        let units = self.file.units();
        let unit = units.position_of(at).and_then(|position| units.entries().get(position));
        let start = unit.ok_or(Error::Dangling(at))?.start;
        let (entries, _) = self.entries(start)?;
        let offset = usize::try_from(at.offset() - start).unwrap_or(usize::MAX);
        Ok((entries, UnitOffset(offset)))
    }

    /// A unit whose entries are read by their place, and what its root says, by the offset of its
    /// header in .debug_info.
    pub fn entries(&self, start: u64) -> Result<(Entries<'a>, Root<'a>), Error> {
        let offset = usize::try_from(start).unwrap_or(usize::MAX);
        let header = self.dwarf.unit_header(DebugInfoOffset(offset))?;
        let abbreviations = self.file.abbreviations(&self.dwarf, &header)?;
        let mut entries = Entries::new(&self.dwarf, header, abbreviations)?;
        let root = entries.read_root(&self.dwarf)?;
        Ok((entries, root))
    }

    /// The file names of a unit's line table (DWARF 5 §6.2.4), by DW_AT_decl_file's number.
    pub(super) fn file_name(&self, unit: &UnitView<'a>, number: u64) -> Option<String> {
        let address_size = unit.unit.header.address_size();
        let program =
            self.dwarf.debug_line.program(unit.line_offset?, address_size, None, None).ok()?;
        let header = program.header();
        let file = header.file(number)?;
        let text = |value| {
            let bytes = self.dwarf.attr_string(&unit.unit, value).ok()?;
            Some(bytes.to_string_lossy().into_owned())
        };
        let name = text(file.path_name())?;
        // Directory 0 is the compilation folder: leaving it out keeps the name as people know it.
        let named = file.directory_index() != 0;
        let directory = named.then(|| file.directory(header)).flatten().and_then(text);
        Some(match directory {
            Some(directory) if !name.starts_with('/') => format!("{directory}/{name}"),
            _ => name,
        })
    }
}

/// A section from an offset on; nothing where the offset is past its end.
fn from(mut section: Slice<'_>, offset: usize) -> Slice<'_> {
    let length = section.len();
    // Cannot fail: never more than its length is skipped.
    let _ = section.skip(offset.min(length));
    section
}

/// A header that was read from a section cut at the unit's start, put back in its place: gimli
/// reads .debug_types (unlike .debug_info) from the front only.
fn moved_to<'a>(header: &UnitHeader<Slice<'a>>, offset: usize) -> UnitHeader<Slice<'a>> {
    let entries = header.range_from(header.root_offset()..);
    UnitHeader::new(
        header.encoding(),
        header.unit_length(),
        header.type_(),
        header.debug_abbrev_offset(),
        header.section(),
        gimli::UnitSectionOffset(offset),
        entries.unwrap_or_default(),
    )
}

impl<'a> UnitView<'a> {
    /// Reads of the root DIE what reading the others needs. gimli's own `Unit::new` would also
    /// parse the line program's header, which few questions need.
    pub(super) fn new(
        entry: &UnitEntry,
        header: UnitHeader<Slice<'a>>,
        abbreviations: Arc<gimli::Abbreviations>,
    ) -> Result<UnitView<'a>, Error> {
        let root = header.entry(&abbreviations, header.root_offset())?;
        let encoding = header.encoding();
        let endian = header.range_from(header.root_offset()..)?.endian();
        let str_offsets_base = match root.attr_value(dw::DW_AT_str_offsets_base) {
            Some(AttributeValue::DebugStrOffsetsBase(base)) => base,
            _ => DebugStrOffsetsBase::default_for_encoding_and_file(encoding, DwarfFileType::Main),
        };
        let language = match root.attr_value(dw::DW_AT_language) {
            Some(AttributeValue::Language(code)) => Language::of(code),
            _ => Language::Other,
        };
        let line_offset = match root.attr_value(dw::DW_AT_stmt_list) {
            Some(AttributeValue::DebugLineRef(offset)) => Some(offset),
            _ => None,
        };
        let unit = Unit {
            header,
            abbreviations,
            name: None,
            comp_dir: None,
            low_pc: 0,
            str_offsets_base,
            addr_base: DebugAddrBase(0),
            loclists_base: DebugLocListsBase(0),
            rnglists_base: DebugRngListsBase(0),
            line_program: None,
            dwo_id: None,
        };
        let (section, start) = (entry.section, entry.start);
        Ok(UnitView {
            unit,
            section,
            start,
            language,
            endian,
            line_offset,
            scopes: OnceCell::new(),
        })
    }

    /// The source language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The first offset past the unit's last DIE, from the unit's start.
    pub(super) fn end(&self) -> UnitOffset {
        UnitOffset(self.unit.header.length_including_self())
    }

    /// Names a DIE of this unit.
    pub(super) fn die_ref(&self, offset: UnitOffset) -> DieRef {
        let offset = self.start.saturating_add(offset.0 as u64);
        DieRef::new(FileId::Main, self.section, offset)
    }

    /// Whether a reference leads into this unit.
    pub(super) fn holds(&self, die: DieRef) -> bool {
        let end = self.start.saturating_add(self.end().0 as u64);
        die.file() == FileId::Main
            && die.section() == self.section
            && (self.start..end).contains(&die.offset())
    }

    /// The place in this unit of a DIE that is known to be in it.
    pub(super) fn offset_of(&self, die: DieRef) -> UnitOffset {
        UnitOffset(usize::try_from(die.offset().saturating_sub(self.start)).unwrap_or(usize::MAX))
    }

    /// The byte order.
    pub fn endian(&self) -> gimli::RunTimeEndian {
        self.endian
    }

    /// What reading expressions needs: address size, format and version.
    pub fn encoding(&self) -> gimli::Encoding {
        self.unit.header.encoding()
    }

    /// The size of an address, in bytes.
    pub fn address_size(&self) -> u8 {
        self.unit.header.address_size()
    }

    /// The reference of the unit's root DIE.
    pub fn root(&self) -> DieRef {
        self.die_ref(self.unit.header.root_offset())
    }
}
