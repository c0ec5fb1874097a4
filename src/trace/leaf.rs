//! What does a value without elements say: a number, an address, a string, a name?
//!
//! Rule: a text that fits nothing is [`ValueKind::Unknown`], and is kept as it is.

use super::model::{Value, ValueKind};
use super::nesting::group_end;
use super::notation::{shorten, unescape};
use crate::address::RuntimeAddress;

/// What a text without elements says.
pub(super) struct Leaf {
    kind: ValueKind,
    address: Option<RuntimeAddress>,
    symbol: Option<String>,
    string: Option<String>,
}

impl Leaf {
    pub(super) fn of_kind(kind: ValueKind) -> Self {
        Leaf { kind, address: None, symbol: None, string: None }
    }

    /// The bytes it keeps.
    pub(super) fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        length(&self.symbol) + length(&self.string)
    }

    /// The value printed as `text`.
    pub(super) fn value(self, text: String) -> Value {
        let Leaf { kind, address, symbol, string } = self;
        Value { text, kind, address, symbol, string, fields: Vec::new(), elements: Vec::new() }
    }
}

/// Reads a text without elements; strings are kept up to `limit` bytes.
pub(super) fn leaf(text: &str, limit: usize) -> Leaf {
    let bare = without_cast(text);
    if bare == "<optimized out>" {
        return Leaf::of_kind(ValueKind::OptimizedOut);
    }
    if let Some(pointer) = pointer(bare, limit) {
        return pointer;
    }
    let quoted = bare.trim_start_matches(['L', 'u', 'U', '8']);
    if quoted.starts_with('"') || (quoted.starts_with('\'') && quoted.contains(" <repeats ")) {
        let string = Some(unescape(quoted, limit));
        return Leaf { string, ..Leaf::of_kind(ValueKind::String) };
    }
    Leaf::of_kind(plain_kind(bare))
}

/// `0x40`, `0x40 "text"`, `0x40 <f+12>`.
fn pointer(text: &str, limit: usize) -> Option<Leaf> {
    let digits = text.strip_prefix("0x")?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let address = RuntimeAddress(u64::from_str_radix(digits, 16).ok()?);
    let rest = rest.trim_start();
    let symbol = rest.strip_prefix('<').and_then(symbol);
    let quoted = match rest.split_once("> ") {
        Some((_, after)) if symbol.is_some() => after,
        _ => rest.trim_start_matches(['L', 'u', 'U', '8']),
    };
    Some(Leaf {
        kind: ValueKind::Pointer,
        address: Some(address),
        symbol: symbol.map(|symbol| shorten(symbol, limit)),
        string: quoted.starts_with('"').then(|| unescape(quoted, limit)),
    })
}

/// What stands between `<` and the last `>` of a symbol; gdb also puts `<error: …>` there.
fn symbol(text: &str) -> Option<&str> {
    let (symbol, _) = text.split_once(" \"").unwrap_or((text, ""));
    let symbol = symbol.trim_end().strip_suffix('>')?;
    (!symbol.starts_with("error") && !symbol.starts_with("repeats ")).then_some(symbol)
}

/// `{int (int)} 0x401136 <main>`: gdb's way to print a function.
pub(super) fn function(text: &str, limit: usize) -> Option<Leaf> {
    let end = group_end(text.as_bytes(), 0)?;
    pointer(text.get(end..)?.strip_prefix(' ')?, limit)
}

/// Without `(struct foo *) ` and C++'s `@0x7ffe0010: ` of references.
fn without_cast(text: &str) -> &str {
    let cast = text.starts_with('(').then(|| group_end(text.as_bytes(), 0)).flatten();
    let after = cast.and_then(|end| text.get(end..)).and_then(|after| after.strip_prefix(' '));
    let bare = after.unwrap_or(text);
    match bare.strip_prefix('@').and_then(|reference| reference.split_once(": ")) {
        Some((_, referred)) => referred,
        None => bare.strip_prefix('@').unwrap_or(bare),
    }
}

/// Whether nothing follows a value that gdb would not print there: `43 and then it died` is not.
pub(super) fn is_whole(text: &str) -> bool {
    let bare = without_cast(text);
    match leaf(bare, bare.len()).kind {
        ValueKind::Scalar => {
            let (_, after) = bare.split_once(' ').unwrap_or((bare, ""));
            after.is_empty() || bare.starts_with('\'') || after.starts_with('\'')
        }
        ValueKind::Pointer => {
            let (_, after) = bare.split_once(' ').unwrap_or((bare, ""));
            after.is_empty() || after.starts_with(['<', '"', 'L', 'u', 'U'])
        }
        ValueKind::Unknown => bare.starts_with('<') && bare.ends_with('>'),
        _ => true,
    }
}

/// The kind of a text that is neither an address nor in quotes.
fn plain_kind(text: &str) -> ValueKind {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    let flags = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    if unsigned.starts_with(|c: char| c.is_ascii_digit())
        || ["true", "false", "inf"].contains(&unsigned)
        || unsigned.starts_with("nan(")
        || (text.starts_with('\'') && text.ends_with('\''))
    {
        ValueKind::Scalar
    } else if is_word(text)
        || flags.starts_with("unknown: 0x")
        || (flags.contains(" | ") && flags.split(" | ").next().is_some_and(is_word))
    {
        ValueKind::Name
    } else {
        ValueKind::Unknown
    }
}
