//! From pasted text to the known bug, over the real pastes, their alterations, and pastes of other
//! programs.

#![allow(clippy::unwrap_used)] // a helper of tests that unwraps is a test that unwraps

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dbgmate::api::triage::{ReportForm, ReportMethod, ReportRequest, ReportResponse};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::notes::{Note, Paste, Plugins, Rank};
use dbgmate::trace::{self, Piece};
use dbgmate::triage::{MatchedNote, Report, Verdict, report};
use proptest::prelude::*;

const FD: &str = "libxl/fd-deregister-race";
const TIMEOUT: &str = "libxl/timeout-deregister-race";
const CTX_LOCK: &str = "libxl/timeout-ctx-lock";
const TIMER_MODE: &str = "libxl/hvm-timer-mode-assert";
const STRDUP: &str = "libvirt/build-info-strdup-null";
const SUSPEND: &str = "libxl/suspend-evtchn-lock";

/// What each shipped paste must be recognised as.
const EXPECTED: [(&str, &[(&str, Rank)]); 15] = [
    ("fd-deregister-race.txt", &[(FD, Rank::Match)]),
    ("fd-deregister-race-values.txt", &[(FD, Rank::Match)]),
    ("fd-deregister-race-breakpoints.txt", &[(FD, Rank::Match)]),
    ("libxl-occurred-fd.log", &[(FD, Rank::Consistent)]),
    ("timeout-ctx-lock-abort.txt", &[(CTX_LOCK, Rank::Consistent)]),
    ("hvm-create-abort-full.txt", &[(TIMER_MODE, Rank::Match)]),
    ("hvm-create-abort.txt", &[(TIMER_MODE, Rank::Consistent)]),
    ("hvm-create-abort-breakpoints.txt", &[(TIMER_MODE, Rank::Consistent)]),
    ("pv-create-strdup-segv.txt", &[(STRDUP, Rank::Match)]),
    ("libvirtd-abort-log-buffer.log", &[]),
    ("libvirtd-errors.log", &[]),
    ("libxl-hvm-create.log", &[]),
    ("qemu-dm-blk-event-value.txt", &[]),
    ("libxl-suspend-first.log", &[(SUSPEND, Rank::Match)]),
    ("libxl-suspend-full.log", &[(SUSPEND, Rank::Match)]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn paste(name: &str) -> String {
    fs::read_to_string(root().join("tests/traces").join(name)).unwrap()
}

fn plugins() -> &'static Plugins {
    static SHIPPED: OnceLock<Plugins> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let (plugins, problems) = Plugins::load(&[]);
        assert_eq!(problems, []);
        plugins
    })
}

fn triage(plugins: &Plugins, text: &str) -> Report {
    let job = Job::new();
    let trace = trace::parse(&job, &[Piece::unnamed(text)]).unwrap();
    report(&job, trace, plugins.notes()).unwrap()
}

/// The known bugs of a report. Patterns, which tell no bug but a shape, must stand behind them.
fn ranks(report: &Report) -> Vec<(&str, Rank)> {
    let is_pattern = |note: &MatchedNote| note.kind == "pattern";
    assert!(report.notes.is_sorted_by_key(is_pattern), "patterns stand behind");
    let specific = report.notes.iter().filter(|note| !is_pattern(note));
    specific.map(|note| (note.id.as_str(), note.rank)).collect()
}

fn rank_of(report: &Report, id: &str) -> Option<Rank> {
    report.notes.iter().find(|note| note.id == id).map(|note| note.rank)
}

#[test]
fn every_shipped_paste_is_recognised_or_left_alone() {
    let plugins = plugins();
    for (name, expected) in EXPECTED {
        assert_eq!(ranks(&triage(plugins, &paste(name))), expected, "{name}");
    }
}

