//! What a name has to be: a glob, or between slashes a regular expression.

use globset::GlobBuilder;
use regex::bytes::RegexBuilder;

use crate::error::{Error, Kind};

/// A pattern may take so many bytes when it is compiled.
const MAX_PATTERN: usize = 1 << 20;

/// What a name has to be.
pub(super) enum Pattern {
    Glob(globset::GlobMatcher),
    Regex(regex::bytes::Regex),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Pattern, Error> {
        let bad = |why: String| {
            Error::new(Kind::Request, format!("{text:?} is no pattern: {why}"))
                .hint("a glob as in a shell, `libxl__ev_*`, or a regular expression, `/_ev_/`")
        };
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if let Some(expression) = inner.filter(|expression| !expression.is_empty()) {
            let regex = RegexBuilder::new(expression).size_limit(MAX_PATTERN).build();
            return regex.map(Pattern::Regex).map_err(|error| bad(error.to_string()));
        }
        let glob = GlobBuilder::new(text).build().map_err(|error| bad(error.to_string()))?;
        Ok(Pattern::Glob(glob.compile_matcher()))
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        match self {
            Pattern::Glob(glob) => glob.is_match(name),
            Pattern::Regex(regex) => regex.is_match(name.as_bytes()),
        }
    }
}

/// Whether a pattern is a name and nothing else.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
