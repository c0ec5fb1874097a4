//! The state machine that runs a line program (DWARF 5 §6.2).
//!
//! gimli has one too, which starts at the beginning of a program or of a sequence; this one can be
//! put back into any state it was in.

use gimli::{LineProgramHeader, Reader, constants as dw};

use crate::dwarf::Slice;

/// What the header says of the instructions (DWARF 5 §6.2.4).
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    minimum_instruction: u64,
    maximum_operations: u64,
    line_base: i8,
    line_range: u8,
    opcode_base: u8,
    /// How many operands each standard opcode has, from opcode 1 on.
    operands: Box<[u8]>,
    address_size: u8,
    /// The byte order.
    pub(super) endian: gimli::RunTimeEndian,
}

/// The registers (DWARF 5 §6.2.2) as far as a lookup needs them.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// The instruction's address.
    pub(super) address: u64,
    /// The operation within a VLIW instruction.
    operation: u32,
    /// Bytes from the start of the program to what is run next.
    pub(super) at: u32,
    /// The rest.
    pub(super) row: Row,
}

/// Where in source text an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The file's number in the unit's table.
    pub(super) file: u32,
    /// From 1; 0 where there is no line.
    pub(super) line: u32,
    /// From 1; 0 where the line as a whole is meant.
    pub(super) column: u32,
}

/// What running on has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The registers are a row.
    Row,
    /// The address is the first past the sequence.
    EndOfSequence,
    /// Nothing is left.
    EndOfProgram,
}

/// A program being run.
#[derive(Debug)]
pub(super) struct Machine<'p, 'a> {
    parameters: &'p Parameters,
    input: Slice<'a>,
    length: usize,
    state: State,
    /// The registers are reset before anything else is run.
    ended: bool,
}

impl Parameters {
    pub(super) fn of(header: &LineProgramHeader<Slice<'_>>) -> Parameters {
        let encoding = header.line_encoding();
        Parameters {
            minimum_instruction: u64::from(header.minimum_instruction_length()),
            maximum_operations: u64::from(header.maximum_operations_per_instruction().max(1)),
            line_base: encoding.line_base,
            // Zero would be divided by; gimli refuses such headers.
            line_range: encoding.line_range.max(1),
            opcode_base: header.opcode_base(),
            operands: header.standard_opcode_lengths().slice().into(),
            address_size: header.address_size(),
            endian: header.raw_program_buf().endian(),
        }
    }

    /// The largest address there is.
    pub(super) fn largest_address(&self) -> u64 {
        u64::MAX >> (64 - 8 * u32::from(self.address_size.clamp(1, 8)))
    }
}

impl<'p, 'a> Machine<'p, 'a> {
    /// At the start of a program.
    pub(super) fn new(parameters: &'p Parameters, program: Slice<'a>) -> Machine<'p, 'a> {
        let length = program.len();
        Machine { parameters, input: program, length, state: State::FIRST, ended: false }
    }

    /// The same program in a state it was in before.
    pub(super) fn resume(mut self, state: State) -> gimli::Result<Machine<'p, 'a>> {
        self.input.skip(state.at as usize)?;
        Ok(Machine { state, ..self })
    }

    /// The state now.
    #[inline]
    pub(super) fn state(&self) -> State {
        State { at: (self.length - self.input.len()) as u32, ..self.state }
    }

    /// The address now.
    #[inline]
    pub(super) fn address(&self) -> u64 {
        self.state.address
    }

    /// The row now.
    #[inline]
    pub(super) fn row(&self) -> Row {
        self.state.row
    }

    /// Runs on to the next row.
    #[inline]
    pub(super) fn step(&mut self) -> gimli::Result<Step> {
        if self.ended {
            self.ended = false;
            self.state = State::FIRST;
        }
        while !self.input.is_empty() {
            let opcode = self.input.read_u8()?;
            if opcode >= self.parameters.opcode_base {
                self.special(opcode);
                return Ok(Step::Row);
            }
            let reached = match opcode {
                0 => self.extended()?,
                _ => self.standard(opcode)?,
            };
            if let Some(step) = reached {
                return Ok(step);
            }
        }
        Ok(Step::EndOfProgram)
    }

