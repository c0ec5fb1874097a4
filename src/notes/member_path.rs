//! Which object does a C expression name, and do two expressions name the same?
//!
//! Only the part of C that reads memory and does nothing else: names, casts, `*`, `&`, `.`, `->`
//! and `[n]`. A debugger runs calls and assignments, so what a note asks a person to show must
//! parse here; nothing else passes.

use std::fmt;

/// How deep parentheses, casts and members may nest.
const MAX_DEPTH: usize = 64;

/// Words of a type that do not change which type it is.
const TYPE_NOISE: [&str; 6] = ["struct", "union", "class", "enum", "const", "volatile"];

/// Words that begin a type and can be no variable: `(unsigned)x` is a cast, `(f)x` may not be.
const TYPE_WORDS: [&str; 14] = [
    "struct", "union", "class", "enum", "const", "volatile", "unsigned", "signed", "char", "short",
    "int", "long", "float", "double",
];

/// A member path, in the one form that all spellings of it share: `*(T*)x` followed by `.fd` and
/// `((T*)x)->fd` are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MemberPath {
    /// A variable.
    Name(String),
    /// A cast, its type reduced to words and stars.
    Cast(String, Box<MemberPath>),
    /// `*of`.
    Target(Box<MemberPath>),
    /// `&of`.
    Address(Box<MemberPath>),
    /// `of.name`.
    Member(Box<MemberPath>, String),
    /// `of[n]`.
    Element(Box<MemberPath>, u64),
}

/// The text is not a member path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAPath {
    /// What stands where the path ends, or nothing.
    found: String,
}

impl fmt::Display for NotAPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a member path")?;
        if self.found.is_empty() {
            f.write_str(": it is not complete")
        } else {
            write!(f, ": it stops at {:?}", self.found)
        }
    }
}

impl MemberPath {
    /// Reads a path; the whole text must be one.
    pub(crate) fn parse(text: &str) -> Result<MemberPath, NotAPath> {
        let mut parser = Parser { rest: text.trim(), depth: 0 };
        match parser.unary() {
            Some(path) if parser.rest.is_empty() => Ok(path),
            _ => Err(NotAPath { found: parser.rest.chars().take(20).collect() }),
        }
    }

    fn target(of: MemberPath) -> MemberPath {
        match of {
            MemberPath::Address(inner) => *inner,
            other => MemberPath::Target(Box::new(other)),
        }
    }

    fn address(of: MemberPath) -> MemberPath {
        match of {
            MemberPath::Target(inner) => *inner,
            other => MemberPath::Address(Box::new(other)),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// `*x`, `&x`, `(T*)x` or a postfix expression.
    fn unary(&mut self) -> Option<MemberPath> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let path = if self.take("*") {
            MemberPath::target(self.unary()?)
        } else if self.rest.starts_with("&&") {
            return None;
        } else if self.take("&") {
            MemberPath::address(self.unary()?)
        } else if let Some(kind) = self.cast() {
            MemberPath::Cast(kind, Box::new(self.unary()?))
        } else {
            self.postfix()?
        };
        self.depth -= 1;
        Some(path)
    }

    fn postfix(&mut self) -> Option<MemberPath> {
        let mut path = if self.take("(") {
            let inner = self.unary()?;
            self.take(")").then_some(inner)?
        } else {
            MemberPath::Name(self.identifier()?.to_owned())
        };
        let mut steps = 0;
        loop {
            steps += 1;
            path = if steps > MAX_DEPTH {
                return None;
            } else if self.take("->") {
                let of = Box::new(MemberPath::target(path));
                MemberPath::Member(of, self.identifier()?.to_owned())
            } else if self.take(".") {
                MemberPath::Member(Box::new(path), self.identifier()?.to_owned())
            } else if self.take("[") {
                let index = self.number()?;
                self.take("]").then_some(())?;
                MemberPath::Element(Box::new(path), index)
            } else {
                return Some(path);
            };
        }
    }

    /// `(T*)`, or `(T)` before a name. `(f)(x)` is a call and `(a)*b` a product in C, so a type
    /// in doubt is refused.
    fn cast(&mut self) -> Option<String> {
        let (inside, after) = self.rest.strip_prefix('(')?.split_once(')')?;
        let name = inside.trim_end_matches(['*', ' ', '\t']);
        let stars = inside.get(name.len()..)?.matches('*').count();
        let words: Vec<&str> = name.split_whitespace().collect();
        let is_type = !words.is_empty() && words.iter().all(|word| is_identifier(word));
        let certain = stars > 0 || words.first().is_some_and(|word| TYPE_WORDS.contains(word));
        let before_a_name = after.trim_start().starts_with(begins_identifier);
        if !is_type || !(certain || before_a_name) {
            return None;
        }
        self.rest = after.trim_start();
        let kept: Vec<&str> = words.into_iter().filter(|word| !TYPE_NOISE.contains(word)).collect();
        Some(format!("{}{}", kept.join(" "), "*".repeat(stars)))
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn identifier(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|c| !continues_identifier(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        name.starts_with(begins_identifier).then(|| self.rest = rest.trim_start())?;
        Some(name)
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        digits.parse().ok()
    }
}

fn is_identifier(word: &str) -> bool {
    word.starts_with(begins_identifier) && word.chars().all(continues_identifier)
}

fn begins_identifier(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn continues_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> MemberPath {
        MemberPath::parse(text).unwrap()
    }

    #[test]
    fn spellings_of_one_object_are_equal() {
        let member = path("((libxl__ev_fd*)for_libxl)->fd");
        for other in [
            "(*(libxl__ev_fd*)for_libxl).fd",
            "( (struct libxl__ev_fd *) for_libxl ) -> fd",
            "(*&*(const libxl__ev_fd*)for_libxl).fd",
        ] {
            assert_eq!(path(other), member, "{other}");
        }
        assert_eq!(path("&*x"), path("x"));
        assert_ne!(path("(libxl__ev_time*)for_libxl"), path("(libxl__ev_fd*)for_libxl"));
    }

    #[test]
    fn everything_that_could_run_or_change_something_is_refused() {
        for text in [
            "",
            "f(x)",
            "(f)(x)",
            "(f)*x",
            "(f)&x",
            "a = 1",
            "a == 1",
            "a + 1",
            "a++",
            "--a",
            "$pc",
            "a[i]",
            "a[-1]",
            "a, b",
            "sizeof(x)",
            "sizeof x",
            "a->",
            "a.",
            "(a",
            "a && b",
            "&&label",
            "!a",
            "a ? b : c",
            "\"text\"",
            "x@4",
            "f::x",
            "a;b",
            "(T*)",
            "a\n(b)",
            "((int(*)())system)(1)",
            "((T*)f)(x)",
            "a[1",
            "1",
            "*",
            "system (\"x\")",
        ] {
            assert!(MemberPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_followed() {
        assert!(MemberPath::parse(&"*".repeat(1_000_000)).is_err());
        assert!(MemberPath::parse(&"(".repeat(1_000_000)).is_err());
        assert!(MemberPath::parse(&format!("a{}", ".a".repeat(1_000_000))).is_err());
        assert!(MemberPath::parse(&format!("{}a", "*".repeat(60))).is_ok());
    }
}
