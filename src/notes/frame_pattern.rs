//! Which frames does a note mean: by function, address, arguments, module and file?
//!
//! In TOML a string (`"strdup"`, `"remoteRelay*"` for names that begin so, `"??"` for a frame without
//! a name) or a table, whose `function` may list several. The function, `pc` and `args` must be there. `module`, `file` and `printed` narrow: a frame that prints another
//! one is not meant, a frame that prints none is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::address::RuntimeAddress;
use crate::public_name::public_name;

/// What a note says of one frame.
#[derive(Clone, Debug)]
pub(crate) struct FramePattern {
    /// Any of these.
    pub(crate) functions: Vec<Named>,
    /// The program counter.
    pub(crate) pc: Option<RuntimeAddress>,
    /// Argument to the value it must have; `*` is any argument.
    pub(crate) args: BTreeMap<String, String>,
    /// Argument to the value it must have where it is printed; `*` is every argument.
    pub(crate) printed: BTreeMap<String, String>,
    /// The program or library.
    pub(crate) module: Globs,
    /// The source file.
    pub(crate) file: Globs,
}

/// Which function a frame is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// None that is known: `??`.
    Nameless,
    /// One of this public name.
    Exactly(String),
    /// One whose public name begins so; with nothing, any.
    Beginning(String),
}

impl Named {
    fn read(written: &str) -> Named {
        match written.strip_suffix('*') {
            Some(beginning) => Named::Beginning(beginning.to_owned()),
            None if written == "??" => Named::Nameless,
            None => Named::Exactly(public_name(written).into_owned()),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Nameless => f.write_str("??"),
            Named::Exactly(name) => f.write_str(name),
            Named::Beginning(beginning) if beginning.is_empty() => f.write_str("any function"),
            Named::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(deserialize_with = "strings")]
    function: Vec<String>,
    pc: Option<RuntimeAddress>,
    #[serde(default)]
    args: BTreeMap<String, String>,
    #[serde(default)]
    printed: BTreeMap<String, String>,
    #[serde(default)]
    module: Globs,
    #[serde(default)]
    file: Globs,
}

impl From<Keys> for FramePattern {
    fn from(keys: Keys) -> Self {
        let Keys { function, pc, args, printed, module, file } = keys;
        let functions = function.iter().map(|name| Named::read(name)).collect();
        FramePattern { functions, pc, args, printed, module, file }
    }
}

impl FramePattern {
    /// Whether a frame of this public name, or of none, may be meant.
    pub(crate) fn is_of(&self, name: Option<&str>) -> bool {
        self.functions.iter().any(|meant| match (meant, name) {
            (Named::Nameless, name) => name.is_none(),
            (Named::Exactly(meant), Some(name)) => meant == name,
            (Named::Beginning(beginning), Some(name)) => name.starts_with(beginning.as_str()),
            (_, None) => false,
        })
    }

    /// The functions meant, where they are known by their whole names.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        let names = self.functions.iter().map(|meant| match meant {
            Named::Exactly(name) => Some(name.as_str()),
            Named::Nameless | Named::Beginning(_) => None,
        });
        names.collect()
    }

    /// Whether it pins down anything: a name or its beginning, an address, an argument.
    pub(crate) fn is_specific(&self) -> bool {
        let names_any = |meant: &Named| match meant {
            Named::Nameless => true,
            Named::Exactly(_) => false,
            Named::Beginning(beginning) => beginning.is_empty(),
        };
        self.pc.is_some() || !self.args.is_empty() || !self.functions.iter().any(names_any)
    }
}

