//! By what is a crash known again, in another paste, on another machine?
//!
//! A fingerprint, version 1, is made of the assertion that failed: its expression without spaces and
//! the function, or for want of one the file's name. Without an assertion it is made of the three
//! innermost functions of the crash's stack that tell something: by their public names, without those
//! that plugins `ignore`, and a function that calls itself once. Addresses, arguments, paths and line
//! numbers are not in it: they change from run to run, from machine to machine, from build to build.
//!
//! ```text
//! #0 __GI_raise   #1 __GI_abort   #2 virFree.part.0   #3 virDomainDefFree   #4 qemuProcessStop
//!  ignored         ignored        1 frames            virFree virDomainDefFree qemuProcessStop
//! ```
//!
//! Rule: what is not known is never taken for equal. Where a function is unknown before the third that
//! counts, there is no fingerprint, and the report says why.

use std::borrow::Cow;
use std::hash::Hasher;

use fnv::FnvHasher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, unspaced};
use crate::notes::Ignored;
use crate::trace::{EventKind, StackKind};

/// What the fingerprint is made of changes: so does this number, and old ones stay what they were.
const VERSION: u32 = 1;

/// Functions of a stack that are in its fingerprint. More of them would tell the callers of one
/// defect apart, fewer would take two defects of a helper for one.
const COUNTED: usize = 3;

/// Functions of a stack that are kept to compare it with others.
const KEPT: usize = 64;

/// By what a crash is known again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// `v1-` and 16 hexadecimal digits: equal for two pastes of one crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What it is made of, or why there is none.
    pub because: String,
    /// The functions on the stack of the crash that tell something, innermost first; an unknown one
    /// is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
}

/// The identity of the first crash that the facts show.
pub(super) fn of(facts: &Facts<'_>, ignored: &Ignored) -> Identity {
    let stack = stack_of(facts, ignored);
    let frames = stack.map(|stack| telling(facts, stack, ignored)).unwrap_or_default();
    let made = by_assertion(facts).map_or_else(
        || match facts.trace.stacks.is_empty() {
            true => Err("the text has neither an assertion nor a stack"),
            false => by_frames(stack, &frames),
        },
        Ok,
    );
    let kept = frames.into_iter().take(KEPT);
    let frames = kept.map(|name| name.map(Cow::into_owned).unwrap_or_default()).collect();
    match made {
        Ok((kind, parts)) => Identity {
            fingerprint: Some(hash(kind, &parts)),
            because: format!("{kind} {}", parts.join(if kind == FRAMES { " < " } else { " in " })),
            frames,
        },
        Err(why) => Identity { fingerprint: None, because: why.to_owned(), frames },
    }
}

const ASSERTION: &str = "assertion";
const FRAMES: &str = "frames";

