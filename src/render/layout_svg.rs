//! Layouts as a picture: an SVG that needs nothing else.
//!
//! A row is a cache line, or several where the type is large; a member is as wide as its bits. Each
//! has its name where that fits and a tooltip; those without room for a name are listed below.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::byte_map::{ByteMap, CELLS, Piece};
use super::counted;
use super::escape::escape;
use super::wrap::cut;
use super::xml::xml;
use crate::api::layout::LayoutMatch;

/// The columns of a title that fit.
const MOST_TITLE: usize = 125;

const LEFT: u64 = 72;
const CELL: u64 = 16;
const LANE: u64 = 24;
const LINE: u64 = 16;
const MARGIN: u64 = 12;
/// A character of the font, in hundredths.
const LETTER: u64 = 730;
/// Less than this, in hundredths of a pixel, is drawn without a frame.
const NARROW: u64 = 200;
const COLUMNS: u64 = 4;
/// So many members without room for a name are listed.
const MOST_LISTED: usize = 1000;
/// The columns of a tooltip.
const MOST_TOLD: usize = 300;
const COLOURS: [&str; 6] = ["#9ec5fe", "#a3cfbb", "#ffe69c", "#f1aeb5", "#c5b3e6", "#9eeaf9"];

/// All matches, one below the other.
pub(super) fn picture(matches: &[LayoutMatch]) -> String {
    let (mut body, mut height) = (String::new(), MARGIN);
    for found in matches {
        // Writing to a String cannot fail.
        let _ = write(&mut body, found, &mut height);
    }
    let width = LEFT + CELLS * CELL + MARGIN;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="monospace" font-size="12" role="img" aria-label="Layout">
<defs><pattern id="hole" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/><rect width="2" height="6" fill="#adb5bd"/></pattern></defs>
<style>text{{fill:#24292f}}.title{{font-weight:bold;font-size:14px}}.at{{fill:#6c757d;text-anchor:end}}.m{{stroke:#495057;stroke-width:.6}}.hole{{fill:url(#hole);stroke:#adb5bd;stroke-width:.6}}"##
    );
    for (number, colour) in COLOURS.iter().enumerate() {
        let _ = write!(svg, ".c{number}{{fill:{colour}}}");
    }
    svg.push_str("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    svg.push_str(&body);
    svg.push_str("</svg>\n");
    svg
}

fn write(svg: &mut String, found: &LayoutMatch, y: &mut u64) -> fmt::Result {
    let layout = &found.layout;
    let Some(map) = ByteMap::of(found) else {
        *y += LINE;
        let name = xml(&shortened(&layout.type_name, MOST_TITLE));
        writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{name}: no bytes to draw</text>")?;
        *y += MARGIN;
        return Ok(());
    };
    *y += LINE;
    let scale = match map.bytes_per_cell() * CELLS {
        64 => String::new(),
        bytes => format!(", {bytes} a row"),
    };
    let from = layout.binaries.first().map(|binary| format!(" – {}", binary.path));
    let title =
        format!("{}: {}{scale}{}", map.title, counted(map.size, "byte"), from.unwrap_or_default());
    writeln!(
        svg,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{y}\">{}</text>",
        xml(&shortened(&title, MOST_TITLE))
    )?;
    *y += MARGIN;
    let mut is_labelled = vec![false; map.pieces.len()];
    for (start, end) in map.rows() {
        write_row(svg, &map, &mut is_labelled, (start, end), *y)?;
        *y += lanes_between(&map, start, end) * LANE + 4;
    }
    write_list(svg, &map, &is_labelled, y)?;
    *y += MARGIN;
    Ok(())
}

/// How many lanes a row needs.
fn lanes_between(map: &ByteMap, start: u64, end: u64) -> u64 {
    let lanes = map.between(start * 8, end * 8).map(|(_, piece)| piece.lane as u64 + 1);
    lanes.max().unwrap_or(1)
}

fn write_row(
    svg: &mut String,
    map: &ByteMap,
    is_labelled: &mut [bool],
    (start, end): (u64, u64),
    y: u64,
) -> fmt::Result {
    writeln!(svg, "<text class=\"at\" x=\"{}\" y=\"{}\">{start}</text>", LEFT - 8, y + 16)?;
    let bits = map.bytes_per_cell() * 8;
    let (first_bit, end_bit) = (start * 8, end * 8);
    // In hundredths of a pixel: a bit is narrower than one.
    let x = |bit: u64| {
        let within = bit.clamp(first_bit, end_bit) - first_bit;
        LEFT * 100 + (u128::from(within) * u128::from(CELL) * 100 / u128::from(bits)) as u64
    };
    for (first, end) in map.holes.iter().filter(|(first, end)| *first < end_bit && *end > first_bit)
    {
        let (what, bits) = (map.holes_are(), end - first);
        let tip = format!("{what}: {}.{}, {bits} bits", first / 8, first % 8);
        let (left, width) = (x(*first), x(*end) - x(*first));
        let (left, width) = (hundredths(left), hundredths(width));
        writeln!(
            svg,
            "<rect class=\"hole\" x=\"{left}\" y=\"{y}\" width=\"{width}\" height=\"{LANE}\"><title>{tip}</title></rect>"
        )?;
    }
    for (position, piece) in map.between(first_bit, end_bit) {
        let top = y + piece.lane as u64 * LANE;
        let (left, width) = (x(piece.first), x(piece.end) - x(piece.first));
        let (colour, tip) = (position % COLOURS.len(), tip(piece));
        // A frame would hide what is as narrow as itself.
        let frame = if width < NARROW { "" } else { "m " };
        writeln!(
            svg,
            "<rect class=\"{frame}c{colour}\" x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{LANE}\"><title>{tip}</title></rect>",
            hundredths(left),
            hundredths(width),
        )?;
        let name = escape(&piece.name);
        if name.width() as u64 * LETTER + 400 <= width {
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" pointer-events=\"none\">{}</text>",
                hundredths(left + 300),
                top + 16,
                xml(&name)
            )?;
            if let Some(is_labelled) = is_labelled.get_mut(position) {
                *is_labelled = true;
            }
        }
    }
    Ok(())
}

/// The members that have no name in the picture, in columns.
fn write_list(svg: &mut String, map: &ByteMap, is_labelled: &[bool], y: &mut u64) -> fmt::Result {
    let unlabelled = map.pieces.iter().enumerate().zip(is_labelled);
    let unlabelled = unlabelled.filter(|(_, is_labelled)| !**is_labelled).map(|(piece, _)| piece);
    let unlisted = unlabelled.clone().count().saturating_sub(MOST_LISTED);
    let width = CELLS * CELL / COLUMNS;
    let fits = (width * 100 / LETTER).saturating_sub(4) as usize;
    let mut column = 0;
    *y += MARGIN / 2;
    for (position, piece) in unlabelled.take(MOST_LISTED) {
        let (left, colour) = (LEFT + column * width, position % COLOURS.len());
        let place = piece.place();
        let place = shortened(&place, fits);
        writeln!(
            svg,
            "<g><title>{}</title><rect class=\"m c{colour}\" x=\"{left}\" y=\"{}\" width=\"10\" height=\"10\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
            tip(piece),
            *y + 2,
            left + 15,
            *y + 11,
            xml(&place)
        )?;
        column = (column + 1) % COLUMNS;
        if column == 0 {
            *y += LINE;
        }
    }
    if column > 0 {
        *y += LINE;
    }
    if unlisted > 0 {
        *y += LINE;
        writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{y}\">not listed: {}</text>",
            counted(unlisted as u64, "member")
        )?;
    }
    if map.left_out > 0 {
        let left_out = counted(map.left_out as u64, "member");
        *y += LINE;
        writeln!(svg, "<text x=\"{LEFT}\" y=\"{y}\">not shown: {left_out}</text>")?;
    }
    Ok(())
}

