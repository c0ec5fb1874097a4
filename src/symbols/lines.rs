//! Which source line is an instruction of?
//!
//! A unit's line program is run once, and of sixteen rows one state of the machine is kept: a lookup
//! runs on from the last state before its address. The rows of a kernel would take 200 MB, these
//! states take 12.
//!
//! ```text
//! program   row row row row … row row row row …        mapped, not copied
//! states    ^                 ^                        32 bytes each
//! lookup                      └─> row row │ the last row that is not past the address
//! ```

use std::ops::Range;

use gimli::{DebugLineOffset, Reader, Section};

use super::files::Files;
use super::line_machine::{Machine, Parameters, Row, State, Step};
use super::text::Texts;
use crate::dwarf::{Error, Slice, View};

/// Rows from one kept state to the next.
const ROWS_A_STATE: u32 = 16;

/// The line table of one unit.
#[derive(Debug)]
pub(super) struct Lines {
    /// The names of the source files.
    pub(super) files: Files,
    parameters: Parameters,
    /// The program's place in .debug_line.
    program: Range<usize>,
    /// By start.
    sequences: Box<[Sequence]>,
    /// Each as its row has left the machine.
    states: Box<[State]>,
}

/// A run of rows whose addresses grow.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    start: u64,
    end: u64,
    /// The furthest end of this one and those before it: sequences can overlap.
    reach: u64,
    first_state: usize,
    states: usize,
}

impl Lines {
    /// Runs a unit's program. Damage ends the table where it is.
    pub(super) fn read(
        view: &View<'_>,
        texts: &Texts<'_>,
        offset: DebugLineOffset,
        address_size: u8,
    ) -> Result<Lines, Error> {
        let program = view.dwarf().debug_line.program(offset, address_size, None, None)?;
        let header = program.header();
        let parameters = Parameters::of(header);
        let instructions = header.raw_program_buf();
        let start = instructions.offset_from(*view.dwarf().debug_line.reader());
        let mut builder = Builder::default();
        builder.run(&parameters, instructions);
        let (sequences, states) = builder.finish();
        let program = start..start + instructions.len();
        let files = Files::read(view, texts, header);
        Ok(Lines { files, parameters, program, sequences, states })
    }

    /// The row of an address, from the .debug_line that the table was read from.
    #[inline]
    pub(super) fn find(&self, debug_line: &[u8], address: u64) -> Option<Row> {
        let after = self.sequences.partition_point(|sequence| sequence.start <= address);
        let started = self.sequences.get(..after)?.iter().rev();
        let mut near = started.take_while(|sequence| address < sequence.reach);
        let sequence = near.find(|sequence| address < sequence.end)?;
        let states = self.states.get(sequence.first_state..)?.get(..sequence.states)?;
        let position = states.partition_point(|state| state.address <= address).checked_sub(1)?;
        let state = *states.get(position)?;
        let program = Slice::new(debug_line.get(self.program.clone())?, self.parameters.endian);
        let mut machine = Machine::new(&self.parameters, program).resume(state).ok()?;
        let mut row = state.row;
        while let Ok(Step::Row) = machine.step() {
            if machine.address() > address {
                break;
            }
            row = machine.row();
        }
        Some(row)
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.sequences) + size_of_val(&*self.states) + self.files.bytes()
    }
}

/// Collects sequences and states while a program runs.
#[derive(Debug, Default)]
struct Builder {
    sequences: Vec<Sequence>,
    states: Vec<State>,
    open: Option<Open>,
}

/// The sequence that is being read.
#[derive(Debug)]
struct Open {
    start: u64,
    last: u64,
    first_state: usize,
    rows: u32,
}

impl Builder {
    fn run(&mut self, parameters: &Parameters, program: Slice<'_>) {
        // -1 and -2 stand for code that the linker has left out.
        let tombstone = parameters.largest_address() - 1;
        let mut machine = Machine::new(parameters, program);
        loop {
            match machine.step() {
                Ok(Step::Row) if machine.address() < tombstone => self.row(&machine),
                Ok(Step::Row) => {}
                Ok(Step::EndOfSequence) => self.close(machine.address()),
                Ok(Step::EndOfProgram) | Err(_) => break,
            }
        }
        // Without an end, how far the last row reaches is not known.
        if let Some(last) = self.open.as_ref().map(|open| open.last) {
            self.close(last);
        }
    }

    #[inline]
    fn row(&mut self, machine: &Machine<'_, '_>) {
        let address = machine.address();
        // Within a sequence addresses only grow (DWARF 5 §6.2.5); where they do not, another begins.
        if let Some(last) = self.open.as_ref().map(|open| open.last).filter(|last| address < *last)
        {
            self.close(last);
        }
        let first_state = self.states.len();
        let new = || Open { start: address, last: address, first_state, rows: 0 };
        let open = self.open.get_or_insert_with(new);
        if open.rows.is_multiple_of(ROWS_A_STATE) {
            self.states.push(machine.state());
        }
        open.rows += 1;
        open.last = address;
    }

    fn close(&mut self, end: u64) {
        let Some(Open { start, first_state, .. }) = self.open.take() else { return };
        if start < end {
            let states = self.states.len() - first_state;
            self.sequences.push(Sequence { start, end, reach: 0, first_state, states });
        } else {
            self.states.truncate(first_state);
        }
    }

    fn finish(mut self) -> (Box<[Sequence]>, Box<[State]>) {
        self.sequences.sort_by_key(|sequence| sequence.start);
        let mut reach = 0;
        for sequence in &mut self.sequences {
            reach = sequence.end.max(reach);
            sequence.reach = reach;
        }
        (self.sequences.into(), self.states.into())
    }
}
