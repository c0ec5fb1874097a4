//! A layout as blocks in the terminal: members and holes to scale, each member a letter.
//!
//! A row is a cache line, or several where the type is large. A cell shows what fills most of it.

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

/// The columns of the legend.
const WIDTH: usize = 100;

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
    write_rows(page, &map)?;
    write_legend(page, &map)
}

/// Rows that only go on with the member of the one before are counted.
fn write_rows(page: &mut String, map: &ByteMap) -> fmt::Result {
    let digits = (map.start + map.size).to_string().len();
    let (mut before, mut alike) = (None, 0_u64);
    for (start, end) in map.rows() {
        let within: Vec<(usize, &Piece)> = map.between(start * 8, end * 8).collect();
        let lanes: Vec<Vec<Option<usize>>> =
            (0..map.lanes).map(|lane| cells(map, &within, lane, (start, end))).collect();
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
            if lane > 0 && cells.iter().all(Option::is_none) {
                continue;
            }
            write!(page, "{DIM}{label:>digits$}{DIM:#} ")?;
            let is_hole =
                |cell: usize| lane == 0 && lanes.iter().all(|lane| lane.get(cell) == Some(&None));
            write_cells(page, cells, is_hole, hole(map))?;
            label.clear();
        }
    }
    write_alike(page, digits, &mut alike)
}

fn write_alike(page: &mut String, digits: usize, alike: &mut u64) -> fmt::Result {
    match std::mem::take(alike) {
        0 => Ok(()),
        rows => writeln!(page, "{:digits$} {DIM}({} alike){DIM:#}", "", counted(rows, "row")),
    }
}

/// What fills most of each cell, by position; none where nothing does.
fn cells(
    map: &ByteMap,
    within: &[(usize, &Piece)],
    lane: usize,
    (start, end): (u64, u64),
) -> Vec<Option<usize>> {
    let bits = map.bytes_per_cell() * 8;
    let (start, end) = (start * 8, end * 8);
    let count = (end - start).div_ceil(bits).min(CELLS) as usize;
    let mut filled: Vec<(u64, Option<usize>)> = vec![(0, None); count];
    for (position, piece) in within.iter().filter(|(_, piece)| piece.lane == lane) {
        let (first, last) = (piece.first.max(start) - start, piece.end.min(end) - start);
        let touched = (first / bits) as usize..last.div_ceil(bits) as usize;
        for (cell, (most, by)) in filled.iter_mut().enumerate() {
            if !touched.contains(&cell) {
                continue;
            }
            let (from, to) = (cell as u64 * bits, (cell as u64 + 1) * bits);
            let covered = last.min(to) - first.max(from);
            if covered > *most {
                (*most, *by) = (covered, Some(*position));
            }
        }
    }
    let mostly = |(most, by): (u64, Option<usize>)| by.filter(|_| most * 4 >= bits || bits == 8);
    filled.into_iter().map(mostly).collect()
}

/// The member that has all of a row to itself.
fn whole(lanes: &[Vec<Option<usize>>]) -> Option<usize> {
    let (first, others) = lanes.split_first()?;
    let only = first.first().copied().flatten()?;
    let is_alone = first.iter().all(|cell| *cell == Some(only))
        && others.iter().flatten().all(Option::is_none);
    is_alone.then_some(only)
}

/// Where a member of another lane lies, a lane has blanks, not a hole.
fn write_cells(
    page: &mut String,
    cells: &[Option<usize>],
    is_hole: impl Fn(usize) -> bool,
    hole: char,
) -> fmt::Result {
    let last = cells.iter().enumerate().rposition(|(at, cell)| cell.is_some() || is_hole(at));
    let cells = cells.iter().enumerate().take(last.map_or(0, |last| last + 1));
    let cells: Vec<Option<Option<usize>>> =
        cells.map(|(at, cell)| (cell.is_some() || is_hole(at)).then_some(*cell)).collect();
    for run in cells.chunk_by(|one, other| one == other) {
        let (style, cell) = match run.first().copied().flatten() {
            Some(Some(position)) => (style(position), letter(position)),
            Some(None) => (DIM, hole),
            None => (anstyle::Style::new(), ' '),
        };
        write!(page, "{style}{}{style:#}", cell.to_string().repeat(run.len()))?;
    }
    writeln!(page)
}

fn write_legend(page: &mut String, map: &ByteMap) -> fmt::Result {
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
