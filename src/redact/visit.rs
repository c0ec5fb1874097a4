//! Where in a trace do texts and addresses stand, and of what kind are they?
//!
//! Rule: every struct is taken apart by all its fields, so that a new one is not forgotten here.

use crate::address::RuntimeAddress;
use crate::trace::{
    Argument, Event, EventKind, Frame, Lines, LogRecord, Module, PrintedValue, Register, Resolved,
    ResolvedFrame, Skipped, SourceLine, Stack, Thread, Trace, Value,
};

/// What is done with each.
pub(super) trait Visit {
    /// The path of a file or folder.
    fn path(&mut self, _: &mut String) {}
    /// A person's or program's words, with anything in them.
    fn words(&mut self, _: &mut String) {}
    /// The message of a log record: words with the program's data in quotes.
    fn message(&mut self, message: &mut String) {
        self.words(message);
    }
    /// A value without those inside it, of a frame's argument, a local variable or a print.
    fn value(&mut self, _: &mut Value, _: Whose) {}
    /// Where something is in memory.
    fn address(&mut self, _: &mut Option<RuntimeAddress>) {}
    /// Where a module was loaded.
    fn place(&mut self, _: &mut Module) {}
}

/// Whose data a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// What the program worked on.
    Users,
    /// The program's own text, as the words of a failed assertion.
    Programs,
}

/// Visits all of the trace, in the order of its members.
pub(super) fn trace(trace: &mut Trace, visit: &mut impl Visit) {
    let Trace { formats: _, stacks, events, values, modules, log, skipped } = trace;
    stacks.iter_mut().for_each(|one| stack(one, visit));
    events.iter_mut().for_each(|one| event(one, visit));
    values.iter_mut().for_each(|one| printed(one, visit));
    modules.iter_mut().for_each(|one| module(one, visit));
    log.iter_mut().for_each(|one| record(one, visit));
    for Skipped { lines, text } in skipped {
        self::lines(lines, visit);
        visit.words(text);
    }
}

fn lines(Lines { piece, first: _, last: _ }: &mut Lines, visit: &mut impl Visit) {
    piece.iter_mut().for_each(|name| visit.path(name));
}

fn stack(stack: &mut Stack, visit: &mut impl Visit) {
    let Stack { kind: _, label, format: _, thread: of, lines, frames } = stack;
    self::lines(lines, visit);
    visit.words(label);
    of.iter_mut().for_each(|of| thread(of, visit));
    frames.iter_mut().for_each(|one| frame(one, visit));
}

fn thread(thread: &mut Thread, visit: &mut impl Visit) {
    let Thread { number: _, name, address, lwp: _ } = thread;
    name.iter_mut().for_each(|name| visit.words(name));
    visit.address(address);
}

fn frame(frame: &mut Frame, visit: &mut impl Visit) {
    let asserts = frame.function.as_deref().is_some_and(is_assertion);
    let Frame {
        index: _,
        lines,
        physical: _,
        pc: _,
        address,
        function: _,
        offset: _,
        module,
        module_offset: _,
        file,
        line: _,
        column: _,
        arguments,
        locals,
        guess: _,
        signal_handler: _,
        check: _,
        resolved,
    } = frame;
    self::lines(lines, visit);
    visit.address(address);
    [module, file].into_iter().flatten().for_each(|path| visit.path(path));
    let whose = if asserts { Whose::Programs } else { Whose::Users };
    for Argument { name: _, at_entry: _, value } in arguments.iter_mut().chain(locals) {
        self::value(value, whose, visit);
    }
    if let Some(Resolved { frames, module, build_id: _, certainty: _, via: _ }) = resolved {
        visit.path(module);
        for frame in frames {
            let ResolvedFrame { function: _, offset: _, file, line: _, column: _, source } = frame;
            file.iter_mut().for_each(|file| visit.path(file));
            source.iter_mut().for_each(|line| self::source(line, visit));
        }
    }
}

/// Whether the function is a C library's that tells of a failed assertion: its strings are the
/// program's source.
fn is_assertion(name: &str) -> bool {
    ["assert_fail", "__assert", "g_assertion_message"].iter().any(|word| name.contains(word))
}

fn source(SourceLine { line: _, text }: &mut SourceLine, visit: &mut impl Visit) {
    visit.words(text);
}

/// No deeper than the reader of values goes.
fn value(value: &mut Value, whose: Whose, visit: &mut impl Visit) {
    visit.value(value, whose);
    for Argument { name: _, at_entry: _, value } in &mut value.fields {
        self::value(value, whose, visit);
    }
    value.elements.iter_mut().for_each(|element| self::value(element, whose, visit));
}

fn printed(printed: &mut PrintedValue, visit: &mut impl Visit) {
    let PrintedValue { expression, number: _, value, stack: _, frame: _, lines } = printed;
    self::lines(lines, visit);
    expression.iter_mut().for_each(|expression| visit.words(expression));
    self::value(value, Whose::Users, visit);
}

fn event(event: &mut Event, visit: &mut impl Visit) {
    let Event { what, lines, stack: _, thread: on, frame: stop, source } = event;
    self::lines(lines, visit);
    on.iter_mut().for_each(|on| thread(on, visit));
    stop.iter_mut().for_each(|stop| frame(stop, visit));
    source.iter_mut().for_each(|line| self::source(line, visit));
    match what {
        EventKind::Signal { name: _, meaning } => {
            meaning.iter_mut().for_each(|meaning| visit.words(meaning));
        }
        EventKind::Assertion { expression: _, file, line: _, function: _, program } => {
            [file, program].into_iter().flatten().for_each(|path| visit.path(path));
        }
        EventKind::Fault { by: _, what, address, file, line: _, column: _ } => {
            visit.words(what);
            visit.address(address);
            file.iter_mut().for_each(|file| visit.path(file));
        }
        EventKind::Program { path } => visit.path(path),
        EventKind::Remark { by: _, text } => visit.words(text),
        EventKind::Registers { by: _, values } => {
            for Register { name: _, value } in values {
                visit.address(value);
            }
        }
        EventKind::Breakpoint { number: _ } | EventKind::Session { what: _ } => {}
    }
}

fn module(module: &mut Module, visit: &mut impl Visit) {
    visit.place(module);
    let Module { path, build_id: _, bias: _, start: _, end: _, file_offset: _, source: _, lines } =
        module;
    self::lines(lines, visit);
    visit.path(path);
}

fn record(record: &mut LogRecord, visit: &mut impl Visit) {
    let LogRecord {
        lines,
        format: _,
        time: _,
        level: _,
        thread: _,
        file,
        line: _,
        function: _,
        program: _,
        text,
    } = record;
    self::lines(lines, visit);
    file.iter_mut().for_each(|file| visit.path(file));
    visit.message(text);
}
