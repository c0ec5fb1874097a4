//! The symbol table that is packed into stripped binaries, made as rpm's find-debuginfo and gdb's
//! manual make it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::made::{Made, has, open, run};

const SOURCE: &str = "
    static int hidden(int i) { return i * 7; }
    int shown(int i) { return hidden(i) + 1; }";

/// A stripped library, and the small ELF file that is to be packed into it.
fn stripped(made: &Made) -> (PathBuf, PathBuf) {
    let library = made.library("a.so", SOURCE, &["-O0"]);
    let keep = made.write("keep", "hidden\n");
    let (debug, mini) = (made.path("debug"), made.path("mini"));
    run(Command::new("objcopy").arg("--only-keep-debug").args([&library, &debug]));
    run(Command::new("objcopy")
        .args(["-S", "--remove-section=.comment"])
        .arg(format!("--keep-symbols={}", keep.display()))
        .args([&debug, &mini]));
    run(Command::new("strip").args(["--strip-all", "-R", ".comment"]).arg(&library));
    (library, mini)
}

fn xz(file: &Path, options: &[&str]) -> Vec<u8> {
    let output = Command::new("xz").args(["--stdout", "--keep"]).args(options).arg(file).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn add(library: &Path, packed: &Path) {
    let option = format!("--add-section=.gnu_debugdata={}", packed.display());
    run(Command::new("objcopy").arg("--remove-section=.gnu_debugdata").arg(library));
    run(Command::new("objcopy").arg(option).arg(library));
}

#[test]
fn the_symbols_of_a_stripped_binary_are_unpacked() {
    if !has("xz") {
        return;
    }
    let made = Made::new();
    let (library, mini) = stripped(&made);
    assert!(open(&library, &[]).mini_debug_info().is_none());
    let half = fs::read(&mini).unwrap();
    let (first, second) = half.split_at(half.len() / 2);
    let streams = [first, second].map(|half| xz(&made.write("half", half), &[])).concat();
    for packed in [
        xz(&mini, &[]),
        xz(&mini, &["-9e", "--check=sha256"]),
        xz(&mini, &["--check=none", "--x86", "--lzma2"]),
        xz(&mini, &["--threads=2", "--block-size=300"]),
        streams,
    ] {
        add(&library, &made.write("mini.xz", &packed));
        let binary = open(&library, &[]);
        let bytes = binary.mini_debug_info().unwrap().unwrap();
        assert_eq!(bytes, fs::read(&mini).unwrap());
        let unpacked = made.write("unpacked", bytes);
        assert!(run(Command::new("nm").arg(unpacked)).contains(" t hidden\n"));
    }
}

#[test]
fn what_cannot_be_unpacked_is_said_and_nothing_breaks() {
    if !has("xz") {
        return;
    }
    let made = Made::new();
    let (library, mini) = stripped(&made);
    let good = xz(&mini, &[]);
    let why = |bytes: &[u8]| {
        add(&library, &made.write("mini.xz", bytes));
        let binary = open(&library, &[]);
        binary.mini_debug_info().unwrap().err().unwrap_or_default().to_owned()
    };
    assert!(why(b"no xz at all").starts_with("it cannot be unpacked: "));
    assert!(why(&good[..good.len() / 2]).starts_with("it cannot be unpacked: "));
    let text = xz(&made.write("text", "some text\n"), &[]);
    assert_eq!(why(&text), "what is packed there is not an ELF file");
    let followed = [&good[..], b"rubbish"].concat();
    assert!(why(&followed).starts_with("it cannot be unpacked: "));
    // One byte at a time, wherever it is: the check sums find it, or it does not matter.
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        let why = why(&bytes);
        assert!(why.is_empty() || why.starts_with("it cannot be unpacked: "), "{at}: {why}");
    }
}

#[test]
fn a_bomb_is_not_unpacked_to_its_end() {
    if !has("xz") {
        return;
    }
    let made = Made::new();
    let (library, _) = stripped(&made);
    let zeros = made.path("zeros");
    fs::File::create(&zeros).unwrap().set_len((256 << 20) + 1).unwrap();
    let packed = xz(&zeros, &["-1"]);
    assert!(packed.len() < 1 << 20);
    add(&library, &made.write("mini.xz", &packed));
    let binary = open(&library, &[]);
    let why = binary.mini_debug_info().unwrap().unwrap_err();
    assert_eq!(why, "it holds more than the 268435456 bytes allowed");
    // A dictionary of 1.5 GiB for a file of a few bytes.
    let packed = xz(&made.write("few", "few"), &["--lzma2=dict=1536MiB", "-T1"]);
    add(&library, &made.write("mini.xz", &packed));
    let binary = open(&library, &[]);
    let why = binary.mini_debug_info().unwrap().unwrap_err();
    assert!(why.starts_with("it cannot be unpacked: "), "{why}");
}
