//! Where does a line of prose end, and how are texts made to stand in columns?

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks text into lines of at most `width` columns, between words where it can; a word longer
/// than a line is broken inside. Runs of blanks become one.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = line.width() + usize::from(!line.is_empty()) + word.width();
        if needed > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A text of so many columns at most; what does not fit is `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// A text with blanks behind it, as wide as a column.
pub(super) fn filled(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_between_words_and_inside_long_ones() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("文字文字", 5), ["文字", "文字"]);
    }

    #[test]
    fn columns_are_as_wide_as_they_look() {
        assert_eq!((cut("名前です", 5).as_str(), cut("名前", 4).as_str()), ("名前…", "名前"));
        assert_eq!((cut("abc", 2).as_str(), cut("abc", 0).as_str()), ("a…", "…"));
        assert_eq!((filled("名", 4).as_str(), filled("abc", 2).as_str()), ("名  ", "abc"));
    }

    #[test]
    fn no_line_is_wider_than_allowed() {
        for width in 2..30 {
            for line in wrap("libxl__ev_fd_deregister takes the lock; ev->fd = -1 文字 x", width)
            {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}
