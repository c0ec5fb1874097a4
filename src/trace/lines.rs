//! What are the lines of a pasted text, without what terminals, mails and web pages add?
//!
//! Mails quote (`> `), trackers draw a bar (`| `), pages keep entities (`&lt;`), word processors make
//! quotes curly, old terminals cut lines at their width.
//!
//! Rule: a line keeps its number in the original, whatever is taken out of it. A clean line is
//! borrowed, never copied.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

/// One line of a piece, cleaned.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Its number in the piece, from 1.
    pub(super) number: usize,
    /// The number of the last of those it was joined from.
    pub(super) last: usize,
    /// The text without its end, trailing blanks, colours and control characters.
    pub(super) text: Cow<'a, str>,
    /// Why it ends where it ends.
    pub(super) end: End,
}

/// Why a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its writer ended it.
    Written,
    /// It is as long as all long lines of the text: the next may go on in the midst of a word.
    Cut,
    /// The same, and a blank was the last character.
    CutAtBlank,
    /// The next word would have made it longer than any line: a mail may have broken it there.
    Full,
}

/// The lines of `text`, in order.
pub(super) fn lines(text: &str) -> Box<dyn Iterator<Item = Line<'_>> + '_> {
    let widths = Widths::of(text);
    let mut rest = without_lone_marks(text, widths).peekable();
    let mut before = "";
    let whole = std::iter::from_fn(move || {
        let (index, text) = rest.next()?;
        let next = rest.peek().map_or("", |(_, next)| next);
        let (number, end) = (index + 1, end(text, next, widths));
        let cleaned = match ends_name(text, before) {
            true => printable(text.trim_end()),
            false => clean(behind_second_blank(before, text).unwrap_or(text)),
        };
        before = text;
        Some((text, Line { number, last: number, end, text: cleaned }))
    });
    if memmem::find(text.as_bytes(), ESCAPED.as_bytes()).is_none() {
        return Box::new(whole.map(|(_, line)| line));
    }
    Box::new(whole.flat_map(|(text, whole)| {
        let (number, messages) = (whole.number, escaped(text));
        let whole = messages.is_none().then_some(whole);
        messages.into_iter().flatten().map(move |text| line(text, number)).chain(whole)
    }))
}

/// The lines with their numbers, but for the marks of quotes that a mail has left alone: the first word of what was
/// quoted is as long as the lines.
fn without_lone_marks(text: &str, widths: Widths) -> impl Iterator<Item = (usize, &str)> {
    let mut lines = split(text).enumerate().peekable();
    std::iter::from_fn(move || {
        loop {
            let (index, line) = lines.next()?;
            let next = lines.peek().map_or("", |(_, next)| next);
            if !(line == ">" && end(line, next, widths) == End::Full) {
                return Some((index, line));
            }
        }
    })
}

/// The text at its line ends. Lines are short: this is what most of them cost.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len())).filter_map(move |end| {
        let line = text.get(start..end);
        start = end + 1;
        line
    })
}

/// What rsyslog writes for the end of a line in a message: `#` and the character's number in octal
/// (`parser.escapeControlCharactersOnReceive`).
const LINE_END: &str = "#012";
/// What a message of systemd-coredump has, and its first line end.
const ESCAPED: &str = " dumped core.#012";

/// Whether the line is a message of systemd-coredump that rsyslog has made one line of.
fn is_escaped(line: &str) -> bool {
    let is_end = |at: usize| line.get(at..).is_some_and(|rest| rest.starts_with(LINE_END));
    memchr_iter(b'#', line.as_bytes()).any(is_end) && line.contains(ESCAPED)
}

/// The lines that such a message was; none for any other line.
fn escaped(line: &str) -> Option<impl Iterator<Item = &str>> {
    is_escaped(line).then(|| line.split(LINE_END))
}

/// How long lines of a text are, in characters.
#[derive(Clone, Copy, Debug, Default)]
struct Widths {
    /// Where something cut the long lines, in the midst of words.
    cut: Option<usize>,
    /// Where a mail may have broken them, at blanks.
    fold: Option<usize>,
}

/// The line, where it begins with the second blank behind a frame's number: `#3  0x…`.
fn behind_second_blank<'t>(before: &str, line: &'t str) -> Option<&'t str> {
    let address = line.strip_prefix(' ').filter(|rest| rest.starts_with("0x"))?;
    let number = before.trim_end_matches(|c: char| c.is_ascii_digit());
    (number.len() < before.len() && number.ends_with('#')).then_some(address)
}

/// Blanks that may have stood where a line was broken, as behind the number of gdb's frames.
const BLANKS: usize = 2;

