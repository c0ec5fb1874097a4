//! perf script: where were the samples taken?
//!
//! ```text
//! heap 18545  4132.756783:     250000 cpu-clock:ppp:
//!     ffffffff821e5202 xas_load+0x32 ([kernel.kallsyms])
//!                20b74 __GI___read_nocancel+0x4 (/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2)
//!                 822a inner (inlined)
//!         7fad996498a8 [unknown] ([unknown])
//! ```
//! (tools/perf/util/evsel_fprintf.c, `sample__fprintf_callchain`.) The innermost address is exact. Since
//! 5.10 those of user space are places in the file.

use super::parts::{hexadecimal, symbol};
use super::{Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::{ModuleOffset, RuntimeAddress};
use crate::trace::model::{Frame, Thread};

/// What the line says.
pub(super) fn start(line: &str) -> Option<Start<'_>> {
    if line.starts_with(['\t', ' ']) {
        return frame(line.trim_start()).map(|told| Start::Told(Box::new(told)));
    }
    let thread = sample(line)?;
    Some(Start::Says(Format::Perf, Says::Heading { thread: Some(thread) }))
}

fn frame(text: &str) -> Option<Told> {
    let (at, rest) = hexadecimal(text)?;
    let (name, module) = rest.strip_prefix(' ')?.strip_suffix(')')?.rsplit_once(" (")?;
    let dso = module.starts_with(['/', '[']) || module == "inlined";
    (dso && !name.is_empty()).then_some(())?;
    let (name, offset) = symbol(name);
    let in_file = module.starts_with('/') && at <= u64::from(u32::MAX);
    let frame = Frame {
        address: (!in_file).then_some(RuntimeAddress(at)),
        module_offset: in_file.then_some(ModuleOffset(at)),
        function: Some(name).filter(|name| *name != "[unknown]").map(str::to_owned),
        offset,
        module: Some(module)
            .filter(|name| !["inlined", "[unknown]"].contains(name))
            .map(str::to_owned),
        ..bare_frame(0)
    };
    Some(Told { format: Format::Perf, number: Numbered::Loose, frame, build_id: None })
}

/// `COMMAND PID[/TID] [CPU] SECONDS.MICROSECONDS: PERIOD EVENT:`
fn sample(line: &str) -> Option<Thread> {
    let line = line.strip_suffix(':')?;
    let (before, event) = line.split_once(": ")?;
    (!event.trim().is_empty()).then_some(())?;
    let (before, time) = before.trim_end().rsplit_once(' ')?;
    let (seconds, micros) = time.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(seconds) && digits(micros) && micros.len() >= 6).then_some(())?;
    let before = before.trim_end();
    let before = match before.rsplit_once(" [") {
        Some((before, _)) if before.ends_with(|c: char| c.is_ascii_digit()) => before,
        _ => before,
    };
    let (name, id) = before.trim_end().rsplit_once(' ')?;
    let id = id.rsplit_once('/').map_or(id, |(_, thread)| thread);
    let (lwp, rest) = number(id)?;
    rest.is_empty().then(|| Thread {
        lwp: Some(lwp),
        name: Some(name.trim().to_owned()),
        ..Thread::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_names_its_thread() {
        for line in [
            "my prog 18545  4132.756783:     250000 cpu-clock:ppp:",
            "my prog   17/18545 [003]  4132.756783:          1 cycles:u:",
        ] {
            let thread = sample(line).unwrap();
            assert_eq!((thread.lwp, thread.name.as_deref()), (Some(18545), Some("my prog")));
        }
        for line in ["at 12:30: I saw:", "x 1 2.5: y:", ":", ""] {
            assert_eq!(sample(line), None, "{line}");
        }
    }

    #[test]
    fn places_are_in_the_file_or_in_memory() {
        let read = |line| frame(line).unwrap().frame;
        let user = read("20b74 __GI___read_nocancel+0x4 (/usr/lib/ld.so)");
        assert_eq!((user.module_offset, user.offset), (Some(ModuleOffset(0x20b74)), Some(4)));
        let kernel = read("ffffffff821e5202 xas_load+0x32 ([kernel.kallsyms])");
        assert_eq!(kernel.address, Some(RuntimeAddress(0xffff_ffff_821e_5202)));
        assert_eq!(read("7fad996498a8 [unknown] ([unknown])").function, None);
        assert_eq!(
            read("822a ns::f(int) const (inlined)").function.as_deref(),
            Some("ns::f(int) const")
        );
        for line in ["add some (words)", "12 bytes (of it)", "20b74 f+0x4", ""] {
            assert!(frame(line).is_none(), "{line}");
        }
    }
}
