//! In which forms does a project's own log print its lines?
//!
//! ```toml
//! [[log_format]]
//! name = "log"
//! line = '^(?<time>\S+Z) (?<program>[\w-]+): (?<text>.*)$'
//! ```

use serde::Deserialize;
use toml::Spanned;

use super::patterns::compile;
use super::problem::Flaw;
use crate::trace::{LineFormat, Reads};

/// One `[[log_format]]` or `[[frame_format]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    name: Spanned<String>,
    line: Spanned<String>,
    program: Option<Spanned<String>>,
}

/// The form of lines that a plugin of this name tells.
pub(super) fn read(keys: &Keys, reads: Reads, plugin: &str) -> Result<LineFormat, Flaw> {
    let name = keys.name.get_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        let what = format!("{name:?} is not the name of a format");
        return Err(Flaw::at(&keys.name, what, "use letters, digits and `-`"));
    }
    if let (Reads::Frame, Some(program)) = (reads, &keys.program) {
        let what = "a frame has no program";
        return Err(Flaw::at(program, what, "leave `program` out, or name the group `module`"));
    }
    let program = keys.program.as_ref().map(|program| program.get_ref().as_str());
    let hint = "mend the pattern; docs/notes.md lists the groups";
    let flaw = |what| Flaw::at(&keys.line, what, hint);
    let pattern = compile(keys.line.get_ref()).map_err(flaw)?;
    LineFormat::new(&format!("{plugin}/{name}"), reads, &pattern, program).map_err(flaw)
}
