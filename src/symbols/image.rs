//! What a binary says of its code without DWARF: symbols, the procedure linkage table, the extents
//! of functions. A stripped file has enough of it to be recognised in a trace.

use super::code::Code;
use super::elf_symbols::{Content, ElfSymbols, Symbol, Table};
use super::extents::Extents;
use super::plt::Plt;
use crate::address::FileAddress;
use crate::binary::Binary;

/// The part of a binary that is left when it is stripped, and the symbols of its debug file.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) symbols: ElfSymbols,
    pub(super) plt: Plt,
    pub(super) extents: Extents,
}

/// A run of code: a function, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Extent {
    /// The first byte's address.
    pub(super) start: FileAddress,
    /// The address past the last byte.
    pub(super) end: FileAddress,
}

impl Extent {
    /// Whether an address is in it.
    pub(super) fn holds(&self, address: FileAddress) -> bool {
        self.start <= address && address < self.end
    }
}

/// Longer functions are damage: each frame has the instructions of its own read.
const MAX_FUNCTION: u64 = 4 << 20;

/// The linker's name of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'b> {
    /// The symbol, not demangled.
    pub name: &'b [u8],
    /// Bytes from its start.
    pub offset: u64,
    /// What it was found in.
    pub via: Via,
}

impl<'b> Named<'b> {
    /// By a symbol that the address is in.
    pub(super) fn of(symbol: &Symbol, binary: &'b Binary, address: FileAddress) -> Named<'b> {
        let via = match symbol.table {
            Table::Own | Table::Debug => Via::Symtab,
            Table::Dynamic => Via::Dynsym,
            Table::Mini => Via::MiniDebugInfo,
        };
        let offset = address.0.saturating_sub(symbol.start().0);
        Named { name: symbol.name(binary), offset, via }
    }
}

/// What an address was named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// DWARF.
    Dwarf,
    /// All symbols of the file or of its debug file.
    Symtab,
    /// The symbols that the dynamic linker needs.
    Dynsym,
    /// The symbols that distributions leave in stripped files.
    MiniDebugInfo,
    /// The procedure linkage table: the name is that of the function called through it.
    Plt,
}

impl Via {
    /// Its stable name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Via::Dwarf => "dwarf",
            Via::Symtab => "symtab",
            Via::Dynsym => "dynsym",
            Via::MiniDebugInfo => "mini-debug-info",
            Via::Plt => "plt",
        }
    }
}

impl Image {
    pub(super) fn read(binary: &Binary) -> Image {
        Image {
            symbols: ElfSymbols::read(binary, Content::Code),
            plt: Plt::read(binary),
            extents: Extents::read(binary),
        }
    }

    /// The name of an address.
    pub(super) fn name<'b>(
        &'b self,
        binary: &'b Binary,
        address: FileAddress,
    ) -> Option<Named<'b>> {
        if let Some(name) = self.plt.find(address) {
            return Some(Named { name, offset: 0, via: Via::Plt });
        }
        let is_code = Code::of(binary).is_code(address);
        let symbol = self.symbols.find(address).filter(|_| is_code)?;
        Some(Named::of(symbol, binary, address))
    }

    /// The run of code that an address is in.
    pub(super) fn function_at(&self, address: FileAddress) -> Option<Extent> {
        let extent = self.extents.find(address).or_else(|| {
            let symbol = self.symbols.find(address).filter(|symbol| symbol.size() > 0)?;
            let start = symbol.start();
            Some(Extent { start, end: FileAddress(start.0.saturating_add(symbol.size())) })
        });
        extent.filter(|extent| extent.end.0 - extent.start.0 <= MAX_FUNCTION)
    }
}
