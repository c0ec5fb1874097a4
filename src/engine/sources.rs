//! The lines of source around a place, read from the folders that are configured for it.
//!
//! Rule: the paths come from binaries, which anybody may have made: a file is read only where it
//! lies below a configured folder, links followed.

use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use super::binaries::lock;
use crate::binary::{Mapping, map_file};
use crate::config::SourceMap;
use crate::trace::SourceLine;

/// Longer lines are cut: they are data, not something to read.
const MAX_LINE: usize = 500;

/// At most so many lines are shown around a place.
const MAX_CONTEXT: u32 = 1000;

/// Source files that were asked for, for one question.
#[derive(Debug)]
pub(super) struct Sources<'c> {
    roots: Vec<PathBuf>,
    map: &'c [SourceMap],
    context: u32,
    known: Mutex<FxHashMap<String, Option<std::sync::Arc<Mapping>>>>,
}

impl<'c> Sources<'c> {
    /// So many lines before and after each place, from below these folders.
    pub(super) fn new(roots: &[PathBuf], map: &'c [SourceMap], context: u32) -> Sources<'c> {
        let roots = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
        let context = context.min(MAX_CONTEXT);
        Sources { roots, map, context, known: Mutex::default() }
    }

    /// The lines around `line` of the file that the compiler was told as `path`; none where it is
    /// not to be had.
    pub(super) fn around(&self, path: &str, line: u32) -> Option<Vec<SourceLine>> {
        let text = self.file(path)?;
        let first = line.saturating_sub(self.context).max(1);
        let count = (line.saturating_add(self.context) - first + 1) as usize;
        let lines = text.split(|byte| *byte == b'\n').zip(1..);
        let wanted = lines.skip(first as usize - 1).take(count);
        let lines: Vec<SourceLine> =
            wanted.map(|(text, line)| SourceLine { line, text: as_text(text) }).collect();
        // A file that has changed may be shorter.
        lines.iter().any(|shown| shown.line == line).then_some(lines)
    }

    fn file(&self, path: &str) -> Option<std::sync::Arc<Mapping>> {
        if let Some(known) = lock(&self.known).get(path) {
            return known.clone();
        }
        let found = self.places(path).find_map(|place| self.open(&place));
        lock(&self.known).insert(path.to_owned(), found.clone());
        found
    }

    /// Where a file may be: where its path is mapped to, as it is, and below each folder without
    /// the first parts of its path.
    fn places(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let path = normalized(Path::new(path));
        let mapped = self.map.iter().filter_map({
            let path = path.clone();
            move |map| Some(map.to.join(path.strip_prefix(&map.from).ok()?))
        });
        let parts: Vec<Component<'_>> =
            path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let ends: Vec<PathBuf> =
            (0..parts.len()).map(|skipped| parts.iter().skip(skipped).collect()).collect();
        let below = self
            .roots
            .iter()
            .flat_map(move |root| ends.iter().map(|end| root.join(end)).collect::<Vec<_>>());
        mapped.chain(std::iter::once(path)).collect::<Vec<_>>().into_iter().chain(below)
    }

    fn open(&self, place: &Path) -> Option<std::sync::Arc<Mapping>> {
        let real = place.canonicalize().ok()?;
        let is_below = self.roots.iter().any(|root| real.starts_with(root));
        is_below.then(|| map_file(&real).ok().map(std::sync::Arc::new))?
    }
}

/// A path without `.` and `..`, as text: `build/../src/a.c` is `src/a.c`. Compilers are told such
/// paths; where a link is among the folders it may be another file, which is seldom meant.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

fn as_text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = String::from_utf8_lossy(line.get(..MAX_LINE.min(line.len())).unwrap_or_default());
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_found_by_the_end_of_its_path_and_only_below_its_folders() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("libvirt");
        fs::create_dir_all(root.join("src/util")).unwrap();
        fs::write(root.join("src/util/a.c"), "one\ntwo\nthree\r\nfour\n").unwrap();
        fs::write(home.path().join("secret"), "s\n").unwrap();
        std::os::unix::fs::symlink(home.path().join("secret"), root.join("link.c")).unwrap();
        let roots = [root.clone()];
        let sources = Sources::new(&roots, &[], 1);
        let lines = |path: &str, line| {
            let lines = sources.around(path, line)?;
            Some(
                lines
                    .into_iter()
                    .map(|line| format!("{} {}", line.line, line.text))
                    .collect::<Vec<_>>(),
            )
        };
        let expected = Some(vec!["2 two".to_owned(), "3 three".to_owned(), "4 four".to_owned()]);
        assert_eq!(lines("/build/x/libvirt-9/build/../src/util/a.c", 3), expected);
        assert_eq!(lines(root.join("src/util/a.c").to_str().unwrap(), 3), expected);
        assert_eq!(lines("src/util/a.c", 9), None);
        assert_eq!(lines("/x/link.c", 1), None);
        assert_eq!(lines(home.path().join("secret").to_str().unwrap(), 1), None);
        assert_eq!(lines("../../../../etc/passwd", 1), None);
    }

    #[test]
    fn a_mapped_path_comes_first() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["new", "src"] {
            fs::create_dir(home.path().join(folder)).unwrap();
            fs::write(home.path().join(folder).join("a.c"), folder).unwrap();
        }
        let map = [SourceMap { from: "/build/src".into(), to: home.path().join("new") }];
        let roots = [home.path().to_owned()];
        let sources = Sources::new(&roots, &map, 0);
        assert_eq!(sources.around("/build/src/a.c", 1).unwrap()[0].text, "new");
        assert_eq!(sources.around("/other/src/a.c", 1).unwrap()[0].text, "src");
    }
}
