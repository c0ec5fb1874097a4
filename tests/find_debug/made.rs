//! Files made by the compiler and by the tools that take debug info apart.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbgmate::binary::{Binary, DebugSources, Tried};
use dbgmate::job::Job;
use tempfile::TempDir;

/// A library with a type and a function.
pub(crate) const SOURCE: &str = "struct s { int a; long b; } x; int f(void) { return x.a; }";

/// Another build of it.
pub(crate) const OTHER: &str = "struct s { long b; int a; } x; int f(void) { return x.a; }";

/// A folder of files for one test.
pub(crate) struct Made(TempDir);

impl Made {
    pub(crate) fn new() -> Made {
        Made(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of a file that can be written: its folder is there.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.place(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Compiles a library with debug info.
    pub(crate) fn library(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let flags = [&["-shared", "-fPIC", "-nostdlib", "-Wl,--build-id"], flags].concat();
        self.compile(name, source, &flags)
    }

    /// Compiles with exactly these flags, and -g.
    pub(crate) fn compile(&self, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let text = self.write(&format!("{name}.c"), source);
        let path = self.place(name);
        run(Command::new("gcc").arg("-g").args(flags).arg("-o").args([&path, &text]));
        path
    }

    /// Moves a file's debug info to `debug`, as the packagers of distributions do, and leaves a
    /// debug link to it.
    pub(crate) fn split(&self, file: &Path, debug: &str) -> PathBuf {
        let debug = self.place(debug);
        run(Command::new("objcopy").arg("--only-keep-debug").args([file, &debug]));
        run(Command::new("strip").arg("--strip-debug").arg(file));
        link(file, &debug);
        debug
    }
}

/// Names `debug` in a `.gnu_debuglink` of `file`, with its checksum.
pub(crate) fn link(file: &Path, debug: &Path) {
    let option = format!("--add-gnu-debuglink={}", debug.display());
    run(Command::new("objcopy").arg("--remove-section=.gnu_debuglink").arg(file));
    run(Command::new("objcopy").arg(option).arg(file));
}

/// Runs a tool that must succeed, and returns what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} fails:\n{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a tool is installed. Where it is not, the test that needs it ends, and says so; where the
/// real tier is required, it fails.
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    let required = std::env::var_os("DBGMATE_REQUIRE_REAL").is_some_and(|value| value == "1");
    assert!(found || !required, "{tool} is required and not installed");
    if !found {
        // Not `eprintln`: the test harness would keep it to itself.
        let line = format!("skipped: {tool} is not installed\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// Opens a file, with debug info looked for in these folders too.
pub(crate) fn open(file: &Path, directories: &[PathBuf]) -> Binary {
    let sources = DebugSources { directories: directories.to_owned(), ..DebugSources::default() };
    Binary::open(&Job::new(), file, &sources).unwrap()
}

/// The file whose DWARF is used.
pub(crate) fn used(binary: &Binary) -> PathBuf {
    let debug_info = binary.debug_info();
    debug_info.unwrap_or_else(|| panic!("{:#?}", binary.tried())).path().to_owned()
}

/// Why a place did not serve.
pub(crate) fn why<'t>(tried: &'t [Tried], place: &Path) -> &'t str {
    let there = tried.iter().find(|tried| tried.place == place);
    &there.unwrap_or_else(|| panic!("{} was not tried: {tried:#?}", place.display())).why
}