/// The kind of a fingerprint and its parts.
type Made = (&'static str, Vec<String>);

fn by_assertion(facts: &Facts<'_>) -> Option<Made> {
    facts.all_assertions().iter().find_map(|assertion| {
        let EventKind::Assertion { expression, .. } = &assertion.event.what else { return None };
        let file = assertion.file.and_then(|path| path.rsplit('/').next());
        let place = Some(&*assertion.function).filter(|name| !name.is_empty()).or(file)?;
        let expression = unspaced(expression);
        (!expression.is_empty()).then(|| (ASSERTION, vec![expression, unspaced(place)]))
    })
}

fn by_frames(stack: Option<usize>, frames: &[Option<Cow<'_, str>>]) -> Result<Made, &'static str> {
    if stack.is_none() {
        return Err("the text does not say which stack is that of a crash");
    }
    let counted = frames.get(..COUNTED).unwrap_or(frames);
    if counted.is_empty() {
        return Err("every function on the stack is one that any crash may have");
    }
    let names = counted.iter().map(|name| name.as_deref().map(unspaced));
    let names: Option<Vec<String>> = names.collect();
    let names = names.ok_or("a function near the top of the stack is unknown")?;
    Ok((FRAMES, names))
}

/// The stack that the text ties to a crash; else the only one, or the only one that shows how a
/// program ends.
fn stack_of(facts: &Facts<'_>, ignored: &Ignored) -> Option<usize> {
    let of_crash = facts.crashed_stack();
    of_crash.or_else(|| {
        let stacks = facts.trace.stacks.iter().enumerate();
        let whole = stacks.filter(|(_, stack)| stack.kind == StackKind::Backtrace);
        let whole: Vec<usize> = whole.map(|(number, _)| number).collect();
        if let [only] = whole.as_slice() {
            return Some(*only);
        }
        let ends = |stack: &&usize| {
            let first = facts.names(**stack).iter().flatten().next();
            first.is_some_and(|name| matches!(&**name, "raise" | "abort") && ignored.contains(name))
        };
        let mut ending = whole.iter().filter(ends);
        ending.next().copied().filter(|_| ending.next().is_none())
    })
}

/// The public names of a stack's functions without those that tell nothing, none for an unknown one.
/// Frames that were found by a scan of the stack may never have been called, and a signal's own frame
/// is no function: both are left out. What an unknown function called itself is not known either.
fn telling<'f>(facts: &'f Facts<'_>, stack: usize, ignored: &Ignored) -> Vec<Option<Cow<'f, str>>> {
    let frames = facts.trace.stacks.get(stack).map_or(&[] as &[_], |stack| stack.frames.as_slice());
    let is_real = frames.iter().map(|frame| !frame.guess && !frame.signal_handler);
    let mut told: Vec<Option<Cow<'f, str>>> = Vec::new();
    for (name, _) in facts.names(stack).iter().zip(is_real).filter(|(_, is_real)| *is_real) {
        let again = name.is_some() && told.last() == Some(name);
        if again || name.as_deref().is_some_and(|name| ignored.contains(name)) {
            continue;
        }
        told.push(name.clone());
    }
    told
}

/// 64-bit FNV-1a, which is fixed by its definition: the same on every machine. One in a billion that
/// two of a million crashes share one.
fn hash(kind: &str, parts: &[String]) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(kind.as_bytes());
    for part in parts {
        hasher.write(&[0]);
        hasher.write(part.as_bytes());
    }
    format!("v{VERSION}-{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::notes::Plugins;
    use crate::redact;
    use crate::trace::{self, Piece, Trace};

    fn read(text: &str) -> Trace {
        trace::parse(&Job::new(), &[Piece::unnamed(text)]).unwrap()
    }

    fn identity_of(trace: Trace) -> Identity {
        let (plugins, _) = Plugins::load(&[]);
        super::super::report(&Job::new(), trace, plugins.notes()).unwrap().identity
    }

    fn identity(text: &str) -> Identity {
        identity_of(read(text))
    }

    const SEGV: &str = "Program received signal SIGSEGV, Segmentation fault.\n\
        #0  0x00007f5fba7a8133 in leaf (at=0x7f5fb0012340 \"vm1\") at /build/a/leaf.c:10\n\
        #1  0x00007f5fba7a8200 in middle.part.0 (n=3) at /build/a/middle.c:20\n\
        #2  0x00007f5fba7a8300 in outer () at /build/a/outer.c:30\n\
        #3  0x00007f5fba7a8400 in main () at /build/a/main.c:40\n";

    #[test]
    fn what_changes_from_run_to_run_and_build_to_build_is_not_in_it() {
        let expected = identity(SEGV);
        assert_eq!(expected.because, "frames leaf < middle < outer");
        assert!(expected.fingerprint.as_deref().unwrap().starts_with("v1-"));
        let mut private = read(SEGV);
        redact::private(&mut private);
        assert_eq!(identity_of(private).fingerprint, expected.fingerprint);
        let mut addresses = read(SEGV);
        redact::addresses(&mut addresses);
        assert_eq!(identity_of(addresses).fingerprint, expected.fingerprint);
        for (from, to) in [
            ("00007f5fba7a8", "0000561234567"),
            ("leaf.c:10", "leaf.c:99"),
            ("/build/a/", "/src/b/c/"),
            ("middle.part.0", "middle"),
            ("n=3", "n=<optimized out>"),
            ("outer () at", "outer ()\n    at"),
            ("in main ()", "in start_thread ()"),
            ("#0 ", "(gdb) bt\n#0 "),
        ] {
            assert!(SEGV.contains(from));
            let other = identity(&SEGV.replace(from, to));
            assert_eq!(other.fingerprint, expected.fingerprint, "{from} -> {to}");
        }
    }

    #[test]
    fn another_function_or_another_order_is_another_crash() {
        let expected = identity(SEGV).fingerprint;
        for (from, to) in [(" leaf ", " stem "), (" middle.part.0 ", " leaf "), ("outer", "inner")]
        {
            assert_ne!(identity(&SEGV.replace(from, to)).fingerprint, expected, "{from} -> {to}");
        }
    }

    #[test]
    fn an_assertion_is_the_same_with_its_message_and_with_its_stack() {
        let message = "libvirtd: a.c:7: f: Assertion `fd == ev->fd' failed.\n";
        let stack = "#0  0x1 in __GI_raise () at raise.c:64\n\
            #1  0x2 in __GI_abort () at abort.c:92\n\
            #2  0x3 in __assert_fail (assertion=0x7f \"fd == ev->fd\", file=0x8f \"a.c\", line=9, function=0x9f \"f\") at assert.c:81\n\
            #3  0x4 in f () at a.c:9\n";
        let expected = identity(message);
        assert_eq!(expected.because, "assertion fd==ev->fd in f");
        assert!(expected.frames.is_empty());
        assert_eq!(identity(stack).fingerprint, expected.fingerprint);
        assert_eq!(identity(stack).frames, ["f"]);
        for (from, to) in [("fd ==", "fd !="), (": f:", ": g:")] {
            assert_ne!(identity(&message.replace(from, to)).fingerprint, expected.fingerprint);
        }
    }

    #[test]
    fn unknown_functions_are_never_equal() {
        for (from, to, why) in
            [("leaf ", "?? ", "unknown"), ("outer ", "?? ", "unknown"), ("leaf ", "raise ", "")]
        {
            let other = identity(&SEGV.replace(from, to));
            assert_eq!(other.fingerprint.is_none(), !why.is_empty(), "{}", other.because);
            assert!(other.because.contains(why), "{}", other.because);
        }
        let nothing = identity("#0  0x1 in raise ()\n#1  0x2 in main ()\n");
        assert_eq!(nothing.fingerprint, None);
        assert!(nothing.because.contains("any crash"), "{}", nothing.because);
        let two =
            identity("Thread 2 (LWP 2):\n#0  0x1 in a ()\nThread 1 (LWP 1):\n#0  0x2 in b ()\n");
        assert_eq!(two.fingerprint, None);
        assert!(two.because.contains("which stack"), "{}", two.because);
        let hello = identity("hello\n");
        assert_eq!(hello.fingerprint, None);
        assert!(hello.because.contains("neither"), "{}", hello.because);
    }

    #[test]
    fn recursion_counts_once() {
        let frame = |number: usize, name: &str| format!("#{number}  0x{number}1 in {name} ()\n");
        let deep: String = (0..50).map(|number| frame(number, "walk")).collect();
        let deep = identity(&(deep + &frame(50, "start")));
        let shallow = identity(&(frame(0, "walk") + &frame(1, "start")));
        assert_eq!(deep, shallow);
        assert_eq!(deep.frames, ["walk", "start"]);
    }
}
