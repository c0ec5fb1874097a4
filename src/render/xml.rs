//! May this text stand in an SVG?

use super::escape::escape;

/// Text as XML takes it: control characters, which it has no way to write, are made visible.
pub(super) fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '&' => written.push_str("&amp;"),
            '"' => written.push_str("&quot;"),
            c => written.push(c),
        }
    }
    written
}
