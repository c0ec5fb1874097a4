//! What value does the paste itself show for a member path?
//!
//! Two places: what a debugger printed (`p *(T*)x` answers `((T*)x)->fd` by its member), and, where
//! the frame is named, the arguments and local variables printed with it.

use super::facts::Facts;
use crate::notes::MemberPath;
use crate::public_name::public_name;
use crate::trace::{Argument, Frame, Lines, PrintedValue, Value, ValueKind};

/// How many structs deep members of unnamed structs and unions are looked for.
const MAX_UNNAMED: usize = 8;

/// A value that the paste shows.
#[derive(Clone, Copy)]
pub(super) struct Shown<'t> {
    pub(super) value: &'t Value,
    pub(super) lines: &'t Lines,
    /// The stack it belongs to, where that is known.
    pub(super) stack: Option<usize>,
}

/// Every value of the path, the printed ones first; with a function, none that is known to belong
/// to another.
pub(super) fn find<'f, 't>(
    facts: &'f Facts<'t>,
    path: &'f MemberPath,
    function: Option<&'f str>,
) -> impl Iterator<Item = Shown<'t>> + 'f {
    printed(facts, path, function)
        .take_while(|_| facts.may_go_on())
        .chain(function.into_iter().flat_map(move |function| in_frames(facts, path, function)))
        .filter(|shown| !matches!(shown.value.kind, ValueKind::OptimizedOut | ValueKind::Unknown))
}

fn printed<'f, 't>(
    facts: &'f Facts<'t>,
    path: &'f MemberPath,
    function: Option<&'f str>,
) -> impl Iterator<Item = Shown<'t>> + 'f {
    let trace = facts.trace;
    facts.paths().iter().zip(&trace.values).filter_map(move |(shown, printed)| {
        let value = part(path, shown.as_ref()?, &printed.value)?;
        let belongs = match (function, frame_of(facts, printed)) {
            (Some(function), Some(frame)) => {
                frame.function.as_deref().is_none_or(|name| public_name(name) == function)
            }
            _ => true,
        };
        belongs.then_some(Shown { value, lines: &printed.lines, stack: printed.stack })
    })
}

/// The frame that was selected when a value was printed. The numbers of a stack's frames ascend.
fn frame_of<'t>(facts: &Facts<'t>, printed: &PrintedValue) -> Option<&'t Frame> {
    let stack = facts.trace.stacks.get(printed.stack?)?;
    let number = printed.frame?;
    let frame = stack.frames.binary_search_by_key(&number, |frame| frame.index).ok()?;
    stack.frames.get(frame)
}

fn in_frames<'f, 't>(
    facts: &'f Facts<'t>,
    path: &'f MemberPath,
    function: &'f str,
) -> impl Iterator<Item = Shown<'t>> + 'f {
    let trace = facts.trace;
    facts.stacks_with(function).iter().flat_map(move |&stack| {
        let frames = trace.stacks.get(stack).map_or(&[] as &[Frame], |stack| &stack.frames);
        frames
            .iter()
            .zip(facts.names(stack))
            .filter(move |(_, name)| name.as_deref() == Some(function))
            .flat_map(|(frame, _)| {
                frame.arguments.iter().chain(&frame.locals).map(move |a| (frame, a))
            })
            .filter_map(move |(frame, argument)| {
                let name = MemberPath::Name(argument.name.clone());
                let value = part(path, &name, &argument.value)?;
                Some(Shown { value, lines: &frame.lines, stack: Some(stack) })
            })
    })
}

/// The part of a printed value that the path names, when the path leads into what was printed.
fn part<'v>(path: &MemberPath, printed: &MemberPath, value: &'v Value) -> Option<&'v Value> {
    if path == printed {
        return Some(value);
    }
    match path {
        MemberPath::Member(of, name) => {
            member(&part(of, printed, value)?.fields, name, MAX_UNNAMED)
        }
        MemberPath::Element(of, index) => {
            part(of, printed, value)?.elements.get(usize::try_from(*index).ok()?)
        }
        _ => None,
    }
}

/// A member by name, also inside members without one: C reaches through those.
fn member<'v>(fields: &'v [Argument], name: &str, depth: usize) -> Option<&'v Value> {
    let depth = depth.checked_sub(1)?;
    let named = fields.iter().find(|field| field.name == name).map(|field| &field.value);
    let unnamed = || {
        let mut unnamed = fields.iter().filter(|field| field.name.is_empty());
        unnamed.find_map(|field| member(&field.value.fields, name, depth))
    };
    named.or_else(unnamed)
}