/// Which words of a paste stand for the program, the function and the expression that identify
/// its bug: with another word in one's place it is another bug.
const IDENTITIES: [(&str, &str, &[&str]); 7] = [
    (
        "tests/traces/fd-deregister-race.txt",
        FD,
        &[
            "libxenlight.so",
            "libxl_event.c",
            "libvirtd.c",
            "libxl_osevent_occurred_fd",
            "fd == ev->fd",
            "__assert_fail",
        ],
    ),
    (
        "tests/traces/fd-deregister-race-values.txt",
        FD,
        &["libxl_event.c", "libvirtd.c", "libxl_osevent_occurred_fd", "fd == ev->fd"],
    ),
    (
        "tests/traces/fd-deregister-race-breakpoints.txt",
        FD,
        &["libxl_event.c", "libvirtd.c", "libxl_osevent_occurred_fd", "fd == ev->fd"],
    ),
    (
        "plugins/libxl/examples/timeout-deregister-race.txt",
        TIMEOUT,
        &[
            "libxenlight.so",
            "libxl_event.c",
            "libvirtd.c",
            "libxl_osevent_occurred_timeout",
            "!ev->infinite",
        ],
    ),
    (
        "plugins/libxl/examples/timeout-null-func.txt",
        TIMEOUT,
        &["libxenlight.so", "libvirtd.c", "libxl_osevent_occurred_timeout", "0x0000000000000000"],
    ),
    (
        "tests/traces/hvm-create-abort-full.txt",
        TIMER_MODE,
        &["libxenlight.so", "libxl__build_hvm", "xc_set_hvm_param", "__assert_fail"],
    ),
    (
        "tests/traces/pv-create-strdup-segv.txt",
        STRDUP,
        &["libxl_conf.c", "libxlMakeDomBuildInfo", "strdup", "strlen", "SIGSEGV"],
    ),
];

#[test]
fn an_altered_program_function_or_expression_is_no_match() {
    let plugins = plugins();
    for (name, id, words) in IDENTITIES {
        let text = fs::read_to_string(root().join(name)).unwrap();
        assert_eq!(rank_of(&triage(plugins, &text), id), Some(Rank::Match), "{name}");
        for word in words {
            assert!(text.contains(word), "{name} has no {word}");
            for altered in alterations(word) {
                let report = triage(plugins, &text.replace(word, &altered));
                assert_ne!(rank_of(&report, id), Some(Rank::Match), "{name}: {word} → {altered}");
            }
        }
    }
}

/// Other words of the same kind.
fn alterations(word: &str) -> Vec<String> {
    if word.starts_with("SIG") {
        return vec!["SIGBUS".to_owned()];
    }
    if word.starts_with("0x") {
        return vec!["0x0000000000401000".to_owned()];
    }
    let longer = match word.split_once('.') {
        Some((stem, ending)) => format!("{stem}2.{ending}"),
        None => format!("{word}2"),
    };
    let other = match word.split_once('.') {
        Some((_, ending)) => format!("other.{ending}"),
        None => "other".to_owned(),
    };
    vec![longer, other]
}

#[test]
fn altering_one_place_of_the_function_is_enough() {
    let plugins = plugins();
    let text = paste("fd-deregister-race.txt");
    for place in ["in libxl_osevent_occurred_fd", "\"libxl_osevent_occurred_fd\""] {
        let altered = text.replace(place, &place.replace("libxl_osevent_occurred_fd", "poll_one"));
        assert_ne!(altered, text);
        assert_eq!(ranks(&triage(plugins, &altered)), [], "{place}");
    }
}

#[test]
fn the_message_alone_suffices_and_names_its_program() {
    let plugins = plugins();
    let line = "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed.\n";
    assert_eq!(ranks(&triage(plugins, line)), [(FD, Rank::Match)]);
    let other = line.replace("libvirtd", "nginx");
    assert_eq!(ranks(&triage(plugins, &other)), [(FD, Rank::Consistent)]);
    let other = other.replace("libxl_event.c", "loop.c");
    assert_eq!(ranks(&triage(plugins, &other)), []);
}

