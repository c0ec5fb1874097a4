//! JSON that may reach a terminal: serde_json leaves DEL, C1 and bidirectional controls as they are, which
//! JSON allows (RFC 8259 §7) and terminals obey.

use std::io::{self, Write};

use dbgmate::render::escape::is_control;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// As `serde_json::to_writer`, on one line.
pub(crate) fn write(to: impl Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Visible(CompactFormatter)))
}

/// As `serde_json::to_writer_pretty`.
pub(crate) fn write_pretty(to: impl Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(to, Visible(PrettyFormatter::new())))
}

/// A form in which every control character of a text is an escape.
struct Visible<F>(F);

/// What is left to the form within.
macro_rules! within {
    ($($name:ident($($argument:ident)?);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, to: &mut W $(, $argument: bool)?) -> io::Result<()> {
            self.0.$name(to $(, $argument)?)
        })*
    };
}

impl<F: Formatter> Formatter for Visible<F> {
    within! {
        begin_array();
        end_array();
        begin_array_value(is_first);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(is_first);
        begin_object_value();
        end_object_value();
    }

    /// A part of a text that needs no escape by the standard.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, control)) = rest.char_indices().find(|(_, c)| is_control(*c)) {
            let (before, behind) = rest.split_at(at);
            // All of them have sixteen bits.
            write!(to, "{before}\\u{:04x}", u32::from(control))?;
            rest = behind.get(control.len_utf8()..).unwrap_or_default();
        }
        to.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escapes_and_all_else_is_as_serde_json_writes_it() {
        let value = serde_json::json!({
            "\u{9b}2J": ["a\u{7f}\u{202e}b\n\u{1b}", "größe 名", 1, null, {}, []], "b": { "c": true },
        });
        let (mut line, mut pretty) = (Vec::new(), Vec::new());
        write(&mut line, &value).unwrap();
        write_pretty(&mut pretty, &value).unwrap();
        let (line, pretty) = (String::from_utf8(line).unwrap(), String::from_utf8(pretty).unwrap());
        assert!(line.contains(r"a\u007f\u202eb\n\u001b") && !line.contains(is_control), "{line}");
        let theirs = serde_json::to_string_pretty(&value).unwrap();
        let theirs = theirs.replace('\u{9b}', r"\u009b").replace('\u{7f}', r"\u007f");
        assert_eq!(pretty, theirs.replace('\u{202e}', r"\u202e"));
        for text in [line, pretty] {
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        }
    }
}