fn tip(piece: &Piece) -> String {
    xml(&shortened(&format!("{}  {}", piece.place(), piece.type_name), MOST_TOLD))
}

fn shortened(raw: &str, most: usize) -> String {
    cut(&escape(raw), most)
}

fn hundredths(length: u64) -> String {
    match length % 100 {
        0 => (length / 100).to_string(),
        rest => format!("{}.{rest:02}", length / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::layout::{Layout, Member};
    use crate::render::blocks;

    fn found(name: &str) -> LayoutMatch {
        let member = serde_json::json!({ "name": name, "type": name, "offset": 1, "size": 2 });
        let member: Member = serde_json::from_value(member).unwrap();
        let layout = serde_json::json!({
            "type": name, "kind": "struct", "size": 4, "binaries": [], "language": "c",
            "members": [], "holes": [], "padding": 0,
        });
        let layout: Layout = serde_json::from_value(layout).unwrap();
        LayoutMatch { layout: Layout { members: vec![member], ..layout }, selected: None }
    }

    #[test]
    fn names_are_no_markup_and_move_no_cursor() {
        for name in ["</text><script>alert(1)</script>", "a\"&<>'", "\u{1b}]0;x\u{7}", "\u{202e}\n"]
        {
            let svg = picture(&[found(name)]);
            assert!(!svg.contains("<script") && svg.ends_with("</svg>\n"), "{svg}");
            let mut text = String::new();
            blocks::write(&mut text, &found(name)).unwrap();
            for page in [svg, crate::render::plain(&text)] {
                let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                assert!(!page.contains(bad), "{page:?}");
            }
        }
    }

    #[test]
    fn sizes_that_no_type_has_are_not_drawn() {
        for (size, offset, bytes) in [
            (Some(u64::MAX), 0, 1),
            (Some(u64::MAX / 16), 8, u64::MAX),
            (Some(4), u64::MAX, 4),
            (Some(0), 0, 0),
            (None, 0, 4),
        ] {
            let mut found = found("x");
            found.layout.size = size;
            for member in &mut found.layout.members {
                (member.offset, member.size) = (Some(offset), Some(bytes));
            }
            let mut text = String::new();
            blocks::write(&mut text, &found).unwrap();
            let (picture, shown) = (picture(&[found]), text.contains("not shown: 1 member"));
            assert!(shown || text.contains("no bytes to draw"), "{text}");
            assert!(picture.len() < 40_000, "{}", picture.len());
        }
    }
}
