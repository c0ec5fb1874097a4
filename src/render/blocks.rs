//! A layout as blocks in the terminal: members and holes to scale, each member a letter.
//!
//! A row is a cache line, or several where the type is large. A cell shows what fills most of it; a
//! large cell may have many members of which none does.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::byte_map::{ByteMap, CELLS, Piece};
use super::counted;
use super::escape::escape;
use super::style::{DIM, MEMBERS, TITLE};
use crate::api::layout::LayoutMatch;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const HOLE: char = '·';

/// It may be a hole, or a member's whose place is not known.
const UNKNOWN: char = '?';

const SEVERAL: char = '+';

/// The columns of the legend.
const WIDTH: usize = 100;

/// What a cell shows of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Empty,
    /// The member at this position.
    Member(usize),
    /// More members than one could show.
    Several,
}

/// Writes one match.
pub(super) fn write(page: &mut String, found: &LayoutMatch) -> fmt::Result {
    let Some(map) = ByteMap::of(found) else {
        let name = escape(&found.layout.type_name);
        return writeln!(page, "{name} {DIM}// no bytes to draw{DIM:#}");
    };
    let (title, size) = (escape(&map.title), counted(map.size, "byte"));
    let scale = match map.bytes_per_cell() {
        1 => String::new(),
        bytes => format!(", each cell {bytes}"),
    };
    writeln!(page, "{TITLE}{title}{TITLE:#} {DIM}/* {size}{scale} */{DIM:#}")?;
    let has_several = write_rows(page, &map)?;
    write_legend(page, &map, has_several)
}

/// Rows that only go on with the member of the one before are counted. Returns whether a cell has several
/// members.
fn write_rows(page: &mut String, map: &ByteMap) -> Result<bool, fmt::Error> {
    let digits = (map.start + map.size).to_string().len();
    let (mut before, mut alike, mut has_several) = (None, 0_u64, false);
    for (start, end) in map.rows() {
        let within: Vec<(usize, &Piece)> = map.between(start * 8, end * 8).collect();
        let lanes: Vec<Vec<Cell>> =
            (0..map.lanes).map(|lane| cells(map, &within, lane, (start, end))).collect();
        has_several |= lanes.iter().flatten().any(|cell| *cell == Cell::Several);
        let whole = whole(&lanes);
        let is_last = end == map.start + map.size;
        if whole.is_some() && whole == before && !is_last {
            alike += 1;
            continue;
        }
        write_alike(page, digits, &mut alike)?;
        before = whole;
        let mut label = start.to_string();
        for (lane, cells) in lanes.iter().enumerate() {
            if lane > 0 && cells.iter().all(|cell| *cell == Cell::Empty) {
                continue;
            }
            write!(page, "{DIM}{label:>digits$}{DIM:#} ")?;
            let is_empty = |lane: &Vec<Cell>, at: usize| lane.get(at) == Some(&Cell::Empty);
            let is_hole = |at: usize| lane == 0 && lanes.iter().all(|lane| is_empty(lane, at));
            write_cells(page, cells, is_hole, hole(map))?;
            label.clear();
        }
    }
    write_alike(page, digits, &mut alike)?;
    Ok(has_several)
}

fn write_alike(page: &mut String, digits: usize, alike: &mut u64) -> fmt::Result {
    match std::mem::take(alike) {
        0 => Ok(()),
        rows => writeln!(page, "{:digits$} {DIM}({} alike){DIM:#}", "", counted(rows, "row")),
    }
}

