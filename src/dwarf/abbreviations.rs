//! The abbreviations of a unit (DWARF 5 §7.5.3), as a pass over many entries wants them: how far to
//! step over an entry, and where it says that its sibling is.
//!
//! Of each declaration twelve bytes are kept; its attributes stay in .debug_abbrev and are read from
//! there by those who want them. A kernel has half a million declarations in three thousand tables.

use gimli::{AttributeSpecification, DwAt, DwForm, DwTag, Reader, UnitHeader, constants as dw};
use rustc_hash::FxHashMap;

use super::{Error, Slice};

/// More attributes than this are damage: producers write thirty at most.
const MAX_ATTRIBUTES: usize = 1000;

/// The declarations of one table, for units of one encoding.
#[derive(Debug)]
pub(super) struct Abbreviations {
    /// Where the table starts in .debug_abbrev.
    offset: usize,
    /// By code less one: producers number from 1 on.
    dense: Vec<Abbreviation>,
    /// Those numbered otherwise.
    others: FxHashMap<u64, Abbreviation>,
}

/// One declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abbreviation {
    /// Bytes from the start of the table to its attributes.
    attributes: u32,
    tag: DwTag,
    has_children: bool,
    size: Size,
    sibling: Sibling,
}

/// How many bytes an entry's attributes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Always(u16),
    Varies,
}

/// Where among an entry's attributes DW_AT_sibling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sibling {
    Absent,
    /// So many bytes on, as DW_FORM_ref4.
    At(u16),
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
        let mut table = Abbreviations { offset, dense: Vec::new(), others: FxHashMap::default() };
        while !input.is_empty() {
            let code = input.read_uleb128()?;
            if code == 0 {
                break;
            }
            let tag = DwTag(input.read_uleb128_u16()?);
            let has_children = input.read_u8()? != dw::DW_CHILDREN_no.0;
            let attributes = u32::try_from(length - input.len());
            let attributes = attributes.map_err(|_| gimli::Error::UnsupportedOffset)?;
            let (size, sibling) = measure(&mut input, header)?;
            let abbreviation = Abbreviation { attributes, tag, has_children, size, sibling };
            if code == table.dense.len() as u64 + 1 {
                table.dense.push(abbreviation);
            } else {
                table.others.entry(code).or_insert(abbreviation);
            }
        }
        table.dense.shrink_to_fit();
        Ok(table)
    }

    /// The declaration with this code.
    #[inline]
    pub(super) fn get(&self, code: u64) -> Option<&Abbreviation> {
        let position = usize::try_from(code.wrapping_sub(1)).ok();
        position.and_then(|at| self.dense.get(at)).or_else(|| self.others.get(&code))
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

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.dense.capacity() + 2 * self.others.capacity()) * size_of::<Abbreviation>()
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

    /// How many bytes the attributes take, if always the same.
    #[inline]
    pub(super) fn size(&self) -> Option<usize> {
        match self.size {
            Size::Always(size) => Some(usize::from(size)),
            Size::Varies => None,
        }
    }

    /// How many bytes on the four bytes of DW_AT_sibling are, if always the same.
    #[inline]
    pub(super) fn sibling_at(&self) -> Option<usize> {
        match self.sibling {
            Sibling::At(at) => Some(usize::from(at)),
            Sibling::Absent | Sibling::Somewhere => None,
        }
    }

    /// Whether such entries say where their sibling is.
    pub(super) fn has_sibling(&self) -> bool {
        self.sibling != Sibling::Absent
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

/// One attribute's declaration; none at the end of the list.
#[inline]
fn attribute(input: &mut Slice<'_>) -> gimli::Result<Option<AttributeSpecification>> {
    let name = input.read_uleb128_u16()?;
    let form = DwForm(input.read_uleb128_u16()?);
    match (name, form.0) {
        (0, 0) => return Ok(None),
        (0, _) => return Err(gimli::Error::AttributeNameZero),
        (_, 0) => return Err(gimli::Error::AttributeFormZero),
        _ => {}
    }
    let implicit = match form {
        dw::DW_FORM_implicit_const => Some(input.read_sleb128()?),
        _ => None,
    };
    Ok(Some(AttributeSpecification::new(DwAt(name), form, implicit)))
}

/// Reads a list of attributes to its end.
fn measure(
    input: &mut Slice<'_>,
    header: &UnitHeader<Slice<'_>>,
) -> Result<(Size, Sibling), Error> {
    let mut size = Some(0_u16);
    let mut sibling = Sibling::Absent;
    let mut count = 0;
    while let Some(attribute) = attribute(input)? {
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(Error::TooManyAttributes(count));
        }
        if attribute.name() == dw::DW_AT_sibling {
            sibling = match (attribute.form(), size) {
                (dw::DW_FORM_ref4, Some(at)) => Sibling::At(at),
                _ => Sibling::Somewhere,
            };
        }
        let next = attribute.size(header).and_then(|next| u16::try_from(next).ok());
        size = size.zip(next).and_then(|(size, next)| size.checked_add(next));
    }
    Ok((size.map_or(Size::Varies, Size::Always), sibling))
}
