//! One unit's entries, read by their place: for passes over many, of which few are wanted.
//!
//! An entry that is not wanted is stepped over by the length its abbreviation has, its children by
//! DW_AT_sibling (DWARF 5 §2.3). What is wanted is decoded by gimli.

use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use gimli::{
    AttributeSpecification, AttributeValue, DebugAddrBase, DebugLocListsBase, DebugRngListsBase,
    DebugStrOffsetsBase, DwAt, DwForm, DwTag, Encoding, EntriesRaw, Reader, Section, SectionId,
    Unit, UnitHeader, UnitOffset, constants as dw,
};

use super::abbreviations::{
    Abbreviation, Abbreviations, Declared, Named, Sibling, Stride, short_uleb128,
};
use super::file::FileView;
use super::walk::MAX_DEPTH;
use super::{DieRef, DieSection, Error, FileId, Language, Slice};

/// A unit whose entries can be read.
#[derive(Debug)]
pub struct Entries<'a> {
    pub(super) unit: Unit<Slice<'a>>,
    pub(super) file: Rc<FileView<'a>>,
    pub(super) language: Language,
    /// The entries' bytes, of which the first is at the root's offset.
    pub(super) bytes: Slice<'a>,
    pub(super) abbreviations: Arc<Abbreviations>,
    debug_abbrev: Slice<'a>,
}

/// An entry that was met.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where it is in its unit.
    pub offset: UnitOffset,
    pub(super) abbreviation: Abbreviation,
    /// Where its attributes start.
    attributes: UnitOffset,
}

/// The name of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// At an offset of .debug_str.
    At(u32),
    /// This one.
    Text(&'a [u8]),
}

/// Where an entry refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into its own unit.
    Here(UnitOffset),
    /// Into another unit, or another file.
    There(DieRef),
}

/// gimli's reader of attributes wants a table of its own kind, though it does not look into it.
static NO_ABBREVIATIONS: LazyLock<Arc<gimli::Abbreviations>> = LazyLock::new(Arc::default);

