//! May this text, which came from a paste, a binary or a note, reach a terminal as it is?
//!
//! Control characters move the cursor, change titles and colours; bidirectional controls make text
//! read other than it is. Each is shown as `\x1b` or `\u{202e}` instead.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line with every control character made visible.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let _ = match c {
            // Writing to a String cannot fail.
            '\n' => safe.write_str("\\n"),
            '\t' => safe.write_str("\\t"),
            c if !is_control(c) => safe.write_char(c),
            c if u32::from(c) < 0x100 => write!(safe, "\\x{:02x}", u32::from(c)),
            c => write!(safe, "\\u{{{:x}}}", u32::from(c)),
        };
    }
    Cow::Owned(safe)
}

/// C0, DEL and C1; line and paragraph separators; the bidirectional controls (Unicode, UAX #9 §2).
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_visible() {
        assert_eq!(escape("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(escape("a\nb\tc\r"), "a\\nb\\tc\\x0d");
        assert_eq!(escape("\u{9b}31m\u{7f}"), "\\x9b31m\\x7f");
        assert_eq!(escape("\u{202e}txt.exe\u{2066}"), "\\u{202e}txt.exe\\u{2066}");
    }

    #[test]
    fn other_text_is_not_copied() {
        assert!(matches!(escape("größer ← 文字"), Cow::Borrowed(_)));
    }
}
