//! May this text stand in an SVG?

use std::fmt::Write;

use maud::Escaper;

use super::escape::escape;

/// Text as XML takes it: control characters, which it has no way to write, are made visible.
pub(super) fn xml(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = Escaper::new(&mut written).write_str(&escape(text));
    written
}
