//! Is a text that gdb prints complete: are its quotes closed and its brackets matched?
//!
//! Rule: one pass over the bytes, whatever their number. Angle brackets do not count: names like
//! `operator<` leave them open.

use std::borrow::Cow;

use super::steps::took;

/// How deep a text read so far stands in brackets, and whether inside a string.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nesting {
    depth: usize,
    in_string: bool,
}

impl Nesting {
    /// Reads on; a string may go on from an earlier text.
    pub(super) fn read(&mut self, text: &str) {
        took(text.len());
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            if self.in_string {
                at = self.read_string(bytes, at);
            }
            let Some((mark, byte)) = next_mark(bytes, at) else { break };
            at = mark;
            at = match byte {
                b'"' => {
                    self.in_string = true;
                    at + 1
                }
                b'\'' => after_character(bytes, at).unwrap_or(at + 1),
                b'(' | b'[' | b'{' => {
                    self.depth += 1;
                    at + 1
                }
                b')' | b']' | b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    fn read_string(&mut self, bytes: &[u8], at: usize) -> usize {
        match string_end(bytes, at) {
            Some(end) => {
                self.in_string = false;
                end
            }
            None => bytes.len(),
        }
    }

    /// A string is open.
    pub(super) fn in_string(self) -> bool {
        self.in_string
    }

    /// A bracket or a string is open.
    pub(super) fn is_open(self) -> bool {
        self.depth > 0 || self.in_string
    }
}

/// The next bracket or quote from `at`, and which. All that is read of a frame passes here, some bytes many times.
pub(super) fn next_mark(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    const IS_MARK: [bool; 256] = {
        let mut table = [false; 256];
        let (marks, mut at) = (b"()[]{}\"'", 0);
        while at < marks.len() {
            table[marks[at] as usize] = true;
            at += 1;
        }
        table
    };
    let rest = bytes.get(at..)?;
    let skipped = rest.iter().position(|&byte| IS_MARK[usize::from(byte)])?;
    Some((at + skipped, *rest.get(skipped)?))
}

/// A text that was shortened with what closes it, so that something can follow: `{a = "x…` becomes
/// `{a = "x…"}`.
pub fn closed(text: &str) -> Cow<'_, str> {
    if !text.ends_with('…') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut next = at + 1;
        match byte {
            b'(' => open.push(')'),
            b'[' => open.push(']'),
            b'{' => open.push('}'),
            b')' | b']' | b'}' => drop(open.pop()),
            b'"' => match string_end(bytes, next) {
                Some(end) => next = end,
                None => {
                    open.push('"');
                    break;
                }
            },
            b'\'' => next = after_character(bytes, at).unwrap_or(next),
            _ => {}
        }
        at = next;
    }
    Cow::Owned(text.chars().chain(open.into_iter().rev()).collect())
}

/// The position behind the `"` that closes a string whose inside starts at `at`.
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        took(1);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The position behind the bracket that closes the one at `at`.
pub(super) fn group_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        took(1);
        let mut next = at + 1;
        match *bytes.get(at)? {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => next = string_end(bytes, next)?,
            b'\'' => next = after_character(bytes, at).unwrap_or(next),
            _ => {}
        }
        if depth == 0 {
            return Some(next);
        }
        at = next;
    }
}

/// The position behind the character literal (`'a'`, `'\000'`, `'"'`) that the `'` at `at` opens;
/// none when it opens none: an apostrophe, a lifetime.
pub(super) fn after_character(bytes: &[u8], at: usize) -> Option<usize> {
    /// `\U0001f600` is the longest escape.
    const LONGEST: usize = 11;
    let inside = bytes.get(at + 1..)?;
    let from = if inside.first() == Some(&b'\\') { 2 } else { 1 };
    let length = inside.iter().take(LONGEST).skip(from).position(|&byte| byte == b'\'')? + from;
    let literal = std::str::from_utf8(inside.get(..length)?).ok()?;
    let one_character = literal.starts_with('\\') || literal.chars().count() == 1;
    one_character.then_some(at + 1 + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nesting(text: &str) -> Nesting {
        let mut nesting = Nesting::default();
        nesting.read(text);
        nesting
    }

    #[test]
    fn brackets_in_strings_and_characters_do_not_count() {
        for text in [r#"(s=0x1 "a)\"(", c=40 '(')"#, r"{'\'', '\000' <repeats 3 times>}", "'\"'"] {
            assert!(!nesting(text).is_open(), "{text}");
        }
    }

    #[test]
    fn an_apostrophe_opens_nothing() {
        assert!(!nesting("call<&'a str> (it's)").is_open());
        assert!(nesting("don't (").is_open());
    }

    #[test]
    fn what_was_shortened_is_closed() {
        for (text, expected) in [
            ("{a = (1, \"x…", "{a = (1, \"x…\")}"),
            ("{a = {1}, …", "{a = {1}, …}"),
            ("9…", "9…"),
            ("{1", "{1"),
        ] {
            assert_eq!(closed(text), expected);
            assert!(!text.ends_with('…') || !nesting(&closed(text)).is_open(), "{text}");
        }
    }

    #[test]
    fn a_string_goes_on_in_the_next_line() {
        let mut nesting = nesting(r#"(a="one"#);
        assert!(nesting.is_open());
        nesting.read(r#"two")"#);
        assert!(!nesting.is_open());
    }
}
