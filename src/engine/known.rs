//! Which binaries matter when a question names none, and which belong to one that it names.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};

use super::Engine;
use super::binaries::Opened;
use super::installed::{Folder, matchers};
use crate::binary::debuginfod::Reach;
use crate::job::Job;
use crate::notes::Plugin;

/// Where programs are, besides the folders of shared libraries.
const PROGRAM_FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/usr/libexec",
    "/usr/lib/xen/bin",
];

/// A binary that is looked into, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its path.
    pub path: PathBuf,
    /// Why it is looked into.
    pub because: Because,
}

/// Why a binary is looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The question names it.
    Asked,
    /// The configuration names it.
    Configured,
    /// This plugin names it.
    Plugin(String),
    /// The dynamic linker loads it for this binary.
    NeededBy(PathBuf),
    /// The programs of this plugin load it.
    ModuleOf(String),
}

impl Because {
    /// Whether it is looked into only since another one loads it.
    pub(super) fn is_loaded(&self) -> bool {
        matches!(self, Because::NeededBy(_) | Because::ModuleOf(_))
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Asked => f.write_str("asked"),
            Because::Configured => f.write_str("configured"),
            Because::Plugin(name) => write!(f, "plugin {name}"),
            Because::NeededBy(path) => write!(f, "needed by {}", path.display()),
            Because::ModuleOf(name) => write!(f, "a module of plugin {name}"),
        }
    }
}

impl Engine {
    /// The configured binaries; where none is configured, those the plugins name and the system has.
    pub fn known_binaries(&self) -> Vec<Known> {
        let configured = self.config().binaries.iter();
        let configured: Vec<Known> = configured
            .map(|path| Known { path: path.clone(), because: Because::Configured })
            .collect();
        if !configured.is_empty() {
            return configured;
        }
        let programs = PROGRAM_FOLDERS.iter().map(Path::new);
        let libraries = self.libraries().folders().iter().map(PathBuf::as_path);
        let folders: Vec<&Path> = programs.chain(libraries).collect();
        self.installed.now(&self.plugins_alone(), &folders)
    }

    /// The binaries that `opened` loads: its needed libraries, theirs in turn, and the modules of
    /// the plugins that it belongs to.
    pub(super) fn loaded_by(&self, job: &Job, opened: &Opened) -> Vec<Known> {
        let start = opened.binary().path().to_owned();
        let mut found = self.modules_of(&start);
        let mut seen: BTreeSet<PathBuf> = found.iter().map(|known| known.path.clone()).collect();
        seen.insert(start.clone());
        let mut queue = VecDeque::from([start]);
        queue.extend(found.iter().map(|known| known.path.clone()));
        while let Some(path) = queue.pop_front() {
            let Ok(binary) = self.binaries.open(job, &path, Reach::Cache) else { continue };
            for needed in self.libraries().needed_by(binary.binary()) {
                if seen.insert(needed.clone()) {
                    let because = Because::NeededBy(path.clone());
                    found.push(Known { path: needed.clone(), because });
                    queue.push_back(needed);
                }
            }
        }
        found
    }

    /// What a program opens at run time, by its plugins: in the library folders as the plugin says,
    /// or beside the program as in a build tree.
    fn modules_of(&self, path: &Path) -> Vec<Known> {
        let (Some(name), Some(own)) = (path.file_name(), path.parent()) else { return Vec::new() };
        let is_its = |plugin: &&Plugin| {
            matchers(&plugin.binaries).iter().any(|glob| glob.is_match(Path::new(name)))
        };
        let mut found = Vec::new();
        for plugin in self.plugins_alone().iter().filter(is_its) {
            for module in &plugin.modules {
                let module = Path::new(module);
                let globs = module.file_name().and_then(|name| name.to_str()).map(str::to_owned);
                let globs = matchers(globs.as_slice());
                let below = module.parent().unwrap_or(Path::new(""));
                let libraries = self.libraries().folders().iter().map(|folder| folder.join(below));
                for file in std::iter::once(own.to_owned()).chain(libraries) {
                    let files = Folder::read(&file).matching(&globs);
                    let files = files.into_iter().filter(|file| file != path);
                    let because = Because::ModuleOf(plugin.name.clone());
                    found.extend(files.map(|path| Known { path, because: because.clone() }));
                }
            }
        }
        found
    }
}
