//! What holds for every paste: nothing panics, no line is lost, two pastes read as one say what
//! each says, and size is no danger.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod pastes;

use std::time::Duration;

use dbgmate::job::{Job, Stopped};
use dbgmate::trace::{Frame, Lines, Piece, Trace, is_blank, parse};
use pastes::pastes;
use proptest::prelude::*;

fn read(text: &str) -> Trace {
    parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
}

/// All that the trace made of the text, as line ranges, skipped ones last.
fn understood(trace: &Trace) -> Vec<&Lines> {
    let frames = trace.stacks.iter().flat_map(|stack| &stack.frames).map(|frame| &frame.lines);
    let events = trace.events.iter().map(|event| &event.lines);
    let values = trace.values.iter().map(|value| &value.lines);
    let modules = trace.modules.iter().map(|module| &module.lines);
    frames
        .chain(events)
        .chain(values)
        .chain(modules)
        .chain(trace.log.iter().map(|r| &r.lines))
        .collect()
}

/// Every line that is not blank is understood or skipped, and none is both but those that hold several.
fn check_that_no_line_is_lost(text: &str) {
    let trace = read(text);
    let count = text.split('\n').count();
    let mut is_understood = vec![false; count + 1];
    let mut is_skipped = vec![false; count + 1];
    for lines in understood(&trace) {
        is_understood[lines.first..=lines.last].fill(true);
    }
    for skipped in &trace.skipped {
        is_skipped[skipped.lines.first..=skipped.lines.last].fill(true);
    }
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let holds_several = line.contains(" dumped core.#012");
        let twice = is_understood[number] && is_skipped[number] && !holds_several;
        assert!(!twice, "line {number} twice: {line:?}");
        let found = is_understood[number] || is_skipped[number];
        assert!(found || is_blank(line), "line {number} is lost: {line:?}");
    }
}

fn frames(trace: &Trace) -> usize {
    trace.stacks.iter().map(|stack| stack.frames.len()).sum()
}

