//! What the bits of a number, a character or an enum say.

use gimli::{DwAte, RunTimeEndian, constants as dw};

use super::reader::Reader;
use super::subrange::Subrange;
use super::{BitField, Enumerator, Error, Number};
use crate::dwarf::Die;

impl<'a> Reader<'_, 'a> {
    /// What a value that is no aggregate says.
    pub(super) fn scalar(&self, die: &Die<'a>, raw: u128, bits: BitField) -> Result<String, Error> {
        let signed = || sign_extended(raw, bits.size);
        Ok(match die.tag() {
            dw::DW_TAG_enumeration_type => self.enumerator(die, raw, signed())?,
            dw::DW_TAG_base_type => match encoding_of(die) {
                Some(dw::DW_ATE_boolean) => match raw {
                    0 => "false".to_owned(),
                    1 => "true".to_owned(),
                    other => format!("{other} (no boolean)"),
                },
                Some(dw::DW_ATE_float) => {
                    floating(raw, bits.size).unwrap_or_else(|| hexadecimal(raw))
                }
                Some(dw::DW_ATE_complex_float) => {
                    let complex = complex(raw, bits.size, endian_of(die));
                    complex.unwrap_or_else(|| hexadecimal(raw))
                }
                Some(dw::DW_ATE_signed_char | dw::DW_ATE_unsigned_char | dw::DW_ATE_UTF) => {
                    let number = match encoding_of(die) {
                        Some(dw::DW_ATE_signed_char) => signed(),
                        _ => raw as i128,
                    };
                    match u8::try_from(raw) {
                        Ok(byte) if byte.is_ascii_graphic() || byte == b' ' => {
                            format!("{number} '{}'", char::from(byte))
                        }
                        _ => number.to_string(),
                    }
                }
                Some(dw::DW_ATE_signed | dw::DW_ATE_signed_fixed) => signed().to_string(),
                Some(dw::DW_ATE_unsigned) => raw.to_string(),
                _ => hexadecimal(raw),
            },
            _ => hexadecimal(raw),
        })
    }

    /// A value of a range of another type's.
    pub(super) fn of_range(
        &self,
        range: &Subrange<'a>,
        raw: u128,
        bits: BitField,
    ) -> Result<String, Error> {
        let Some(base) = &range.base else { return Ok(hexadecimal(raw)) };
        let number = range.number(raw, bits.size, sign_extended(raw, bits.size));
        let raw = match range.is_value_itself() {
            true => raw,
            false => u128::try_from(number).unwrap_or(raw),
        };
        match (base.tag(), encoding_of(base)) {
            (dw::DW_TAG_enumeration_type, _) => self.enumerator(base, raw, number),
            (dw::DW_TAG_base_type, Some(dw::DW_ATE_signed)) => Ok(number.to_string()),
            _ => self.scalar(base, raw, bits),
        }
    }

    /// The name of an enum's value, or the flags that it is made of.
    fn enumerator(&self, die: &Die<'a>, raw: u128, signed: i128) -> Result<String, Error> {
        let all = self.enumerators(die)?;
        let (signed, unsigned) = (Number::from(signed), Number::from(raw));
        let is_it = |each: &&Enumerator| each.value == signed || each.value == unsigned;
        if let Some(found) = all.iter().find(is_it) {
            return Ok(format!("{} ({})", found.name, found.value));
        }
        let mut rest = raw;
        let mut names: Vec<&str> = Vec::new();
        for enumerator in &all {
            let Number::Natural(flag) = enumerator.value else { continue };
            if flag.is_power_of_two() && rest & flag != 0 {
                names.push(&enumerator.name);
                rest &= !flag;
            }
        }
        if rest == 0 && !names.is_empty() {
            return Ok(format!("{} ({raw:#x})", names.join(" | ")));
        }
        // Where the type does not say, GCC and Clang give a sign to those that need one.
        let needs_sign = all.iter().any(|each| each.value < Number::Natural(0));
        let is_signed = self.written(die)?.is_signed.unwrap_or(needs_sign);
        Ok(format!("{} (no enumerator)", if is_signed { signed } else { unsigned }))
    }
}

fn hexadecimal(raw: u128) -> String {
    format!("{raw:#x}")
}

/// A number of IEEE 754; none in a width that Rust does not have.
fn floating(raw: u128, bits: u64) -> Option<String> {
    match bits {
        32 => Some(f32::from_bits(raw as u32).to_string()),
        64 => Some(f64::from_bits(raw as u64).to_string()),
        _ => None,
    }
}

/// Two such, the real part first in memory.
fn complex(raw: u128, bits: u64, endian: RunTimeEndian) -> Option<String> {
    let half = bits / 2;
    let (low, high) = (floating(raw, half)?, floating(raw >> half, half)?);
    let (real, imaginary) = match endian {
        RunTimeEndian::Little => (low, high),
        RunTimeEndian::Big => (high, low),
    };
    Some(match imaginary.strip_prefix('-') {
        Some(imaginary) => format!("{real} - {imaginary}i"),
        None => format!("{real} + {imaginary}i"),
    })
}

/// A number of so many bits as the one with a sign that they may stand for.
pub(super) fn sign_extended(raw: u128, size: u64) -> i128 {
    match 128_u32.checked_sub(u32::try_from(size).unwrap_or(u32::MAX)) {
        Some(above @ 0..128) => ((raw << above) as i128) >> above,
        _ => raw as i128,
    }
}

/// The order of a value's bytes, which a type may have of its own (DWARF 5 §5.1.1).
pub(super) fn endian_of(die: &Die<'_>) -> RunTimeEndian {
    match die.unsigned(dw::DW_AT_endianity).map(|order| u8::try_from(order).map(dw::DwEnd)) {
        Some(Ok(dw::DW_END_big)) => RunTimeEndian::Big,
        Some(Ok(dw::DW_END_little)) => RunTimeEndian::Little,
        _ => die.unit().endian(),
    }
}

pub(super) fn encoding_of(die: &Die<'_>) -> Option<DwAte> {
    u8::try_from(die.unsigned(dw::DW_AT_encoding)?).ok().map(DwAte)
}
