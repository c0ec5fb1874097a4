//! Where did the Xen hypervisor crash?
//!
//! ```text
//! (XEN) ----[ Xen-4.17.0  x86_64  debug=y  Not tainted ]----
//! (XEN) RIP:    e008:[<ffff82d040202020>] do_domctl+0x12/0x34
//! (XEN) Xen call trace:
//! (XEN)    [<ffff82d040202020>] R do_domctl+0x12/0x34
//! (XEN)    [<ffff82d040202030>] S common/schedule.c#vcpu_wake+0x1/0x2
//! (XEN)    [<00000a0000202020>] panic+0x12/0x34 (PC)                      (Arm)
//! (XEN) ****************************************
//! (XEN) Panic on CPU 0:
//! (XEN) FATAL PAGE FAULT
//! ```
//! (xen/arch/x86/traps.c, `show_trace`; xen/arch/arm/traps.c.) `R` is the instruction pointer, `F` was
//! found by the frame pointer, `S` is any word of the stack that points into code: a guess. Older ones
//! have no letter.

use super::linux::symbolic;
use super::parts::{begins_with_any, hexadecimal};
use super::{Adds, Fault, Format, Numbered, Says, Start, Told, registers};
use crate::address::{Pc, RuntimeAddress};

/// What the line says that is known by itself.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let fault = |what| Says::Fault(Fault { what, ..Fault::default() });
    let says = if text == "Xen call trace:" {
        Says::Heading { thread: None }
    } else if text.starts_with("Panic on CPU ") && text.ends_with(':') {
        // What it is of stands on the next line.
        fault("")
    } else if text.starts_with("Assertion '") && text.contains("' failed at ")
        || text.starts_with("Xen BUG at ")
        || text.starts_with("Xen WARN at ")
    {
        fault(text)
    } else if text.starts_with("----[ Xen-") {
        Says::Begins
    } else if text.starts_with("RIP:    ") && text.contains(":[<") {
        // The first frame of the call trace says it again; Linux writes one blank.
        Says::Remark
    } else {
        return None;
    };
    Some(Start::Says(Format::Xen, says))
}

/// A frame below the heading.
pub(super) fn frame(text: &str) -> Option<Told> {
    let (address, rest) = text.strip_prefix("[<")?.split_once(">]")?;
    let rest = rest.trim_start();
    let (letter, symbol) = match rest.split_once(' ') {
        Some((letter @ ("R" | "F" | "S"), symbol)) => (letter, symbol.trim_start()),
        _ => ("", rest),
    };
    let (symbol, register) =
        match symbol.strip_suffix(')').and_then(|symbol| symbol.rsplit_once(" (")) {
            Some((symbol, register)) => (symbol, register),
            None => (symbol, ""),
        };
    // Without a symbol the address is repeated.
    let repeated = symbol == address || symbol.is_empty();
    let symbol = if repeated { &format!("0x{address}") } else { symbol };
    let mut frame = symbolic(symbol)?;
    let (address, end) = hexadecimal(address)?;
    end.is_empty().then_some(())?;
    frame.address = Some(RuntimeAddress(address));
    frame.pc = if letter == "R" || register == "PC" { Pc::Exact } else { Pc::Return };
    frame.guess = letter == "S";
    // Static functions carry their file.
    if let Some(name) = &mut frame.function
        && let Some((file, function)) = name.split_once('#')
    {
        (frame.file, *name) = (Some(file.to_owned()), function.to_owned());
    }
    Some(Told { format: Format::Xen, number: Numbered::Next, frame, build_id: None })
}

/// What Xen prints in a crash besides frames: registers, words of the stack, page tables, stars.
pub(super) fn says(text: &str) -> Option<Start<'_>> {
    let registers = registers::labelled(text).map(Says::Registers);
    let says = registers.or_else(|| is_remark(text).then_some(Says::Remark))?;
    Some(Start::Says(Format::Xen, says))
}

fn is_remark(text: &str) -> bool {
    const STARTS: [&str; 10] = [
        "CPU:",
        "ds: ",
        "RIP:",
        "RFLAGS:",
        "Xen stack trace from ",
        "Xen code around ",
        "Faulting linear address",
        "Pagetable walk from ",
        "Reboot in ",
        "****",
    ];
    let words = text
        .split(' ')
        .all(|word| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let table = text.starts_with('L') && text.contains("] = ");
    begins_with_any(text, &STARTS) || words || table
}

/// The message below `Panic on CPU 0:`.
pub(super) fn adds(text: &str) -> Option<Adds> {
    Some(Adds::Message(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_say_how_far_a_frame_is_to_be_believed() {
        for (line, function, pc, guess) in [
            ("[<ffff82d040202020>] R do_domctl+0x12/0x34", Some("do_domctl"), Pc::Exact, false),
            ("[<ffff82d040202020>] F f.part.0+0x12/0x34", Some("f.part.0"), Pc::Return, false),
            ("[<ffff82d040202020>] S common/a.c#f+0x12/0x34", Some("f"), Pc::Return, true),
            ("[<ffff82d040202020>] do_domctl+0x12/0x34", Some("do_domctl"), Pc::Return, false),
            ("[<00000a0000202020>] panic+0x12/0x34 (PC)", Some("panic"), Pc::Exact, false),
            ("[<ffff82d040202020>] S ffff82d040202020", None, Pc::Return, true),
        ] {
            let frame = frame(line).unwrap_or_else(|| panic!("{line}")).frame;
            assert_eq!((frame.function.as_deref(), frame.pc, frame.guess), (function, pc, guess));
            assert!(frame.address.is_some(), "{line}");
        }
        assert!(frame("[<x>] R f+0x1/0x2").is_none() && frame("[<1>] R and so on").is_none());
    }
}
