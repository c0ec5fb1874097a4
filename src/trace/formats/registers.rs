//! What did the processor's registers hold?
//!
//! ```text
//! rip            0x7f5fb5929b55      0x7f5fb5929b55 <raise+325>     gdb (gdb/infcmd.c, default_print_one_register_info)
//! eflags         0x246               [ PF ZF IF ]
//! RSP: 0018:ffffc90000003e58 EFLAGS: 00010246                       Linux (arch/x86/kernel/process_64.c, __show_regs)
//! FS:  0000000000000000(0000) GS:ffff88807dd00000(0000) knlGS:0000000000000000
//! rax: 0000000000000001   rbx: ffff83007f4c7e18                     Xen (xen/arch/x86/x86_64/traps.c)
//!     rax 0000000000000000  rbx 000000000000178a                    Android (libunwindstack, debuggerd/tombstone)
//! VTTBR_EL2: 00020000fbe44000                                      Xen on Arm (xen/arch/arm/traps.c, show_registers_64)
//! rax = 0x0000000000000000  rbx = 0x00007ffd4a2f5b90                sanitizers (DumpAllRegisters)
//!       rip = 0x0000555555555131  crash`main + 8 at crash.c:3:1     lldb (CommandObjectRegister.cpp, DumpRegister)
//! ```
//! Rule: a register has a number of at most 64 bits; a segment before it, or in parentheses behind it, is left out.

use super::parts::{begins_with_any, hexadecimal};
use super::{Format, Says, Start};
use crate::address::RuntimeAddress;
use crate::trace::model::Register;
use crate::trace::search;

/// gdb's line, which is known by itself: a register's name, its value, and the value again as its type has it, to the
/// line's end.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let (name, rest) = text.split_once(' ')?;
    is_register(name).then_some(())?;
    let (value, rest) = hexadecimal(rest.trim_start().strip_prefix("0x")?)?;
    // A tab before gdb 8.
    let again = rest.strip_prefix([' ', '\t'])?.trim();
    is_value_again(again)
        .then(|| Start::Says(Format::Gdb, Says::Registers(vec![register(name, value)])))
}

/// `-1`, `[ PF ZF IF ]`, `0x7f5fb5929b55 <raise+325>`: a number, flags, or an address that may have a symbol.
fn is_value_again(text: &str) -> bool {
    let decimal = text.strip_prefix('-').unwrap_or(text);
    let is_number = !decimal.is_empty() && decimal.bytes().all(|byte| byte.is_ascii_digit());
    let is_flags = text.starts_with("[ ") && text.find(']') == Some(text.len() - 1);
    let symbol = || text.strip_prefix("0x").and_then(hexadecimal).map(|(_, rest)| rest);
    let is_symbol = |rest: &str| rest.is_empty() || rest.starts_with(" <") && rest.ends_with('>');
    is_number || is_flags || symbol().is_some_and(is_symbol)
}

/// The registers of a line, if it names nothing but registers.
pub(super) fn all(text: &str) -> Option<Vec<Register>> {
    let (found, rest) = pairs(text, &[":", "=", ""]);
    let known = found.iter().all(|register| is_register(&register.name));
    (known && !found.is_empty() && rest.is_empty()).then_some(found)
}

/// The registers of a line of a kernel's, each with a colon behind its name. Behind the last may stand what its value
/// means, the function it points into, or more words of its row.
pub(super) fn labelled(text: &str) -> Option<Vec<Register>> {
    let (found, rest) = pairs(text, &[":"]);
    let known = found.iter().all(|register| is_labelled(&register.name));
    let is_more = |word: &str| word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let told = rest.is_empty()
        || begins_with_any(rest, &["(", "<", "[", "CONTEXT: ", "MODE:", "EC="])
        || rest.contains("+0x") && !rest.contains(' ')
        || rest.split(' ').all(is_more);
    (known && !found.is_empty() && told && has_width(text)).then_some(found)
}

/// Whether the first value is as wide as a kernel prints it, which is in columns.
fn has_width(text: &str) -> bool {
    let value = text.split_once(':').map_or("", |(_, value)| value.trim_start());
    value.bytes().take(4).filter(u8::is_ascii_hexdigit).count() == 4
}

/// lldb's row: a register, its value, and what that points to: `rip = 0x0000555555555131  crash`main + 8 at crash.c:3:1`.
pub(super) fn of_lldb(text: &str) -> Option<Register> {
    let (name, value) = search::split_once(text, " = 0x")?;
    let named = is_labelled(name) || name == "rflags";
    let (value, rest) = hexadecimal(value)?;
    let told = rest.is_empty() || rest.starts_with("  ") && rest.contains('`');
    (named && told).then(|| register(name, value))
}

