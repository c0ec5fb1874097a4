//! One unit of one file, ready to read DIEs of.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use gimli::{
    AttributeValue, DebugAddrBase, DebugLocListsBase, DebugRngListsBase, DebugStrOffset,
    DebugStrOffsetsBase, Reader, Section, Unit, UnitHeader, UnitOffset, constants as dw,
};
use memchr::memchr;

use super::file::FileView;
use super::plain_member::PlainMembers;
use super::scope::Scope;
use super::units::UnitEntry;
use super::{DieRef, Error, Language, Slice};

/// A unit, ready to read DIEs of.
#[derive(Debug)]
pub struct UnitView<'a> {
    pub(super) file: Rc<FileView<'a>>,
    pub(super) unit: Unit<Slice<'a>>,
    /// What starts with the unit's header.
    first: DieRef,
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
        let first = DieRef::new(file.id, entry.section, entry.start);
        Ok(UnitView {
            file,
            unit,
            first,
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
        text_at(self.dwarf().debug_str.reader().slice().get(offset.0..)?)
    }

    /// Names a DIE of this unit.
    #[inline]
    pub fn die_ref(&self, offset: UnitOffset) -> DieRef {
        self.first.plus(offset.0 as u64)
    }

    /// The sections it is read from.
    #[inline]
    pub(super) fn dwarf(&self) -> &gimli::Dwarf<Slice<'a>> {
        &self.file.dwarf
    }

    /// Whether a reference leads into this unit.
    #[inline]
    pub(super) fn holds(&self, die: DieRef) -> bool {
        (self.first..self.die_ref(self.end())).contains(&die)
    }

    /// The place in this unit of a DIE that is known to be in it.
    pub(super) fn offset_of(&self, die: DieRef) -> UnitOffset {
        UnitOffset(
            usize::try_from(die.offset().saturating_sub(self.first.offset())).unwrap_or(usize::MAX),
        )
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

/// A text up to its zero byte; none where there is none. Names are short: sixteen bytes are looked at together, and
/// a long text by those who know how.
#[inline]
pub(super) fn text_at(bytes: &[u8]) -> Option<&[u8]> {
    const LOW: u128 = u128::MAX / 0xff;
    const HIGH: u128 = LOW << 7;
    let mut start = 0;
    while start < 48
        && let Some(next) = bytes.get(start..).and_then(<[u8]>::first_chunk)
    {
        let word = u128::from_le_bytes(*next);
        // The top bit of each byte that is zero, and of none before the first.
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            return bytes.get(..start + (zeros.trailing_zeros() / 8) as usize);
        }
        start += 16;
    }
    bytes.get(..memchr(0, bytes)?)
}
