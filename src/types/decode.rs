//! Bytes as the values of a type: numbers, enumerators, texts, bit fields, all members of a union.

use std::ops::Range;

use gimli::{DwTag, RunTimeEndian, constants as dw};

use super::reader::{Reader, is_aggregate};
use super::scalar::{encoding_of, endian_of, sign_extended};
use super::{BitField, Error, Member, MemberKind, Number, Size};
use crate::dwarf::{DebugFile, Die, DieRef};
use crate::job::Job;

/// What some bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The member's name, or the index of an element; empty for the type itself and for what has none.
    pub name: String,
    /// Its type, spelled.
    pub type_name: String,
    /// Its bits, from the start of the type asked for; none where only run time can tell.
    pub bits: Option<BitField>,
    /// Whether it is counted in bits.
    pub is_bit_field: bool,
    /// The address it is, where it is a pointer.
    pub pointer: Option<u64>,
    /// What it says; none for what has members or elements, and where the bytes do not reach.
    pub text: Option<String>,
    /// Its members or elements.
    pub values: Vec<Decoded>,
    /// Why something is missing.
    pub why: Option<String>,
}

/// As many elements of an array are shown.
const MAX_ELEMENTS: u64 = 256;

/// As many values are an answer.
const MAX_VALUES: usize = 1 << 16;

/// Why there is nothing of what may be of any size.
const UNKNOWN_SIZE: &str = "its size is only known at run time";

/// Members nested deeper are damage.
const MAX_DEPTH: usize = 64;

/// Reads bytes as the type of a DIE. They may end before it does.
pub fn decode(
    job: &Job,
    file: &DebugFile,
    die: DieRef,
    bytes: &[u8],
    threads: usize,
) -> Result<Decoded, Error> {
    let index = file.index(job, threads)?;
    let view = file.view();
    let reader = Reader::new(job, &view, &index);
    let die = reader.die(die)?;
    let mut decoding = Decoding { reader: &reader, bytes, count: 0 };
    let type_name = reader.spell(Some(&die))?;
    let size = match reader.size_of(&die)? {
        Size::Known(bytes) => bytes,
        Size::Dynamic => bytes.len() as u64,
    };
    let bits = BitField { offset: 0, size: size.saturating_mul(8) };
    let blank = Decoded {
        name: String::new(),
        type_name,
        bits: Some(bits),
        is_bit_field: false,
        pointer: None,
        text: None,
        values: Vec::new(),
        why: None,
    };
    decoding.value(&die, blank, 0)
}

struct Decoding<'d, 'v, 'a> {
    reader: &'d Reader<'v, 'a>,
    bytes: &'d [u8],
    count: usize,
}

impl<'a> Decoding<'_, '_, 'a> {
    /// Fills in what the bits of a value say.
    fn value(&mut self, die: &Die<'a>, mut value: Decoded, depth: usize) -> Result<Decoded, Error> {
        self.count += 1;
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        if self.count > MAX_VALUES {
            return Err(Error::TooMany);
        }
        let Some(bits) = value.bits else { return Ok(value) };
        let Some(die) = self.reader.underlying(die.clone())? else { return Ok(value) };
        match die.tag() {
            tag if is_aggregate(tag) => {
                self.aggregate(&die, &mut value, bits.offset, depth)?;
                return Ok(value);
            }
            dw::DW_TAG_array_type => return self.array(&die, value, bits, depth),
            dw::DW_TAG_string_type if bits.offset.is_multiple_of(8) => {
                let whole = |text: &[u8]| format!("\"{}\"", text.escape_ascii());
                return Ok(self.text(value, bits, whole));
            }
            _ => {}
        }
        match self.bits(bits, endian_of(&die)) {
            // Rust's `()`.
            Some(_) if bits.size == 0 && die.tag() == dw::DW_TAG_base_type => {}
            Some(raw) => {
                value.pointer = u64::try_from(raw).ok().filter(|_| is_pointer(die.tag()));
                value.text = Some(match self.reader.range(&die)? {
                    Some(range) => self.reader.of_range(&range, raw, bits)?,
                    None => self.reader.scalar(&die, raw, bits)?,
                });
            }
            None => value.why = Some(self.missing(bits)),
        }
        Ok(value)
    }

