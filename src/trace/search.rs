//! Where does a short text stand in a line?
//!
//! Rule: nothing is prepared, as the library's search for texts of any length does: a line is read faster than that.

use memchr::{memchr_iter, memrchr_iter};

/// Where the first `text` begins.
#[inline]
pub(super) fn find(line: &str, text: &str) -> Option<usize> {
    let (skipped, first) = telling_byte(text);
    memchr_iter(first, line.as_bytes())
        .find_map(|at| begins_at(line, text, at.checked_sub(skipped)?))
}

/// Where the last `text` begins.
#[inline]
pub(super) fn rfind(line: &str, text: &str) -> Option<usize> {
    let (skipped, first) = telling_byte(text);
    memrchr_iter(first, line.as_bytes())
        .find_map(|at| begins_at(line, text, at.checked_sub(skipped)?))
}

/// Whether it stands anywhere.
#[inline]
pub(super) fn contains(line: &str, text: &str) -> bool {
    find(line, text).is_some()
}

/// What is before the first `text` and behind it.
#[inline]
pub(super) fn split_once<'a>(line: &'a str, text: &str) -> Option<(&'a str, &'a str)> {
    around(line, find(line, text)?, text)
}

/// What is before the last `text` and behind it.
#[inline]
pub(super) fn rsplit_once<'a>(line: &'a str, text: &str) -> Option<(&'a str, &'a str)> {
    around(line, rfind(line, text)?, text)
}

fn around<'a>(line: &'a str, at: usize, text: &str) -> Option<(&'a str, &'a str)> {
    Some((line.get(..at)?, line.get(at + text.len()..)?))
}

/// The first byte that is no blank, of which lines have many, and how many are before it.
fn telling_byte(text: &str) -> (usize, u8) {
    text.bytes().enumerate().find(|(_, byte)| *byte != b' ').unwrap_or((0, b' '))
}

fn begins_at(line: &str, text: &str, at: usize) -> Option<usize> {
    line.as_bytes().get(at..)?.starts_with(text.as_bytes()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_the_library_finds() {
        let lines = [
            "",
            " ",
            "a",
            " a",
            "a from b from c",
            "x+0x1+0x2",
            " (",
            "é: ü: ",
            "aaa:",
            " from",
            "  at  at ",
        ];
        for line in lines {
            for text in [" ", "a", " from ", "+0x", " (", ": ", " at ", "aa", "ü"] {
                assert_eq!(find(line, text), line.find(text), "{line:?} {text:?}");
                assert_eq!(contains(line, text), line.contains(text), "{line:?} {text:?}");
                assert_eq!(rfind(line, text), line.rfind(text), "{line:?} {text:?}");
                assert_eq!(split_once(line, text), line.split_once(text), "{line:?} {text:?}");
                assert_eq!(rsplit_once(line, text), line.rsplit_once(text), "{line:?} {text:?}");
            }
        }
    }
}
