//! Binaries on the command line.

use std::path::Path;

use dbgmate::api::binary::{BinaryRef, Provenance};
use dbgmate::api::layout::Searched;
use dbgmate::error::{Error, Kind};

/// A binary by its absolute path. Links stay as they are, since the folder of a link is where people put
/// a library's companions.
pub(crate) fn absolute(path: impl AsRef<Path>) -> Result<BinaryRef, Error> {
    absolute_path(path.as_ref()).map(BinaryRef::Path)
}

/// The daemon has another working folder: it is sent absolute paths.
pub(crate) fn absolute_path(path: &Path) -> Result<String, Error> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Error::new(Kind::Unreadable, format!("{} cannot be found: {error}", path.display()))
    })?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::new(Kind::Request, format!("{path:?} is not text"))
            .hint("link to it by a name in UTF-8")),
    }
}

/// That there is no debug info, and where it was looked for.
pub(crate) fn without_debug_info(provenance: &Provenance) -> Option<String> {
    if provenance.used.is_some() {
        return None;
    }
    let tried = provenance.tried.iter().map(|tried| format!("{}: {}", tried.place, tried.why));
    let tried = tried.collect::<Vec<_>>().join("; ");
    Some(format!("no debug info, names are from the binary's symbols (tried {tried})"))
}

/// Where the answer comes from, for standard error.
pub(crate) fn provenance(all: &[Searched]) -> Vec<String> {
    let mut lines = Vec::new();
    for searched in all {
        let used = searched.debug_info.used.as_deref().unwrap_or("no file");
        if searched.definitions > 0 {
            let mut line = format!("from {}", searched.path);
            if used != searched.path {
                line.push_str(&format!(", debug info in {used}"));
            }
            if searched.because != "asked" {
                line.push_str(&format!(" ({})", searched.because));
            }
            lines.push(line);
        }
        if let Some(problem) = &searched.problem {
            lines.push(format!("{}: {problem}", searched.path));
        }
    }
    lines
}
