//! The call check: does a call end at this address, and what does it reach?
//!
//! A return address is where a call ends. In another build of the same source the calls are
//! elsewhere, so a frame's address points between or into other instructions there.
//!
//! Functions are decoded from their start, since on x86 any byte could begin an instruction. What
//! instructions are is iced-x86's knowledge; of AArch64, whose instructions are four bytes each, the
//! four that matter are told apart here (Arm ARM: BL, BLR, B, BR).

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind, Register};
use object::Architecture;

use super::code::Code;
use super::image::Extent;
use crate::address::FileAddress;

/// How an instruction goes on, as far as frames can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next one, or somewhere within its function.
    Next,
    /// It calls.
    Call(Call),
    /// It jumps to this address, perhaps only sometimes.
    Jump(FileAddress),
    /// It jumps to where a register or a word in memory says.
    IndirectJump,
}

/// What a call reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The code at an address.
    Direct(FileAddress),
    /// What the word at an address points to: a slot of the global offset table.
    Through(FileAddress),
    /// What a register or another word in memory says.
    Indirect,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where it starts.
    pub(super) start: FileAddress,
    /// Where the next one starts.
    pub(super) end: FileAddress,
    /// How it goes on.
    pub(super) flow: Flow,
}

/// What is known of the instruction before an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// It is a call.
    Call(Call),
    /// It is none, or no instruction ends there.
    NoCall,
    /// The machine's instructions are not known here, or the file has no code.
    Unknown,
}

/// The longest call of x86: prefixes, opcode, ModR/M, SIB and a displacement.
const LONGEST_CALL: u64 = 9;

/// Whether instructions of the machine are known.
pub(super) fn are_known(code: &Code<'_>) -> bool {
    bits(code.architecture).is_some() || is_aarch64(code.architecture)
}

/// The instructions of a function, from its start on; none where they are not known.
pub(super) fn steps<'b>(code: &Code<'b>, function: Extent) -> Box<dyn Iterator<Item = Step> + 'b> {
    let bytes = code.between(function.start, function.end).unwrap_or_default();
    match bits(code.architecture) {
        Some(bits) => Box::new(x86(bits, bytes, function.start)),
        None if is_aarch64(code.architecture) => Box::new(aarch64(bytes, function.start)),
        None => Box::new(std::iter::empty()),
    }
}

/// What the instruction that ends at `address` calls: by its function, if that is known.
pub(super) fn before(code: &Code<'_>, function: Option<Extent>, address: FileAddress) -> Before {
    if !are_known(code) {
        return Before::Unknown;
    }
    let step = match function {
        Some(function) => steps(code, function).find(|step| step.end >= address),
        None => longest_call(code, address),
    };
    match step {
        Some(Step { end, flow: Flow::Call(call), .. }) if end == address => Before::Call(call),
        _ => Before::NoCall,
    }
}

/// Whether an instruction of the function starts at an address; true where that cannot be told.
pub(super) fn starts_at(code: &Code<'_>, function: Extent, address: FileAddress) -> bool {
    let step = steps(code, function).find(|step| step.end > address);
    step.is_none_or(|step| step.start == address)
}

/// Where no function is known around the address: the longest call that ends there.
fn longest_call(code: &Code<'_>, address: FileAddress) -> Option<Step> {
    (1..=LONGEST_CALL).rev().find_map(|length| {
        let start = FileAddress(address.0.checked_sub(length)?);
        let first = steps(code, Extent { start, end: address }).next()?;
        (first.end == address && matches!(first.flow, Flow::Call(_))).then_some(first)
    })
}

fn bits(architecture: Architecture) -> Option<u32> {
    match architecture {
        Architecture::X86_64 | Architecture::X86_64_X32 => Some(64),
        Architecture::I386 => Some(32),
        _ => None,
    }
}

fn is_aarch64(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::Aarch64 | Architecture::Aarch64_Ilp32)
}