#[test]
fn evidence_names_the_lines_that_show_it() {
    let plugins = plugins();
    let report = triage(plugins, &paste("fd-deregister-race-values.txt"));
    let note = &report.notes[0];
    let shown: Vec<(&str, usize, usize, bool)> = note
        .evidence
        .iter()
        .map(|one| (one.what.as_str(), one.lines.first, one.lines.last, one.required))
        .collect();
    assert_eq!(
        shown,
        [
            ("assertion fd == ev->fd in libxl_osevent_occurred_fd", 12, 13, true),
            ("libxl_osevent_occurred_fd ← … ← virEventPollRunOnce", 14, 16, false),
            ("((libxl__ev_fd*)for_libxl)->fd == -1", 29, 29, false),
        ]
    );
    let missing: Vec<&str> = note.missing.iter().map(|one| one.what.as_str()).collect();
    let expected = [
        r"a log record with libxl_osevent_occurred_fd: fd<\d+>, ev->fd<-1>",
        "a libxl__ev_fd that is used after its end",
    ];
    assert_eq!(missing, expected);
    assert!(!note.missing[0].how.is_empty());
    assert_eq!(note.asks[0].answer.as_deref(), Some("-1"));
    assert_eq!(note.asks[0].verdict, Some(Verdict::Confirms));
}

#[test]
fn a_value_that_speaks_against_it_takes_the_certainty() {
    let plugins = plugins();
    let text = paste("fd-deregister-race-values.txt").replace("$4 = {fd = -1", "$4 = {fd = 38");
    let report = triage(plugins, &text);
    assert_eq!(ranks(&report), [(FD, Rank::Consistent)]);
    assert_eq!(report.notes[0].asks[0].verdict, Some(Verdict::Refutes));
}

#[test]
fn stops_are_counted_not_summed() {
    let plugins = plugins();
    let text = paste("hvm-create-abort-full.txt");
    let stop = "xc_set_hvm_param\n#0  0x00007f2cded53ef4 in xc_set_hvm_param () from /usr/lib64/libxenctrl.so.4.2\n#1  0x00007f2cdf1a1fe7 in libxl__build_hvm () from /usr/lib64/libxenlight.so.2.0\n";
    assert!(text.contains(stop));
    let stops = triage(plugins, &text);
    assert!(stops.notes[0].evidence.iter().any(|one| one.text.starts_with("3 stops")));
    let fourth = stop.to_owned() + &stop.replace("a1fe7", "a2006");
    for altered in [text.replace(stop, ""), text.replace(stop, &fourth)] {
        assert_eq!(ranks(&triage(plugins, &altered)), [(TIMER_MODE, Rank::Consistent)]);
    }
    let twice = text.replace(stop, &stop.repeat(2));
    assert_eq!(ranks(&triage(plugins, &twice)), [(TIMER_MODE, Rank::Match)], "one stop, twice");
}

#[test]
fn timer_mode_itself_is_enough() {
    let plugins = plugins();
    let text = paste("hvm-create-abort-full.txt");
    let caller =
        "#3  0x00007f2cdf1a218d in libxl__build_hvm ()\n   from /usr/lib64/libxenlight.so.2.0\n";
    assert!(text.contains(caller));
    let inlined = "#3  0x00007f2cdf1a218d in timer_mode (info=0x7f) at libxl_dom.c:458\n#4  libxl__build_hvm (gc=0x1, domid=3, info=0x7f) at libxl_dom.c:520\n";
    let line =
        "libvirtd: libxl_dom.c:458: timer_mode: Assertion `mode >= A && mode <= B' failed.\n";
    let other = "libvirtd: libxl.c:212: libxl_defbool_val: Assertion `!libxl_defbool_is_default(db)' failed.\n";
    for (paste, expected) in [
        (text.replace(caller, inlined), Some(Rank::Match)),
        (line.to_owned(), Some(Rank::Match)),
        (line.replace("libvirtd", "xl"), Some(Rank::Consistent)),
        (line.replace("libxl_dom.c", "clock.c"), None),
        (line.to_owned() + &text, Some(Rank::Match)),
        (other.to_owned() + &text, None),
    ] {
        assert_eq!(rank_of(&triage(plugins, &paste), TIMER_MODE), expected, "{paste}");
    }
}

