//! The machine code of a binary, by address: what the call check reads.

use object::Architecture;

use crate::address::FileAddress;
use crate::binary::{Binary, Segment};

/// The bytes of a binary's executable segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code<'b> {
    bytes: &'b [u8],
    segments: &'b [Segment],
    /// Whose instructions they are.
    pub(super) architecture: Architecture,
}

impl<'b> Code<'b> {
    pub(super) fn of(binary: &'b Binary) -> Code<'b> {
        let identity = binary.identity();
        Code::new(binary.bytes(), &identity.segments, identity.architecture)
    }

    pub(super) fn new(
        bytes: &'b [u8],
        segments: &'b [Segment],
        architecture: Architecture,
    ) -> Code<'b> {
        Code { bytes, segments, architecture }
    }

    /// Whether there can be an instruction at an address.
    pub(super) fn is_code(&self, address: FileAddress) -> bool {
        self.segment(address).is_some()
    }

    /// The bytes of code from an address to the end of its segment.
    pub(super) fn from(&self, address: FileAddress) -> Option<&'b [u8]> {
        let segment = self.segment(address)?;
        self.at(segment, address.0 - segment.address.0, segment.file_size)
    }

    /// The bytes of code from one address to another.
    pub(super) fn between(&self, start: FileAddress, end: FileAddress) -> Option<&'b [u8]> {
        let size = usize::try_from(end.0.checked_sub(start.0)?).ok()?;
        let rest = self.from(start)?;
        rest.get(..size.min(rest.len()))
    }

    fn segment(&self, address: FileAddress) -> Option<&'b Segment> {
        self.segments.iter().find(|segment| segment.executable && segment.holds(address))
    }

    fn at(&self, segment: &Segment, start: u64, end: u64) -> Option<&'b [u8]> {
        let start = usize::try_from(segment.offset.0.checked_add(start)?).ok()?;
        let end = usize::try_from(segment.offset.0.checked_add(end)?).ok()?;
        self.bytes.get(start..end.min(self.bytes.len()))
    }
}