fn end(line: &str, next: &str, widths: Widths) -> End {
    if widths.cut.is_none() && widths.fold.is_none() {
        return End::Written;
    }
    let line = line.strip_suffix('\r').unwrap_or(line);
    let narrowest = widths.cut.into_iter().chain(widths.fold).min().unwrap_or_default();
    if line.len() + BLANKS + next.len() <= narrowest {
        // Most lines: bytes are no fewer than characters.
        return End::Written;
    }
    if widths.cut.is_some_and(|width| line.len() >= width && length(line) >= width) {
        return if line.ends_with([' ', '\t']) { End::CutAtBlank } else { End::Cut };
    }
    if line.is_empty() {
        return End::Written;
    }
    let next = unquoted(next);
    let next = behind_second_blank(line, next).unwrap_or(next);
    // What is indented, a frame's number or valgrind's mark begins a line of its own.
    if next.starts_with([' ', '\t', '#']) || next.starts_with("==") {
        return End::Written;
    }
    let next = next.split_ascii_whitespace().next().map_or(0, length);
    let full = next > 0 && widths.fold.is_some_and(|width| length(line) + BLANKS + next > width);
    if full { End::Full } else { End::Written }
}

/// How many characters the text has.
fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

impl Widths {
    /// A terminal cuts at the length of the longest line, which others share; a mail breaks where there is a
    /// blank, so that a long word stays longer than the width.
    fn of(text: &str) -> Self {
        const WIDEST: usize = 200;
        const NARROWEST_CUT: usize = 60;
        const NARROWEST_FOLD: usize = 32;
        let (mut longest, mut longest_spaced, mut share, mut last) = (0, 0, 0, "");
        for line in split(text).filter(|line| line.len() >= NARROWEST_FOLD) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.len() < longest_spaced {
                continue;
            }
            let length = length(line);
            longest = longest.max(length);
            if length < longest_spaced || !line.trim().contains(' ') {
                continue;
            }
            // The same line again says nothing of what made it so long.
            share = if length == longest_spaced { share + usize::from(line != last) } else { 1 };
            (longest_spaced, last) = (length, line);
        }
        let may_be_cut = (NARROWEST_CUT..=WIDEST).contains(&longest) && longest == longest_spaced;
        let is_cut = may_be_cut && share > 1 && is_cut(text, longest);
        let may_be_folded = (NARROWEST_FOLD..=WIDEST).contains(&longest_spaced);
        Widths { cut: is_cut.then_some(longest), fold: may_be_folded.then_some(longest_spaced) }
    }
}

/// Whether a terminal cut the lines of this width. Where a mail broke them, some are shorter, and would not be
/// with the first word of the next, which may be more of them.
fn is_cut(text: &str, width: usize) -> bool {
    let mut lines = split(text).peekable();
    let (mut cut, mut full) = (0, 0);
    while let Some(line) = lines.next() {
        let Some(next) = lines.peek() else { break };
        let begins = next.is_empty() || next.starts_with("  ") || next.starts_with(['\t', '#']);
        if begins || next.starts_with("(gdb)") {
            continue;
        }
        let (long, word) = (length(line), next.split(' ').next().unwrap_or_default());
        cut += usize::from(long == width);
        full += usize::from(long < width && !word.is_empty() && long + 1 + length(word) > width);
    }
    2 * full < cut
}

/// The lines of a line of a text that is read in pieces: nothing is known of where others end.
pub(super) fn of_line(text: &str, number: usize) -> impl Iterator<Item = Line<'_>> {
    let messages = escaped(text);
    let whole = messages.is_none().then_some(text);
    messages.into_iter().flatten().chain(whole).map(move |text| line(text, number))
}

/// A line of which nothing is known but its text.
pub(super) fn line(text: &str, number: usize) -> Line<'_> {
    Line { number, last: number, text: clean(text), end: End::Written }
}

/// A line as its printer wrote it. Left alone are tabs, which separate gdb's source lines, but for those of a frame's.
fn clean(line: &str) -> Cow<'_, str> {
    let line = line.trim_end();
    let cleaned =
        if is_plain(line) { Cow::Borrowed(unquoted(without_break(line))) } else { mended(line) };
    match cleaned.starts_with('#') && memchr(b'\t', cleaned.as_bytes()).is_some() {
        true => Cow::Owned(cleaned.replace('\t', " ")),
        false => cleaned,
    }
}

/// Whether all of the line is ASCII that needs no mending. No early end: so the compiler looks at many bytes at once.
fn is_plain(line: &str) -> bool {
    let odd = |byte: u8| byte != b'\t' && !(0x20..0x7f).contains(&byte) || byte == b'&';
    !line.bytes().fold(false, |found, byte| found | odd(byte))
}

