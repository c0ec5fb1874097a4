//! Numbers of up to 128 bits, and how the entries of a file write them: values of enumerators and of
//! discriminants.

use std::fmt;

use gimli::{AttributeValue, DwAt, Reader as _, RunTimeEndian, constants as dw};

use super::Error;
use super::reader::{MAX_CHAIN, Reader};
use crate::dwarf::Die;

/// A number as large as any of C's, Rust's or Ada's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// Below zero.
    Negative(i128),
    /// Zero and above.
    Natural(u128),
}

impl From<i128> for Number {
    fn from(value: i128) -> Self {
        u128::try_from(value).map_or(Number::Negative(value), Number::Natural)
    }
}

impl From<u128> for Number {
    fn from(value: u128) -> Self {
        Number::Natural(value)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Negative(value) => write!(f, "{value}"),
            Number::Natural(value) => write!(f, "{value}"),
        }
    }
}

/// How the values of a type are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Whether they have a sign; none where the type does not say.
    pub(super) is_signed: Option<bool>,
}

impl<'a> Reader<'_, 'a> {
    /// How the values of a type are written. Of an enumeration and of a subrange, the type behind has an
    /// encoding (DWARF 5 §5.9, §5.13).
    pub(super) fn written(&self, die: &Die<'a>) -> Result<Written, Error> {
        let mut written = Written { is_signed: None };
        let mut current = die.clone();
        for _ in 0..MAX_CHAIN {
            if let Some(code) = current.unsigned(dw::DW_AT_encoding) {
                let code = u8::try_from(code).map(dw::DwAte);
                let signed = [dw::DW_ATE_signed, dw::DW_ATE_signed_char, dw::DW_ATE_signed_fixed];
                written.is_signed = Some(code.is_ok_and(|code| signed.contains(&code)));
                break;
            }
            match self.type_of(&current) {
                Ok(Some(next)) => current = next,
                // Damage there is none of the values'.
                Ok(None) | Err(Error::Dwarf(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

impl Written {
    /// The value of a discriminant (DW_AT_discr_value). A form of a fixed size does not say whether it is
    /// signed: LLVM writes −17 of an `i16` as the one byte 0xef.
    pub(super) fn discriminant(self, die: &Die<'_>) -> Option<Number> {
        let signed = self.is_signed == Some(true);
        let number = match die.raw(dw::DW_AT_discr_value)? {
            AttributeValue::Data1(value) if signed => i128::from(value.cast_signed()),
            AttributeValue::Data2(value) if signed => i128::from(value.cast_signed()),
            AttributeValue::Data4(value) if signed => i128::from(value.cast_signed()),
            AttributeValue::Data8(value) if signed => i128::from(value.cast_signed()),
            _ => return self.constant(die, dw::DW_AT_discr_value),
        };
        Some(number.into())
    }

    /// A constant, of which forms of a fixed size up to eight bytes are unsigned: a large value of an
    /// enumerator is not a negative one.
    pub(super) fn constant(self, die: &Die<'_>, name: DwAt) -> Option<Number> {
        let raw = match die.raw(name)? {
            AttributeValue::Data16(value) => value,
            // LLVM's form for more than 64 bits.
            AttributeValue::Block(bytes) if bytes.len() == size_of::<u128>() => {
                let bytes = bytes.to_slice().ok()?.as_ref().try_into().ok()?;
                match die.unit().endian() {
                    RunTimeEndian::Little => u128::from_le_bytes(bytes),
                    RunTimeEndian::Big => u128::from_be_bytes(bytes),
                }
            }
            _ => return short(die, name),
        };
        Some(match self.is_signed {
            Some(true) => Number::from(raw.cast_signed()),
            Some(false) | None => Number::from(raw),
        })
    }
}

fn short(die: &Die<'_>, name: DwAt) -> Option<Number> {
    let natural = die.unsigned(name).map(|value| Number::from(u128::from(value)));
    natural.or_else(|| Some(i128::from(die.signed(name)?).into()))
}
