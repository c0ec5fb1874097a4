//! What each predicate holds on, and on what it does not: one small note against one small paste.

use std::fs;

use super::*;
use crate::notes::Plugins;
use crate::trace::{self, Piece};

/// A note whose only signature this is.
pub(super) fn notes(signature: &str) -> Notes {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("demo");
    fs::create_dir_all(plugin.join("notes")).unwrap();
    fs::write(plugin.join("plugin.toml"), "name = \"demo\"\n").unwrap();
    let note = format!(
        "schema = 1\nid = \"demo/it\"\ntitle = \"It\"\nkind = \"bug\"\n\
         cause = {{ confidence = \"code\", text = \"x\" }}\nsource = [{{ what = \"x\" }}]\n\
         [[match]]\nrank = \"match\"\n{signature}\n"
    );
    fs::write(plugin.join("notes/it.toml"), note).unwrap();
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert_eq!(problems, []);
    plugins.notes().clone()
}

pub(super) fn matched(signature: &str, pieces: &[Piece<'_>]) -> Option<MatchedNote> {
    let job = Job::new();
    let trace = trace::parse(&job, pieces).unwrap();
    let report = report(&job, trace, &notes(signature)).unwrap();
    report.notes.into_iter().find(|note| note.id == "demo/it")
}

pub(super) fn holds(predicate: &str, paste: &str) -> bool {
    matched(&format!("all = [{predicate}]"), &[Piece::unnamed(paste)]).is_some()
}

/// gdb frames of these functions, innermost first.
pub(super) fn stack(functions: &[&str]) -> String {
    let frame = |(number, function): (usize, &&str)| {
        format!("#{number}  0x00007f000000{:04x} in {function} ()\n", 0x1000 + number)
    };
    functions.iter().enumerate().map(frame).collect()
}

#[test]
fn frames_are_adjacent_unless_a_gap_is_written() {
    let paste = stack(&["a", "b", "c", "d"]);
    for (frames, expected) in [
        ("'a', 'b'", true),
        ("'b', 'c', 'd'", true),
        ("'a', 'c'", false),
        ("'a', '...', 'c'", true),
        ("'a', '...', 'b'", true),
        ("'a', '...', 'c', '...', 'd'", true),
        ("'c', '...', 'b'", false),
        ("'d', 'e'", false),
        ("'b', '...', 'b'", false),
    ] {
        assert_eq!(holds(&format!("{{ frames = [{frames}] }}"), &paste), expected, "{frames}");
    }
}

#[test]
fn a_later_start_is_tried_where_an_earlier_one_leads_nowhere() {
    let paste = stack(&["a", "x", "a", "b", "y", "b", "c"]);
    assert!(holds("{ frames = ['a', 'b'] }", &paste));
    assert!(holds("{ frames = ['a', '...', 'b', 'c'] }", &paste));
}

#[test]
fn the_top_is_the_innermost_frame_or_the_interrupted_one() {
    let top = "{ frames = ['f', 'g'], from = 'top' }";
    assert!(holds(top, &stack(&["f", "g"])));
    assert!(!holds(top, &stack(&["raise", "f", "g"])));
    let interrupted = "#0  0x1 in raise ()\n#1  0x2 in handler ()\n#2  <signal handler called>\n#3  0x3 in f ()\n#4  0x4 in g ()\n";
    assert!(holds(top, interrupted));
}

#[test]
fn a_frame_may_be_known_by_its_address_and_arguments() {
    let paste = "#0  0x0000000000000000 in ?? ()\n#1  0x0000000000401000 in f (klass=0xdeadbeef, n=7, name=0x4010 \"vm\") at f.c:3\n";
    assert!(holds("{ frames = [{ function = '??', pc = '0x0' }, 'f'] }", paste));
    assert!(!holds("{ frames = [{ function = '??', pc = '0x1' }, 'f'] }", paste));
    for (args, expected) in [
        ("klass = '0xdeadbeef'", true),
        ("klass = '3735928559'", true),
        ("klass = '0xdead'", false),
        ("n = '7', name = 'vm'", true),
        ("n = '7', name = 'v'", false),
        ("'*' = '0xdeadbeef'", true),
        ("'*' = '8'", false),
        ("other = '7'", false),
    ] {
        let predicate = format!("{{ frames = [{{ function = 'f', args = {{ {args} }} }}] }}");
        assert_eq!(holds(&predicate, paste), expected, "{args}");
    }
}

#[test]
fn module_and_file_narrow_only_where_they_are_printed() {
    let module = "{ frames = [{ function = 'f', module = 'liba.so*' }] }";
    let file = "{ frames = [{ function = 'f', file = 'a.c' }] }";
    for (paste, in_module, in_file) in [
        ("#0  0x1 in f () from /usr/lib/liba.so.1\n", true, true),
        ("#0  0x1 in f () from /usr/lib/libb.so.1\n", false, true),
        ("#0  0x1 in f () at src/a.c:1\n", true, true),
        ("#0  0x1 in f () at src/b.c:1\n", true, false),
        ("#0  0x1 in f ()\n", true, true),
    ] {
        assert_eq!(holds(module, paste), in_module, "{paste}");
        assert_eq!(holds(file, paste), in_file, "{paste}");
    }
}

#[test]
fn the_program_is_where_main_is() {
    let frames = "{ frames = ['f'], program = 'appd' }";
    for (main, expected) in [
        ("main () at src/appd.c:9", true),
        ("main () at src/other.c:9", false),
        ("main () at src/main.c:9", false),
        ("main ()", true),
        ("main () from /usr/sbin/appd", true),
        ("main () from /usr/sbin/other", false),
    ] {
        let paste = format!("#0  0x1 in f ()\n#1  0x2 in {main}\n");
        assert_eq!(holds(frames, &paste), expected, "{main}");
    }
    let both = "{ frames = ['f'] }, { program = 'appd' }";
    assert!(holds(both, "#0  0x1 in f ()\n#1  0x2 in main () at appd.c:9\n"));
    assert!(!holds(both, "#0  0x1 in f ()\n#1  0x2 in main ()\n"), "to name it, it must be there");
}

#[test]
fn stacks_are_counted_within_one_signal() {
    let signal = "\nProgram received signal SIGABRT, Aborted.\n0x1 in raise ()\n";
    let three = "{ frames = ['f', 'g'], count = 3, before = 'signal' }";
    assert!(holds(three, &(stops(3) + signal)));
    assert!(!holds(three, &stops(3)), "no signal");
    assert!(!holds(three, &(stops(2) + signal)));
    assert!(!holds(three, &(stops(2) + signal + &stops(1) + signal)), "two runs");
    assert!(holds(three, &(stops(2) + signal + &stops(3) + signal)));
    assert!(holds("{ frames = ['f', 'g'], count = 2 }", &stops(2)));
    assert!(!holds("{ frames = ['f', 'g'], count = 2 }", &stops(3)));
}

/// So many stops in `f`, called by `g` at another place each time.
fn stops(count: usize) -> String {
    (0..count)
        .map(|stop| format!("#0  0x1000 in f ()\n#1  0x{:x} in g ()\n", 0x2000 + stop))
        .collect()
}

#[test]
fn one_stop_printed_three_times_is_one() {
    let two = "{ frames = ['f', 'g'], count = 2 }";
    assert!(!holds(two, &stops(1).repeat(2)));
    assert!(holds(two, &stops(2).repeat(3)));
    let inlined = stops(2).replace("#1  ", "#1  0x3 in h ()\n#2  g ()\n").replace(" in g ()", "");
    assert!(!holds(two, &inlined), "an inlined frame has the address of its machine frame");
    let bare = "#0  f () at f.c:1\n#1  g () at g.c:1\n".repeat(2);
    assert!(holds(two, &bare), "without addresses each stack counts");
}

#[test]
fn a_signal_beside_frames_is_the_stacks_own() {
    let signature = "all = [{ signal = 'SIGSEGV' }, { frames = ['f'], signal = 'SIGSEGV' }]";
    let alone = "all = [{ frames = ['f'], signal = 'SIGSEGV' }]";
    let signal = |name: &str| format!("Program received signal {name}, X.\n");
    let f = stack(&["f", "main"]);
    let other = stack(&["poll", "main"]);
    for (paste, tied, narrowed) in [
        (signal("SIGSEGV") + &f, true, true),
        (signal("SIGABRT") + &f, false, false),
        (f.clone(), false, true),
        (signal("SIGSEGV") + &other + "(gdb) c\nContinuing.\n" + &f, false, true),
        (signal("SIGSEGV") + &other + &signal("SIGABRT") + &f, false, false),
        (signal("SIGABRT") + &other + &signal("SIGSEGV") + &f, true, true),
    ] {
        assert_eq!(matched(signature, &[Piece::unnamed(&paste)]).is_some(), tied, "{paste}");
        assert_eq!(matched(alone, &[Piece::unnamed(&paste)]).is_some(), narrowed, "{paste}");
    }
}

#[test]
fn stops_and_the_crash_after_them_are_of_one_run() {
    let signature = "all = [{ frames = ['abort', 'g'], signal = 'SIGABRT' }, { frames = ['f', 'g'], count = 2, before = 'signal' }]";
    let abort =
        |from: &str| format!("Program received signal SIGABRT, X.\n{}", stack(&["abort", from]));
    for (paste, expected) in [
        (stops(2) + &abort("g"), true),
        (abort("g") + "(gdb) run\n" + &stops(2) + &abort("other"), false),
        (stops(2) + &abort("other") + "(gdb) run\n" + &abort("g"), false),
        (abort("other") + "(gdb) run\n" + &stops(2) + &abort("g"), true),
    ] {
        assert_eq!(matched(signature, &[Piece::unnamed(&paste)]).is_some(), expected, "{paste}");
    }
}

#[test]
fn a_signal_whose_stack_nobody_printed() {
    let predicate = "{ frames = ['f'] }, { signal = 'SIGABRT', stack = 'none' }";
    let signal = "Program received signal SIGABRT, X.\n0x1 in raise ()\n";
    assert!(holds(predicate, &(stops(1) + signal)));
    assert!(!holds(predicate, &(stops(1) + signal + &stack(&["raise", "abort"]))));
}

#[test]
fn the_assertion_shown_with_a_stack_narrows() {
    let predicate = "{ frames = ['__assert_fail', 'g'], signal = 'SIGABRT', asserted_in = 'f' }";
    let signal = "Program received signal SIGABRT, X.\n";
    let bare = stack(&["abort", "__assert_fail", "g"]);
    let with = |function: &str| {
        bare.replace("__assert_fail ()", &format!("__assert_fail (assertion=0x1 \"a\", file=0x2 \"f.c\", line=1, function=0x3 \"{function}\")"))
    };
    let line = |function: &str| format!("appd: f.c:1: {function}: Assertion `a' failed.\n");
    for (paste, expected) in [
        (bare.clone(), true),
        (with("f"), true),
        (with("h"), false),
        (line("f") + &bare, true),
        (line("h") + &bare, false),
        (bare.clone() + &line("h"), false),
        (line("h") + signal + &bare, false),
        (line("f") + signal + &bare, true),
        (signal.to_owned() + &bare + &line("h"), false),
        (line("h") + signal + &stack(&["abort"]) + "(gdb) run\n" + signal + &bare, true),
    ] {
        assert_eq!(holds(predicate, &paste), expected, "{paste}");
    }
    let pieces =
        [Piece { name: Some("a"), text: &line("h") }, Piece { name: Some("b"), text: &bare }];
    assert!(matched(&format!("all = [{predicate}]"), &pieces).is_some(), "another text's message");
}

#[test]
fn what_the_stack_goes_on_to_narrows() {
    let under = "{ frames = ['f'], under = 'loop_*' }";
    for (functions, expected) in [
        (&["f"] as &[&str], true),
        (&["f", "loop_run", "main"], true),
        (&["f", "g", "loop_run"], true),
        (&["f", "main"], false),
        (&["loop_run", "f", "main"], false),
        (&["f", "?"], true),
    ] {
        let paste = stack(functions).replace("? ()", "?? ()");
        assert_eq!(holds(under, &paste), expected, "{functions:?}");
    }
}

#[test]
fn the_caller_of_an_assertion_is_behind_its_own_inlined_frame() {
    let predicate = "{ assertion = 'a', function = 'lock', caller = 'f', under = 'loop' }";
    let paste = |frames: &str| {
        format!(
            "#2  0x2 in __assert_fail (assertion=0x1 \"a\", file=0x2 \"f.c\", line=1, function=0x3 \"lock\")\n{frames}"
        )
    };
    for (frames, expected) in [
        ("#3  0x3 in f ()\n", true),
        ("#3  0x3 in lock ()\n#4  f ()\n", true),
        ("#3  0x3 in lock ()\n#4  f ()\n#5  0x5 in loop ()\n", true),
        ("#3  0x3 in lock ()\n#4  f ()\n#5  0x5 in main ()\n", false),
        ("#3  0x3 in lock ()\n#4  g ()\n", false),
        ("#3  0x3 in g ()\n#4  f ()\n", false),
    ] {
        assert_eq!(holds(predicate, &paste(frames)), expected, "{frames}");
    }
    let any = "{ assertion = '*', function = 'lock' }";
    assert!(holds(any, &paste("")));
    assert!(!holds("{ assertion = '*', function = 'unlock' }", &paste("")));
}

#[test]
fn an_argument_that_is_printed_narrows() {
    let predicate = "{ frames = [{ function = 'f', printed = { '*' = '0' } }] }";
    for (arguments, expected) in [
        ("", true),
        ("s=0x0", true),
        ("s=<optimized out>", true),
        ("s=0x4010 \"abc\"", false),
        ("s=0x0, n=5", false),
    ] {
        assert_eq!(holds(predicate, &format!("#0  0x1 in f ({arguments}) at f.c:1\n")), expected);
    }
}

#[test]
fn thread_1_bears_the_programs_name() {
    let frames = "{ frames = ['f'], program = 'appd' }";
    for (line, expected) in [
        ("Thread 1 \"appd\" received signal SIGABRT, X.", true),
        ("Thread 1 \"other\" received signal SIGABRT, X.", false),
        ("Thread 2 \"other\" received signal SIGABRT, X.", true),
    ] {
        assert_eq!(holds(frames, &format!("{line}\n#0  0x1 in f ()\n")), expected, "{line}");
    }
    let main = "Thread 1 \"other\" received signal SIGABRT, X.\n#0  0x1 in f ()\n#1  0x2 in main () at appd.c:1\n";
    assert!(holds(frames, main), "where main is told, it counts");
    let two = "Thread 1 \"a\" received signal SIGABRT, X.\nThread 1 \"b\" received signal SIGABRT, X.\n#0  0x1 in f ()\n";
    assert!(holds(frames, two), "two sessions tell nothing");
}

#[test]
fn a_signal_of_another_text_is_not_waited_for() {
    let stop = stack(&["f", "g"]);
    let signal = "Program received signal SIGABRT, Aborted.\n0x1 in raise ()\n";
    let pieces = [Piece { name: Some("a"), text: &stop }, Piece { name: Some("b"), text: signal }];
    assert!(matched("all = [{ frames = ['f'], before = 'signal' }]", &pieces).is_none());
}

#[test]
fn a_stack_ruled_out_leaves_another_to_match() {
    let signature = "all = [{ frames = ['abort', 'f'] }]\nnone = [{ frames = ['known'] }]";
    let bad = stack(&["abort", "f", "known"]);
    let good = stack(&["abort", "f", "main"]);
    assert!(matched(signature, &[Piece::unnamed(&bad)]).is_none());
    let found = matched(signature, &[Piece::unnamed(&(bad + &good))]).unwrap();
    assert_eq!(found.evidence[0].lines.first, 4);
}

#[test]
fn an_assertion_is_its_expression_and_its_function() {
    let predicate = "{ assertion = 'a == b', function = 'f', file = 'a.c', program = 'appd' }";
    for (line, expected) in [
        ("appd: a.c:3: f: Assertion `a == b' failed.", true),
        ("appd: a.c:99: f: Assertion `a==b' failed.", true),
        ("appd: a.c:3: g: Assertion `a == b' failed.", false),
        ("appd: a.c:3: f: Assertion `a != b' failed.", false),
        ("appd: b.c:3: f: Assertion `a == b' failed.", false),
        ("other: a.c:3: f: Assertion `a == b' failed.", false),
    ] {
        assert_eq!(holds(predicate, &format!("{line}\n")), expected, "{line}");
    }
}

#[test]
fn a_value_answers_by_what_its_path_means() {
    let print = |command: &str, value: &str| {
        format!("#0  0x1 in f (x=0x5) at f.c:1\n(gdb) p {command}\n$1 = {value}\n(gdb)\n")
    };
    let predicate = "{ value = '((struct t*)x)->in.fd', equals = -1 }";
    for (command, value, expected) in [
        ("*(struct t*)x", "{a = 1, in = {fd = -1, n = 2}}", true),
        ("*(t *) x", "{a = 1, in = {fd = -1, n = 2}}", true),
        ("((struct t*)x)->in", "{fd = -1, n = 2}", true),
        ("((struct t*)x)->in.fd", "-1", true),
        ("((struct t*)x)->in.fd", "1", false),
        ("*(struct t*)y", "{a = 1, in = {fd = -1, n = 2}}", false),
        ("*(struct u*)x", "{a = 1, in = {fd = -1, n = 2}}", false),
        ("*(struct t*)x", "{a = 1, fd = -1}", false),
        ("(struct t*)x", "{a = 1, in = {fd = -1, n = 2}}", false),
    ] {
        assert_eq!(holds(predicate, &print(command, value)), expected, "{command} = {value}");
    }
    assert!(holds("{ value = 's.state', equals = 'RUNNING' }", &print("s", "{state = RUNNING}")));
    assert!(holds("{ value = 'x', equals = 5, function = 'f' }", &print("y", "1")));
    assert!(!holds("{ value = 'x', equals = 5, function = 'g' }", &print("y", "1")));
}

#[test]
fn a_value_speaks_of_the_crash_it_was_printed_for() {
    let print = |value: &str| format!("(gdb) p n\n$1 = {value}\n(gdb) c\nContinuing.\n");
    let signal = "Program received signal SIGABRT, X.\n0x1 in f ()\n(gdb) bt\n#0  0x1 in f ()\n";
    let ranked = |paste: &str| {
        let ask = "[[ask]]\nwhy = 'x'\nshow = 'n'\nconfirms = '== -1'\nrefutes = '>= 0'";
        matched(&format!("all = [{{ frames = ['f'] }}]\n{ask}"), &[Piece::unnamed(paste)]).unwrap()
    };
    let answer = |paste: &str| ranked(paste).asks[0].answer.clone();
    assert_eq!(answer(&(print("7") + signal)), None, "an earlier stop's");
    assert_eq!(answer(&(print("7") + signal + &print("-1"))).as_deref(), Some("-1"));
    assert_eq!(answer(&(signal.to_owned() + &print("7"))).as_deref(), Some("7"));
    assert_eq!(ranked(&(signal.to_owned() + &print("7"))).rank, Rank::Consistent);
    assert_eq!(ranked(&(print("7") + signal)).rank, Rank::Match);
    // `p/x` prints bits: it may confirm, and refutes only what no reading of it could be.
    for (value, verdict) in [
        ("0xffffffff", Some(Verdict::Confirms)),
        ("0xffffffffffffffff", Some(Verdict::Confirms)),
        ("0xfffffffe", None),
        ("0x26", Some(Verdict::Refutes)),
    ] {
        let note = ranked(&(signal.to_owned() + &print(value)));
        assert_eq!(note.asks[0].verdict, verdict, "{value}");
    }
}

#[test]
fn a_log_record_is_known_by_text_format_and_level() {
    let paste = "xc: error: Can't create lock file /var/lib/xen/x_1_lock.d: Internal error\n";
    for (predicate, expected) in [
        (r"{ log = 'lock file \S+_lock\.d' }", true),
        (r"{ log = ['verrou', 'lock file'] }", true),
        ("{ log = 'verrou' }", false),
        ("{ log = 'lock file', format = 'libxl-log' }", true),
        ("{ log = 'lock file', format = 'libvirt-log' }", false),
        ("{ log = 'lock file', level = ['error', 'warning'] }", true),
        ("{ log = 'lock file', level = 'debug' }", false),
    ] {
        assert_eq!(holds(predicate, paste), expected, "{predicate}");
    }
}

#[test]
fn what_would_also_speak_for_it_is_said() {
    let signature = "all = [{ frames = ['f'] }]\nany = [{ signal = 'SIGSEGV' }, { frames = ['f', '...', 'main'] }]";
    let note = matched(signature, &[Piece::unnamed(&stack(&["f", "main"]))]).unwrap();
    assert_eq!(note.missing.len(), 1);
    assert_eq!(note.missing[0].what, "signal SIGSEGV");
    let required: Vec<bool> = note.evidence.iter().map(|one| one.required).collect();
    assert_eq!(required, [true, false]);
}

#[test]
fn a_trace_from_elsewhere_may_point_anywhere() {
    let job = Job::new();
    let paste = "a.c:1: x\nappd: a.c:3: f: Assertion `a == b' failed.\n(gdb) p x\n$1 = {a = 1}\n";
    let mut trace = trace::parse(&job, &[Piece::unnamed(paste)]).unwrap();
    for event in &mut trace.events {
        event.stack = Some(usize::MAX);
    }
    for value in &mut trace.values {
        (value.stack, value.frame) = (Some(7), Some(u32::MAX));
    }
    let notes = notes("all = [{ assertion = 'a == b', function = 'f', caller = 'f' }]");
    assert_eq!(report(&job, trace, &notes).unwrap().notes.len(), 1);
}

#[test]
fn a_stopped_job_stops_the_report() {
    let job = Job::new();
    job.cancel_handle().cancel();
    assert_eq!(report(&job, Trace::default(), &Notes::default()), Err(Stopped::Cancelled));
}