impl<'de> Deserialize<'de> for FramePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = FramePattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a function's name, or a table with `function`")
            }

            fn visit_str<E>(self, name: &str) -> Result<FramePattern, E> {
                Ok(FramePattern::from(Keys {
                    function: vec![name.to_owned()],
                    pc: None,
                    args: BTreeMap::new(),
                    printed: BTreeMap::new(),
                    module: Globs::default(),
                    file: Globs::default(),
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FramePattern, A::Error> {
                Keys::deserialize(MapAccessDeserializer::new(map)).map(FramePattern::from)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl fmt::Display for FramePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.functions.iter().map(Named::to_string).collect();
        f.write_str(&names.join(" or "))?;
        if let Some(pc) = self.pc {
            write!(f, " at {pc}")?;
        }
        for (name, value) in &self.args {
            write!(f, " with {} = {value}", if name == "*" { "an argument" } else { name })?;
        }
        Ok(())
    }
}

/// Globs of file names: a path matches by what follows its last slash. None match everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globs(Vec<Checked>);

/// Names of files are shorter; what is far longer takes more memory to compile than a glob may.
const MAX_GLOB: usize = 1 << 10;

/// A glob that is known to be one. It is compiled when a name is first compared with it: most of a plugin's
/// never are.
#[derive(Clone, Debug)]
struct Checked {
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a string or a list of strings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        }
    }
}

/// For `#[serde(deserialize_with)]`: one string or a list of them.
pub(super) fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    OneOrMany::deserialize(deserializer).map(OneOrMany::into_vec)
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let checked: Result<Vec<Checked>, String> =
            strings(deserializer)?.iter().map(|glob| Checked::new(glob)).collect();
        checked.map(Globs).map_err(serde::de::Error::custom)
    }
}

impl Checked {
    /// One whose `*` stays within one path component.
    fn new(glob: &str) -> Result<Checked, String> {
        if glob.len() > MAX_GLOB {
            return Err(format!("a glob of {} bytes, more than {MAX_GLOB}", glob.len()));
        }
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        let glob = glob.map_err(|error| error.to_string())?;
        Ok(Checked { glob, matcher: OnceLock::new() })
    }

    fn is_match(&self, name: &str) -> bool {
        self.matcher.get_or_init(|| self.glob.compile_matcher()).is_match(name)
    }
}

impl Globs {
    /// Whether what the paste prints, if it prints anything, is among those meant.
    pub(crate) fn allow(&self, printed: Option<&str>) -> bool {
        self.0.is_empty() || printed.is_none_or(|path| self.contain(path))
    }

    /// Whether nothing is narrowed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the path's file name is one of those meant.
    pub(crate) fn contain(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.0.iter().any(|glob| glob.is_match(name))
    }
}

impl fmt::Display for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let globs: Vec<&str> = self.0.iter().map(|checked| checked.glob.glob()).collect();
        f.write_str(&globs.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        frame: FramePattern,
    }

    fn frame(toml: &str) -> Result<FramePattern, String> {
        toml::from_str::<File>(&format!("frame = {toml}"))
            .map(|file| file.frame)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_name_or_a_table() {
        assert!(frame("'__GI_abort'").unwrap().is_of(Some("abort")));
        let unknown = frame("{ function = '??', pc = '0x0' }").unwrap();
        assert!(unknown.is_of(None) && !unknown.is_of(Some("f")));
        assert_eq!(unknown.pc, Some(RuntimeAddress(0)));
        let either = frame("{ function = ['f', 'remote*'] }").unwrap();
        for (name, expected) in [("f", true), ("ff", false), ("remoteRelay", true), ("x", false)] {
            assert_eq!(either.is_of(Some(name)), expected, "{name}");
        }
        assert_eq!(either.to_string(), "f or remote*");
        assert!(frame("{ functoin = 'x' }").unwrap_err().contains("functoin"));
        assert!(frame("7").unwrap_err().contains("a function's name"));
        assert!(frame("{ function = 'f', module = '[' }").is_err());
        let long = format!("{{ function = 'f', module = '{}' }}", "?".repeat(2000));
        assert!(frame(&long).unwrap_err().contains("2000 bytes"));
    }

    #[test]
    fn a_module_that_is_not_printed_contradicts_nothing() {
        let globs = frame("{ function = 'f', module = 'libxenlight.so*' }").unwrap().module;
        assert!(globs.allow(None));
        assert!(globs.allow(Some("/usr/lib64/libxenlight.so.2.0")));
        assert!(!globs.allow(Some("/usr/lib/libother.so")));
        assert!(!globs.allow(Some("/libxenlight.so/other")));
    }
}
