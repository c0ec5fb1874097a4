//! Which part of a path is below a person's home folder?
//!
//! The folder is replaced as a whole, project names in it included; the file's own name stays.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::names::pattern;
use super::placeholders::Placeholders;

/// The folders that hold home folders, with the person's name behind, and what is below it.
static HOME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r#"(?:/[\w.+-]+)*(?:/(?:home|Users)/(?P<user>[^/\s:,;"'`<>()\[\]{}]+)|/root\b)"#,
        r#"(?P<below>(?:/[^/\s:,;"'`<>()\[\]{}]*)*)"#
    ))
});

/// The text with each folder below a home as its placeholder.
pub(super) fn replace<'t>(text: &'t str, paths: &mut Placeholders) -> Cow<'t, str> {
    let Some(home) = HOME.as_ref().filter(|_| text.contains('/')) else { return text.into() };
    home.replace_all(text, |found: &Captures<'_>| {
        let (folder, file) = split(&found[0], found["below"].len());
        format!("{}{file}", paths.of(folder))
    })
}

/// The same for a text that is a path as a whole: names in it can have blanks.
pub(super) fn replace_whole(path: &str, paths: &mut Placeholders) -> Option<String> {
    let found = HOME.as_ref()?.captures(path)?;
    let below = found.name("below").filter(|_| found.get(0).is_some_and(|all| all.start() == 0))?;
    let (folder, file) = split(path, path.len() - below.start());
    Some(format!("{}{file}", paths.of(folder)))
}

/// The folder of a path, and `/FILE`; a home itself has no file.
fn split(path: &str, below: usize) -> (&str, &str) {
    let slash = path.rfind('/').filter(|_| below > 0).unwrap_or(path.len());
    path.split_at(slash)
}

/// The names of those whose homes the text has.
pub(super) fn users(text: &str) -> impl Iterator<Item = &str> {
    let home = HOME.as_ref().filter(|_| text.contains('/'));
    let homes = home.into_iter().flat_map(move |home| home.captures_iter(text));
    homes.filter_map(|found| found.name("user").map(|user| user.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_and_the_file_stays() {
        let mut paths = Placeholders::new("path");
        for (text, expected) in [
            ("at /home/alice/secret/src/f.c:7", "at <path-1>/f.c:7"),
            ("(/home/alice/secret/src/g.c+0x1)", "(<path-1>/g.c+0x1)"),
            ("cd /home/alice", "cd <path-2>"),
            ("/root/.ssh/id", "<path-3>/id"),
            ("/export/home/bob/x", "<path-4>/x"),
            ("/usr/lib/rooted/f.so", "/usr/lib/rooted/f.so"),
            ("/rootfs/x", "/rootfs/x"),
            ("a / b", "a / b"),
        ] {
            assert_eq!(replace(text, &mut paths), expected);
        }
        let whole = replace_whole("/home/alice/my files/x y.c", &mut paths);
        assert_eq!(whole.as_deref(), Some("<path-5>/x y.c"));
        assert_eq!(replace_whole("../home/alice/x", &mut paths), None);
        assert_eq!(users("/home/alice/a:/Users/bob").collect::<Vec<_>>(), ["alice", "bob"]);
    }
}
