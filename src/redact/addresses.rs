//! A trace without its addresses: two runs of one crash then read the same.
//!
//! Frames lose theirs. Elsewhere an address tells which object something is, so a placeholder stands
//! for it. Small numbers stay: a null pointer, or a member's place behind one, is evidence.

use std::borrow::Cow;
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
    fn text(&mut self, text: &mut String) {
        static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b0x([\da-fA-F]+)\b"));
        let Some(address) = ADDRESS.as_ref().filter(|_| text.contains("0x")) else { return };
        let replaced = address.replace_all(text, |found: &Captures<'_>| {
            match u64::from_str_radix(&found[1], 16) {
                Ok(small) if small < LOWEST => found[0].to_owned(),
                Ok(address) => self.0.of(&format!("{address:x}")),
                // More than an address can be: a number of some other kind.
                Err(_) => found[0].to_owned(),
            }
        });
        if let Cow::Owned(replaced) = replaced {
            *text = replaced;
        }
    }
}

impl Visit for Addresses {
    fn words(&mut self, text: &mut String) {
        self.text(text);
    }

    fn value(&mut self, value: &mut Value, _: Whose) {
        value.address.take_if(|address| address.0 >= LOWEST);
        self.text(&mut value.text);
        value.string.iter_mut().for_each(|string| self.text(string));
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
