//! What does a value say that gdb printed: a number, a pointer with its symbol or string, a struct?
//!
//! ```text
//! -1    97 'a'    XenbusStateConnected    <optimized out>    "text", '\000' <repeats 54 times>
//! 0x40 "text"    (struct foo *) 0x40    0x7fa558002170 <datacopier_writable>    {int (int)} 0x40 <f>
//! {fd = -1, entry = {le_next = 0x0}, {anonymous = 1}}    {1, 2, 3...}    std::vector of length 1 = {5}
//! ```
//! Rule: one pass, whatever the text; no deeper than [`DEPTH`], no more than [`NODES`] values in
//! one tree. What is beyond stays in the text of the value around it.

use super::budget::{Budget, HEAP};
use super::leaf::{self, Leaf};
use super::model::{Argument, Value, ValueKind};
use super::nesting::{after_character, group_end, string_end};
use super::notation::{self, shorten};
use super::steps::took;

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

/// Whether the value is all that its text holds; behind a struct nothing can follow.
pub(super) fn is_whole(value: &Value) -> bool {
    match value.kind {
        ValueKind::Struct | ValueKind::Array => value.text.ends_with(['}', '…']),
        _ if value.text.starts_with('{') => true,
        _ => leaf::is_whole(&value.text),
    }
}

