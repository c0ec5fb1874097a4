//! `dbgmate symbolize` of what printers other than gdb's `bt` write: real programs, stripped, stopped or
//! crashed, and their debug twins.

#![allow(clippy::unwrap_used)]

mod home;
mod layers;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbgmate::api::symbols::{BiasSource, Refusal, Symbolized};
use dbgmate::trace::{Certainty, Frame, Trace};
use home::Home;
use layers::{Layers, parsed, run, shown};

/// What gdb stops at, and a core of it; the command's own output last.
fn stopped(layers: &Layers, commands: &[&str]) -> String {
    layers.backtrace("stripped", &[&["bt"], commands].concat())
}

/// eu-stack's output for a core of the stripped program.
fn eu_stack(layers: &Layers, flags: &[&str]) -> Option<String> {
    if !tools::have(&["eu-stack"]) {
        return None;
    }
    let core = layers.home.path().join("core");
    stopped(layers, &[&format!("generate-core-file {}", core.display())]);
    let mut eu_stack = Command::new("eu-stack");
    eu_stack.args(flags).arg("--core").arg(&core);
    let output = eu_stack.arg("-e").arg(layers.path("stripped", "layers")).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What gdb shows of the whole program, up to main.
fn truth(layers: &Layers) -> Vec<(String, u32)> {
    let mut truth = shown(&parsed(&layers.backtrace("whole", &["bt"])));
    // gdb stops at a line's first instruction behind the prologue: there is one, of two lines.
    truth.truncate(truth.iter().position(|(name, _)| name == "main").unwrap() + 1);
    truth
}

fn of(trace: &Trace, stack: usize) -> Trace {
    Trace { stacks: vec![trace.stacks[stack].clone()], ..Trace::default() }
}

/// The same, of one stack of the answer.
fn ours(answer: &Symbolized, stack: usize) -> Vec<(String, u32)> {
    let mut ours = shown(&of(&answer.trace, stack));
    let main = ours.iter().position(|(name, _)| name == "main");
    ours.truncate(main.unwrap_or_else(|| panic!("{answer:#?}")) + 1);
    ours
}

#[test]
fn eu_stack_with_modules() {
    let Some(layers) = Layers::built(&[]) else { return };
    for flags in [&["-m", "-b"][..], &["-m", "-a", "-l"], &["-l"]] {
        let Some(paste) = eu_stack(&layers, flags) else { return };
        let answer = layers.symbolize("whole", &paste);
        assert_eq!(ours(&answer, 0), truth(&layers), "{flags:?} {paste}");
        let library = answer.modules.iter().find(|module| module.path.ends_with(".so")).unwrap();
        if flags.contains(&"-b") {
            assert_eq!(library.certainty, Certainty::Certain, "{answer:#?}");
            assert_eq!(library.because, BiasSource::Listed);
        }
    }
}

#[test]
fn a_place_that_the_code_refutes_is_not_taken_whatever_the_build_id_says() {
    let Some(layers) = Layers::built(&[]) else { return };
    let Some(paste) = eu_stack(&layers, &["-m", "-b"]) else { return };
    let mut moved = paste.clone();
    for module in parsed(&paste).modules {
        let start = module.start.unwrap().0;
        moved = moved.replace(&format!("@{start:#x}+"), &format!("@{:#x}+", start - 0x10000));
    }
    let answer = layers.symbolize("whole", &moved);
    let library = answer.modules.iter().find(|module| module.path.ends_with(".so")).unwrap();
    // The next source is asked, and the build is known all the same.
    assert_eq!(library.because, BiasSource::Inferred, "{moved} {answer:#?}");
    assert_eq!((library.certainty, library.proved), (Certainty::Certain, library.frames));
    // The program has no names to go by.
    let program = answer.refused.iter().find(|module| module.name.as_deref() == Some("layers"));
    let program = program.unwrap_or_else(|| panic!("{answer:#?}"));
    assert_eq!(program.why, Refusal::OtherPlace);
    assert!(program.tried[0].misfit.is_some(), "{program:?}");
    let run = layers.ask("whole", &[], &moved);
    assert!(run.stderr.contains("it was not where the paste has it"), "{run:?}");
    assert!(!run.stdout.contains("implausible"), "{run:?}");
}

#[test]
fn eu_stack_without_places_says_what_names_prove() {
    let Some(layers) = Layers::built(&[]) else { return };
    let Some(paste) = eu_stack(&layers, &["-m"]) else { return };
    let answer = layers.symbolize("whole", &paste);
    // The library's names place it; the program has none.
    let library = |names: Vec<(String, u32)>| -> Vec<(String, u32)> {
        let in_library = ["layers_stop", "step", "prepare", "layers_run"];
        names.into_iter().filter(|(name, _)| in_library.contains(&name.as_str())).collect()
    };
    assert_eq!(library(shown(&answer.trace)), library(truth(&layers)), "{paste}");
    assert_eq!(answer.refused[0].name.as_deref(), Some("layers"), "{answer:#?}");
}

/// systemd's words around the addresses and modules that eu-stack tells.
#[test]
fn systemd_coredump() {
    let Some(layers) = Layers::built(&[]) else { return };
    let Some(paste) = eu_stack(&layers, &["-m", "-b"]) else { return };
    let told = parsed(&paste);
    let start = |name: &str| {
        let module = told.modules.iter().find(|module| module.path == name);
        module.unwrap().start.unwrap().0
    };
    let mut text = String::from("                Stack trace of thread 6026:\n");
    for frame in &told.stacks[0].frames {
        let (address, module) = (frame.address.unwrap().0, frame.module.as_deref().unwrap());
        let name = frame.function.as_deref().unwrap_or("n/a");
        let offset = address - start(module);
        text += &format!(
            "                #{:<2} {address:#018x} {name} ({module} + {offset:#x})\n",
            frame.index
        );
    }
    let answer = layers.symbolize("whole", &text);
    assert_eq!(ours(&answer, 0), truth(&layers), "{text}");
    assert!(answer.modules.iter().all(|module| module.because == BiasSource::Listed));
}

#[test]
fn one_frame_is_enough_where_gdb_lists_the_modules() {
    let Some(layers) = Layers::built(&[]) else { return };
    for (command, source) in [("info sharedlibrary", 1), ("info proc mappings", 4)] {
        let paste = stopped(&layers, &[command]);
        let (_, listed) = paste.split_once("#16 ").unwrap();
        let (_, listed) = listed.split_once('\n').unwrap();
        // A static function of the library, and one of the program: neither has a name.
        let wanted = ["#1 ", "#4 "].map(|number| {
            let start = paste.find(&format!("\n{number}")).unwrap() + 1;
            paste[start..].lines().next().unwrap()
        });
        let alone = format!("{}\n{}\n", wanted[0], wanted[1]);
        let answer = layers.symbolize("whole", &alone);
        assert_eq!(answer.modules.len(), 0, "nothing says where they were: {answer:#?}");
        let answer = layers.symbolize("whole", &format!("{alone}\n{listed}"));
        let expected: &[&str] = match source {
            1 => &["step"],
            _ => &["step", "once_more", "callback"],
        };
        let names: Vec<String> = shown(&answer.trace).into_iter().map(|(name, _)| name).collect();
        let names: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(names, expected, "{command} {answer:#?}");
        assert!(answer.modules.iter().all(|module| module.because == BiasSource::Listed));
    }
}

/// The first frame of the library, and gdb's list of what is mapped where.
fn frame_and_mappings(layers: &Layers) -> (String, String) {
    let paste = stopped(layers, &["info proc mappings"]);
    let start = paste.find("\n#1 ").unwrap() + 1;
    let frame = paste[start..].lines().next().unwrap().to_owned();
    let (_, listed) = paste[start..].split_once("\nprocess ").unwrap();
    (frame, format!("process {listed}"))
}

#[test]
fn the_kernel_lists_a_library_by_its_file_and_gdb_by_a_link_to_it() {
    let Some(layers) = Layers::built(&[]) else { return };
    let (frame, listed) = frame_and_mappings(&layers);
    let frame = frame.replace("liblayers.so", "liblayers.so.1");
    for name in ["liblayers.so.1.0", "quite_another_name"] {
        let text = format!("{frame}\n\n{}", listed.replace("liblayers.so", name));
        let answer = layers.symbolize("whole", &text);
        let because: Vec<BiasSource> = answer.modules.iter().map(|module| module.because).collect();
        assert_eq!(because, [BiasSource::Listed], "{name} {answer:#?}");
        assert_eq!(shown(&answer.trace)[0].0, "step");
    }
}

#[test]
fn a_file_with_nothing_but_a_list_is_of_the_other_files() {
    let Some(layers) = Layers::built(&[]) else { return };
    let (frame, listed) = frame_and_mappings(&layers);
    let files = [("frame.txt", &frame), ("maps.txt", &listed)]
        .map(|(name, text)| layers.home.write(name, format!("{text}\n")));
    let library = layers.path("whole", "liblayers.so");
    let asked = |files: &[PathBuf]| -> Symbolized {
        let mut arguments = vec!["symbolize", "--json", "--binary", library.to_str().unwrap()];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        let run = layers.home.run(&arguments);
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
    };
    let answer = asked(&files);
    let because: Vec<BiasSource> = answer.modules.iter().map(|module| module.because).collect();
    assert_eq!(because, [BiasSource::Listed], "{answer:#?}");
    // A file with frames of its own is another process's.
    layers.home.write("maps.txt", format!("#0  0x0000000000000010 in ?? ()\n\n{listed}\n"));
    let answer = asked(&files);
    assert!(answer.modules.iter().all(|module| module.name.is_none()), "{answer:#?}");
}

#[test]
fn the_kernels_line_about_a_fault() {
    let Some(layers) = Layers::built(&[]) else { return };
    let told = parsed(&stopped(&layers, &["info proc mappings"]));
    for frame in &told.stacks[0].frames[..2] {
        let ip = frame.address.unwrap().0;
        let holds = |start: u64, end: u64| (start..end).contains(&ip);
        let mapping = told
            .modules
            .iter()
            .find(|module| holds(module.start.unwrap().0, module.end.unwrap().0));
        let (start, end) = (mapping.unwrap().start.unwrap().0, mapping.unwrap().end.unwrap().0);
        let offset = ip - start + mapping.unwrap().file_offset.unwrap().0;
        let size = end - start;
        for place in [format!("{start:x}+{size:x}"), format!("{offset:x},{start:x}+{size:x}")] {
            let text = format!(
                "[ 1234.567890] layers[6026]: segfault at 8 ip {ip:016x} sp 00007ffe5a2b4c60 error 4 in liblayers.so[{place}] likely on CPU 1 (core 1, socket 0)\n"
            );
            let answer = layers.symbolize("whole", &text);
            let frame = &answer.trace.stacks[0].frames[0];
            let resolved = frame.resolved.as_ref().unwrap_or_else(|| panic!("{text} {answer:#?}"));
            let name = resolved.frames[0].function.as_deref().unwrap();
            assert!(["layers_stop", "step"].contains(&name) && resolved.frames[0].line > Some(15));
        }
    }
}

#[test]
fn lldb_with_its_list_of_images() {
    let Some(layers) = Layers::built(&[]) else { return };
    if !tools::have(&["lldb"]) {
        return;
    }
    let mut lldb = Command::new("lldb");
    lldb.args(["-b", "-o", "breakpoint set -n layers_stop", "-o", "run", "-o", "bt"]);
    let output = lldb
        .args(["-o", "image list"])
        .arg(layers.path("stripped", "layers"))
        .env("LD_LIBRARY_PATH", layers.home.path().join("stripped"))
        .output()
        .unwrap();
    let paste = String::from_utf8(output.stdout).unwrap();
    let answer = layers.symbolize("whole", &paste);
    let last = answer.trace.stacks.len() - 1;
    assert_eq!(ours(&answer, last), truth(&layers), "{paste}");
    assert!(
        answer.modules.iter().all(|module| module.because == BiasSource::Listed),
        "{answer:#?}"
    );
}

#[test]
fn valgrind_by_the_names_of_a_library() {
    let Some(layers) = Layers::built(&[]) else { return };
    // valgrind's words around what gdb shows: it can stop nowhere by itself.
    let told = parsed(&stopped(&layers, &[]));
    let mut text = String::from("==7== Invalid read of size 4\n");
    for frame in &told.stacks[0].frames {
        let Some(module) = &frame.module else { break };
        let (word, back) = if frame.index == 0 { ("at", 0) } else { ("by", 1) };
        let name = frame.function.as_deref().unwrap_or("???");
        let address = frame.address.unwrap().0 - back;
        text +=
            &format!("==7==    {word} {address:#X}: {name} (in {module})\n").replace("0X", "0x");
    }
    let answer = layers.symbolize("whole", &text);
    let ours = shown(&answer.trace);
    assert_eq!(ours, truth(&layers)[..ours.len()], "{text}");
    assert!(ours.len() >= 4 && answer.refused.is_empty(), "{answer:#?}");
}

/// A program of tests/traces/source, built whole and stripped.
struct Program {
    home: Home,
    whole: PathBuf,
    stripped: PathBuf,
}

impl Program {
    fn built(source: &str, flags: &[&str]) -> Option<Program> {
        if !tools::have(&["gcc", "strip", "setarch"]) {
            return None;
        }
        let home = Home::new();
        let (whole, stripped) = (home.path().join("whole"), home.path().join("stripped"));
        for folder in [&whole, &stripped] {
            fs::create_dir(folder).unwrap();
        }
        let name = source.split('.').next().unwrap();
        let (whole, stripped) = (whole.join(name), stripped.join(name));
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/source");
        let mut gcc = Command::new("gcc");
        gcc.args(["-g", "-O1", "-pthread"]).args(flags).arg("-o").arg(&whole).arg(source);
        run(gcc.current_dir(sources));
        run(Command::new("strip").arg("-o").args([&stripped, &whole]));
        Some(Program { home, whole, stripped })
    }

    /// What it prints, at addresses that are the same each time.
    fn output(&self, program: &Path, argument: &str, environment: &[(&str, &str)]) -> String {
        let mut command = Command::new("setarch");
        command.arg("-R").arg(program).arg(argument).current_dir(program.parent().unwrap());
        let output =
            command.envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn symbolize(&self, paste: &str) -> Symbolized {
        let arguments = ["symbolize", "--json", "--binary", self.whole.to_str().unwrap()];
        let run = self.home.feed(&arguments, paste.as_bytes());
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?} {paste}"))
    }
}

/// The functions of the program itself, with their lines: those whose file is the program's source.
fn own(trace: &Trace, stack: usize, source: &str) -> Vec<(String, u32)> {
    let expanded = of(trace, stack);
    let expanded = expanded.expanded();
    let is_own = |frame: &&Frame| frame.file.as_deref().is_some_and(|file| file.ends_with(source));
    let frames = expanded.stacks[0].frames.iter().filter(is_own);
    frames.map(|frame| (frame.function.clone().unwrap(), frame.line.unwrap())).collect()
}

/// The line of the source that holds a text.
fn line_of(source: &str, text: &str) -> u32 {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/source");
    let source = fs::read_to_string(sources.join(source)).unwrap();
    u32::try_from(source.lines().position(|line| line.contains(text)).unwrap() + 1).unwrap()
}

#[test]
fn glibcs_backtrace_symbols() {
    let Some(program) = Program::built("backtraces.c", &[]) else { return };
    let paste = program.output(&program.stripped, "", &[]);
    let answer = program.symbolize(&paste);
    let source = "backtraces.c";
    let at = |name: &str, text: &str| (name.to_owned(), line_of(source, text));
    let asked = at("print_stack", "int depth = backtrace(");
    let sorting =
        [asked.clone(), at("compare", "        print_stack();"), at("main", "    qsort(")];
    // The frame that the signal interrupted is looked up where it was, not before.
    let fault = at("main", "*(volatile int *)8");
    let handle = ("handle".to_owned(), line_of(source, "    _exit(0);") - 1);
    let crashed = [asked, handle, fault];
    let expected = [&sorting[..], &sorting, &crashed, &crashed];
    assert_eq!(answer.trace.stacks.len(), expected.len(), "{paste}");
    for (stack, expected) in expected.iter().enumerate() {
        assert_eq!(own(&answer.trace, stack, source), *expected, "{paste}");
    }
}

#[test]
fn sanitizers_without_a_symbolizer() {
    let source = "heap.c";
    for (sanitizer, options, arguments) in [
        ("address", "ASAN_OPTIONS", &["use-after-free", "double-free", "segv", "leak"][..]),
        ("thread", "TSAN_OPTIONS", &["race"]),
    ] {
        let Some(program) = Program::built(source, &[&format!("-fsanitize={sanitizer}")]) else {
            return;
        };
        for argument in arguments {
            let truth = parsed(&program.output(&program.whole, argument, &[]));
            let paste = program.output(&program.stripped, argument, &[(options, "symbolize=0")]);
            let answer = program.symbolize(&paste);
            // Which thread comes second to a race, and so first in its report, is open.
            let stacks = |trace: &Trace| -> Vec<Vec<(String, u32)>> {
                let stacks = 0..trace.stacks.len();
                let mut stacks: Vec<_> = stacks.map(|stack| own(trace, stack, source)).collect();
                stacks.sort();
                stacks
            };
            assert!(stacks(&truth).iter().all(|stack| !stack.is_empty()), "{truth:#?}");
            assert_eq!(stacks(&answer.trace), stacks(&truth), "{argument} {paste}");
        }
    }
}

/// A kernel and the hypervisor are where they were linked to be, and name no module.
#[test]
fn the_one_binary_that_is_named_is_the_program_of_frames_without_a_module() {
    let Some(layers) = Layers::built(&["-no-pie"]) else { return };
    let program = layers.path("whole", "layers");
    let truth = parsed(&layers.backtrace("whole", &["bt"]));
    let symbols = Command::new("nm").arg("-n").arg(&program).output().unwrap().stdout;
    let symbols = String::from_utf8(symbols).unwrap();
    let place = |address: u64| {
        let starts = symbols.lines().filter_map(|line| {
            let (start, name) = line.split_once(" t ").or_else(|| line.split_once(" T "))?;
            Some((u64::from_str_radix(start, 16).ok()?, name))
        });
        let (start, name) = starts.take_while(|(start, _)| *start <= address).last().unwrap();
        format!("[<{address:016x}>] {name}+{:#x}/0x1000", address - start)
    };
    // Only those of the program have a line here at an address below the libraries'.
    let frames: Vec<&Frame> = truth.stacks[0]
        .frames
        .iter()
        .filter(|frame| frame.line.is_some() && frame.address.is_some_and(|at| at.0 >> 40 == 0))
        .collect();
    assert!(frames.len() >= 2, "{truth:#?}");
    let lines: Vec<Option<u32>> = frames.iter().map(|frame| frame.line).collect();
    let places: Vec<String> = frames.iter().map(|frame| place(frame.address.unwrap().0)).collect();
    let kernel = places.iter().map(|place| format!("[    1.000000]  {place}\n"));
    let kernel = format!(
        "[    1.000000] BUG: unable to handle page fault for address: 0000000000001000\n\
         [    1.000000] Call Trace:\n{}",
        kernel.collect::<String>()
    );
    let hypervisor =
        places.iter().map(|place| format!("(XEN)    {} F {}\n", &place[..20], &place[21..]));
    let hypervisor = format!("(XEN) Xen call trace:\n{}", hypervisor.collect::<String>());
    for text in [kernel, hypervisor] {
        let arguments = ["symbolize", "--json", "--binary", program.to_str().unwrap()];
        let run = layers.home.feed(&arguments, text.as_bytes());
        let answer: Symbolized = serde_json::from_str(&run.stdout).unwrap();
        let expanded = answer.trace.expanded();
        let ours: Vec<Option<u32>> = expanded
            .stacks
            .iter()
            .flat_map(|stack| stack.frames.chunk_by(|a, b| a.physical == b.physical))
            .map(|frames| frames[0].line)
            .collect();
        // The first is where the processor was.
        assert_eq!(ours[1..], lines[1..], "{text} {answer:#?}");
        assert_eq!(answer.modules[0].because, BiasSource::Fixed);
        // Nobody can tell which binary it would be.
        let run = layers.home.feed(&["symbolize"], text.as_bytes());
        assert!(run.stderr.contains("no such binary is here; name it with --binary"), "{run:?}");
    }
}

#[test]
fn kernel_frames_without_addresses_are_said_to_be_left_out() {
    let text = "BUG: kernel NULL pointer dereference, address: 0000000000000008\n\
        Call Trace:\n dev_hard_start_xmit+0x8d/0x1e0\n ? xenvif_poll+0x35/0x90 [xen_netback]\n";
    let run = Home::new().feed(&["symbolize"], text.as_bytes());
    let said = "the program (1 frame) is not looked up: the text has no addresses for them";
    assert!(run.stderr.contains(said), "{run:?}");
}

#[test]
fn a_rust_panic_with_frames_of_the_c_library_among_its_own() {
    if !tools::have(&["rustc", "strip"]) {
        return;
    }
    let home = Home::new();
    let source = "#[inline(never)]\nfn third(at: &[u8]) -> u8 {\n    at[9]\n}\n\
        fn main() {\n    println!(\"{}\", third(&[]));\n}\n";
    let source = home.write("panics.rs", source);
    let [whole, stripped] = ["whole", "stripped"].map(|name| home.path().join(name));
    run(Command::new("rustc").args(["-g", "-o"]).args([&whole, &source]));
    run(Command::new("strip").args(["--strip-debug", "-o"]).args([&stripped, &whole]));
    let output = Command::new(&stripped).env("RUST_BACKTRACE", "full").output().unwrap();
    let paste = String::from_utf8(output.stderr).unwrap();
    assert!(paste.contains("__libc_start"), "{paste}");
    let binary = whole.to_str().unwrap();
    let run = home.feed(&["symbolize", "--json", "--binary", binary], paste.as_bytes());
    let answer: Symbolized = serde_json::from_str(&run.stdout).unwrap();
    let expanded = answer.trace.expanded();
    let frames = expanded.stacks.iter().flat_map(|stack| &stack.frames);
    let is_own =
        |frame: &&Frame| frame.file.as_deref().is_some_and(|file| file.ends_with("/panics.rs"));
    let lines: Vec<u32> = frames.filter(is_own).filter_map(|frame| frame.line).collect();
    assert_eq!(lines, [3, 6], "{paste} {:#?} {:#?}", answer.modules, answer.refused);
}
