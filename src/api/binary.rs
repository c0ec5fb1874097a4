//! `binary.*`: the binaries that are open.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::method;

method!(LoadMethod, "binary.load", LoadRequest => BinaryInfo,
    "Opens a binary and builds its index, so that later questions are answered at once.");
method!(ListMethod, "binary.list", ListRequest => Binaries,
    "Lists the binaries that are open.");

/// A binary by its path, or by its build-id when it is already open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BinaryRef {
    /// An absolute path.
    Path(String),
    /// A build-id in lower-case hexadecimal.
    BuildId(String),
}

/// By hand, since serde's own words for a second member name neither it nor those there are.
impl<'de> Deserialize<'de> for BinaryRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BinaryRef, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Members {
            path: Option<String>,
            build_id: Option<String>,
        }
        match Members::deserialize(deserializer)? {
            Members { path: Some(path), build_id: None } => Ok(BinaryRef::Path(path)),
            Members { path: None, build_id: Some(build_id) } => Ok(BinaryRef::BuildId(build_id)),
            _ => Err(D::Error::custom("a binary has either `path` or `build_id`")),
        }
    }
}

/// Which binary to open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadRequest {
    /// The binary.
    pub binary: BinaryRef,
}

/// Which part of the list is wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRequest {
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From where the last answer's `next` left off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binaries {
    /// The binaries, by path.
    pub binaries: Vec<BinaryInfo>,
    /// The cursor of the next part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One open binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BinaryInfo {
    /// Its absolute path.
    pub path: String,
    /// Its build-id in lower-case hexadecimal, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// The machine it is for, for instance `x86-64`.
    pub machine: String,
    /// Its size on disk, in bytes.
    pub size: u64,
    /// Where its debug info came from.
    pub debug_info: Provenance,
    /// The number of named types in its index; absent until a question needed the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<usize>,
    /// The number of compilation and type units.
    pub units: usize,
}

/// How debug info was found, or each place where it was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The file whose DWARF is used; absent when none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// How it was found: `inside` the binary, by `build-id`, by `debug-link`, in `debuginfod-cache`, or
    /// by `debuginfod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// The file with what it shares with others, as dwz makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplement: Option<String>,
    /// The places tried before it, with what was wrong there; those of a supplement too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
}

/// One place that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// The place.
    pub place: String,
    /// Why it did not serve.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_read_as_it_is_written() {
        for binary in [BinaryRef::Path("/x".to_owned()), BinaryRef::BuildId("ab".to_owned())] {
            let json = serde_json::to_string(&binary).unwrap();
            assert_eq!(serde_json::from_str::<BinaryRef>(&json).unwrap(), binary);
        }
    }

    #[test]
    fn a_binary_that_is_wrong_is_told_what_is_wrong() {
        for (json, why) in [
            (r#"{"path":"/x","x":1}"#, "unknown field `x`, expected `path` or `build_id`"),
            (r#"{"pth":"/x"}"#, "unknown field `pth`, expected `path` or `build_id`"),
            (r#"{"path":"/x","build_id":"ab"}"#, "either `path` or `build_id`"),
            ("{}", "either `path` or `build_id`"),
            (r#"{"path":7}"#, "invalid type: integer `7`, expected a string"),
            (r#""/x""#, "invalid type: string"),
        ] {
            let error = serde_json::from_str::<BinaryRef>(json).unwrap_err().to_string();
            assert!(error.contains(why), "{json}: {error}");
        }
    }
}
