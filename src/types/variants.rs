//! Which variants may be there, and with which values of the discriminant (DWARF 5 §5.7.10): enums of
//! Rust that hold data, variant records of Ada and Pascal.

use std::ops::RangeInclusive;

use gimli::{AttributeValue, Reader as _, constants as dw};

use super::number::Written;
use super::reader::Reader;
use super::subrange::Subrange;
use super::{Error, Number, Variant};
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
    /// Whether it is told of all variants when they are there.
    pub(super) is_whole: bool,
    /// The range that they are of, if they are.
    pub(super) range: Option<Subrange<'a>>,
    /// Each variant, with when it is there; none where that cannot be read.
    pub(super) variants: Vec<(Die<'a>, Option<Variant>)>,
}

impl<'a> VariantPart<'a> {
    /// The variants that are there with a value of the discriminant: the one that lists it, else the one
    /// for all others. Which that is nobody knows where one cannot be read.
    pub(super) fn chosen(&self, value: Number) -> impl Iterator<Item = &Die<'a>> {
        let of = move |wanted: fn(&Variant, Number) -> bool| {
            let is_it = move |(_, when): &&(Die<'a>, Option<Variant>)| {
                when.as_ref().is_some_and(|when| wanted(when, value))
            };
            self.variants.iter().filter(is_it).map(|(die, _)| die)
        };
        let mut listed = of(Variant::lists).peekable();
        let is_listed = listed.peek().is_some();
        let is_other = !is_listed && self.is_whole;
        listed.chain(of(|when, _| *when == Variant::Otherwise).filter(move |_| is_other))
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
        let typed = self.type_of(discriminant.as_ref().unwrap_or(part))?;
        let tag = typed.as_ref().map(|die| self.written(die)).transpose()?;
        let with_condition = |variant: Die<'a>| {
            let when = match tag {
                Some(tag) => self.when(&variant, tag)?,
                None => None,
            };
            Ok((variant, when))
        };
        let variants: Vec<_> =
            variants.into_iter().map(with_condition).collect::<Result<_, Error>>()?;
        let typed = typed.filter(|_| discriminant.is_some());
        let typed = typed.map(|die| self.underlying(die)).transpose()?.flatten();
        let range = typed.map(|die| self.range(&die)).transpose()?.flatten();
        let is_signed = tag.is_some_and(|tag| tag.is_signed == Some(true));
        let is_whole = variants.iter().all(|(_, when)| when.is_some());
        Ok(VariantPart { discriminant, own, is_signed, is_whole, range, variants })
    }

    /// With which values of the discriminant a variant is there; none where it says so in a way that
    /// cannot be read.
    fn when(&self, variant: &Die<'a>, tag: Written) -> Result<Option<Variant>, Error> {
        if variant.has(dw::DW_AT_discr_value) {
            let value = tag.discriminant(variant);
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
    fn listed(&self, mut list: Slice<'a>, tag: Written) -> Result<Option<Variant>, Error> {
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
fn range(list: &mut Slice<'_>, tag: Written) -> Option<RangeInclusive<Number>> {
    let descriptor = dw::DwDsc(list.read_u8().ok()?);
    let mut value = || match tag.is_signed {
        Some(true) => list.read_sleb128().ok().map(|value| Number::from(i128::from(value))),
        _ => list.read_uleb128().ok().map(|value| Number::from(u128::from(value))),
    };
    match descriptor {
        dw::DW_DSC_label => value().map(|value| value..=value),
        dw::DW_DSC_range => Some(value()?..=value()?),
        _ => None,
    }
}
