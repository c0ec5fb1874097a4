//! Characters among template arguments: Clang writes `'\n'`, GCC `'\012'`, and others 10.

/// What has a letter as its escape, besides its number.
const ESCAPES: [(char, u8); 8] = [
    ('a', 0x07),
    ('b', 0x08),
    ('t', b'\t'),
    ('n', b'\n'),
    ('v', 0x0b),
    ('f', 0x0c),
    ('r', b'\r'),
    ('e', 0x1b),
];

/// The kinds of literals besides a plain one ([lex.ccon]).
const PREFIXES: [&str; 4] = ["u8", "u", "U", "L"];

/// A byte as Clang writes it.
pub(super) fn spell(byte: u8) -> String {
    let escape = ESCAPES.iter().find(|(letter, escaped)| *escaped == byte && *letter != 'e');
    match (byte, escape) {
        (_, Some((letter, _))) => format!("'\\{letter}'"),
        (b'\'' | b'\\', _) => format!("'\\{}'", char::from(byte)),
        (0x20..0x7f, _) => format!("'{}'", char::from(byte)),
        _ => format!("'\\x{byte:02x}'"),
    }
}

/// A name with numbers for the characters in it.
pub(super) fn as_numbers(name: &str) -> String {
    let (mut text, mut rest) = (String::new(), name);
    while let Some(at) = rest.find('\'') {
        let (before, quoted) = rest.split_at(at);
        text.push_str(before);
        let Some((value, behind)) = literal(quoted) else {
            text.push('\'');
            rest = quoted.strip_prefix('\'').unwrap_or_default();
            continue;
        };
        let is_apart =
            |head: &&str| !head.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let head = PREFIXES.iter().find_map(|prefix| text.strip_suffix(prefix).filter(is_apart));
        let value = match head.map(str::len) {
            Some(length) => {
                text.truncate(length);
                i64::from(value)
            }
            None => plain(value),
        };
        text.push_str(&value.to_string());
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// The value of a plain character, which has a sign: GCC writes it as 32 bits, Clang as eight.
fn plain(value: u32) -> i64 {
    match value {
        0x80..=0xff | 0xffff_ff80.. => i8::from_le_bytes([value.to_le_bytes()[0]]).into(),
        _ => value.into(),
    }
}

/// What the text begins with, quoted, and what is behind it.
fn literal(text: &str) -> Option<(u32, &str)> {
    let body = text.strip_prefix('\'')?;
    let (value, behind) = match body.strip_prefix('\\') {
        Some(escape) => escaped(escape)?,
        None => {
            let first = body.chars().next().filter(|first| *first != '\'')?;
            (first.into(), body.split_at(first.len_utf8()).1)
        }
    };
    Some((value, behind.strip_prefix('\'')?))
}

/// What an escape says behind its backslash.
fn escaped(text: &str) -> Option<(u32, &str)> {
    let first = text.chars().next()?;
    let behind = text.split_at(first.len_utf8()).1;
    let (digits, radix) = match first {
        'x' | 'u' | 'U' => (behind, 16),
        '0'..='7' => (text, 8),
        _ => {
            let letter = ESCAPES.iter().find(|(letter, _)| *letter == first);
            return Some((letter.map_or(first.into(), |(_, byte)| (*byte).into()), behind));
        }
    };
    let end = digits.find(|digit: char| !digit.is_digit(radix)).unwrap_or(digits.len());
    let (digits, behind) = digits.split_at(end);
    Some((u32::from_str_radix(digits, radix).ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_write_a_character_mean_its_number() {
        for (text, numbers) in [
            (r"c<'\n', '\012', '\x0a', 10>", "c<10, 10, 10, 10>"),
            (r"c<'\'', '\\', '\377', '\37777777777', '\xff'>", "c<39, 92, -1, -1, -1>"),
            (r"c<'\0', '\x00', 'a', '<', '\e'>", "c<0, 0, 97, 60, 27>"),
            (r"c<L'a', u8'b', u'\u00e9', U'é', L'\xff'>", "c<97, 98, 233, 233, 255>"),
            (r"c<&'a str, '', '\', 'ab', '\x'>", r"c<&'a str, '', '\', 'ab', '\x'>"),
            ("c<&'a", "c<&'a"),
        ] {
            assert_eq!(as_numbers(text), numbers);
        }
    }

    #[test]
    fn each_byte_is_written_so_that_it_is_read_again() {
        for byte in u8::MIN..=u8::MAX {
            let value = i8::from_le_bytes([byte]).to_string();
            assert_eq!(as_numbers(&spell(byte)), value, "{}", spell(byte));
        }
        assert_eq!([b'\n', 0x1b, b'"'].map(spell), [r"'\n'", r"'\x1b'", "'\"'"]);
    }
}
