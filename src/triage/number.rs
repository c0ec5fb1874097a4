//! Which whole number is a printed value?
//!
//! `p/x` prints the bits: the `-1` of an int is `0xffffffff`. What a bare number of 8 or 16
//! hexadecimal digits means depends on a type that the paste does not tell, so it has two readings.

use crate::notes::integer;
use crate::trace::Value;

/// The whole number that a value is; `'a'` behind it and the string behind a pointer do not count.
pub(super) fn number_of(value: &Value) -> Option<i128> {
    match value.address {
        Some(address) => Some(i128::from(address.0)),
        None => integer(value.text.split_whitespace().next()?),
    }
}

/// What a value may be: as it stands and, where that differs, as the signed number of its width.
pub(super) fn readings(value: &Value) -> Option<(i128, i128)> {
    let number = number_of(value)?;
    Some((number, signed(&value.text).unwrap_or(number)))
}

/// The signed number that a bare `0x…` of 32 or 64 bits stands for.
fn signed(text: &str) -> Option<i128> {
    let digits = text.strip_prefix("0x")?;
    match digits.len() {
        8 => u32::from_str_radix(digits, 16).ok().map(|bits| bits.cast_signed().into()),
        16 => u64::from_str_radix(digits, 16).ok().map(|bits| bits.cast_signed().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_numbers_of_a_full_width_may_be_negative() {
        for (text, expected) in [
            ("0xffffffff", Some(-1)),
            ("0xffffffffffffffff", Some(-1)),
            ("0x7fffffff", Some(0x7fff_ffff)),
            ("0xfffffff", None),
            ("0xffff", None),
            ("(void *) 0xffffffff", None),
            ("0xffffffff <f>", None),
            ("0xffffff+f", None),
            ("-1", None),
        ] {
            assert_eq!(signed(text), expected, "{text}");
        }
    }
}
