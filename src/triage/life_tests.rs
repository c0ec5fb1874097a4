//! The lives of objects that the shipped logs tell.

use std::fs;
use std::path::Path;

use super::tests::matched;
use super::*;
use crate::notes::Plugins;
use crate::trace::{Piece, parse};

fn lives(text: &str) -> Vec<ObjectLife> {
    let job = Job::new();
    let trace = parse(&job, &[Piece::unnamed(text)]).unwrap();
    report(&job, trace, Plugins::load(&[]).0.notes()).unwrap().objects
}

fn shipped(name: &str) -> Vec<ObjectLife> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    lives(&fs::read_to_string(root.join("tests/traces").join(name)).unwrap())
}

fn of<'l>(lives: &'l [ObjectLife], name: &str) -> Vec<(&'l str, LifeState, usize)> {
    let named = lives.iter().filter(|life| life.name == name);
    named.map(|life| (life.key.as_str(), life.state, life.opened)).collect()
}

/// The lines of an object's steps.
fn lines(lives: &[ObjectLife], key: &str) -> Vec<usize> {
    let life = lives.iter().find(|life| life.key == key).unwrap();
    life.steps.iter().map(|step| step.lines.first).collect()
}

#[test]
fn the_save_log_leaves_a_descriptor_and_an_operation_open() {
    let full = shipped("libxl-suspend-full.log");
    assert_eq!(of(&full, "libxl__ev_fd"), [("0x7fd08805aa60", LifeState::NeverClosed, 1)]);
    assert_eq!(of(&full, "ao"), [("0x7fd088055160", LifeState::NeverClosed, 1)]);
    assert_eq!(lines(&full, "0x7fd088055160"), [1, 11], "created, in progress");
    assert!(full.iter().all(|life| life.setting.is_some()));
    let ao = full.iter().find(|life| life.name == "ao").unwrap();
    assert!(ao.told.contains("inprogress"), "{}", ao.told);
}

#[test]
fn of_breakpoints_where_handles_are_added_no_pairing_is_claimed() {
    let lives = shipped("fd-deregister-race-breakpoints.txt");
    let fds = of(&lives, "handle of fd");
    assert!(fds.contains(&("42", LifeState::Incomplete, 5)), "{fds:?}");
    assert!(fds.contains(&("38", LifeState::Incomplete, 2)), "{fds:?}");
    let opaque: Vec<_> = of(&lives, "handle with opaque");
    let twice: Vec<_> = opaque.iter().filter(|(_, _, opened)| *opened == 2).collect();
    assert_eq!(twice, [&("0x883b30", LifeState::Incomplete, 2)]);
    let told = &lives.iter().find(|life| life.key == "42").unwrap().told;
    assert!(told.contains("Removals were not logged"), "{told}");
}

#[test]
fn a_buffer_that_begins_in_the_midst_has_objects_from_before() {
    let lives = shipped("libvirtd-abort-log-buffer.log");
    let objects = of(&lives, "object");
    // Disposed of at line 8 and 11, and not created in this text.
    assert!(objects.contains(&("0x7f3740001090", LifeState::Closed, 0)), "{objects:?}");
    assert!(objects.contains(&("0x7f37400010b0", LifeState::NeverClosed, 1)), "{objects:?}");
    assert!(of(&lives, "watch").contains(&("9", LifeState::NeverClosed, 1)));
}

const USED_AFTER: &str = "\
libxl: debug: libxl_event.c:181:libxl__ev_fd_register: ev_fd=0x10 register fd=50 events=3
libxl: debug: libxl_event.c:210:libxl__ev_fd_deregister: ev_fd=0x10 deregister fd=50
libxl: debug: libxl_event.c:195:libxl__ev_fd_modify: ev_fd=0x10 modify fd=50 events=1
";

#[test]
fn use_after_the_end_is_told_and_a_new_life_is_none() {
    let lives = lives(USED_AFTER);
    assert_eq!(of(&lives, "libxl__ev_fd"), [("0x10", LifeState::UsedAfterClose, 1)]);
    assert_eq!(lives[0].told, "used at line 3 after its end at line 2");
    assert_eq!(
        lives[0].steps.iter().map(|step| step.after_end).collect::<Vec<_>>(),
        [false, false, true]
    );
    let mut again: Vec<&str> = USED_AFTER.lines().collect();
    again.insert(2, again[0]);
    let again = self::lives(&again.join("\n"));
    assert_eq!(of(&again, "libxl__ev_fd"), [("0x10", LifeState::NeverClosed, 2)]);
}

#[test]
fn a_note_may_ask_for_a_life() {
    let asked = |state: &str, text: &str| {
        let signature = format!("all = [{{ object = 'libxl__ev_fd', state = '{state}' }}]");
        matched(&signature, &[Piece::unnamed(text)])
    };
    let note = asked("used_after_close", USED_AFTER).unwrap();
    assert_eq!(note.evidence[0].lines.first, 3);
    assert!(asked("never_closed", USED_AFTER).is_none());
    let first = USED_AFTER.lines().next().unwrap();
    assert!(asked("never_closed", first).is_some());
}

#[test]
fn two_texts_are_two_processes() {
    let lines: Vec<&str> = USED_AFTER.lines().collect();
    let pieces =
        [Piece { name: Some("a"), text: lines[1] }, Piece { name: Some("b"), text: lines[2] }];
    let job = Job::new();
    let trace = parse(&job, &pieces).unwrap();
    let objects = report(&job, trace, Plugins::load(&[]).0.notes()).unwrap().objects;
    assert!(objects.iter().all(|life| life.state != LifeState::UsedAfterClose), "{objects:?}");
}

#[test]
fn thousands_of_objects_and_steps_are_bounded() {
    let record = |n: usize| {
        format!("libxl: debug: libxl_event.c:181:f: ev_fd=0x{n:x} register fd=50 events=3\n")
    };
    let many: String = (0..3000).map(record).collect();
    assert_eq!(lives(&many).len(), 500);
    let one = lives(&record(1).repeat(3000));
    assert_eq!((one[0].opened, one[0].steps.len(), one[0].left_out), (3000, 64, 2936));
}
