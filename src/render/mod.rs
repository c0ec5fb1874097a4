//! How does an answer look as text?
//!
//! ```
//! use dbgmate::render::{plain, report};
//! # use dbgmate::{job::Job, notes::Plugins, trace::Trace, triage};
//! # let report = triage::report(&Job::new(), Trace::default(), Plugins::load(&[]).0.notes())?;
//! let styled = report::styled(&report); // for anstream, which knows whether to keep colours
//! let text = plain(&styled);            // for the wire
//! # assert!(text.starts_with("No known bug fits"));
//! # Ok::<(), dbgmate::job::Stopped>(())
//! ```
//!
//! Rule: functions of api structs that return text with the styles of [`style`] in it, whichever
//! client asks; what came from outside passes [`escape`] first.

pub mod escape;
mod full_layout;
mod interleaving;
mod offsets;
pub mod report;
pub mod style;
mod wrap;

use crate::api::layout::{LayoutForm, OffsetsOf};

/// Layouts in one of their forms, styled.
pub fn layout(answer: &OffsetsOf, form: LayoutForm) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = match form {
        LayoutForm::Script => offsets::write(&mut page, answer),
        LayoutForm::Layout => full_layout::write(&mut page, answer),
    };
    page
}

/// The text without its styles.
pub fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}
