//! What the root entry of a unit says of all of it (DWARF 5 §3.1): bases, folder, line program,
//! addresses, and the file with the rest where the unit is split.

use std::rc::Rc;

use gimli::{AttributeValue, DwAt, DwoId, Range, UnitType, constants as dw};

use super::{Entries, Error, Language, Slice};

/// The root entry, as far as addresses need it.
#[derive(Clone, Debug)]
pub struct Root<'a> {
    /// The source language.
    pub language: Language,
    /// The folder of the compilation.
    pub comp_dir: Option<&'a [u8]>,
    /// Where its line program is.
    pub line_program: Option<gimli::DebugLineOffset>,
    /// What a split unit and its skeleton have in common (DWARF 5 §7.3.2).
    pub dwo_id: Option<DwoId>,
    /// The file with the rest of the unit.
    pub split: Option<Split<'a>>,
    /// Where its code is.
    pub extent: Extent<'a>,
}

/// A file with the rest of a unit (DWARF 5 §3.1.2; GNU's DebugFission before it).
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    /// Its name as the compiler was told.
    pub name: &'a [u8],
    /// The id that its unit has to have.
    pub id: DwoId,
}

/// The addresses of an entry as written: a range, or a list of ranges (DWARF 5 §2.17).
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent<'a> {
    low: Option<AttributeValue<Slice<'a>>>,
    high: Option<AttributeValue<Slice<'a>>>,
    ranges: Option<AttributeValue<Slice<'a>>>,
}

impl<'a> Extent<'a> {
    /// Takes an attribute if it is about addresses.
    #[inline]
    pub fn take(&mut self, name: DwAt, value: AttributeValue<Slice<'a>>) {
        match name {
            dw::DW_AT_low_pc => self.low = Some(value),
            dw::DW_AT_high_pc => self.high = Some(value),
            dw::DW_AT_ranges => self.ranges = Some(value),
            _ => {}
        }
    }

    /// Whether the entry has no code.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_none() && (self.low.is_none() || self.high.is_none())
    }
}

impl<'a> Entries<'a> {
    /// Reads the root entry, and keeps its bases for what is read later.
    pub(super) fn read_root(&mut self) -> Result<Root<'a>, Error> {
        let file = Rc::clone(&self.file);
        let dwarf = &file.dwarf;
        let mut root = Root {
            language: Language::Other,
            comp_dir: None,
            line_program: None,
            split: None,
            dwo_id: None,
            extent: Extent::default(),
        };
        let entry = self.entry(self.root())?.ok_or(gimli::Error::MissingUnitDie)?;
        let (mut comp_dir, mut split_name) = (None, None);
        let mut id = match self.unit.header.type_() {
            UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id),
            _ => None,
        };
        let (mut str_offsets, mut addresses, mut range_lists) = (None, None, None);
        self.attributes(&entry, |name, value| {
            root.extent.take(name, value);
            match (name, value) {
                (dw::DW_AT_language, AttributeValue::Language(code)) => {
                    root.language = Language::of(code);
                }
                (dw::DW_AT_comp_dir, value) => comp_dir = Some(value),
                (dw::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => {
                    root.line_program = Some(offset);
                }
                (dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name, value) => split_name = Some(value),
                (dw::DW_AT_GNU_dwo_id, AttributeValue::DwoId(value)) => id = id.or(Some(value)),
                (dw::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => {
                    str_offsets = Some(base);
                }
                (
                    dw::DW_AT_addr_base | dw::DW_AT_GNU_addr_base,
                    AttributeValue::DebugAddrBase(base),
                ) => addresses = Some(base),
                (
                    dw::DW_AT_rnglists_base | dw::DW_AT_GNU_ranges_base,
                    AttributeValue::DebugRngListsBase(base),
                ) => range_lists = Some(base),
                _ => {}
            }
            Ok(())
        })?;
        self.unit.str_offsets_base = str_offsets.unwrap_or(self.unit.str_offsets_base);
        self.unit.addr_base = addresses.unwrap_or(self.unit.addr_base);
        self.unit.rnglists_base = range_lists.unwrap_or(self.unit.rnglists_base);
        self.unit.dwo_id = id;
        self.language = root.language;
        root.dwo_id = id;
        if let Some(low) = root.extent.low {
            self.unit.low_pc = dwarf.attr_address(&self.unit, low)?.unwrap_or(0);
        }
        let text = |value| dwarf.attr_string(&self.unit, value).ok().map(|text| text.slice());
        root.comp_dir = comp_dir.and_then(text);
        root.split = split_name.and_then(text).zip(id).map(|(name, id)| Split { name, id });
        Ok(root)
    }

    /// Shows the ranges of addresses that an entry has, except those that the linker has given up.
    /// Returns how many it has read: any number of entries can name one list.
    pub fn ranges(
        &self,
        extent: &Extent<'a>,
        mut visit: impl FnMut(Range),
    ) -> Result<usize, Error> {
        let dwarf = self.dwarf();
        if let Some(ranges) = extent.ranges {
            let mut read = 0;
            if let Some(mut ranges) = dwarf.attr_ranges(&self.unit, ranges)? {
                while let Some(range) = ranges.next()? {
                    read += 1;
                    if range.begin < range.end {
                        visit(range);
                    }
                }
            }
            return Ok(read);
        }
        let (Some(low), Some(high)) = (extent.low, extent.high) else { return Ok(0) };
        let Some(begin) = dwarf.attr_address(&self.unit, low)? else { return Ok(0) };
        let end = match high.udata_value() {
            // A constant is the size (DWARF 4 §2.17.2).
            Some(size) => begin.checked_add(size),
            None => dwarf.attr_address(&self.unit, high)?,
        };
        let tombstone = self.unit.header.is_tombstone_address(begin);
        if let Some(end) = end.filter(|end| begin < *end && !tombstone) {
            visit(Range { begin, end });
        }
        Ok(1)
    }
}
