//! The C-like view of a layout: types, offsets, sizes, bit fields, holes, cache lines.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::counted;
use super::declare::declare;
use super::escape::escape;
use super::offsets::{bits, size_in_words};
use super::style::{DIM, TITLE, UNCERTAIN};
use crate::api::layout::{BetterOrder, Hole, Layout, LayoutMatch, Member, Selected};

/// x86-64 and most arm64: the boundary that people lay structs out for.
const CACHE_LINE: u64 = 64;

/// The comments stand in one column unless a declaration is longer than this.
const MAX_DECLARATION: usize = 56;

/// An order of more members than this is told by its rule.
const MOST_NAMED: usize = 16;

/// Writes one match.
pub(super) fn write(page: &mut String, found: &LayoutMatch) -> fmt::Result {
    let layout = &found.layout;
    let unions = usize::from(layout.kind == "union" && found.selected.is_none());
    let mut view = View {
        rows: Vec::new(),
        line: 0,
        unions,
        language: &layout.language,
        digits: digits(found),
    };
    match &found.selected {
        Some(selected) => {
            let title = format!("{}.{}:", layout.type_name, selected.path);
            writeln!(page, "{TITLE}{}{TITLE:#}", escape(&title))?;
            view.line = selected.member.offset.unwrap_or(0) / CACHE_LINE;
            // What was asked for is shown to the bottom, also where its type has a name.
            match selected.member.members.as_slice() {
                [] => view.member(&selected.member, 0),
                _ => view.nested(&selected.member, 0),
            }
            view.write(page)?;
            write_container(page, &layout.type_name, &selected.member)
        }
        None if layout.kind == "type" => {
            let size = size_in_words(layout);
            writeln!(page, "{} {DIM}/* {} */{DIM:#}", escape(&layout.type_name), escape(&size))
        }
        None => {
            write!(page, "{TITLE}{} {{{TITLE:#}", escape(&layout.type_name))?;
            match &layout.declared_at {
                Some(at) => {
                    writeln!(page, " {DIM}/* {}:{} */{DIM:#}", escape(&at.file), at.line)?;
                }
                None => writeln!(page)?,
            }
            view.members(&layout.members, 1, &layout.holes);
            view.write(page)?;
            for enumerator in &layout.enumerators {
                writeln!(page, "    {} = {},", escape(&enumerator.name), enumerator.value)?;
            }
            writeln!(page, "{TITLE}}};{TITLE:#}")?;
            write_summary(page, layout)
        }
    }
}

fn write_summary(page: &mut String, layout: &Layout) -> fmt::Result {
    let mut facts = vec![match layout.size {
        Some(size) => format!("size {size}"),
        None => "size unknown".to_owned(),
    }];
    if let Some(align) = layout.align {
        facts.push(format!("align {align}"));
    }
    if layout.packed {
        facts.push("packed".to_owned());
    }
    if !layout.members.is_empty() {
        facts.push(counted(layout.members.len() as u64, "member"));
    }
    let is_union = layout.kind == "union";
    let members = if is_union { &[] } else { layout.members.as_slice() };
    let holes = own_holes(members, &layout.holes);
    if !holes.is_empty() {
        let total = holes.iter().fold(0_u64, |sum, bits| sum.saturating_add(*bits));
        let holes = counted(holes.len() as u64, "hole");
        facts.push(format!("{holes} ({})", amount(total)));
    }
    if layout.padding > 0 {
        facts.push(format!("{} at the end unused", counted(layout.padding, "byte")));
    }
    if let Some(size) = layout.size.filter(|size| *size > 0) {
        facts.push(counted(size.div_ceil(CACHE_LINE), "cache line"));
    }
    if !layout.via.is_empty() {
        facts.push(format!("by typedef {}", layout.via.join(" → ")));
    }
    writeln!(page, "{DIM}/* {} */{DIM:#}", escape(&facts.join(", ")))?;
    if let Some(better) = &layout.better_order {
        write_better(page, layout, better)?;
    }
    if let Some(why) = &layout.why {
        writeln!(page, "{UNCERTAIN}/* incomplete: {} */{UNCERTAIN:#}", escape(why))?;
    }
    Ok(())
}

