//! gdb's talk around stacks and values: what happened, on which thread, and what was asked?
//!
//! ```text
//! Thread 3 "libvirtd" received signal SIGABRT, Aborted.     (gdb/infrun.c, print_signal_received_reason)
//! Breakpoint 8, virEventPollAddHandle (fd=21, …) at …       (gdb/breakpoint.c, bkpt_print_it)
//! [Switching to Thread 0x7f5fbb16e840 (LWP 6026)]
//! Thread 3 (Thread 0x7f5fbb16e840 (LWP 6026) "libvirtd"):   (gdb/thread.c, thr_try_catch_cmd)
//! (gdb) frame 3
//! ```
//! Rule: told by the first words of a line.

use memchr::memchr;

use super::parts::begins_with_any;
use super::{gdb, number};
use crate::trace::model::{SessionKind, Thread};
use crate::trace::nesting::Nesting;
use crate::trace::search;

/// One line of talk.
#[derive(Debug, PartialEq)]
pub(in crate::trace) enum Talk<'a> {
    /// A signal stopped the program.
    Signal { name: &'a str, meaning: Option<&'a str>, thread: Option<Thread> },
    /// The program whose core is open was killed by this signal.
    Killed { name: &'a str, meaning: Option<&'a str> },
    /// A breakpoint was reached; `frame` is the text of the frame behind it.
    Breakpoint { number: u32, thread: Option<Thread>, frame: &'a str },
    /// The thread that what follows speaks of.
    Switching { thread: Thread },
    /// The thread that was selected by a command, whose frame follows.
    Selected { thread: Thread },
    /// `thread apply`: the thread whose stack follows.
    Header { thread: Thread },
    /// What the person typed.
    Command(Command<'a>),
    /// `Run till exit from #0 …`: the frame's text is not a stack.
    RunTillExit,
    /// The program that is debugged.
    Program { path: &'a str },
    /// The rest.
    Other(SessionKind),
}

/// A command a person typed, as far as what follows depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum Command<'a> {
    /// `bt`, `where`, `thread apply all bt`: a stack follows, with this label.
    Backtrace(&'a str),
    /// `frame 3`, `up`, `down`, `thread 2`: one frame follows.
    Select,
    /// `print EXPRESSION`.
    Print(&'a str),
    /// `info locals`, `info args`: variables follow.
    Variables,
    /// `next`, `finish`: the frame of the next stop follows.
    Step,
    /// Nothing: a prompt alone.
    None,
    /// Anything else.
    Other,
}

/// The bytes that gdb's talk begins with. Most lines of other printers are told by that.
const BEGINS: &[u8] = b"([bwtABCDGHLMPRSTU";

/// What the line says, if it is gdb's.
pub(super) fn talk(text: &str) -> Option<Talk<'_>> {
    memchr(*text.as_bytes().first()?, BEGINS)?;
    if let Some(typed) = after_prompt(text) {
        return Some(Talk::Command(command(typed)));
    }
    if text.starts_with('[') {
        return bracketed(text);
    }
    if let Command::Backtrace(label) = command(text) {
        return Some(Talk::Command(Command::Backtrace(label)));
    }
    header(text).or_else(|| stop(text)).or_else(|| other(text))
}

/// What stands behind a prompt, or behind several.
pub(in crate::trace) fn after_prompt(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix("(gdb)").or_else(|| text.strip_prefix("(rr)"))?.trim_start();
    while let Some(more) = rest.strip_prefix("(gdb)").or_else(|| rest.strip_prefix("(rr)")) {
        rest = more.trim_start();
    }
    Some(rest)
}

/// What stands behind gdb's question at the end of a terminal's page, which can be glued before
/// the line that follows.
pub(in crate::trace) fn after_page_break(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (start, end) = if text.starts_with("---Type <return>") {
        (3, "---")
    } else if text.starts_with("--Type <RET>") {
        (2, "--")
    } else {
        return None;
    };
    let (_, rest) = text.get(start..)?.split_once(end)?;
    Some(rest)
}

/// What stands behind a person's own count: `(2), where`, `3) [Switching to …`.
pub(in crate::trace) fn after_label(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (_, rest) = number::<u32>(text.strip_prefix('(').unwrap_or(text))?;
    let rest = rest.strip_prefix(')')?;
    Some(rest.trim_start_matches([',', '.', ':', ' ']))
}

/// The command that was typed, by gdb's names and usual abbreviations.
fn command(typed: &str) -> Command<'_> {
    let typed = typed.trim();
    let (word, rest) = typed.split_once(' ').unwrap_or((typed, ""));
    let (word, format) = word.split_once('/').unwrap_or((word, ""));
    match word {
        "bt" | "where" | "backtrace" if is_backtrace_option(rest) => Command::Backtrace(typed),
        "thread" | "t" | "thr" | "taa" if is_backtrace_of_threads(rest) => {
            Command::Backtrace(typed)
        }
        "frame" | "f" | "up" | "down" | "thread" | "t" => Command::Select,
        "p" | "print" | "inspect" | "output" | "call" if !rest.is_empty() => {
            let formatted = rest.strip_prefix('/').and_then(|rest| rest.split_once(' '));
            Command::Print(match formatted {
                Some((_, expression)) if format.is_empty() => expression.trim(),
                _ => rest.trim(),
            })
        }
        "info" | "i" if matches!(rest.trim(), "locals" | "lo" | "args" | "ar") => {
            Command::Variables
        }
        "n" | "next" | "s" | "step" | "ni" | "nexti" | "si" | "stepi" | "fin" | "finish" | "u"
        | "until" | "advance" | "run" | "r" | "start" => Command::Step,
        "" => Command::None,
        _ => Command::Other,
    }
}

/// `full`, `-5`, `3`, `-frame-arguments all`, or nothing.
fn is_backtrace_option(rest: &str) -> bool {
    let mut after_option = false;
    rest.split_whitespace().all(|word| {
        let option = word.starts_with('-');
        let qualifier = ["full", "no-filters", "hide"].contains(&word);
        let known = option || qualifier || word.parse::<u32>().is_ok() || after_option;
        after_option = option;
        known
    })
}

fn is_backtrace_of_threads(rest: &str) -> bool {
    let last = rest.rsplit_once(" full").map_or(rest, |(before, _)| before);
    rest.starts_with("a") && ["bt", "where", "backtrace"].iter().any(|word| last.ends_with(word))
}

/// `[Switching to Thread …]` and the like.
fn bracketed(text: &str) -> Option<Talk<'_>> {
    const OTHERS: [&str; 4] = ["Thread debugging ", "Inferior ", "Detaching ", "Attaching "];
    let inner = text.strip_prefix('[')?;
    let inner = inner.strip_suffix(']').unwrap_or(inner);
    if let Some(rest) = inner.strip_prefix("Switching to ") {
        return Some(match rest.strip_prefix("thread ") {
            Some(selected) => Talk::Selected { thread: thread(selected) },
            None => Talk::Switching { thread: thread(rest) },
        });
    }
    if let Some(rest) = inner.strip_prefix("Current thread is ") {
        return Some(Talk::Switching { thread: thread(rest) });
    }
    let new = |what: &&str| inner.strip_prefix("New ").is_some_and(|new| new.starts_with(*what));
    let kind = if ["Thread ", "LWP ", "process ", "inferior "].iter().any(new) {
        SessionKind::NewThread
    } else if inner.ends_with(" exited") {
        SessionKind::ThreadExited
    } else if begins_with_any(inner, &OTHERS) {
        SessionKind::Other
    } else {
        return None;
    };
    Some(Talk::Other(kind))
}