/// A line that something was put into.
fn mended(line: &str) -> Cow<'_, str> {
    let printed = match printable(line) {
        Cow::Borrowed(text) => Cow::Borrowed(without_break(text)),
        Cow::Owned(text) => Cow::Owned(without_break(&text).to_owned()),
    };
    let odd = |c: char| matches!(c, '&' | '\u{201c}' | '\u{201d}') || is_full_width(c);
    match printed {
        Cow::Borrowed(text) if !text.contains(odd) => Cow::Borrowed(unquoted(text)),
        text => Cow::Owned(unquoted(straight(narrow(decode(&text))).trim_end()).to_owned()),
    }
}

/// With the characters of ASCII for those of the same look that East Asian input methods write.
fn narrow(line: Cow<'_, str>) -> Cow<'_, str> {
    if !line.contains(is_full_width) {
        return line;
    }
    let narrow = |c: char| match is_full_width(c) {
        true => char::from_u32(u32::from(c) - FULL_WIDTH).unwrap_or(c),
        false => c,
    };
    Cow::Owned(line.chars().map(narrow).collect())
}

/// Whether the line begins with the end of a C++ name that a mail has broken: `> >::f (`, which is no quote.
fn is_rest_of_name(line: &str) -> bool {
    let text = line.trim_start_matches(['>', ' ']);
    let is_glued = line.strip_suffix(text).is_some_and(|marks| marks.ends_with('>'));
    is_glued && text.starts_with([':', ',', ')', '(', '*', '&'])
}

/// Whether the line begins with the end of a C++ name and its arguments, `> (a=1)`: the line before is no quote.
fn ends_name(line: &str, before: &str) -> bool {
    line.starts_with("> (") && !before.trim().is_empty() && !before.starts_with(['>', '|'])
}

/// How far the full-width forms are from ASCII (Unicode, Halfwidth and Fullwidth Forms).
const FULL_WIDTH: u32 = 0xfee0;

fn is_full_width(c: char) -> bool {
    ('\u{ff01}'..='\u{ff5e}').contains(&c)
}

/// Without the marks of a quoted mail, however deep, or of a tracker's bar.
fn unquoted(line: &str) -> &str {
    if !line.starts_with(['>', '|']) || is_rest_of_name(line) {
        return line;
    }
    let mut rest = line;
    while let Some(inner) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("| ")) {
        rest = inner.strip_prefix(' ').filter(|_| rest.starts_with('>')).unwrap_or(inner);
    }
    if rest == "|" { "" } else { rest }
}

/// Without the break at the end of a page's line.
fn without_break(line: &str) -> &str {
    if !line.ends_with('>') {
        return line;
    }
    let breaks = ["<br>", "<br/>", "<br />"].iter().find_map(|end| line.strip_suffix(end));
    breaks.map_or(line, str::trim_end)
}

/// With the characters that HTML's entities stand for.
fn decode(line: &str) -> Cow<'_, str> {
    let mut parts = line.split('&');
    let first = parts.next().unwrap_or_default();
    let mut decoded = String::new();
    for part in parts {
        let (c, rest) = entity(part).unwrap_or(('&', part));
        decoded.push(c);
        decoded.push_str(rest);
    }
    if decoded.is_empty() { Cow::Borrowed(line) } else { Cow::Owned(first.to_owned() + &decoded) }
}

/// The character that an entity stands for, and what follows: those of XML, the no-break space, numbers.
fn entity(text: &str) -> Option<(char, &str)> {
    const NAMED: [(&str, char); 6] = [
        ("lt;", '<'),
        ("gt;", '>'),
        ("quot;", '"'),
        ("apos;", '\''),
        ("nbsp;", ' '),
        ("amp;", '&'),
    ];
    let Some(numbered) = text.strip_prefix('#') else {
        return NAMED.iter().find_map(|(name, c)| Some((*c, text.strip_prefix(name)?)));
    };
    let (digits, rest) = numbered.split_once(';')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    match char::from_u32(code.ok()?)? {
        '\u{a0}' => Some((' ', rest)),
        c if c.is_control() || is_odd_blank(c) => None,
        c => Some((c, rest)),
    }
}

