//! A program and a library with frames of both in turn, whole and stripped: built, stopped in gdb, and
//! asked about.

#![allow(dead_code)] // each test file uses its part of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbgmate::api::symbols::Symbolized;
use dbgmate::job::Job;
use dbgmate::trace::{self, Piece, Trace};

use crate::home::{Home, Run};
use crate::tools;

/// A program and a library that call one another, whole and stripped, in folders of one name each.
pub(crate) struct Layers {
    pub(crate) home: Home,
}

impl Layers {
    /// None where gdb or a compiler is missing and may be.
    pub(crate) fn built(flags: &[&str]) -> Option<Layers> {
        if !tools::have(&["gdb", "gcc", "strip"]) {
            return None;
        }
        let layers = Layers { home: Home::new() };
        for folder in ["whole", "stripped"] {
            fs::create_dir(layers.home.path().join(folder)).unwrap();
        }
        layers.build("whole", flags);
        for file in ["liblayers.so", "layers"] {
            run(Command::new("strip")
                .arg("-o")
                .args([layers.path("stripped", file), layers.path("whole", file)]));
        }
        Some(layers)
    }

    pub(crate) fn build(&self, folder: &str, flags: &[&str]) {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/symbols");
        let gcc = || {
            let mut gcc = Command::new("gcc");
            gcc.args(["-g", "-O2"]).args(flags).current_dir(&sources);
            gcc
        };
        let library = self.path(folder, "liblayers.so");
        let soname = "-Wl,-soname,liblayers.so";
        run(gcc().args(["-shared", "-fPIC", soname, "layers.c", "-o"]).arg(&library));
        let program = self.path(folder, "layers");
        run(gcc().arg("layers_main.c").arg(&library).arg("-o").arg(program));
    }

    pub(crate) fn path(&self, folder: &str, file: &str) -> PathBuf {
        self.home.path().join(folder).join(file)
    }

    /// What gdb prints of the program in a folder, stopped at its innermost call.
    pub(crate) fn backtrace(&self, folder: &str, commands: &[&str]) -> String {
        let mut gdb = Command::new("gdb");
        gdb.args(["-nx", "-q", "-batch", "-ex", "set breakpoint pending on"]);
        for command in ["break layers_stop", "run"].iter().chain(commands) {
            gdb.args(["-ex", command]);
        }
        let output = gdb
            .arg(self.path(folder, "layers"))
            .env("LD_LIBRARY_PATH", self.home.path().join(folder))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("#1 "), "no backtrace: {text}");
        text
    }

    /// Asks about a paste with the binaries of a folder.
    pub(crate) fn symbolize(&self, folder: &str, paste: &str) -> Symbolized {
        let run = self.ask(folder, &["--json"], paste);
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
    }

    pub(crate) fn ask(&self, folder: &str, flags: &[&str], paste: &str) -> Run {
        let (library, program) = (self.path(folder, "liblayers.so"), self.path(folder, "layers"));
        let binaries = [library.to_str().unwrap(), program.to_str().unwrap()];
        let mut arguments = vec!["symbolize"];
        arguments.extend(flags);
        arguments.extend(["--binary", binaries[0], "--binary", binaries[1]]);
        self.home.feed(&arguments, paste.as_bytes())
    }
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Function and line of every frame, those of libc apart.
pub(crate) fn shown(trace: &Trace) -> Vec<(String, u32)> {
    let trace = trace.expanded();
    let frames = trace.stacks.iter().flat_map(|stack| &stack.frames);
    let shown = frames.filter(|frame| {
        let name = frame.function.as_deref().unwrap_or_default();
        !name.starts_with("__libc_start") && name != "_start"
    });
    shown
        .map(|frame| (frame.function.clone().unwrap_or_default(), frame.line.unwrap_or(0)))
        .collect()
}

pub(crate) fn parsed(text: &str) -> Trace {
    trace::parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
}