    /// The members that a value has that starts at a bit: of a variant part those of the variant that is there.
    fn aggregate(
        &mut self,
        die: &Die<'a>,
        value: &mut Decoded,
        base: u64,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        for member in self.reader.constant_members(die)?.iter() {
            value.values.push(self.member(member.seen_from(Some(base)), depth)?);
        }
        for child in die.children() {
            // Damage ends them as it ends the members.
            let Ok(child) = child else { break };
            if child.tag() == dw::DW_TAG_variant_part {
                self.variant_part(&child, value, base, depth)?;
            }
        }
        Ok(())
    }

    fn variant_part(
        &mut self,
        part: &Die<'a>,
        value: &mut Decoded,
        base: u64,
        depth: usize,
    ) -> Result<(), Error> {
        let part = self.reader.variant_part(part)?;
        if let Some(own) = &part.own {
            let member = self.reader.discriminant_of(own)?;
            value.values.push(self.member(member.view().seen_from(Some(base)), depth)?);
        }
        let Some(discriminant) = &part.discriminant else {
            for (variant, _) in &part.variants {
                self.aggregate(variant, value, base, depth + 1)?;
            }
            if let count @ 2.. = part.variants.len() {
                value.why = Some(format!("nothing tells which of its {count} variants it is"));
            }
            return Ok(());
        };
        let member = self.reader.discriminant_of(discriminant)?;
        let member = member.view().seen_from(Some(base));
        let name = member.name();
        let Some(bits) = bits_of(member) else {
            value.why =
                Some(format!("which variant it is depends on {name}: its place is not known"));
            return Ok(());
        };
        let Some(raw) = self.bits(bits, discriminant.unit().endian()) else {
            let missing = self.missing(bits);
            value.why = Some(format!("which variant it is depends on {name}: {missing}"));
            return Ok(());
        };
        let tag = match &part.range {
            Some(range) => range.number(raw, bits.size, sign_extended(raw, bits.size)).into(),
            None if part.is_signed => sign_extended(raw, bits.size).into(),
            None => Number::from(raw),
        };
        let mut is_any = false;
        for variant in part.chosen(tag) {
            is_any = true;
            self.aggregate(variant, value, base, depth + 1)?;
        }
        if !is_any {
            let known = if part.is_whole { "" } else { " whose values can be read" };
            value.why = Some(format!("no variant{known} has {tag} as {name}"));
        }
        Ok(())
    }

    fn member(&mut self, member: Member<'_>, depth: usize) -> Result<Decoded, Error> {
        let place = bits_of(member);
        let rest = member.offset().filter(|_| member.is_flexible_array()).map(|offset| {
            let end = (self.bytes.len() as u64).saturating_mul(8);
            let offset = offset.saturating_mul(8);
            BitField { offset, size: end.saturating_sub(offset) }
        });
        let name = match member.kind() {
            MemberKind::Base => format!("<base {}>", member.type_name()),
            MemberKind::Field | MemberKind::Anonymous => member.name().to_owned(),
        };
        let start = member.start();
        let mut value = Decoded {
            name,
            type_name: member.type_name().to_string(),
            bits: place.or(rest),
            is_bit_field: member.bit_size().is_some(),
            pointer: None,
            text: None,
            values: Vec::new(),
            why: member.why().map(str::to_owned),
        };
        let Some(at) = member.type_die() else { return Ok(value) };
        let die = self.reader.die(at)?;
        if value.bits.is_some() {
            return self.value(&die, value, depth + 1);
        }
        // Where its members are may be known, though its size is not.
        let underlying = self.reader.underlying(die)?;
        match (underlying.filter(|die| is_aggregate(die.tag())), start) {
            (Some(die), Some(start)) => self.aggregate(&die, &mut value, start, depth + 1)?,
            _ if value.why.is_none() => value.why = Some(UNKNOWN_SIZE.to_owned()),
            _ => {}
        }
        Ok(value)
    }

