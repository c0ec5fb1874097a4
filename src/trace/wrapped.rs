//! May the next line be more of a text that gdb, a mail or a log has broken?
//!
//! ```text
//! #2  0x… in f (a=1,                  brackets are open: arguments follow
//! libxl: debug: …                     another program's line in their midst
//!     b=2)                            all closed, but the place is lacking
//!    at f.c:1
//! ```
//! Rule: what is joined must look like the rest of what is open. A person's sentence ends it, and
//! so do two blank lines; one blank line is what double-spaced pastes have between any two.

use super::formats::assertion;
use super::formats::gdb::{self, Lacks};
use super::formats::parts;
use super::lines::End;
use super::nesting::Nesting;
use super::notation;

/// Bounds of what may be joined to one frame, in lines and bytes.
const FRAME: Bounds = Bounds { lines: 200, bytes: 64 << 10 };
/// Bounds of what may be joined to one value, pretty-printed structs among them.
const VALUE: Bounds = Bounds { lines: 20_000, bytes: 1 << 20 };
/// Bounds of a single line that was cut.
const LINE: Bounds = Bounds { lines: 4, bytes: 4 << 10 };
/// Times that the whole text is read again to see what it lacks, its brackets being closed.
const READINGS: usize = 40;
/// Lines of other programs in the midst of a text.
const ASIDE: usize = 40;

struct Bounds {
    lines: usize,
    bytes: usize,
}

/// A text whose end has not been seen.
#[derive(Debug)]
pub(super) struct Wrapped {
    pub(super) shows: Shows,
    /// The first line as it stands, and the lines behind it, joined by one blank where none was cut.
    read: String,
    /// Where the text begins in what is read, and where the first line ends in it.
    begins: usize,
    first_ends: usize,
    pub(super) first: usize,
    pub(super) last: usize,
    nesting: Nesting,
    lacks: Lacks,
    readings: usize,
    /// The blank lines since the last line.
    pub(super) blanks: Vec<usize>,
    end: End,
    /// Ranges of lines between the first and the last that are no part of it.
    asides: Vec<(usize, usize)>,
}

/// What a text shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// A frame with its number.
    Frame(u32),
    /// The frame of a stop.
    StopFrame,
    /// The frame that `finish` runs to the end of, the line's words before it left out.
    LeftFrame,
    /// A printed value.
    Value { number: Option<u32>, expression: Option<String> },
    /// A local variable of the frame above.
    Local,
    /// One of the variables that were asked for.
    Variable,
    /// A failed assertion.
    Assertion,
    /// The header of a thread's stack.
    Header,
}

/// Bytes that a second line mostly adds.
const MORE: usize = 64;

impl Wrapped {
    /// A text that begins with `text` on the line that reads `line`.
    pub(super) fn new(shows: Shows, text: &str, line: &str, at: At) -> Self {
        let text = text.trim();
        let before = line.strip_suffix(text).unwrap_or_default();
        let mut read = String::with_capacity(before.len() + text.len() + MORE);
        read.push_str(before);
        let mut wrapped = Wrapped {
            shows,
            begins: read.len(),
            first_ends: read.len() + text.len(),
            read,
            first: at.number,
            last: at.last,
            nesting: Nesting::default(),
            lacks: Lacks::Nothing,
            readings: 0,
            blanks: Vec::new(),
            end: End::Written,
            asides: Vec::new(),
        };
        wrapped.join(text, at);
        wrapped
    }

    /// The lines so far, without what stands before the text on the first.
    pub(super) fn text(&self) -> &str {
        self.read.get(self.begins..).unwrap_or_default()
    }

    /// The first line as it stands.
    pub(super) fn first_line(&self) -> &str {
        self.read.get(..self.first_ends).unwrap_or_default()
    }

