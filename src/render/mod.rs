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

mod asserts;
mod blocks;
mod byte_map;
mod clean;
mod declare;
mod decode;
mod diff;
pub mod escape;
mod field_at;
mod find;
mod full_layout;
mod gdb_session;
pub mod history;
mod html;
mod in_order;
mod interleaving;
mod layout_svg;
mod lives;
pub mod lives_svg;
mod log;
mod markdown;
mod offsets;
pub mod report;
mod report_markdown;
pub mod style;
mod told;
pub mod trace;
mod wrap;
mod xml;

pub use clean::text as clean_text;
pub use decode::decode;
pub use diff::diff;
pub use field_at::field_at;
pub use find::{find, functions};
pub use gdb_session::gdb_session;
pub use html::html as report_html;
pub use log::log;
pub use markdown::markdown;
pub use report_markdown::markdown as report_markdown;

use std::fmt::{self, Write};

use crate::api::layout::{Layout, LayoutForm, LayoutMatch, OffsetsOf};
use escape::escape;
use style::DIM;

/// Layouts in one of their forms, styled, one under the other; where a name has several, each says
/// where it is from.
pub fn layout(answer: &OffsetsOf, form: LayoutForm) -> String {
    let mut page = match form {
        LayoutForm::Svg => return layout_svg::picture(&answer.matches),
        LayoutForm::Asserts => asserts::HEADER.to_owned(),
        LayoutForm::Script | LayoutForm::Layout | LayoutForm::Map => String::new(),
    };
    // Writing to a String cannot fail.
    let _ = write_matches(&mut page, &answer.matches, form);
    page
}

fn write_matches(page: &mut String, matches: &[LayoutMatch], form: LayoutForm) -> fmt::Result {
    for (position, found) in matches.iter().enumerate() {
        if position > 0 {
            writeln!(page)?;
        }
        if matches.len() > 1 && form != LayoutForm::Asserts {
            write_origin(page, position + 1, matches.len(), &found.layout)?;
        }
        match form {
            LayoutForm::Script => offsets::write(page, found)?,
            LayoutForm::Layout => full_layout::write(page, found)?,
            LayoutForm::Asserts => asserts::write(page, found, position)?,
            LayoutForm::Map => blocks::write(page, found)?,
            // Not a text of several parts: drawn as a whole.
            LayoutForm::Svg => {}
        }
    }
    Ok(())
}

/// Which of several definitions of one name this is.
fn write_origin(page: &mut String, number: usize, count: usize, layout: &Layout) -> fmt::Result {
    write!(page, "{DIM}// {number} of {count}")?;
    if let Some(declared) = &layout.declared_at {
        write!(page, ": {}:{}", escape(&declared.file), declared.line)?;
    }
    for source in &layout.binaries {
        let units = counted(source.units as u64, "unit");
        write!(page, ", {units} of {}", escape(&source.path))?;
    }
    writeln!(page, "{DIM:#}")
}

/// `1 unit`, `3 units`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The text without its styles.
pub fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}
