//! What `dbgmate parse` prints of every paste under tests/traces: read again as gdb's, the same frames;
//! redacted, nothing of what was taken out.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod pastes;

use std::collections::BTreeSet;

use dbgmate::trace::{EventKind, Frame, PrintedValue, Stack, StackKind, Trace, parse};
use dbgmate::{job::Job, redact, render, trace::Piece};
use pastes::{named, pastes};
use proptest::prelude::*;

fn read(text: &str) -> Trace {
    parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
}

fn as_gdb(trace: &Trace) -> (String, Trace) {
    let text = render::plain(&render::gdb_session(trace));
    // Where nothing follows, the last word may have been cut off.
    let again = read(&format!("{text}(gdb)\n"));
    (text, again)
}

/// A frame as far as gdb's line can say it.
fn in_gdbs_words(frame: &Frame, of_gdb: bool) -> Frame {
    let mut frame = frame.clone();
    frame.lines = Default::default();
    frame.check = None;
    if !of_gdb {
        // Columns have no place there.
        frame.physical = 0;
        frame.pc = dbgmate::trace::Pc::Exact;
        frame.column = None;
        // Other printers' values and names are not all such as gdb would print.
        frame.arguments.clear();
        frame.function = frame.function.filter(|name| is_balanced(name));
        frame.offset = frame.offset.filter(|_| frame.function.is_some());
        frame.file = frame.file.filter(|_| frame.line.is_some());
    }
    frame
}

/// Whether a name could stand before gdb's arguments.
fn is_balanced(name: &str) -> bool {
    let mut depth = 0i32;
    let never_below = name.chars().all(|c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        depth >= 0
    });
    never_below && depth == 0
}

fn same_frames(before: &Stack, after: &Stack) -> Result<(), String> {
    let of_gdb = before.format == "gdb";
    let frames = |stack: &Stack| -> Vec<Frame> {
        stack.frames.iter().map(|frame| in_gdbs_words(frame, of_gdb)).collect()
    };
    let (mut before_frames, after_frames) = (frames(before), frames(after));
    if before.kind == StackKind::Selected {
        // Which machine frame it is depends on the backtraces around it.
        before_frames.iter_mut().zip(&after_frames).for_each(|(before, after)| {
            (before.pc, before.physical) = (after.pc, after.physical);
        });
    }
    if before_frames == after_frames && before.kind == after.kind {
        return Ok(());
    }
    let different = before_frames.iter().zip(&after_frames).find(|(before, after)| before != after);
    Err(format!("{} frames, then {}: {different:#?}", before_frames.len(), after_frames.len()))
}

