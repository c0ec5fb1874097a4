//! Where was a Java program when it threw, and what does each of its threads do?
//!
//! ```text
//! Exception in thread "main" java.lang.Exception: cannot read
//!         at Crash.main(Crash.java:53)
//! Caused by: java.lang.IndexOutOfBoundsException: Index: 3 Size: 2
//!         at java.base/java.util.ImmutableCollections$List12.get(ImmutableCollections.java:585)
//!         ... 1 more
//!         Suppressed: java.lang.IllegalStateException: cannot close
//! "Finalizer" #3 daemon prio=8 os_prio=0 cpu=0.33ms elapsed=2.43s tid=0x00007f3e800f99e0 nid=0x3d93 in Object.wait()
//!    java.lang.Thread.State: WAITING (on object monitor)
//!         at java.lang.Object.wait(java.base@17.0.15/Native Method)
//!         - waiting on <0x000000069ec02f40> (a java.lang.ref.ReferenceQueue$Lock)
//! ```
//! (java.lang.Throwable, `printStackTrace`; java.lang.StackTraceElement, `toString`; HotSpot's
//! src/hotspot/share/runtime/{vframe,javaThread}.cpp for jstack.) The class loader and the module before a
//! name say nothing of where the frame is, and are left out.

use super::parts::{begins_with_any, hexadecimal};
use super::{Adds, Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::trace::model::{Frame, Thread};
use crate::trace::search;

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    if let Some(rest) = text.strip_prefix("at ") {
        return frame(rest).map(|told| Start::Told(Box::new(told)));
    }
    let says = if let Some(rest) = text.strip_prefix("Exception in thread \"") {
        let (name, what) = rest.split_once("\" ")?;
        let thread = Thread { name: Some(name.to_owned()), ..Thread::default() };
        Says::Fault(Fault { thread: Some(Box::new(thread)), ..fault(what) })
    } else if let Some(what) =
        text.strip_prefix("Caused by: ").or_else(|| text.strip_prefix("Suppressed: "))
    {
        is_throwable(what).then(|| Says::Fault(fault(what)))?
    } else if let Some(thread) = dumped(text) {
        Says::Heading { thread: Some(thread) }
    } else if begins(text) {
        Says::Begins
    } else if is_omission(text) || text.starts_with("java.lang.Thread.State: ") {
        Says::Remark
    } else {
        return None;
    };
    Some(Start::Says(Format::Java, says))
}

/// What was thrown, on a line of its own, as logs have it: `java.lang.IllegalStateException: no`.
pub(super) fn thrown(text: &str) -> Option<Says<'_>> {
    is_throwable(text).then(|| Says::Fault(fault(text)))
}

fn fault(what: &str) -> Fault<'_> {
    Fault { what, ..Fault::default() }
}

/// A class in a package, by a name that only what is thrown has.
fn is_throwable(text: &str) -> bool {
    let class = text.split_once(": ").map_or(text, |(class, _)| class).trim_end_matches(':');
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    };
    let named = ["Exception", "Error", "Throwable", "Failure", "ThreadDeath"];
    class.rsplit_once('.').is_some_and(|(package, name)| {
        package.split('.').all(part) && part(name) && named.iter().any(|end| name.ends_with(end))
    })
}

/// `java.base/java.lang.Integer.parseInt(Integer.java:668)`; jstack puts the module behind the `(`.
fn frame(text: &str) -> Option<Told> {
    let (name, place) = text.strip_suffix(')')?.rsplit_once('(')?;
    let name = without_module(name);
    let plausible =
        name.contains('.') && !name.contains([' ', '\t', '(']) && !name.starts_with('.');
    plausible.then_some(())?;
    let place = place.rsplit_once('/').map_or(place, |(_, place)| place);
    let (file, line) = match place {
        "Native Method" | "Unknown Source" => (None, None),
        _ => match place.rsplit_once(':') {
            Some((file, line)) => (Some(file), Some(line.parse().ok()?)),
            None => (Some(place), None),
        },
    };
    // A compiler that hides the file's name writes `SourceFile`.
    let is_file = |file: &str| file == "SourceFile" || file.contains('.') && !file.contains(' ');
    file.is_none_or(is_file).then_some(())?;
    let (function, file) = (Some(name.to_owned()), file.map(str::to_owned));
    let frame = Frame { function, file, line, ..bare_frame(0) };
    Some(Told { format: Format::Java, number: Numbered::Loose, frame, build_id: None })
}

