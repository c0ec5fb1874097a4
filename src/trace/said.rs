//! What does a line begin, and how much does it say as one of a report?
//!
//! Rule: asked of a line as it stands and of lines that may have been one, so that the two can be compared.

use super::folded::{Amount, Folded, unclosed};
use super::formats::gdb_session::{self, Command, Talk};
use super::formats::prefix::prefix;
use super::formats::{self, Adds, Format, Says, Start, gdb, java, start, syslog};
use super::lines::Line;
use super::model::Frame;

/// What was read before a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// The printer whose report it may be in.
    pub(super) within: Option<Format>,
    /// Whether a frame or a value is not at its end.
    pub(super) in_frame: bool,
}

impl Before {
    /// Whether the line begins nothing that is known, or what is before it only says something with it.
    pub(super) fn is_rest(&self, folded: &Folded, line: &Line<'_>) -> bool {
        let (prefix, text) = prefix(&line.text);
        let begins_line = text.starts_with(VALGRIND_MARK) || syslog::begins(text);
        if prefix.is_some() || text.is_empty() || begins_line {
            return false;
        }
        let within = |format| formats::within(format, text).is_some();
        let begins_nothing = match start_of(text) {
            Some(Start::Says(_, Says::Remark)) => false,
            Some(_) => return false,
            None if java::begins_thread(folded.first()) => true,
            None => !self.within.is_some_and(within) && formats::without(text).is_none(),
        };
        let heading = is_heading(text);
        begins_nothing && !heading || {
            let before = folded.text();
            let whole = self.says(&format!("{before} {text}"));
            let before = self.says(&before);
            whole > before && (whole >= Some(Amount::Fields(0)) || heading && before.is_none())
        }
    }

    /// Whether a mail may have broken the line, and it does not say itself that it goes on.
    pub(super) fn may_be_folded(&self, line: &str) -> bool {
        let (_, text) = prefix(line);
        match start_of(text) {
            Some(Start::Frame { rest, .. }) => !gdb::has_arguments(rest),
            // gdb's sentences.
            Some(Start::Talk(_)) if text.ends_with('.') => false,
            Some(starts) => self.amount(Some(starts), text).is_some(),
            None => true,
        }
    }

    /// How much the line says as one of a printer of reports, after what came before it.
    pub(super) fn says(&self, line: &str) -> Option<Amount> {
        let (_, text) = prefix(line);
        if gdb_session::after_page_break(text).is_some() {
            return Some(Amount::Words(0));
        }
        self.amount(start_of(text), text)
    }

    fn amount(&self, starts: Option<Start<'_>>, text: &str) -> Option<Amount> {
        let within = self.within;
        let starts = starts
            .or_else(|| within.and_then(|format| formats::within(format, text)))
            .or_else(|| formats::without(text));
        match starts {
            Some(Start::Told(told)) => Some(of_frame(&told.frame, text)),
            Some(Start::Crash(crash)) => Some(of_frame(&crash.told.frame, text)),
            // A row of a list of mappings that has its file, and what a printer says besides, are whole.
            Some(Start::Says(_, Says::Remark)) => Some(Amount::Words(0)),
            Some(Start::Module(Format::Maps, _)) => Some(Amount::Words(1)),
            Some(Start::Module(..) | Start::Says(..) | Start::Talk(Talk::Signal { .. })) => {
                Some(Amount::Words(text.len()))
            }
            Some(Start::Talk(Talk::Killed { .. })) => Some(Amount::Words(text.len())),
            // In the midst of a frame, which goes on behind it.
            Some(Start::Record(_)) if self.in_frame => Some(Amount::Words(text.len())),
            // Behind its number, which a mail has left alone: what follows says itself when it ends.
            Some(Start::Frame { .. }) => Some(Amount::Words(0)),
            Some(_) => None,
            None => match formats::adds(within?, text)? {
                Adds::Message(_) => None,
                _ if is_whole(text) => Some(Amount::Fields(0)),
                _ => Some(Amount::Words(text.len())),
            },
        }
    }
}

/// What the line begins: by itself, or behind a prompt or a person's label glued to it.
pub(super) fn start_of(line: &str) -> Option<Start<'_>> {
    let text = line.trim_start();
    if let Some(output) = gdb_session::after_prompt(text) {
        if output.starts_with("# ") {
            // A comment, whatever is in it.
            return Some(Start::Talk(Talk::Command(Command::Other)));
        }
        let glued = start(output).filter(|starts| !matches!(starts, Start::Record(_)));
        let typed = |starts: &Start<'_>| matches!(starts, Start::Talk(Talk::Command(_)));
        return glued.filter(|starts| !typed(starts)).or_else(|| start(text));
    }
    start(line).or_else(|| {
        let labelled = start(gdb_session::after_label(text)?)?;
        matches!(labelled, Start::Talk(_) | Start::Frame { .. }).then_some(labelled)
    })
}

/// Where a valgrind's line starts, as `==7==` does: that is no rest of one.
const VALGRIND_MARK: &str = "==";

/// A heading is no rest of a line, unless a heading was broken. `file.c:181:function:` is none.
fn is_heading(text: &str) -> bool {
    text.strip_suffix(':').is_some_and(|words| !words.contains(['(', ':']))
}

/// Whether the text can be whole. eu-stack's dashes stand between the parts of a frame.
fn is_whole(text: &str) -> bool {
    unclosed(text) <= 0 && !text.ends_with(" -")
}

/// How much the text says of the frame.
fn of_frame(frame: &Frame, text: &str) -> Amount {
    Amount::Fields(if is_whole(text) { fields(frame) } else { 0 })
}

/// What of a frame is known.
fn fields(frame: &Frame) -> usize {
    let Frame { address, function, offset, module, module_offset, file, line, column, .. } = frame;
    let numbers = [address.is_some(), offset.is_some(), module_offset.is_some()];
    let places = [file.is_some(), line.is_some(), column.is_some(), module.is_some()];
    let known = numbers.into_iter().chain(places).chain([function.is_some()]);
    known.filter(|known| *known).count() + frame.arguments.len()
}