impl<'a> Entries<'a> {
    /// A unit by its header. What its root says has still to be read.
    pub(super) fn new(
        view: &Rc<FileView<'a>>,
        header: UnitHeader<Slice<'a>>,
        abbreviations: Arc<Abbreviations>,
    ) -> Result<Entries<'a>, Error> {
        let (encoding, file) = (header.encoding(), view.dwarf.file_type);
        let bytes = header.range_from(header.root_offset()..)?;
        let unit = Unit {
            header,
            abbreviations: Arc::clone(&NO_ABBREVIATIONS),
            name: None,
            comp_dir: None,
            low_pc: 0,
            str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file),
            addr_base: DebugAddrBase(0),
            loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, file),
            rnglists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, file),
            line_program: None,
            dwo_id: None,
        };
        let debug_abbrev = *view.dwarf.debug_abbrev.reader();
        let file = Rc::clone(view);
        let language = Language::Other;
        Ok(Entries { unit, file, language, bytes, abbreviations, debug_abbrev })
    }

    /// Where the root entry is.
    pub fn root(&self) -> UnitOffset {
        self.unit.header.root_offset()
    }

    /// The offset past the last entry.
    pub fn end(&self) -> UnitOffset {
        UnitOffset(self.root().0 + self.bytes.len())
    }

    /// The entry at an offset; none for the one that ends a list of children, and at the unit's end,
    /// where producers leave that out.
    #[inline]
    pub fn entry(&self, offset: UnitOffset) -> Result<Option<Entry>, Error> {
        let mut input = self.from(offset)?;
        if input.is_empty() {
            return Ok(None);
        }
        let code = short_uleb128(&mut input)?;
        if code == 0 {
            return Ok(None);
        }
        let abbreviation = self.abbreviations.get(code);
        let abbreviation = *abbreviation.ok_or(gimli::Error::InvalidAbbreviationCode(code))?;
        let attributes = self.offset_of(input);
        Ok(Some(Entry { offset, abbreviation, attributes }))
    }

    /// Shows an entry's attributes as written, in order; the offset after them.
    #[inline]
    pub fn attributes(
        &self,
        entry: &Entry,
        mut visit: impl FnMut(DwAt, AttributeValue<Slice<'a>>) -> Result<(), Error>,
    ) -> Result<UnitOffset, Error> {
        let mut raw = self.raw(entry.attributes)?;
        for declared in self.abbreviations.attributes(self.debug_abbrev, &entry.abbreviation) {
            let attribute = raw.read_attribute_inline(declared)?;
            visit(attribute.name(), attribute.value())?;
        }
        Ok(raw.next_offset())
    }

    /// The offset after an entry's own attributes: of its first child, if it has any.
    #[inline]
    pub fn after(&self, entry: &Entry) -> Result<UnitOffset, Error> {
        let strides = self.abbreviations.strides(&entry.abbreviation);
        if let [Stride::Bytes(size)] = strides {
            return Ok(UnitOffset(entry.attributes.0 + usize::from(*size)));
        }
        let mut input = self.from(entry.attributes)?;
        for stride in strides {
            match *stride {
                Stride::Bytes(size) => input.skip(size.into())?,
                Stride::Leb => input.skip_leb128()?,
                Stride::Block => {
                    let length = input.read_uleb128()?;
                    input.skip(
                        usize::try_from(length).map_err(|_| gimli::Error::UnsupportedOffset)?,
                    )?;
                }
                Stride::Text => {
                    input.read_null_terminated_slice()?;
                }
                Stride::Value(form) => self.skip_value(&mut input, form)?,
            }
        }
        Ok(self.offset_of(input))
    }

    /// Steps over a value of a rare form.
    #[cold]
    fn skip_value(&self, input: &mut Slice<'a>, form: DwForm) -> Result<(), Error> {
        let offset = self.offset_of(*input);
        let mut raw = self.raw(offset)?;
        raw.skip_attributes(&[AttributeSpecification::new(dw::DW_AT_name, form, None)])?;
        *input = self.from(raw.next_offset())?;
        Ok(())
    }

    /// Where the rest of the unit begins.
    fn offset_of(&self, rest: Slice<'a>) -> UnitOffset {
        UnitOffset(self.end().0 - rest.len())
    }

    /// The offset after an entry and all below it.
    #[inline]
    pub fn after_children(&self, entry: &Entry) -> Result<UnitOffset, Error> {
        if !entry.has_children() {
            return self.after(entry);
        }
        let after = self.after(entry)?;
        match self.sibling_ahead(entry, after)? {
            Some(sibling) => Ok(sibling),
            None => self.skip_list(after),
        }
    }

    /// The name of an entry.
    #[inline]
    pub fn name(&self, entry: &Entry) -> Result<Option<Name<'a>>, Error> {
        let attribute = |at: u16| self.from(UnitOffset(entry.attributes.0 + usize::from(at)));
        Ok(match entry.abbreviation.named() {
            Named::No => None,
            Named::StrAt(at) => Some(Name::At(attribute(at)?.read_u32()?)),
            Named::TextAt(at) => {
                Some(Name::Text(attribute(at)?.read_null_terminated_slice()?.slice()))
            }
            Named::Somewhere => {
                let mut name = None;
                self.attributes(entry, |attribute, value| {
                    if attribute == dw::DW_AT_name {
                        name = Some(value);
                    }
                    Ok(())
                })?;
                name.and_then(|name| self.text(name)).map(Name::Text)
            }
        })
    }

    /// The text of a name in .debug_str; none where it is not there.
    pub fn name_at(&self, offset: u32) -> Option<&'a [u8]> {
        let offset = gimli::DebugStrOffset(offset as usize);
        Some(self.file.dwarf.debug_str.get_str(offset).ok()?.slice())
    }

    /// Whether an entry only says that something exists.
    #[inline]
    pub fn is_declaration(&self, entry: &Entry) -> Result<bool, Error> {
        match entry.abbreviation.declared() {
            Declared::No => return Ok(false),
            Declared::Always => return Ok(true),
            Declared::Somewhere => {}
        }
        let mut is_declaration = false;
        self.attributes(entry, |attribute, value| {
            if attribute == dw::DW_AT_declaration {
                is_declaration = value == AttributeValue::Flag(true);
            }
            Ok(())
        })?;
        Ok(is_declaration)
    }

    /// What DW_AT_sibling says of an entry whose attributes end at `after`, if it lies ahead.
    #[inline]
    pub(super) fn sibling_ahead(
        &self,
        entry: &Entry,
        after: UnitOffset,
    ) -> Result<Option<UnitOffset>, Error> {
        let sibling = self.sibling(entry, after)?;
        Ok(sibling.filter(|sibling| (after..self.end()).contains(sibling)))
    }

    /// What DW_AT_sibling says of an entry whose attributes end at `after`.
    #[inline]
    fn sibling(&self, entry: &Entry, after: UnitOffset) -> Result<Option<UnitOffset>, Error> {
        let offset = match entry.abbreviation.sibling() {
            Sibling::Absent => return Ok(None),
            Sibling::At(at) => UnitOffset(entry.attributes.0 + usize::from(at)),
            Sibling::Last => UnitOffset(after.0.saturating_sub(size_of::<u32>())),
            Sibling::Somewhere => return self.sibling_by_name(entry),
        };
        Ok(Some(UnitOffset(self.from(offset)?.read_u32()? as usize)))
    }

    #[cold]
    fn sibling_by_name(&self, entry: &Entry) -> Result<Option<UnitOffset>, Error> {
        let mut sibling = None;
        self.attributes(entry, |name, value| {
            if let (dw::DW_AT_sibling, AttributeValue::UnitRef(offset)) = (name, value) {
                sibling = Some(offset);
            }
            Ok(())
        })?;
        Ok(sibling)
    }

    /// Steps over a list of children, of which the first is at `offset`, and its end.
    fn skip_list(&self, mut offset: UnitOffset) -> Result<UnitOffset, Error> {
        let mut depth = 1;
        while depth > 0 {
            if depth > MAX_DEPTH {
                return Err(Error::TooDeep);
            }
            let Some(entry) = self.entry(offset)? else {
                if offset >= self.end() {
                    return Ok(offset);
                }
                depth -= 1;
                offset = self.after_null(offset);
                continue;
            };
            let after = self.after(&entry)?;
            let sibling = match entry.has_children() {
                true => self.sibling_ahead(&entry, after)?,
                false => None,
            };
            offset = match sibling {
                Some(sibling) => sibling,
                None => {
                    depth += u64::from(entry.has_children());
                    after
                }
            };
        }
        Ok(offset)
    }

    /// The offset after the entry that ends a list of children: one byte, as all producers write it.
    pub fn after_null(&self, offset: UnitOffset) -> UnitOffset {
        UnitOffset(offset.0 + 1).min(self.end())
    }

    /// The sections it is read from.
    pub fn dwarf(&self) -> &gimli::Dwarf<Slice<'a>> {
        &self.file.dwarf
    }

    /// The language of the unit.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The file it is in.
    pub fn file(&self) -> FileId {
        self.file.id
    }

    /// A reference to the entry at an offset.
    pub fn die_ref(&self, offset: UnitOffset) -> DieRef {
        let header = &self.unit.header;
        let section = match header.section() {
            SectionId::DebugTypes => DieSection::Types,
            _ => DieSection::Info,
        };
        let start = header.offset().0;
        DieRef::new(self.file.id, section, start.saturating_add(offset.0) as u64)
    }

    /// Whether the lower bytes of numbers come first.
    #[inline]
    pub fn is_little_endian(&self) -> bool {
        self.bytes.endian() == gimli::RunTimeEndian::Little
    }

    /// How an entry's attributes are declared, in order.
    pub fn declared(
        &self,
        entry: &Entry,
    ) -> impl Iterator<Item = AttributeSpecification> + use<'a> {
        self.abbreviations.attributes(self.debug_abbrev, &entry.abbreviation)
    }

    /// How an entry's attributes are declared, as it stands in .debug_abbrev.
    pub fn declaration(&self, entry: &Entry) -> Option<&'a [u8]> {
        self.abbreviations.declaration(self.debug_abbrev, &entry.abbreviation)
    }

    /// The bytes of the entries, from the root on.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes.slice()
    }

    /// Takes over what only the skeleton of a split unit says (DWARF 5 §3.1.3).
    pub(super) fn take_bases(&mut self, skeleton: &Entries<'a>) {
        self.unit.copy_relocated_attributes(&skeleton.unit);
    }

    /// The unit's encoding: address size, format and version.
    pub fn encoding(&self) -> Encoding {
        self.unit.header.encoding()
    }

    /// The text of an attribute; none where it is no text.
    pub fn text(&self, value: AttributeValue<Slice<'a>>) -> Option<&'a [u8]> {
        Some(self.file.dwarf.attr_string(&self.unit, value).ok()?.slice())
    }

    /// Where a reference leads; none where it is no reference.
    pub fn target(&self, value: AttributeValue<Slice<'a>>) -> Option<Target> {
        let there =
            |file, offset: usize| Target::There(DieRef::new(file, DieSection::Info, offset as u64));
        Some(match value {
            AttributeValue::UnitRef(offset) => Target::Here(offset),
            AttributeValue::DebugInfoRef(offset) => there(self.file.id, offset.0),
            AttributeValue::DebugInfoRefSup(offset) => there(FileId::Supplement, offset.0),
            _ => return None,
        })
    }

    fn raw(&self, offset: UnitOffset) -> Result<EntriesRaw<'_, Slice<'a>>, Error> {
        let encoding = self.unit.header.encoding();
        Ok(EntriesRaw::new(self.from(offset)?, encoding, &self.unit.abbreviations, offset))
    }

    #[inline]
    fn from(&self, offset: UnitOffset) -> Result<Slice<'a>, Error> {
        let mut input = self.bytes;
        let skipped = offset.0.checked_sub(self.root().0);
        input.skip(skipped.ok_or(gimli::Error::OffsetOutOfBounds(offset.0 as u64))?)?;
        Ok(input)
    }
}

impl Entry {
    /// What it describes.
    #[inline]
    pub fn tag(&self) -> DwTag {
        self.abbreviation.tag()
    }

    /// Whether it may say where its code is.
    #[inline]
    pub fn has_code(&self) -> bool {
        self.abbreviation.has_code()
    }

    /// Whether a list of children follows it.
    #[inline]
    pub fn has_children(&self) -> bool {
        self.abbreviation.has_children()
    }
}
