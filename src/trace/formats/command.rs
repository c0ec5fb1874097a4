//! What went wrong in the words of a command that a person typed?
//!
//! ```text
//! virsh # start sles11
//! error: Failed to start domain sles11
//! error: End of file while reading data: Input/output error
//! ```
//! (tools/vsh.c of libvirt, `vshError`: "error: ", or its translation.) Many other programs print
//! the same; which one it was is not told.

use super::parts::begins_with;
use super::{Format, Record};

/// "error" in the languages that libvirt's commands are translated to, with what separates it.
const ERROR: [&str; 12] = [
    "error: ",
    "Fehler: ",
    "erreur : ",
    "erreur\u{a0}: ",
    "errore: ",
    "erro: ",
    "błąd: ",
    "chyba: ",
    "ошибка: ",
    "エラー: ",
    "错误：",
    "錯誤：",
];

/// The record that this line is.
pub(super) fn record(line: &str) -> Option<Record<'_>> {
    let error = ERROR.iter().find(|error| begins_with(line, error))?;
    let text = line.get(error.len()..)?;
    let record =
        Record { format: Format::Command, level: Some("error"), text, ..Record::default() };
    (!text.is_empty()).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stands_at_the_beginning_of_its_line() {
        assert_eq!(record("error: it failed").unwrap().text, "it failed");
        assert_eq!(record("Fehler: Dateiende").unwrap().text, "Dateiende");
        for line in ["  error: it failed", "an error: it failed", "error:", "error: "] {
            assert_eq!(record(line), None, "{line}");
        }
    }
}