    fn array(
        &mut self,
        array: &Die<'a>,
        mut value: Decoded,
        bits: BitField,
        depth: usize,
    ) -> Result<Decoded, Error> {
        let Some(element) = self.reader.type_of(array)? else { return Ok(value) };
        let subscripts = self.reader.subscripts(array)?;
        let Some(spacing) = self.reader.spacing(array, &element)? else {
            value.why = Some("how far its elements are from each other is not known".to_owned());
            return Ok(value);
        };
        if spacing == 0 {
            return Ok(value);
        }
        let is_text =
            spacing == 8 && bits.offset.is_multiple_of(8) && subscripts.dimensions.len() == 1;
        if is_text && self.is_character(&element)? {
            return Ok(self.text(value, bits, quoted));
        }
        let count = self.reader.elements(array)?.unwrap_or(bits.size / spacing);
        let whole = self.reader.size_of(&element)?.known().map(|bytes| bytes.saturating_mul(8));
        let size = whole.map_or(spacing, |whole| whole.min(spacing));
        let type_name = self.reader.spell(Some(&element))?;
        for index in 0..count.min(MAX_ELEMENTS) {
            let offset = bits.offset.saturating_add(index.saturating_mul(spacing));
            let Some(name) = subscripts.of(index) else {
                value.why = Some("its indices are only known at run time".to_owned());
                return Ok(value);
            };
            let blank = Decoded {
                name,
                type_name: type_name.clone(),
                bits: Some(BitField { offset, size }),
                is_bit_field: whole != Some(size) || !offset.is_multiple_of(8),
                pointer: None,
                text: None,
                values: Vec::new(),
                why: None,
            };
            value.values.push(self.value(&element, blank, depth + 1)?);
        }
        if count > MAX_ELEMENTS {
            value.why = Some(format!("{} more elements are not shown", count - MAX_ELEMENTS));
        }
        Ok(value)
    }

    /// Characters of a byte each.
    fn text(
        &self,
        mut value: Decoded,
        bits: BitField,
        shown: impl FnOnce(&[u8]) -> String,
    ) -> Decoded {
        let start = bits.offset / 8;
        match self.range(start..start.saturating_add(bits.size / 8)) {
            Some(text) => value.text = Some(shown(text)),
            None => value.why = Some(self.missing(bits)),
        }
        value
    }

    fn is_character(&self, element: &Die<'a>) -> Result<bool, Error> {
        let underlying = self.reader.underlying(element.clone())?;
        let encoding = underlying.and_then(|die| encoding_of(&die));
        Ok(matches!(
            encoding,
            Some(dw::DW_ATE_signed_char | dw::DW_ATE_unsigned_char | dw::DW_ATE_UTF)
        ))
    }

    /// The bits of a value, the most significant first; none where the bytes do not reach, and of more
    /// than sixteen bytes.
    fn bits(&self, bits: BitField, endian: RunTimeEndian) -> Option<u128> {
        let end = bits.offset.checked_add(bits.size)?;
        let range = bits.offset / 8..end.div_ceil(8);
        let bytes = self.range(range.clone())?;
        if bytes.len() > size_of::<u128>() {
            return None;
        }
        let fold = |value: u128, byte: &u8| (value << 8) | u128::from(*byte);
        let (all, below) = match endian {
            RunTimeEndian::Little => (bytes.iter().rev().fold(0, fold), bits.offset % 8),
            // Bits are counted from the most significant one.
            RunTimeEndian::Big => (bytes.iter().fold(0, fold), range.end * 8 - end),
        };
        let mask = u128::MAX.checked_shr(u32::try_from(128 - bits.size).ok()?).unwrap_or(0);
        Some((all >> below) & mask)
    }

    fn range(&self, range: Range<u64>) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
    }

    fn missing(&self, bits: BitField) -> String {
        let end = bits.offset.saturating_add(bits.size).div_ceil(8);
        if end > self.bytes.len() as u64 {
            format!("the {} bytes given end before it", self.bytes.len())
        } else {
            "it is larger than any number".to_owned()
        }
    }
}

/// Where a member's bits are; none where only run time can tell.
fn bits_of(member: Member<'_>) -> Option<BitField> {
    let bits = member.covered()?;
    Some(BitField { offset: bits.start, size: bits.end - bits.start })
}

fn is_pointer(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type
    )
}

/// A text as C writes it, up to its zero byte; what follows that is told if it is not zero too.
fn quoted(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let quoted = format!("\"{}\"", text.escape_ascii());
    match end {
        None if !bytes.is_empty() => format!("{quoted} (no zero byte)"),
        _ if rest.iter().any(|byte| *byte != 0) => format!("{quoted} (and more behind its end)"),
        _ => quoted,
    }
}
