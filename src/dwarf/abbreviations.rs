//! The abbreviations of a unit (DWARF 5 §7.5.3), as a pass over many entries wants them: how far to
//! step over an entry, and where it says that its sibling is.
//!
//! Of each declaration some twenty bytes are kept; its attributes stay in .debug_abbrev and are read
//! from there by those who want them. A kernel has half a million declarations in three thousand tables.

use gimli::{
    AttributeSpecification, DwAt, DwForm, DwTag, Format, Reader, UnitHeader, constants as dw,
};
use rustc_hash::FxHashMap;

use super::pass::Pace;
use super::{Error, Slice};

/// More attributes than this are damage: producers write thirty at most.
const MAX_ATTRIBUTES: usize = 1000;

/// A unit of C has so many, or a few more.
const EXPECTED: usize = 128;

/// The declarations of one table, for units of one encoding.
#[derive(Debug)]
pub(super) struct Abbreviations {
    /// Where the table starts in .debug_abbrev.
    offset: usize,
    /// By code less one: producers number from 1 on.
    dense: Vec<Abbreviation>,
    /// How a pass over all types steps over the entries of each, by code.
    paces: Vec<Pace>,
    /// Those numbered otherwise.
    others: FxHashMap<u64, Abbreviation>,
    /// How to step over the attributes of each, one behind another.
    strides: Vec<Stride>,
}

/// One declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abbreviation {
    /// Bytes from the start of the table to its attributes.
    attributes: u32,
    /// How many bytes those take, with the zeros that end them.
    length: u32,
    /// The position of its first stride.
    strides: u32,
    stride_count: u16,
    /// What the attributes take, where that is always the same.
    size: Option<u16>,
    tag: DwTag,
    sibling: Sibling,
    named: Named,
    declared: Declared,
    has_children: bool,
    has_code: bool,
}

/// How to step over some attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stride {
    /// So many bytes.
    Bytes(u16),
    /// A number in LEB128, seven bits a byte.
    Leb,
    /// A block of bytes behind its length in LEB128.
    Block,
    /// A text up to its zero byte.
    Text,
    /// A value of this form, as gimli reads it.
    Value(DwForm),
}

/// Where among an entry's attributes DW_AT_name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    No,
    /// So many bytes on, as DW_FORM_strp of four bytes.
    StrAt(u16),
    /// So many bytes on, as DW_FORM_string.
    TextAt(u16),
    /// Behind attributes whose size varies, or in another form.
    Somewhere,
}

/// Whether entries have DW_AT_declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    No,
    /// As DW_FORM_flag_present.
    Always,
    /// Each for itself.
    Somewhere,
}

/// Where among an entry's attributes DW_AT_sibling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sibling {
    Absent,
    /// So many bytes on, as DW_FORM_ref4.
    At(u16),
    /// The last one, as DW_FORM_ref4, which is where GCC puts it.
    Last,
    /// Behind attributes whose size varies, or in another form.
    Somewhere,
}

impl Abbreviations {
    /// Reads the table at an offset of .debug_abbrev. Sizes depend on the unit's encoding.
    pub(super) fn read(
        section: Slice<'_>,
        offset: usize,
        header: &UnitHeader<Slice<'_>>,
    ) -> Result<Abbreviations, Error> {
        let mut input = section;
        input.skip(offset)?;
        let length = input.len();
        let sizes = Sizes::of(header);
        let mut table = Abbreviations {
            offset,
            dense: Vec::with_capacity(EXPECTED),
            paces: Vec::with_capacity(EXPECTED),
            others: FxHashMap::default(),
            strides: Vec::with_capacity(EXPECTED * 2),
        };
        table.paces.push(Pace::NULL);
        while !input.is_empty() {
            let code = short_uleb128(&mut input)?;
            if code == 0 {
                break;
            }
            let tag = short_uleb128(&mut input)?;
            let tag = u16::try_from(tag).map_err(|_| gimli::Error::BadUnsignedLeb128)?;
            let tag = DwTag(tag);
            let has_children = input.read_u8()? != dw::DW_CHILDREN_no.0;
            let attributes = u32::try_from(length - input.len());
            let attributes = attributes.map_err(|_| gimli::Error::UnsupportedOffset)?;
            let strides = table.strides.len() as u32;
            let measured = measure(&mut input, header, &sizes, &mut table.strides)?;
            let stride_count = table.strides.len() - strides as usize;
            let end = u32::try_from(length - input.len());
            let end = end.map_err(|_| gimli::Error::UnsupportedOffset)?;
            let abbreviation = Abbreviation {
                attributes,
                length: end - attributes,
                strides,
                stride_count: stride_count as u16,
                size: measured.size,
                tag,
                sibling: measured.sibling,
                named: measured.named,
                declared: measured.declared,
                has_children,
                has_code: measured.has_code,
            };
            if code == table.dense.len() as u64 + 1 {
                let strides = table.strides.get(strides as usize..).unwrap_or_default();
                table.paces.push(Pace::of(&abbreviation, strides));
                table.dense.push(abbreviation);
            } else {
                table.others.entry(code).or_insert(abbreviation);
            }
        }
        Ok(table)
    }

