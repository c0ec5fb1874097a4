//! Ranges of other types' values (DWARF 5 §5.13): what Ada and Pascal call subtypes.

use gimli::constants as dw;

use super::reader::{MAX_CHAIN, Reader};
use super::sizes::bound;
use super::{Error, Size};
use crate::dwarf::Die;

/// A range, as far as it says how its values are written.
#[derive(Debug)]
pub(super) struct Subrange<'a> {
    /// The type whose values they are, behind other ranges; none where it is not told.
    pub(super) base: Option<Die<'a>>,
    /// How many bits a value of that type has.
    base_bits: Option<u64>,
    /// The value, where there is only one: it may take no bits, which GNAT does not say.
    only: Option<i128>,
    /// Whether none of them is negative.
    is_natural: bool,
    /// What is to be added to what is written (DW_AT_GNU_bias).
    bias: Option<i128>,
}

impl Subrange<'_> {
    /// Whether what is written is the value, with a sign or without.
    pub(super) fn is_value_itself(&self) -> bool {
        self.bias.is_none() && self.only.is_none()
    }

    /// The value that so many bits say; `signed` is what they say with a sign.
    pub(super) fn number(&self, raw: u128, bits: u64, signed: i128) -> i128 {
        if let Some(only) = self.only {
            return only;
        }
        let unsigned = i128::try_from(raw).unwrap_or(signed);
        if let Some(bias) = self.bias {
            return unsigned.saturating_add(bias);
        }
        // Fewer bits than the type has are without one for the sign, where no value needs it.
        let is_narrow = self.base_bits.is_some_and(|base| bits < base);
        if self.is_natural && is_narrow { unsigned } else { signed }
    }
}

impl<'a> Reader<'_, 'a> {
    /// What a type says as a range; none where it is none.
    pub(super) fn range(&self, die: &Die<'a>) -> Result<Option<Subrange<'a>>, Error> {
        if die.tag() != dw::DW_TAG_subrange_type {
            return Ok(None);
        }
        let mut range =
            Subrange { base: None, base_bits: None, only: None, is_natural: false, bias: None };
        let (mut lower, mut current) = (None, die.clone());
        for _ in 0..MAX_CHAIN {
            if current.tag() != dw::DW_TAG_subrange_type {
                range.base_bits = match self.size_of(&current)? {
                    Size::Known(bytes) => Some(bytes.saturating_mul(8)),
                    Size::Dynamic => None,
                };
                range.base = Some(current);
                return Ok(Some(range));
            }
            if lower.is_none() {
                lower = lowest(&current);
                range.is_natural = lower.is_some_and(|lower| lower >= 0);
                range.only = lower.filter(|_| lower == bound(&current, dw::DW_AT_upper_bound));
            }
            let bias = || current.signed(dw::DW_AT_GNU_bias).map(i128::from);
            range.bias = range.bias.or_else(bias);
            let next = self.type_of(&current)?;
            match next.map(|next| self.underlying(next)).transpose()?.flatten() {
                Some(next) => current = next,
                None => return Ok(Some(range)),
            }
        }
        Err(Error::TooDeep)
    }
}

/// The lowest value; none where the range does not say, or says what cannot be.
fn lowest(range: &Die<'_>) -> Option<i128> {
    let upper = bound(range, dw::DW_AT_upper_bound);
    let lower = match range.has(dw::DW_AT_lower_bound) {
        true => bound(range, dw::DW_AT_lower_bound)?,
        // What producers leave out is the language's own.
        false => upper.map(|_| i128::from(range.unit().lower_bound()))?,
    };
    // A form of a fixed size does not say whether it is signed.
    upper.is_none_or(|upper| lower <= upper).then_some(lower)
}
