//! Which objects does a log record speak of?
//!
//! ```text
//! libxl: debug: libxl.c:762:libxl_domain_suspend: ao 0x7fd088055160: create: callback=0x7fd090467cf3
//!                                                 ^^ ^^^^^^^^^^^^^^
//! ```
//! libvirt and libxl name an object by its pointer, a descriptor or a domain by its number. Following
//! one through a log needs no more than that. Rule: found when asked for; records do not keep them.

use super::model::LogRecord;

/// Bytes of a message that are looked at: domain descriptions are long, and name no object.
const MESSAGE: usize = 4 << 10;

/// An object as a message names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordKey<'r> {
    /// What the message calls it: `ao`, `ev`, `egc`, `obj`, `fd`; a domain is always `domid`.
    pub name: &'r str,
    /// Its pointer as printed, `0x7fd088055160`, or its number.
    pub value: &'r str,
}

impl LogRecord {
    /// The objects that the message names, in its order: `name=0x…`, `name 0x…`, `fd=7`, `Domain 3`.
    pub fn keys(&self) -> impl Iterator<Item = RecordKey<'_>> {
        let mut end = MESSAGE.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let text = self.text.get(..end).unwrap_or_default();
        let ends = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'=' | b' '));
        ends.filter_map(move |(at, _)| {
            key(text.get(..at)?, text.get(at + 1..)?, text.as_bytes()[at])
        })
    }
}

/// The name that ends the text before a separator, with the value that starts the text behind it.
fn key<'r>(before: &'r str, after: &'r str, separator: u8) -> Option<RecordKey<'r>> {
    let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let name = before.get(start.map_or(0, |start| start + 1)..)?;
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some(())?;
    if let Some(digits) = after.strip_prefix("0x") {
        let length = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let value = after.get(.."0x".len() + length)?;
        return (length > 0).then_some(RecordKey { name, value });
    }
    let length = after.bytes().take_while(u8::is_ascii_digit).count();
    let value = after.get(..length).filter(|value| !value.is_empty())?;
    let name = match (name, separator) {
        ("Domain" | "domain" | "dom", b' ') | ("domid" | "domain" | "dom", b'=') => "domid",
        ("domid" | "fd", _) => name,
        _ => return None,
    };
    Some(RecordKey { name, value })
}

#[cfg(test)]
mod tests {
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    #[test]
    fn objects_have_their_names() {
        for (line, expected) in [
            (
                "libxl: debug: libxl.c:762:f: ao 0x7fd0: create: how=0x7fd1 callback=0x7fd2 poller=(nil)",
                &[("ao", "0x7fd0"), ("how", "0x7fd1"), ("callback", "0x7fd2")][..],
            ),
            (
                "libxl: debug: libxl_event.c:181:f: ev_fd=0x40 register fd=50 events=3",
                &[("ev_fd", "0x40"), ("fd", "50")],
            ),
            (
                "libxl: debug: libxl_domain.c:1:f: Domain 3:ao 0x5: inprogress",
                &[("domid", "3"), ("ao", "0x5")],
            ),
            ("libxl: error: libxl.c:1:f: domid=7 gone, 0x1, a= 0x, b=0xg", &[("domid", "7")]),
            (
                "2012-11-09 08:24:57.660+00004836: debug : f:1 : OBJECT_UNREF: obj=0x7f37",
                &[("obj", "0x7f37")],
            ),
        ] {
            let trace = parse(&Job::new(), &[Piece::unnamed(line)]).unwrap();
            let keys: Vec<_> = trace.log[0].keys().map(|key| (key.name, key.value)).collect();
            assert_eq!(keys, expected, "{line}");
        }
    }
}
