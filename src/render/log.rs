//! Records of several logs as text: each names the log it is of.

use std::fmt::Write;

use super::escape::escape;
use super::style::DIM;
use super::told;
use crate::trace::LogRecord;

/// The records in the order they are given, styled.
pub fn log(records: &[LogRecord]) -> String {
    let mut page = String::new();
    for record in records {
        if let Some(name) = &record.lines.piece {
            // Writing to a String cannot fail.
            let _ = write!(page, "{DIM}{}:{DIM:#} ", escape(name));
        }
        told::record(record).iter().for_each(|line| page.extend([line.as_str(), "\n"]));
    }
    page
}
