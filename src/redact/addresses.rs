//! A trace without its addresses: two runs of one crash then read the same.
//!
//! Frames lose theirs. Elsewhere an address tells which object something is, so a placeholder stands
//! for it. Small numbers stay: a null pointer, or a member's place behind one, is evidence. So do places in
//! a function or module, which every run has alike.
//!
//! ```text
//! 0x7f5fba7a8133  00007f5fba7a8133  7f5fba7a8133  [<c0103e0a>]       in any words
//! segfault at 7ffc0 ip 401136 sp 7ffc0 error 4 in a.out[401000+1000]  in the kernel's words, however short
//! ```

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::names::pattern;
use super::placeholders::Placeholders;
use super::visit::{self, Visit, Whose};
use crate::address::RuntimeAddress;
use crate::trace::{Module, Trace, Value};

/// Below, nothing can be mapped (Linux's `vm.mmap_min_addr`).
const LOWEST: u64 = 0x1_0000;

/// Takes the addresses out.
pub fn addresses(trace: &mut Trace) {
    visit::trace(trace, &mut Addresses(Placeholders::new("address")));
}

struct Addresses(Placeholders);

impl Addresses {
    /// Takes out what is spelled as C has it.
    fn prefixed(&mut self, text: &mut String) {
        static PREFIXED: LazyLock<Option<Regex>> =
            LazyLock::new(|| pattern(r"\b0x(?<digits>[\da-fA-F]+)\b"));
        if text.contains("0x") {
            self.replace(text, PREFIXED.as_ref(), |_, _| true);
        }
    }

    /// Takes out what has no `0x`, as kernels print it.
    fn bare(&mut self, text: &mut String) {
        static BARE: LazyLock<Option<Regex>> =
            LazyLock::new(|| pattern(r"(?<digits>[\da-fA-F]{8,16})(?:-(?<end>[\da-fA-F]{8,16}))?"));
        self.replace(text, BARE.as_ref(), is_alone);
    }

    /// Takes out what the kernel says of a program that it ends (arch/x86/mm/fault.c, `show_signal_msg`).
    fn in_signal_line(&mut self, text: &mut String) {
        static SAID: LazyLock<Option<Regex>> = LazyLock::new(|| {
            pattern(
                r"(?:segfault at | [is]p[ :])(?<digits>[\da-f]+)\b|[\[,](?<end>[\da-f]+)\+[\da-f]",
            )
        });
        let of_kernel = text.contains("segfault at ")
            || [" ip", " sp", " error"].iter().all(|word| text.contains(word));
        if of_kernel {
            self.replace(text, SAID.as_ref(), |_, _| true);
        }
    }

    /// Puts placeholders for the `digits` and the `end` of what is found and `wanted`.
    fn replace(
        &mut self,
        text: &mut String,
        found: Option<&Regex>,
        wanted: impl Fn(&str, &Range<usize>) -> bool,
    ) {
        let Some(found) = found else { return };
        let replaced = found.replace_all(text, |found: &Captures<'_>| {
            let all = found.get_match();
            if !wanted(text, &all.range()) {
                return all.as_str().to_owned();
            }
            let (mut new, mut copied) = (String::new(), all.start());
            for digits in ["digits", "end"].iter().filter_map(|name| found.name(name)) {
                // More than an address can be is a number of some other kind.
                let address = u64::from_str_radix(digits.as_str(), 16).ok();
                let Some(address) = address.filter(|address| *address >= LOWEST) else { continue };
                let before = &text[copied..digits.start()];
                new.push_str(before.strip_suffix("0x").unwrap_or(before));
                new.push_str(&self.0.of(&format!("{address:x}")));
                copied = digits.end();
            }
            new + &text[copied..all.end()]
        });
        if let Cow::Owned(replaced) = replaced {
            *text = replaced;
        }
    }
}

/// Whether the digits are a word and an address by their number: no part of a UUID, a hash, a name or a path,
/// no place in a module, no time in decimal digits.
fn is_alone(text: &str, digits: &Range<usize>) -> bool {
    let before = text.get(..digits.start).unwrap_or_default();
    let (word, after) =
        (text.get(digits.clone()).unwrap_or_default(), text.get(digits.end..).unwrap_or_default());
    let glued = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    let ends = !after.starts_with(glued)
        && !after.strip_prefix('.').is_some_and(|rest| rest.starts_with(glued));
    if before.ends_with(glued)
        || before.ends_with(['.', '+'])
        || before.ends_with("commit ")
        || !ends
    {
        return false;
    }
    let (first, last) = word.split_once('-').unwrap_or((word, ""));
    let decimal = word.bytes().all(|byte| byte.is_ascii_digit());
    // Addresses are padded, or have as many digits as those of programs.
    let long = first.len() >= 12 && (!decimal || first.starts_with('0') || first.len() == 12);
    let range = !last.is_empty() && first.len() == last.len() && !decimal;
    long || range || before.ends_with("[<") || after.starts_with('…')
}