/// `Thread 3 (Thread 0x… (LWP 7) "name"):`, `Thread 3 (Thread 0x… "name" (LWP 7)):`.
pub(in crate::trace) fn header(text: &str) -> Option<Talk<'_>> {
    let rest = header_start(text)?;
    text.trim_end().ends_with(':').then(|| Talk::Header { thread: thread(rest) })
}

/// Whether the text begins a header that was wrapped.
pub(super) fn is_cut_header(text: &str) -> bool {
    header_start(text).is_some() && {
        let mut nesting = Nesting::default();
        nesting.read(text);
        nesting.is_open()
    }
}

/// What stands behind `Thread ` in a header or, where it was wrapped, in its beginning.
fn header_start(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Thread ").filter(|rest| rest.starts_with(is_digit))?;
    let (_, inner) = search::split_once(rest, " (")?;
    let named = ["Thread ", "LWP ", "process ", "Remote "];
    begins_with_any(inner, &named).then_some(rest)
}

/// `Program received signal …`, `Thread 3 "name" hit Breakpoint 2, …`, `Breakpoint 2, …`.
fn stop(text: &str) -> Option<Talk<'_>> {
    let (who, what) = match text.strip_prefix("Program ") {
        Some(what) => (None, what),
        None => subject(text)?,
    };
    if let Some(signal) = what.strip_prefix("received signal ") {
        let (name, meaning) = signal_name(signal);
        return Some(Talk::Signal { name, meaning, thread: who });
    }
    if let Some(signal) = what.strip_prefix("terminated with signal ") {
        let (name, meaning) = signal_name(signal);
        return Some(Talk::Killed { name, meaning });
    }
    let what = what.strip_prefix("hit ").unwrap_or(what);
    let what =
        what.strip_prefix("Temporary breakpoint ").or_else(|| what.strip_prefix("Breakpoint "));
    let (number, rest) = number(what?)?;
    // gdb 14 counts the locations of a breakpoint: `Breakpoint 2.1, `.
    let rest = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let frame = rest.strip_prefix(", ")?;
    let (name, _) = frame.split_once(" (").unwrap_or((frame, ""));
    let plausible = frame.is_empty() || frame.starts_with("0x") || gdb::is_function_name(name);
    plausible.then_some(Talk::Breakpoint { number, thread: who, frame })
}

