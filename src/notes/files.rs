//! Which files make up the plugins: those inside the program, and those in a person's folders?

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::problem::Problem;

/// What says that a folder is a plugin.
const MANIFEST: &str = "plugin.toml";

/// The table of assertion lines in a plugin's folder.
const LINES: &str = "assertion-lines.tsv";

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/plugins");

/// A plugin or note is text that a person wrote; more than this is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// One text file.
pub(super) struct TextFile {
    /// For messages.
    pub(super) path: String,
    pub(super) text: String,
}

/// The files of one plugin's folder.
pub(super) struct PluginFiles {
    /// The folder's name, which is the plugin's.
    pub(super) name: String,
    /// For messages.
    pub(super) folder: String,
    /// `plugin.toml`.
    pub(super) manifest: Option<TextFile>,
    /// `assertion-lines.tsv`.
    pub(super) lines: Option<TextFile>,
    /// `notes/*.toml` by their names without the ending, in order.
    pub(super) notes: Vec<(String, TextFile)>,
}

impl PluginFiles {
    /// Whether it is inside the program.
    pub(super) fn is_shipped(&self) -> bool {
        self.folder.starts_with("shipped:")
    }
}

/// The plugins inside the program.
pub(super) fn shipped() -> Vec<PluginFiles> {
    SHIPPED.dirs().map(shipped_plugin).collect()
}

/// Each `plugin.toml`, shipped and in these folders, with its folder's name; the later of two are to be used.
pub(super) fn manifests(folders: &[PathBuf]) -> Vec<(String, TextFile)> {
    let shipped = SHIPPED.dirs().filter_map(|folder| {
        let manifest = folder.get_file(folder.path().join(MANIFEST)).and_then(shipped_file)?;
        Some((folder.path().display().to_string(), manifest))
    });
    let mut problems = Vec::new();
    let mut own = Vec::new();
    for folder in folders.iter().flat_map(|folder| plugin_folders(folder, &mut problems)) {
        let name = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        own.extend(name.zip(read(&folder.join(MANIFEST), &mut Vec::new())));
    }
    shipped.chain(own).collect()
}

fn shipped_file(file: &include_dir::File<'_>) -> Option<TextFile> {
    let text = file.contents_utf8()?.to_owned();
    Some(TextFile { path: format!("shipped:{}", file.path().display()), text })
}

fn shipped_plugin(folder: &Dir<'_>) -> PluginFiles {
    let notes = folder.get_dir(folder.path().join("notes"));
    let mut notes: Vec<(String, TextFile)> = notes
        .into_iter()
        .flat_map(Dir::files)
        .filter_map(|file| Some((note_name(file.path())?, shipped_file(file)?)))
        .collect();
    notes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    PluginFiles {
        name: folder.path().display().to_string(),
        folder: format!("shipped:{}", folder.path().display()),
        manifest: folder.get_file(folder.path().join(MANIFEST)).and_then(shipped_file),
        lines: folder.get_file(folder.path().join(LINES)).and_then(shipped_file),
        notes,
    }
}

/// The text of a note inside the program.
pub(super) fn shipped_text(id: &str) -> Option<&'static str> {
    let (plugin, name) = id.split_once('/')?;
    SHIPPED.get_file(format!("{plugin}/notes/{name}.toml"))?.contents_utf8()
}

/// The plugins in a folder, or the plugin that it is itself; none where the folder does not exist,
/// which is the usual case.
pub(super) fn in_folder(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PluginFiles> {
    let folders = plugin_folders(folder, problems);
    folders.iter().filter_map(|folder| plugin_in(folder, problems)).collect()
}

fn plugin_folders(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    if is_plugin(folder) {
        return vec![folder.to_owned()];
    }
    let mut folders = children(folder, problems);
    folders.retain(|path| path.is_dir() && !is_hidden(path));
    folders
}

/// A folder with a manifest, or with notes; a plugin may be called `notes`.
fn is_plugin(folder: &Path) -> bool {
    let notes = folder.join("notes");
    let has_notes = || {
        let mut entries = fs::read_dir(&notes).into_iter().flatten().flatten();
        entries.any(|entry| note_name(&entry.path()).is_some())
    };
    folder.join(MANIFEST).is_file() || !notes.join(MANIFEST).exists() && has_notes()
}

fn plugin_in(folder: &Path, problems: &mut Vec<Problem>) -> Option<PluginFiles> {
    let name = folder.file_name()?.to_str()?.to_owned();
    let mut optional = |name: &str| {
        let path = folder.join(name);
        path.exists().then(|| read(&path, problems)).flatten()
    };
    let (manifest, lines) = (optional(MANIFEST), optional(LINES));
    let notes = children(&folder.join("notes"), problems)
        .iter()
        .filter_map(|path| Some((note_name(path)?, read(path, problems)?)))
        .collect();
    Some(PluginFiles { name, folder: folder.display().to_string(), manifest, lines, notes })
}

/// The entries of a folder in the order of their names.
fn children(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(unreadable(folder, &error.to_string()));
            return Vec::new();
        }
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    paths
}

/// `.git` and the like.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn note_name(path: &Path) -> Option<String> {
    let is_note = path.extension().is_some_and(|extension| extension == "toml");
    is_note.then(|| path.file_stem()?.to_str().map(str::to_owned)).flatten()
}

/// Reads a regular file of a sensible size: a FIFO in a note's place would never end.
fn read(path: &Path, problems: &mut Vec<Problem>) -> Option<TextFile> {
    let text = match fs::metadata(path) {
        Ok(facts) if !facts.is_file() => Err("it is not a regular file".to_owned()),
        Ok(facts) if facts.len() > MAX_FILE_BYTES => {
            Err(format!("it has {} bytes, more than {MAX_FILE_BYTES}", facts.len()))
        }
        Ok(_) => fs::read_to_string(path).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match text {
        Ok(text) => Some(TextFile { path: path.display().to_string(), text }),
        Err(why) => {
            problems.push(unreadable(path, &why));
            None
        }
    }
}

fn unreadable(path: &Path, why: &str) -> Problem {
    Problem {
        file: path.display().to_string(),
        line: None,
        what: format!("it cannot be read: {why}"),
        hint: "make it a readable text file, or take it out of the plugin folder".to_owned(),
    }
}
