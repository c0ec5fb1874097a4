//! What do glibc's checks of the heap and of the stack say before they abort?
//!
//! ```text
//! *** Error in `libvirtd': double free or corruption (fasttop): 0x00007f2b800639a0 ***   (until 2.25)
//! double free or corruption (out)                                                        (since 2.26)
//! *** stack smashing detected ***: terminated
//! ```
//! (malloc/malloc.c, `malloc_printerr`; debug/fortify_fail.c.) The address is of the chunk's memory.

use super::parts::{begins_with, begins_with_any, hexadecimal};
use super::{Fault, Format, Says, Start};
use crate::address::RuntimeAddress;

/// What can be wrong, by the beginning.
const WHATS: [&str; 12] = [
    "double free or corruption",
    "free(): ",
    "malloc(): ",
    "realloc(): ",
    "calloc(): ",
    "munmap_chunk(): ",
    "malloc_consolidate(): ",
    "memalign: ",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "stack smashing detected",
    "buffer overflow detected",
];

/// The error that this line is.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let what = heap_error(text)?;
    let fault = Fault { what, address: address_in(text), ..Fault::default() };
    Some(Start::Says(Format::GlibcHeap, Says::Fault(fault)))
}

/// What is wrong, without the program's name and the stars around it.
fn heap_error(text: &str) -> Option<&str> {
    let text = text.strip_prefix("*** glibc detected").unwrap_or(text);
    let starred = text.strip_prefix(" *** ").or_else(|| text.strip_prefix("*** "));
    let starred = starred.and_then(|text| text.split_once(" ***"));
    let text = starred.map_or(text, |(text, _)| text);
    // The program's name stands before it.
    let text = match starred.and_then(|_| text.split_once(": ")) {
        Some((_, named)) if !begins_with_any(text, &WHATS) => named,
        _ => text,
    };
    let what = WHATS.iter().find(|what| begins_with(text, what))?;
    let rest = text.get(what.len()..)?;
    // A sentence goes on; glibc's words end, or name an address.
    let ends = what.ends_with(": ")
        || rest.is_empty()
        || rest.starts_with([' ', ':'])
            && (starred.is_some() || rest.starts_with(" (") || rest == " while consolidating");
    let short = text.len() < 120 && !text.contains(['"', ';']);
    let what = text.split_once(": 0x").map_or(text, |(what, _)| what);
    (ends && short).then_some(what)
}

fn address_in(text: &str) -> Option<RuntimeAddress> {
    let (_, rest) = text.split_once(": 0x")?;
    hexadecimal(rest).map(|(address, _)| RuntimeAddress(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_errors_of_all_releases() {
        for (line, expected) in [
            ("double free or corruption (out)", Some("double free or corruption (out)")),
            (
                "free(): double free detected in tcache 2",
                Some("free(): double free detected in tcache 2"),
            ),
            ("*** stack smashing detected ***: terminated", Some("stack smashing detected")),
            (
                "*** Error in `./a.out': double free or corruption (fasttop): 0x0000000000602010 ***",
                Some("double free or corruption (fasttop)"),
            ),
            (
                "*** glibc detected *** ./a.out: free(): invalid pointer: 0x01 ***",
                Some("free(): invalid pointer"),
            ),
            ("double free or corruption is what I think it is", None),
            ("malloc() fails", None),
        ] {
            assert_eq!(heap_error(line), expected, "{line}");
        }
    }
}
