//! eu-stack's stacks of a core, against gdb's API on the same core, and llvm-symbolizer for columns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbgmate::address::Pc;
use dbgmate::trace::Stack;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::known::{Facts, Known, KnownStack, KnownThread, read, run};
use crate::programs::Programs;
use crate::symbolizer::symbolized;
use crate::tools::have;

/// What core.py writes.
#[derive(Deserialize)]
struct Core {
    threads: Vec<CoreThread>,
    modules: BTreeMap<String, u64>,
    /// Where the program and its library are.
    #[serde(skip)]
    folder: PathBuf,
    /// What llvm-symbolizer says of each module and address.
    #[serde(skip)]
    symbolized: BTreeMap<(String, u64), [Vec<Json>; 2]>,
}

#[derive(Deserialize)]
struct CoreThread {
    lwp: u64,
    frames: Vec<CoreFrame>,
}

#[derive(Deserialize)]
struct CoreFrame {
    address: u64,
    physical: u32,
    /// 1 where the address is behind a call.
    is_call: u64,
    /// The symbol's, and the debug info's.
    names: Vec<Option<String>>,
    file: Option<String>,
    line: Option<u32>,
    module: String,
}

/// What options make eu-stack print.
#[derive(Clone, Copy)]
struct Prints {
    options: &'static [&'static str],
    inlined: bool,
    module: bool,
    source: bool,
}

const ALL: [Prints; 6] = [
    Prints { options: &[], inlined: false, module: false, source: false },
    Prints { options: &["-m", "-a"], inlined: false, module: true, source: false },
    Prints { options: &["-m", "-d"], inlined: false, module: true, source: false },
    Prints { options: &["-s"], inlined: false, module: false, source: true },
    Prints { options: &["-i", "-s"], inlined: true, module: false, source: true },
    Prints { options: &["-v", "-i", "-b", "-l"], inlined: true, module: true, source: true },
];

#[test]
fn stacks_of_a_core() {
    if !have(&["eu-stack", "gdb", "g++", "llvm-symbolizer"]) {
        return;
    }
    let programs = Programs::new();
    let program = programs.built("g++", &["-O1", "-w"]);
    let core = Core::of(&program);
    let mut facts = Facts::new("eu-stack");
    for prints in ALL {
        let mut eu_stack = Command::new("eu-stack");
        eu_stack.args(prints.options).arg("--core").arg(program.with_extension("core"));
        let trace = read(&run(eu_stack.arg("-e").arg(&program)));
        facts.same("threads", trace.stacks.len(), core.threads.len());
        for (stack, thread) in trace.stacks.iter().zip(&core.threads) {
            facts.stack(stack, &core.known(thread, prints, stack));
        }
        for module in &trace.modules {
            let name = Path::new(&module.path).file_name().unwrap().to_str().unwrap();
            let known = core.modules.iter().find(|(path, _)| path.ends_with(&format!("/{name}")));
            if let Some((path, start)) = known {
                let read = module.start.map(|start| start.0);
                facts.same(format!("start of {path}"), read, Some(*start));
            }
        }
    }
    facts.hold(100);
}

impl Core {
    /// Of a program stopped in `facts_stop`.
    fn of(program: &Path) -> Core {
        let (core, facts) = (program.with_extension("core"), program.with_extension("json"));
        let gdb = || {
            let mut gdb = Command::new("gdb");
            gdb.args(["-nx", "-q", "-batch", "-ex", "set debuginfod enabled off"]);
            gdb.env("FACTS", &facts);
            gdb
        };
        let dump = format!("generate-core-file {}", core.display());
        let commands = ["set breakpoint pending on", "break facts_stop", "run", &dump];
        run(gdb().args(commands.iter().flat_map(|command| ["-ex", command])).arg(program));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace_facts/core.py");
        let said = run(gdb().arg("-x").arg(script).arg("-c").arg(core).arg(program));
        let known = fs::read_to_string(facts).unwrap_or_else(|_| panic!("{said}"));
        let mut core: Core = serde_json::from_str(&known).unwrap();
        core.threads.sort_by_key(|thread| thread.lwp);
        core.folder = fs::canonicalize(program.parent().unwrap()).unwrap();
        core.symbolize();
        core
    }

    fn symbolize(&mut self) {
        let frames = self.threads.iter().flat_map(|thread| &thread.frames);
        let looked_up: Vec<(&str, u64)> =
            frames.map(|frame| (frame.module.as_str(), frame.address - frame.is_call)).collect();
        let in_file = looked_up.iter().map(|(module, at)| (*module, at - self.modules[*module]));
        let in_file: Vec<(&str, u64)> = in_file.collect();
        let [linkage, short] = ["linkage", "short"]
            .map(|names| symbolized(&in_file, &[&format!("--functions={names}")]));
        let answers = linkage.into_iter().zip(short).map(|(linkage, short)| [linkage, short]);
        let places = looked_up.iter().map(|(module, at)| ((*module).to_owned(), *at));
        self.symbolized = places.zip(answers).collect();
    }

    fn known(&self, thread: &CoreThread, prints: Prints, read: &Stack) -> KnownStack {
        // Where functions are inlined, the innermost tells the place of all.
        let mut last = None;
        let shown = thread.frames.iter().filter(|frame| {
            let first = last.replace(frame.physical) != Some(frame.physical);
            prints.inlined || first
        });
        let frames = shown.zip(0..).map(|(frame, index)| {
            let read = read.frames.get(index as usize).and_then(|read| read.function.clone());
            self.known_frame(frame, index, thread, prints, read)
        });
        KnownStack {
            command: format!("eu-stack {}", prints.options.join(" ")),
            thread: KnownThread { lwp: Some(thread.lwp), ..KnownThread::default() },
            frames: frames.collect(),
            ..KnownStack::default()
        }
    }

    fn known_frame(
        &self,
        frame: &CoreFrame,
        index: u32,
        thread: &CoreThread,
        prints: Prints,
        read: Option<String>,
    ) -> Known {
        let inside = || thread.frames.iter().filter(|other| other.physical == frame.physical);
        let depth = inside().take_while(|other| !std::ptr::eq(*other, frame)).count();
        let [linkage, short] =
            &self.symbolized[&(frame.module.clone(), frame.address - frame.is_call)];
        let column = linkage[depth]["Column"].as_u64().filter(|column| *column > 0);
        // An address has several names, and a machine frame those of the functions inlined in it: which one is
        // shown is the printer's choice. Those of other people's libraries are theirs.
        let symbolized = linkage.iter().chain(short).filter_map(|at| at["FunctionName"].as_str());
        let gdbs = inside().flat_map(|other| other.names.iter().flatten().cloned());
        let names: Vec<String> = gdbs.chain(symbolized.map(str::to_owned)).collect();
        let foreign = !frame.module.starts_with(self.folder.to_str().unwrap());
        let function =
            read.filter(|read| foreign || names.contains(read)).or(names.first().cloned());
        let module = Path::new(&frame.module).file_name().unwrap().to_str().unwrap();
        Known {
            index,
            physical: Some(frame.physical),
            pc: Some(if frame.physical == 0 { Pc::Exact } else { Pc::Return }),
            address: Some(frame.address),
            function,
            module: prints.module.then(|| module.to_owned()),
            file: frame.file.clone().filter(|_| prints.source),
            line: frame.line.filter(|_| prints.source),
            column: column.map(|column| column as u32).filter(|_| prints.source),
            ..Known::default()
        }
    }
}
