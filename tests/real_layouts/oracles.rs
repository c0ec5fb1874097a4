//! The programs that layouts are compared with, asked for many names at once.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::tools;

/// Who says where the members of types are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Oracle {
    /// gdb's Python API.
    Gdb,
    /// What pahole prints.
    Pahole,
    /// drgn's Python API.
    Drgn,
    /// BTF: the kernel's own, else as pahole encodes it.
    Btf,
}

impl Oracle {
    pub(crate) const ALL: [Oracle; 4] = [Oracle::Gdb, Oracle::Pahole, Oracle::Drgn, Oracle::Btf];

    /// Those that are here, or of these those that `DBGMATE_LAYOUT_ORACLES` names. gdb has to be here;
    /// drgn is its own to get.
    #[allow(clippy::print_stderr)]
    pub(crate) fn present() -> Vec<Oracle> {
        let mut present = vec![Oracle::Gdb];
        if tools::have_printer("pahole") {
            present.extend([Oracle::Pahole, Oracle::Btf]);
        }
        match std::env::var_os("DBGMATE_DRGN") {
            Some(_) => present.push(Oracle::Drgn),
            None => eprintln!(
                "passed over: drgn. python3 -m venv V && V/bin/pip install drgn, and DBGMATE_DRGN=V/bin/python"
            ),
        }
        if let Ok(wanted) = std::env::var("DBGMATE_LAYOUT_ORACLES") {
            present.retain(|oracle| wanted.contains(&oracle.to_string()));
        }
        present
    }

    /// Asks for names, in order.
    pub(crate) fn ask<'n>(self, binary: &Path, names: impl Iterator<Item = &'n str>) -> Answers {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real");
        let drgn = || std::env::var("DBGMATE_DRGN").unwrap();
        let mut command = match self {
            Oracle::Gdb => Command::new("gdb"),
            Oracle::Drgn => Command::new(drgn()),
            Oracle::Pahole | Oracle::Btf => Command::new("python3"),
        };
        match self {
            Oracle::Gdb => {
                command.args(["-nx", "-batch", "-x"]).arg(scripts.join("gdb_layouts.py"))
            }
            Oracle::Pahole => command.arg(scripts.join("pahole_layouts.py")),
            Oracle::Drgn => command.arg(scripts.join("drgn_layouts.py")),
            Oracle::Btf => command.arg(scripts.join("btf_layouts.py")),
        };
        let errors = tempfile::tempfile().unwrap();
        command.arg(binary).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(errors.try_clone().unwrap());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        let text: String = names.flat_map(|name| [name, "\n"]).collect();
        // One that ends early closes it; that is told where its answers are read.
        std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Answers { oracle: self, child, lines, errors }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Oracle::Gdb => "gdb",
            Oracle::Pahole => "pahole",
            Oracle::Drgn => "drgn",
            Oracle::Btf => "BTF",
        })
    }
}

/// A line of JSON for each name: a layout, a list of them, or null.
pub(crate) struct Answers {
    pub(crate) oracle: Oracle,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: File,
}

impl Answers {
    /// The layouts of the next name.
    pub(crate) fn next(&mut self) -> Vec<Value> {
        let Some(line) = self.lines.next() else {
            let mut errors = String::new();
            self.errors.rewind().unwrap();
            self.errors.read_to_string(&mut errors).unwrap();
            panic!("{} ends early:\n{errors}", self.oracle);
        };
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Value::Null => Vec::new(),
            Value::Array(all) => all,
            one => vec![one],
        }
    }

    pub(crate) fn end(mut self) {
        assert!(self.lines.next().is_none());
        assert!(self.child.wait().unwrap().success(), "{} fails", self.oracle);
    }
}
