//! Where a paste itself says that a module was loaded.

use object::{Object, ObjectSection};

use crate::address::{FileAddress, LoadBias, RuntimeAddress};
use crate::binary::{Binary, Segment};
use crate::trace::{Module, ModuleSource};

/// Segments are loaded by whole pages.
const PAGE: u64 = 4096;

/// The load bias of a binary by one listed place of its module; none where the list speaks of a part
/// that the binary does not have.
pub(in crate::engine) fn bias(binary: &Binary, module: &Module) -> Option<LoadBias> {
    if let Some(bias) = module.bias {
        return Some(bias);
    }
    let start = module.start?.0;
    let file = match module.source {
        ModuleSource::SharedLibraries => text_address(binary)?,
        ModuleSource::Maps => mapped_address(binary, module)?,
        ModuleSource::KernelSegfault => match module.file_offset {
            Some(_) => mapped_address(binary, module)?,
            None => page_of(code(binary)?.address.0),
        },
        ModuleSource::Coredump | ModuleSource::ModuleList => first_page(binary)?,
        ModuleSource::FrameOffset => return None,
    };
    Some(LoadBias(start.wrapping_sub(file)))
}

/// The load bias of a binary whose first mapping is at an address.
pub(in crate::engine) fn bias_at(binary: &Binary, start: RuntimeAddress) -> Option<LoadBias> {
    Some(LoadBias::between(start, FileAddress(first_page(binary)?)))
}

fn first_page(binary: &Binary) -> Option<u64> {
    Some(page_of(binary.identity().segments.iter().map(|segment| segment.address.0).min()?))
}

/// What places within a module are counted from: the file's own addresses, as most printers have them,
/// or the positions in the file, as perf does. Linkers can make the two the same.
pub(super) fn in_file(binary: &Binary) -> impl Iterator<Item = LoadBias> {
    let position = code(binary).map(|code| code.offset.0.wrapping_sub(code.address.0));
    std::iter::once(0).chain(position.filter(|position| *position != 0)).map(LoadBias)
}

fn page_of(address: u64) -> u64 {
    address & !(PAGE - 1)
}

fn code(binary: &Binary) -> Option<&Segment> {
    binary.identity().segments.iter().find(|segment| segment.executable)
}

/// The file's own address of what is mapped at the module's start.
fn mapped_address(binary: &Binary, module: &Module) -> Option<u64> {
    let offset = module.file_offset?.0;
    let holds = |segment: &&Segment| {
        let start = page_of(segment.offset.0);
        (start..segment.offset.0.saturating_add(segment.file_size)).contains(&offset)
    };
    // Two segments can share a page of the file: the code is what frames are in.
    let mut segments: Vec<&Segment> = binary.identity().segments.iter().filter(holds).collect();
    segments.sort_by_key(|segment| !segment.executable);
    let segment = segments.first()?;
    Some(segment.address.0.wrapping_sub(segment.offset.0).wrapping_add(offset))
}

/// gdb lists where the section .text starts.
fn text_address(binary: &Binary) -> Option<u64> {
    let file = object::File::parse(binary.bytes()).ok()?;
    Some(file.section_by_name(".text")?.address())
}
