//! Which functions tell nothing of a crash, since any crash may have them?
//!
//! What stands between a defect and the end of its program: `raise`, `abort`, `__assert_fail`; and
//! what begins every thread. A crash is not known by them.

use rustc_hash::FxHashSet;
use toml::Spanned;

use super::problem::Flaw;

/// Names of functions, in public form, and beginnings of names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignored {
    names: FxHashSet<String>,
    beginnings: Vec<String>,
}

impl Ignored {
    /// Reads the `ignore` list of a plugin: names, and beginnings of names with a `*` behind.
    pub(super) fn read(list: Vec<Spanned<String>>) -> Result<Ignored, Flaw> {
        let mut ignored = Ignored::default();
        for item in list {
            let text = item.get_ref();
            let (name, is_beginning) =
                text.strip_suffix('*').map_or((text.as_str(), false), |start| (start, true));
            if name.is_empty() || name.contains(['*', ' ']) {
                let what = format!("{text:?} is not the name of a function");
                let hint = "write a name, or the beginning of one with a `*` behind";
                return Err(Flaw::at(&item, what, hint));
            }
            if is_beginning {
                ignored.beginnings.push(name.to_owned());
            } else {
                ignored.names.insert(name.to_owned());
            }
        }
        Ok(ignored)
    }

    /// What any of these ignores.
    pub(super) fn all(several: impl Iterator<Item = Ignored>) -> Ignored {
        let mut all = Ignored::default();
        for ignored in several {
            all.names.extend(ignored.names);
            all.beginnings.extend(ignored.beginnings);
        }
        all
    }

    /// Whether the function of this public name tells nothing.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
            || self.beginnings.iter().any(|start| name.starts_with(start.as_str()))
    }
}
