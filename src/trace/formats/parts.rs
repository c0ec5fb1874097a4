//! What several printers write alike: addresses, places in source, places in a module.

use crate::address::{ModuleOffset, RuntimeAddress};
use crate::trace::search::{find, rfind, rsplit_once};

/// Whether the text begins with one of these. Nearly every line is asked for lists of them: most lines differ
/// in the first byte from all.
pub(super) fn begins_with_any(text: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| begins_with(text, start))
}

/// Whether the text begins with this.
pub(super) fn begins_with(text: &str, start: &str) -> bool {
    text.as_bytes().first() == start.as_bytes().first() && text.starts_with(start)
}

/// The hexadecimal number that starts the text, and what follows it.
pub(in crate::trace) fn hexadecimal(text: &str) -> Option<(u64, &str)> {
    let (mut number, mut end) = (0u64, 0);
    while let Some(digit) = text.as_bytes().get(end).and_then(|byte| digit(*byte)) {
        number = number.checked_mul(16)? | digit;
        end += 1;
    }
    (end > 0).then_some((number, text.get(end..)?))
}

/// What the hexadecimal digit stands for. A table: each address of a paste is read several times.
fn digit(byte: u8) -> Option<u64> {
    const NONE: u8 = 16;
    const DIGITS: [u8; 256] = {
        let mut table = [NONE; 256];
        let mut value = 0;
        while value < NONE {
            let digits = b"0123456789abcdef";
            let digit = digits[value as usize];
            table[digit as usize] = value;
            table[digit.to_ascii_uppercase() as usize] = value;
            value += 1;
        }
        table
    };
    let value = *DIGITS.get(usize::from(byte))?;
    (value != NONE).then_some(u64::from(value))
}

/// `0x7f5f…` at the start of the text, and what follows it.
pub(super) fn address(text: &str) -> Option<(RuntimeAddress, &str)> {
    let (address, rest) = hexadecimal(text.strip_prefix("0x")?)?;
    Some((RuntimeAddress(address), rest))
}

/// `START-END` in hexadecimal, with or without `0x`, and what follows.
pub(super) fn range(text: &str) -> Option<(RuntimeAddress, RuntimeAddress, &str)> {
    let bare = |text| hexadecimal(str::strip_prefix(text, "0x").unwrap_or(text));
    let (start, rest) = bare(text)?;
    let (end, rest) = bare(rest.strip_prefix('-')?)?;
    (start < end).then_some((RuntimeAddress(start), RuntimeAddress(end), rest))
}

/// A place in source: `FILE:LINE`, `FILE:LINE:COLUMN`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::trace) struct Place {
    pub(in crate::trace) file: String,
    pub(in crate::trace) line: u32,
    pub(in crate::trace) column: Option<u32>,
}

/// The place that the text is as a whole.
pub(super) fn place(text: &str) -> Option<Place> {
    let (file, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let with_column =
        file.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line, column) = match with_column {
        Some((file, line)) => (file, line, Some(last)),
        None => (file, last, None),
    };
    (!file.is_empty()).then(|| Place { file: file.to_owned(), line, column })
}

/// Whether the text is a place in a file named from the root, as a mail can put it on its own line.
pub(in crate::trace) fn is_absolute_place(text: &str) -> bool {
    text.starts_with('/') && place(text).is_some()
}

/// `NAME PLACE`: C++ puts blanks into names, and people into folders.
pub(super) fn name_and_place(text: &str) -> Option<(&str, Place)> {
    let at = find(text, " /").or_else(|| text.rfind(' '))?;
    let place = place(text.get(at + 1..)?)?;
    Some((text.get(..at)?.trim_end(), place))
}

/// `MODULE+0xOFFSET` or `MODULE + 0xOFFSET`, as it stands between parentheses at the end of the text,
/// and what is before them.
pub(super) fn in_module(text: &str) -> Option<(&str, &str, ModuleOffset)> {
    let inner = text.strip_suffix(')')?;
    let plus = rfind(inner, "+0x").map(|at| (at, 3)).or_else(|| {
        let at = rfind(inner, " + 0x")?;
        Some((at, 5))
    });
    let (at, length) = plus?;
    let (offset, rest) = hexadecimal(inner.get(at + length..)?)?;
    rest.is_empty().then_some(())?;
    let (before, module) = module_behind(inner.get(..at)?)?;
    Some((before, module, ModuleOffset(offset)))
}

/// The module's name behind the last parenthesis that stands at a word's start; a folder can have
/// parentheses in its name, and the kernel puts ` (deleted)` behind that of a file that is gone.
fn module_behind(text: &str) -> Option<(&str, &str)> {
    let named = text.strip_suffix(" (deleted)").unwrap_or(text);
    let open = rfind(named, " (/").map(|at| at + 1).or_else(|| named.rfind('('))?;
    let module = text.get(open + 1..)?;
    (!module.is_empty()).then_some((text.get(..open)?.trim_end(), module))
}

/// `NAME+0xOFFSET`: the name, and the offset where there is one.
pub(super) fn symbol(text: &str) -> (&str, Option<u64>) {
    let split = rsplit_once(text, "+0x").and_then(|(name, offset)| {
        let (offset, rest) = hexadecimal(offset)?;
        (rest.is_empty() && !name.is_empty()).then_some((name, Some(offset)))
    });
    split.unwrap_or((text, None))
}

/// Whether the text can be a symbol of C: no word of a sentence has to be one.
pub(super) fn is_identifier(text: &str) -> bool {
    let inner =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '@' | ':' | '~' | '#' | '/');
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '.') && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_column_or_none() {
        let read = |text| place(text).map(|place| (place.file, place.line, place.column));
        assert_eq!(read("/a b/c.c:12:3"), Some(("/a b/c.c".to_owned(), 12, Some(3))));
        assert_eq!(read("c.c:12"), Some(("c.c".to_owned(), 12, None)));
        for text in ["", ":1", "c.c", "c.c:", "c.c:x", "12"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_ends_where_its_file_begins() {
        for (text, name, file) in [
            (
                "Foo::bar(int, char const*) /tmp/a b/c.cc:12:3",
                "Foo::bar(int, char const*)",
                "/tmp/a b/c.cc",
            ),
            ("main x.c:5", "main", "x.c"),
        ] {
            let (read, place) = name_and_place(text).unwrap();
            assert_eq!((read, place.file.as_str()), (name, file));
        }
        assert_eq!(name_and_place("main"), None);
    }

    #[test]
    fn a_place_in_a_module_ends_the_text() {
        let read =
            |text| in_module(text).map(|(before, module, offset)| (before, module, offset.0));
        assert_eq!(read("f (/lib/a (b).so+0x1f)"), Some(("f", "/lib/a (b).so", 0x1f)));
        assert_eq!(read("f(int) (libvirt.so.0 + 0x1f)"), Some(("f(int)", "libvirt.so.0", 0x1f)));
        let deleted = Some(("f", "libvirt.so.0 (deleted)", 0x1f));
        assert_eq!(read("f (libvirt.so.0 (deleted) + 0x1f)"), deleted);
        for text in ["", ")", "f (a+0x)", "f (+0x1)", "f (a+1)", "a+0x1)", "f (a+0x1) x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_go_forward() {
        assert_eq!(range("10-20 r").map(|(a, b, rest)| (a.0, b.0, rest)), Some((16, 32, " r")));
        assert!(range("0x10-0x20").is_some() && range("20-10").is_none() && range("1").is_none());
    }
}
