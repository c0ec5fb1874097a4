//! valgrind's reports as text, against the ones it writes as XML of another run of the same program.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbgmate::address::Pc;

use crate::known::{Facts, Known, KnownStack, KnownThread, complaint, read};
use crate::programs::Programs;
use crate::tools::have;

/// What stands between `<NAME>` and `</NAME>`, in order.
fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts.map(|part| part.split(close.as_str()).next().unwrap()).collect()
}

fn element(xml: &str, name: &str) -> Option<String> {
    let text = elements(xml, name).into_iter().next()?;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// A frame of the XML; `%ps` prints what it has (valgrind's m_debuginfo/debuginfo.c, describe_IP).
fn known_frame((index, xml): (usize, &str), folders: Folders) -> Known {
    let address = element(xml, "ip").unwrap();
    let file = element(xml, "file").map(|file| match (folders, element(xml, "dir")) {
        (Folders::Shown, Some(folder)) => format!("{folder}/{file}"),
        _ => file,
    });
    Known {
        index: u32::try_from(index).unwrap(),
        pc: Some(if index == 0 { Pc::Exact } else { Pc::Adjusted }),
        address: u64::from_str_radix(&address[2..], 16).ok(),
        function: element(xml, "fn"),
        module: element(xml, "obj").filter(|_| file.is_none()),
        line: element(xml, "line").map(|line| line.parse().unwrap()),
        file,
        ..Known::default()
    }
}

/// Whether files are printed with their folders.
#[derive(Clone, Copy)]
enum Folders {
    Shown,
    Hidden,
}

/// The stacks of a report in XML, which are of these threads where the text says it.
fn known(xml: &str, folders: Folders, threads: &[Option<u32>]) -> Vec<KnownStack> {
    let stack = |(index, xml): (usize, &str)| {
        let number = threads.get(index).copied().flatten();
        let frames = elements(xml, "frame").into_iter().enumerate();
        KnownStack {
            thread: KnownThread { number, ..KnownThread::default() },
            frames: frames.map(|frame| known_frame(frame, folders)).collect(),
            ..KnownStack::default()
        }
    };
    elements(xml, "stack").into_iter().enumerate().map(stack).collect()
}

/// The program, where valgrind is.
fn program(programs: &Programs) -> Option<PathBuf> {
    have(&["valgrind", "g++"]).then(|| programs.built("g++", &["-O1", "-w"]))
}

fn compare(program: &Path, options: &[&str], act: &str, folders: Folders, threads: &[Option<u32>]) {
    let xml = program.with_extension("xml");
    let valgrind = |arguments: &[&str]| {
        let mut command = Command::new("valgrind");
        command.arg("--num-callers=40").args(options).args(arguments);
        complaint(command.arg(program).arg(act))
    };
    let said = valgrind(&["--xml=yes", &format!("--xml-file={}", xml.display())]);
    let xml = std::fs::read_to_string(xml).unwrap_or_else(|_| panic!("{said}"));
    let text = valgrind(&[]);
    let mut facts = Facts::new(&format!("valgrind {} {act}", options.join(" ")));
    facts.stacks(&read(&text).stacks, &known(&xml, folders, threads));
    facts.hold(4);
}

#[test]
fn memcheck() {
    let programs = Programs::new();
    let Some(program) = program(&programs) else { return };
    let inlined = ["--read-inline-info=yes", "--leak-check=full"];
    for act in ["freed", "null", "initialised"] {
        compare(&program, &inlined, act, Folders::Hidden, &[]);
    }
    compare(&program, &["--read-inline-info=no"], "freed", Folders::Hidden, &[]);
    let paths = ["--leak-check=full", "--fullpath-after="];
    compare(&program, &paths, "leak", Folders::Shown, &[]);
}

#[test]
fn helgrind() {
    let programs = Programs::new();
    let Some(program) = program(&programs) else { return };
    // The thread's creation, then a race in reading and one in writing, each with the write before.
    let threads = [Some(2), Some(1), Some(2), Some(1), Some(2)];
    compare(&program, &["--tool=helgrind"], "race", Folders::Hidden, &threads);
}
