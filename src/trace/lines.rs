//! What are the lines of a pasted text, without what terminals, mails and web pages add?
//!
//! Rule: one pass; a line keeps its number in the original, whatever is taken out of it. A clean
//! line is borrowed, never copied.

use std::borrow::Cow;

/// One line of a piece, cleaned.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Its number in the piece, from 1.
    pub(super) number: usize,
    /// The text without its end, trailing blanks, colours and control characters.
    pub(super) text: Cow<'a, str>,
}

/// The lines of `text`, in order.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split('\n').enumerate().map(|(index, line)| Line { number: index + 1, text: clean(line) })
}

/// A line as a person reads it. Left alone are tabs, which separate gdb's source lines.
fn clean(line: &str) -> Cow<'_, str> {
    let line = line.trim_end();
    if line.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(line);
    }
    if !line.contains(|c: char| c != '\t' && (c.is_control() || is_odd_blank(c))) {
        return Cow::Borrowed(line);
    }
    let mut cleaned = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => rest = after_escape(rest.as_str()).chars(),
            '\u{a0}' | '\r' => cleaned.push(' '),
            '\t' => cleaned.push(c),
            c if c.is_control() || is_odd_blank(c) => {}
            c => cleaned.push(c),
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    Cow::Owned(cleaned)
}

/// Blanks that web pages and editors put in: no-break and zero-width spaces, byte order marks.
fn is_odd_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{200b}' | '\u{feff}')
}

/// What follows an escape sequence whose ESC was read (ECMA-48 §5.4 for `[`, §8.3.89 for `]`).
fn after_escape(rest: &str) -> &str {
    if let Some(parameters) = rest.strip_prefix('[') {
        let end = parameters.find(|c: char| !(' '..='?').contains(&c));
        return end.map_or("", |end| after_char(&parameters[end..]));
    }
    if let Some(command) = rest.strip_prefix(']') {
        let end = command.find(['\u{7}', '\u{1b}']);
        return end.map_or(rest, |end| {
            let rest = after_char(&command[end..]);
            rest.strip_prefix('\\').unwrap_or(rest)
        });
    }
    after_char(rest)
}

fn after_char(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        lines(text).map(|line| line.text.into_owned()).collect()
    }

    #[test]
    fn line_ends_trailing_blanks_and_control_characters_go() {
        assert_eq!(texts("#0  a ()\r\nb   \t \n\0c\u{8}\n"), ["#0  a ()", "b", "c", ""]);
    }

    #[test]
    fn colours_and_titles_go() {
        let coloured =
            "#0  \u{1b}[33mraise\u{1b}[m (\u{1b}[36msig\u{1b}[m=6)\u{1b}]0;title\u{7} at";
        assert_eq!(texts(coloured), ["#0  raise (sig=6) at"]);
        assert_eq!(texts("\u{1b}[1;3"), [""]);
        assert_eq!(texts("a\u{1b}"), ["a"]);
    }

    #[test]
    fn a_clean_line_is_not_copied() {
        let line = lines("64\t  return é;").next().unwrap();
        assert!(matches!(line.text, Cow::Borrowed("64\t  return é;")));
    }

    #[test]
    fn no_break_spaces_become_spaces() {
        assert_eq!(texts("\u{feff}a\u{a0}b\u{200b}"), ["a b"]);
    }
}
