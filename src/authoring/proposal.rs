//! Which note would recognise this trace again?

use std::fmt::{self, Write};

use super::telling::{Telling, telling};
use crate::notes::{MemberPath, Notes, integer};
use crate::public_name::public_name;
use crate::trace::{EventKind, Frame, PrintedValue, Stack, Trace};

/// Frames that a signature names at most: more would tie it to one caller.
const FRAMES: usize = 3;

/// Questions that a note is given at most.
const ASKS: usize = 8;

/// What the C library's files are called. Its functions are in the crashes of any project.
const C_LIBRARY: [&str; 5] = ["libc.so", "libc-", "libpthread", "ld-linux", "ld-"];

/// By what a trace is recognised.
enum Mark<'t> {
    Assertion { expression: &'t str, function: Option<&'t str> },
    Frames { signal: Option<&'t str>, frames: Vec<&'t str> },
    Log(Vec<Telling<'t>>),
}

/// The TOML of a note, or none where the trace shows neither an assertion, nor a frame of a project, nor
/// an error in a log. `example` is the paste's file, relative to the plugin's folder; `notes` tell which
/// functions any crash may have.
pub fn propose(trace: &Trace, notes: &Notes, id: &str, example: &str) -> Option<String> {
    let mark = mark(trace, notes)?;
    let mut note = String::new();
    // Writing to a String cannot fail.
    let _ = write_note(&mut note, trace, &mark, id, example);
    Some(note)
}

fn mark<'t>(trace: &'t Trace, notes: &Notes) -> Option<Mark<'t>> {
    by_assertion(trace).or_else(|| by_frames(trace, notes)).or_else(|| by_log(trace))
}

fn by_assertion(trace: &Trace) -> Option<Mark<'_>> {
    trace.events.iter().find_map(|event| match &event.what {
        EventKind::Assertion { expression, function, .. } => {
            let function = function.as_deref();
            (expression != "*").then_some(Mark::Assertion { expression, function })
        }
        _ => None,
    })
}

fn by_frames<'t>(trace: &'t Trace, notes: &Notes) -> Option<Mark<'t>> {
    let stopped = trace.events.iter().find_map(|event| match &event.what {
        EventKind::Signal { name, .. } => Some((name.as_str(), event.stack)),
        _ => None,
    });
    let stack = stopped.and_then(|(_, stack)| trace.stacks.get(stack?));
    let frames = frames(stack.or(trace.stacks.first())?, notes);
    let signal = stopped.map(|(name, _)| name);
    (!frames.is_empty()).then_some(Mark::Frames { signal, frames })
}

fn by_log(trace: &Trace) -> Option<Mark<'_>> {
    let found = telling(trace);
    (!found.is_empty()).then_some(Mark::Log(found))
}

/// The innermost frames of the project, with `...` where others are between them.
fn frames<'t>(stack: &'t Stack, notes: &Notes) -> Vec<&'t str> {
    let mut named = Vec::new();
    let mut is_gap = false;
    for frame in &stack.frames {
        match own(frame, notes) {
            Some(function) => {
                if is_gap && !named.is_empty() {
                    named.push("...");
                }
                named.push(function);
                is_gap = false;
            }
            None => is_gap = true,
        }
        if named.iter().filter(|name| **name != "...").count() == FRAMES {
            break;
        }
    }
    named
}

/// The function of a frame, unless it says nothing of the project.
fn own<'t>(frame: &'t Frame, notes: &Notes) -> Option<&'t str> {
    let function = frame.function.as_deref().filter(|_| !frame.guess && !frame.signal_handler)?;
    let module = frame.module.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("");
    let says_nothing = notes.ignored().contains(&public_name(function))
        || C_LIBRARY.iter().any(|beginning| module.starts_with(beginning))
        // In a note these mean something else.
        || function.ends_with('*')
        || matches!(function, "??" | "...");
    (!says_nothing).then_some(function)
}