/// Lines as printers and people write them, whole and cut to pieces.
fn line() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "#0  0x00007f5fb5929b55 in raise (sig=<optimized out>) at raise.c:64",
        "#1  0x00007f5fb592b131 in f (a=1,",
        "    b=0x2 \"text\") at f.c:92",
        "#2  virEventPollRunOnce () at util/event_poll.c:631",
        "#3  0x0000000000400500 in Foo::bar(int) const ()",
        "   from /usr/lib64/libxenlight.so.2.0",
        "#4  <signal handler called>",
        "        local = {a = 1, b = {2, 3",
        "No locals.",
        "(gdb) bt",
        "(gdb) frame 3",
        "(gdb) p *ev",
        "(gdb) next",
        "(gdb) info locals",
        "(gdb)",
        "$2 = {fd = 38, entry = {le_next = 0x0}",
        "name = \"x\",",
        "}",
        "1020\t    assert(fd == ev->fd);",
        "Program received signal SIGSEGV, Segmentation fault.",
        "Program terminated with signal SIGABRT, Aborted.",
        "0x00007fbdd411bb55 in raise () from /lib64/libc.so.6",
        "Breakpoint 8, f (fd=21) at f.c:106",
        "[Switching to Thread 0x7fcecdaf1700 (LWP 5489)]",
        "[Switching to thread 2 (Thread 0x7fcecdaf1700 (LWP 5489))]",
        "Thread 3 (Thread 0x7f40 (LWP 7) \"a\"):",
        "Run till exit from #0  f (a=1,",
        "Continuing.",
        "---Type <return> to continue, or q <return> to quit---",
        "libxl: debug: libxl_event.c:181:f: text",
        "2012-11-09 08:24:57.660+00004836: debug : f:137 : text",
        "39:libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>",
        "prog: f.c:1: f: Assertion `x' failed.",
        "From                To                  Syms Read   Shared Object Library",
        "0x00007ffff7fbc060  0x00007ffff7fbc21f  Yes (*)     /opt/liblayers.so",
        "7ffff7df4000-7ffff7f4a000 r-xp 00026000 fe:00 131   /usr/lib/libc.so.6",
        "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60 at pc 0x1 bp 0x2 sp 0x3",
        "freed by thread T0 here:",
        "    #0 0x55d0 in ns::f(int) /src/a.cc:7:12",
        "    #1 0x7f00  (/lib/libc.so.6+0x27249) (BuildId: 93ac61ec)",
        "Stack trace of thread 7:",
        "#0  0x00007f5fb5929b55 n/a (libc.so.6 + 0x38b55)",
        "TID 7:",
        "#1  0x00007f5fb592b131 - 1 abort - libc.so.6",
        "    [93ac61ec]@0x7f5fb58f1000+0x3a130",
        "/lib/libc.so.6(abort+0x12b)[0x7f5fb592b131]",
        "double free or corruption (out)",
        "a[6]: segfault at 0 ip 00007f5fba7a8133 sp 00007ffc0 error 4 in b.so[7f5fba788000+45000]",
        "Call Trace:",
        " ? f+0x35/0x90 [xen_netback]",
        "==7== Invalid read of size 4",
        "==7==    at 0x1091A5: f (heap.c:28)",
        "thread 'main' panicked at src/a.rs:5:5:",
        "stack backtrace:",
        "   3: a::b",
        "             at ./src/a.rs:5:5",
        "goroutine 1 [running]:",
        "main.f(0x1, 0x2)",
        "\t./a.go:13 +0x30",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 10, in f",
        "ValueError: no",
        "  | ExceptionGroup: several (2 sub-exceptions)",
        "    +---------------- 2 ----------------",
        "Exception in thread \"main\" java.lang.Error: no",
        "\tat a.B.main(B.java:7)",
        "Caused by: a.CException",
        "\t... 1 more",
        "\"main\" #1 prio=5 tid=0x00007f nid=0x3d8b runnable",
        "\t- locked <0x000000069ec02f40> (a java.lang.Object)",
        "* thread #1, name = 'a', stop reason = signal SIGSEGV",
        "  * frame #0: 0x00007ffff7fbc130 a`f(x=0) at a.c:18:10",
        "a 7  4132.756783:     250000 cycles:",
        "\tffffffff821e5202 f+0x32 ([kernel.kallsyms])",
        "(XEN) Xen call trace:",
        "(XEN)    [<ffff82d040205b63>] R f+0x123/0x1f0",
        "      #00 pc 000000000005f9b8  /lib64/libc.so (abort+168)",
        "(1), where",
        "my own (words), \"quoted",
        "",
    ]);
    prop_oneof![
        6 => known.clone().prop_map(str::to_owned),
        2 => (known, any::<prop::sample::Index>()).prop_map(|(line, at)| {
            let cut = at.index(line.len() + 1);
            line[..cut].to_owned()
        }),
        1 => "\\PC{0,40}",
        1 => any::<String>().prop_map(|text| text.replace('\n', " ")),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_line_is_lost(text in text()) {
        check_that_no_line_is_lost(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        check_that_no_line_is_lost(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_prefix_of_a_paste_is_read(paste in prop::sample::select(pastes()), at in any::<prop::sample::Index>()) {
        let mut end = at.index(paste.len() + 1);
        while !paste.is_char_boundary(end) {
            end -= 1;
        }
        check_that_no_line_is_lost(&paste[..end]);
    }

    #[test]
    fn any_damaged_paste_is_read(
        paste in prop::sample::select(pastes()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, "\\PC{0,6}"), 1..12),
    ) {
        let mut lines: Vec<String> = paste.split('\n').map(str::to_owned).collect();
        for (at, kind, text) in damage {
            let number = at.index(lines.len());
            let line = lines[number].clone();
            let mut cut = at.index(line.len() + 1);
            while !line.is_char_boundary(cut) {
                cut -= 1;
            }
            let (head, tail) = line.split_at(cut);
            match kind {
                // Words in the midst, a line broken, lines joined, a line twice.
                0 => lines[number] = format!("{head}{text}{tail}"),
                1 => lines[number] = format!("{head}\n{tail}"),
                2 if number + 1 < lines.len() => {
                    let next = lines.remove(number + 1);
                    lines[number].push_str(&next);
                }
                _ => lines.insert(number, line),
            }
        }
        check_that_no_line_is_lost(&lines.join("\n"));
    }

    #[test]
    fn pieces_are_read_each_by_itself(first in text(), second in text()) {
        let both = parse(&Job::new(), &[Piece::unnamed(&first), Piece::unnamed(&second)]).unwrap();
        let (first, second) = (read(&first), read(&second));
        prop_assert_eq!(both.stacks.len(), first.stacks.len() + second.stacks.len());
        prop_assert_eq!(both.events.len(), first.events.len() + second.events.len());
        prop_assert_eq!(both.values.len(), first.values.len() + second.values.len());
        prop_assert_eq!(both.log.len(), first.log.len() + second.log.len());
        prop_assert_eq!(both.skipped.len(), first.skipped.len() + second.skipped.len());
        for event in &both.events[first.events.len()..] {
            prop_assert!(event.stack.is_none_or(|stack| stack >= first.stacks.len()));
        }
    }

    #[test]
    fn indices_point_at_what_exists(text in text()) {
        let trace = read(&text);
        for stack in trace.events.iter().filter_map(|event| event.stack) {
            prop_assert!(stack < trace.stacks.len());
        }
        for value in &trace.values {
            let Some(stack) = value.stack else { continue };
            let indices: Vec<u32> = trace.stacks[stack].frames.iter().map(|f| f.index).collect();
            prop_assert!(indices.contains(&value.frame.unwrap()));
        }
        for stack in &trace.stacks {
            prop_assert!(stack.frames.is_sorted_by(|a, b| a.index < b.index));
            prop_assert!(stack.frames.is_sorted_by(|a, b| a.physical <= b.physical));
        }
    }

    #[test]
    fn a_trace_survives_the_wire(text in text()) {
        let trace = read(&text);
        let wire = serde_json::to_string(&trace).unwrap();
        prop_assert_eq!(serde_json::from_str::<Trace>(&wire).unwrap(), trace);
    }
}

#[test]
fn no_line_of_a_paste_is_lost() {
    for paste in pastes() {
        check_that_no_line_is_lost(&paste);
        check_that_no_line_is_lost(&paste.replace('\n', "\r\n"));
    }
}

#[test]
fn two_pastes_in_one_text_have_the_stacks_of_both() {
    // Each with itself and a dozen others: all pairs would take minutes.
    const OTHERS: usize = 12;
    let pastes = pastes();
    for (at, first) in pastes.iter().enumerate() {
        for step in 0..=OTHERS {
            let second = &pastes[(at + step * 7) % pastes.len()];
            let text = format!("{first}\n\n{second}");
            let both = read(&text);
            let (first, second) = (read(first), read(second));
            assert_eq!(both.stacks.len(), first.stacks.len() + second.stacks.len(), "{text}");
            assert_eq!(frames(&both), frames(&first) + frames(&second), "{text}");
        }
    }
}

/// Where each frame stands, and how much else there is.
fn outline(trace: &Trace) -> (Vec<String>, usize, usize) {
    let stacks = trace.stacks.iter().map(|stack| {
        let frame = |f: &Frame| format!("{:?} {}-{}; ", f.function, f.lines.first, f.lines.last);
        stack.frames.iter().map(frame).collect()
    });
    (stacks.collect(), trace.modules.len(), trace.values.len())
}

#[test]
fn what_a_log_or_a_mail_puts_before_each_line_changes_nothing() {
    const PREFIXES: [&str; 5] = [
        "> ",
        "Nov 12 08:00:01 xenhost libvirtd[77]: ",
        "2024-11-12T08:00:01.123456+00:00 xenhost a.out[77]: ",
        "[  123.456789][ T77] ",
        "(XEN) ",
    ];
    let mut compared = 0;
    for paste in pastes() {
        for prefix in PREFIXES {
            let prefixed: Vec<String> =
                paste.split('\n').map(|line| format!("{prefix}{line}")).collect();
            let prefixed = prefixed.join("\n");
            // A log has no mail's quotes inside.
            let quoted =
                prefix != "> " && paste.lines().any(|line| line.starts_with(['>', '|', '&']));
            if quoted || may_be_cut(&paste) != may_be_cut(&prefixed) {
                continue;
            }
            compared += 1;
            assert_eq!(outline(&read(&paste)), outline(&read(&prefixed)), "{prefix}{paste}");
        }
    }
    assert!(compared > 300, "{compared}");
}

/// Whether the lines look as if a terminal had cut them: that shows in their length.
fn may_be_cut(text: &str) -> bool {
    let length = |line: &str| line.trim_end_matches('\r').chars().count();
    let longest = text.split('\n').map(length).max().unwrap_or(0);
    let many = text.split('\n').filter(|line| length(line) == longest).count() > 1;
    (60..=200).contains(&longest) && many
}

#[test]
fn words_between_two_pastes_belong_to_none() {
    let pastes = pastes();
    for (first, second) in pastes.iter().zip(pastes.iter().skip(1).step_by(3)) {
        let words = "And this is what I saw on the other machine, after the update.";
        let both = read(&format!("{first}\n\n{words}\n\n{second}"));
        let (first, second) = (read(first), read(second));
        assert_eq!(both.stacks.len(), first.stacks.len() + second.stacks.len());
        assert_eq!(frames(&both), frames(&first) + frames(&second));
        assert_eq!(both.modules.len(), first.modules.len() + second.modules.len());
    }
}

#[test]
fn whole_lines_only_ever_add_frames() {
    for paste in pastes() {
        let mut before = 0;
        for (end, _) in paste.match_indices('\n') {
            let trace = read(&paste[..end]);
            // A core's stop is shown as a stack would be, until it turns out to be one frame.
            let stops = trace.events.iter().filter(|event| event.frame.is_some()).count();
            assert!(frames(&trace) + stops >= before, "{}", &paste[..end]);
            before = frames(&trace) + stops;
        }
    }
}

#[test]
fn many_stacks_are_read() {
    let trace = read(&"#0  f ()\n".repeat(200_000));
    assert_eq!(trace.stacks.len(), 200_000);
}

#[test]
fn a_million_numbers_of_frames_without_frames_are_skipped() {
    let text = "#0\n".repeat(1_000_000);
    let trace = read(&text);
    assert_eq!((trace.stacks.len(), trace.skipped.len()), (0, 1));
    assert_eq!((trace.skipped[0].lines.first, trace.skipped[0].lines.last), (1, 1_000_000));
}

#[test]
fn a_line_of_ten_megabytes_is_one_line() {
    for repeated in ["x", "(", "{a = ", "\u{e9}", "&lt;"] {
        let trace = read(&format!(
            "#0  f ()\n{}\n#1  g ()\n",
            repeated.repeat(10_000_000 / repeated.len())
        ));
        assert_eq!((trace.skipped.len(), frames(&trace)), (1, 2), "{repeated}");
    }
}

#[test]
fn one_deep_stack_is_read() {
    let text: String = (0..200_000).map(|n| format!("#{n} 0x1 in f (n={n})\n")).collect();
    let trace = read(&text);
    assert_eq!((trace.stacks.len(), frames(&trace)), (1, 200_000));
}

#[test]
fn many_stacks_of_other_printers_are_read() {
    for (lines, stacks) in [
        ("#0 0x1 in f (/a+0x1)\n", 200_000),
        ("/a(+0x1)[0x1]\n\n", 100_000),
        ("==7==    at 0x1: f (a.c:1)\n", 200_000),
        ("goroutine 1 [running]:\nmain.f()\n", 100_000),
        ("a[1]: segfault at 0 ip 1133 sp 0 error 4 in a.so[1000+1000]\n", 100_000),
    ] {
        assert_eq!(read(&lines.repeat(stacks)).stacks.len(), stacks, "{lines}");
    }
    let trace = read(&format!("Call Trace:\n{}", " f+0x1/0x2\n".repeat(200_000)));
    assert_eq!((trace.stacks.len(), frames(&trace)), (1, 200_000));
}

#[test]
fn selected_frames_without_a_backtrace_are_read() {
    let trace = read(&"(gdb) frame 3\n#3  0x1 in f ()\n".repeat(50_000));
    assert_eq!(trace.stacks.len(), 50_000);
}

#[test]
fn what_never_closes_ends_at_its_bounds() {
    for open in ["#0  f (a=", "$1 = {", "#0  f (s=\"", "        local = {", "Breakpoint 1, f (a="] {
        let text = format!("#0  g ()\n{open}{}\n", "  (\n".repeat(100_000));
        check_that_no_line_is_lost(&text);
        let longest = read(&text)
            .stacks
            .iter()
            .flat_map(|s| &s.frames)
            .map(|f| f.lines.last - f.lines.first)
            .max();
        assert!(longest.is_none_or(|lines| lines <= 20_001), "{open}: {longest:?}");
    }
}

#[test]
fn long_lines_are_read() {
    for (start, repeated) in [
        ("", "x"),
        ("", "("),
        ("#0  f (a=", "{"),
        ("#0  0x1 in ", "f(int)"),
        ("#0  0x1 in f", " ("),
        ("#0  f (a=", "\"\\"),
        ("$1 = ", "{a = "),
        ("$1 = ", "<"),
        ("$1 = {", "'\\000', "),
        ("(gdb) ", "(gdb) "),
        ("Thread ", "\" ("),
        ("libxl: debug: ", ":1:"),
        ("a: b.c:", ":1: Assertion `"),
        ("\u{1b}[", "1;"),
        ("---Type <return>", "-"),
        ("#0 0x1 in f", " (a+0x1)"),
        ("#0 0x1 in ", "f /"),
        ("#0 0x1 f ", "(x + 0x1)"),
        ("#0 0x1 ", "a - "),
        ("#0 pc 1 ", "(a+1)"),
        ("/lib/a(", "f+0x1)[0x1"),
        ("==7==    at 0x1: f", " (in "),
        ("frame #0: 0x1 a`f", "(x="),
        ("frame #0: 0x1 a`f", " + 1 at "),
        ("a[1]: segfault at 0 ip ", "in a[1+"),
        ("thread 'a' panicked at ", "', "),
        ("File \"", "\", line "),
        ("a 1 1.000000: ", ": "),
        ("[<", "1>] [<"),
        ("[<1>] R f", "+0x1/0x2 ("),
        ("Nov 12 08:00:01 ", "a: "),
        ("[    1.000000] ", "[    1.000000] "),
        ("(XEN) ", "(XEN) "),
        ("===", "="),
    ] {
        check_that_no_line_is_lost(&format!("{start}{}", repeated.repeat(500_000)));
    }
}

#[test]
fn a_stopped_job_stops() {
    let job = Job::new().with_deadline(Duration::ZERO);
    assert_eq!(parse(&job, &[Piece::unnamed("#0  f ()")]), Err(Stopped::DeadlinePassed));
}

/// The text as a mail program breaks it: at blanks, no line longer than `width` if it can be.
fn folded(text: &str, width: usize) -> String {
    let fold = |line: &str| {
        let mut lines: Vec<String> = vec![String::new()];
        let indent = line.len() - line.trim_start().len();
        let (indent, words) = line.split_at(indent);
        for (index, word) in words.split(' ').enumerate() {
            let last = lines.last_mut().unwrap();
            if index == 0 {
                last.push_str(&format!("{indent}{word}"));
            } else if last.chars().count() + 1 + word.chars().count() <= width {
                last.push_str(&format!(" {word}"));
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    };
    text.split('\n').map(fold).collect::<Vec<_>>().join("\n")
}

/// What the frames say, without where they stand.
fn told(trace: &Trace) -> Vec<Vec<String>> {
    let frame = |f: &Frame| {
        let place = (&f.file, f.line, f.column);
        let module = (&f.module, f.module_offset, f.offset);
        let text = format!(
            "#{} {:?} {:?} {:?} {place:?} {module:?}",
            f.index, f.address, f.function, f.arguments
        );
        // Two blanks where the line is broken become one.
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    trace.stacks.iter().map(|stack| stack.frames.iter().map(frame).collect()).collect()
}

/// Not every width is tried: that takes a minute unoptimised.
const WIDTH_STEP: usize = 5;

#[test]
fn a_mail_that_breaks_lines_at_blanks_changes_no_frame() {
    let (mut different, mut compared) = (Vec::new(), 0);
    for (name, paste) in pastes::named() {
        let whole = told(&read(&paste));
        let indent = |line: &str| line.len() - line.trim_start().len();
        let deepest = paste.lines().map(indent).max().unwrap_or(0);
        for width in (40..=132).step_by(WIDTH_STEP).filter(|width| deepest + 20 < *width) {
            compared += 1;
            if told(&read(&folded(&paste, width))) != whole {
                different.push(format!("{name} at {width}"));
            }
        }
    }
    assert!(compared > 2000, "{compared}");
    assert!(different.is_empty(), "{}: {different:#?}", different.len());
}

#[test]
fn a_stack_whose_line_ends_are_gone_is_the_same() {
    let mut compared = 0;
    for (name, paste) in pastes::named() {
        for stack in &read(&paste).stacks {
            let Lines { first, last, .. } = stack.lines;
            let lines: Vec<&str> = paste.lines().take(last).skip(first - 1).collect();
            // Lines of others in their midst are no part of them.
            let own: usize = stack.frames.iter().map(|f| f.lines.last - f.lines.first + 1).sum();
            let bare = stack.frames.iter().all(|frame| frame.locals.is_empty());
            let numbers = lines.iter().filter(|line| line.trim_start().starts_with('#')).count();
            let frames = stack.frames.len();
            let alone = own == lines.len()
                && numbers == frames
                && !["--Type", "<br"].iter().any(|other| paste.contains(other));
            if stack.format != "gdb" || !bare || !alone || frames < 2 {
                continue;
            }
            let whole = told(&read(&format!("{}\n(gdb)\n", lines.join("\n"))));
            let flat = format!("{}\n(gdb)\n", lines.join(" "));
            if whole.len() == 1 && whole[0].len() == frames {
                compared += 1;
                assert_eq!(told(&read(&flat)), whole, "{name}: {flat}");
            }
        }
    }
    assert!(compared > 50, "{compared}");
}
