//! Numbers as people type them.

/// A number in decimal, or in hexadecimal behind `0x`.
pub(crate) fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match digits {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|error| format!("{text:?} is no number: {error}"))
}
