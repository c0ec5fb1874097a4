//! The symbols of the linker (System V ABI, "Symbol Table"): names of functions where there is no
//! DWARF, and what a debugger without it has printed.

use std::sync::OnceLock;

use object::{Object, ObjectSymbol, SymbolFlags, SymbolKind, elf};
use rustc_hash::FxHashMap;

use super::demangle::demangle;

use crate::address::FileAddress;
use crate::binary::Binary;
use crate::public_name::before_ada;

/// The symbols of one binary with one kind of content, from all its tables.
#[derive(Debug, Default)]
pub(super) struct ElfSymbols {
    /// By address; those of one address by how telling they are, the best one last.
    symbols: Box<[Symbol]>,
    /// Where those of the dynamic linker start, in order.
    dynamic: Box<[u64]>,
    /// Positions in `symbols`, by name.
    by_name: OnceLock<Box<[u32]>>,
    /// Positions in `symbols`, by what a debugger prints for names that are a code.
    by_text: OnceLock<FxHashMap<Box<str>, Vec<u32>>>,
}

/// One symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol {
    start: u64,
    /// In bytes; 0 where assembly code does not say.
    size: u64,
    /// The furthest end of this one and those before it.
    reach: u64,
    /// The name's place in the bytes of its file.
    name: u64,
    rank: Rank,
    /// Where it was found.
    pub(super) table: Table,
    is_ifunc: bool,
}

/// The tables that symbols come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// What the dynamic linker needs: it is left in stripped files.
    Dynamic,
    /// All symbols, in the file itself.
    Own,
    /// All symbols, in the separate debug file.
    Debug,
    /// Those that distributions pack into stripped files.
    Mini,
}

impl Table {
    /// The file that the table is in; none where the binary has no such.
    fn file(self, binary: &Binary) -> Option<&[u8]> {
        match self {
            Table::Dynamic | Table::Own => Some(binary.bytes()),
            Table::Debug => binary.separate_debug_bytes(),
            // Where it cannot be unpacked there are the other tables.
            Table::Mini => binary.mini_debug_info()?.ok(),
        }
    }
}

/// Which of several names of one address is shown: sized before unsized, global before weak before
/// local, the plain before those with underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    sized: bool,
    binding: u8,
    fewer_underscores: u8,
}

/// What symbols are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Functions, and labels in code.
    Code,
    /// Variables and constants.
    Data,
}

impl Content {
    fn has<'data>(self, symbol: &impl ObjectSymbol<'data>, binary: &Binary) -> bool {
        match self {
            Content::Code => is_function(symbol, binary),
            Content::Data => symbol.kind() == SymbolKind::Data && !symbol.is_undefined(),
        }
    }
}

impl ElfSymbols {
    /// Reads the tables of a binary and of its debug file. A damaged table is left out.
    pub(super) fn read(binary: &Binary, content: Content) -> ElfSymbols {
        let mut symbols = Vec::new();
        let own = binary.bytes();
        if let Ok(file) = object::File::parse(own) {
            let wanted = |symbol: &_| content.has(symbol, binary);
            symbols.extend(file.dynamic_symbols().filter_map(|symbol| {
                wanted(&symbol).then(|| Symbol::of(&symbol, own, Table::Dynamic))?
            }));
            symbols.extend(file.symbols().filter_map(|symbol| {
                wanted(&symbol).then(|| Symbol::of(&symbol, own, Table::Own))?
            }));
        }
        for table in [Table::Debug, Table::Mini] {
            let Some(separate) = table.file(binary) else { continue };
            let Ok(file) = object::File::parse(separate) else { continue };
            symbols.extend(file.symbols().filter_map(|symbol| {
                content.has(&symbol, binary).then(|| Symbol::of(&symbol, separate, table))?
            }));
        }
        symbols.sort_by_key(|symbol| (symbol.start, symbol.rank));
        let mut reach = 0;
        for symbol in &mut symbols {
            reach = symbol.start.saturating_add(symbol.size).max(reach);
            symbol.reach = reach;
        }
        let dynamic = symbols.iter().filter(|symbol| symbol.table == Table::Dynamic);
        let dynamic = dynamic.map(|symbol| symbol.start).collect();
        let (by_name, by_text) = (OnceLock::new(), OnceLock::new());
        ElfSymbols { symbols: symbols.into(), dynamic, by_name, by_text }
    }

    /// The symbol whose code an address is in: a sized one that holds it, else the label before it.
    pub(super) fn find(&self, address: FileAddress) -> Option<&Symbol> {
        let address = address.0;
        let after = self.symbols.partition_point(|symbol| symbol.start <= address);
        let before = self.symbols.get(..after)?;
        let mut holding = before.iter().rev().take_while(|symbol| address < symbol.reach);
        let sized = holding.find(|symbol| address - symbol.start < symbol.size);
        // A label reaches up to the next symbol, and no sized one may stand in between.
        sized.or_else(|| before.last().filter(|symbol| symbol.size == 0))
    }

    /// Whether an address is in a function that debuggers know in a stripped file too.
    pub(super) fn is_exported(&self, address: FileAddress) -> bool {
        let after = self.symbols.partition_point(|symbol| symbol.start <= address.0);
        let started = self.symbols.get(..after).unwrap_or_default().iter().rev();
        let mut near = started.take_while(|symbol| address.0 < symbol.reach);
        near.any(|symbol| symbol.table == Table::Dynamic && address.0 - symbol.start < symbol.size)
    }

