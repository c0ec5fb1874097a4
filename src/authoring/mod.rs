//! How does a person write a note that works?
//!
//! ```
//! use dbgmate::authoring::propose;
//! use dbgmate::{job::Job, notes::Plugins, trace::{self, Piece}};
//!
//! let paste = "prog: a.c:7: work: Assertion `left > 0' failed.";
//! let trace = trace::parse(&Job::new(), &[Piece::unnamed(paste)])?;
//! let (plugins, _) = Plugins::load(&[]);
//! let note = propose(&trace, plugins.notes(), "mine/work", "examples/work.txt").unwrap();
//! assert!(note.contains(r#"assertion = "left > 0", function = "work""#));
//! # Ok::<(), dbgmate::job::Stopped>(())
//! ```
//!
//! Rule: what is proposed is what the paste shows; what only a person knows is left for them to say.

mod check;
mod proposal;
mod telling;

pub use check::{Checked, Finding, Level, check};
pub use proposal::propose;

#[cfg(test)]
mod tests;
