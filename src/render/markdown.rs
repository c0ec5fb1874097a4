//! A trace for a bug report, as Markdown: headings that a reader can jump to, and what was printed
//! in blocks that no page wraps or interprets.

use std::fmt::Write;

use super::{counted, plain, told, trace as frames};
use crate::trace::Trace;

/// Records above which the log is folded away.
const SHORT_LOG: usize = 20;

/// What happened, the stacks, values, modules and the log.
pub fn markdown(trace: &Trace) -> String {
    let mut page = String::new();
    let happened: Vec<String> = trace.events.iter().filter_map(told::event).collect();
    section(&mut page, "What happened", &happened);
    for (position, stack) in trace.stacks.iter().enumerate() {
        let heading = told::stack(stack);
        let heading = if heading.is_empty() { String::new() } else { format!(": {heading}") };
        let mut text = String::new();
        stack.frames.iter().for_each(|frame| frames::write_whole_frame(&mut text, frame));
        let text = plain(&text);
        let lines: Vec<&str> = text.lines().collect();
        section(&mut page, &format!("Stack {}{heading}", position + 1), &lines);
    }
    let values: Vec<String> = trace.values.iter().map(told::value).collect();
    section(&mut page, "Values", &values);
    let modules: Vec<String> = trace.modules.iter().map(told::module).collect();
    section(&mut page, "Modules", &modules);
    let log: Vec<String> = trace.log.iter().flat_map(told::record).collect();
    let heading = format!("Log, {}", counted(trace.log.len() as u64, "record"));
    if trace.log.len() > SHORT_LOG {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<details><summary>{heading}</summary>\n");
        block(&mut page, &log);
        page.push_str("</details>\n");
    } else {
        section(&mut page, &heading, &log);
    }
    page
}

/// A heading and a block; nothing where the block would be empty.
fn section(page: &mut String, heading: &str, lines: &[impl AsRef<str>]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(page, "### {}\n", text(heading));
    block(page, lines);
}

/// The lines in a fence that none of them ends (CommonMark §4.5).
fn block(page: &mut String, lines: &[impl AsRef<str>]) {
    let ticks = lines.iter().map(|line| {
        let line = line.as_ref();
        let run = line.len() - line.trim_start().trim_start_matches('`').len();
        run.min(line.matches('`').count())
    });
    let fence = "`".repeat(ticks.max().unwrap_or(0).max(2) + 1);
    let _ = writeln!(page, "{fence}text");
    lines.iter().for_each(|line| page.extend([line.as_ref(), "\n"]));
    let _ = writeln!(page, "{fence}\n");
}

/// A text in a span that none of its backticks ends (CommonMark §6.1).
pub(super) fn code(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    let ticks = "`".repeat(runs.max().unwrap_or(0) + 1);
    let is_bounded = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let space = if is_bounded { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Words in a heading or a paragraph: what Markdown and HTML would read as theirs is escaped, also what begins
/// a list (CommonMark §5.2) or underlines a heading, and GitHub's mathematics.
pub(super) fn text(words: &str) -> String {
    let digits = words.len() - words.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut safe = String::with_capacity(words.len());
    for (at, c) in words.char_indices() {
        let is_bullet = at == 0 && matches!(c, '-' | '+' | '=');
        let is_ordinal = at == digits && digits > 0 && matches!(c, '.' | ')');
        if is_bullet || is_ordinal || r"\*_[]<>#&|~`$".contains(c) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let mut page = String::new();
        block(&mut page, &["a ``` b", "  ```` c", "`"]);
        assert_eq!(page, "`````text\na ``` b\n  ```` c\n`\n`````\n\n");
    }

    #[test]
    fn words_are_words() {
        for (words, safe) in [
            ("- a <b>", "\\- a \\<b\\>"),
            ("=== 1-2", "\\=== 1-2"),
            ("1. x. 2. y", "1\\. x. 2. y"),
            ("12) x) 3)", "12\\) x) 3)"),
            (". 1", ". 1"),
            ("$1 = `x` of $2", "\\$1 = \\`x\\` of \\$2"),
        ] {
            assert_eq!(text(words), safe);
        }
    }

    #[test]
    fn each_part_has_its_heading_and_no_part_is_empty() {
        let text = "Thread 1 \"<b>x_y\" received signal SIGABRT, Aborted.\n\
                    #0  0x1 in f (a=1) at f.c:1\n(gdb) p a\n$1 = 1\n";
        let trace = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        let page = markdown(&trace);
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings.len(), 4, "{page}");
        assert_eq!(headings[0], "### What happened");
        assert_eq!(headings[1], "### Stack 1: thread 1 \"\\<b\\>x\\_y\"");
        assert_eq!(headings[2].split(' ').next(), Some("#0"));
        assert_eq!(headings[3], "### Values");
        assert_eq!(markdown(&Trace::default()), "");
    }
}
