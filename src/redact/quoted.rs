//! Where in what a program or a debugger printed are texts in quotes?

/// The text with the inside of each `"…"` as `replaced` has it; `'…'` too where `single` says so.
/// None where there are no quotes.
pub(super) fn replace(
    text: &str,
    single: Single,
    mut replaced: impl FnMut(&str) -> String,
) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, quote, inside, after)) = next(rest, single) {
        out.push_str(before);
        out.push(quote);
        // An empty text says that it is empty; one replaced before has its placeholder.
        if inside.is_empty() || is_placeholder(inside) {
            out.push_str(inside);
        } else {
            out.push_str(&replaced(inside));
        }
        if after.len() < rest.len() - before.len() - 1 - inside.len() {
            out.push(quote);
        }
        rest = after;
    }
    if rest.len() == text.len() {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// Whether single quotes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Single {
    /// They hold one character, as gdb prints it.
    Characters,
    /// They hold names, as libvirt's messages have them.
    Names,
}

/// What is before the next text in quotes, the quote, the text, and what follows.
fn next(text: &str, single: Single) -> Option<(&str, char, &str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return between(text, at, '"'),
            b'\'' if single == Single::Names => {
                // An apostrophe stands inside a word; a name is closed before the line ends.
                let inside_word = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
                let closed = bytes.get(at + 1..)?.contains(&b'\'');
                if !inside_word && closed {
                    return between(text, at, '\'');
                }
            }
            b'\'' => at += character(bytes.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The bytes of the character literal behind a `'`, the closing one included; 0 where there is none.
fn character(bytes: &[u8]) -> usize {
    const LONGEST: usize = 11;
    let from = if bytes.first() == Some(&b'\\') { 2 } else { 1 };
    let end = bytes.iter().take(LONGEST).skip(from).position(|&byte| byte == b'\'');
    end.map_or(0, |end| from + end + 1)
}

fn between(text: &str, at: usize, quote: char) -> Option<(&str, char, &str, &str)> {
    let (before, inside) = (text.get(..at)?, text.get(at + 1..)?);
    let bytes = inside.as_bytes();
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            byte if byte == quote as u8 => break,
            _ => {}
        }
        end += 1;
    }
    let end = end.min(inside.len());
    Some((before, quote, inside.get(..end)?, inside.get(end + 1..).unwrap_or_default()))
}

/// Whether the text is a placeholder already.
fn is_placeholder(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.and_then(|inner| inner.rsplit_once('-')).is_some_and(|(kind, number)| {
        kind.bytes().all(|byte| byte.is_ascii_lowercase()) && number.parse::<usize>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, single: Single) -> String {
        replace(text, single, |_| "X".to_owned()).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn what_gdb_prints_in_quotes() {
        for (text, expected) in [
            (r#"0x40 "a \"b\" c\\", 1"#, r#"0x40 "X", 1"#),
            (
                r#"{a = "x", '\000' <repeats 3 times>, b = 34 '"', c = "y"...}"#,
                r#"{a = "X", '\000' <repeats 3 times>, b = 34 '"', c = "X"...}"#,
            ),
            (r#"39 '\'' "z""#, r#"39 '\'' "X""#),
            (r#""cut off"#, r#""X"#),
            (r#""cut \"#, r#""X"#),
            (r#"" "#, r#""X"#),
            (r#""""#, r#""""#),
            (r#""<string-3>""#, r#""<string-3>""#),
            ("12", "12"),
        ] {
            assert_eq!(replaced(text, Single::Characters), expected, "{text}");
        }
    }

    #[test]
    fn what_a_message_has_in_quotes() {
        for (text, expected) in [
            ("no domain 'vm-1' (can't)", "no domain 'X' (can't)"),
            ("it's 'a' and \"b\"", "it's 'X' and \"X\""),
            ("an ' alone", "an ' alone"),
        ] {
            assert_eq!(replaced(text, Single::Names), expected, "{text}");
        }
    }
}
