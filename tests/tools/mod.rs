//! Which of the real tools that tests drive are here, and the program that crashes as libvirtd did.

#![allow(dead_code)] // each test file uses its part of it

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether all tools are installed; where they must be and are not, the test fails here.
pub(crate) fn have(tools: &[&str]) -> bool {
    let missing: Vec<&str> = tools.iter().copied().filter(|tool| !is_installed(tool)).collect();
    missing.is_empty() || go_without(&format!("not installed: {}", missing.join(", ")))
}

/// Whether a printer that nobody has to have is installed; where it is not, it is passed over with a line.
#[allow(clippy::print_stderr)]
pub(crate) fn have_printer(tool: &str) -> bool {
    let here = is_installed(tool);
    if !here {
        eprintln!("passed over: {tool} is not installed");
    }
    here
}

/// Says that a test is skipped, or fails it where nothing may be.
#[allow(clippy::print_stderr)]
pub(crate) fn go_without(why: &str) -> bool {
    let required = std::env::var("DBGMATE_REQUIRE_REAL").is_ok_and(|value| value == "1");
    assert!(!required, "{why}");
    eprintln!("skipped: {why}");
    false
}

/// The folder of the test bed; none where this run goes without it.
pub(crate) fn testbed() -> Option<PathBuf> {
    let testbed = std::env::var_os("DBGMATE_TESTBED").map(PathBuf::from);
    let testbed = testbed.filter(|folder| folder.join("manifest").is_file());
    if testbed.is_none() {
        go_without("DBGMATE_TESTBED names no test bed (tests/real/prepare builds it)");
    }
    testbed
}

fn is_installed(tool: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(tool).is_file())
}

/// Compiles tests/fixtures/libxl_event.c into a `libvirtd` of the folder.
pub(crate) fn racing_libvirtd(folder: &Path, flags: &[&str]) -> PathBuf {
    let program = folder.join("libvirtd");
    let status = Command::new("gcc")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
        .args(["-g", "-O0", "-pthread", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg("-o")
        .args([program.as_path(), Path::new("libxl_event.c")])
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    program
}
