//! Where each function starts and ends, also those that no symbol names: unwinding needs to know it,
//! so it is left in stripped files (.eh_frame; LSB, "Exception Frames").

use gimli::{BaseAddresses, CieOrFde, EhFrame, EndianSlice, UnwindSection};
use object::{Object, ObjectSection};

use super::image::Extent;
use crate::address::FileAddress;
use crate::binary::Binary;

/// The runs of code that unwind information speaks of: one a function, or one a part of it.
#[derive(Debug, Default)]
pub(super) struct Extents {
    /// Start and end, by start.
    runs: Box<[(u64, u64)]>,
    are_aligned: bool,
}

/// What GCC, Clang and rustc align functions to where they optimise for speed, in bytes.
const ALIGNMENT: u64 = 16;

impl Extents {
    /// Reads a binary's own. Damage loses what is behind it.
    pub(super) fn read(binary: &Binary) -> Extents {
        let Ok(file) = object::File::parse(binary.bytes()) else { return Extents::default() };
        let Some(section) = file.section_by_name(".eh_frame") else { return Extents::default() };
        let Ok(data) = section.data() else { return Extents::default() };
        let identity = binary.identity();
        let mut frames = EhFrame::from(EndianSlice::new(data, identity.endian));
        frames.set_address_size(if file.is_64() { 8 } else { 4 });
        let address = |name| file.section_by_name(name).map_or(0, |section| section.address());
        let bases = BaseAddresses::default()
            .set_eh_frame(section.address())
            .set_text(address(".text"))
            .set_got(address(".got"));
        let mut extents = Vec::new();
        let mut entries = frames.entries(&bases);
        while let Ok(Some(entry)) = entries.next() {
            let CieOrFde::Fde(partial) = entry else { continue };
            let Ok(fde) = partial.parse(EhFrame::cie_from_offset) else { continue };
            let (start, end) = (fde.initial_address(), fde.end_address());
            if start < end && start > 0 {
                extents.push((start, end));
            }
        }
        extents.sort_unstable();
        let are_aligned = are_aligned(&extents);
        Extents { runs: extents.into(), are_aligned }
    }

    /// In which steps a function would have moved in another build, in bytes.
    pub(super) fn alignment_of(&self, function: Extent) -> u64 {
        match self.are_aligned && function.start.0.is_multiple_of(ALIGNMENT) {
            true => ALIGNMENT,
            false => 1,
        }
    }

    /// The run that an address is in.
    pub(super) fn find(&self, address: FileAddress) -> Option<Extent> {
        let after = self.runs.partition_point(|(start, _)| *start <= address.0);
        let (start, end) = *self.runs.get(after.checked_sub(1)?)?;
        let extent = Extent { start: FileAddress(start), end: FileAddress(end) };
        extent.holds(address).then_some(extent)
    }
}

/// Whether the compiler has put functions on multiples of [`ALIGNMENT`]: then most starts are; the
/// others are parts that are rarely run. Without, one in sixteen is by chance.
fn are_aligned(runs: &[(u64, u64)]) -> bool {
    let aligned = runs.iter().filter(|(start, _)| start % ALIGNMENT == 0).count();
    aligned * 2 > runs.len()
}
