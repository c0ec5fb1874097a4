//! Which printers of reports may have written a line, by the byte it begins with?
//!
//! Rule: what a printer's `start` knows of lines that begin with other bytes than its own here is not read. Most
//! lines of a paste are asked of one or two printers so, not of all.

use super::{
    Start, abrt, android, coredump, eu_stack, frame_info, glibc_backtrace, glibc_heap, go, java,
    libvirt_log, linux, lldb, llvm, maps, perf, python, registers, rust_panic, sanitizer,
    shared_libraries, valgrind, xen,
};

/// What a printer's line begins, without its indentation.
type Reads = for<'t> fn(&'t str) -> Option<Start<'t>>;

/// The printers in the order they are asked, each with the bytes its lines begin with; none where a name that
/// somebody chose comes first.
const PRINTERS: [(Option<&str>, Reads); 23] = [
    (Some("=-ab"), valgrind::start),
    (Some("0123456789abcdefABCDEFSMp="), maps::start),
    (Some("F(0N"), shared_libraries::start),
    (Some("=0ADEHILMPRSTUWafp"), sanitizer::start),
    (None, sanitizer::runtime_error),
    (Some("BCDEFGHMOPSTUb"), coredump::start),
    (Some("TP0"), eu_stack::start),
    (Some("*dfmrcsb"), glibc_heap::start),
    (Some("="), glibc_backtrace::start),
    (Some("XPA-R"), xen::start),
    (None, linux::user_fault),
    (Some("RpBkOIWUgKwridMHC-P"), linux::start),
    (Some("snt"), rust_panic::start),
    (Some("g[pfru"), go::start),
    (Some("|F+CtTD"), python::start),
    (Some("aECS\"FJL.[j"), java::start),
    (Some("PLS"), llvm::start),
    (Some("*ft[GFAE"), lldb::start),
    (Some("sACbp*B"), android::start),
    (Some("Tecrbu"), abrt::start),
    (None, libvirt_log::start),
    (Some("cdefgiklmoprstvx"), registers::start),
    (Some("ScitsALPerpx"), frame_info::start),
];

/// For each first byte, a bit for each printer that knows lines so begun.
const BY_FIRST_BYTE: [u32; 256] = by_first_byte();

const fn by_first_byte() -> [u32; 256] {
    let mut table = [0; 256];
    let mut printer = 0;
    while printer < PRINTERS.len() {
        let bit = 1 << printer;
        let mut at = 0;
        match PRINTERS[printer].0 {
            Some(bytes) => {
                while at < bytes.len() {
                    table[bytes.as_bytes()[at] as usize] |= bit;
                    at += 1;
                }
            }
            None => {
                while at < table.len() {
                    table[at] |= bit;
                    at += 1;
                }
            }
        }
        printer += 1;
    }
    table
}

/// What a line of a report says that is known by itself: `text` is the line without its indentation, which
/// only perf's need.
pub(super) fn report<'a>(text: &'a str, line: &'a str) -> Option<Start<'a>> {
    let first = text.bytes().next().map_or(0, usize::from);
    let may = BY_FIRST_BYTE.get(first).copied().unwrap_or_default();
    let mut asked = PRINTERS.iter().enumerate().filter(|(printer, _)| may & (1 << printer) != 0);
    asked.find_map(|(_, (_, start))| start(text)).or_else(|| perf::start(line))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::trace::lines::lines;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            entries.partition(|path| path.is_dir());
        folders.iter().flat_map(|folder| self::files(folder)).chain(files).collect()
    }

    #[test]
    fn a_printer_knows_no_line_that_begins_with_another_byte() {
        let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
        let mut known = 0;
        for file in files(&traces) {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            for line in lines(&text) {
                let text = super::super::prefix::prefix(&line.text).1.trim_start();
                for (bytes, start) in PRINTERS {
                    let Some(says) = start(text) else { continue };
                    known += 1;
                    let own = bytes.is_none_or(|bytes| text.starts_with(|c| bytes.contains(c)));
                    assert!(own, "{text:?} of {} is {says:?}", file.display());
                }
            }
        }
        assert!(known > 700, "{known} lines of reports");
    }
}
