//! How many bytes a type takes (DWARF 5 §5.1 to §5.13).

use std::fmt;

use gimli::{AttributeValue, DwAt, constants as dw};

use super::reader::{MAX_CHAIN, Reader, is_transparent};
use super::subscripts::Dimension;
use super::{Error, Size};
use crate::dwarf::Die;

/// One dimension of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extent {
    /// So many elements.
    Count(u64),
    /// `[]`: a flexible array member, or an array declared without a length.
    Flexible,
    /// Known at run time only.
    Dynamic,
}

impl Extent {
    /// The number of elements, where it is a constant.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Extent::Count(count) => Some(*count),
            Extent::Flexible | Extent::Dynamic => None,
        }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Count(count) => write!(f, "[{count}]"),
            Extent::Flexible => f.write_str("[]"),
            Extent::Dynamic => f.write_str("[*]"),
        }
    }
}

impl<'a> Reader<'_, 'a> {
    /// The size of a type. Zero-sized types are `Known(0)`; `[]` and variable lengths are dynamic.
    pub(super) fn size_of(&self, die: &Die<'a>) -> Result<Size, Error> {
        if let Some(bytes) = stated_size(die).filter(|_| !die.is_declaration()) {
            return Ok(Size::Known(bytes));
        }
        let mut current = self.completed(die.clone())?;
        let mut factor = 1_u64;
        for _ in 0..MAX_CHAIN {
            if let Some(bytes) = stated_size(&current) {
                return Ok(multiply(Size::Known(bytes), factor));
            }
            if current.is_dynamic(dw::DW_AT_byte_size) {
                return Ok(Size::Dynamic);
            }
            match current.tag() {
                dw::DW_TAG_pointer_type
                | dw::DW_TAG_reference_type
                | dw::DW_TAG_rvalue_reference_type => {
                    let size = Size::Known(current.unit().address_size().into());
                    return Ok(multiply(size, factor));
                }
                dw::DW_TAG_ptr_to_member_type => {
                    return Ok(multiply(self.pointer_to_member(&current)?, factor));
                }
                dw::DW_TAG_array_type => {
                    let Some(count) = self.elements(&current)? else { return Ok(Size::Dynamic) };
                    factor = factor.saturating_mul(count);
                    if let Some(stride) = stride(&current) {
                        let bits = stride.map(|bits| bits.saturating_mul(factor));
                        return Ok(bits.map_or(Size::Dynamic, |bits| Size::Known(bits.div_ceil(8))));
                    }
                }
                // `nullptr_t`, the only one that has values (C++17 §6.9.1).
                dw::DW_TAG_unspecified_type
                    if self.view.name(&current) == Some(b"decltype(nullptr)") =>
                {
                    let size = Size::Known(current.unit().address_size().into());
                    return Ok(multiply(size, factor));
                }
                // One without a size of its own has that of the type it is of.
                dw::DW_TAG_enumeration_type | dw::DW_TAG_subrange_type => {}
                tag if is_transparent(tag) => {}
                _ => return Ok(Size::Dynamic),
            }
            match self.type_of(&current)? {
                Some(next) => current = self.completed(next)?,
                None => return Ok(Size::Dynamic),
            }
        }
        Err(Error::TooDeep)
    }

    /// DWARF says no size here: a member's offset, or for a function its address and an adjustment
    /// of `this` (Itanium C++ ABI §2.3).
    fn pointer_to_member(&self, pointer: &Die<'a>) -> Result<Size, Error> {
        let target = self.type_of(pointer)?;
        let is_function = target.is_some_and(|die| die.tag() == dw::DW_TAG_subroutine_type);
        let words = if is_function { 2 } else { 1 };
        Ok(Size::Known(u64::from(pointer.unit().address_size()) * words))
    }

    /// How many elements an array has in all its dimensions; none where that is not a constant.
    pub(super) fn elements(&self, array: &Die<'a>) -> Result<Option<u64>, Error> {
        let extents = self.extents(array)?;
        Ok(extents.iter().try_fold(1, |all: u64, extent| Some(all.saturating_mul(extent.count()?))))
    }

    /// How many bits the elements of an array are from each other: they may be padded, and those of Ada
    /// packed.
    pub(super) fn spacing(&self, array: &Die<'a>, element: &Die<'a>) -> Result<Option<u64>, Error> {
        match stride(array) {
            Some(stride) => Ok(stride),
            None => Ok(self.size_of(element)?.known().map(|bytes| bytes.saturating_mul(8))),
        }
    }

    /// How large an array's dimensions are, in the order of the source.
    pub(super) fn extents(&self, array: &Die<'a>) -> Result<Vec<Extent>, Error> {
        Ok(self.dimensions(array)?.iter().map(|dimension| dimension.extent).collect())
    }

    /// An array's dimensions, in the order of the source (DWARF 5 §5.5, §5.13).
    pub(super) fn dimensions(&self, array: &Die<'a>) -> Result<Vec<Dimension>, Error> {
        let mut dimensions = Vec::new();
        for child in array.children() {
            self.count()?;
            let child = child?;
            match child.tag() {
                dw::DW_TAG_subrange_type | dw::DW_TAG_generic_subrange => {
                    dimensions.push(dimension(&child));
                }
                // An array indexed by an enum (Pascal, Ada) has an element for each value.
                dw::DW_TAG_enumeration_type => dimensions.push(counted_from_0(Extent::Dynamic)),
                _ => {}
            }
        }
        if dimensions.is_empty() {
            dimensions.push(counted_from_0(Extent::Flexible));
        }
        Ok(dimensions)
    }
}

