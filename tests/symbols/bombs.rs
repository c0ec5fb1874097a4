//! Small files that stand for far more than any program has.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use dbgmate::address::FileAddress;
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::symbols::Symbols;

use crate::tools;

/// Twenty thousand functions, each with the same list of twenty thousand ranges.
const FUNCTIONS_THAT_SHARE_A_LIST: &str = "
    .text
    .globl f
f:  .skip 0x10000, 0x90
    .section .debug_ranges, \"\", @progbits
    .set i, 1
    .rept 20000
    .quad i, i + 1
    .set i, i + 1
    .endr
    .quad 0, 0
    .section .debug_abbrev, \"\", @progbits
    .byte 1, 0x11, 1, 0x11, 0x01, 0x12, 0x07, 0, 0
    .byte 2, 0x2e, 0, 0x55, 0x17, 0, 0
    .byte 0
    .section .debug_info, \"\", @progbits
    .long end - start
start:
    .value 4
    .long 0
    .byte 8
    .byte 1
    .quad 1, 0x20000
    .rept 20000
    .byte 2
    .long 0
    .endr
    .byte 0
end:
";

#[test]
fn functions_with_more_ranges_than_any_program_has_are_given_up() {
    if !tools::have(&["gcc"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bomb.s"), FUNCTIONS_THAT_SHARE_A_LIST).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.current_dir(&folder).args(["-shared", "-nostdlib", "bomb.s", "-o", "bomb.so"]);
    assert!(gcc.status().unwrap().success());
    let path = folder.path().join("bomb.so");
    let binary = Binary::open(&Job::new(), &path, &DebugSources::default()).unwrap();
    let (file, symbols) = (DebugFile::new(Arc::new(binary)), Symbols::new());
    let lookup = symbols.lookup(&file);
    assert!(lookup.frames(&Job::new(), FileAddress(0x1010)).unwrap().is_none());
    let problem = symbols.problem().unwrap();
    assert_eq!(problem, "its functions have too many ranges of addresses");
    assert!(symbols.bytes() < 1 << 20, "{} bytes are kept", symbols.bytes());
}
