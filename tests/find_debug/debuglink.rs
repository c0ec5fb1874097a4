//! `.gnu_debuglink`: a name, and the checksum of the file it means.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use dbgmate::binary::{Binary, DebugSources, Error, How};
use dbgmate::job::{Job, Stopped};

use super::made::{Made, OTHER, SOURCE, link, open, run, used, why};

/// Without a build-id only the link is left to go by.
const NO_ID: &[&str] = &["-Wl,--build-id=none"];

#[test]
fn it_is_found_beside_the_binary_below_it_and_under_each_debug_folder() {
    let made = Made::new();
    let folders = [made.path("one"), made.path("two")];
    let own = made.path("").to_str().unwrap().trim_matches('/').to_owned();
    for place in ["lib/a.debug", "lib/.debug/a.debug", &format!("two/{own}/lib/a.debug")] {
        let library = made.library("lib/a.so", SOURCE, NO_ID);
        let debug = made.split(&library, place);
        let binary = open(&library, &folders);
        assert_eq!(used(&binary), debug);
        assert_eq!(binary.debug_info().unwrap().how(), &How::DebugLink);
        fs::remove_file(debug).unwrap();
        assert!(!binary.is_current());
        assert!(open(&library, &folders).debug_info().is_none());
    }
}

#[test]
fn links_to_the_binary_are_followed_to_its_folder() {
    let made = Made::new();
    let library = made.library("real/a.so", SOURCE, NO_ID);
    let debug = made.split(&library, "real/a.debug");
    let named = made.place("named/liba.so");
    symlink(&library, &named).unwrap();
    let real = made.path("real").canonicalize().unwrap().join("a.debug");
    assert_eq!(used(&open(&named, &[])), real);
    // Where the name is found as well, it is the nearer one.
    let nearer = made.place("named/a.debug");
    fs::rename(&debug, &nearer).unwrap();
    assert_eq!(used(&open(&named, &[])), nearer);
}

#[test]
fn another_file_of_that_name_does_not_count() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, NO_ID);
    let debug = made.split(&library, "a.debug");
    let linked = crc_in(&library);
    let mut bytes = fs::read(&debug).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&debug, &bytes).unwrap();
    let binary = open(&library, &[]);
    assert!(binary.debug_info().is_none());
    let is = run(Command::new("python3").args(["-c", CRC]).arg(&debug));
    let expected = format!("its CRC-32 is {}, not {linked} as linked", is.trim());
    assert_eq!(why(binary.tried(), &debug), expected);
}

const CRC: &str = "import sys, zlib; print('%08x' % zlib.crc32(open(sys.argv[1], 'rb').read()))";

/// The checksum in a file's link, as readelf shows it.
fn crc_in(file: &Path) -> String {
    let shown = run(Command::new("readelf").arg("--string-dump=.gnu_debuglink").arg(file));
    assert!(shown.contains("a.debug"), "{shown}");
    let shown = run(Command::new("readelf").args(["--debug-dump=links"]).arg(file));
    let value = shown.split("CRC value: 0x").nth(1).unwrap().lines().next().unwrap();
    format!("{:0>8}", value.trim())
}

#[test]
fn the_debug_file_of_another_build_does_not_count() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, &[]);
    run(Command::new("strip").arg("--strip-debug").arg(&library));
    let other = made.library("other.so", OTHER, &[]);
    let debug = made.split(&other, "a.debug");
    link(&library, &debug);
    let binary = open(&library, &[]);
    assert!(binary.debug_info().is_none());
    assert_eq!(why(binary.tried(), &debug), "its build-id is another one");
}

#[test]
fn a_link_may_lead_to_the_binary_itself_or_to_one_without_debug_info() {
    let made = Made::new();
    let library = made.library("b.so", SOURCE, NO_ID);
    let debug = made.split(&library, "a.debug");
    fs::remove_file(&debug).unwrap();
    fs::rename(&library, &debug).unwrap();
    assert_eq!(why(open(&debug, &[]).tried(), &debug), "it has no .debug_info section");
    let last = open(&debug, &[]).tried().iter().rfind(|tried| tried.place == debug).cloned();
    assert_eq!(last.unwrap().why, "it is the file itself");
    let stripped = made.place(".debug/a.debug");
    fs::copy(&debug, &stripped).unwrap();
    assert_eq!(why(open(&debug, &[]).tried(), &stripped), "it has no .debug_info section");
}

#[test]
fn the_build_id_is_asked_first() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, &[]);
    let linked = made.split(&library, "a.debug");
    let id = open(&library, &[]).build_id().unwrap().to_string();
    let filed = made.place(&format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]));
    fs::copy(&linked, &filed).unwrap();
    let binary = open(&library, &[made.path("debug")]);
    assert_eq!(used(&binary), filed);
    assert_eq!(binary.debug_info().unwrap().how(), &How::BuildId);
}

#[test]
fn a_file_that_comes_later_is_noticed() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, NO_ID);
    let debug = made.split(&library, "a.debug");
    let away = made.path("away");
    fs::rename(&debug, &away).unwrap();
    let binary = open(&library, &[]);
    assert!(binary.debug_info().is_none() && binary.is_current());
    fs::rename(&away, &debug).unwrap();
    assert!(!binary.is_current());
}

#[test]
fn without_a_build_id_and_a_link_it_is_said_that_there_is_nothing_to_go_by() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, NO_ID);
    run(Command::new("strip").arg(&library));
    let binary = open(&library, &[]);
    let last = binary.tried().last().unwrap();
    let expected = "it has neither a build-id nor a .gnu_debuglink to look for it by";
    assert_eq!((&last.place, last.why.as_str()), (&library, expected));
}

#[test]
fn what_is_no_debug_file_is_passed_over() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, NO_ID);
    let debug = made.split(&library, "a.debug");
    let places = [debug, made.place(".debug/a.debug")];
    for make in [fifo, folder, text, sparse] {
        for place in &places {
            let _ = fs::remove_file(place).or_else(|_| fs::remove_dir(place));
            make(place);
        }
        let binary = open(&library, &[]);
        assert!(binary.debug_info().is_none());
        let words: Vec<&str> = places.iter().map(|place| why(binary.tried(), place)).collect();
        let known = ["it is a FIFO", "it is a folder", "it is not an ELF file"];
        assert!(words.iter().all(|why| known.contains(why)), "{words:?}");
    }
}

fn fifo(place: &Path) {
    run(Command::new("mkfifo").arg(place));
}

fn folder(place: &Path) {
    fs::create_dir(place).unwrap();
}

fn text(place: &Path) {
    fs::write(place, "some text\n").unwrap();
}

fn sparse(place: &Path) {
    File::create(place).unwrap().set_len(10 << 30).unwrap();
}

/// A debug file of 10 GB, most of it a hole: its checksum takes seconds, which nobody has to wait for.
#[test]
fn a_huge_file_is_not_read_to_its_end_for_nobody() {
    let made = Made::new();
    let library = made.library("a.so", SOURCE, NO_ID);
    let debug = made.split(&library, "a.debug");
    File::options().write(true).open(&debug).unwrap().set_len(10 << 30).unwrap();
    let job = Job::new().with_deadline(std::time::Duration::from_millis(100));
    let opened = Binary::open(&job, &library, &DebugSources::default());
    assert!(matches!(opened, Err(Error::Stopped(Stopped::DeadlinePassed))), "{opened:?}");
}