fn check_round_trip(trace: &Trace) {
    let (text, again) = as_gdb(trace);
    assert_eq!(trace.stacks.len(), again.stacks.len(), "{text}");
    for (before, after) in trace.stacks.iter().zip(&again.stacks) {
        same_frames(before, after).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    let stops = |trace: &Trace| -> Vec<(String, Option<Frame>)> {
        let stops = trace.events.iter().filter(|event| {
            let json = serde_json::to_value(event).unwrap();
            json["kind"] == "signal" || json["kind"] == "breakpoint"
        });
        stops
            .map(|stop| {
                let frame = stop.frame.as_ref().map(|frame| in_gdbs_words(frame, true));
                (format!("{:?}", stop.what), frame)
            })
            .collect()
    };
    assert_eq!(stops(trace), stops(&again), "{text}");
    let values = |trace: &Trace| -> Vec<PrintedValue> {
        let blank = |value: &PrintedValue| PrintedValue {
            lines: Default::default(),
            stack: None,
            frame: None,
            ..value.clone()
        };
        trace.values.iter().map(blank).collect()
    };
    assert_eq!(values(trace), values(&again), "{text}");
}

#[test]
fn what_is_printed_as_gdbs_reads_as_the_same_frames_stops_and_values() {
    for paste in pastes() {
        check_round_trip(&read(&paste));
    }
}

#[test]
fn the_same_without_addresses_and_private_texts() {
    for paste in pastes() {
        let mut trace = read(&paste);
        redact::addresses(&mut trace);
        redact::private(&mut trace);
        let (text, again) = as_gdb(&trace);
        assert_eq!(trace.stacks.len(), again.stacks.len(), "{text}");
        for (before, after) in trace.stacks.iter().zip(&again.stacks) {
            let of_gdb = before.format == "gdb";
            let names = |stack: &Stack| -> Vec<_> {
                let frames = stack.frames.iter().map(|frame| in_gdbs_words(frame, of_gdb));
                let place = |f: &Frame| (f.offset, f.module.clone(), f.module_offset);
                let name = |f: Frame| {
                    (f.index, place(&f), f.function, f.file.filter(|_| f.line.is_some()))
                };
                frames.map(name).collect()
            };
            assert_eq!(names(before), names(after), "{text}");
        }
    }
}

/// Where the run had something: frames, threads, registers, modules, what faults are about.
fn run_time_addresses(trace: &Trace) -> BTreeSet<u64> {
    let stops = trace.events.iter().filter_map(|event| event.frame.as_deref());
    let frames = trace.stacks.iter().flat_map(|stack| &stack.frames).chain(stops);
    // A program that is always at one place has its own addresses, which stay.
    let own = |frame: &&Frame| frame.module_offset.map(|at| at.0) == frame.address.map(|at| at.0);
    let of_frames = frames.filter(|frame| !own(frame)).map(|frame| frame.address);
    let of_events = trace.events.iter().flat_map(|event| match &event.what {
        EventKind::Registers { values, .. } => values.iter().map(|one| one.value).collect(),
        EventKind::Fault { address, .. } => vec![*address],
        _ => Vec::new(),
    });
    let threads = trace.stacks.iter().filter_map(|stack| stack.thread.as_ref());
    let of_modules = trace.modules.iter().flat_map(|module| [module.start, module.end]);
    let all =
        of_frames.chain(of_events).chain(threads.map(|thread| thread.address)).chain(of_modules);
    // What is below cannot be mapped: evidence, not a place.
    all.flatten().map(|address| address.0).filter(|address| *address >= 0x1_0000).collect()
}

/// The hexadecimal numbers of a text that can be addresses by their spelling.
fn hexadecimal_words(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| {
        let digits = word.strip_prefix("0x");
        let digits = digits.or_else(|| (word.len() >= 7).then_some(word))?;
        Some((word, u64::from_str_radix(digits, 16).ok()?))
    })
}

#[test]
fn without_addresses_none_of_the_run_is_left_in_any_spelling() {
    let mut taken = 0;
    for (name, paste) in named() {
        let mut trace = read(&paste);
        let addresses = run_time_addresses(&trace);
        redact::addresses(&mut trace);
        let forms = [render::clean_text, render::gdb_session, render::markdown];
        let mut pages = forms.map(|form| render::plain(&form(&trace))).to_vec();
        pages.push(serde_json::to_string(&trace).unwrap());
        for page in &pages {
            let left = hexadecimal_words(page).find(|(_, number)| addresses.contains(number));
            assert_eq!(left, None, "{name}:\n{page}");
        }
        taken += addresses.len();
    }
    assert!(taken > 100, "{taken}");
}

#[test]
fn nothing_of_a_home_is_left() {
    for paste in pastes() {
        let mut trace = read(&paste);
        redact::private(&mut trace);
        let text = serde_json::to_string(&trace).unwrap();
        assert!(!text.contains("/home/") && !text.contains("/root/"), "{text}");
    }
}

#[test]
fn redacting_twice_is_redacting_once() {
    for paste in pastes() {
        let mut trace = read(&paste);
        redact::addresses(&mut trace);
        redact::private(&mut trace);
        let once = trace.clone();
        redact::addresses(&mut trace);
        redact::private(&mut trace);
        assert_eq!(trace, once);
    }
}

#[test]
fn every_form_is_text_without_control_characters() {
    for paste in pastes() {
        let trace = read(&paste);
        for form in [render::clean_text, render::gdb_session, render::markdown] {
            let page = render::plain(&form(&trace));
            let odd = page.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(odd, None, "{page}");
        }
    }
}

proptest! {
    /// Any part of a paste: stacks without their beginning, values without their end.
    #[test]
    fn any_part_of_a_paste_makes_the_round_trip(
        paste in prop::sample::select(pastes()),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<&str> = paste.lines().collect();
        let (from, to) = (from.index(lines.len() + 1), to.index(lines.len() + 1));
        check_round_trip(&read(&lines[from.min(to)..from.max(to)].join("\n")));
    }
}
