use super::*;
use crate::trace::budget::Budget;
use crate::trace::lines::lines;

fn read(text: &str, budget: Budget) -> Trace {
    let mut assembler = Assembler::default();
    assembler.builder.budget = budget;
    lines(text).for_each(|line| assembler.line(&line));
    assembler.finish()
}

fn function_lines(trace: &Trace) -> Vec<(&str, usize, usize)> {
    let frames = trace.stacks.iter().flat_map(|stack| &stack.frames);
    frames
        .map(|f| (f.function.as_deref().unwrap_or_default(), f.lines.first, f.lines.last))
        .collect()
}

#[test]
fn a_frame_wraps_at_every_place_gdb_wraps_it() {
    let text = "#0  0x1 in f\n    (a=1,\n    b=2)\n    at f.c:1\n#1  g ()\n   from /lib/g.so";
    let trace = read(text, Budget::default());
    assert_eq!(function_lines(&trace), [("f", 1, 4), ("g", 5, 6)]);
    assert_eq!(trace.stacks[0].frames[0].arguments.len(), 2);
}

#[test]
fn a_frame_cut_off_does_not_swallow_the_next() {
    let text = "#0  0x1 in f (a=1,\n#1  0x2 in g (s=0x2 \"unfinished\n#2  0x3 in h ()\n";
    let trace = read(text, Budget::default());
    assert_eq!(function_lines(&trace), [("f", 1, 1), ("g", 2, 2), ("h", 3, 3)]);
}

#[test]
fn a_value_is_of_the_frame_that_was_selected() {
    let text = "#0  0x1 in f ()\n#1  0x2 in g ()\n(gdb) frame 1\n#1  0x2 in g ()\n\
                (gdb) p x\n$1 = 1\n(gdb) cont\nContinuing.\n(gdb) p x\n$2 = 2\n";
    let trace = read(text, Budget::default());
    let places: Vec<_> = trace.values.iter().map(|value| (value.stack, value.frame)).collect();
    assert_eq!(places, [(Some(0), Some(1)), (None, None)]);
}

#[test]
fn a_complaint_is_not_a_value() {
    let text = "(gdb) p x\nNo symbol \"x\" in current context.\n$1 = 1\n";
    assert_eq!(read(text, Budget::default()).values[0].expression, None);
}

#[test]
fn empty_prompts_are_one_event() {
    let trace = read(&"(gdb) \n".repeat(100), Budget::default());
    assert_eq!(trace.events.len(), 1);
    assert_eq!((trace.events[0].lines.first, trace.events[0].lines.last), (1, 100));
    let trace = read("(gdb) \n(gdb) next\n(gdb) \n\n(gdb) \n", Budget::default());
    assert_eq!(trace.events.len(), 4);
}

#[test]
fn skipped_runs_are_paid_for_too() {
    let text = "hello\n$1 = 1\n".repeat(1000);
    let trace = read(&text, Budget::of(100 << 10));
    assert!(trace.skipped.len() < 1000);
    let last = &trace.skipped.last().unwrap().lines;
    assert!(last.first < last.last && last.last == 2000);
}

#[test]
fn a_frame_without_address_and_place_follows_the_one_above() {
    let text = "#1234 crashed ()\n\n#0  0x1 in f ()\n#1  g ()\n#7  h ()\n#8  i () at i.c:1\n";
    let trace = read(text, Budget::default());
    assert_eq!(function_lines(&trace), [("f", 3, 3), ("g", 4, 4), ("i", 6, 6)]);
}

#[test]
fn a_record_before_a_page_break_is_no_part_of_the_frame_around() {
    let text = "#2  v\nxl: error: text\n---Type <return> to continue, or q <return> to quit---";
    let trace = read(text, Budget::default());
    assert_eq!(trace.log[0].lines.first, 2);
    let skipped: Vec<_> = trace.skipped.iter().map(|s| (s.lines.first, s.lines.last)).collect();
    assert_eq!(skipped, [(1, 1), (3, 3)]);
}

