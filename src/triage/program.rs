//! Which program does a stack belong to, as far as the text says?
//!
//! Where `main` is: its module, or else the name of its source file without the ending. Failing
//! that, the name of the session's first thread: on Linux a process's main thread bears the
//! program's name, other threads whatever they were given.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::trace::{Stack, Trace};

/// The program that the stack's own `main` tells.
pub(super) fn of_stack<'t>(stack: &'t Stack, names: &[Option<Cow<'t, str>>]) -> Option<&'t str> {
    let main = names.iter().rposition(|name| name.as_deref() == Some("main"))?;
    let main = stack.frames.get(main)?;
    if let Some(module) = &main.module {
        return Some(module);
    }
    let file = main.file.as_deref()?.rsplit('/').next()?;
    Some(file.split_once('.').map_or(file, |(stem, _)| stem))
}

/// The name of thread 1 in each piece; none where a piece gives it several, as two sessions do.
pub(super) fn main_threads(trace: &Trace) -> FxHashMap<Option<&str>, Option<&str>> {
    let events = trace.events.iter().map(|event| (&event.lines, &event.thread));
    let stacks = trace.stacks.iter().map(|stack| (&stack.lines, &stack.thread));
    let mut names = FxHashMap::default();
    for (lines, thread) in events.chain(stacks) {
        let Some(thread) = thread.as_ref().filter(|thread| thread.number == Some(1)) else {
            continue;
        };
        let Some(name) = thread.name.as_deref() else { continue };
        let known = names.entry(lines.piece.as_deref()).or_insert(Some(name));
        if *known != Some(name) {
            *known = None;
        }
    }
    names
}
