//! Where are the members of this type? Layouts, as the compiler laid them out.
//!
//! [`find`] answers a name with every distinct layout it stands for, [`Layouts`] without reading it again; [`TypeName`] and
//! [`MemberPath`] are what people type. Offsets are read, never derived from sizes and alignments:
//! overlap is legal (empty bases, unions, `[[no_unique_address]]`).
//!
//! Rule: unknown is not zero. What depends on run time is [`Size::Dynamic`] or an offset of none,
//! and says why.

mod alignment;
mod behind;
mod char_literal;
mod decode;
mod diff;
mod distinct;
mod functions;
mod gaps;
mod kept;
mod known_types;
mod layout;
mod layouts;
mod locate;
mod members;
mod memory;
mod model;
mod name;
mod number;
mod order;
mod path;
mod plans;
mod reader;
mod relations;
mod scalar;
mod select;
mod shape;
mod sizes;
mod spelling;
mod subrange;
mod subscripts;
mod suggest;
mod survey;
mod template;
mod twins;
mod variants;

pub use behind::{Behind, Ground};
pub use decode::{Decoded, decode};
pub use diff::{Change, Reach, Side, diff};
pub use distinct::{Question, find};
pub use functions::{Function, functions};
pub use layouts::Layouts;
pub use locate::{Covering, Place, locate};
pub use members::{Member, Members, OwnedMember, Parts};
pub use memory::{Label, labels, read_memory};
pub use model::{
    Access, BitField, Enumerator, Hole, Kind, Layout, LayoutMatch, Location, MemberKind, Selected,
    Size, Variant,
};
pub use name::{Keyword, TypeName, pointee};
pub use number::Number;
pub use order::BetterOrder;
pub use path::{MemberPath, PathStep};
pub use relations::{Relations, spelled};
pub use suggest::near_names;
pub use survey::{Survey, Surveyor, merged};

use crate::dwarf;
use crate::job::Stopped;

/// Why a layout cannot be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The debug info cannot be read.
    Dwarf(dwarf::Error),
    /// The job was stopped.
    Stopped(Stopped),
    /// More DIEs than one question may read.
    TooMany,
    /// Types nested deeper than any real program's.
    TooDeep,
    /// The text is not a type's name; what is wrong with it.
    BadName(String),
    /// The text is not a member path; what is wrong with it.
    BadPath(String),
    /// The text is no memory; what is wrong with it.
    BadBytes(String),
    /// The path leaves the type: no such member, or no array to index.
    NoSuchMember {
        /// The step that fails.
        step: String,
        /// The type it was looked for in.
        inside: String,
        /// The members that are there.
        members: Vec<String>,
    },
}

impl From<dwarf::Error> for Error {
    fn from(error: dwarf::Error) -> Self {
        Error::Dwarf(error)
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        Error::Stopped(stopped)
    }
}