/// The thread that a line speaks of, and what it says of it; a breakpoint's line may name none.
fn subject(text: &str) -> Option<(Option<Thread>, &str)> {
    if text.starts_with("Breakpoint ") || text.starts_with("Temporary breakpoint ") {
        return Some((None, text));
    }
    let rest = text.strip_prefix("Thread ").filter(|rest| rest.starts_with(is_digit))?;
    let verb = ["received signal ", "hit "].iter().filter_map(|verb| rest.find(verb)).min()?;
    let (who, what) = rest.split_at_checked(verb)?;
    Some((Some(thread(who)), what))
}

/// `SIGABRT, Aborted.` → name and meaning. Old gdb gives numbers for cores: `6, Aborted.`
fn signal_name(text: &str) -> (&str, Option<&str>) {
    let text = text.trim().trim_end_matches('.');
    let (name, meaning) = match text.split_once(", ") {
        Some((name, meaning)) => (name, Some(meaning)),
        None => (text, None),
    };
    // The numbers are Linux's on x86 and arm.
    let name = match name {
        "4" => "SIGILL",
        "5" => "SIGTRAP",
        "6" => "SIGABRT",
        "7" => "SIGBUS",
        "8" => "SIGFPE",
        "9" => "SIGKILL",
        "11" => "SIGSEGV",
        "13" => "SIGPIPE",
        "15" => "SIGTERM",
        name => name,
    };
    (name, meaning)
}

fn other(text: &str) -> Option<Talk<'_>> {
    const STARTS: [&str; 13] = [
        "Attaching to ",
        "Reading symbols from ",
        "Loaded symbols for ",
        "Using host libthread_db library ",
        "Missing separate debuginfo",
        "Backtrace stopped: ",
        "(More stack frames follow...)",
        "(No debugging symbols found in ",
        "Program exited ",
        "Program terminated ",
        "GNU gdb ",
        "Hardware watchpoint ",
        "warning: ",
    ];
    if text.starts_with("Run till exit from ") {
        return Some(Talk::RunTillExit);
    }
    if let Some(path) = program(text) {
        return Some(Talk::Program { path });
    }
    let kind = if text.starts_with("Detaching after ") || text.starts_with("Attaching after ") {
        SessionKind::Detaching
    } else if text == "Continuing." {
        SessionKind::Continuing
    } else if is_breakpoint_set(text) {
        SessionKind::BreakpointSet
    } else if begins_with_any(text, &STARTS) {
        SessionKind::Other
    } else {
        return None;
    };
    Some(Talk::Other(kind))
}

/// ``Core was generated by `/usr/sbin/libvirtd -l'.``, `Starting program: /usr/sbin/libvirtd -l`: the
/// program, without its arguments.
fn program(text: &str) -> Option<&str> {
    let command = match text.strip_prefix("Core was generated by `") {
        Some(core) => core.trim_end_matches(['.', '\'']),
        None => text.strip_prefix("Starting program: ")?,
    };
    command.split(' ').next().filter(|path| !path.is_empty())
}

/// `Breakpoint 1 at 0x479eb0: file f.c, line 778.`
fn is_breakpoint_set(text: &str) -> bool {
    let set =
        text.strip_prefix("Temporary breakpoint ").or_else(|| text.strip_prefix("Breakpoint "));
    set.and_then(number::<u32>).is_some_and(|(_, rest)| rest.starts_with(" at 0x"))
}