/// Without `app//` or `java.base@17/`; the slash of a hidden class, `Main$$Lambda/0x7f00.run`, is its own.
fn without_module(name: &str) -> &str {
    let mut behind = name.match_indices('/').map(|(at, _)| name.get(at + 1..).unwrap_or_default());
    behind.rfind(|rest| !rest.starts_with("0x")).unwrap_or(name)
}

/// `... 5 more`: the frames that the stack above has too.
fn is_omission(text: &str) -> bool {
    let count = text.strip_prefix("... ").and_then(|rest| rest.strip_suffix(" more"));
    let referred = text.starts_with("[CIRCULAR REFERENCE: ");
    count.is_some_and(|count| count.parse::<u64>().is_ok()) || referred
}

/// Whether the text begins as a thread's line in a dump does; its end, `in Object.wait()  [0x00007fde607a8000]`,
/// is no frame of glibc's.
pub(in crate::trace) fn begins_thread(text: &str) -> bool {
    text.strip_prefix('"')
        .and_then(|text| text.split_once("\" "))
        .is_some_and(|(_, rest)| rest.contains("prio="))
}

/// A thread in a dump of all: `"main" #1 prio=5 … tid=0x00007f3e80017ed0 nid=0x3d8b runnable`.
fn dumped(text: &str) -> Option<Thread> {
    let (before, after) = search::split_once(text.strip_prefix('"')?, " tid=0x")?;
    let (name, rest) = search::rsplit_once(before, "\" ")?;
    let (_, nid) = search::split_once(after, " nid=")?;
    let lwp = match nid.strip_prefix("0x") {
        Some(digits) => hexadecimal(digits).map(|(nid, _)| nid),
        None => number(nid).map(|(nid, _)| nid),
    };
    let number = rest.strip_prefix('#').and_then(number).map(|(number, _)| number);
    Some(Thread { number, name: Some(name.to_owned()), lwp, ..Thread::default() })
}

/// The parts of a dump of all threads.
fn begins(text: &str) -> bool {
    const PARTS: [&str; 4] = [
        "Full thread dump ",
        "JNI global ref",
        "Java stack information for the threads listed above",
        "Locked ownable synchronizers:",
    ];
    let deadlock = text.starts_with("Found ") && text.contains("deadlock");
    deadlock || begins_with_any(text, &PARTS)
}

/// What the line says below another of Java's.
pub(super) fn within(text: &str) -> Option<Says<'_>> {
    if let Some(name) = text.strip_prefix('"').and_then(|text| text.strip_suffix("\":")) {
        let thread = Thread { name: Some(name.to_owned()), ..Thread::default() };
        return Some(Says::Heading { thread: Some(thread) });
    }
    const REMARKS: [&str; 9] = [
        "waiting to lock monitor ",
        "waiting for ownable synchronizer ",
        "which is held by ",
        "=====",
        "Threads class SMR info:",
        "_java_thread_list=",
        "No compile task",
        "Compiling: ",
        "- <0x",
    ];
    let listed =
        text.split(", ").all(|item| item.starts_with("0x")) || text == "}" || text == "- None";
    let known = listed || is_stack_page(text) || begins_with_any(text, &REMARKS);
    known.then_some(Says::Remark)
}

