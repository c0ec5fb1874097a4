//! By what is a release told, and which releases does a note speak of?

use std::fmt;

use super::claims::Affected;

/// The number of a release, `4.2.1`, or of a series of them, `4.2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release(Vec<u32>);

/// Numbers that a release has at most; `4.2.1` has three.
const MOST_NUMBERS: usize = 6;

impl Release {
    /// Reads numbers with dots between them; `-rc1` and what else follows does not count.
    pub(crate) fn parse(text: &str) -> Option<Release> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let numbers = text.get(..end)?.trim_end_matches('.').split('.');
        let numbers: Vec<u32> = numbers.map(|n| n.parse().ok()).collect::<Option<_>>()?;
        (numbers.len() <= MOST_NUMBERS).then_some(Release(numbers))
    }

    /// The branch: its first two numbers.
    fn branch(&self) -> &[u32] {
        self.0.get(..2).unwrap_or(&self.0)
    }

    /// The first and a last release of what may be a series: `4.2` is `4.2.0` to `4.2.x`. Three
    /// numbers are one release.
    fn ends(&self) -> (Release, Release) {
        let mut last = self.0.clone();
        if last.len() < 3 {
            last.resize(3, u32::MAX);
        }
        let mut first = self.0.clone();
        first.resize(last.len(), 0);
        (Release(first), Release(last))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// Whether a release has the bug; none where that is not known, or some of a series have it.
pub(crate) fn has(affected: &Affected, release: &Release) -> Option<bool> {
    let (first, last) = release.ends();
    let first = one_has(affected, &first)?;
    (one_has(affected, &last)? == first).then_some(first)
}

/// Fixed releases are one a branch, and later branches inherit the last.
fn one_has(affected: &Affected, release: &Release) -> Option<bool> {
    let introduced = affected.introduced.as_deref().and_then(Release::parse);
    if introduced.as_ref().is_some_and(|introduced| release < introduced) {
        return Some(false);
    }
    let fixed: Vec<Release> =
        affected.fixed.iter().filter_map(|text| Release::parse(text)).collect();
    let Some(last) = fixed.iter().max() else { return introduced.map(|_| true) };
    let in_branch = fixed.iter().any(|f| f.branch() == release.branch() && f <= release);
    Some(!(last <= release || in_branch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::Confidence;

    #[test]
    fn a_branch_is_mended_from_its_own_release_on_and_later_ones_from_the_start() {
        let affected = Affected {
            project: "xen".to_owned(),
            introduced: Some("4.2.0".to_owned()),
            fixed: vec!["4.2.2".to_owned(), "4.4.1".to_owned(), "4.5.0".to_owned()],
            confidence: Confidence::Code,
        };
        for (release, expected) in [
            ("4.1.6", Some(false)),
            ("4.1", Some(false)),
            ("4.2.0", Some(true)),
            ("4.2.1-rc2", Some(true)),
            ("4.2.2", Some(false)),
            ("4.2", None),
            ("4.3.9", Some(true)),
            ("4.3", Some(true)),
            ("4.4.0", Some(true)),
            ("4.4.4", Some(false)),
            ("4.5", Some(false)),
            ("4.17.3", Some(false)),
            ("5", Some(false)),
        ] {
            let release = Release::parse(release).unwrap();
            assert_eq!(has(&affected, &release), expected, "{release}");
        }
    }

    #[test]
    fn without_a_fix_or_a_beginning_little_is_known() {
        let affected = |introduced: Option<&str>, fixed: &[&str]| Affected {
            project: "x".to_owned(),
            introduced: introduced.map(str::to_owned),
            fixed: fixed.iter().map(|&text| text.to_owned()).collect(),
            confidence: Confidence::Code,
        };
        let release = Release::parse("1.0.0").unwrap();
        assert_eq!(has(&affected(None, &[]), &release), None);
        assert_eq!(has(&affected(Some("0.9"), &[]), &release), Some(true));
        assert_eq!(has(&affected(None, &["1.0.2"]), &release), Some(true));
        assert_eq!(Release::parse("x.1"), None);
        assert_eq!(Release::parse("1..2"), None);
        assert_eq!(Release::parse("99999999999"), None);
    }
}
