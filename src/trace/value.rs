//! What does a value say that gdb printed: a number, a pointer with its symbol or string, a struct?
//!
//! ```text
//! -1    97 'a'    XenbusStateConnected    <optimized out>    "text", '\000' <repeats 54 times>
//! 0x40 "text"    (struct foo *) 0x40    0x7fa558002170 <datacopier_writable>    {int (int)} 0x40 <f>
//! {fd = -1, entry = {le_next = 0x0}, {anonymous = 1}}    {1, 2, 3...}    std::vector of length 1 = {5}
//! ```
//! Rule: one pass, whatever the text; no deeper than [`DEPTH`], no more than [`NODES`] values in
//! one tree. What is beyond stays in the text of the value around it.

use super::budget::Budget;
use super::model::{Argument, Value, ValueKind};
use super::nesting::{after_character, group_end, string_end};
use super::notation::{self, shorten};
use crate::address::RuntimeAddress;

/// Levels of braces that become levels of the tree.
const DEPTH: usize = 64;
/// Values in one tree.
const NODES: usize = 4096;
/// Bytes of a printed value's own text that are kept.
const TEXT: usize = 64 << 10;
/// Bytes of the text of a value inside another that are kept: the outer one repeats it.
const INNER_TEXT: usize = 4 << 10;

/// The value that `text` prints.
pub(super) fn value(text: &str, budget: &mut Budget) -> Value {
    let text = text.trim();
    let mut reader = Reader::new(text, budget);
    let mut children = None;
    while reader.at < text.len() {
        let group = reader.scan(0);
        children = children.or(group);
        reader.at += 1;
    }
    reader.finish(text, children, TEXT).unwrap_or_else(|| unpaid(text))
}

/// The arguments of a frame: `name=value, name@entry=value, ...`.
pub(super) fn arguments(text: &str, budget: &mut Budget) -> Vec<Argument> {
    Reader::new(text, budget).list(Naming::Argument, 0).into_iter().map(argument).collect()
}

/// The local variable or member that `text` prints as `name = value`.
pub(super) fn variable(text: &str, budget: &mut Budget) -> Option<Argument> {
    let text = text.trim();
    let start = notation::variable_start(text)?;
    let (name, rest) = text.split_at_checked(start)?;
    let name = name.trim_end().strip_suffix('=')?.trim_end();
    Some(Argument { name: name.to_owned(), at_entry: false, value: value(rest, budget) })
}

fn argument(item: Item) -> Argument {
    let name = item.name.unwrap_or_default();
    let (name, at_entry) = match name.strip_suffix("@entry") {
        Some(name) => (name.to_owned(), true),
        None => (name, false),
    };
    Argument { name, at_entry, value: item.value }
}

/// A value the budget has no room for.
fn unpaid(text: &str) -> Value {
    leaf_value(shorten(text, 16), Leaf::of_kind(ValueKind::Unknown))
}

/// How the names in a list stand before their values.
#[derive(Clone, Copy)]
enum Naming {
    /// `name=value`.
    Argument,
    /// `name = value`, in Rust `name: value`.
    Member,
}

/// An element of a list.
struct Item {
    name: Option<String>,
    value: Value,
}

/// An element whose end is not certain yet: `"abc", '\000' <repeats 5 times>` is one.
struct Pending<'a> {
    name: Option<&'a str>,
    start: usize,
    end: usize,
    children: Option<Vec<Item>>,
}

struct Reader<'a, 'b> {
    text: &'a str,
    at: usize,
    nodes: usize,
    /// A `<` was found that nothing closes: the others are not looked at.
    angles_are_plain: bool,
    budget: &'b mut Budget,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(text: &'a str, budget: &'b mut Budget) -> Self {
        Reader { text, at: 0, nodes: 0, angles_are_plain: false, budget }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Reads elements up to the `}` that ends the list, or the end of the text.
    fn list(&mut self, naming: Naming, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        let mut pending: Option<Pending<'a>> = None;
        loop {
            self.skip_blanks();
            if self.peek().is_none_or(|byte| byte == b'}' && depth > 0) {
                break;
            }
            let name = self.name(naming);
            let start = self.at;
            let children = self.scan(depth);
            let next = Pending { name, start, end: self.at, children };
            if self.peek() == Some(b',') {
                self.at += 1;
            }
            match pending.as_mut() {
                Some(before) if self.belongs(before, &next) => before.end = next.end,
                _ => {
                    let before = pending.replace(next);
                    items.extend(before.and_then(|before| self.item(before)));
                }
            }
        }
        items.extend(pending.and_then(|last| self.item(last)));
        items
    }

    /// Whether `next` is no element of its own but more of the one before.
    fn belongs(&self, before: &Pending<'_>, next: &Pending<'_>) -> bool {
        let text = self.slice(next.start, next.end);
        if next.name.is_some() || text.starts_with('{') {
            return false;
        }
        if before.name.is_some() {
            return true;
        }
        let repeated = |text: &str| text.starts_with('\'') && text.ends_with(" times>");
        self.slice(before.start, before.end).starts_with(['"', '\''])
            && (repeated(text) || self.slice(before.start, before.end).ends_with(" times>"))
            && text.starts_with(['"', '\''])
    }

    fn item(&mut self, pending: Pending<'a>) -> Option<Item> {
        self.nodes += 1;
        if self.nodes > NODES {
            return None;
        }
        let text = self.slice(pending.start, pending.end).trim();
        let value = self.finish(text, pending.children, INNER_TEXT)?;
        Some(Item { name: pending.name.map(|name| shorten(name, INNER_TEXT)), value })
    }