/// The end of a thread's line in a dump: `[0x00007fde608a8000]`, the start of the page that its stack is at
/// (HotSpot's javaThread.cpp, `JavaThread::print_on`).
fn is_stack_page(text: &str) -> bool {
    let page = text.strip_prefix("[0x").and_then(|text| text.strip_suffix("000]"));
    page.is_some_and(|page| page.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What a dump says of the locks of the frame above: `- locked <0x69ec1ac50> (a java.lang.Object)`, whose end a mail
/// may have broken off.
pub(super) fn adds(text: &str) -> Option<Adds> {
    let is_lock = text.starts_with("- ") && text.contains('<');
    let is_class = text.starts_with("(a ") && text.ends_with(')');
    (is_lock || is_class).then_some(Adds::Source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{EventKind, Piece, parse};

    #[test]
    fn a_frame_has_its_method_and_its_place() {
        for (text, name, file, line) in [
            ("Crash.main(Crash.java:53)", "Crash.main", Some("Crash.java"), Some(53)),
            (
                "java.base/java.lang.Thread.run(Thread.java:840)",
                "java.lang.Thread.run",
                Some("Thread.java"),
                Some(840),
            ),
            ("app//a.B$C.<init>(B.kt)", "a.B$C.<init>", Some("B.kt"), None),
            (
                "java.lang.Object.wait(java.base@17.0.15/Native Method)",
                "java.lang.Object.wait",
                None,
                None,
            ),
            (
                "A$$Lambda$1/0x00007f3e04000a08.run(Unknown Source)",
                "A$$Lambda$1/0x00007f3e04000a08.run",
                None,
                None,
            ),
            ("a.b.c(SourceFile:7)", "a.b.c", Some("SourceFile"), Some(7)),
        ] {
            let frame = frame(text).unwrap().frame;
            assert_eq!(frame.function.as_deref(), Some(name));
            assert_eq!((frame.file.as_deref(), frame.line), (file, line), "{text}");
        }
        for text in [
            "Foo.Bar(String s)",
            "Foo.Bar()",
            "noon (or so.)",
            "x (a.js:1:2)",
            "f.c:12",
            "Foo.Bar(String)",
        ] {
            assert!(frame(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_thrown_has_a_package() {
        for text in
            ["java.lang.OutOfMemoryError", "a.b.C$DException: no: it", "java.io.IOException:"]
        {
            assert!(is_throwable(text), "{text}");
        }
        for text in [
            "ValueError: no",
            "see java.lang.Error: x",
            "a.b: Error",
            "my.words Error",
            ".Error",
            "",
        ] {
            assert!(!is_throwable(text), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_threads_line_is_no_frame_of_glibc() {
        for (text, is_end) in [
            ("[0x00007fde608a8000]", true),
            ("[0x0000000000000000]", true),
            ("[0x00007fde608a8010]", false),
            ("[0x00007fde608a8000] x", false),
        ] {
            assert_eq!(within(text).is_some(), is_end, "{text}");
        }
    }

    #[test]
    fn threads_of_a_dump() {
        let text = "\"left \"1\"\" #12 prio=5 os_prio=0 cpu=1.0ms elapsed=2.0s tid=0x00007f nid=0x3d92 waiting";
        let thread = dumped(text).unwrap();
        assert_eq!((thread.name.as_deref(), thread.number), (Some("left \"1\""), Some(12)));
        assert_eq!(thread.lwp, Some(0x3d92));
        assert_eq!(dumped("\"GC\" os_prio=0 tid=0x1 nid=77 runnable").unwrap().lwp, Some(77));
        assert_eq!(dumped("\"a\": tid=0x1"), None);
    }

    #[test]
    fn a_message_of_several_lines_is_whole_and_ends_at_the_frames_or_a_blank() {
        let text = "java.lang.Exception: a\n  b\nc\n\tat A.b(A.java:1)\nd\n\nx.YError: e\n\nf";
        let trace = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        let whats = trace.events.iter().filter_map(|event| match &event.what {
            EventKind::Fault { what, .. } => Some((what.as_str(), event.lines.last, event.stack)),
            _ => None,
        });
        let whats = whats.collect::<Vec<_>>();
        assert_eq!(
            whats,
            [("java.lang.Exception: a\n  b\nc", 3, Some(0)), ("x.YError: e", 7, None)]
        );
        let skipped: Vec<_> = trace.skipped.iter().map(|run| run.lines.first).collect();
        assert_eq!(skipped, [5, 9]);
    }
}