    /// The declaration with this code.
    #[inline]
    pub(super) fn get(&self, code: u64) -> Option<&Abbreviation> {
        let position = usize::try_from(code.wrapping_sub(1)).ok();
        position.and_then(|at| self.dense.get(at)).or_else(|| self.others.get(&code))
    }

    /// How a pass over all types steps over entries, by their code.
    #[inline]
    pub(super) fn paces(&self) -> &[Pace] {
        &self.paces
    }

    /// The attributes of a declaration, read from the section it is in.
    pub(super) fn attributes<'a>(
        &self,
        section: Slice<'a>,
        abbreviation: &Abbreviation,
    ) -> Attributes<'a> {
        let mut input = section;
        let skipped = input.skip(self.offset + abbreviation.attributes as usize);
        Attributes { input: skipped.is_ok().then_some(input) }
    }

    /// The same, as they are written.
    pub(super) fn declaration<'a>(
        &self,
        section: Slice<'a>,
        abbreviation: &Abbreviation,
    ) -> Option<&'a [u8]> {
        let start = self.offset + abbreviation.attributes as usize;
        section.slice().get(start..start + abbreviation.length as usize)
    }

    /// How to step over the attributes of a declaration.
    #[inline]
    pub(super) fn strides(&self, abbreviation: &Abbreviation) -> &[Stride] {
        let first = abbreviation.strides as usize;
        let strides = self.strides.get(first..first + usize::from(abbreviation.stride_count));
        strides.unwrap_or_default()
    }

    /// Gives up the memory that it has too much of.
    pub(super) fn shrink(&mut self) {
        self.dense.shrink_to_fit();
        self.paces.shrink_to_fit();
        self.strides.shrink_to_fit();
    }

    /// Bytes of memory that it needs.
    pub(super) fn bytes(&self) -> usize {
        (self.dense.len() + 2 * self.others.capacity()) * size_of::<Abbreviation>()
            + self.paces.len() * size_of::<Pace>()
            + self.strides.len() * size_of::<Stride>()
    }
}

impl Abbreviation {
    /// What such entries describe.
    #[inline]
    pub(super) fn tag(&self) -> DwTag {
        self.tag
    }

    /// Whether such entries own the list of children that follows them.
    #[inline]
    pub(super) fn has_children(&self) -> bool {
        self.has_children
    }

    /// Whether such entries say where code is.
    #[inline]
    pub(super) fn has_code(&self) -> bool {
        self.has_code
    }

    /// Bytes that the attributes take; none where that depends on their values.
    #[inline]
    pub(super) fn size(&self) -> Option<u16> {
        self.size
    }

    /// Where DW_AT_name is.
    #[inline]
    pub(super) fn named(&self) -> Named {
        self.named
    }

    /// Whether DW_AT_declaration is there.
    #[inline]
    pub(super) fn declared(&self) -> Declared {
        self.declared
    }

    /// Where DW_AT_sibling is.
    #[inline]
    pub(super) fn sibling(&self) -> Sibling {
        self.sibling
    }
}

/// The attributes of one declaration, in order.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    input: Option<Slice<'a>>,
}

impl Iterator for Attributes<'_> {
    type Item = AttributeSpecification;

    #[inline]
    fn next(&mut self) -> Option<AttributeSpecification> {
        // They were read without an error when the table was.
        let attribute = attribute(self.input.as_mut()?);
        attribute.ok().flatten()
    }
}

/// A number that mostly takes one byte.
#[inline]
pub(super) fn short_uleb128(input: &mut Slice<'_>) -> gimli::Result<u64> {
    match input.slice().first() {
        Some(&byte) if byte < 0x80 => {
            input.skip(1)?;
            Ok(byte.into())
        }
        _ => input.read_uleb128(),
    }
}

/// A number of two bytes at most.
fn number(input: &mut Slice<'_>) -> gimli::Result<u16> {
    u16::try_from(input.read_uleb128()?).map_err(|_| gimli::Error::BadUnsignedLeb128)
}

/// How many bytes values of each form take, in units of one encoding; the largest number
/// where it varies.
struct Sizes([u8; FORMS]);

/// Those of DWARF 5 are below (§7.5.6); the others are rare.
const FORMS: usize = 0x2d;

impl Sizes {
    fn of(header: &UnitHeader<Slice<'_>>) -> Sizes {
        Sizes(std::array::from_fn(|form| {
            let size = size_of_form(DwForm(form as u16), header);
            size.and_then(|size| u8::try_from(size).ok()).unwrap_or(u8::MAX)
        }))
    }

    #[inline]
    fn of_form(&self, form: DwForm, header: &UnitHeader<Slice<'_>>) -> Option<u16> {
        match self.0.get(usize::from(form.0)) {
            Some(&u8::MAX) => None,
            Some(size) => Some((*size).into()),
            None => size_of_form(form, header),
        }
    }
}

