//! A trace as a session of gdb would have printed it: what reads gdb's output reads this.
//!
//! ```text
//! (gdb) # freed by thread T0 here:          what gdb has no form for is a comment
//! Thread 3 (Thread 0x7f5fbb16e840 (LWP 6026) "libvirtd"):
//! #0  0x00007f5fba7a8133 in libxl_osevent_occurred_fd (ctx=0x7f5f) from /usr/lib64/libxenlight.so.2.0
//!         fd = 43
//! (gdb) frame 0
//! (gdb) print *ev
//! $1 = {fd = 43}
//! ```
//! #1  0xffffffff8103e0a1 in ? xenvif_poll+0x35 () from xen_netback     a guess, as Linux marks it
//! #2  ?? () from /data/app/lib.so+0x1234                                a place in a module
//! (gdb/stack.c, `print_frame`.) Rule: each frame, value and stop is one line, joined; read again it
//! is the same frame, value or stop, as far as gdb can say it.

use std::fmt::Write;

use super::escape::escape;
use super::in_order::{Told, in_order};
use super::trace::{arguments, called, library};
use crate::job::Job;
use crate::trace::{
    Argument, Event, EventKind, Frame, Piece, PrintedValue, Register, Stack, StackKind, Thread,
    Trace, Value, ValueKind, closed, parse,
};

/// Stacks, stops, failed assertions and values; log records and the debugger's own talk are left out.
pub fn gdb_session(trace: &Trace) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    for told in in_order(trace) {
        let _ = match told {
            Told::Stack(stack) => write_stack(&mut page, stack),
            Told::Event(event) => write_event(&mut page, event),
            Told::Value(value) => write_value(&mut page, value),
            Told::Record(_) => Ok(()),
        };
    }
    page
}

fn write_stack(page: &mut String, stack: &Stack) -> std::fmt::Result {
    let thread = stack.thread.as_ref().map(thread).unwrap_or_default();
    if stack.kind == StackKind::Selected {
        let index = stack.frames.first().map_or(0, |frame| frame.index);
        writeln!(page, "(gdb) frame {index}")?;
    } else if stack.format != "gdb" {
        write_comment(page, &stack.label)?;
        writeln!(page, "(gdb) bt")?;
    } else if stack.label.starts_with("Thread ") && !thread.is_empty() {
        writeln!(page, "(gdb) thread apply all bt\n\n{thread}:")?;
    } else if stack.label.is_empty() || stack.label.starts_with("Thread ") {
        writeln!(page, "(gdb) bt")?;
    } else {
        writeln!(page, "(gdb) {}", escape(&stack.label))?;
    }
    for frame in &stack.frames {
        let line = if stack.format == "gdb" { self::frame(frame) } else { others(frame) };
        writeln!(page, "#{:<2} {line}", frame.index)?;
        for local in &frame.locals {
            let Argument { name, at_entry: _, value } = local;
            writeln!(page, "        {} = {}", escape(name), escape(&closed(&value.text)))?;
        }
    }
    Ok(())
}

/// `Thread 3 (Thread 0x7f5fbb16e840 (LWP 6026) "libvirtd")`; empty where it has no number.
fn thread(thread: &Thread) -> String {
    let Some(number) = thread.number else { return String::new() };
    let system = system_thread(thread);
    let name = thread.name.as_ref().map(|name| format!(" \"{}\"", escape(name)));
    let name = name.unwrap_or_default();
    if system.is_empty() { String::new() } else { format!("Thread {number} ({system}{name})") }
}

/// `Thread 0x7f5fbb16e840 (LWP 6026)`, `LWP 6026`: the names that the system has for a thread.
fn system_thread(thread: &Thread) -> String {
    match (thread.address, thread.lwp) {
        (Some(address), Some(lwp)) => format!("Thread {address} (LWP {lwp})"),
        (Some(address), None) => format!("Thread {address}"),
        (None, Some(lwp)) => format!("LWP {lwp}"),
        (None, None) => String::new(),
    }
}

/// The same for a frame that another printer wrote: what of its names or values gdb would not print so is
/// left out, last the name.
fn others(frame: &Frame) -> String {
    let whole = self::frame(frame);
    if reads_back(&whole, frame) {
        return whole;
    }
    let hidden = Value {
        text: "...".to_owned(),
        kind: ValueKind::Unknown,
        address: None,
        symbol: None,
        string: None,
        fields: Vec::new(),
        elements: Vec::new(),
    };
    let hidden = Argument { name: String::new(), at_entry: false, value: hidden };
    let without = Frame { arguments: vec![hidden], locals: Vec::new(), ..frame.clone() };
    let line = self::frame(&without);
    if reads_back(&line, frame) {
        return line;
    }
    self::frame(&Frame { function: None, ..without })
}

/// Whether the line is read as a frame of this name.
fn reads_back(line: &str, frame: &Frame) -> bool {
    let line = format!("#0  {line}");
    let read = parse(&Job::new(), &[Piece::unnamed(&line)]);
    let frames = read.as_ref().map_or(&[][..], |trace| {
        trace.stacks.first().map_or(&[][..], |stack| stack.frames.as_slice())
    });
    matches!(frames, [read] if read.function == frame.function && (frame.line.is_none() || read.file == frame.file))
}

