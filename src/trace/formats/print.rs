//! A person's own debug prints: which function printed this line?
//!
//! ```text
//! libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>, revents<4>, ev->events<4>
//! 39:libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>, revents<4>, ev->events<4>
//! ```
//! The second is such a line found with `grep -n`. Rule: a line that starts with what can only be
//! the name of a function and a colon; `text` keeps the name, since it is part of the message.

use super::{Format, Record, number};

/// The record that this line is.
pub(super) fn record(line: &str) -> Option<Record<'_>> {
    let text = number::<u64>(line).and_then(|(_, rest)| rest.strip_prefix(':')).unwrap_or(line);
    let end = text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')?;
    let (function, rest) = text.split_at_checked(end)?;
    (rest.starts_with(": ") && is_function(function)).then(|| Record {
        format: Format::Print,
        function: Some(function),
        text,
        ..Record::default()
    })
}

/// An identifier no word of a sentence is: with an underscore inside, or a capital in its midst.
fn is_function(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let lower = name.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let camel = lower.len() < name.len() && lower.starts_with(|c: char| c.is_ascii_uppercase());
    starts && (camel || name.trim_matches('_').contains('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_keeps_the_function_and_loses_greps_number() {
        let record = record("39:libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>").unwrap();
        assert_eq!(record.function, Some("libxl_osevent_occurred_fd"));
        assert_eq!(record.text, "libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>");
        assert!(self::record("virNetSocketNew: sock=0x1").is_some());
    }

    #[test]
    fn words_are_not_functions() {
        for line in [
            "note: this",
            "Warning: x",
            "full log:",
            "http://x",
            "a b_c: d",
            "  f_g: x",
            "_: x",
            "",
        ] {
            assert_eq!(record(line), None, "{line}");
        }
    }
}
