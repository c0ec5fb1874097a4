//! The name of a function as its programmer wrote it: C++ and Rust put it into a code for linkers.
//!
//! Rule: without parameter types, as debuggers print the name of a frame.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{BorrowedSymbol, DemangleOptions, ParseOptions};

/// Longer names are shown as they are: their code can stand for more text than fits in memory.
const LONGEST: usize = 16 << 10;

/// A name's code and its text may nest so deep.
const DEEPEST: u32 = 192;

/// The name that stands behind `name`; `name` itself where it is no code.
pub fn demangle(name: &[u8]) -> Cow<'_, str> {
    let plain = String::from_utf8_lossy(name);
    if name.len() > LONGEST || !(name.starts_with(b"_Z") || name.starts_with(b"_R")) {
        return plain;
    }
    if let Ok(rust) = rustc_demangle::try_demangle(&plain) {
        // Without the hash that makes a name unique.
        let mut text = Bounded::default();
        return match write!(text, "{rust:#}") {
            Ok(()) => Cow::Owned(text.0),
            Err(_) => plain,
        };
    }
    // GCC's clones: `_Z1fv.part.0`, `_Z1fv.cold`.
    let (code, suffix) = plain.split_once('.').unwrap_or((&plain, ""));
    match cxx(code.as_bytes()) {
        Some(text) if suffix.is_empty() => Cow::Owned(text),
        Some(text) => Cow::Owned(format!("{text}.{suffix}")),
        None => plain,
    }
}

fn cxx(code: &[u8]) -> Option<String> {
    let options = ParseOptions::default().recursion_limit(DEEPEST);
    let symbol = BorrowedSymbol::new_with_options(code, &options).ok()?;
    let options = DemangleOptions::default().no_params().no_return_type().recursion_limit(DEEPEST);
    let mut text = Bounded::default();
    symbol.structured_demangle(&mut text, &options).ok().map(|()| text.0)
}

/// A text that refuses to become longer than any name.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are c++filt's and rustfilt's, without parameters and hash.
    #[test]
    fn names_become_what_the_programmer_wrote() {
        for (code, text) in [
            ("virEventPollRunOnce", "virEventPollRunOnce"),
            ("_ZN3foo3barEi", "foo::bar"),
            ("_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size"),
            ("_ZN3fooC1Ev", "foo::foo"),
            ("_ZN3foo3barEi.cold", "foo::bar.cold"),
            ("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_Z", "_Z"),
            ("_ZZZ", "_ZZZ"),
            ("", ""),
        ] {
            assert_eq!(demangle(code.as_bytes()), text, "{code}");
        }
    }

    /// `1f` with an argument that names itself twice, and so on: 2^12 names in the last.
    #[test]
    fn a_code_for_endless_text_is_shown_as_it_is() {
        let substitution = |number: u32| match number {
            0 => "S_".to_owned(),
            number => format!("S{}_", char::from_digit(number - 1, 36).unwrap().to_uppercase()),
        };
        let level = |level: u32| {
            let inner = substitution(2 * level + 1);
            format!("1BI{inner}{inner}E")
        };
        let code = |levels| format!("_Z1fI1A{}Evv", (0..levels).map(level).collect::<String>());
        assert_eq!(demangle(code(1).as_bytes()), "f<A, B<A, A> >");
        assert_eq!(demangle(code(12).as_bytes()), code(12));
    }
}