/// Text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn write_note(
    note: &mut String,
    trace: &Trace,
    mark: &Mark<'_>,
    id: &str,
    example: &str,
) -> fmt::Result {
    let (title, kind) = match mark {
        Mark::Assertion { expression, function: Some(function) } => {
            (format!("{expression} does not hold in {function}"), "assertion")
        }
        Mark::Assertion { expression, function: None } => {
            (format!("{expression} does not hold"), "assertion")
        }
        Mark::Frames { signal, frames } => {
            (format!("{} in {}", signal.unwrap_or("Stopped"), frames.first().unwrap_or(&"")), "bug")
        }
        Mark::Log(found) => (found.first().map_or("", |one| one.words).to_owned(), "bug"),
    };
    let title: Vec<&str> = title.split_whitespace().collect();
    writeln!(note, "schema = 1\nid     = {}", quoted(id))?;
    writeln!(note, "title  = {}    # say what happens, in one line", quoted(&title.join(" ")))?;
    writeln!(note, "kind   = {}\n", quoted(kind))?;
    write_match(note, mark)?;
    writeln!(
        note,
        "[cause]\nconfidence = \"inferred\"           # commit, code or inferred: what the text rests on"
    )?;
    writeln!(note, "text       = \"Not known yet.\"     # say what goes wrong\n")?;
    let asks = trace.values.iter().filter_map(|value| ask(trace, value)).take(ASKS);
    asks.collect::<Vec<_>>().iter().try_for_each(|ask| note.write_str(ask))?;
    writeln!(
        note,
        "[[source]]\nwhat = {}    # say how this is known\n",
        quoted(&format!("the paste {example}"))
    )?;
    writeln!(note, "[[example]]\nfile = {}\nrank = {}", quoted(example), quoted(rank(mark)))
}

/// The same assertion is the same bug; the same frames, and the same words in a log, may be another.
fn rank(mark: &Mark<'_>) -> &'static str {
    match mark {
        Mark::Assertion { .. } => "match",
        Mark::Frames { .. } | Mark::Log(_) => "consistent",
    }
}

fn write_match(note: &mut String, mark: &Mark<'_>) -> fmt::Result {
    writeln!(note, "[[match]]\nrank = {}", quoted(rank(mark)))?;
    match mark {
        Mark::Assertion { expression, function } => {
            let (expression, function) = (quoted(expression), quoted(function.unwrap_or("*")));
            writeln!(note, "all  = [{{ assertion = {expression}, function = {function} }}]\n")
        }
        Mark::Frames { signal, frames } => {
            let signal = signal.map(|signal| format!("{{ signal = {} }}, ", quoted(signal)));
            let frames: Vec<String> = frames.iter().map(|frame| quoted(frame)).collect();
            writeln!(
                note,
                "all  = [{}{{ frames = [{}] }}]\n",
                signal.unwrap_or_default(),
                frames.join(", ")
            )
        }
        Mark::Log(found) => write_log(note, found),
    }
}

/// The first must be there; the others speak for it, until somebody knows better.
fn write_log(note: &mut String, found: &[Telling<'_>]) -> fmt::Result {
    let asked = |one: &Telling<'_>| {
        format!("{{ log = {}, format = {} }}", quoted(&one.pattern), quoted(one.format))
    };
    let Some((first, others)) = found.split_first() else { return Ok(()) };
    writeln!(note, "all  = [{}]    # say which message tells it", asked(first))?;
    if !others.is_empty() {
        writeln!(note, "any  = [")?;
        others.iter().try_for_each(|one| writeln!(note, "  {},", asked(one)))?;
        writeln!(note, "]")?;
    }
    writeln!(note)
}

/// A question whose answer the paste has, where the expression printed is one that may be asked.
fn ask(trace: &Trace, printed: &PrintedValue) -> Option<String> {
    let show = printed.expression.as_deref().filter(|show| MemberPath::parse(show).is_ok())?;
    let frames = &trace.stacks.get(printed.stack?)?.frames;
    let frame = frames.iter().find(|frame| Some(frame.index) == printed.frame);
    let mut ask = format!(
        "[[ask]]\nwhy      = \"Not known yet.\"       # say what the answer tells\nshow     = {}\n",
        quoted(show)
    );
    if let Some(function) = frame.and_then(|frame| frame.function.as_deref()) {
        ask += &format!("frame    = {}\n", quoted(function));
    }
    if let Some(number) = integer(&printed.value.text) {
        ask += &format!("confirms = \"== {number}\"\n");
    }
    Some(ask + "\n")
}
