//! Which source line is an instruction of? The line table of a unit (DWARF 5 §6.2), as rows from one
//! change of place to the next.
//!
//! Compilers write a row for each point at which one may stop: several for one address, of which the
//! last holds, and several for one place. A kernel's 4.2 million rows are 1.0 million of these.

use gimli::{ColumnType, DebugLineOffset, LineRow};

use super::files::Files;
use super::runs::Runs;
use super::text::Texts;
use crate::dwarf::{Error, View};

/// The line table of one unit.
#[derive(Debug)]
pub(super) struct Lines {
    /// The names of the source files.
    pub(super) files: Files,
    /// Which rows have an address: a run for each of the program's sequences.
    sequences: Runs<Sequence>,
    /// Where each row starts, from the start of its sequence.
    starts: Box<[u32]>,
    rows: Box<[Row]>,
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

/// Some rows one behind another.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    first: u32,
    count: u32,
}

/// A unit's program may have so many rows; those of a kernel's largest are some ten thousand.
const MAX_ROWS: usize = 1 << 24;

impl Lines {
    /// Runs a unit's line program. Damage ends the table where it is.
    pub(super) fn read(
        view: &View<'_>,
        texts: &Texts<'_>,
        offset: DebugLineOffset,
        address_size: u8,
    ) -> Result<Lines, Error> {
        let program = view.dwarf().debug_line.program(offset, address_size, None, None)?;
        let mut builder = Builder::default();
        let mut rows = program.rows();
        let mut read = 0;
        // What was read before the damage is right.
        while let Ok(Some((_, row))) = rows.next_row() {
            read += 1;
            if read > MAX_ROWS {
                return Err(Error::TooManyRows);
            }
            match row.end_sequence() {
                true => builder.close(row.address()),
                false => builder.row(row.address(), Row::of(row)),
            }
        }
        // Without an end, how far the last row reaches is not known.
        builder.close_at_last();
        let files = Files::read(view, texts, rows.header());
        let Builder { sequences, starts, rows, .. } = builder;
        let sequences = Runs::new(sequences);
        Ok(Lines { files, sequences, starts: starts.into(), rows: rows.into() })
    }

    /// The row of an address: the last one of its sequence that is not past it.
    #[inline]
    pub(super) fn find(&self, address: u64) -> Option<Row> {
        let (start, sequence) = self.sequences.find(address)?;
        let first = sequence.first as usize;
        let starts = self.starts.get(first..first + sequence.count as usize)?;
        let offset = u32::try_from(address - start).ok()?;
        let position = starts.partition_point(|start| *start <= offset).checked_sub(1)?;
        self.rows.get(first + position).copied()
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.sequences.bytes()
            + size_of_val(&*self.starts)
            + size_of_val(&*self.rows)
            + self.files.bytes()
    }
}

impl Row {
    fn of(row: &LineRow) -> Row {
        // Numbers past 32 bits are damage: they lead nowhere.
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Row {
            file: small(row.file_index()),
            line: row.line().map_or(0, |line| small(line.get())),
            column: match row.column() {
                ColumnType::LeftEdge => 0,
                ColumnType::Column(column) => small(column.get()),
            },
        }
    }
}

/// Collects rows while a program runs.
#[derive(Debug, Default)]
struct Builder {
    sequences: Vec<(u64, u64, Sequence)>,
    starts: Vec<u32>,
    rows: Vec<Row>,
    open: Option<Open>,
}

/// The sequence that is being read.
#[derive(Clone, Copy, Debug)]
struct Open {
    start: u64,
    last: u64,
    /// The position of its first row.
    first: usize,
}

impl Builder {
    fn row(&mut self, address: u64, row: Row) {
        // Within a sequence addresses only grow (DWARF 5 §6.2.5); where they do not, and where the
        // distance does not fit, another begins.
        let goes_on =
            |open: &Open| address >= open.last && u32::try_from(address - open.start).is_ok();
        if !self.open.as_ref().is_some_and(goes_on) {
            self.close_at_last();
        }
        let first = self.rows.len();
        let open = self.open.get_or_insert(Open { start: address, last: address, first });
        open.last = address;
        let (offset, is_first) = ((address - open.start) as u32, open.first == first);
        match (self.starts.last(), self.rows.last_mut()) {
            // Of several rows for one address the last holds.
            (Some(last), Some(known)) if !is_first && *last == offset => *known = row,
            (Some(_), Some(known)) if !is_first && *known == row => {}
            _ => {
                self.starts.push(offset);
                self.rows.push(row);
            }
        }
    }

    fn close_at_last(&mut self) {
        if let Some(last) = self.open.as_ref().map(|open| open.last) {
            self.close(last);
        }
    }

    fn close(&mut self, end: u64) {
        let Some(Open { start, first, .. }) = self.open.take() else { return };
        if start < end {
            let count = (self.rows.len() - first) as u32;
            self.sequences.push((start, end, Sequence { first: first as u32, count }));
        } else {
            self.starts.truncate(first);
            self.rows.truncate(first);
        }
    }
}