fn x86(bits: u32, bytes: &[u8], start: FileAddress) -> impl Iterator<Item = Step> + '_ {
    let mut decoder = Decoder::with_ip(bits, bytes, start.0, DecoderOptions::NONE);
    std::iter::from_fn(move || {
        let instruction = decoder.can_decode().then(|| decoder.decode())?;
        let (start, end) = (instruction.ip(), instruction.next_ip());
        let flow = flow_x86(&instruction);
        Some(Step { start: FileAddress(start), end: FileAddress(end), flow })
    })
}

fn flow_x86(instruction: &Instruction) -> Flow {
    let target = || FileAddress(instruction.near_branch_target());
    match instruction.flow_control() {
        FlowControl::Call => Flow::Call(Call::Direct(target())),
        FlowControl::IndirectCall => Flow::Call(match slot_x86(instruction) {
            Some(slot) => Call::Through(slot),
            None => Call::Indirect,
        }),
        FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => Flow::Jump(target()),
        FlowControl::IndirectBranch => Flow::IndirectJump,
        _ => Flow::Next,
    }
}

/// The word in memory that an instruction reads, where its address is a constant.
fn slot_x86(instruction: &Instruction) -> Option<FileAddress> {
    if instruction.op0_kind() != OpKind::Memory || instruction.memory_index() != Register::None {
        return None;
    }
    let constant =
        instruction.is_ip_rel_memory_operand() || instruction.memory_base() == Register::None;
    constant.then(|| FileAddress(instruction.memory_displacement64()))
}

fn aarch64(bytes: &[u8], start: FileAddress) -> impl Iterator<Item = Step> + '_ {
    let words = bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    words.zip((start.0..).step_by(4)).map(|(word, at)| Step {
        start: FileAddress(at),
        end: FileAddress(at + 4),
        flow: flow_aarch64(word, at),
    })
}

