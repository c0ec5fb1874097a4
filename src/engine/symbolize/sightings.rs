//! The frames of a trace by the module they are in, as placing a module needs them.

use std::collections::BTreeMap;

use crate::symbols::{Callee, Sighting};
use crate::trace::{EventKind, Frame, Stack, Trace};

/// A module of a trace, and its frames.
#[derive(Debug)]
pub(super) struct Seen<'t> {
    /// The module's name as printed; none for the program itself.
    pub(super) name: Option<&'t str>,
    /// Where each sighting's frame is in the trace.
    pub(super) places: Vec<Place>,
    /// The frames with an address.
    pub(super) sightings: Vec<Sighting<'t>>,
}

/// Where a frame is in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a stack: the positions of both.
    Stack(usize, usize),
    /// The frame of a stop: the position of its event.
    Event(usize),
}

/// Frames of one text can be of one process; another file is another paste.
type Key<'t> = (Option<&'t str>, Option<&'t str>);

/// All modules that frames with an address are in. Frames whose source line is printed need no
/// looking up; a debugger prints no module for them.
pub(super) fn seen(trace: &Trace) -> Vec<Seen<'_>> {
    let mut modules = BTreeMap::new();
    for (position, stack) in trace.stacks.iter().enumerate() {
        add_stack(&mut modules, position, stack);
    }
    for (position, event) in trace.events.iter().enumerate() {
        // At a breakpoint: where a signal stopped the program, its backtrace shows the frame again.
        if let (EventKind::Breakpoint { .. }, Some(frame)) = (&event.what, &event.frame) {
            let run = Run { frames: std::slice::from_ref(&**frame), first: 0 };
            if let Some(seen) = run.module().and_then(|module| entry(&mut modules, &run, module)) {
                seen.add(&run, Place::Event(position), Callee::Unknown);
            }
        }
    }
    modules.into_values().collect()
}

impl<'t> Seen<'t> {
    /// Takes the frames of another stack in.
    pub(super) fn extend(&mut self, other: Seen<'t>) {
        let start = self.sightings.len();
        let moved = |mut sighting: Sighting<'t>| {
            if let Callee::Sighting(position) = &mut sighting.callee {
                *position += start;
            }
            sighting
        };
        self.sightings.extend(other.sightings.into_iter().map(moved));
        self.places.extend(other.places);
    }

    fn add(&mut self, run: &Run<'t>, place: Place, callee: Callee<'t>) {
        let Some(frame) = run.addressed() else { return };
        let Some(address) = frame.address else { return };
        let (pc, name, offset) = (frame.pc, run.name(), run.offset());
        self.places.push(place);
        self.sightings.push(Sighting { address, pc, name, offset, callee });
    }
}

fn entry<'m, 't>(
    modules: &'m mut BTreeMap<Key<'t>, Seen<'t>>,
    run: &Run<'t>,
    module: Option<&'t str>,
) -> Option<&'m mut Seen<'t>> {
    let frame = run.addressed().filter(|frame| !frame.guess)?;
    let key = (frame.lines.piece.as_deref(), module);
    let new = || Seen { name: module, places: Vec::new(), sightings: Vec::new() };
    Some(modules.entry(key).or_insert_with(new))
}

/// The next inner machine frame of a stack.
struct Inner<'t> {
    module: Option<Option<&'t str>>,
    name: Option<&'t str>,
    /// Its position among the sightings of its module, if it is there.
    sighting: Option<usize>,
}

fn add_stack<'t>(modules: &mut BTreeMap<Key<'t>, Seen<'t>>, position: usize, stack: &'t Stack) {
    let mut inner: Option<Inner<'t>> = None;
    for run in runs(&stack.frames) {
        let module = run.module();
        let callee = match inner {
            Some(Inner { module: Some(other), name, sighting }) if run.is_after_call() => {
                match (Some(other) == module, sighting) {
                    (true, Some(sighting)) => Callee::Sighting(sighting),
                    (false, Some(_)) => Callee::Elsewhere(name),
                    (_, None) => Callee::Unknown,
                }
            }
            _ => Callee::Unknown,
        };
        let mut sighting = None;
        if let Some(seen) = module.and_then(|module| entry(modules, &run, module)) {
            seen.add(&run, Place::Stack(position, run.addressed_at()), callee);
            sighting = seen.sightings.len().checked_sub(1);
        }
        let name = run.name();
        inner = (!run.is_signal_handler()).then_some(Inner { module, name, sighting });
    }
}

/// The frames that share one machine frame, innermost first.
#[derive(Clone, Copy, Debug)]
struct Run<'t> {
    frames: &'t [Frame],
    /// The position of the first in its stack.
    first: usize,
}

fn runs(frames: &[Frame]) -> impl Iterator<Item = Run<'_>> {
    let same = |a: &Frame, b: &Frame| a.physical == b.physical;
    frames.chunk_by(same).scan(0, |next, frames| {
        let first = *next;
        *next += frames.len();
        Some(Run { frames, first })
    })
}

impl<'t> Run<'t> {
    fn addressed(&self) -> Option<&'t Frame> {
        self.frames.iter().find(|frame| frame.address.is_some())
    }

    fn addressed_at(&self) -> usize {
        let at = self.frames.iter().position(|frame| frame.address.is_some());
        self.first + at.unwrap_or(0)
    }

    /// The module's name, or none for the program itself; nothing where the frame is not of a module
    /// that has to be placed.
    fn module(&self) -> Option<Option<&'t str>> {
        let named = self.frames.iter().find_map(|frame| frame.module.as_deref());
        let has_line = self.frames.iter().any(|frame| frame.line.is_some());
        match named {
            Some(name) => Some(Some(name)),
            None if has_line || self.is_signal_handler() => None,
            None => Some(None),
        }
    }

    /// The function that has the machine frame: the outermost of those inlined into it.
    fn name(&self) -> Option<&'t str> {
        self.frames.last()?.function.as_deref()
    }

    fn offset(&self) -> Option<u64> {
        self.frames.last()?.offset
    }

    fn is_signal_handler(&self) -> bool {
        self.frames.iter().any(|frame| frame.signal_handler)
    }

    /// Whether it stands at the call of the next inner frame: it is no frame that a signal has
    /// interrupted.
    fn is_after_call(&self) -> bool {
        self.addressed().is_some_and(|frame| frame.pc != crate::address::Pc::Exact)
    }
}
