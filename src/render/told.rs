//! What happened, a thread, a log record: each in a line of words.

use super::escape::escape;
use crate::trace::{
    Event, EventKind, LogRecord, Module, PrintedValue, Register, Stack, StackKind, Thread,
};

/// What happened, unless it is the debugger's own talk.
pub(super) fn event(event: &Event) -> Option<String> {
    let mut line = match &event.what {
        EventKind::Signal { name, meaning: Some(meaning) } => format!("signal {name}, {meaning}"),
        EventKind::Signal { name, meaning: None } => format!("signal {name}"),
        EventKind::Assertion { expression, file, line, function, program } => {
            let mut text = format!("assertion {expression} failed");
            function.iter().for_each(|function| text += &format!(" in {function}"));
            text += &place(file.as_deref(), *line, None);
            program.iter().for_each(|program| text += &format!(", program {program}"));
            text
        }
        EventKind::Breakpoint { number } => format!("breakpoint {number} reached"),
        EventKind::Fault { by, what, address, file, line, column } => {
            let mut text = format!("{by}: {what}");
            address.iter().for_each(|address| text += &format!(", address {address}"));
            text + &place(file.as_deref(), *line, *column)
        }
        EventKind::Program { path } => format!("program {path}"),
        EventKind::Remark { by, text } => format!("{by}: {text}"),
        EventKind::Registers { by, values } => {
            let value = |register: &Register| {
                let held = register.value.map_or("?".to_owned(), |value| value.to_string());
                format!("{} {held}", register.name)
            };
            format!("{by}: {}", values.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        EventKind::Session { .. } => return None,
    };
    if let Some(on) = &event.thread {
        line += &format!(", {}", thread(on));
    }
    Some(escape(&line).into_owned())
}

fn place(file: Option<&str>, line: Option<u32>, column: Option<u32>) -> String {
    let Some(file) = file else { return String::new() };
    let numbers = [line, column].into_iter().flatten().map(|number| format!(":{number}"));
    format!(", {file}{}", numbers.collect::<String>())
}

/// `thread 3 "libvirtd" (0x7f5fbb16e840, LWP 6026)`
fn thread(thread: &Thread) -> String {
    let Thread { number, name, address, lwp } = thread;
    let mut words = vec!["thread".to_owned()];
    words.extend(number.map(|number| number.to_string()));
    words.extend(name.as_ref().map(|name| format!("\"{name}\"")));
    let system = [address.map(|address| address.to_string()), lwp.map(|lwp| format!("LWP {lwp}"))];
    let system: Vec<String> = system.into_iter().flatten().collect();
    words.extend((!system.is_empty()).then(|| format!("({})", system.join(", "))));
    words.join(" ")
}

/// What a stack is headed by: its thread and what introduced it.
pub(super) fn stack(stack: &Stack) -> String {
    let of = stack.thread.as_ref().map(thread);
    let label = (!stack.label.starts_with("Thread ") || of.is_none()).then_some(&stack.label);
    let selected = (stack.kind == StackKind::Selected).then(|| "one frame".to_owned());
    let label = label.filter(|label| !label.is_empty()).cloned();
    let words: Vec<String> = [of, label, selected].into_iter().flatten().collect();
    escape(&words.join(", ")).into_owned()
}

/// `EXPRESSION = VALUE`
pub(super) fn value(printed: &PrintedValue) -> String {
    let name = match (&printed.expression, printed.number) {
        (Some(expression), _) => expression.clone(),
        (None, Some(number)) => format!("${number}"),
        (None, None) => String::from("a value"),
    };
    escape(&format!("{name} = {}", printed.value.text)).into_owned()
}

/// A record's lines: those of its message below the first are indented.
pub(super) fn record(record: &LogRecord) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(record.time.clone());
    words.extend(record.thread.map(|thread| thread.to_string()));
    words.extend(record.program.clone());
    words.extend(record.level.clone());
    let place = [record.file.clone(), record.line.map(|line| line.to_string())];
    let named = place.into_iter().flatten().chain(record.function.clone());
    let place = named.collect::<Vec<_>>().join(":");
    words.extend((!place.is_empty() && record.format != "print").then_some(place));
    let head = words.join(" ");
    let mut lines = record.text.split('\n');
    let first = lines.next().unwrap_or_default();
    let first = if head.is_empty() { first.to_owned() } else { format!("{head}: {first}") };
    let rest = lines.map(|line| format!("    {}", escape(line)));
    std::iter::once(escape(&first).into_owned()).chain(rest).collect()
}

/// A module: its path, and what is known of where it was.
pub(super) fn module(module: &Module) -> String {
    let mut line = module.path.clone();
    module.build_id.iter().for_each(|id| line += &format!(", build-id {id}"));
    module.bias.iter().for_each(|bias| line += &format!(", loaded at {bias}"));
    match (module.start, module.end) {
        (Some(start), Some(end)) => line += &format!(", {start}-{end}"),
        (Some(start), None) => line += &format!(", from {start}"),
        (None, _) => {}
    }
    module.file_offset.iter().for_each(|offset| line += &format!(", file offset {offset}"));
    escape(&line).into_owned()
}