/// Names and values, and what follows them.
fn pairs<'t>(text: &'t str, separators: &[&str]) -> (Vec<Register>, &'t str) {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some((register, behind)) = pair(rest, separators) {
        found.push(register);
        rest = behind;
    }
    (found, rest)
}

/// `RSP: 0018:ffffc90000003e58`, `rax 0000000000000000`, `rax = 0x0`, and what follows.
fn pair<'t>(text: &'t str, separators: &[&str]) -> Option<(Register, &'t str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start();
    let rest = separators.iter().find_map(|separator| rest.strip_prefix(separator))?;
    let (value, rest) = number(rest.trim_start())?;
    let (value, rest) = match rest.strip_prefix(':').and_then(number) {
        Some(behind_segment) => behind_segment,
        None => (value, rest),
    };
    let segment = rest.strip_prefix('(').and_then(number);
    let rest = segment.and_then(|(_, rest)| rest.strip_prefix(')')).unwrap_or(rest);
    let ended = rest.is_empty() || rest.starts_with(' ');
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (ended && named).then(|| (register(name, value), rest.trim_start()))
}

fn number(text: &str) -> Option<(u64, &str)> {
    hexadecimal(text.strip_prefix("0x").unwrap_or(text))
}

fn register(name: &str, value: u64) -> Register {
    Register { name: name.to_owned(), value: Some(RuntimeAddress(value)) }
}

/// Whether a processor has a register of this name: x86's (with those of its floating point as gdb calls them), Arm's,
/// Power's.
pub(super) fn is_register(name: &str) -> bool {
    const NAMED: [&str; 57] = [
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "rip", "eax", "ebx", "ecx", "edx",
        "esi", "edi", "ebp", "esp", "eip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "fs_base",
        "gs_base", "orig_rax", "orig_eax", "mxcsr", "fctrl", "fstat", "ftag", "fiseg", "fioff",
        "foseg", "fooff", "fop", "sp", "lr", "pc", "ip", "fp", "sl", "cpsr", "fpsr", "fpcr",
        "fpscr", "tpidr", "pst", "msr", "cr", "ctr", "xer", "vscr", "vrsave", "pkru",
    ];
    let digits = name.strip_prefix(['r', 'x', 'k']);
    let numbered =
        digits.is_some_and(|digits| digits.parse::<u8>().is_ok_and(|number| number < 32));
    numbered || NAMED.contains(&name)
}

