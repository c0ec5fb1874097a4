//! What does the Linux kernel say when a program or the kernel itself goes wrong?
//!
//! ```text
//! libvirtd[6026]: segfault at 0 ip 00007f5fba7a8133 sp 00007ffc0 error 4 in libxenlight.so.2.0[7f5fba788000+45000]
//! traps: a.out[77] general protection fault ip:401136 sp:7ffc0 error:0 in a.out[401000+1000]
//! BUG: kernel NULL pointer dereference, address: 0000000000000008
//! RIP: 0010:xenvif_start_xmit+0x1f/0x340 [xen_netback]
//! Call Trace:
//!  <IRQ>
//!  ? xenvif_poll+0x35/0x90 [xen_netback]
//!  dev_hard_start_xmit+0x8d/0x1e0
//!  [<ffffffff8103e0a1>] warn_slowpath_common+0x61/0x90        (before 4.9)
//!  </TASK>
//! Allocated by task 1:
//!  kasan_save_stack+0x22/0x50
//! ---[ end trace 0000000000000000 ]---
//! ```
//! (arch/x86/mm/fault.c, `show_signal_msg`; mm/memory.c, `print_vma_addr`; arch/x86/kernel/dumpstack.c,
//! `show_trace_log_lvl`; arch/arm64/kernel/traps.c, `__die`; mm/kasan/report.c, `print_track`.) `? ` marks what
//! the unwinder does not believe. Brackets behind the file give the mapping that holds ip; since 6.9 the place
//! in the file is before it.

use super::parts::{begins_with_any, hexadecimal, is_identifier};
use super::{Crash, Fault, Format, Numbered, Says, Start, Told, bare_frame, registers};
use crate::address::{FileOffset, Pc, RuntimeAddress};
use crate::trace::model::{Frame, Lines, Module, ModuleSource, Thread};
use crate::trace::search::find;

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    if let Some(told) = pointer(text) {
        return Some(Start::Told(Box::new(told)));
    }
    says(text).map(|says| Start::Says(Format::Linux, says))
}

/// `libvirtd[6026]: segfault at 0 ip …`, `traps: a.out[77] trap invalid opcode ip:…`
pub(super) fn user_fault(text: &str) -> Option<Start<'_>> {
    let text = text.strip_prefix("traps: ").unwrap_or(text);
    let at = find(text, "]: segfault at ").or_else(|| find(text, "] "))?;
    let (program, id) = text.get(..at)?.rsplit_once('[')?;
    let lwp = id.parse().ok()?;
    let what = text.get(at + 1..)?.trim_start_matches([':', ' ']);
    let (meaning, rest) = what.split_once(" ip")?;
    let name = signal(meaning)?;
    let (ip, rest) = hexadecimal(rest.get(1..)?)?;
    let (_, rest) = rest.strip_prefix(" sp")?.split_once(" error")?;
    let thread = Thread { lwp: Some(lwp), name: Some(program.to_owned()), ..Thread::default() };
    let mut frame = Frame { address: Some(RuntimeAddress(ip)), ..bare_frame(0) };
    let module = rest.split_once(" in ").and_then(|(_, place)| mapping(place, ip));
    frame.module = module.as_ref().map(|module| module.path.clone());
    let told = Told { format: Format::Linux, number: Numbered::First, frame, build_id: None };
    let says = Says::Signal { name, meaning: Some(meaning) };
    Some(Start::Crash(Box::new(Crash { says, thread, told, module })))
}

/// The signal that the kernel sends for it.
fn signal(meaning: &str) -> Option<&'static str> {
    const SIGNALS: [(&str, &str); 7] = [
        ("segfault at ", "SIGSEGV"),
        ("general protection", "SIGSEGV"),
        ("trap divide error", "SIGFPE"),
        ("trap invalid opcode", "SIGILL"),
        ("trap int3", "SIGTRAP"),
        ("trap stack segment", "SIGBUS"),
        ("trap ", "SIGSEGV"),
    ];
    SIGNALS.iter().find(|(start, _)| meaning.starts_with(start)).map(|(_, name)| *name)
}