    /// The symbols of that name.
    pub(super) fn named<'s, 'n>(
        &'s self,
        binary: &'s Binary,
        name: &'n [u8],
    ) -> impl Iterator<Item = &'s Symbol> + use<'s, 'n> {
        let of = |position: &u32| self.symbols.get(*position as usize);
        let name_of =
            move |position: &u32| of(position).map_or(&[][..], |symbol| symbol.name(binary));
        let by_name = self.by_name.get_or_init(|| {
            let mut positions: Vec<u32> = (0..self.symbols.len() as u32).collect();
            positions.sort_by(|a, b| name_of(a).cmp(name_of(b)));
            positions.into()
        });
        let first = by_name.partition_point(|position| name_of(position) < name);
        let same = by_name.get(first..).unwrap_or_default().iter();
        same.take_while(move |position| name_of(position) == name).filter_map(of)
    }

    /// The symbols that a debugger prints as `text`, up to `limit`.
    pub(super) fn printed<'s>(
        &'s self,
        binary: &'s Binary,
        text: &'s str,
        limit: usize,
    ) -> Vec<&'s Symbol> {
        for symbol in [Some(text.to_owned()), before_ada(text)].into_iter().flatten() {
            let exact: Vec<&Symbol> = self.named(binary, symbol.as_bytes()).take(limit).collect();
            if !exact.is_empty() {
                return exact;
            }
        }
        let by_text = self.by_text.get_or_init(|| {
            let mut by_text: FxHashMap<Box<str>, Vec<u32>> = FxHashMap::default();
            for (symbol, position) in self.symbols.iter().zip(0..) {
                let name = symbol.name(binary);
                if name.starts_with(b"_Z") || name.starts_with(b"_R") {
                    by_text.entry(demangle(name).into()).or_default().push(position);
                }
            }
            by_text
        });
        let positions = by_text.get(without_parameters(text)).map_or(&[][..], Vec::as_slice);
        let symbols = positions.iter().take(limit);
        symbols.filter_map(|position| self.symbols.get(*position as usize)).collect()
    }

    /// Where the next symbol after an address starts that a stripped file still has.
    pub(super) fn next_dynamic_after(&self, address: FileAddress) -> Option<FileAddress> {
        let after = self.dynamic.partition_point(|start| *start <= address.0);
        self.dynamic.get(after).map(|start| FileAddress(*start))
    }
}

impl Symbol {
    fn of<'data>(symbol: &impl ObjectSymbol<'data>, file: &[u8], table: Table) -> Option<Symbol> {
        let name = symbol.name_bytes().ok()?;
        let place = (name.as_ptr() as usize).checked_sub(file.as_ptr() as usize)?;
        let underscores = name.iter().take_while(|byte| **byte == b'_').count();
        let binding = if symbol.is_weak() {
            1
        } else if symbol.is_global() {
            2
        } else {
            0
        };
        let rank = Rank {
            sized: symbol.size() > 0,
            binding,
            fewer_underscores: u8::MAX - u8::try_from(underscores).unwrap_or(u8::MAX),
        };
        let (start, size) = (symbol.address(), symbol.size());
        let is_ifunc = match symbol.flags() {
            SymbolFlags::Elf { st_info, .. } => st_info.st_type() == elf::STT_GNU_IFUNC,
            _ => false,
        };
        Some(Symbol { start, size, reach: 0, name: place as u64, rank, table, is_ifunc })
    }

    /// Where it starts.
    pub(super) fn start(&self) -> FileAddress {
        FileAddress(self.start)
    }

    /// How many bytes of code it has; 0 where it does not say.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whether its code only chooses the function that is called under its name.
    pub(super) fn is_ifunc(&self) -> bool {
        self.is_ifunc
    }

    /// Its name as the linker knows it.
    pub(super) fn name<'b>(&self, binary: &'b Binary) -> &'b [u8] {
        let file = self.table.file(binary).unwrap_or_default();
        let start = usize::try_from(self.name).unwrap_or(usize::MAX);
        let rest = file.get(start..).unwrap_or_default();
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

/// `foo::bar` for `foo::bar(int) const`, as debuggers print symbols that they have no DWARF for.
fn without_parameters(text: &str) -> &str {
    let text = text.trim_end_matches(" const");
    if !text.ends_with(')') || text.ends_with("operator()") {
        return text;
    }
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// Functions, and the labels in code that assembly leaves without a type.
fn is_function<'data>(symbol: &impl ObjectSymbol<'data>, binary: &Binary) -> bool {
    let label = |name: &[u8]| {
        // The ABIs of Arm mark where instructions and data begin: $a, $d, $t, $x.
        !name.is_empty() && !name.starts_with(b"$")
    };
    let is_code = || {
        let address = FileAddress(symbol.address());
        let mut segments = binary.identity().segments.iter();
        segments.any(|segment| segment.executable && segment.holds(address))
    };
    !symbol.is_undefined()
        && match symbol.kind() {
            SymbolKind::Text => is_code(),
            SymbolKind::Unknown | SymbolKind::Label => {
                symbol.name_bytes().is_ok_and(label) && is_code()
            }
            _ => false,
        }
}
