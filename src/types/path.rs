//! A member path: `entry.le_next`, `fds[3].events`.

use super::Error;

/// The steps from a type to one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPath(Vec<PathStep>);

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// Into a member.
    Member(String),
    /// Into an element of an array, by the index that the source has for it.
    Element(i128),
}

/// Longer than any path that a person types.
const MAX_LENGTH: usize = 4096;

impl MemberPath {
    /// Reads a path; a leading dot may be there. `->` is refused: what is behind a pointer has no
    /// offset in the type.
    pub fn parse(text: &str) -> Result<MemberPath, Error> {
        let bad = |why: String| Err(Error::BadPath(why));
        if text.len() > MAX_LENGTH {
            return bad("the member path is longer than 4096 characters".to_owned());
        }
        if text.contains("->") {
            return bad(format!(
                "`->` in {text:?} leaves the type: ask for the type it points to instead"
            ));
        }
        let mut steps = Vec::new();
        for part in text.strip_prefix('.').unwrap_or(text).split('.') {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            let name = name.trim();
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':' | '~');
            if name.is_empty() || !name.chars().all(is_name) {
                return bad(format!("{name:?} in {text:?} is not a member's name"));
            }
            steps.push(PathStep::Member(name.to_owned()));
            for index in indices.split_inclusive(']') {
                let digits = index.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                match digits.and_then(|digits| digits.trim().parse().ok()) {
                    Some(index) => steps.push(PathStep::Element(index)),
                    None => return bad(format!("{index:?} in {text:?} is not an index")),
                }
            }
        }
        Ok(MemberPath(steps))
    }

    /// The steps, in order; at least one.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }
}

impl std::fmt::Display for MemberPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Member(name) if position == 0 => f.write_str(name)?,
                PathStep::Member(name) => write!(f, ".{name}")?,
                PathStep::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements() {
        for text in ["fd", "entry.le_next", "fds[3].events", "m[1][2].x", "from[-3]"] {
            assert_eq!(MemberPath::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(MemberPath::parse(".fd").unwrap().to_string(), "fd");
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in ["", ".", "a..b", "a->b", "a[", "a[]", "a[--1]", "a[x]", "a b", "f(1)", "a[1]b"]
        {
            assert!(matches!(MemberPath::parse(text), Err(Error::BadPath(_))), "{text:?}");
        }
    }
}
