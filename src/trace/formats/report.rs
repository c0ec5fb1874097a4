//! What do printers other than gdb say line by line?
//!
//! Their frames need no joining; what stands around them is a fault, the heading of a stack, or a remark.

use super::Format;
use super::parts::Place;
use crate::address::RuntimeAddress;
use crate::trace::model::{Frame, Register, Thread};

/// A frame that one line tells.
#[derive(Debug, PartialEq)]
pub(in crate::trace) struct Told {
    pub(in crate::trace) format: Format,
    pub(in crate::trace) number: Numbered,
    pub(in crate::trace) frame: Frame,
    /// The build-id of its module.
    pub(in crate::trace) build_id: Option<String>,
}

/// How a frame says where in its stack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum Numbered {
    /// By its number.
    Printed,
    /// By its number; it was inlined into the next.
    Inlined,
    /// It begins a stack.
    First,
    /// It follows the frame above, whatever is between.
    Next,
    /// It follows the frame on the line above; else it begins a stack.
    Loose,
    /// The frame on the line above has called it: the innermost comes last.
    CallsNext,
}

/// What a line around the stacks says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::trace) enum Says<'a> {
    /// What went wrong; its stack follows.
    Fault(Fault<'a>),
    /// A stack follows: the line is its label.
    Heading { thread: Option<Thread> },
    /// A signal, by its name with or without `SIG`; its stack follows.
    Signal { name: &'a str, meaning: Option<&'a str> },
    /// Which program it all is of.
    Program { path: &'a str },
    /// What went wrong; its stack was the one above.
    Ended(Fault<'a>),
    /// What registers held.
    Registers(Vec<Register>),
    /// The printer's lines follow.
    Begins,
    /// The stack above is whole.
    Ends,
    /// Anything else.
    Remark,
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::trace) struct Fault<'a> {
    /// In the printer's words.
    pub(in crate::trace) what: &'a str,
    /// The address it is about.
    pub(in crate::trace) address: Option<RuntimeAddress>,
    /// Where in the source it happened, where the line says.
    pub(in crate::trace) place: Option<Place>,
    /// The thread it happened on, where the line says.
    pub(in crate::trace) thread: Option<Box<Thread>>,
}

/// What a line adds to the frame or the module above it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::trace) enum Adds {
    /// Where in the source the frame is.
    Place(Place),
    /// The same, how far from its function's start, and the address.
    PlaceAndOffset { place: Place, offset: u64, address: Option<RuntimeAddress> },
    /// The frame's line of source.
    Source,
    /// The message of the fault.
    Message(String),
    /// The frame's module.
    Module { build_id: String, start: RuntimeAddress },
    /// The listed module's build-id.
    BuildId(String),
    /// The listed module's file, or its debug file.
    Path(String),
}