    /// Takes the line as more of this text.
    pub(super) fn join(&mut self, line: &str, at: At) {
        self.step_over(at.number);
        // A line that was cut goes on with the very next character.
        let in_path = self.is_frame() && self.lacks == Lacks::RestOfPath;
        let cut = self.end == End::Cut && !self.lacks_a_word() && !self.is_cut_at_blank(line)
            || in_path && gdb::is_rest_of_path(line.trim());
        let line = if cut { line.trim_end() } else { line.trim() };
        // Where gdb breaks behind a brace, there is no blank.
        if !self.text().is_empty() && !cut && !self.text().ends_with('{') {
            self.read.push(' ');
        }
        self.nesting.read(line);
        self.read.push_str(line);
        self.last = at.last;
        self.blanks.clear();
        self.end = at.end;
        if self.is_frame() && !self.nesting.is_open() {
            self.readings += 1;
            self.lacks = gdb::lacks(self.frame());
        }
    }

    /// The lines between the last and this one are no part of it, unless they are blank.
    fn step_over(&mut self, number: usize) {
        if number > self.last + 1 + self.blanks.len() {
            self.asides.push((self.last + 1, number - 1));
        }
    }

    /// A blank line; whether what is open may still go on.
    pub(super) fn blank(&mut self, number: usize) -> bool {
        self.blanks.push(number);
        self.blanks.len() == 1
    }

    /// gdb's question between two pages ends nothing.
    pub(super) fn page_break(&mut self, at: At) {
        self.step_over(at.number);
        self.last = at.last;
        self.blanks.clear();
    }