    /// DWARF 5 §6.2.5.1.
    #[inline]
    fn special(&mut self, opcode: u8) {
        let adjusted = opcode - self.parameters.opcode_base;
        let (advance, line) =
            (adjusted / self.parameters.line_range, adjusted % self.parameters.line_range);
        self.advance(u64::from(advance));
        self.advance_line(i64::from(self.parameters.line_base) + i64::from(line));
    }

    /// DWARF 5 §6.2.5.2.
    fn standard(&mut self, opcode: u8) -> gimli::Result<Option<Step>> {
        match gimli::DwLns(opcode) {
            dw::DW_LNS_copy => return Ok(Some(Step::Row)),
            dw::DW_LNS_advance_pc => {
                let advance = self.input.read_uleb128()?;
                self.advance(advance);
            }
            dw::DW_LNS_advance_line => {
                let advance = self.input.read_sleb128()?;
                self.advance_line(advance);
            }
            dw::DW_LNS_set_file => self.state.row.file = small(self.input.read_uleb128()?),
            dw::DW_LNS_set_column => self.state.row.column = small(self.input.read_uleb128()?),
            dw::DW_LNS_const_add_pc => {
                let adjusted = 255 - self.parameters.opcode_base;
                self.advance(u64::from(adjusted / self.parameters.line_range));
            }
            dw::DW_LNS_fixed_advance_pc => {
                let advance = u64::from(self.input.read_u16()?);
                self.state.address = self.state.address.wrapping_add(advance);
                self.state.operation = 0;
            }
            dw::DW_LNS_negate_stmt
            | dw::DW_LNS_set_basic_block
            | dw::DW_LNS_set_prologue_end
            | dw::DW_LNS_set_epilogue_begin => {}
            // DW_LNS_set_isa, and what a later standard may add: the header says how long it is.
            _ => {
                let operands = self.parameters.operands.get(usize::from(opcode) - 1);
                for _ in 0..operands.copied().unwrap_or(0) {
                    self.input.read_uleb128()?;
                }
            }
        }
        Ok(None)
    }

    /// DWARF 5 §6.2.5.3.
    fn extended(&mut self) -> gimli::Result<Option<Step>> {
        let length = self.input.read_uleb128()?;
        let length = usize::try_from(length).map_err(|_| gimli::Error::UnsupportedOffset)?;
        let mut rest = self.input.split(length)?;
        if rest.is_empty() {
            return Ok(None);
        }
        match gimli::DwLne(rest.read_u8()?) {
            dw::DW_LNE_end_sequence => {
                self.ended = true;
                return Ok(Some(Step::EndOfSequence));
            }
            dw::DW_LNE_set_address => {
                self.state.address = rest.read_address(self.parameters.address_size)?;
                self.state.operation = 0;
            }
            // DW_LNE_set_discriminator, and DW_LNE_define_file, which DWARF 5 has dropped and no
            // producer is known to have used.
            _ => {}
        }
        Ok(None)
    }

    /// The operation advance of DWARF 5 §6.2.5.1; only VLIW machines have several a word.
    #[inline]
    fn advance(&mut self, operations: u64) {
        let (least, most) =
            (self.parameters.minimum_instruction, self.parameters.maximum_operations);
        let state = &mut self.state;
        if most == 1 {
            state.address = state.address.wrapping_add(operations.wrapping_mul(least));
        } else {
            let total = u64::from(state.operation).wrapping_add(operations);
            state.address = state.address.wrapping_add((total / most).wrapping_mul(least));
            state.operation = (total % most) as u32;
        }
    }

    #[inline]
    fn advance_line(&mut self, lines: i64) {
        self.state.row.line = self.state.row.line.wrapping_add(lines as u32);
    }
}

impl State {
    /// At the start of each sequence.
    const FIRST: State =
        State { address: 0, operation: 0, at: 0, row: Row { file: 1, line: 1, column: 0 } };
}

/// Files and columns past 32 bits are damage: they lead nowhere.
fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
