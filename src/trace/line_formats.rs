//! Which lines does a project log, or print as frames, in a form of its own?
//!
//! ```
//! use dbgmate::job::Job;
//! use dbgmate::trace::{self, LineFormat, LineFormats, Piece, Reads};
//!
//! let pattern = regex::Regex::new(r"^(?<time>\d\d:\d\d:\d\d) (?<level>[A-Z]+) (?<text>.*)").unwrap();
//! let format = LineFormat::new("mine/log", Reads::Record, &pattern, None).unwrap();
//! let formats = LineFormats::new(vec![format]).unwrap();
//! let paste = [Piece::unnamed("08:24:57 WARN it is late")];
//! let trace = trace::parse_with(&Job::new(), &paste, &formats).unwrap();
//! assert_eq!(trace.log[0].level.as_deref(), Some("WARN"));
//! ```
//!
//! Rule: only lines that no format of the program itself knows are looked at, all patterns at once. A
//! record goes on over the indented lines below it.

use regex::{Captures, Regex, RegexSet, RegexSetBuilder};

use super::formats::parts::hexadecimal;
use super::formats::{Format, Numbered, Record, Start, Told, bare_frame};
use super::model::Frame;
use super::steps::took;
use crate::address::{ModuleOffset, RuntimeAddress};

/// What one pattern may take when it is compiled, in bytes.
const PATTERN_BYTES: usize = 1 << 18;

/// What a line of a format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// A record of a log.
    Record,
    /// A frame of a stack.
    Frame,
}

impl Reads {
    /// The groups that a pattern may name.
    fn groups(self) -> &'static [&'static str] {
        match self {
            Reads::Record => {
                &["time", "level", "thread", "program", "file", "line", "function", "text"]
            }
            Reads::Frame => &[
                "index",
                "address",
                "function",
                "offset",
                "module",
                "module_offset",
                "file",
                "line",
                "column",
            ],
        }
    }
}

/// One form of a line.
#[derive(Clone, Debug)]
pub struct LineFormat {
    name: String,
    reads: Reads,
    pattern: Regex,
    /// Whose log it is, where the line does not say.
    program: Option<String>,
}

impl LineFormat {
    /// A form by its pattern, whose groups name what they hold; or what is wrong with the pattern, in words.
    pub fn new(
        name: &str,
        reads: Reads,
        pattern: &Regex,
        program: Option<&str>,
    ) -> Result<LineFormat, String> {
        let groups: Vec<&str> = pattern.capture_names().flatten().collect();
        if let Some(group) = groups.iter().find(|group| !reads.groups().contains(group)) {
            let known = reads.groups().join(", ");
            return Err(format!(
                "the group {group:?} has no meaning here; those that have: {known}"
            ));
        }
        let has = |group: &str| groups.contains(&group);
        match reads {
            Reads::Record if !has("text") || groups.len() < 2 => {
                return Err("a record needs the group `text` and one more".to_owned());
            }
            Reads::Frame if !has("address") && !has("function") => {
                return Err("a frame needs the group `address` or `function`".to_owned());
            }
            _ => {}
        }
        if !pattern.as_str().starts_with('^') {
            return Err("the pattern does not begin with `^`, the start of the line".to_owned());
        }
        let (name, program) = (name.to_owned(), program.map(str::to_owned));
        Ok(LineFormat { name, reads, pattern: pattern.clone(), program })
    }

    /// The stable name, as a log record has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it reads records or frames.
    pub fn reads(&self) -> Reads {
        self.reads
    }
}

/// Several forms of lines; the first that fits a line is its.
#[derive(Clone, Debug)]
pub struct LineFormats {
    formats: Vec<LineFormat>,
    patterns: RegexSet,
}

impl Default for LineFormats {
    fn default() -> Self {
        LineFormats { formats: Vec::new(), patterns: RegexSet::empty() }
    }
}

