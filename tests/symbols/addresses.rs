//! Every byte of a program's code, looked up by us and by others.

use std::sync::Arc;

use dbgmate::address::FileAddress;
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::symbols::{Lookup, Reference, Symbols, words};

use crate::llvm::{self, Plain};
use crate::ways::Compiled;

/// A Rust program has a standard library in it: of larger code every so many bytes are looked up.
const MOST: usize = 20_000;

/// Compares all answers; the first that differs fails the test.
pub(crate) fn compare(compiled: &Compiled) {
    let binary = Binary::open(&Job::new(), &compiled.path, &DebugSources::default()).unwrap();
    let (file, symbols) = (DebugFile::new(Arc::new(binary)), Symbols::new());
    let addresses = addresses_of_code(file.binary());
    assert!(addresses.len() > 500, "{}", compiled.how);
    let (lookup, reference) = (symbols.lookup(&file), Reference::new(&file).unwrap());
    let theirs = llvm::symbolize(&compiled.plain, &addresses);
    let mut with_lines = 0;
    for (address, llvm) in addresses.into_iter().zip(theirs) {
        let at = format!("{address:#x} by {}", compiled.how);
        let ours = plain(&lookup, address);
        // The crate addr2line takes the first unit of a .dwo for the one, and that is a type's.
        let has_types = compiled.how.contains("-gsplit-dwarf -fdebug-types-section");
        // DWARF 2 has no words for a call that was inlined in several places: the functions in it
        // are then of no range, at which addr2line ends.
        if ours.iter().skip(1).all(|frame| frame.line > 0) && !has_types {
            let frames = lookup.frames(&Job::new(), FileAddress(address)).unwrap();
            let ours = words(frames.into_iter().flatten());
            assert_eq!(ours, reference.words(FileAddress(address)), "{at}");
        }
        with_lines += usize::from(!ours.is_empty());
        agree(&symbols, &file, address, ours, llvm, &at);
    }
    assert!(with_lines > 300, "{with_lines} addresses have lines in {}", compiled.how);
    assert_eq!(symbols.problem(), None, "{}", compiled.how);
}

fn plain(lookup: &Lookup<'_>, address: u64) -> Vec<Plain> {
    let frames = lookup.frames(&Job::new(), FileAddress(address)).unwrap();
    let plain = frames.into_iter().flatten().map(|frame| Plain {
        function: frame.function.map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
        file: frame.path.map(|path| path.to_string()).unwrap_or_default(),
        line: frame.line,
        column: frame.column,
    });
    plain.collect()
}

/// llvm-symbolizer names the outermost function by the symbol table: of several names of one address
/// it has another than DWARF may have. Where DWARF says nothing it shows the nearest symbol before,
/// whatever its size.
fn agree(
    symbols: &Symbols,
    file: &DebugFile,
    address: u64,
    mut ours: Vec<Plain>,
    mut llvm: Vec<Plain>,
    at: &str,
) {
    let Some(outermost) = ours.last_mut() else {
        let without_line = |frame: &Plain| frame.line == 0;
        assert!(llvm.len() <= 1 && llvm.iter().all(without_line), "{at}: {llvm:?}");
        return;
    };
    if let Some(theirs) = llvm.last_mut() {
        let named = symbols.name(file, FileAddress(address));
        let by_symbol = named.is_some_and(|named| theirs.function.as_bytes() == named.name);
        // Assemblers leave labels of their own in 32-bit code.
        if by_symbol || theirs.function.starts_with(".L") {
            theirs.function.clear();
            outermost.function.clear();
        }
    }
    // It also has a file by the symbol table, where the compiler tells no line.
    if let Some(theirs) = llvm.last_mut().filter(|theirs| theirs.line == 0)
        && outermost.file.is_empty()
    {
        theirs.file.clear();
    }
    // The linker has put two functions with the same code into one: either is right.
    let folded = at.contains("--icf") && ours.iter().all(|frame| [45, 46].contains(&frame.line));
    assert!(folded || ours == llvm, "{at}\nours: {ours:?}\nllvm: {llvm:?}");
}

fn addresses_of_code(binary: &Binary) -> Vec<u64> {
    let segments = binary.identity().segments.iter().filter(|segment| segment.executable);
    let all: Vec<u64> = segments
        .flat_map(|segment| segment.address.0..segment.address.0 + segment.file_size)
        .collect();
    let step = all.len().div_ceil(MOST).max(1);
    all.into_iter().step_by(step).collect()
}