/// DW_AT_byte_stride or DW_AT_bit_stride of an array (DWARF 5 §5.5), in bits; the inner none where it is no
/// constant.
fn stride(array: &Die<'_>) -> Option<Option<u64>> {
    if array.has(dw::DW_AT_byte_stride) {
        return Some(array.unsigned(dw::DW_AT_byte_stride).and_then(|bytes| bytes.checked_mul(8)));
    }
    array.has(dw::DW_AT_bit_stride).then(|| array.unsigned(dw::DW_AT_bit_stride))
}

fn multiply(size: Size, factor: u64) -> Size {
    match size {
        Size::Known(bytes) => Size::Known(bytes.saturating_mul(factor)),
        Size::Dynamic => Size::Dynamic,
    }
}

fn counted_from_0(extent: Extent) -> Dimension {
    Dimension { extent, lower: Some(0), is_usual: true }
}

fn dimension(range: &Die<'_>) -> Dimension {
    let usual = i128::from(range.unit().lower_bound());
    let lower = match range.has(dw::DW_AT_lower_bound) {
        true => bound(range, dw::DW_AT_lower_bound),
        false => Some(usual),
    };
    Dimension { extent: extent(range, lower), lower, is_usual: lower == Some(usual) }
}

fn extent(range: &Die<'_>, lower: Option<i128>) -> Extent {
    // A dimension with a stride of its own is a slice of another array (Fortran).
    if range.has(dw::DW_AT_byte_stride) || range.has(dw::DW_AT_bit_stride) {
        return Extent::Dynamic;
    }
    if let Some(count) = range.unsigned(dw::DW_AT_count) {
        return Extent::Count(count);
    }
    if range.is_dynamic(dw::DW_AT_count) || range.is_dynamic(dw::DW_AT_upper_bound) {
        return Extent::Dynamic;
    }
    let Some(lower) = lower else { return Extent::Dynamic };
    let upper = match range.raw(dw::DW_AT_upper_bound) {
        None => return Extent::Flexible,
        // GCC before 8 wrote the bound of `[0]` as −1 in four or eight unsigned bytes.
        Some(AttributeValue::Data4(u32::MAX) | AttributeValue::Data8(u64::MAX)) => -1,
        Some(_) => match bound(range, dw::DW_AT_upper_bound) {
            Some(upper) => upper,
            None => return Extent::Dynamic,
        },
    };
    u64::try_from((upper - lower + 1).max(0)).map_or(Extent::Dynamic, Extent::Count)
}

/// A bound that is a constant. Forms of a fixed size hold it unsigned: the 255 of `char [256]` is
/// the one byte 0xff.
pub(super) fn bound(range: &Die<'_>, name: DwAt) -> Option<i128> {
    let signed = || range.signed(name).map(i128::from);
    range.unsigned(name).map(i128::from).or_else(signed)
}

/// DW_AT_byte_size. Before DWARF 5, that of a text with a length of its own is the length's (DWARF 4 §5.9).
pub(super) fn stated_size(die: &Die<'_>) -> Option<u64> {
    let is_of_length = || {
        die.tag() == dw::DW_TAG_string_type
            && die.has(dw::DW_AT_string_length)
            && die.unit().encoding().version < 5
    };
    die.unsigned(dw::DW_AT_byte_size).filter(|_| !is_of_length())
}
