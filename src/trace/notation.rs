//! Where do names end and strings stop in what a debugger prints?
//!
//! Rule: small readers of a text's beginning; each looks no further than what it reads.

/// The length of an identifier that starts the text, of characters in `inner` after the first.
fn identifier(text: &str, inner: &str) -> usize {
    if !text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') {
        return 0;
    }
    text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || inner.contains(c)))
        .unwrap_or(text.len())
}

/// `name=…`, `name@entry=…`: the length of the name, and where the value starts. Of
/// `name=name@entry=…`, which gdb prints when the value is still what it was, the name is `name`.
/// The members of a C++ parameter pack are counted: `args#0=…`.
pub(super) fn argument_name(text: &str) -> Option<(usize, usize)> {
    const ENTRY: &str = "@entry";
    let length = identifier(text, ":.");
    if length == 0 {
        return None;
    }
    let length = length + count(text.get(length..)?);
    let (name, rest) = text.split_at_checked(length)?;
    if rest.strip_prefix(ENTRY).is_some_and(|rest| rest.starts_with('=')) {
        return Some((length + ENTRY.len(), length + ENTRY.len() + 1));
    }
    let value = rest.strip_prefix('=')?;
    let still = value.strip_prefix(name).and_then(|rest| rest.strip_prefix(ENTRY));
    if still.is_some_and(|rest| rest.starts_with('=')) {
        return Some((length, length + 1 + length + ENTRY.len() + 1));
    }
    Some((length, length + 1))
}

/// The length of the `#3` that starts the text.
fn count(text: &str) -> usize {
    let Some(digits) = text.strip_prefix('#') else { return 0 };
    match digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()) {
        0 => 0,
        length => '#'.len_utf8() + length,
    }
}

/// `name = …`, `static name = …`, `["key"] = …`, Rust's `name: …`: the length of the name, and
/// where the value starts.
pub(super) fn member_name(text: &str) -> Option<(usize, usize)> {
    /// A map's longer keys are not looked for: each `[` would cost the rest of the text.
    const KEY: usize = 256;
    let length = if text.starts_with('[') {
        let key = text.as_bytes().get(..KEY.min(text.len()))?;
        key.windows(4).position(|end| end == b"] = ")? + 1
    } else {
        let prefix = if text.starts_with("static ") { "static ".len() } else { 0 };
        prefix + identifier(text.get(prefix..)?, ".:")
    };
    if length > 0 && text.get(length..)?.starts_with(" = ") {
        return Some((length, length + 3));
    }
    let bare = text.get(..length)?.strip_suffix(':')?;
    let rust = !bare.is_empty() && !bare.ends_with(':') && text.get(length..)?.starts_with(' ');
    rust.then_some((bare.len(), length + 1))
}

/// Where the value of `name = value` starts: behind the blank after `=`, or at the end of the text
/// when the value was put on the next line.
pub(super) fn variable_start(text: &str) -> Option<usize> {
    let length = identifier(text, ":.");
    let rest = text.get(length..)?;
    if length == 0 {
        return None;
    }
    match rest {
        " =" => Some(text.len()),
        _ => rest.starts_with(" = ").then_some(length + 3),
    }
}

/// At most `limit` bytes of the text, with an ellipsis where it was cut.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The string that gdb prints as `"a\n", 'c' <repeats 20 times>, "b"...`: at most `limit` bytes,
/// without the zeros that fill an array's end.
pub(super) fn unescape(text: &str, limit: usize) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while bytes.len() < limit {
        let Some((segment, after)) = segment(rest) else { break };
        let (times, after) = repeats(after);
        for _ in 0..times.min(limit) {
            if bytes.len() < limit {
                bytes.extend_from_slice(&segment);
            }
        }
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => break,
        }
    }
    bytes.truncate(limit);
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// ` <repeats 54 times>` behind a character: how often, and what follows.
fn repeats(text: &str) -> (usize, &str) {
    let counted = text.strip_prefix(" <repeats ").and_then(|text| text.split_once(" times>"));
    match counted.and_then(|(times, after)| Some((times.parse().ok()?, after))) {
        Some(counted) => counted,
        None => (1, text),
    }
}

/// The bytes of one quoted piece, and what follows it.
fn segment(text: &str) -> Option<(Vec<u8>, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut bytes = Vec::new();
    let mut chars = text.get(1..)?.chars();
    while let Some(c) = chars.next() {
        if c == quote {
            break;
        } else if c == '\\' {
            bytes.extend(escape(&mut chars));
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Some((bytes, chars.as_str()))
}

/// The byte of an escape sequence whose backslash was read (C's, and gdb's `\e`).
fn escape(chars: &mut std::str::Chars<'_>) -> Option<u8> {
    let c = chars.next()?;
    Some(match c {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'v' => 11,
        'e' => 27,
        '0'..='7' => {
            let mut code = c.to_digit(8)?;
            for _ in 0..2 {
                let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else {
                    break;
                };
                code = code * 8 + digit;
                chars.next();
            }
            // Octal up to \777; a byte holds \377.
            (code & 0xff) as u8
        }
        c => u8::try_from(c).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unescaped() {
        for (printed, string) in [
            (r#""a\n\"b\"\\""#, "a\n\"b\"\\"),
            (r#""qdisk-768", '\000' <repeats 54 times>"#, "qdisk-768"),
            (r#""x", 'y' <repeats 3 times>, "z"..."#, "xyyyz"),
            (r#""caf\303\251""#, "café"),
            (r#""cut off"#, "cut off"),
            ("\"", ""),
            ("", ""),
        ] {
            assert_eq!(unescape(printed, 100), string, "{printed}");
        }
    }

    #[test]
    fn repeats_do_not_outgrow_the_limit() {
        let string = unescape("'a' <repeats 4000000000 times>, \"b\"", 100);
        assert_eq!(string, "a".repeat(100));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shorten("éé", 3), "é…");
        assert_eq!(shorten("éé", 4), "éé");
    }

    #[test]
    fn names_end_where_their_value_starts() {
        assert_eq!(argument_name("sig=6"), Some((3, 4)));
        assert_eq!(argument_name("sig=sig@entry=6"), Some((3, 14)));
        assert_eq!(argument_name("sig=signal@entry=6"), Some((3, 4)));
        assert_eq!(argument_name("sig@entry=6"), Some((9, 10)));
        assert_eq!(argument_name("__args#10=5"), Some((9, 10)));
        assert_eq!(argument_name("a#=5"), None);
        assert_eq!(argument_name("capacity 1 = {5}"), None);
        assert_eq!(member_name("_vptr.Base = 0x1"), Some((10, 13)));
        assert_eq!(member_name("static count = 1"), Some((12, 15)));
        assert_eq!(member_name("[\"key\"] = 1"), Some((7, 10)));
        assert_eq!(member_name("name: 1"), Some((4, 6)));
        assert_eq!(member_name("std::vector of length 1"), None);
        assert_eq!(variable_start("i = 3"), Some(4));
        assert_eq!(variable_start("note: this"), None);
    }
}
