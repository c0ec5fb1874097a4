//! Is what was read what is known? Compares stacks field by field, and counts.

use std::fmt::{Debug, Display};
use std::process::Command;

use dbgmate::address::Pc;
use dbgmate::job::Job;
use dbgmate::trace::{Argument, Frame, Piece, Stack, Thread, Trace, parse};
use serde::Deserialize;

/// A stack as its program knows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KnownStack {
    /// How it was asked for, or what it is: said where something differs.
    pub(crate) command: String,
    /// Whether one frame is shown that was selected.
    pub(crate) selected: bool,
    pub(crate) thread: KnownThread,
    pub(crate) frames: Vec<Known>,
}

/// A thread as its program knows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KnownThread {
    pub(crate) number: Option<u32>,
    pub(crate) name: Option<String>,
    pub(crate) address: Option<u64>,
    pub(crate) lwp: Option<u64>,
}

/// A frame as its program knows it. A field that is None must not be read from the text either: the printer
/// does not print it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Known {
    pub(crate) index: u32,
    /// Which frames are one machine frame; None where the source cannot tell.
    pub(crate) physical: Option<u32>,
    /// How the address is meant; None where the text alone cannot tell.
    pub(crate) pc: Option<Pc>,
    pub(crate) signal_handler: bool,
    pub(crate) address: Option<u64>,
    pub(crate) function: Option<String>,
    pub(crate) offset: Option<u64>,
    pub(crate) module: Option<String>,
    pub(crate) module_offset: Option<u64>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) arguments: Vec<Variable>,
    pub(crate) locals: Vec<Variable>,
}

/// An argument or local variable; its text is None where its value cannot be read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) at_entry: bool,
    pub(crate) text: Option<String>,
}

/// What was compared, of one printer.
pub(crate) struct Facts {
    printer: String,
    stacks: usize,
    frames: usize,
    fields: usize,
    wrong: Vec<String>,
}

/// What a text says.
pub(crate) fn read(text: &str) -> Trace {
    parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
}

/// What a command that has to succeed prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let both =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, both.concat());
    let [stdout, _] = both;
    stdout
}

/// What a command that fails, or not, complains of.
pub(crate) fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Facts {
    pub(crate) fn new(printer: &str) -> Facts {
        Facts { printer: printer.to_owned(), stacks: 0, frames: 0, fields: 0, wrong: Vec::new() }
    }

    /// Something that is neither a stack nor a frame.
    pub(crate) fn same<T: PartialEq + Debug>(&mut self, what: impl Display, read: T, known: T) {
        self.fields += 1;
        if read != known {
            self.wrong.push(format!("{what}: read {read:?}, but it is {known:?}"));
        }
    }

    /// All stacks of a text, in its order.
    pub(crate) fn stacks(&mut self, read: &[Stack], known: &[KnownStack]) {
        self.same("stacks", read.len(), known.len());
        for (read, known) in read.iter().zip(known) {
            self.stack(read, known);
        }
    }

    pub(crate) fn stack(&mut self, read: &Stack, known: &KnownStack) {
        self.stacks += 1;
        let place = format!("{} at line {}", known.command, read.lines.first);
        let selected = read.kind == dbgmate::trace::StackKind::Selected;
        self.same(format!("{place}: selected"), selected, known.selected);
        self.thread(&place, read.thread.as_ref(), &known.thread);
        self.same(format!("{place}: frames"), read.frames.len(), known.frames.len());
        let first = |frames: Option<u32>| frames.unwrap_or_default();
        let (read_first, known_first) = (
            first(read.frames.first().map(|frame| frame.physical)),
            first(known.frames.first().and_then(|frame| frame.physical)),
        );
        for (read, known) in read.frames.iter().zip(&known.frames) {
            self.frame(&place, read, known);
            if let Some(physical) = known.physical {
                let read_physical = read.physical - read_first;
                let what = format!("{place} #{}: machine frame", known.index);
                self.same(what, read_physical, physical - known_first);
            }
        }
    }

    fn thread(&mut self, place: &str, read: Option<&Thread>, known: &KnownThread) {
        let read = read.cloned().unwrap_or_default();
        self.field(place, "thread", read.number, known.number);
        self.field(place, "thread's name", read.name, known.name.clone());
        self.field(place, "thread's address", read.address.map(|at| at.0), known.address);
        self.field(place, "LWP", read.lwp, known.lwp);
    }

    /// A field of a frame or thread; counted where there is something to compare.
    fn field<T: PartialEq + Debug>(
        &mut self,
        place: &str,
        what: &str,
        read: Option<T>,
        known: Option<T>,
    ) {
        self.fields += usize::from(known.is_some());
        if read != known {
            self.wrong.push(format!("{place}: {what}: read {read:?}, but it is {known:?}"));
        }
    }

    pub(crate) fn frame(&mut self, place: &str, read: &Frame, known: &Known) {
        self.frames += 1;
        let place = &format!("{place} #{}", known.index);
        self.same(format!("{place}: index"), read.index, known.index);
        self.same(format!("{place}: signal handler"), read.signal_handler, known.signal_handler);
        if let Some(pc) = known.pc {
            self.same(format!("{place}: kind of address"), read.pc, pc);
        }
        self.field(place, "address", read.address.map(|at| at.0), known.address);
        self.field(place, "function", read.function.clone(), known.function.clone());
        self.field(place, "offset", read.offset, known.offset);
        self.field(place, "module", read.module.clone(), known.module.clone());
        let offset = read.module_offset.map(|offset| offset.0);
        self.field(place, "offset in the module", offset, known.module_offset);
        self.field(place, "file", read.file.clone(), known.file.clone());
        self.field(place, "line", read.line, known.line);
        self.field(place, "column", read.column, known.column);
        self.variables(place, "argument", &read.arguments, &known.arguments);
        self.variables(place, "local", &read.locals, &known.locals);
    }

    fn variables(&mut self, place: &str, what: &str, read: &[Argument], known: &[Variable]) {
        let names = |of: &[String]| of.join(", ");
        let read_names: Vec<String> = read.iter().map(|read| read.name.clone()).collect();
        let known_names: Vec<String> = known.iter().map(|known| known.name.clone()).collect();
        if read_names != known_names {
            let (read, known) = (names(&read_names), names(&known_names));
            self.wrong.push(format!("{place}: {what}s: read {read}, but they are {known}"));
            return;
        }
        for (read, known) in read.iter().zip(known) {
            let what = format!("{place}: {what} {}", known.name);
            self.same(format!("{what}: at entry"), read.at_entry, known.at_entry);
            if let Some(text) = &known.text {
                // A value of several lines, or a wrapped one, is joined by blanks.
                self.same(what, unwrapped(&read.value.text), unwrapped(text));
            }
        }
    }

    /// Prints the counts; fails where something differs, or where there was less to compare than a working
    /// comparison has.
    #[allow(clippy::print_stdout)] // what was compared is part of the answer
    pub(crate) fn hold(self, at_least: usize) {
        let Facts { printer, stacks, frames, fields, wrong } = self;
        println!("{printer}: {stacks} stacks, {frames} frames, {fields} fields");
        let shown: Vec<&str> = wrong.iter().take(60).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{printer}: {} differ\n{}", wrong.len(), shown.join("\n"));
        assert!(frames >= at_least, "{printer}: only {frames} frames were compared");
    }
}

fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
