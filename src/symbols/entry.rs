//! Where is `main` in a program without symbols? Its entry code hands the address to libc.

use object::Architecture;

use super::code::Code;
use crate::address::FileAddress;
use crate::binary::Binary;

/// glibc's entry code is shorter.
const LENGTH: usize = 64;

/// The address that the entry code gives to `__libc_start_main` as its first argument.
pub(super) fn main(binary: &Binary) -> Option<FileAddress> {
    let code = Code::of(binary);
    if code.architecture != Architecture::X86_64 {
        return None;
    }
    let entry = binary.identity().entry;
    let bytes = code.from(entry)?;
    let bytes = bytes.get(..LENGTH.min(bytes.len()))?;
    // lea displacement(%rip),%rdi, or mov $address,%rdi where the program has a fixed place
    // (glibc, sysdeps/x86_64/start.S).
    bytes.windows(7).zip(entry.0..).find_map(|(window, at)| {
        let value = i32::from_le_bytes(*window.last_chunk::<4>()?);
        let main = match window {
            [0x48, 0x8d, 0x3d, ..] => at.wrapping_add(7).wrapping_add_signed(value.into()),
            [0x48, 0xc7, 0xc7, ..] => i64::from(value) as u64,
            _ => return None,
        };
        Some(FileAddress(main)).filter(|main| code.is_code(*main))
    })
}
