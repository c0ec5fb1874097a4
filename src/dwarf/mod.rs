//! Where is the DIE of this name, and what does it say? What types and symbols share.
//!
//! [`DebugFile`] is the owned, shared side: unit headers, abbreviations and the name [`Index`], each
//! read once. [`View`] is one question's side: it borrows the sections and reads DIEs from them.
//!
//! A reference to a DIE ([`DieRef`]) names its file and section: dwz supplements and split DWARF put
//! them elsewhere, and .debug_types has offsets of its own.
//!
//! Rule: offsets are bounds-checked on use, never trusted; damage loses the unit it is in, no more.

mod abbreviations;
mod answers;
mod attributes;
mod debug_file;
mod die;
mod die_ref;
mod entries;
mod file;
mod index;
mod language;
mod pass;
mod plain_member;
mod root;
mod scope;
mod split;
mod unit_view;
mod units;
mod view;
mod walk;

pub use attributes::{signed, unsigned};
pub use debug_file::DebugFile;
pub use die::{Children, Die};
pub use die_ref::{DieRef, DieSection, FileId};
pub use entries::{Entries, Entry, Name, Target};
pub use index::{Definitions, Index, IndexCache, Watch};
pub use language::Language;
pub use plain_member::PlainMember;
pub use root::{Extent, Root, Split};
pub use scope::{NamedScope, ScopeName};
pub use unit_view::UnitView;
pub use view::{View, WholeUnit};
pub use walk::{Step, Walk};

/// The reader that all DWARF is read with: bytes in place, either byte order.
pub type Slice<'a> = gimli::EndianSlice<'a, gimli::RunTimeEndian>;

/// Why a DIE cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The sections contradict themselves.
    Malformed(gimli::Error),
    /// The reference leads to no unit.
    Dangling(DieRef),
    /// The reference leads into a file that is not open: a dwz supplement, a .dwo.
    Elsewhere(FileId),
    /// The rest of a split unit is in a file that was not found.
    NoSplitFile {
        /// Its name as the compiler was told.
        name: String,
        /// Where it was looked for, and what is wrong there.
        tried: String,
    },
    /// No type unit has this signature.
    NoSuchSignature(u64),
    /// DIEs are nested deeper than any producer nests them.
    TooDeep,
    /// Entries have more ranges of addresses than any producer writes.
    TooManyRanges,
    /// A line program has more rows than any producer writes.
    TooManyRows,
    /// A DIE has more attributes than any producer writes.
    TooManyAttributes(usize),
}

impl From<gimli::Error> for Error {
    fn from(error: gimli::Error) -> Self {
        Error::Malformed(error)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Malformed(error) => write!(f, "the debug info is damaged ({error})"),
            Error::Dangling(die) => write!(f, "a reference leads nowhere ({die:?})"),
            Error::Elsewhere(file) => write!(f, "it is in {file}, which is not open"),
            Error::NoSplitFile { name, tried } => {
                write!(f, "the rest of a unit is in {name}, which was not found (tried {tried})")
            }
            Error::NoSuchSignature(signature) => {
                write!(f, "no type unit has the signature {signature:#018x}")
            }
            Error::TooDeep => f.write_str("entries are nested without end"),
            Error::TooManyRanges => f.write_str("its functions have too many ranges of addresses"),
            Error::TooManyRows => f.write_str("its line table has too many rows"),
            Error::TooManyAttributes(count) => write!(f, "an entry has {count} attributes"),
        }
    }
}
