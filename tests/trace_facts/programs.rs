//! The fixture program, built in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::known::run;

/// A folder of programs.
pub(crate) struct Programs {
    folder: TempDir,
}

impl Programs {
    pub(crate) fn new() -> Programs {
        Programs { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// tests/fixtures/facts/calls.cc with its library.
    pub(crate) fn built(&self, compiler: &str, flags: &[&str]) -> PathBuf {
        let (library, program) = (self.folder().join("libaround.so"), self.folder().join("calls"));
        let compile = |source: &str| {
            let mut command = Command::new(compiler);
            command.args(["-g", "-pthread"]).args(flags).arg(sources().join(source));
            command
        };
        run(compile("around.cc")
            .args(["-shared", "-fPIC", "-Wl,-soname,libaround.so", "-o"])
            .arg(&library));
        let rpath = format!("-Wl,-rpath,{}", self.folder().display());
        run(compile("calls.cc").arg(&library).arg(rpath).arg("-o").arg(&program));
        program
    }
}

pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/facts")
}
