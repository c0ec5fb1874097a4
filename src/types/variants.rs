//! Which variants may be there, and with which values of the discriminant (DWARF 5 §5.7.10): enums of
//! Rust that hold data, variant records of Ada and Pascal.

use std::ops::RangeInclusive;

use gimli::{AttributeValue, DwAt, Reader as _, RunTimeEndian, constants as dw};

use super::reader::{MAX_CHAIN, Reader};
use super::subrange::Subrange;
use super::{Error, Size, Variant};
use crate::dwarf::{Die, Slice};

/// A variant part: its variants overlap, and its discriminant tells which one is there.
#[derive(Debug)]
pub(super) struct VariantPart<'a> {
    /// The member that is the discriminant; none where it is not kept (a Pascal record without a tag).
    pub(super) discriminant: Option<Die<'a>>,
    /// The same where it is in the part itself; GNAT's is a member of the record around.
    pub(super) own: Option<Die<'a>>,
    /// Whether its values may be negative.
    pub(super) is_signed: bool,
    /// The range that they are of, if they are.
    pub(super) range: Option<Subrange<'a>>,
    /// Each variant, with when it is there; none where that cannot be read.
    pub(super) variants: Vec<(Die<'a>, Option<Variant>)>,
}

/// How the values of a discriminant are written.
#[derive(Clone, Copy, Debug)]
struct Tag {
    is_signed: bool,
    bytes: u64,
}

impl<'a> VariantPart<'a> {
    /// The variants that are there with a value of the discriminant: the one that lists it, else the one
    /// for all others.
    pub(super) fn chosen(&self, value: i128) -> impl Iterator<Item = &Die<'a>> {
        let of = move |wanted: fn(&Variant, i128) -> bool| {
            let is_it = move |(_, when): &&(Die<'a>, Option<Variant>)| {
                when.as_ref().is_some_and(|when| wanted(when, value))
            };
            self.variants.iter().filter(is_it).map(|(die, _)| die)
        };
        let mut listed = of(Variant::lists).peekable();
        let is_listed = listed.peek().is_some();
        listed.chain(of(|when, _| *when == Variant::Otherwise).filter(move |_| !is_listed))
    }
}

impl<'a> Reader<'_, 'a> {
    /// Reads a DW_TAG_variant_part.
    pub(super) fn variant_part(&self, part: &Die<'a>) -> Result<VariantPart<'a>, Error> {
        let (mut own, mut variants) = (None, Vec::new());
        for child in part.children() {
            self.count()?;
            let child = child?;
            match child.tag() {
                dw::DW_TAG_member => own = Some(child),
                dw::DW_TAG_variant => variants.push(child),
                _ => {}
            }
        }
        let discriminant = match self.view.reference(part, dw::DW_AT_discr)? {
            Some(at) => Some(self.die_from(part, at)?).filter(|die| die.tag() == dw::DW_TAG_member),
            None => own.clone(),
        };
        // Without a discriminant the part itself has its type.
        let tag = self.tag_of(discriminant.as_ref().unwrap_or(part))?;
        let with_condition = |variant: Die<'a>| {
            let when = self.when(&variant, tag)?;
            Ok((variant, when))
        };
        let variants = variants.into_iter().map(with_condition).collect::<Result<_, Error>>()?;
        let typed = discriminant.as_ref().map(|die| self.type_of(die)).transpose()?.flatten();
        let typed = typed.map(|die| self.underlying(die)).transpose()?.flatten();
        let range = typed.map(|die| self.range(&die)).transpose()?.flatten();
        Ok(VariantPart { discriminant, own, is_signed: tag.is_signed, range, variants })
    }

    /// How the values of a member, or of a variant part, are written.
    fn tag_of(&self, typed: &Die<'a>) -> Result<Tag, Error> {
        let mut current = self.type_of(typed)?;
        let size = current.as_ref().map(|die| self.size_of(die)).transpose()?;
        let bytes = size.and_then(Size::known).unwrap_or(8);
        // Of an enumeration and of a subrange, the type behind has an encoding (DWARF 5 §5.9, §5.13).
        for _ in 0..MAX_CHAIN {
            let Some(die) = current else { break };
            if let Some(code) = die.unsigned(dw::DW_AT_encoding) {
                let code = u8::try_from(code).map(dw::DwAte);
                let signed = [dw::DW_ATE_signed, dw::DW_ATE_signed_char, dw::DW_ATE_signed_fixed];
                return Ok(Tag { is_signed: code.is_ok_and(|code| signed.contains(&code)), bytes });
            }
            current = self.type_of(&die)?;
        }
        Ok(Tag { is_signed: false, bytes })
    }

    /// With which values of the discriminant a variant is there; none where it says so in a way that
    /// cannot be read.
    fn when(&self, variant: &Die<'a>, tag: Tag) -> Result<Option<Variant>, Error> {
        if variant.has(dw::DW_AT_discr_value) {
            let value = constant(variant, dw::DW_AT_discr_value, tag);
            return Ok(value.map(|value| Variant::Values(vec![value..=value])));
        }
        match variant.raw(dw::DW_AT_discr_list) {
            None => Ok(Some(Variant::Otherwise)),
            Some(AttributeValue::Block(list)) => self.listed(list, tag),
            Some(_) => Ok(None),
        }
    }

    /// DW_AT_discr_list: labels and ranges, each behind a byte that says which; none of them where the
    /// variant is there with all other values.
    fn listed(&self, mut list: Slice<'a>, tag: Tag) -> Result<Option<Variant>, Error> {
        if list.is_empty() {
            return Ok(Some(Variant::Otherwise));
        }
        let mut values = Vec::new();
        while !list.is_empty() {
            self.count_members(1)?;
            let Some(range) = range(&mut list, tag) else { return Ok(None) };
            values.push(range);
        }
        Ok(Some(Variant::Values(values)))
    }
}

/// The next item of a list.
fn range(list: &mut Slice<'_>, tag: Tag) -> Option<RangeInclusive<i128>> {
    let descriptor = dw::DwDsc(list.read_u8().ok()?);
    let mut value = || match tag.is_signed {
        true => list.read_sleb128().ok().map(i128::from),
        false => list.read_uleb128().ok().map(i128::from),
    };
    match descriptor {
        dw::DW_DSC_label => value().map(|value| value..=value),
        dw::DW_DSC_range => Some(value()?..=value()?),
        _ => None,
    }
}

/// A constant of the discriminant's type. A form of a fixed size does not say whether it is signed:
/// DW_FORM_data1 0xff is −1 of an `i8`.
fn constant(variant: &Die<'_>, name: DwAt, tag: Tag) -> Option<i128> {
    if let Some(AttributeValue::Block(bytes)) = variant.raw(name) {
        return wide(bytes, variant.unit().endian());
    }
    let signed = || variant.signed(name).map(i128::from);
    let value = variant.unsigned(name).map(i128::from).or_else(signed)?;
    let bits = tag.bytes.clamp(1, 8) * 8;
    let wraps = tag.is_signed && value >= 1 << (bits - 1);
    Some(if wraps { value - (1 << bits) } else { value })
}

/// What has no form: LLVM writes a constant of sixteen bytes as a block of them.
fn wide(bytes: Slice<'_>, endian: RunTimeEndian) -> Option<i128> {
    let bytes: [u8; 16] = bytes.slice().try_into().ok()?;
    Some(match endian {
        RunTimeEndian::Little => i128::from_le_bytes(bytes),
        RunTimeEndian::Big => i128::from_be_bytes(bytes),
    })
}
