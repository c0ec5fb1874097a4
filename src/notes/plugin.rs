//! Which binaries belong to a project, what do they load at run time, what tells its releases, and how are its
//! logs printed?

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::files;
use super::ignored::Ignored;
use super::line_format;
use super::objects::{ObjectKeys, ObjectRule};
use super::problem::Flaw;
use super::versions::{VersionKeys, VersionRule};
use crate::trace::{LineFormat, Reads};

/// One project, as its `plugin.toml` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// The plugin's name: that of its folder.
    pub name: String,
    /// Globs of the file names of its programs and libraries.
    pub binaries: Vec<String>,
    /// Globs of what they open at run time, relative to the folders that hold libraries.
    pub modules: Vec<String>,
}

impl Plugin {
    /// The plugins that are shipped and those in `folders`, without reading their notes: that would take twenty
    /// times as long. What is wrong with one, [`Plugins::load`](super::Plugins::load) tells.
    pub fn all(folders: &[PathBuf]) -> Vec<Plugin> {
        let mut plugins = BTreeMap::new();
        for (name, file) in files::manifests(folders) {
            if let Ok(manifest) = Manifest::read(&file.text, &name) {
                plugins.insert(name, manifest.plugin);
            }
        }
        plugins.into_values().collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: Spanned<String>,
    #[serde(default)]
    binaries: Vec<Spanned<String>>,
    #[serde(default)]
    modules: Vec<Spanned<String>>,
    #[serde(default, rename = "log_format")]
    log_formats: Vec<line_format::Keys>,
    #[serde(default, rename = "frame_format")]
    frame_formats: Vec<line_format::Keys>,
    /// The project whose releases it knows; the plugin's own name where it is not given.
    project: Option<String>,
    #[serde(default, rename = "version")]
    versions: Vec<Spanned<VersionKeys>>,
    #[serde(default, rename = "object")]
    objects: Vec<ObjectKeys>,
    #[serde(default)]
    ignore: Vec<Spanned<String>>,
}

/// A plugin as its manifest tells it.
pub(super) struct Manifest {
    pub(super) plugin: Plugin,
    /// The forms of lines in its logs and traces.
    pub(super) line_formats: Vec<LineFormat>,
    /// The project whose releases it knows.
    pub(super) project: String,
    pub(super) versions: Vec<VersionRule>,
    pub(super) objects: Vec<ObjectRule>,
    /// The functions that tell nothing of a crash.
    pub(super) ignored: Ignored,
    /// What is wrong with forms of lines, which are left out.
    pub(super) flaws: Vec<Flaw>,
}

impl Manifest {
    /// Reads a `plugin.toml` from the folder of this name. A form of lines that cannot be used is left out,
    /// with what is wrong with it.
    pub(super) fn read(text: &str, folder: &str) -> Result<Manifest, Flaw> {
        let keys: Keys = toml::from_str(text)?;
        if keys.name.get_ref() != folder {
            let what =
                format!("the plugin is called {:?}, its folder {folder:?}", keys.name.get_ref());
            return Err(Flaw::at(&keys.name, what, "give both the same name"));
        }
        let binaries = keys.binaries.into_iter().map(|glob| checked(glob, Slash::Forbidden));
        let modules = keys.modules.into_iter().map(|glob| checked(glob, Slash::Allowed));
        let plugin = Plugin {
            binaries: binaries.collect::<Result<_, _>>()?,
            modules: modules.collect::<Result<_, _>>()?,
            name: keys.name.into_inner(),
        };
        let (mut line_formats, mut flaws) = (Vec::new(), Vec::new());
        let records = keys.log_formats.iter().map(|keys| (keys, Reads::Record));
        let frames = keys.frame_formats.iter().map(|keys| (keys, Reads::Frame));
        for (keys, reads) in records.chain(frames) {
            match line_format::read(keys, reads, folder) {
                Ok(format) => line_formats.push(format),
                Err(flaw) => flaws.push(flaw),
            }
        }
        let project = keys.project.unwrap_or_else(|| plugin.name.clone());
        let versions = keys.versions.into_iter().map(|keys| VersionRule::read(keys, &project));
        let versions = versions.collect::<Result<_, _>>()?;
        let objects = keys.objects.into_iter().map(ObjectRule::read).collect::<Result<_, _>>()?;
        let ignored = Ignored::read(keys.ignore)?;
        Ok(Manifest { plugin, line_formats, project, versions, objects, ignored, flaws })
    }
}

/// Whether a glob may name folders.
#[derive(PartialEq)]
enum Slash {
    Allowed,
    Forbidden,
}

/// A glob that compiles and stays below the folder it is looked for in.
fn checked(glob: Spanned<String>, slash: Slash) -> Result<String, Flaw> {
    let text = glob.get_ref();
    if let Err(error) = globset::Glob::new(text) {
        return Err(Flaw::at(&glob, error.to_string(), "write a glob such as `libfoo.so*`"));
    }
    if text.is_empty() || (slash == Slash::Forbidden && text.contains('/')) {
        let what = format!("{text:?} is not a glob of file names");
        return Err(Flaw::at(&glob, what, "give the name without its folder"));
    }
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        let what = format!("{text:?} leaves the library folders");
        return Err(Flaw::at(&glob, what, "write it relative to a library folder"));
    }
    Ok(glob.into_inner())
}
