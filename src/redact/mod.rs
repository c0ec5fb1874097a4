//! What in a trace is of one machine or one person, and how does the trace read without it?
//!
//! ```
//! use dbgmate::{job::Job, redact, trace::{self, Piece}};
//!
//! let text = "#0  0x00007f5fba7a8133 in f (name=0x7f5f40 \"vm1\") at /home/alice/src/f.c:7\n";
//! let mut trace = trace::parse(&Job::new(), &[Piece::unnamed(text)])?;
//! redact::addresses(&mut trace);
//! let replaced = redact::private(&mut trace);
//! let frame = &trace.stacks[0].frames[0];
//! assert_eq!(frame.file.as_deref(), Some("<path-1>/f.c"));
//! assert_eq!(frame.arguments[0].value.text, "<address-1> \"<string-1>\"");
//! assert_eq!((replaced.paths.times, replaced.strings.times), (1, 1));
//! # Ok::<(), dbgmate::job::Stopped>(())
//! ```
//!
//! Rule: a placeholder stands for one text throughout a trace, so that what was equal still is.
//! What the program itself says stays: names of functions and files, and the words of an assertion.
//! Whoever passes a trace on looks it over: a name that nothing marks as one is not found.

mod addresses;
mod names;
mod paths;
mod placeholders;
mod private;
mod quoted;
mod visit;

pub use addresses::addresses;
pub use placeholders::Count;
pub use private::{Replaced, private};
