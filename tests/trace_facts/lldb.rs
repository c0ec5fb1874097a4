//! lldb's backtraces, against its API.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbgmate::address::Pc;
use dbgmate::trace::Stack;
use serde::Deserialize;

use crate::known::{Facts, KnownStack, read, run};
use crate::programs::Programs;
use crate::tools::{go_without, have};

/// What lldb_frames.py writes.
#[derive(Deserialize)]
struct Process {
    stacks: Vec<KnownStack>,
    /// The function that each inlined frame is in.
    containers: Vec<Vec<Option<String>>>,
}

impl Process {
    /// lldb 14 shows some inlined functions under the name of the one they are in, without a mark.
    fn forget_what_is_not_printed(&mut self, text: &str, read: &[Stack]) {
        let lines: Vec<&str> = text.lines().collect();
        for ((stack, containers), read) in self.stacks.iter_mut().zip(&self.containers).zip(read) {
            let mut unmarked = false;
            for ((frame, container), read) in
                stack.frames.iter_mut().zip(containers).zip(&read.frames)
            {
                let marked = lines[read.lines.first - 1].contains(" [inlined] ");
                if container.is_some() && !marked {
                    unmarked = true;
                    frame.function.clone_from(container);
                    frame.arguments.clear();
                }
                if unmarked {
                    frame.physical = None;
                }
            }
        }
    }
}

/// Debian's lldb does not find its own Python modules.
fn python_modules() -> Option<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let versions = folders(Path::new("/usr/lib"));
    let llvms = versions.iter().filter(|path| path.to_str().unwrap().contains("/llvm-"));
    let pythons = llvms.flat_map(|path| folders(&path.join("lib")));
    let modules = pythons.map(|path| path.join("dist-packages"));
    modules.into_iter().find(|path| path.join("lldb/embedded_interpreter.py").is_file())
}

/// The names of functions are compared as far as lldb prints them whole: it puts the arguments in the place of the first
/// parentheses, which can be those of `operator()`, and leaves what is behind.
fn plain(name: &str) -> String {
    let name =
        name.strip_prefix("::").unwrap_or(name).replace("(anonymous namespace)", "{anonymous}");
    let name = name.split('(').next().unwrap();
    name.strip_prefix("::").unwrap_or(name).to_owned()
}

fn compare(flag: &str, act: &str) {
    if !have(&["lldb", "g++"]) {
        return;
    }
    let programs = Programs::new();
    let program = programs.built("g++", &["-w", flag]);
    let facts = programs.folder().join("facts.json");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace_facts/lldb_frames.py");
    let import = format!("command script import {}", script.display());
    let run_it = format!("run {act}");
    let commands =
        [&import, "breakpoint set -n facts_stop", &run_it, "thread backtrace all", "write-facts"];
    let mut lldb = Command::new("lldb");
    lldb.arg("-b").args(commands.iter().flat_map(|command| ["-o", command])).arg(&program);
    if let Some(modules) = python_modules() {
        lldb.env("PYTHONPATH", modules);
    }
    let text =
        run(lldb.env("FACTS", &facts).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()));
    let Ok(known) = fs::read_to_string(facts) else {
        go_without(&format!("lldb has no Python here: {text}"));
        return;
    };
    let mut known: Process = serde_json::from_str(&known).unwrap();
    let mut trace = read(&text);
    // The first is the frame of the stop.
    trace.stacks.remove(0);
    known.forget_what_is_not_printed(&text, &trace.stacks);
    for frame in known.stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
        frame.function = frame.function.as_deref().map(plain);
        frame.pc = Some(if frame.index == 0 { Pc::Exact } else { Pc::Return });
    }
    for frame in trace.stacks.iter_mut().flat_map(|stack| &mut stack.frames) {
        frame.function = frame.function.as_deref().map(plain);
    }
    let mut facts = Facts::new("lldb");
    facts.stacks(&trace.stacks, &known.stacks);
    facts.hold(20);
}

#[test]
fn unoptimised() {
    compare("-O0", "stop");
}

#[test]
fn optimised() {
    compare("-O2", "stop");
}
