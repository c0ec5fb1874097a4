//! Binaries on the command line.

use std::path::PathBuf;

use dbgmate::api::binary::{BinaryRef, Provenance};
use dbgmate::error::{Error, Kind};

/// The daemon has another working folder: it is sent absolute paths. Links stay as they are, since
/// the folder of a link is where people put a library's companions.
pub(crate) fn absolute(path: &PathBuf) -> Result<BinaryRef, Error> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Error::new(Kind::Unreadable, format!("{} cannot be found: {error}", path.display()))
    })?;
    match absolute.to_str() {
        Some(text) => Ok(BinaryRef::Path(text.to_owned())),
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