#[test]
fn libvirts_later_daemons_are_its_programs_too() {
    let plugins = plugins();
    let text = paste("fd-deregister-race.txt");
    for (main, expected) in [
        ("src/remote/remote_daemon.c", Rank::Match),
        ("main.c", Rank::Consistent),
        ("xl.c", Rank::Consistent),
    ] {
        let altered = text.replace("libvirtd.c", main);
        assert_eq!(ranks(&triage(plugins, &altered)), [(FD, expected)], "{main}");
    }
    let line = "virtxend: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed.\n";
    assert_eq!(ranks(&triage(plugins, line)), [(FD, Rank::Match)]);
    let nameless = text.replace("\n    at libvirtd.c:1354", "");
    assert_eq!(ranks(&triage(plugins, &nameless)), [(FD, Rank::Match)]);
    let other = nameless.replace("Program received", "Thread 1 \"xl\" received");
    assert_eq!(ranks(&triage(plugins, &other)), [(FD, Rank::Consistent)]);
}

#[test]
fn a_healthy_value_of_an_earlier_stop_takes_nothing() {
    let plugins = plugins();
    let healthy = "(gdb) p ((libxl__ev_fd*)for_libxl)->fd\n$1 = 42\n(gdb) c\nContinuing.\n\n";
    let report = triage(plugins, &(healthy.to_owned() + &paste("fd-deregister-race.txt")));
    assert_eq!(ranks(&report), [(FD, Rank::Match)]);
    assert_eq!(report.notes[0].asks[0].answer, None);
}

#[test]
fn a_log_of_additions_alone_is_called_incomplete() {
    let plugins = plugins();
    let text = paste("fd-deregister-race-breakpoints.txt");
    let remarks = |text: &str| triage(plugins, text).notes[0].remarks.len();
    assert_eq!(remarks(&text), 1);
    let removal = "Breakpoint 9, virEventPollRemoveHandle (watch=7) at util/event_poll.c:194\n";
    assert_eq!(remarks(&(removal.to_owned() + &text)), 0);
    assert_eq!(remarks(&paste("fd-deregister-race.txt")), 0);
}

#[test]
fn the_lock_may_have_a_frame_of_its_own() {
    let plugins = plugins();
    let text = paste("timeout-ctx-lock-abort.txt");
    let caller = "#3  0x00007f44bddf3f9c in libxl_osevent_occurred_timeout ()";
    let own = "#3  0x00007f44bddf3f9c in libxl__ctx_lock (ctx=0x1) at libxl_internal.h:2652\n#4  libxl_osevent_occurred_timeout ()";
    assert!(text.contains(caller));
    let report = triage(plugins, &text.replace(caller, own));
    assert_eq!(ranks(&report), [(CTX_LOCK, Rank::Consistent)]);
}

#[test]
fn two_bugs_in_one_paste_are_both_found() {
    let plugins = plugins();
    let text = paste("fd-deregister-race.txt") + "\n" + &paste("pv-create-strdup-segv.txt");
    assert_eq!(ranks(&triage(plugins, &text)), [(STRDUP, Rank::Match), (FD, Rank::Match)]);
    let turned = paste("pv-create-strdup-segv.txt") + "\n" + &paste("fd-deregister-race.txt");
    assert_eq!(ranks(&triage(plugins, &turned)), [(STRDUP, Rank::Match), (FD, Rank::Match)]);
}

#[test]
fn halves_of_two_crashes_are_not_one() {
    let plugins = plugins();
    // The stack of one program, the signal of another.
    let text = paste("pv-create-strdup-segv.txt").replace("SIGSEGV", "SIGABRT")
        + "\nProgram received signal SIGSEGV, Segmentation fault.\n0x1 in other () at other.c:1\n#0  0x1 in other () at other.c:1\n";
    assert_eq!(ranks(&triage(plugins, &text)), []);
}