    /// The lines that are its own, as ranges.
    pub(super) fn ranges(&self) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        let mut first = self.first;
        for &(from, to) in &self.asides {
            ranges.push((first, from.saturating_sub(1)));
            first = to + 1;
        }
        ranges.push((first, self.last));
        ranges
    }

    /// Whether the line can be more of this text.
    pub(super) fn goes_on_with(&self, line: &str, number: usize) -> bool {
        let bounds = self.bounds();
        let apart = number.saturating_sub(self.last + 1);
        if self.last - self.first >= bounds.lines
            || self.text().len() + line.len() > bounds.bytes
            || self.readings > READINGS
            || apart > ASIDE
        {
            return false;
        }
        if apart > 0 {
            return self.goes_on_beyond(line);
        }
        match self.shows {
            Shows::Assertion => assertion::goes_on_with(self.text(), line),
            _ if self.nesting.is_open() => self.goes_on_inside(line),
            Shows::Value { .. } | Shows::Local | Shows::Variable => {
                line.starts_with([' ', '\t', '}'])
            }
            Shows::Header => false,
            Shows::Frame(_) | Shows::StopFrame | Shows::LeftFrame => self.lacks_what_is_in(line),
        }
    }

    /// Beyond a blank line or another program's: only what cannot be anything else.
    fn goes_on_beyond(&self, line: &str) -> bool {
        if self.nesting.is_open() {
            return line.starts_with([' ', '\t']) && line.contains(CONTINUE);
        }
        let text = line.trim_start();
        let alone = text.len() < line.len() && gdb::begins_place(text);
        self.is_frame() && self.lacks == Lacks::Place && (alone || gdb::is_whole_place(text))
    }

    /// Inside brackets or a string.
    fn goes_on_inside(&self, line: &str) -> bool {
        if line.starts_with([' ', '\t']) || matches!(self.end, End::Cut | End::CutAtBlank) {
            return true;
        }
        // Mails lose the indentation; a sentence has none of these, or words before them.
        (line.contains(CONTINUE) || self.end == End::Full)
            && (self.nesting.in_string() || !is_prose(line) || self.in_value_of(line))
    }

    /// Whether the line goes on with words that gdb and printers of containers write in a value.
    fn in_value_of(&self, line: &str) -> bool {
        let of_container = self.end == End::Full && line.starts_with("of length ");
        of_container || self.in_angles()
    }

    /// Whether a terminal cut the text where a blank is in all that gdb prints, and something has taken the blank
    /// from the end of the line.
    fn is_cut_at_blank(&self, line: &str) -> bool {
        self.text().ends_with("<optimized") && line.starts_with("out>")
    }

    /// `<optimized out>` and `<error: …>` have words inside.
    fn in_angles(&self) -> bool {
        const BACK: usize = 256;
        let mut back = self.text().bytes().rev().take(BACK);
        back.find(|byte| matches!(byte, b'<' | b'>')) == Some(b'<')
    }

    /// Whether a blank comes next, wherever the line was cut.
    fn lacks_a_word(&self) -> bool {
        let word = matches!(self.lacks, Lacks::Call | Lacks::Name | Lacks::Place | Lacks::Path);
        word && self.is_frame() && !self.nesting.is_open()
    }

    fn lacks_what_is_in(&self, line: &str) -> bool {
        let text = line.trim_start();
        let one_word = !text.contains([' ', '\t']);
        let cut = matches!(self.end, End::Cut | End::CutAtBlank);
        let full = self.end == End::Full;
        match self.lacks {
            // The name of a file may go on behind the terminal's edge.
            Lacks::Nothing => self.end == End::Cut && one_word && text.contains(['/', '.', ':']),
            Lacks::Call => text.starts_with("in "),
            Lacks::Name if full => one_word || text.contains(['(', '<', ':']),
            Lacks::Name => one_word || text.contains(" ("),
            Lacks::Arguments if full && text.starts_with("as ") => true,
            Lacks::Arguments if full && one_word && text.contains("::") => true,
            Lacks::Arguments if cut || full => text.contains('('),
            Lacks::Arguments => {
                text.starts_with('(') || gdb::is_place(line) || parts::is_absolute_place(text)
            }
            Lacks::Place if full && text.starts_with("const ") => true,
            Lacks::Place => gdb::is_place(line) || full && gdb::begins_place(text),
            Lacks::Reason => text.starts_with(gdb::STOPPED),
            Lacks::Path => gdb::is_path(line) || full && gdb::ends_in_path(text),
            Lacks::RestOfPath => gdb::is_rest_of_path(line) || full && gdb::ends_in_path(text),
        }
    }

    /// Whether no line can be more of this text.
    pub(super) fn is_complete(&self) -> bool {
        if self.nesting.is_open() || self.readings > READINGS {
            return self.readings > READINGS;
        }
        match self.shows {
            Shows::Value { .. } | Shows::Local | Shows::Variable => {
                !(self.text().is_empty() || self.text().ends_with([',', '=']))
            }
            Shows::Assertion => self.text().contains(" failed"),
            Shows::Header => true,
            Shows::Frame(_) | Shows::StopFrame | Shows::LeftFrame => {
                self.lacks == Lacks::Nothing && self.end != End::Cut
            }
        }
    }

    fn bounds(&self) -> &'static Bounds {
        match self.shows {
            Shows::Value { .. } | Shows::Local | Shows::Variable => &VALUE,
            Shows::Frame(_) | Shows::StopFrame | Shows::LeftFrame => &FRAME,
            Shows::Assertion | Shows::Header => &LINE,
        }
    }

    pub(super) fn is_frame(&self) -> bool {
        matches!(self.shows, Shows::Frame(_) | Shows::StopFrame | Shows::LeftFrame)
    }

    /// The text of the frame, without the words before it.
    fn frame(&self) -> &str {
        match self.shows {
            Shows::LeftFrame => {
                let frame = self.text().split_once('#').map_or("", |(_, frame)| frame);
                frame.split_once(' ').map_or("", |(_, frame)| frame.trim_start())
            }
            _ => self.text(),
        }
    }
}

/// Where a line stands, and why it ends there.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) number: usize,
    /// The last line, where several were joined.
    pub(super) last: usize,
    pub(super) end: End,
}

/// One of these is in every line of arguments or members.
const CONTINUE: [char; 4] = ['=', ')', '}', '"'];

/// Whether the line begins with two words, as a sentence does, and not as a type.
fn is_prose(line: &str) -> bool {
    const TYPES: [&str; 6] = ["struct", "union", "enum", "const", "unsigned", "static"];
    let mut words = line.split([' ', '\t']);
    let mut word = || {
        words
            .next()
            .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || c == '\''))
    };
    let first = word().filter(|first| !TYPES.contains(first));
    first.is_some() && word().is_some() && notation::variable_start(line).is_none()
}