/// A frame without its number, on one line.
fn frame(frame: &Frame) -> String {
    let mut line = String::new();
    if let Some(address) = frame.address {
        let _ = write!(line, "{:#018x} in ", address.0);
    }
    if frame.signal_handler {
        line.push_str("<signal handler called>");
        return line;
    }
    let guess = if frame.guess { "? " } else { "" };
    let _ = write!(line, "{guess}{} ({})", called(frame), arguments(&frame.arguments));
    if let (Some(file), Some(number)) = (&frame.file, frame.line) {
        let _ = write!(line, " at {}:{number}", escape(file));
    }
    line.push_str(&library(frame));
    line
}

fn write_event(page: &mut String, event: &Event) -> std::fmt::Result {
    match &event.what {
        EventKind::Signal { name, meaning } => {
            let meaning = meaning.as_ref().map_or(String::new(), |meaning| format!(", {meaning}"));
            let numbered = event.thread.as_ref().filter(|thread| thread.number.is_some());
            // A frame that is nowhere is told by a core only.
            let placed = |frame: &Frame| frame.address.is_some() || frame.line.is_some();
            let core = event.frame.as_deref().is_some_and(|frame| !placed(frame));
            let verb = if core { "terminated with" } else { "received" };
            let subject = numbered.filter(|_| !core).map_or("Program".to_owned(), subject_of);
            writeln!(page, "\n{subject} {verb} signal {}{}.", escape(name), escape(&meaning))?;
            write_switching(page, event)?;
            write_stop_frame(page, event, if core { "#0  " } else { "" })
        }
        EventKind::Breakpoint { number } => {
            let subject = event.thread.as_ref().filter(|thread| thread.number.is_some());
            let subject = subject.map_or(String::new(), |thread| subject_of(thread) + " hit ");
            write!(page, "\n{subject}Breakpoint {number}, ")?;
            match event.frame {
                Some(_) => write_stop_frame(page, event, ""),
                None => writeln!(page, "??"),
            }
        }
        // What a stack's own frames say is said there.
        EventKind::Assertion { .. } if event.stack.is_some() => Ok(()),
        EventKind::Assertion {
            expression,
            file: Some(file),
            line: Some(line),
            function: Some(function),
            program,
        } => {
            let program = program.as_ref().map_or(String::new(), |program| format!("{program}: "));
            let place = format!("{program}{file}:{line}: {function}");
            writeln!(page, "{}: Assertion `{}' failed.", escape(&place), escape(expression))
        }
        EventKind::Assertion { expression, .. } => {
            write_comment(page, &format!("assertion {expression} failed"))
        }
        EventKind::Program { path } => {
            writeln!(page, "Core was generated by `{}'.", escape(path))
        }
        EventKind::Fault { by, what, .. } => write_comment(page, &format!("{by}: {what}")),
        EventKind::Remark { by, text } => write_comment(page, &format!("{by}: {text}")),
        EventKind::Registers { values, .. } => write_registers(page, values),
        EventKind::Session { .. } => Ok(()),
    }
}

/// As `info registers` prints them (gdb/infcmd.c, `default_print_one_register_info`).
fn write_registers(page: &mut String, values: &[Register]) -> std::fmt::Result {
    writeln!(page, "(gdb) info registers")?;
    values.iter().filter_map(|register| Some((&register.name, register.value?))).try_for_each(
        |(name, value)| {
            let hexadecimal = value.to_string();
            let signed = value.0.cast_signed();
            writeln!(page, "{:<15}{hexadecimal:<19}{signed}", escape(name).to_lowercase())
        },
    )
}

/// `Thread 3 "libvirtd"`.
fn subject_of(thread: &Thread) -> String {
    let number = thread.number.unwrap_or(0);
    match &thread.name {
        Some(name) => format!("Thread {number} \"{}\"", escape(name)),
        None => format!("Thread {number}"),
    }
}

fn write_switching(page: &mut String, event: &Event) -> std::fmt::Result {
    let system = event.thread.as_ref().map(system_thread).unwrap_or_default();
    if system.is_empty() { Ok(()) } else { writeln!(page, "[Switching to {system}]") }
}

fn write_stop_frame(page: &mut String, event: &Event, number: &str) -> std::fmt::Result {
    if let Some(stop) = &event.frame {
        writeln!(page, "{number}{}", frame(stop))?;
    }
    match &event.source {
        Some(source) => writeln!(page, "{}\t{}", source.line, escape(&source.text)),
        None => Ok(()),
    }
}

fn write_value(page: &mut String, printed: &PrintedValue) -> std::fmt::Result {
    let text = closed(&printed.value.text);
    let text = escape(&text);
    match (&printed.expression, printed.number) {
        (expression, Some(number)) => {
            if let Some(expression) = expression {
                writeln!(page, "(gdb) print {}", escape(expression))?;
            }
            writeln!(page, "${number} = {text}")
        }
        (Some(expression), None) => writeln!(page, "1: {} = {text}", escape(expression)),
        (None, None) => write_comment(page, &printed.value.text),
    }
}

/// What gdb has no form for, on the line of a command that does nothing.
fn write_comment(page: &mut String, text: &str) -> std::fmt::Result {
    if text.is_empty() { Ok(()) } else { writeln!(page, "(gdb) # {}", escape(text)) }
}