/// The arguments of a frame: `name=value, name@entry=value, ...`.
pub(super) fn arguments(text: &str, budget: &mut Budget) -> Vec<Argument> {
    if text.is_empty() {
        return Vec::new();
    }
    let items = Reader::new(text, budget).list(Naming::Argument, 0);
    let mut arguments: Vec<Argument> = items.into_iter().map(argument).collect();
    arguments.shrink_to_fit();
    arguments
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
    Leaf::of_kind(ValueKind::Unknown).value(shorten(text, 16))
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
            if depth > 0 {
                self.skip_members_of();
            }
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
                Some(before) if self.belongs(before, &next) => {
                    before.end = next.end;
                    before.children = before.children.take().or(next.children);
                }
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
            took(1);
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

    /// Steps over `members of derived:`, which gdb prints behind base classes under `set print pretty`.
    fn skip_members_of(&mut self) {
        /// No class has so long a name; each element would cost the rest of the text.
        const NAME: usize = 1 << 10;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let Some(name) = rest.strip_prefix(b"members of ") else { return };
        let name = name.get(..NAME.min(name.len())).unwrap_or_default();
        if let Some(end) = name.windows(2).position(|end| end == b": ") {
            self.at += "members of ".len() + end + ": ".len();
            self.skip_blanks();
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
            took(1);
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
        took(text.len().min(limit));
        let leaf = match &children {
            Some(_) => leaf::function(text, limit),
            None => Some(leaf::leaf(text, limit)),
        };
        let size = leaf.as_ref().map_or(0, Leaf::size);
        if !self.budget.pay(size_of::<Argument>() + HEAP + text.len().min(limit) + size) {
            return None;
        }
        if let Some(leaf) = leaf {
            return Some(leaf.value(shorten(text, limit)));
        }
        let items = children.unwrap_or_default();
        let mut value = Leaf::of_kind(ValueKind::Array).value(shorten(text, limit));
        // gdb/cp-valprint.c: a struct of C++ without members is `{<No data fields>}`.
        let empty = |item: &Item| item.name.is_none() && item.value.text == "<No data fields>";
        if items.iter().all(empty) && !items.is_empty() {
            value.kind = ValueKind::Struct;
        } else if items.iter().any(|item| item.name.is_some()) {
            value.kind = ValueKind::Struct;
            value.fields = items.into_iter().map(argument).collect();
            value.fields.shrink_to_fit();
        } else {
            value.elements = items.into_iter().map(|item| item.value).collect();
            value.elements.shrink_to_fit();
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        value(text, &mut Budget::default())
    }

    fn names(fields: &[Argument]) -> Vec<&str> {
        fields.iter().map(|field| field.name.as_str()).collect()
    }

    #[test]
    fn kinds_are_told_apart() {
        use ValueKind::*;
        for (text, kind) in [
            ("-1", Scalar),
            ("44 ','", Scalar),
            ("1.5e+10", Scalar),
            ("false", Scalar),
            ("XenbusStateConnected", Name),
            ("(POLLIN | POLLOUT)", Name),
            ("(POLLIN | unknown: 0x8)", Name),
            ("(unknown: 0x8)", Name),
            ("ns::Colour::red", Name),
            ("0x40", Pointer),
            ("(struct XenDevice *) 0xadd280", Pointer),
            ("{int (int)} 0x401136 <main>", Pointer),
            ("\"text\"", String),
            ("'\\000' <repeats 63 times>", String),
            ("<optimized out>", OptimizedOut),
            ("...", Unknown),
            ("<error reading variable>", Unknown),
            ("", Unknown),
            ("{fd = 1}", Struct),
            ("{<No data fields>}", Struct),
            ("{1, 2, 3...}", Array),
            ("{}", Array),
            ("std::vector of length 3, capacity 3 = {3, 4, 5}", Array),
            ("@0x7ffe0010: 5", Scalar),
        ] {
            assert_eq!(read(text).kind, kind, "{text}");
        }
    }

    #[test]
    fn a_value_is_whole_when_no_word_follows() {
        for text in [
            "43",
            "97 'a'",
            "'\\000' <repeats 9 times>",
            "0x40 <f+1>",
            "{a = 1}",
            "X",
            "<error: no>",
        ] {
            assert!(is_whole(&read(text)), "{text}");
        }
        for text in ["43 and then it died", "0x40 is wrong", "a b", ""] {
            assert!(!is_whole(&read(text)), "{text}");
        }
    }

    #[test]
    fn a_pointer_shows_what_is_behind_it() {
        let value = read("0x555555556050 <__PRETTY_FUNCTION__.0> \"on \\\"event\\\"\"");
        assert_eq!(value.address.unwrap().0, 0x5555_5555_6050);
        assert_eq!(value.symbol.as_deref(), Some("__PRETTY_FUNCTION__.0"));
        assert_eq!(value.string.as_deref(), Some("on \"event\""));
        let value = read("0x8 <error: Cannot access memory at address 0x8>");
        assert_eq!((value.symbol, value.string), (None, None));
        let value = read("0x55 <operator<(ns::A<int, char> const&, int)+16>");
        assert_eq!(value.symbol.as_deref(), Some("operator<(ns::A<int, char> const&, int)+16"));
    }

    #[test]
    fn members_keep_their_commas() {
        let text = "{name = \"a, b\", '\\000' <repeats 9 times>, {number = 0, ratio = 0}, \
                    cb = 0x1 <f<int, char>>, sides = std::vector of length 2, capacity 2 = {3, 4}, \
                    <ns::Base> = {kind = 7}, static count = 2, next = 0x0}";
        let value = read(text);
        let expected = ["name", "", "cb", "sides", "<ns::Base>", "static count", "next"];
        assert_eq!(names(&value.fields), expected);
        assert_eq!(value.fields[0].value.string.as_deref(), Some("a, b"));
        assert_eq!(value.fields[3].value.elements.len(), 2);
    }

    #[test]
    fn members_follow_base_classes_in_pretty_print_too() {
        let value = read(
            "{ <base> = { kind = 7 }, <empty> = {<No data fields>}, members of ns::A<int>: next = 0x0 }",
        );
        assert_eq!(names(&value.fields), ["<base>", "<empty>", "next"]);
        assert_eq!(value.fields[1].value.kind, ValueKind::Struct);
        assert!(value.fields[1].value.elements.is_empty());
    }

    #[test]
    fn arguments_keep_what_brackets_and_quotes_hold() {
        let text = "s=0x4 \"x=1, y=2\", v=..., c=44 ',', old=old@entry=6, gone@entry=7";
        let read = arguments(text, &mut Budget::default());
        assert_eq!(names(&read), ["s", "v", "c", "old", "gone"]);
        let at_entry: Vec<bool> = read.iter().map(|argument| argument.at_entry).collect();
        assert_eq!(at_entry, [false, false, false, false, true]);
        assert_eq!(read[3].value.text, "6");
    }

    #[test]
    fn trees_stay_bounded() {
        let deep = read(&"{a = ".repeat(1_000_000));
        let mut depth = 0;
        let mut level = &deep;
        while let Some(field) = level.fields.first() {
            level = &field.value;
            depth += 1;
        }
        assert_eq!(depth, DEPTH);
        assert_eq!(read(&format!("{{{}}}", "1, ".repeat(1_000_000))).elements.len(), NODES);
        assert!(read(&"9".repeat(1_000_000)).text.len() < TEXT + 4);
        read(&"<".repeat(1_000_000));
        read(&"[,".repeat(1_000_000));
        read(&"(((".repeat(1_000_000));
    }

    #[test]
    fn what_the_budget_cannot_pay_is_left_out() {
        let mut budget = Budget::of(3 * (size_of::<Argument>() + HEAP));
        let value = value("{1, 2, 3, 4, 5, 6}", &mut budget);
        assert!(value.elements.len() < 6);
    }
}
