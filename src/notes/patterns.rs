//! Which patterns of the notes match a text, however many notes there are?
//!
//! Nearly every pattern needs some words to be there as they are written. One pass over the text
//! finds the words of all patterns at once (Aho-Corasick); only patterns whose words were found are
//! then run. Rule: a pattern is compiled when it is first run, and within bounds.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

/// What one compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 18;

/// The shortest words worth looking for.
const SHORTEST: usize = 3;

/// The most alternatives of one pattern that are looked for each.
const MOST_WORDS: usize = 16;

/// Patterns, each once.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    texts: Vec<String>,
    compiled: Vec<OnceLock<Option<Regex>>>,
    words: Option<AhoCorasick>,
    /// The patterns that need the word of each number.
    by_word: Vec<Vec<usize>>,
    /// The patterns that need no word.
    wordless: Vec<usize>,
}

impl Patterns {
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p str>) -> Result<Self, String> {
        let mut texts: Vec<String> = patterns.map(str::to_owned).collect();
        texts.sort_unstable();
        texts.dedup();
        let (mut words, mut wordless) = (Vec::new(), Vec::new());
        for (number, text) in texts.iter().enumerate() {
            match words_of(text) {
                Some(needed) => words.extend(needed.into_iter().map(|word| (word, number))),
                None => wordless.push(number),
            }
        }
        words.sort_unstable();
        let mut by_word: Vec<Vec<usize>> = Vec::new();
        let mut distinct: Vec<Vec<u8>> = Vec::new();
        for (word, number) in words {
            if distinct.last() != Some(&word) {
                distinct.push(word);
                by_word.push(Vec::new());
            }
            by_word.last_mut().into_iter().for_each(|patterns| patterns.push(number));
        }
        let words = (!distinct.is_empty()).then(|| AhoCorasick::new(&distinct)).transpose();
        let words = words.map_err(|error| error.to_string())?;
        let compiled = texts.iter().map(|_| OnceLock::new()).collect();
        Ok(Patterns { texts, compiled, words, by_word, wordless })
    }

    /// None at all.
    pub(super) fn none() -> Self {
        let (texts, compiled, by_word, wordless) = Default::default();
        Patterns { texts, compiled, words: None, by_word, wordless }
    }

    /// The patterns that match the text.
    pub(crate) fn matching(&self, text: &str) -> impl Iterator<Item = &str> {
        let found = self.words.iter().flat_map(|words| words.find_overlapping_iter(text));
        let needing = found.filter_map(|word| self.by_word.get(word.pattern().as_usize()));
        let mut numbers: Vec<usize> = needing.flatten().chain(&self.wordless).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|number| self.regex(*number).is_some_and(|regex| regex.is_match(text)));
        numbers.into_iter().filter_map(|number| self.texts.get(number).map(String::as_str))
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn regex(&self, number: usize) -> Option<&Regex> {
        let text = self.texts.get(number)?;
        self.compiled.get(number)?.get_or_init(|| compile(text).ok()).as_ref()
    }
}

/// Compiles a pattern within the bounds set for one.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(|error| {
        // The crate draws the place over several lines; the last says what it is.
        let drawn = error.to_string();
        let reason = drawn.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("the pattern {pattern:?} cannot be used: {reason}")
    })
}

/// Words of which one is in every text that the pattern matches.
fn words_of(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    needed(&hir).filter(|words| words.iter().all(|word| word.len() >= SHORTEST))
}

/// The same of a part of a pattern: of parts in a row the one with the longest words.
fn needed(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let shortest = |words: &Vec<Vec<u8>>| words.iter().map(Vec::len).min().unwrap_or(0);
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(needed).max_by_key(shortest),
        HirKind::Alternation(parts) => {
            let words = parts.iter().map(needed).collect::<Option<Vec<_>>>()?.concat();
            (words.len() <= MOST_WORDS).then_some(words)
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use regex::RegexSet;

    use super::*;

    const PATTERNS: [&str; 9] = [
        r"fd<\d+>, ev->fd<-1>",
        "^End of file",
        "one|two|three",
        "(?i)case",
        "a+b",
        r"\d{3}",
        "suspend_evtchn_\\d+_lock\\.d",
        "double free or corruption(?: \\(out\\))?",
        "free or",
    ];

    #[test]
    fn the_same_match_as_one_by_one() {
        let patterns = Patterns::new(PATTERNS.into_iter()).unwrap();
        let set = RegexSet::new(PATTERNS).unwrap();
        for text in [
            "",
            "x: fd<43>, ev->fd<-1>, revents<4>",
            "End of file while reading",
            "At the End of file",
            "twothree CASE",
            "aaab 123",
            "/var/lib/xen/suspend_evtchn_12_lock.d",
            "double free or corruption (out)",
        ] {
            let mut expected: Vec<&str> =
                set.matches(text).into_iter().map(|number| PATTERNS[number]).collect();
            expected.sort_unstable();
            assert_eq!(patterns.matching(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn words_are_those_that_must_be_there() {
        let words = |pattern| -> Option<Vec<String>> {
            let owned = |word: Vec<u8>| String::from_utf8(word).unwrap();
            Some(words_of(pattern)?.into_iter().map(owned).collect())
        };
        assert_eq!(words(PATTERNS[0]).unwrap(), [">, ev->fd<-1>"]);
        assert_eq!(words("one|two|three").unwrap(), ["one", "two", "three"]);
        assert_eq!(words("(abc)+ x?").unwrap(), ["abc"]);
        assert_eq!(words("one|t."), None);
        assert_eq!(words("(?:abc)*"), None);
        assert_eq!(words("(?i)case"), None);
    }
}