fn flow_aarch64(word: u32, at: u64) -> Flow {
    // B and BL: 26 bits of words from the instruction on.
    let target = || FileAddress(at.wrapping_add_signed(i64::from((word << 6) as i32 >> 6) * 4));
    match word {
        _ if word & 0xfc00_0000 == 0x9400_0000 => Flow::Call(Call::Direct(target())),
        _ if word & 0xfc00_0000 == 0x1400_0000 => Flow::Jump(target()),
        // BLR and BR, and those that authenticate the address first.
        _ if word & 0xffff_fc1f == 0xd63f_0000 || word & 0xfeff_f800 == 0xd63f_0800 => {
            Flow::Call(Call::Indirect)
        }
        _ if word & 0xffff_fc1f == 0xd61f_0000 || word & 0xfeff_f800 == 0xd61f_0800 => {
            Flow::IndirectJump
        }
        _ => Flow::Next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::FileOffset;
    use crate::binary::Segment;

    const START: u64 = 0x1000;

    fn segment(bytes: &[u8]) -> Segment {
        Segment {
            offset: FileOffset(0),
            address: FileAddress(START),
            file_size: bytes.len() as u64,
            memory_size: bytes.len() as u64,
            executable: true,
        }
    }

    fn whole(bytes: &[u8]) -> Extent {
        let end = FileAddress(START + bytes.len() as u64);
        Extent { start: FileAddress(START), end }
    }

    fn at_the_end_of(bytes: &[u8], architecture: Architecture) -> Before {
        let segments = [segment(bytes)];
        let code = Code::new(bytes, &segments, architecture);
        let end = whole(bytes).end;
        let by_function = before(&code, Some(whole(bytes)), end);
        assert_eq!(before(&code, None, end), by_function, "{bytes:x?}");
        by_function
    }

    /// The encodings are what GNU as writes for the instruction beside them.
    #[test]
    fn every_form_of_call_is_known() {
        use Before::Call as B;
        for (bytes, expected) in [
            // call .-0x10
            (&[0xe8, 0xeb, 0xff, 0xff, 0xff][..], B(Call::Direct(FileAddress(START - 0x10)))),
            // call *0x10(%rip)
            (&[0xff, 0x15, 0x10, 0, 0, 0], B(Call::Through(FileAddress(START + 6 + 0x10)))),
            // call *%rax; call *%r11; call *(%rax)
            (&[0xff, 0xd0], B(Call::Indirect)),
            (&[0x41, 0xff, 0xd3], B(Call::Indirect)),
            (&[0xff, 0x10], B(Call::Indirect)),
            // call *0x18(%rax); call *0x18(%rsp); call *(%rsp); call *(%r12)
            (&[0xff, 0x50, 0x18], B(Call::Indirect)),
            (&[0xff, 0x54, 0x24, 0x18], B(Call::Indirect)),
            (&[0xff, 0x14, 0x24], B(Call::Indirect)),
            (&[0x41, 0xff, 0x14, 0x24], B(Call::Indirect)),
            // call *0x1234(%rbx); call *0x1234(%rsp); call *0x1234(,%rax,8)
            (&[0xff, 0x93, 0x34, 0x12, 0, 0], B(Call::Indirect)),
            (&[0xff, 0x94, 0x24, 0x34, 0x12, 0, 0], B(Call::Indirect)),
            (&[0xff, 0x14, 0xc5, 0x34, 0x12, 0, 0], B(Call::Indirect)),
            // mov %rax,%rdi; jmp *%rax; ret
            (&[0x48, 0x89, 0xc7], Before::NoCall),
            (&[0xff, 0xe0], Before::NoCall),
            (&[0xc3], Before::NoCall),
        ] {
            assert_eq!(at_the_end_of(bytes, Architecture::X86_64), expected, "{bytes:x?}");
        }
        // bl .-0x10; blr x1; br x1
        for (word, expected) in [
            (0x97ff_fffc_u32, B(Call::Direct(FileAddress(START - 0x10)))),
            (0xd63f_0020, B(Call::Indirect)),
            (0xd61f_0020, Before::NoCall),
        ] {
            assert_eq!(at_the_end_of(&word.to_le_bytes(), Architecture::Aarch64), expected);
        }
        assert_eq!(at_the_end_of(&[0; 4], Architecture::S390x), Before::Unknown);
    }

    #[test]
    fn what_looks_like_a_call_inside_an_instruction_is_none() {
        // mov $0xd0ff,%eax: its third byte on would be `call *%rax`.
        let bytes = [0xb8, 0xff, 0xd0, 0, 0];
        let segments = [segment(&bytes)];
        let code = Code::new(&bytes, &segments, Architecture::X86_64);
        let address = FileAddress(START + 3);
        assert_eq!(before(&code, Some(whole(&bytes)), address), Before::NoCall);
        assert!(!starts_at(&code, whole(&bytes), address));
        assert!(starts_at(&code, whole(&bytes), FileAddress(START)));
    }

    #[test]
    fn jumps_are_told_apart() {
        let flows = |bytes: &[u8], architecture| -> Vec<Flow> {
            let segments = [segment(bytes)];
            let code = Code::new(bytes, &segments, architecture);
            steps(&code, whole(bytes)).map(|step| step.flow).collect()
        };
        // nop; jmp .+0x105; je .+0x12; jmp *%rax; ret
        let bytes = [0x90, 0xe9, 0, 1, 0, 0, 0x74, 0x10, 0xff, 0xe0, 0xc3];
        let expected = [
            Flow::Next,
            Flow::Jump(FileAddress(START + 6 + 0x100)),
            Flow::Jump(FileAddress(START + 8 + 0x10)),
            Flow::IndirectJump,
            Flow::Next,
        ];
        assert_eq!(flows(&bytes, Architecture::X86_64), expected);
        // b .+0x100; br x1; ret
        let words = [0x1400_0040_u32, 0xd61f_0020, 0xd65f_03c0].map(u32::to_le_bytes).concat();
        let expected = [Flow::Jump(FileAddress(START + 0x100)), Flow::IndirectJump, Flow::Next];
        assert_eq!(flows(&words, Architecture::Aarch64), expected);
    }
}