impl LineFormats {
    /// All of these; or why they cannot be looked for at once.
    pub fn new(formats: Vec<LineFormat>) -> Result<LineFormats, String> {
        let patterns = formats.iter().map(|format| format.pattern.as_str());
        let limit = PATTERN_BYTES.saturating_mul(formats.len().saturating_add(1));
        match RegexSetBuilder::new(patterns).size_limit(limit).build() {
            Ok(patterns) => Ok(LineFormats { formats, patterns }),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &LineFormat> {
        self.formats.iter()
    }

    /// The name of the form with this number.
    pub(super) fn name(&self, number: u32) -> &str {
        self.form(number).map_or("", |format| &format.name)
    }

    fn form(&self, number: u32) -> Option<&LineFormat> {
        self.formats.get(usize::try_from(number).ok()?)
    }

    /// What the line begins, if a form fits it.
    pub(super) fn start<'t>(&'t self, line: &'t str) -> Option<Start<'t>> {
        if self.formats.is_empty() {
            return None;
        }
        took(line.len());
        let number = self.patterns.matches(line).iter().next()?;
        let format = self.formats.get(number)?;
        let found = format.pattern.captures(line)?;
        let kind = Format::Plugin(u32::try_from(number).ok()?);
        Some(match format.reads {
            Reads::Record => Start::Record(record(kind, format, &found)),
            Reads::Frame => Start::Told(Box::new(frame(kind, &found))),
        })
    }
}

/// What a group holds, where it took part and is not empty.
fn group<'t>(found: &Captures<'t>, name: &str) -> Option<&'t str> {
    let text = found.name(name)?.as_str().trim();
    (!text.is_empty()).then_some(text)
}

/// A number, with `0x` in hexadecimal.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => whole_hexadecimal(digits),
        None => text.parse().ok(),
    }
}

/// A number in hexadecimal, with `0x` or without.
fn address(text: &str) -> Option<u64> {
    whole_hexadecimal(text.strip_prefix("0x").unwrap_or(text))
}

fn whole_hexadecimal(digits: &str) -> Option<u64> {
    hexadecimal(digits).and_then(|(number, rest)| rest.is_empty().then_some(number))
}

fn record<'t>(kind: Format, format: &'t LineFormat, found: &Captures<'t>) -> Record<'t> {
    Record {
        format: kind,
        time: group(found, "time"),
        level: group(found, "level"),
        thread: group(found, "thread").and_then(number),
        file: group(found, "file"),
        line: group(found, "line").and_then(|line| line.parse().ok()),
        function: group(found, "function"),
        program: group(found, "program").or(format.program.as_deref()),
        text: found.name("text").map_or("", |text| text.as_str()),
    }
}