impl Visit for Addresses {
    /// What has no file is told apart by its place: `[vdso] (0x00007ffff7fc8000)`.
    fn path(&mut self, path: &mut String) {
        self.prefixed(path);
    }

    fn words(&mut self, text: &mut String) {
        self.prefixed(text);
        self.in_signal_line(text);
        self.bare(text);
    }

    fn value(&mut self, value: &mut Value, _: Whose) {
        value.address.take_if(|address| address.0 >= LOWEST);
        self.prefixed(&mut value.text);
        value.string.iter_mut().for_each(|string| self.prefixed(string));
    }

    fn address(&mut self, address: &mut Option<RuntimeAddress>) {
        *address = None;
    }

    fn place(&mut self, module: &mut Module) {
        (module.bias, module.start, module.end) = (None, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    fn without(text: &str) -> Trace {
        let mut trace = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        addresses(&mut trace);
        trace
    }

    #[test]
    fn frames_lose_theirs_and_objects_keep_apart() {
        let trace = without(
            "Thread 3 (Thread 0x7f5fbb16e840 (LWP 7)):\n\
             #0  0x00007f5fba7a8133 in f (a=0x7f5fa80, b=0x8, c=0x0, d=0x7f5fa81, e=0x7f5fa80 <x>)\n\
             (gdb) p *(struct ev *)0x7f5fa81\n$1 = {next = 0x7f5fa80}\n\
             libxl: debug: libxl_event.c:181:f: ev_fd=0x7f5fa81 register\n",
        );
        let stack = &trace.stacks[0];
        assert_eq!(stack.thread.as_ref().and_then(|thread| thread.address), None);
        assert_eq!(stack.frames[0].address, None);
        let values: Vec<&str> =
            stack.frames[0].arguments.iter().map(|one| one.value.text.as_str()).collect();
        assert_eq!(values, ["<address-2>", "0x8", "0x0", "<address-3>", "<address-2> <x>"]);
        assert_eq!(trace.values[0].expression.as_deref(), Some("*(struct ev *)<address-3>"));
        assert_eq!(trace.values[0].value.fields[0].value.text, "<address-2>");
        assert_eq!(trace.log[0].text, "ev_fd=<address-3> register");
    }

    #[test]
    fn numbers_without_a_prefix_are_addresses_where_they_look_so() {
        for (text, expected) in [
            (
                "a[12]: segfault at 7ffff12 ip 00007f1234567890 sp 00007ffd12345678 error 4 in l.so[1c,7f1234400000+300000]",
                "a[12]: segfault at <address-1> ip <address-2> sp <address-3> error 4 in l.so[1c,<address-4>+300000]",
            ),
            (
                "traps: a[123456] trap divide error ip:401136 sp:7ffc0 error:0 in a[401000+1000]",
                "traps: a[123456] trap divide error ip:<address-1> sp:<address-2> error:0 in a[<address-3>+1000]",
            ),
            (
                "segfault at 8 ip 0000000000000010 sp 0 error 4",
                "segfault at 8 ip 0000000000000010 sp 0 error 4",
            ),
            (
                "walk from ffff82d040202020: 0xffff82d040202020",
                "walk from <address-1>: <address-1>",
            ),
            (
                "RSP: 0018:ffffb0f0c0f4fc80 EFLAGS: 00010246",
                "RSP: 0018:<address-1> EFLAGS: 00010246",
            ),
            ("7f5fba788000-7f5fba7cd000 r-xp", "<address-1>-<address-2> r-xp"),
            ("08048000-0804c000 r-xp [<c0103e0a>]", "<address-1>-<address-2> r-xp [<<address-3>>]"),
            ("in lib.so[7f5fba78…", "in lib.so[<address-1>…"),
            ("0000000000401136 555555554000", "<address-1> <address-2>"),
        ] {
            let mut words = text.to_owned();
            Addresses(Placeholders::new("address")).words(&mut words);
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn other_long_numbers_stay() {
        for text in [
            "c7a5fdbd-edaf-9455-926a-d65c16db1809",
            "BuildId: 93ac61ec5a8eb1396f9fbd350e3169a558528a40",
            "5.10.0-g1da177e4c3f4 commit 1da177e4c3f4",
            "at 1352449497660 and 1352449497660123 us",
            "/var/cache/d65c16db1809.log a+00000000000401136 /d65c16db1809/x",
            "in the facade, pid 12345678, added",
        ] {
            let mut words = text.to_owned();
            Addresses(Placeholders::new("address")).words(&mut words);
            assert_eq!(words, text);
        }
    }

    #[test]
    fn two_runs_read_the_same() {
        let run = |base: u64| {
            without(&format!(
                "#0  {:#018x} in f (a={:#x}) from /lib/f.so\n#1  0x0000000000000008 in ?? ()\n",
                base + 0x133,
                base * 2
            ))
        };
        assert_eq!(run(0x7f5f_ba7a_8000), run(0x7f00_0000_1000));
    }
}