    /// Steps over one value, to the `,` or `}` behind it; the elements of its first braces.
    fn scan(&mut self, depth: usize) -> Option<Vec<Item>> {
        let mut children = None;
        let mut before = b' ';
        while let Some(byte) = self.peek() {
            match byte {
                b',' => break,
                b'}' if depth > 0 => break,
                b'{' if depth < DEPTH => {
                    self.at += 1;
                    let group = self.list(Naming::Member, depth + 1);
                    children.get_or_insert(group);
                    self.at += 1;
                }
                b'(' | b'[' | b'{' => {
                    let end = group_end(self.text.as_bytes(), self.at);
                    self.at = end.unwrap_or(self.text.len());
                }
                b'"' => {
                    let end = string_end(self.text.as_bytes(), self.at + 1);
                    self.at = end.unwrap_or(self.text.len());
                }
                b'\'' => {
                    let end = after_character(self.text.as_bytes(), self.at);
                    self.at = end.unwrap_or(self.at + 1);
                }
                b'<' if before == b' ' => self.at = self.after_angles().unwrap_or(self.at + 1),
                _ => self.at += 1,
            }
            before = byte;
        }
        children
    }

    fn skip_blanks(&mut self) {
        while self.peek() == Some(b' ') || self.peek() == Some(b'\t') {
            self.at += 1;
        }
    }

    /// The position behind the `>` that closes the `<` here: `<f<int, char>(void)+12>`.
    fn after_angles(&mut self) -> Option<usize> {
        if self.angles_are_plain {
            return None;
        }
        let bytes = self.text.as_bytes();
        let mut depth = 0usize;
        let mut at = self.at;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'<' => depth += 1,
                b'>' if bytes.get(at.wrapping_sub(1)) != Some(&b'-') => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
        self.angles_are_plain = true;
        None
    }

    /// Reads the name before a value, where there is one.
    fn name(&mut self, naming: Naming) -> Option<&'a str> {
        let rest = self.slice(self.at, self.text.len());
        let (length, skip) = match naming {
            Naming::Argument => notation::argument_name(rest)?,
            Naming::Member if rest.starts_with('<') => {
                let length = self.after_angles()? - self.at;
                (length, rest.get(length..)?.starts_with(" = ").then_some(length + 3)?)
            }
            Naming::Member => notation::member_name(rest)?,
        };
        self.at += skip;
        let name = rest.get(..length)?;
        let index = name.starts_with('[') && !name.contains('"');
        (!index).then_some(name)
    }

    /// The value whose whole text is known; none when the budget has no room for it.
    fn finish(&mut self, text: &str, children: Option<Vec<Item>>, limit: usize) -> Option<Value> {
        let leaf = match &children {
            Some(_) => Leaf::of_kind(ValueKind::Array),
            None => leaf(text, limit),
        };
        let strings = leaf.string.as_ref().map_or(0, String::len);
        if !self.budget.pay(size_of::<Value>() + text.len().min(limit) + strings) {
            return None;
        }
        let Some(items) = children else {
            return Some(leaf_value(shorten(text, limit), leaf));
        };
        if let Some(pointer) = function_pointer(text) {
            return Some(leaf_value(shorten(text, limit), pointer));
        }
        let mut value = leaf_value(shorten(text, limit), leaf);
        if items.iter().any(|item| item.name.is_some()) {
            value.kind = ValueKind::Struct;
            value.fields = items.into_iter().map(argument).collect();
        } else {
            value.elements = items.into_iter().map(|item| item.value).collect();
        }
        Some(value)
    }
}

/// What a text without braces says.
struct Leaf {
    kind: ValueKind,
    address: Option<RuntimeAddress>,
    symbol: Option<String>,
    string: Option<String>,
}

impl Leaf {
    fn of_kind(kind: ValueKind) -> Self {
        Leaf { kind, address: None, symbol: None, string: None }
    }
}

fn leaf_value(text: String, leaf: Leaf) -> Value {
    let Leaf { kind, address, symbol, string } = leaf;
    Value { text, kind, address, symbol, string, fields: Vec::new(), elements: Vec::new() }
}

fn leaf(text: &str, limit: usize) -> Leaf {
    let bare = without_cast(text);
    if bare == "<optimized out>" {
        return Leaf::of_kind(ValueKind::OptimizedOut);
    }
    if let Some(pointer) = pointer(bare, limit) {
        return pointer;
    }
    let quoted = bare.trim_start_matches(['L', 'u', 'U', '8']);
    if quoted.starts_with('"') || (quoted.starts_with('\'') && quoted.contains(" <repeats ")) {
        let string = Some(notation::unescape(quoted, limit));
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
        string: quoted.starts_with('"').then(|| notation::unescape(quoted, limit)),
    })
}

/// What stands between `<` and the last `>` of a symbol; gdb also puts `<error: …>` there.
fn symbol(text: &str) -> Option<&str> {
    let (symbol, _) = text.split_once(" \"").unwrap_or((text, ""));
    let symbol = symbol.trim_end().strip_suffix('>')?;
    (!symbol.starts_with("error") && !symbol.starts_with("repeats ")).then_some(symbol)
}

/// `{int (int)} 0x401136 <main>`: gdb's way to print a function.
fn function_pointer(text: &str) -> Option<Leaf> {
    let end = group_end(text.as_bytes(), 0)?;
    pointer(text.get(end..)?.strip_prefix(' ')?, INNER_TEXT)
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
        || (flags.contains(" | ") && flags.split(" | ").next().is_some_and(is_word))
    {
        ValueKind::Name
    } else {
        ValueKind::Unknown
    }
}
