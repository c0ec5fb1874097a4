//! What a trace says of one machine frame in a module that is to be placed.

use crate::address::{FileAddress, LoadBias, Pc, RuntimeAddress};

/// A machine frame, as printed.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'t> {
    /// The program counter.
    pub address: RuntimeAddress,
    /// How it relates to the instruction being executed.
    pub pc: Pc,
    /// The function that has the address: for a run of inlined frames the outermost.
    pub name: Option<&'t str>,
    /// Bytes from the function's start, where the text says.
    pub offset: Option<u64>,
    /// What the frame has called.
    pub callee: Callee<'t>,
}

/// The next inner frame, which a frame has called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee<'t> {
    /// There is none, or a signal came in between.
    Unknown,
    /// The sighting at this position of the same list.
    Sighting(usize),
    /// A function of another module, by its name where it has one.
    Elsewhere(Option<&'t str>),
}

impl Sighting<'_> {
    /// Where the file has the frame's address.
    pub(super) fn file_address(&self, bias: LoadBias) -> FileAddress {
        bias.to_file(self.address)
    }

    /// Where the file has the instruction that the frame stands at.
    pub fn instruction(&self, bias: LoadBias) -> FileAddress {
        self.pc.lookup_address(self.file_address(bias))
    }

    /// Where the file has the instruction after the call that the frame stands at; none where it is
    /// not known to stand at a call.
    pub(super) fn return_address(&self, bias: LoadBias) -> Option<FileAddress> {
        let address = self.file_address(bias);
        match self.pc {
            Pc::Exact => None,
            Pc::Return => Some(address),
            // Printers take one off, on x86 and elsewhere.
            Pc::Adjusted => Some(FileAddress(address.0.wrapping_add(1))),
        }
    }
}
