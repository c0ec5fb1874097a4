use std::collections::{BTreeSet, HashSet};

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::*;
use crate::job::Job;
use crate::notes::Plugins;
use crate::render::report_markdown;
use crate::trace::{self, Certainty, Piece, Resolved, ResolvedFrame};
use crate::triage::{self, Seen};

/// Each format may carry each of these.
const HOSTILE: &str = "</pre></title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'`&lt;&#x3c;\u{202e}\u{7}\u{1b}[31m-->]]>";

/// The page of a report, with its paste.
fn page_of(report: &Report, paste: &str) -> String {
    html(report, &[Piece::unnamed(paste)])
}

fn report_of(paste: &str) -> Report {
    let job = Job::new();
    let trace = trace::parse(&job, &[Piece::unnamed(paste)]).unwrap();
    triage::report(&job, trace, Plugins::load(&[]).0.notes()).unwrap()
}

/// The page as a browser reads it: the names of its elements, their attributes, its text.
#[derive(Default)]
struct Read {
    elements: Vec<String>,
    attributes: Vec<(String, String)>,
    text: String,
}

fn read(page: &str) -> Read {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let errors = dom.errors.borrow();
    assert!(errors.is_empty(), "{errors:?} in\n{page}");
    let mut read = Read::default();
    visit(&dom.document, &mut read);
    read
}

fn visit(node: &Handle, read: &mut Read) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            read.elements.push(name.local.to_string());
            let attributes = attrs.borrow();
            let named =
                attributes.iter().map(|one| (one.name.local.to_string(), one.value.to_string()));
            read.attributes.extend(named);
        }
        NodeData::Text { contents } => read.text.push_str(&contents.borrow()),
        _ => {}
    }
    node.children.borrow().iter().for_each(|child| visit(child, read));
}

/// No script, nothing loaded from elsewhere, no id twice, no link to nowhere.
fn check(page: &str) -> Read {
    let read = read(page);
    for element in ["script", "img", "link", "iframe", "object", "embed", "base", "form"] {
        assert!(!read.elements.iter().any(|found| found == element), "a {element} in\n{page}");
    }
    let named = |name: &str| {
        let of_name = read.attributes.iter().filter(|(found, _)| found == name);
        of_name.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert!(!read.attributes.iter().any(|(name, _)| name.starts_with("on") || name == "src"));
    let ids: HashSet<String> = named("id").into_iter().collect();
    assert_eq!(ids.len(), named("id").len(), "an id twice");
    for link in named("href") {
        assert!(link.strip_prefix('#').is_some_and(|id| ids.contains(id)), "{link} leads nowhere");
    }
    assert!(!page.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{page}");
    read
}

#[test]
fn each_piece_of_evidence_leads_to_its_line() {
    let paste = include_str!("../../../tests/traces/fd-deregister-race-values.txt");
    let report = report_of(paste);
    let page = page_of(&report, paste);
    let read = check(&page);
    let links =
        read.attributes.iter().filter(|(name, value)| name == "href" && value.starts_with("#row-"));
    assert_eq!(links.count(), report.notes.iter().map(|note| note.evidence.len()).sum::<usize>());
    for part in [
        "This is it",
        "lines 12-13",
        "libvirt event loop",
        "☑ print ((libxl__ev_fd*)for_libxl)->fd",
    ] {
        assert!(read.text.contains(part), "{part} is not in\n{}", read.text);
    }
    let steps = report.notes[0].interleaving.as_ref().unwrap().steps.len();
    assert_eq!(
        read.attributes.iter().filter(|(name, value)| name == "class" && value == "step").count(),
        steps
    );
}

#[test]
fn every_shipped_paste_is_a_page_that_a_browser_reads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.metadata().unwrap().len() < 100_000 {
            let paste = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let report = report_of(&paste);
            check(&html(&report, &[]));
            let read = check(&page_of(&report, &paste));
            for line in paste.lines().filter(|line| !line.chars().any(char::is_control)) {
                assert!(read.text.contains(line), "{line} of {}", path.display());
            }
        }
    }
}

#[test]
fn what_a_paste_holds_stays_text() {
    let pastes = [
        format!("prog: a.c:7: f: Assertion `{HOSTILE}' failed.\n"),
        format!("libxl: debug: libxl_event.c:1:f: ao 0x1: create: {HOSTILE}\n"),
        format!(
            "Thread 1 \"{HOSTILE}\" received signal SIGABRT, Aborted.\n#0  0x1 in f (a=0x2 \"{HOSTILE}\") at {HOSTILE}.c:1\n(gdb) p a\n$1 = \"{HOSTILE}\"\n"
        ),
        include_str!("../../../tests/traces/fd-deregister-race.txt")
            .replace("virEventPollRunOnce", HOSTILE),
        HOSTILE.to_owned(),
        String::new(),
    ];
    for paste in pastes {
        let report = report_of(&paste);
        check(&page_of(&report, &paste));
        check(&html(&report, &[]));
        let markdown = report_markdown(&report);
        assert!(
            !markdown.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'),
            "{markdown}"
        );
    }
}