/// With straight quotes for curly ones, where there are no straight ones: no printer's then.
fn straight(line: Cow<'_, str>) -> Cow<'_, str> {
    if line.contains('"') {
        return line;
    }
    Cow::Owned(line.replace(['\u{201c}', '\u{201d}'], "\""))
}

/// Without colours and control characters, and the blanks that they leave at the end.
fn printable(line: &str) -> Cow<'_, str> {
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
    fn quoting_goes_and_indentation_stays() {
        let quoted = "> #0  a ()\n>    at b\n>> #1  a ()\n> > c\n>\n| #2\n|\n|| x";
        let expected = ["#0  a ()", "   at b", "#1  a ()", "c", "", "#2", "", "|| x"];
        assert_eq!(texts(quoted), expected);
        assert_eq!(
            texts("> >::f (a=1)\n>, int> (x)\n> (x)"),
            ["> >::f (a=1)", ">, int> (x)", "(x)"]
        );
        assert_eq!(texts("in f<g<char>\n> (a=1) \n> (b=1)"), ["in f<g<char>", "> (a=1)", "(b=1)"]);
    }

    #[test]
    fn entities_and_curly_quotes_are_what_they_were() {
        let page =
            "&gt; f (a=&lt;x&gt;, b=0x1 &quot;&amp;lt;&quot;, c=&#39;d&#39;) & e&nbsp;&copy;";
        assert_eq!(texts(page), ["f (a=<x>, b=0x1 \"&lt;\", c='d') & e &copy;"]);
        let numbers = "#0&nbsp; 0x1 in f&#160;(a=&#34;b&#x22;,&#xa0;c=&apos;d&#039;) &#10;&#xZ;&#;&nbsp;<br/>";
        assert_eq!(texts(numbers), ["#0  0x1 in f (a=\"b\", c='d') &#10;&#xZ;&#;"]);
        for end in ["<br>", "<br/>", " <br />", "<br> \r"] {
            assert_eq!(texts(&format!("#0  f () at a.c:12{end}")), ["#0  f () at a.c:12"]);
        }
        assert_eq!(texts("a=\u{201c}b\u{201d}"), ["a=\"b\""]);
        assert_eq!(texts("\"\u{201c}\""), ["\"\u{201c}\""]);
    }

    #[test]
    fn full_width_characters_are_what_they_look_like() {
        assert_eq!(texts("#0  f （a＝1） at b．c：12"), ["#0  f (a=1) at b.c:12"]);
        assert_eq!(texts("日本語、。"), ["日本語、。"]);
    }

    #[test]
    fn a_width_that_lines_share_is_where_they_were_cut() {
        let ends = |text: &str| lines(text).map(|line| line.end).collect::<Vec<_>>();
        let long = format!("a {}", "x".repeat(77));
        let cut = format!("{long}y\n{long} \r\n{long}y\nshort");
        assert_eq!(ends(&cut), [End::Cut, End::CutAtBlank, End::Cut, End::Written]);
        assert_eq!(ends(&format!("{cut}\n{long}yz"))[0], End::Full);
        // Twice the same says nothing, nor do lines that a mail broke elsewhere too.
        assert_eq!(ends(&format!("{long}y\nb\n{long}y\nc"))[0], End::Full);
        let folded = format!("{long}y\nb\n{long}z\nb\n{long}\nb");
        assert_eq!(ends(&folded)[0], End::Full);
        // Two blanks may have been where one line was made two; a blank line is whole.
        assert_eq!(ends(&format!("{long}y\n#0  f\n#1\n{}", "z".repeat(79)))[2], End::Full);
        assert_eq!(ends(&format!("{long}y\n\n{long}{long}"))[1], End::Written);
    }

    #[test]
    fn what_a_mail_leaves_at_the_ends_of_broken_lines_goes() {
        let word = "x".repeat(40);
        let quoted = format!("> in f and much more, as wide as it is\n>\n{word}\n>\nshort");
        assert_eq!(texts(&quoted)[1..], [word.as_str(), "", "short"]);
        assert_eq!(texts("#10\n 0x1 in f\n 0x2"), ["#10", "0x1 in f", " 0x2"]);
    }

    #[test]
    fn tabs_between_the_words_of_a_frame_are_blanks() {
        assert_eq!(texts("#0\t0x1\tin\tf\t(a=1)\tat\ta.c:12"), ["#0 0x1 in f (a=1) at a.c:12"]);
        assert_eq!(texts("12\t  f (#1);"), ["12\t  f (#1);"]);
    }

    #[test]
    fn a_message_whose_line_ends_were_escaped_is_its_lines() {
        let text = "a\nProcess 7 (x) of user 0 dumped core.#012#012Stack trace of thread 7:#012#0  0x1 f\n#012 b#012";
        let read: Vec<_> = lines(text).map(|line| (line.number, line.text.into_owned())).collect();
        let expected = [
            (1, "a"),
            (2, "Process 7 (x) of user 0 dumped core."),
            (2, ""),
            (2, "Stack trace of thread 7:"),
            (2, "#0  0x1 f"),
            (3, "#012 b#012"),
        ];
        assert_eq!(read, expected.map(|(number, text)| (number, text.to_owned())));
    }

    #[test]
    fn no_break_spaces_become_spaces() {
        assert_eq!(texts("\u{feff}a\u{a0}b\u{200b}"), ["a b"]);
    }
}