#[test]
fn other_programs_crashes_are_left_alone() {
    let plugins = plugins();
    let folder = root().join("tests/traces/unrelated");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let report = triage(plugins, &fs::read_to_string(&path).unwrap());
        assert!(!report.trace.stacks.is_empty(), "{}: nothing was read", path.display());
        assert_eq!(ranks(&report), [], "{}", path.display());
        read += 1;
    }
    assert!(read >= 25, "only {read} pastes of other programs are left");
}

#[test]
fn every_note_recognises_its_examples_and_not_its_look_alikes() {
    let plugins = plugins();
    let mut wrong = Vec::new();
    for note in plugins.notes().iter() {
        let id = &note.id;
        assert!(!note.examples.is_empty(), "{id} has no example");
        assert!(!note.lookalikes.is_empty(), "{id} has no look-alike");
        for example in &note.examples {
            let report = triage(plugins, &read_beside(note, &example.file));
            if rank_of(&report, id) != Some(example.rank) {
                wrong.push(format!("{id}: {} is {:?}", example.file, ranks(&report)));
            }
            let first = report.notes.first().map(|note| (note.id.as_str(), note.rank));
            if first.is_none_or(|(first, rank)| first != id && rank < example.rank) {
                wrong.push(format!("{id}: {} is first {first:?}", example.file));
            }
        }
        for lookalike in &note.lookalikes {
            let text = match &lookalike.paste {
                Paste::Text(text) => text.clone(),
                Paste::File(file) => read_beside(note, file),
            };
            let found = rank_of(&triage(plugins, &text), id);
            let allowed = match (lookalike.at_most, found) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(at_most), Some(found)) => found >= at_most,
            };
            if !allowed {
                wrong.push(format!("{id}: {} is ranked {found:?}", lookalike.why));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn read_beside(note: &Note, file: &str) -> String {
    let plugin = note.id.split('/').next().unwrap();
    let path = root().join("plugins").join(plugin).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The plugins hold copies, so that they are whole by themselves; handwritten ones have no other.
#[test]
fn examples_are_the_pastes_as_they_were_posted() {
    for note in plugins().notes().iter() {
        for example in &note.examples {
            let name = Path::new(&example.file).file_name().unwrap().to_str().unwrap();
            let original = root().join("tests/traces").join(name);
            assert_eq!(original.exists(), !example.handwritten, "{}: {name}", note.id);
            if original.exists() {
                assert_eq!(read_beside(note, &example.file), paste(name), "{name}");
            }
        }
    }
}

fn ask_engine(request: ReportRequest) -> Result<ReportResponse, dbgmate::error::Error> {
    ReportMethod::answer(&Engine::new(Config::default()), &Job::new(), request)
}

#[test]
fn the_engine_answers_text_and_trace_alike() {
    let text = paste("fd-deregister-race.txt");
    let render = Some(ReportForm::Text);
    let from_text = ask_engine(ReportRequest { text: Some(text), render, ..Default::default() });
    let from_text = from_text.unwrap();
    let trace = Some(from_text.report.trace.clone());
    let from_trace = ask_engine(ReportRequest { trace, render, ..Default::default() }).unwrap();
    assert_eq!(from_text, from_trace);
    assert!(from_text.rendered.unwrap().starts_with("THIS IS IT  libxl/fd-deregister-race: "));
}

#[test]
fn each_form_of_a_report_is_returned_beside_it() {
    let text = paste("libxl-suspend-full.log");
    for (form, beginning) in [
        (ReportForm::Markdown, "## This is it: Saving a domain finds"),
        (ReportForm::Html, "<!DOCTYPE html><html lang=\"en\">"),
        (ReportForm::Timeline, "<svg class=\"lives\""),
    ] {
        let render = Some(form);
        let asked = ReportRequest { text: Some(text.clone()), render, ..Default::default() };
        let rendered = ask_engine(asked).unwrap().rendered.unwrap();
        assert!(rendered.starts_with(beginning), "{form:?}: {rendered}");
        assert!(rendered.contains("suspend") || form == ReportForm::Timeline, "{rendered}");
    }
}

#[test]
fn the_engine_wants_exactly_one_paste() {
    let trace = trace::Trace::default;
    for request in [
        ReportRequest::default(),
        ReportRequest { text: Some("x".into()), trace: Some(trace()), ..Default::default() },
    ] {
        let error = ask_engine(request).unwrap_err();
        assert_eq!(error.kind, dbgmate::error::Kind::Request, "{error}");
    }
}

/// A shipped paste with some of its lines left out, doubled, cut short or mixed with others'.
fn mutated() -> impl Strategy<Value = String> {
    let pastes: Vec<String> = EXPECTED.iter().map(|(name, _)| paste(name)).collect();
    let lines: Vec<String> =
        pastes.iter().flat_map(|text| text.lines().take(120)).map(str::to_owned).collect();
    let line = (0..lines.len(), 0..200_usize).prop_map(move |(index, cut)| {
        let line = &lines[index];
        line.chars().take(if cut < 100 { cut } else { usize::MAX }).collect::<String>()
    });
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_paste_a_report_is_made(text in mutated()) {
        let plugins = plugins();
        let report = triage(plugins, &text);
        let lines = text.lines().count();
        for evidence in report.notes.iter().flat_map(|note| &note.evidence) {
            prop_assert!(1 <= evidence.lines.first);
            prop_assert!(evidence.lines.first <= evidence.lines.last);
            prop_assert!(evidence.lines.last <= lines);
        }
        let page = dbgmate::render::report::text(&report);
        prop_assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page}");
    }
}

#[test]
fn what_would_make_it_certain_is_told() {
    let decisive = |paste: &str| {
        let report = triage(plugins(), paste);
        report.notes[0].decisive.iter().map(|one| one.what.clone()).collect::<Vec<_>>()
    };
    let stops = "3 × xc_set_hvm_param ← libxl__build_hvm before the signal";
    let log = decisive(include_str!("traces/libxl-occurred-fd.log"));
    assert_eq!(log, ["assertion fd == ev->fd in libxl_osevent_occurred_fd"]);
    let abort = decisive(include_str!("traces/hvm-create-abort.txt"));
    assert!(abort.contains(&stops.to_owned()), "{abort:?}");
    let without_stack = decisive(include_str!("traces/hvm-create-abort-breakpoints.txt"));
    assert!(
        without_stack.contains(&"__assert_fail ← libxl__build_hvm".to_owned()),
        "{without_stack:?}"
    );
    // Where it is certain nothing is asked for, nor where no signature of the note ever is.
    let certain = decisive(include_str!("traces/hvm-create-abort-full.txt"));
    assert!(certain.is_empty(), "{certain:?}");
    let never = decisive(include_str!("traces/timeout-ctx-lock-abort.txt"));
    assert!(never.is_empty(), "{never:?}");
}

#[test]
fn what_another_program_shows_is_not_asked_for_again() {
    let other = include_str!("traces/hvm-create-abort-full.txt")
        .replace("libxenlight.so.2.0", "libxenlight.so.4.9");
    let report = triage(plugins(), &other);
    let note = report.notes.iter().find(|note| note.id == "libxl/hvm-timer-mode-assert").unwrap();
    assert_eq!(note.rank, Rank::Consistent);
    let has = |what: &str| note.evidence.iter().any(|one| one.what == what);
    assert!(has("__assert_fail ← libxl__build_hvm"), "{:?}", note.evidence);
    let asked =
        note.decisive.iter().any(|one| one.what.contains("__assert_fail ← libxl__build_hvm"));
    assert!(!asked, "{:?}", note.decisive);
}

#[test]
fn a_report_fits_its_page() {
    let virsh = "error: End of file while reading data: Input/output error\n";
    let report = triage(plugins(), virsh);
    assert!(!report.notes.is_empty());
    let text = dbgmate::render::report::text(&report);
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|widest| widest <= 100), "{text}");
    assert!(text.lines().all(|line| line.is_empty() || !line.trim().is_empty()), "{text}");
}