/// How many bits each hole has: also those of bases and of structs without a name, whose members are the
/// type's own. What one member of a union leaves unused, others use.
fn own_holes(members: &[Member], holes: &[Hole]) -> Vec<u64> {
    let own = members.iter().filter(|member| member.base || member.anonymous);
    let inside = own.flat_map(|member| match is_union(&member.type_name) {
        true => own_holes(&[], &member.holes),
        false => own_holes(&member.members, &member.holes),
    });
    holes.iter().map(|hole| hole.bit_size).chain(inside).collect()
}

/// How one comes from the address of a member to the struct it is in, in C and in gdb.
fn write_container(page: &mut String, type_name: &str, member: &Member) -> fmt::Result {
    let Some(offset) = member.offset.filter(|_| member.bit_size.is_none()) else { return Ok(()) };
    let pointer = match offset {
        0 => "p".to_owned(),
        _ => format!("((char *)p - {offset})"),
    };
    let container = format!("({type_name} *){pointer}");
    writeln!(page, "{DIM}/* from its address p: {} */{DIM:#}", escape(&container))
}

/// A better order; where the members are many, the rule that it follows stands for their names.
fn write_better(page: &mut String, layout: &Layout, better: &BetterOrder) -> fmt::Result {
    let names = better.order.iter().filter_map(|position| layout.members.get(*position));
    let names: Vec<String> = names
        .map(|member| match (member.name.as_str(), member.offset) {
            ("", Some(offset)) => format!("<unnamed at {offset}>"),
            (name, _) => name.to_owned(),
        })
        .collect();
    let order = match names.len() {
        ..=MOST_NAMED => names.join(", "),
        _ => "largest alignment first".to_owned(),
    };
    let (saved, size) = (counted(better.saves, "byte"), better.size);
    let hint = format!("{saved} fewer in another order, size {size}: {order}");
    writeln!(page, "{DIM}/* {} */{DIM:#}", escape(&hint))
}

/// `3 bytes`, `5 bits`.
fn amount(bits: u64) -> String {
    if bits.is_multiple_of(8) { counted(bits / 8, "byte") } else { counted(bits, "bit") }
}

/// The lines of a view, aligned once all are known.
struct View<'v> {
    rows: Vec<Row>,
    /// The cache line that the last member started in.
    line: u64,
    /// The unions around: their members overlap, and none of them is where a cache line begins.
    unions: usize,
    /// What it is written in.
    language: &'v str,
    /// The columns of an offset or a size.
    digits: usize,
}

/// One line: a declaration with its comment, or a remark.
enum Row {
    Member { declaration: String, comment: String },
    Remark(String),
}