/// A thread by what the text says of it: `3 "libvirtd"`, `3 (Thread 0x7f… (LWP 7) "name")`.
fn thread(text: &str) -> Thread {
    let name =
        text.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')).map(|(name, _)| name);
    let after = |word: &str| text.split_once(word).map(|(_, rest)| rest);
    let address = after("Thread 0x").and_then(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        format!("0x{}", rest.get(..end)?).parse().ok()
    });
    Thread {
        number: number(text).map(|(number, _)| number),
        name: name.map(str::to_owned),
        address,
        lwp: after("LWP ").or_else(|| after("process ")).and_then(number).map(|(lwp, _)| lwp),
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(number: u32, name: &str) -> Thread {
        Thread { number: Some(number), name: Some(name.to_owned()), ..Thread::default() }
    }

    #[test]
    fn stops_of_all_releases() {
        let signal =
            |thread| Some(Talk::Signal { name: "SIGABRT", meaning: Some("Aborted"), thread });
        assert_eq!(talk("Program received signal SIGABRT, Aborted."), signal(None));
        let line = "Thread 3 \"worker (2)\" received signal SIGABRT, Aborted.";
        assert_eq!(talk(line), signal(Some(named(3, "worker (2)"))));
        let killed = Some(Talk::Killed { name: "SIGSEGV", meaning: Some("Segmentation fault") });
        assert_eq!(talk("Program terminated with signal 11, Segmentation fault."), killed);
        assert_eq!(talk("Program terminated with signal SIGSEGV, Segmentation fault."), killed);
        let stop = |thread| Some(Talk::Breakpoint { number: 2, thread, frame: "f (a=1) at f.c:1" });
        assert_eq!(talk("Breakpoint 2, f (a=1) at f.c:1"), stop(None));
        assert_eq!(talk("Temporary breakpoint 2, f (a=1) at f.c:1"), stop(None));
        let line = "Thread 3 \"x\" hit Breakpoint 2.1, f (a=1) at f.c:1";
        assert_eq!(talk(line), stop(Some(named(3, "x"))));
    }

    #[test]
    fn the_program_stands_before_its_arguments() {
        let expected = Some(Talk::Program { path: "/usr/sbin/libvirtd" });
        for line in [
            "Core was generated by `/usr/sbin/libvirtd --daemon -l'.",
            "Core was generated by `/usr/sbin/libvirtd'.",
            "Starting program: /usr/sbin/libvirtd -l",
            "Starting program: /usr/sbin/libvirtd ",
        ] {
            assert_eq!(talk(line), expected, "{line}");
        }
        assert_eq!(talk("Starting program: "), None);
    }

    #[test]
    fn headers_of_all_releases() {
        for (line, name, address) in [
            ("Thread 3 (Thread 0x7f40 (LWP 7) \"a b\"):", Some("a b"), true),
            ("Thread 3 (Thread 0x7f40 \"a b\" (LWP 7)):", Some("a b"), true),
            ("Thread 3 (Thread 0x7f40 (LWP 7)):", None, true),
            ("Thread 3 (LWP 7):", None, false),
        ] {
            let Some(Talk::Header { thread }) = talk(line) else { panic!("{line}") };
            assert_eq!((thread.number, thread.lwp), (Some(3), Some(7)), "{line}");
            assert_eq!(
                (thread.name.as_deref(), thread.address.is_some()),
                (name, address),
                "{line}"
            );
        }
    }

    #[test]
    fn commands_by_their_abbreviations() {
        for (typed, expected) in [
            ("where", Command::Backtrace("where")),
            ("bt full", Command::Backtrace("bt full")),
            ("bt -5", Command::Backtrace("bt -5")),
            ("thread apply all bt full", Command::Backtrace("thread apply all bt full")),
            ("t a a bt", Command::Backtrace("t a a bt")),
            ("f 3", Command::Select),
            ("up", Command::Select),
            ("thread 2", Command::Select),
            ("p *ev", Command::Print("*ev")),
            ("p/x ev->fd", Command::Print("ev->fd")),
            ("print /x ev->fd", Command::Print("ev->fd")),
            ("info locals", Command::Variables),
            ("finish", Command::Step),
            ("", Command::None),
            ("help", Command::Other),
        ] {
            assert_eq!(command(typed), expected, "{typed}");
            assert_eq!(talk(&format!("(gdb) {typed}")), Some(Talk::Command(expected)));
        }
    }

    #[test]
    fn a_persons_words_are_none() {
        for line in [
            "where is it?",
            "Thread safety (is hard):",
            "Thread 3 (hello world):",
            "Breakpoint or not",
            "Breakpoint 3, I think (it was a=1) at 10:30",
            "bt full of it",
            "[sic]",
            "[New idea]",
            "print",
            "Program x",
            "",
        ] {
            assert_eq!(talk(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_glued_before_a_line() {
        assert_eq!(after_prompt("(gdb) (gdb) bt"), Some("bt"));
        assert_eq!(after_label("(2), where"), Some("where"));
        assert_eq!(after_label("3) [New Thread 0x1 (LWP 2)]"), Some("[New Thread 0x1 (LWP 2)]"));
        assert_eq!(after_label("4, where"), None);
        let page = "---Type <return> to continue, or q <return> to quit---#5  f ()";
        assert_eq!(after_page_break(page), Some("#5  f ()"));
        let page = "--Type <RET> for more, q to quit, c to continue without paging--";
        assert_eq!(after_page_break(page), Some(""));
    }
}