/// How many bytes values of a form take; none where it varies.
fn size_of_form(form: DwForm, header: &UnitHeader<Slice<'_>>) -> Option<u16> {
    let implicit = (form == dw::DW_FORM_implicit_const).then_some(0);
    let size = AttributeSpecification::new(dw::DW_AT_name, form, implicit).size(header);
    size.and_then(|size| u16::try_from(size).ok())
}

/// One attribute's declaration; none at the end of the list.
#[inline]
fn attribute(input: &mut Slice<'_>) -> gimli::Result<Option<AttributeSpecification>> {
    let Some((name, form)) = name_and_form(input)? else { return Ok(None) };
    let implicit = match form {
        dw::DW_FORM_implicit_const => Some(input.read_sleb128()?),
        _ => None,
    };
    Ok(Some(AttributeSpecification::new(name, form, implicit)))
}

/// The same, but for the value that may be in it.
#[inline(always)]
fn name_and_form(input: &mut Slice<'_>) -> gimli::Result<Option<(DwAt, DwForm)>> {
    let (name, form) = match *input.slice() {
        [name, form, ..] if (name | form) < 0x80 => {
            input.skip(2)?;
            (name.into(), form.into())
        }
        _ => (number(input)?, number(input)?),
    };
    match (name, form) {
        (0, 0) => Ok(None),
        (0, _) => Err(gimli::Error::AttributeNameZero),
        (_, 0) => Err(gimli::Error::AttributeFormZero),
        _ => Ok(Some((DwAt(name), DwForm(form)))),
    }
}

/// What a list of attributes is found to have.
struct Measured {
    size: Option<u16>,
    sibling: Sibling,
    named: Named,
    declared: Declared,
    has_code: bool,
}

/// Reads a list of attributes to its end, and how to step over their values.
fn measure(
    input: &mut Slice<'_>,
    header: &UnitHeader<Slice<'_>>,
    sizes: &Sizes,
    strides: &mut Vec<Stride>,
) -> Result<Measured, Error> {
    let mut measured = Measured {
        size: None,
        sibling: Sibling::Absent,
        named: Named::No,
        declared: Declared::No,
        has_code: false,
    };
    // How far the next value is from the first, while that is always the same.
    let mut distance = Some(0_u16);
    // The bytes of values since the last whose size varies.
    let mut fixed = None;
    let (mut count, mut sibling) = (0, 0);
    while let Some((name, form)) = name_and_form(input)? {
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(Error::TooManyAttributes(count));
        }
        if form == dw::DW_FORM_implicit_const {
            input.read_sleb128()?;
        }
        match name {
            dw::DW_AT_sibling => {
                sibling = count;
                measured.sibling = match (form, distance) {
                    (dw::DW_FORM_ref4, Some(at)) => Sibling::At(at),
                    (dw::DW_FORM_ref4, None) => Sibling::Last,
                    _ => Sibling::Somewhere,
                };
            }
            dw::DW_AT_name => {
                measured.named = match (form, distance, header.format()) {
                    (dw::DW_FORM_strp, Some(at), Format::Dwarf32) => Named::StrAt(at),
                    (dw::DW_FORM_string, Some(at), _) => Named::TextAt(at),
                    _ => Named::Somewhere,
                };
            }
            dw::DW_AT_declaration => {
                measured.declared = match form {
                    dw::DW_FORM_flag_present => Declared::Always,
                    _ => Declared::Somewhere,
                };
            }
            dw::DW_AT_low_pc | dw::DW_AT_ranges => measured.has_code = true,
            _ => {}
        }
        match sizes.of_form(form, header) {
            Some(size) => {
                distance = distance.and_then(|at| at.checked_add(size));
                fixed = Some(size.saturating_add(fixed.unwrap_or(0)));
            }
            None => {
                distance = None;
                strides.extend(fixed.take().map(Stride::Bytes));
                strides.push(Stride::of(form));
            }
        }
    }
    strides.extend(fixed.map(Stride::Bytes));
    if measured.sibling == Sibling::Last && sibling < count {
        measured.sibling = Sibling::Somewhere;
    }
    measured.size = distance;
    Ok(measured)
}

impl Stride {
    /// Over a value whose size depends on it (DWARF 5 §7.5.5).
    fn of(form: DwForm) -> Stride {
        match form {
            dw::DW_FORM_udata
            | dw::DW_FORM_sdata
            | dw::DW_FORM_ref_udata
            | dw::DW_FORM_strx
            | dw::DW_FORM_addrx
            | dw::DW_FORM_loclistx
            | dw::DW_FORM_rnglistx => Stride::Leb,
            dw::DW_FORM_exprloc | dw::DW_FORM_block => Stride::Block,
            dw::DW_FORM_string => Stride::Text,
            form => Stride::Value(form),
        }
    }
}
