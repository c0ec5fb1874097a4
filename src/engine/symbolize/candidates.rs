//! Which binaries could be a module of a paste?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::binary::BinaryRef;
use crate::api::symbols::{PlacedModule, Symbolized, UnusedBinary};
use crate::binary::debuginfod::Reach;
use crate::engine::Engine;
use crate::engine::binaries::Opened;
use crate::error::Error;
use crate::job::Job;
use crate::trace::{EventKind, Trace};

/// The binaries to choose from.
#[derive(Debug)]
pub(super) struct Candidates<'e> {
    engine: &'e Engine,
    job: &'e Job,
    /// Those that the question names: asked first, and for the program itself.
    named: Vec<Arc<Opened>>,
    /// Those that are configured, that plugins know, and that the named ones load.
    known: Vec<PathBuf>,
    /// The programs that the paste names.
    programs: Vec<PathBuf>,
}

/// A binary that was opened, or why it could not be.
pub(super) type Candidate = (PathBuf, Result<Arc<Opened>, Error>);

impl<'e> Candidates<'e> {
    /// Opens what the question names.
    pub(super) fn new(
        engine: &'e Engine,
        job: &'e Job,
        references: &[BinaryRef],
        trace: &Trace,
    ) -> Result<Candidates<'e>, Error> {
        let named = references
            .iter()
            .map(|binary| engine.open(job, binary))
            .collect::<Result<Vec<_>, _>>()?;
        let loaded = named.iter().flat_map(|opened| engine.loaded_by(job, opened));
        let mut known: Vec<PathBuf> = loaded.map(|known| known.path).collect();
        known.extend(engine.known_binaries().into_iter().map(|known| known.path));
        Ok(Candidates { engine, job, named, known, programs: programs(trace) })
    }

    /// The binaries that could be the module of this name, or of one of these build-ids, the likeliest
    /// first.
    pub(super) fn of(&self, module: Option<&str>, build_ids: &[&str]) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        let mut add = |path: PathBuf, opened: Result<Arc<Opened>, Error>| {
            let same = |(other, _): &Candidate| {
                *other == path || other.canonicalize().ok() == path.canonicalize().ok()
            };
            if !found.iter().any(same) {
                found.push((path, opened));
            }
        };
        for opened in &self.named {
            let is_it = match module {
                Some(name) => is_named(opened, name),
                None => {
                    let identity = opened.binary().identity();
                    identity.is_program || (self.named.len() == 1 && identity.soname.is_none())
                }
            };
            if is_it {
                add(opened.binary().path().to_owned(), Ok(Arc::clone(opened)));
            }
        }
        let elsewhere: Vec<PathBuf> = match module {
            Some(name) => {
                let stem = stem(file_name(name));
                let alike = |path: &&PathBuf| stem == self::stem(&path_name(path));
                let printed = Path::new(name).is_absolute().then(|| PathBuf::from(name));
                printed.into_iter().chain(self.known.iter().filter(alike).cloned()).collect()
            }
            None => self.programs.clone(),
        };
        for path in elsewhere.into_iter().filter(|path| path.is_file()) {
            match self.engine.binaries.open(self.job, &path, Reach::Servers) {
                Ok(opened) if module.is_none_or(|name| is_named(&opened, name)) => {
                    add(path, Ok(opened));
                }
                Ok(_) => {}
                Err(error) => add(path, Err(error.into())),
            }
        }
        for twin in self.twins(&found, build_ids) {
            found.push((twin.binary().path().to_owned(), Ok(twin)));
        }
        found
    }

    /// The named binaries, whatever their names, of the same build as one that was found: a folder of
    /// debug files calls them by their build-ids.
    fn twins(&self, found: &[Candidate], build_ids: &[&str]) -> Vec<Arc<Opened>> {
        let others: Vec<&Arc<Opened>> =
            found.iter().filter_map(|(_, opened)| opened.as_ref().ok()).collect();
        let is_twin = |opened: &&Arc<Opened>| {
            let Some(own) = opened.binary().build_id() else { return false };
            let is_listed = || build_ids.contains(&own.to_string().as_str());
            !others.iter().any(|other| Arc::ptr_eq(other, opened))
                && (others.iter().any(|other| other.binary().build_id() == Some(own))
                    || is_listed())
        };
        self.named.iter().filter(is_twin).cloned().collect()
    }

    /// The named binaries that no module was looked for in.
    pub(super) fn unused(&self, answer: &Symbolized) -> Vec<UnusedBinary> {
        let unused = |opened: &&Arc<Opened>| {
            let path = opened.binary().path().display().to_string();
            let own = opened.binary().build_id().map(ToString::to_string);
            let is_it =
                |other: &str, id: &Option<String>| other == path || (own.is_some() && *id == own);
            let placed = answer.modules.iter().any(|module| is_it(&module.path, &module.build_id));
            let tried = answer.refused.iter().flat_map(|module| &module.tried);
            !placed && !tried.into_iter().any(|tried| is_it(&tried.path, &tried.build_id))
        };
        let why = |opened: &Arc<Opened>| {
            let takes = |module: &&PlacedModule| match module.name.as_deref() {
                Some(name) => is_named(opened, name),
                None => opened.binary().identity().is_program,
            };
            UnusedBinary {
                path: opened.binary().path().display().to_string(),
                instead: answer.modules.iter().find(takes).map(|module| module.path.clone()),
            }
        };
        self.named.iter().filter(unused).map(why).collect()
    }
}

/// Whether a binary goes by the name that a paste has for a module: its file name, or the name that
/// others know the library by. Another version of the library is taken too: the code decides.
pub(super) fn is_named(opened: &Opened, name: &str) -> bool {
    let wanted = stem(file_name(name));
    names_of(opened).iter().any(|other| stem(other) == wanted)
}

/// The names that a binary goes by.
pub(super) fn names_of(opened: &Opened) -> Vec<String> {
    let binary = opened.binary();
    let soname = binary.identity().soname.clone();
    std::iter::once(path_name(binary.path())).chain(soname).collect()
}

/// The name without folders, and without what is said of a file that is gone.
pub(super) fn file_name(name: &str) -> &str {
    let name = name.strip_suffix(" (deleted)").unwrap_or(name);
    name.rsplit('/').next().unwrap_or(name)
}

fn path_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `libvirt.so` for `libvirt.so.0.9000.0` and for `libvirt.so.0.debug`.
pub(super) fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".debug").unwrap_or(name);
    match name.find(".so.") {
        Some(at) => name.get(..at + 3).unwrap_or(name),
        None => name,
    }
}

/// The programs that the paste says it is of.
fn programs(trace: &Trace) -> Vec<PathBuf> {
    let named = trace.events.iter().filter_map(|event| match &event.what {
        EventKind::Assertion { program, .. } => program.as_deref(),
        EventKind::Program { path } => Some(path),
        _ => None,
    });
    let mut programs: Vec<PathBuf> = Vec::new();
    for program in named.map(Path::new).filter(|program| program.is_absolute()) {
        if !programs.iter().any(|other| other == program) {
            programs.push(program.to_owned());
        }
    }
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_folder_and_version() {
        for (name, expected) in [
            ("/lib/x86_64-linux-gnu/libc.so.6", "libc.so"),
            ("libvirt.so.0.9000.0", "libvirt.so"),
            ("libvirt_driver_libxl.so", "libvirt_driver_libxl.so"),
            ("/usr/sbin/libvirtd (deleted)", "libvirtd"),
            ("libvirt.so.0.debug", "libvirt.so"),
            ("/a b/c", "c"),
        ] {
            assert_eq!(stem(file_name(name)), expected, "{name}");
        }
    }
}
