//! Which known bug does this trace show, and by which evidence?
//!
//! ```
//! use dbgmate::{job::Job, notes::Plugins, trace::{self, Piece}, triage};
//!
//! let (plugins, _) = Plugins::load(&[]);
//! let trace = trace::parse(&Job::new(), &[Piece::unnamed("#0  main () at hello.c:3\n")])?;
//! let report = triage::report(&Job::new(), trace, plugins.notes())?;
//! assert!(report.notes.is_empty());
//! # Ok::<(), dbgmate::job::Stopped>(())
//! ```
//!
//! Rule: a function of a trace and the notes; no I/O. A note is in the report only when everything
//! that one of its signatures requires is in the paste, with the lines that show it.

mod decisive;
mod facts;
mod frames;
mod how;
mod identity;
mod in_text;
mod lives;
mod locks;
mod number;
mod predicates;
mod program;
mod recursion;
mod releases;
mod report;
mod scope;
mod signatures;
mod threads;
mod values;

pub use crate::history::Seen;
pub use crate::notes::{
    Affected, Claim, Confidence, Fix, Interleaving, LifeState, LifeStep, Rank, Setting, Step,
};
pub use identity::Identity;
pub use lives::{LifeEvent, ObjectLife};
pub use releases::{ReleaseTold, ReleaseVerdict};
pub use report::{Ask, Evidence, MatchedNote, Missing, Report, Verdict};

use crate::job::{Job, Stopped};
use crate::notes::Notes;
use crate::trace::Trace;

/// Matches the trace against every note. Best first: by rank, then by how much of the paste speaks
/// for it, then by how much the signature pins down, then by id.
pub fn report(job: &Job, trace: Trace, notes: &Notes) -> Result<Report, Stopped> {
    job.check()?;
    // What binaries say of its addresses counts as if it had been printed.
    let expanded = trace.expanded();
    let facts = facts::Facts::of(job, &expanded, notes)?;
    let told = releases::told(&facts, notes.versions());
    let mut matched = Vec::new();
    for note in notes.candidates(facts.clues()) {
        job.check()?;
        matched.extend(signatures::best(&facts, note, &told));
    }
    // A search that was told to stop has left things out.
    job.check()?;
    matched.sort_by(|a, b| a.order().cmp(&b.order()));
    let found = matched.into_iter().map(|matched| matched.into_note()).collect();
    let identity = identity::of(&facts, notes.ignored());
    let objects = facts.lives;
    drop(expanded);
    Ok(Report { trace, notes: found, objects, identity, seen: None })
}

#[cfg(test)]
mod index_tests;
#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod release_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thread_tests;