/// What each cell shows: what fills most of it, if that is a quarter.
fn cells(
    map: &ByteMap,
    within: &[(usize, &Piece)],
    lane: usize,
    (start, end): (u64, u64),
) -> Vec<Cell> {
    let bits = map.bytes_per_cell() * 8;
    let (start, end) = (start * 8, end * 8);
    let count = (end - start).div_ceil(bits).min(CELLS) as usize;
    let mut filled: Vec<(u64, u64, Cell)> = vec![(0, 0, Cell::Empty); count];
    for (position, piece) in within.iter().filter(|(_, piece)| piece.lane == lane) {
        let (first, last) = (piece.first.max(start) - start, piece.end.min(end) - start);
        let touched = (first / bits) as usize..last.div_ceil(bits) as usize;
        for (cell, (most, all, by)) in filled.iter_mut().enumerate() {
            if !touched.contains(&cell) {
                continue;
            }
            let (from, to) = (cell as u64 * bits, (cell as u64 + 1) * bits);
            let covered = last.min(to) - first.max(from);
            *all += covered;
            if covered > *most {
                (*most, *by) = (covered, Cell::Member(*position));
            }
        }
    }
    let shown = |(most, all, by): (u64, u64, Cell)| match by {
        by if most * 4 >= bits || bits == 8 => by,
        _ if all * 4 >= bits => Cell::Several,
        _ => Cell::Empty,
    };
    filled.into_iter().map(shown).collect()
}

/// The member that has all of a row to itself.
fn whole(lanes: &[Vec<Cell>]) -> Option<usize> {
    let (first, others) = lanes.split_first()?;
    let Some(Cell::Member(only)) = first.first().copied() else { return None };
    let is_alone = first.iter().all(|cell| *cell == Cell::Member(only))
        && others.iter().flatten().all(|cell| *cell == Cell::Empty);
    is_alone.then_some(only)
}

/// Where a member of another lane lies, a lane has blanks, not a hole.
fn write_cells(
    page: &mut String,
    cells: &[Cell],
    is_hole: impl Fn(usize) -> bool,
    hole: char,
) -> fmt::Result {
    let is_seen = |(at, cell): (usize, &Cell)| *cell != Cell::Empty || is_hole(at);
    let last = cells.iter().enumerate().rposition(is_seen);
    let cells = cells.iter().enumerate().take(last.map_or(0, |last| last + 1));
    let cells: Vec<Option<Cell>> =
        cells.map(|(at, cell)| is_seen((at, cell)).then_some(*cell)).collect();
    for run in cells.chunk_by(|one, other| one == other) {
        let (style, cell) = match run.first().copied().flatten() {
            Some(Cell::Member(position)) => (style(position), letter(position)),
            Some(Cell::Several) => (anstyle::Style::new(), SEVERAL),
            Some(Cell::Empty) => (DIM, hole),
            None => (anstyle::Style::new(), ' '),
        };
        write!(page, "{style}{}{style:#}", cell.to_string().repeat(run.len()))?;
    }
    writeln!(page)
}

fn write_legend(page: &mut String, map: &ByteMap, has_several: bool) -> fmt::Result {
    let mut column = 0;
    for (position, piece) in map.pieces.iter().enumerate() {
        let place = piece.place();
        let (letter, text, style) = (letter(position), escape(&place), style(position));
        let width = 4 + text.width();
        if column > 0 && column + width > WIDTH {
            writeln!(page)?;
            column = 0;
        }
        let gap = if column > 0 { "  " } else { "" };
        write!(page, "{gap}{style}{letter}{style:#} {text}")?;
        column += width;
    }
    if column > 0 {
        writeln!(page)?;
    }
    let unused: u64 = map.holes.iter().map(|(first, end)| end - first).sum();
    let mut facts = Vec::new();
    if has_several {
        facts.push(format!("{SEVERAL} several members"));
    }
    if unused > 0 {
        let amount = if unused.is_multiple_of(8) {
            counted(unused / 8, "byte")
        } else {
            counted(unused, "bit")
        };
        facts.push(format!("{} {}: {amount}", hole(map), map.holes_are()));
    }
    if map.left_out > 0 {
        facts.push(format!("not shown: {}", counted(map.left_out as u64, "member")));
    }
    if facts.is_empty() {
        return Ok(());
    }
    writeln!(page, "{DIM}{}{DIM:#}", facts.join(", "))
}

fn hole(map: &ByteMap) -> char {
    if map.are_unused { HOLE } else { UNKNOWN }
}

/// More members than letters use them again: offsets tell them apart.
fn letter(position: usize) -> char {
    LETTERS.get(position % LETTERS.len()).map_or('?', |letter| char::from(*letter))
}

fn style(position: usize) -> anstyle::Style {
    MEMBERS.get(position % MEMBERS.len()).copied().unwrap_or(DIM)
}