/// `libfoo.so[7f01+1000]`, `libfoo.so[1133,7f01+1000]`
fn mapping(text: &str, ip: u64) -> Option<Module> {
    let (path, rest) = text.split_once('[')?;
    let (inner, _) = rest.split_once(']')?;
    let (at, range) = match inner.split_once(',') {
        Some((at, range)) => (Some(hexadecimal(at)?.0), range),
        None => (None, inner),
    };
    let (start, rest) = hexadecimal(range)?;
    let (size, _) = hexadecimal(rest.strip_prefix('+')?)?;
    let file_offset = at.and_then(|at| at.checked_sub(ip.checked_sub(start)?)).map(FileOffset);
    Some(Module {
        path: path.to_owned(),
        build_id: None,
        bias: None,
        start: Some(RuntimeAddress(start)),
        end: start.checked_add(size).map(RuntimeAddress),
        file_offset,
        source: ModuleSource::KernelSegfault,
        lines: Lines::default(),
    })
}

/// `RIP: 0010:f+0x1f/0x340 [module]`, `pc : f+0x1f/0x340`, `RIP: e030:[<ffff…>] [<ffff…>] f+0x1f/0x340`
fn pointer(text: &str) -> Option<Told> {
    const XEN_CODE_SELECTOR: &str = "e008:";
    let register = text.strip_prefix("RIP: ").filter(|rest| !rest.starts_with(XEN_CODE_SELECTOR));
    let rest = register.map(|rest| rest.split_once(':').map_or(rest, |(_, rest)| rest));
    let rest = rest.or_else(|| text.strip_prefix("pc : "))?;
    let frame = symbolic(rest.trim_start())?;
    let frame = Frame { pc: Pc::Exact, guess: false, ..frame };
    Some(Told { format: Format::Linux, number: Numbered::First, frame, build_id: None })
}

/// `[<ffffffff8103e0a1>] ? f+0x61/0x90`, which needs no heading to be known.
pub(super) fn old_frame(text: &str) -> Option<Told> {
    text.starts_with("[<").then_some(())?;
    let frame = symbolic(text)?;
    frame.function.is_some().then_some(())?;
    Some(Told { format: Format::Linux, number: Numbered::Next, frame, build_id: None })
}

/// A line below `Call Trace:`.
pub(super) fn in_trace(text: &str) -> Option<Start<'_>> {
    if text == "</TASK>" {
        return Some(Start::Says(Format::Linux, Says::Ends));
    }
    let of_object = text.starts_with("Allocated by task ") || text.starts_with("Freed by task ");
    if of_object && text.ends_with(':') {
        return Some(Start::Says(Format::Linux, Says::Heading { thread: None }));
    }
    if text.starts_with("lr : ") {
        // Arm64's link register: the second frame says where.
        return Some(Start::Says(Format::Linux, Says::Remark));
    }
    let context = text.starts_with(['<', '#']) && text.ends_with('>') && text.len() < 24;
    if context {
        return Some(Start::Says(Format::Linux, Says::Remark));
    }
    if let Some(rows) = registers::labelled(text) {
        return Some(Start::Says(Format::Linux, Says::Registers(rows)));
    }
    let frame = symbolic(text)?;
    let told = Told { format: Format::Linux, number: Numbered::Next, frame, build_id: None };
    Some(Start::Told(Box::new(told)))
}

