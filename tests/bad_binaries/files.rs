//! What people name by mistake: no ELF file, no file at all, or one that may not be read.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::ask::{Ask, Files, SHARED, SOURCE};

#[test]
fn a_sound_library_is_answered() {
    let files = Files::new();
    let answer = Ask::of(&files.compile("lib.so", SOURCE, SHARED)).answer();
    assert_eq!(answer.status, Some(0), "{answer:?}");
    assert!(answer.stdout.starts_with("struct s {\n    c => 0\n    d => 8\n"), "{answer:?}");
}

#[test]
fn missing_files_and_folders_on_the_way() {
    let files = Files::new();
    Ask::of(&files.path("none")).refuses(&["none does not exist"]);
    files.write("file", b"x");
    Ask::of(&files.path("file/below")).refuses(&["file/below cannot be read"]);
}

#[test]
fn what_is_no_elf_file_is_named() {
    let files = Files::new();
    for (content, words) in [
        (&b""[..], "is empty"),
        (b"\0", "is not an ELF file"),
        (b"just some text\n", "is not an ELF file"),
        (b"#!/bin/sh\nexec true\n", "a script: name the program"),
        (b"!<arch>\nfoo.o/          ", "a static library: extract"),
        (b"MZ\x90\0", "a Windows program"),
        (b"\x1f\x8b\x08\0", "gzip: decompress it first"),
        (b"\xfd7zXZ\0", "xz: decompress it first"),
        (b"INPUT(libfoo.so.1)\n", "a linker script: name the library"),
        (b"\x7fEL", "is not an ELF file"),
        (b"\x7fELF", "is damaged"),
        (b"\x7fELF\x02\x01\x01", "is damaged"),
        (
            b"\x7fELF\x09\x09\x09aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "is damaged",
        ),
    ] {
        Ask::of(&files.write("file", content)).refuses(&[words]);
    }
}

#[test]
fn a_real_static_library_is_told_how_to_open() {
    let files = Files::new();
    let object = files.compile("one.o", SOURCE, &["-c", "-g"]);
    let archive = files.path("lib.a");
    assert!(Command::new("ar").arg("rcs").args([&archive, &object]).status().unwrap().success());
    Ask::of(&archive).refuses(&["a static library", "ar x"]);
}

#[test]
fn a_core_dump_is_no_program() {
    let files = Files::new();
    let mut bytes = fs::read(files.compile("lib.so", SOURCE, SHARED)).unwrap();
    bytes[16] = 4; // e_type: ET_CORE
    Ask::of(&files.write("core", &bytes)).refuses(&["a core dump: name the program it came from"]);
}

#[test]
fn folders_pipes_sockets_and_devices_are_not_read() {
    let files = Files::new();
    let fifo = files.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let socket = files.path("socket");
    let _listening = UnixListener::bind(&socket).unwrap();
    Ask::of(Path::new("/")).refuses(&["/ is a folder"]);
    Ask::of(&fifo).refuses(&["fifo is a FIFO"]);
    // A socket cannot even be opened.
    Ask::of(&socket).refuses(&["socket"]);
    for device in ["/dev/zero", "/dev/null", "/dev/tty", "/dev/stdin"] {
        Ask::of(Path::new(device)).refuses(&[device]);
    }
}

#[test]
fn links_lead_where_they_lead() {
    let files = Files::new();
    symlink("two", files.path("one")).unwrap();
    symlink("one", files.path("two")).unwrap();
    Ask::of(&files.path("one")).refuses(&["one cannot be read"]);
    symlink("nowhere", files.path("dangling")).unwrap();
    Ask::of(&files.path("dangling")).refuses(&["dangling does not exist"]);
    files.compile("lib.so", SOURCE, SHARED);
    symlink("lib.so", files.path("link.so")).unwrap();
    assert_eq!(Ask::of(&files.path("link.so")).answer().status, Some(0));
}

#[test]
fn names_cannot_move_the_cursor() {
    let files = Files::new();
    let name = "two\nlines\x1b[2J\u{202e}reversed";
    Ask::of(&files.path(name)).refuses(&["two\\nlines\\x1b[2J\\u{202e}reversed does not exist"]);
    Ask::of(&files.write(name, b"text")).refuses(&["two\\nlines\\x1b[2J"]);
}

#[test]
fn an_unreadable_file_is_said_to_be() {
    let files = Files::new();
    // As root everything is readable: another user asks, with a copy of the program of its own.
    let program = files.path("dbgmate");
    fs::copy(env!("CARGO_BIN_EXE_dbgmate"), &program).unwrap();
    let folder = program.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let secret = files.write("secret", b"\x7fELF");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let wrapper = if rustix::process::getuid().is_root() { &nobody[..] } else { &[] };
    if !wrapper.is_empty() && Command::new("setpriv").arg("--version").output().is_err() {
        std::io::stderr().write_all(b"skipped: setpriv is not installed\n").unwrap();
        return;
    }
    Ask::program(&program, wrapper)
        .arguments(&["offsets-of", "struct s", "--binary"])
        .path(&secret)
        .refuses(&["secret cannot be read", "Permission denied"]);
}

#[test]
fn a_stripped_library_lacks_debug_info() {
    let files = Files::new();
    let library = files.compile("lib.so", SOURCE, SHARED);
    assert!(Command::new("strip").arg(&library).status().unwrap().success());
    Ask::of(&library).refuses(&["lib.so has no debug info"]);
}

#[test]
fn a_huge_sparse_file_is_refused_or_read_where_it_has_content() {
    let files = Files::new();
    let empty = files.write("zeros", b"");
    File::options().write(true).open(&empty).unwrap().set_len(1 << 40).unwrap();
    Ask::of(&empty).refuses(&["zeros"]);
    let library = files.compile("lib.so", SOURCE, SHARED);
    File::options().write(true).open(&library).unwrap().set_len(1 << 30).unwrap();
    assert_eq!(Ask::of(&library).answer().status, Some(0));
    File::options().write(true).open(&library).unwrap().set_len(1 << 40).unwrap();
    Ask::of(&library).answer().is_sound();
}

#[test]
fn wrong_usage_is_told_apart() {
    let files = Files::new();
    let library = files.compile("lib.so", SOURCE, SHARED);
    let ask = |arguments: &[&str]| {
        Ask::program(Path::new(env!("CARGO_BIN_EXE_dbgmate")), &[])
            .arguments(&["offsets-of", "--binary"])
            .path(&library)
            .arguments(arguments)
            .answer()
    };
    ask(&["struct"]).is_refusal(2, &["not a type's name"]);
    ask(&["struct s", "--language", "klingon"]).is_refusal(2, &["klingon"]);
    assert_eq!(ask(&["--no-such-option"]).status, Some(2));
    ask(&["struct nothing"]).is_refusal(1, &["no type `struct nothing`", "lib.so"]);
    ask(&["struct s.nothing"]).is_refusal(1, &["`struct s` has no member `nothing`"]);
    ask(&["struct s.d[3].b"]).is_refusal(1, &["has no member `[3]`"]);
}