/// Whether a kernel writes a register so, in either case: by its name (x86, Arm, Power, RISC-V), or by that of a
/// system register of Arm's.
fn is_labelled(name: &str) -> bool {
    const NAMED: [&str; 45] = [
        "rflags", "orig_rax", "knlgs", "fsb", "gsb", "gss", "pstate", "pmr_save", "psr", "hcr",
        "hsr", "vbar", "sctlr", "ttbr0", "ttbr1", "ttbcr", "tcr", "vtcr", "vttbr", "httbr",
        "hdfar", "hifar", "hpfar", "dfar", "ifar", "dfsr", "ifsr", "dac", "esr", "far", "mair",
        "nip", "dar", "dsisr", "cfar", "irqmask", "trap", "regs", "epc", "ra", "gp", "tp",
        "status", "badaddr", "cause",
    ];
    let name = name.to_ascii_lowercase();
    let digits =
        || name.strip_prefix("cr").or(name.strip_prefix("dr")).or(name.strip_prefix("gpr"));
    let numbered = || digits().is_some_and(|digits| digits.parse::<u8>().is_ok_and(|n| n < 32));
    let of_arm = || {
        let level = name
            .rsplit_once("_el")
            .is_some_and(|(_, level)| matches!(level, "0" | "1" | "2" | "3"));
        level && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    is_register(&name) || NAMED.contains(&&*name) || numbered() || of_arm()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(registers: &[Register]) -> String {
        let one = |r: &Register| format!("{}={:x}", r.name, r.value.unwrap().0);
        registers.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rows_of_kernels_sanitizers_and_android() {
        for (line, registers, rest) in [
            (
                "RSP: 0018:ffffc90000003e58 EFLAGS: 00010246",
                "RSP=ffffc90000003e58 EFLAGS=10246",
                "",
            ),
            (
                "FS:  0000000000000000(0000) GS:ffff88807dd00000(0000) knlGS:0000000000000000",
                "FS=0 GS=ffff88807dd00000 knlGS=0",
                "",
            ),
            ("rax: 0000000000000001   rbx: 7f", "rax=1 rbx=7f", ""),
            ("rax = 0x0000000000000000  r8 = 0x2a", "rax=0 r8=2a", ""),
            ("    x29 0000007ff0a0  x30 00000012", "x29=7ff0a0 x30=12", ""),
            ("PC:     0000000000262f1c f+0x1/0x2", "PC=262f1c", "f+0x1/0x2"),
            ("it is 7", "", "it is 7"),
            ("cr2 7x", "", "cr2 7x"),
        ] {
            let (found, after) = pairs(line, &[":", "=", ""]);
            assert_eq!((shown(&found).as_str(), after), (registers, rest), "{line}");
        }
    }

    #[test]
    fn only_what_a_processor_has_is_one_by_itself() {
        for line in [
            "rax            0x0                 0",
            "eflags         0x246               [ PF ZF IF ]",
            "rip            0x7f5fb5929b55      0x7f5fb5929b55 <raise+325>",
            "rip            0x400526\t0x400526 <a::f(int, char)+4>",
            "rsp            0x7ffe0             0x7ffe0",
            "orig_rax       0xffffffffffffffff  -1",
            "mxcsr          0x1f80              [ IM DM ZM OM UM PM ]",
            "fctrl          0x37f               895",
            "fpsr           0x0                 [ ]",
        ] {
            assert!(matches!(start(line), Some(Start::Says(_, Says::Registers(_)))), "{line}");
        }
        for line in ["ret 0x0 0", "rax 0x0", "sp 0x7f is gone", "r99 0x0 0", "rax = 0x0"]
            .into_iter()
            .chain([
                "rip 0x5 0x5 <crash+8> What does this mean?",
                "eflags 0x246 [ PF ZF ] is odd",
                "rax 0x0 0 is odd",
                "eflags 0x246 [ PF",
            ])
        {
            assert_eq!(start(line), None, "{line}");
        }
        assert!(all("rax 00  r15 1f").is_some() && all("ret 00").is_none() && all("").is_none());
    }

    #[test]
    fn rows_of_kernels_name_registers_and_nothing_else() {
        for (line, registers) in [
            ("CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033", "CS=10 DS=0 ES=0 CR0=80050033"),
            (
                "RSP: 002b:00007ffc1cd4 EFLAGS: 00000246 ORIG_RAX: 0000000000000010",
                "RSP=7ffc1cd4 EFLAGS=246 ORIG_RAX=10",
            ),
            ("R10: 0000000000000000 R08: 00000000000000ff", "R10=0 R08=ff"),
            ("pstate: 60400005 (nZCv daif +PAN -UAO)", "pstate=60400005"),
            ("sp : ffff800010003d00", "sp=ffff800010003d00"),
            ("VTTBR_EL2: 00020000fbe44000", "VTTBR_EL2=20000fbe44000"),
            ("SCTLR_EL2: 30cd183d", "SCTLR_EL2=30cd183d"),
            ("PC:     00000a00002b8e3c gic_update_one_lr+0x5c/0x228", "PC=a00002b8e3c"),
            ("RFLAGS: 0000000000010286   CONTEXT: hypervisor (d0v1)", "RFLAGS=10286"),
            ("GPR00: c000000000000001 c000000000000002", "GPR00=c000000000000001"),
        ] {
            assert_eq!(labelled(line).as_deref().map(shown).as_deref(), Some(registers), "{line}");
        }
        for line in [
            "Domain: dead12345 is gone",
            "CPU0: 1234 errors",
            "abc: 12345678",
            "traps.c:2345:d1v0 Unhandled",
            "sp: 5",
            "PC: 00000a00002b8e3c is odd",
        ] {
            assert_eq!(labelled(line), None, "{line}");
        }
    }

    #[test]
    fn rows_of_lldb_and_of_android() {
        let row = |line| of_lldb(line).map(|register| shown(&[register]));
        assert_eq!(row("rax = 0x0000000000000001").as_deref(), Some("rax=1"));
        assert_eq!(
            row("rip = 0x0000555555555131  a`main + 8 at a.c:3:1").as_deref(),
            Some("rip=555555555131")
        );
        assert!(row("ymm0 = {0x00}").is_none() && row("count = 0x5").is_none());
        assert!(row("rax = 0x5 is odd").is_none());
        let android = all("    ip  b6f0e000  sp  be9a2b10  lr  b6ee4a2d  pc  b6ee4a3e").unwrap();
        assert_eq!(shown(&android), "ip=b6f0e000 sp=be9a2b10 lr=b6ee4a2d pc=b6ee4a3e");
    }
}
