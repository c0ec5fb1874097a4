//! May this text stand in an SVG?

/// Text as XML takes it: control characters, which it has no way to write, are left out.
pub(super) fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '&' => written.push_str("&amp;"),
            '"' => written.push_str("&quot;"),
            c if c.is_control() => {}
            c => written.push(c),
        }
    }
    written
}