#[test]
fn several_pieces_and_notes_that_were_made_up_stay_text() {
    let mut report = report_of(include_str!("../../../tests/traces/fd-deregister-race-values.txt"));
    for note in &mut report.notes {
        note.title = HOSTILE.to_owned();
        note.id = HOSTILE.to_owned();
        note.kind = HOSTILE.to_owned();
        note.cause.text = HOSTILE.to_owned();
        note.sources.push(HOSTILE.to_owned());
        note.evidence.iter_mut().for_each(|one| one.lines.piece = Some(HOSTILE.to_owned()));
        let interleaving = note.interleaving.as_mut().unwrap();
        interleaving.steps[0].1 = HOSTILE.to_owned();
        interleaving.threads.insert("B".to_owned(), HOSTILE.to_owned());
        note.asks.iter_mut().for_each(|ask| ask.show = HOSTILE.to_owned());
    }
    let read = check(&html(&report, &[]));
    assert!(read.text.contains("<script>alert(1)</script>"), "it is shown: {}", read.text);
}

#[test]
fn of_very_many_lines_those_around_the_evidence_are_shown() {
    let noise = "libxl: debug: libxl_event.c:1:f: nothing of note\n".repeat(5000);
    let crash = include_str!("../../../tests/traces/libxl-occurred-fd.log");
    let paste = format!("{noise}{crash}{noise}");
    let report = report_of(&paste);
    assert!(!report.notes.is_empty());
    let page = page_of(&report, &paste);
    let read = check(&page);
    assert!(read.text.contains("not shown") && page.len() < 200_000, "{}", page.len());
    assert!(read.attributes.iter().any(|(_, value)| value.starts_with("#row-")));
}

#[test]
fn the_paste_is_shown_as_it_was_pasted_with_what_was_looked_up() {
    let paste =
        "> Hello,\r\n> #0  0x0000000000001234 in ?? () from /usr/lib/libdemo.so\r\n> \tbye\r\n";
    let mut trace = trace::parse(&Job::new(), &[Piece::unnamed(paste)]).unwrap();
    trace.stacks[0].frames[0].resolved = Some(Resolved {
        frames: vec![ResolvedFrame { function: Some("found_it".into()), ..Default::default() }],
        module: "/usr/lib/libdemo.so".into(),
        build_id: None,
        certainty: Certainty::Certain,
        via: "symtab".into(),
    });
    let (plugins, _) = Plugins::load(&[]);
    let report = triage::report(&Job::new(), trace, plugins.notes()).unwrap();
    let named = [Piece { name: Some("other"), text: "nothing\n" }, Piece::unnamed(paste)];
    for pieces in [&named[1..], &named] {
        let read = check(&html(&report, pieces));
        let line = read.text.find("> #0  0x0000000000001234 in ?? ()").unwrap();
        let (found, bye) =
            (read.text.rfind("found_it").unwrap(), read.text.find("    bye").unwrap());
        assert!(line < found && found < bye, "{}", read.text);
    }
}

#[test]
fn evidence_that_goes_over_lines_is_marked_on_each() {
    let paste = include_str!("../../../tests/traces/fd-deregister-race-values.txt");
    let report = report_of(paste);
    let rows = Rows::of(&report, &[Piece::unnamed(paste)]);
    let marked = rows.all.iter().filter(|row| row.is_marked).map(|row| row.lines.first);
    let lines = report.notes.iter().flat_map(|note| &note.evidence).map(|one| &one.lines);
    let expected: BTreeSet<usize> = lines.flat_map(|lines| lines.first..=lines.last).collect();
    assert_eq!(marked.collect::<BTreeSet<_>>(), expected);
    let labels = rows.all.iter().map(|row| row.marks.len()).sum::<usize>();
    assert_eq!(labels, report.notes.iter().map(|note| note.evidence.len()).sum::<usize>());
}

#[test]
fn what_the_history_knows_is_in_every_form() {
    let mut report = report_of(include_str!("../../../tests/traces/fd-deregister-race.txt"));
    report.seen = Some(Seen {
        times: 2,
        first: Some("2026-01-30T09:12:44Z".into()),
        last: Some(HOSTILE.into()),
        last_id: Some(17),
        note: Some("only on host c4".into()),
    });
    let read = check(&html(&report, &[]));
    for text in [read.text, report_markdown(&report), crate::render::report::text(&report)] {
        for part in ["Seen 2 times before", "history show 17", "only on host c4", "v1-"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
