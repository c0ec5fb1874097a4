//! What a trace says of one machine frame in a module that is to be placed.

use object::Architecture;

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
    /// The same, as a return address where the machine is known to have had one. What printers take off
    /// differs: compiler-rt's `StackTrace::GetPreviousInstructionPc` one byte on x86 and four on
    /// AArch64, valgrind always one. On AArch64 all instructions are of four bytes.
    pub fn undone(mut self, architecture: Architecture) -> Self {
        if self.pc == Pc::Adjusted
            && matches!(architecture, Architecture::Aarch64 | Architecture::Aarch64_Ilp32)
        {
            self.address = RuntimeAddress((self.address.0 | 3).wrapping_add(1));
            self.pc = Pc::Return;
        }
        self
    }

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
            // On x86 printers take one off; see `undone` for the others.
            Pc::Adjusted => Some(FileAddress(address.0.wrapping_add(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_printer_has_taken_off_is_put_back_by_the_architecture() {
        let sighting = |address, pc| Sighting {
            address: RuntimeAddress(address),
            pc,
            name: None,
            offset: None,
            callee: Callee::Unknown,
        };
        let at = |sighting: Sighting<'_>| {
            let bias = LoadBias(0x1000);
            (sighting.return_address(bias).map(|at| at.0), sighting.instruction(bias).0)
        };
        for (architecture, address, expected) in [
            (Architecture::X86_64, 0x1207, (Some(0x208), 0x207)),
            // By four, as compiler-rt does, and by one, as valgrind does.
            (Architecture::Aarch64, 0x1204, (Some(0x208), 0x207)),
            (Architecture::Aarch64, 0x1207, (Some(0x208), 0x207)),
        ] {
            let told = sighting(address, Pc::Adjusted);
            assert_eq!(at(told.undone(architecture)), expected, "{architecture:?} {address:#x}");
        }
        for pc in [Pc::Exact, Pc::Return] {
            let told = sighting(0x1208, pc);
            assert_eq!(at(told.undone(Architecture::Aarch64)), at(told), "{pc:?}");
        }
    }
}
