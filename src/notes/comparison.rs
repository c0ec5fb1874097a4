//! Does a value satisfy what a note says of it: `== -1`, `>= 0`, `!= 0`?

use std::fmt;

/// A comparison with a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    operator: Operator,
    with: i128,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The operators as written, longest first: `<=` must be seen before `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Comparison {
    /// `== value`.
    pub(crate) fn equal(value: i128) -> Self {
        Comparison { operator: Operator::Equal, with: value }
    }

    /// Reads an operator and a number, decimal or `0x…`.
    pub(crate) fn parse(text: &str) -> Option<Comparison> {
        let text = text.trim();
        OPERATORS.iter().find_map(|(written, operator)| {
            let with = integer(text.strip_prefix(written)?.trim())?;
            Some(Comparison { operator: *operator, with })
        })
    }

    /// Whether the value satisfies it.
    pub(crate) fn holds(&self, value: i128) -> bool {
        match self.operator {
            Operator::Equal => value == self.with,
            Operator::NotEqual => value != self.with,
            Operator::Less => value < self.with,
            Operator::LessOrEqual => value <= self.with,
            Operator::Greater => value > self.with,
            Operator::GreaterOrEqual => value >= self.with,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = OPERATORS.iter().find(|(_, operator)| *operator == self.operator);
        write!(f, "{} {}", written.map_or("", |(written, _)| written), self.with)
    }
}

/// A whole number as C and debuggers write it: `-1`, `38`, `0x7f`.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    // No `+`, which from_str_radix would take; 64 bits are all a debugger prints.
    let value = u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    Some(if negative { -i128::from(value) } else { i128::from(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_means_what_c_means() {
        for (text, holds, fails) in [
            ("== -1", -1, 1),
            ("!= 0", 1, 0),
            ("< 3", 2, 3),
            ("<= 3", 3, 4),
            ("> 0x10", 17, 16),
            (">=0", 0, -1),
        ] {
            let comparison = Comparison::parse(text).unwrap();
            assert!(comparison.holds(holds), "{text} on {holds}");
            assert!(!comparison.holds(fails), "{text} on {fails}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "-1", "= 1", "== ", "== x", "=> 1", "== 1 2", "== +1", "== 0x", "== --1"] {
            assert_eq!(Comparison::parse(text), None, "{text}");
        }
    }
}