/// `[<address>] ? f+0x1f/0x340 [module build-id]`
pub(super) fn symbolic(text: &str) -> Option<Frame> {
    let mut frame = Frame { pc: Pc::Return, ..bare_frame(0) };
    let mut text = text;
    while let Some((address, rest)) = text.strip_prefix("[<").and_then(|text| text.split_once(">]"))
    {
        let (address, end) = hexadecimal(address)?;
        end.is_empty().then_some(())?;
        frame.address = Some(RuntimeAddress(address)).filter(|address| address.0 != 0);
        text = rest.trim_start();
    }
    if let Some(rest) = text.strip_prefix("? ") {
        frame.guess = true;
        text = rest.trim_start();
    }
    let (symbol, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Some((name, place)) = symbol.rsplit_once("+0x") {
        let (offset, size) = place.split_once("/0x")?;
        let whole = |text| hexadecimal(text).filter(|(_, rest)| rest.is_empty());
        whole(size)?;
        is_identifier(name).then_some(())?;
        frame.offset = Some(whole(offset)?.0);
        frame.function = Some(name.to_owned());
    } else if let Some((address, "")) = symbol.strip_prefix("0x").and_then(hexadecimal) {
        frame.address = Some(RuntimeAddress(address));
    } else {
        return None;
    }
    let module = rest.trim().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let module = module.map(|(module, _)| module.split(' ').next().unwrap_or(module));
    frame.module = module.map(str::to_owned);
    let sure = rest.is_empty() || frame.module.is_some() || rest.trim_start().starts_with('(');
    sure.then_some(frame)
}

fn says(text: &str) -> Option<Says<'_>> {
    const FAULTS: [&str; 22] = [
        "BUG: KASAN: ",
        "BUG: kernel NULL pointer ",
        "BUG: unable to handle ",
        "BUG: scheduling while atomic",
        "BUG: sleeping function ",
        "BUG: Bad ",
        "BUG: soft lockup",
        "BUG: spinlock ",
        "BUG: workqueue ",
        "kernel BUG at ",
        "Oops: ",
        "Internal error: ",
        "WARNING: CPU: ",
        "WARNING: at ",
        "Unable to handle kernel ",
        "general protection fault",
        "Kernel panic - not syncing: ",
        "INFO: task ",
        "watchdog: BUG: ",
        "rcu: INFO: ",
        "invalid opcode: ",
        "divide error: ",
    ];
    const REMARKS: [&str; 6] = [
        "Modules linked in: ",
        "Hardware name: ",
        "Code: ",
        "---[ end ",
        "------------[ cut here ]",
        "Workqueue: ",
    ];
    if text == "Call Trace:" || text == "Call trace:" {
        return Some(Says::Heading { thread: None });
    }
    // What is behind `traps: PROGRAM[PID]` is a program's fault.
    let of_program = text.starts_with("general protection fault ip:");
    if begins_with_any(text, &FAULTS) && !text.ends_with('?') && !of_program {
        return Some(Says::Fault(Fault { what: text, ..Fault::default() }));
    }
    let process = text.starts_with("CPU: ")
        && (text.contains(" PID: ") || text.contains(" Comm: "))
        || text.starts_with("Pid: ") && text.contains(", comm: ");
    (process || begins_with_any(text, &REMARKS)).then_some(Says::Remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(line: &str) -> (u64, Option<Module>, &str) {
        match user_fault(line) {
            Some(Start::Crash(crash)) => {
                let Says::Signal { name, .. } = crash.says else { panic!("{crash:?}") };
                (crash.told.frame.address.unwrap().0, crash.module, name)
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_fault_of_a_program_gives_ip_and_mapping() {
        let (ip, module, name) = crash(
            "a b[6026]: segfault at 0 ip 00007f5fba7a8133 sp 00007ffc0 error 4 in lib.so.2[7f5fba788000+45000] likely on CPU 0 (core 0, socket 0)",
        );
        let module = module.unwrap();
        assert_eq!((ip, name, module.path.as_str()), (0x7f5fba7a8133, "SIGSEGV", "lib.so.2"));
        assert_eq!(module.start, Some(RuntimeAddress(0x7f5fba788000)));
        assert_eq!((module.end, module.file_offset), (Some(RuntimeAddress(0x7f5fba7cd000)), None));
        let (_, module, _) =
            crash("a[1]: segfault at 0 ip 1133 sp 0 error 4 in lib.so[3133,1000+45000]");
        assert_eq!(module.unwrap().file_offset, Some(FileOffset(0x3000)));
        let (_, module, name) =
            crash("traps: a[77] trap invalid opcode ip:401136 sp:7ffc0 error:0 in a[401000+1000]");
        assert_eq!((module.unwrap().path, name), ("a".to_owned(), "SIGILL"));
        let (ip, module, _) = crash("a[1]: segfault at 8 ip 0000000000000008 sp 0 error 14");
        assert_eq!((ip, module), (8, None));
    }

    #[test]
    fn frames_of_the_kernel() {
        for (line, function, module, guess) in [
            ("? f.isra.0+0x35/0x90 [xen_netback]", Some("f.isra.0"), Some("xen_netback"), true),
            ("f+0x35/0x90 [ext4 93ac61ec]", Some("f"), Some("ext4"), false),
            ("[<ffffffff8103e0a1>] ? f+0x61/0x90", Some("f"), None, true),
            ("0xffffffffc0000000", None, None, false),
        ] {
            let frame = symbolic(line).unwrap();
            assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (function, module));
            assert_eq!(frame.guess, guess, "{line}");
        }
        for line in ["f+0x35", "a b+0x1/0x2", "f+0x1/0x2 and so on", "0x12 bytes", ""] {
            assert!(symbolic(line).is_none(), "{line}");
        }
        let told = pointer("RIP: 0010:f+0x1f/0x340 [m]").unwrap();
        assert_eq!((told.frame.pc, told.frame.offset), (Pc::Exact, Some(0x1f)));
    }
}
