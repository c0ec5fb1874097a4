//! One unit of one file, ready to read DIEs of.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use gimli::{
    AttributeValue, DebugAddrBase, DebugLocListsBase, DebugRngListsBase, DebugStrOffset,
    DebugStrOffsetsBase, Reader, Unit, UnitHeader, UnitOffset, constants as dw,
};

use super::file::FileView;
use super::plain_member::PlainMembers;
use super::scope::Scope;
use super::units::UnitEntry;
use super::{DieRef, DieSection, Error, Language, Slice};

/// A unit, ready to read DIEs of.
#[derive(Debug)]
pub struct UnitView<'a> {
    pub(super) file: Rc<FileView<'a>>,
    pub(super) unit: Unit<Slice<'a>>,
    section: DieSection,
    start: u64,
    language: Language,
    lower_bound: u8,
    endian: gimli::RunTimeEndian,
    pub(super) line_offset: Option<gimli::DebugLineOffset>,
    pub(super) scopes: OnceCell<Vec<Scope<'a>>>,
    pub(super) plain_members: PlainMembers,
}

impl<'a> UnitView<'a> {
    /// Reads of the root DIE what reading the others needs. gimli's own `Unit::new` would also
    /// parse the line program's header, which few questions need.
    pub(super) fn new(
        file: Rc<FileView<'a>>,
        entry: &UnitEntry,
        header: UnitHeader<Slice<'a>>,
        abbreviations: Arc<gimli::Abbreviations>,
    ) -> Result<UnitView<'a>, Error> {
        let root = header.entry(&abbreviations, header.root_offset())?;
        let encoding = header.encoding();
        let endian = header.range_from(header.root_offset()..)?.endian();
        let str_offsets_base = match root.attr_value(dw::DW_AT_str_offsets_base) {
            Some(AttributeValue::DebugStrOffsetsBase(base)) => base,
            _ => DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file.dwarf.file_type),
        };
        let (language, lower_bound) = match root.attr_value(dw::DW_AT_language) {
            Some(AttributeValue::Language(code)) => {
                (Language::of(code), u8::from(code.default_lower_bound() == Some(1)))
            }
            _ => (Language::Other, 0),
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
            file,
            unit,
            section,
            start,
            language,
            lower_bound,
            endian,
            line_offset,
            scopes: OnceCell::new(),
            plain_members: PlainMembers::default(),
        })
    }

    /// The source language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The index of an array's first element, where it does not say: 1 in Fortran, Ada and their like
    /// (DWARF 5 §7.12).
    pub fn lower_bound(&self) -> u8 {
        self.lower_bound
    }

    /// The first offset past the unit's last DIE, from the unit's start.
    pub(super) fn end(&self) -> UnitOffset {
        UnitOffset(self.unit.header.length_including_self())
    }

    /// The text at an offset of .debug_str.
    #[inline]
    pub fn string_at(&self, offset: DebugStrOffset) -> Option<&'a [u8]> {
        Some(self.dwarf().debug_str.get_str(offset).ok()?.slice())
    }

    /// Names a DIE of this unit.
    #[inline]
    pub fn die_ref(&self, offset: UnitOffset) -> DieRef {
        let offset = self.start.saturating_add(offset.0 as u64);
        DieRef::new(self.file.id, self.section, offset)
    }

    /// The sections it is read from.
    pub(super) fn dwarf(&self) -> &gimli::Dwarf<Slice<'a>> {
        &self.file.dwarf
    }

    /// Whether a reference leads into this unit.
    pub(super) fn holds(&self, die: DieRef) -> bool {
        let end = self.start.saturating_add(self.end().0 as u64);
        die.file() == self.file.id
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