#[test]
fn a_record_before_blank_lines_is_no_part_of_the_assertion_around() {
    let text = "a: f.c:1: f: Assertion\nxl: error: text\n\n\nb";
    let trace = read(text, Budget::default());
    assert_eq!(trace.log[0].lines.first, 2);
    assert!(trace.skipped.iter().all(|s| !(s.lines.first..=s.lines.last).contains(&2)));
}

#[test]
fn a_frame_that_never_gets_its_arguments_ends() {
    let text = format!("#0  0x1 in f\n{}", "(a) x\n".repeat(100));
    let trace = read(&text, Budget::default());
    assert_eq!(trace.stacks.len(), 0);
    let lines: usize = trace.skipped.iter().map(|s| s.lines.last - s.lines.first + 1).sum();
    assert_eq!(lines, 101);
}

#[test]
fn what_is_too_much_is_skipped_and_said_to_be() {
    let text = "#0  0x1 in f ()\n".repeat(100);
    let trace = read(&text, Budget::of(10 * size_of::<(Frame, Stack)>()));
    assert!((1..10).contains(&trace.stacks.len()));
    let skipped = &trace.skipped[0].lines;
    assert_eq!((skipped.first, skipped.last), (trace.stacks.len() + 1, 100));
}

#[test]
fn a_whole_row_takes_no_line_below_it() {
    let row = "rip            0x555555555131      0x555555555131 <crash+8>";
    let mapping =
        "7ffd4a2d4000-7ffd4a2f5000 rw-p 00000000 00:00 0                          [stack]";
    let file = "7f5fba780000-7f5fba7c5000 r-xp 00012000 fd:00 131         /usr/lib64/libxen.so.2";
    for (row, below) in [
        (row, "What does this mean?"),
        (mapping, "Aborted (core dumped)"),
        (file, "Aborted (core dumped)"),
    ] {
        let trace = read(&format!("{row}\n{below}\n"), Budget::default());
        let shown: Vec<_> = trace.skipped.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(shown, [below]);
        assert!(trace.modules.iter().all(|module| module.path == "/usr/lib64/libxen.so.2"));
    }
    let trace =
        read("rip            0x555555555131      0x555555555131\n<crash+8>\n", Budget::default());
    assert!(trace.skipped.is_empty(), "{trace:?}");
}

/// Stack and thread's number of each event of registers.
fn registers_of(trace: &Trace) -> Vec<(Option<usize>, Option<u32>)> {
    let registers = trace.events.iter().filter(|e| matches!(e.what, EventKind::Registers { .. }));
    registers.map(|e| (e.stack, e.thread.as_ref().and_then(|thread| thread.number))).collect()
}

#[test]
fn registers_are_of_the_stop_and_the_thread_they_were_shown_at() {
    let first = "Thread 1 \"a\" received signal SIGABRT, Aborted.\n0x1 in f ()\n(gdb) bt\n#0  0x1 in f ()\n\
                 (gdb) c\nContinuing.\n";
    let second = "Thread 3 \"w\" received signal SIGSEGV, Segmentation fault.\n\
                  [Switching to Thread 0x7f (LWP 9)]\n0x3 in g ()\n";
    let registers = "(gdb) info registers\nrax 0x1 1\nrip 0x3 0x3 <g>\n";
    let stack = "(gdb) bt\n#0  0x3 in g ()\n#1  0x4 in h ()\n";
    for (text, expected) in [
        (format!("{first}{second}{registers}{stack}"), (Some(1), Some(3))),
        (format!("{first}{second}{stack}{registers}"), (Some(1), Some(3))),
        // The program ran on, and nothing is known of where it stopped.
        (format!("{first}{registers}"), (None, Some(1))),
        (
            format!("[Switching to thread 3 (Thread 0x7f (LWP 9))]\n{registers}{stack}"),
            (Some(0), Some(3)),
        ),
        (format!("{stack}{registers}"), (Some(0), None)),
        // Of another thread than the one whose stack follows.
        (
            format!(
                "[Switching to thread 3 (Thread 0x7f (LWP 9))]\n{registers}Thread 2 (Thread 0x8 (LWP 8)):\n#0  0x3 in g ()\n"
            ),
            (None, Some(3)),
        ),
    ] {
        assert_eq!(registers_of(&read(&text, Budget::default())), [expected], "{text}");
    }
}