fn frame(kind: Format, found: &Captures<'_>) -> Told {
    let owned = |name| group(found, name).map(str::to_owned);
    let decimal = |name| group(found, name).and_then(|text| text.parse().ok());
    let index: Option<u32> = decimal("index");
    let frame = Frame {
        address: group(found, "address").and_then(address).map(RuntimeAddress),
        function: owned("function").filter(|name| name != "??"),
        offset: group(found, "offset").and_then(number),
        module: owned("module"),
        module_offset: group(found, "module_offset").and_then(address).map(ModuleOffset),
        file: owned("file"),
        line: decimal("line"),
        column: decimal("column"),
        ..bare_frame(index.unwrap_or(0))
    };
    let number = if index.is_some() { Numbered::Printed } else { Numbered::Loose };
    Told { format: kind, number, frame, build_id: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Piece, Trace, parse_with};

    fn format(name: &str, reads: Reads, pattern: &str) -> Result<LineFormat, String> {
        LineFormat::new(name, reads, &Regex::new(pattern).unwrap(), Some("prog"))
    }

    fn read(formats: &[(Reads, &str)], text: &str) -> Trace {
        let formats = formats.iter().enumerate().map(|(number, (reads, pattern))| {
            format(&format!("a/{number}"), *reads, pattern).unwrap()
        });
        let formats = LineFormats::new(formats.collect()).unwrap();
        parse_with(&Job::new(), &[Piece::unnamed(text)], &formats).unwrap()
    }

    const LOG: (Reads, &str) =
        (Reads::Record, r"^\[(?<time>[0-9:]+)\|(?<level>\w+)\|(?<thread>\w+)\] (?<text>.*)");

    #[test]
    fn a_record_has_what_its_groups_name_and_goes_on_indented() {
        let text = "[08:24:57|warn|0x1f] late\n  by far\n[08:24:58|warn|nine] x\nmy words";
        let trace = read(&[LOG], text);
        assert_eq!(trace.formats, ["a/0"]);
        let [first, second] = &trace.log[..] else { panic!("{trace:?}") };
        assert_eq!((first.format.as_str(), first.time.as_deref()), ("a/0", Some("08:24:57")));
        assert_eq!((first.level.as_deref(), first.thread), (Some("warn"), Some(31)));
        assert_eq!(first.program.as_deref(), Some("prog"));
        assert_eq!((first.text.as_str(), first.lines.last), ("late\n  by far", 2));
        assert_eq!((second.thread, second.lines.first), (None, 3));
        assert_eq!(trace.skipped[0].lines.first, 4);
    }

    #[test]
    fn what_the_program_knows_itself_goes_first_and_prefixes_are_seen_both_ways() {
        let greedy = (Reads::Record, r"^(?<level>.)(?<text>.*)$");
        let trace = read(&[greedy], "#0  0x1 in f ()\n   from /lib/a.so\nxl: error: no");
        assert_eq!((trace.stacks[0].frames[0].lines.last, trace.log.len()), (2, 1));
        assert_eq!(trace.log[0].format, "libxl-log");
        let behind = read(&[LOG], "Nov  9 08:24:57 host p[7]: [1|warn|2] text");
        assert_eq!((behind.log[0].format.as_str(), behind.log[0].text.as_str()), ("a/0", "text"));
        let whole = (Reads::Record, r"^(?<time>.{15}) host (?<text>.*)");
        let before = read(&[whole], "Nov  9 08:24:57 host p[7]: text");
        assert_eq!(before.log[0].text, "p[7]: text");
    }

    #[test]
    fn the_first_that_fits_reads_the_line() {
        let number = (Reads::Record, r"^(?<level>\d+) (?<text>.*)");
        let any = (Reads::Record, r"^(?<level>\w+) (?<text>.*)");
        let trace = read(&[number, any], "7 a\nb c");
        let names: Vec<_> = trace.log.iter().map(|record| record.format.as_str()).collect();
        assert_eq!(names, ["a/0", "a/1"]);
    }

    #[test]
    fn frames_are_one_stack_with_their_modules() {
        let pattern = r"^\s*\[(?<index>\d+)\] (?<address>[0-9a-f]+) (?<function>\S+)(?: (?<module>\S+)@(?<module_offset>\w+))?(?: (?<file>\S+):(?<line>\d+))?$";
        let text = "  [0] 7f01 f /a.so@1 x.c:7\n  [1] 7f02 ??\nwords\n  [0] 10 g\n";
        let trace = read(&[(Reads::Frame, pattern)], text);
        let frames: Vec<_> = trace.stacks.iter().map(|stack| stack.frames.len()).collect();
        assert_eq!((frames, &*trace.stacks[0].format), (vec![2, 1], "a/0"));
        let frame = &trace.stacks[0].frames[0];
        assert_eq!((frame.address, frame.line), (Some(RuntimeAddress(0x7f01)), Some(7)));
        assert_eq!(frame.pc, crate::address::Pc::Exact);
        assert_eq!(trace.modules[0].bias, Some(crate::address::LoadBias(0x7f00)));
        let second = &trace.stacks[0].frames[1];
        assert_eq!((second.function.as_deref(), second.pc), (None, crate::address::Pc::Return));
        assert_eq!(trace.skipped[0].lines.first, 3);
    }

    #[test]
    fn what_a_pattern_lacks_is_said() {
        for (reads, pattern, lacking) in [
            (Reads::Record, "^(?<text>.*)", "one more"),
            (Reads::Record, "^(?<time>.)(?<level>.)", "`text`"),
            (Reads::Record, "(?<time>.)(?<text>.)", "`^`"),
            (Reads::Record, "^(?<time>.)(?<index>.)(?<text>.)", "\"index\""),
            (Reads::Frame, "^(?<file>.)", "`address`"),
            (Reads::Frame, "^(?<function>.)(?<text>.)", "\"text\""),
        ] {
            let flaw = format("a", reads, pattern).unwrap_err();
            assert!(flaw.contains(lacking), "{flaw}");
        }
    }
}