impl View<'_> {
    fn members(&mut self, members: &[Member], depth: usize, holes: &[Hole]) {
        let mut holes = holes.iter().peekable();
        // In memory order, which is not the order of declaration in Rust.
        let mut members: Vec<&Member> = members.iter().collect();
        members.sort_by_key(|member| first_bit(member));
        for member in members {
            let start = first_bit(member);
            while let Some(hole) = holes.next_if(|hole| Some(hole.bit_offset) < start) {
                let text = format!("/* {} unused */", amount(hole.bit_size));
                self.rows.push(Row::Remark(format!("{}{text}", indent(depth))));
            }
            if self.unions == 0 {
                self.cache_line(member, depth);
            }
            self.member(member, depth);
        }
        for hole in holes {
            let text = format!("/* {} unused */", amount(hole.bit_size));
            self.rows.push(Row::Remark(format!("{}{text}", indent(depth))));
        }
    }

    fn cache_line(&mut self, member: &Member, depth: usize) {
        let Some(line) = member.offset.map(|offset| offset / CACHE_LINE) else { return };
        if line > self.line {
            self.line = line;
            let start = line * CACHE_LINE;
            let ago = match member.offset.map(|offset| offset - start) {
                None | Some(0) => String::new(),
                Some(bytes) => format!(", {} ago", counted(bytes, "byte")),
            };
            self.rows.push(Row::Remark(format!(
                "{}/* --- cache line {line} (at {start}{ago}) --- */",
                indent(depth),
            )));
        }
    }

    fn member(&mut self, member: &Member, depth: usize) {
        if member.base {
            let declaration = format!("{}<base> {};", indent(depth), member.type_name);
            self.rows.push(Row::Member { declaration, comment: comment(member, self.digits) });
            self.members(&member.members, depth + 1, &member.holes);
        } else if member.type_name.ends_with("{...}") && !member.members.is_empty() {
            self.nested(member, depth);
        } else {
            let mut declaration = declare(self.language, &member.type_name, &member.name);
            if let Some(bits) = member.bit_size {
                let _ = write!(declaration, " : {bits}");
            }
            let declaration = format!("{}{declaration};", indent(depth));
            self.rows.push(Row::Member { declaration, comment: comment(member, self.digits) });
        }
    }

    /// A member with the members of its type: all there is to see where that has no name.
    fn nested(&mut self, member: &Member, depth: usize) {
        let type_name = member.type_name.trim_end_matches(" {...}");
        let opening = format!("{}{type_name} {{", indent(depth));
        self.rows.push(Row::Member { declaration: opening, comment: String::new() });
        let is_union = usize::from(is_union(type_name));
        self.unions += is_union;
        self.members(&member.members, depth + 1, &member.holes);
        self.unions -= is_union;
        let name = if member.name.is_empty() { "" } else { &format!(" {}", member.name) };
        let closing = format!("{}}}{name};", indent(depth));
        self.rows.push(Row::Member { declaration: closing, comment: comment(member, self.digits) });
    }

    fn write(&self, page: &mut String) -> fmt::Result {
        let widths = self.rows.iter().filter_map(|row| match row {
            Row::Member { declaration, .. } => Some(escape(declaration).width()),
            Row::Remark(_) => None,
        });
        let column = widths.filter(|width| *width <= MAX_DECLARATION).max().unwrap_or(0);
        for row in &self.rows {
            match row {
                Row::Member { declaration, comment } if comment.is_empty() => {
                    writeln!(page, "{}", escape(declaration))?;
                }
                Row::Member { declaration, comment } => {
                    let declaration = escape(declaration);
                    let gap = column.saturating_sub(declaration.width());
                    let (gap, comment) = (" ".repeat(gap), escape(comment));
                    writeln!(page, "{declaration}{gap} {DIM}/* {comment} */{DIM:#}")?;
                }
                Row::Remark(text) => writeln!(page, "{DIM}{text}{DIM:#}")?,
            }
        }
        Ok(())
    }
}

/// As many as the largest offset has, and no fewer than most structs need.
fn digits(found: &LayoutMatch) -> usize {
    let end = match &found.selected {
        Some(Selected { member, .. }) => {
            member.offset.unwrap_or(0).saturating_add(member.size.unwrap_or(0))
        }
        None => found.layout.size.unwrap_or(0),
    };
    end.to_string().len().max(5)
}

/// The first bit of a member, where it is known.
fn first_bit(member: &Member) -> Option<u64> {
    member.bit_offset.or(member.offset.map(|offset| offset.saturating_mul(8)))
}

fn is_union(type_name: &str) -> bool {
    type_name.split(' ').any(|word| word == "union")
}

fn indent(depth: usize) -> String {
    "    ".repeat(depth)
}

/// `  16    8`, with bits for a bit field; or why the place is not known.
fn comment(member: &Member, digits: usize) -> String {
    let size = member.size.map_or("?".to_owned(), |size| size.to_string());
    let place = match (member.offset, member.bit_offset, member.bit_size) {
        (Some(offset), Some(first), Some(size)) => {
            format!("{offset:>digits$} {:>digits$}", bits(first % 8, size))
        }
        (Some(offset), ..) => format!("{offset:>digits$} {size:>digits$}"),
        (None, _, Some(size)) => format!("{:>digits$} {:>digits$}", "?", counted(size, "bit")),
        (None, ..) => format!("{:>digits$} {size:>digits$}", "?"),
    };
    let aligned = member.align.map_or(String::new(), |align| format!("  aligned({align})"));
    let when = match member.when.as_deref() {
        Some("otherwise") => "  otherwise".to_owned(),
        Some(value) => format!("  when {value}"),
        None => String::new(),
    };
    match &member.why {
        Some(why) => format!("{place}{aligned}{when}  {why}"),
        None => format!("{place}{aligned}{when}"),
    }
}
