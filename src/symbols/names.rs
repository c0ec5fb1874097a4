//! The name of a function: its own, or that of the entry it is an instance of.

use gimli::{UnitOffset, constants as dw};

use super::text::{Text, Texts};
use crate::dwarf::{Entries, Error, Target, View};

/// An instance leads to its abstract function, that to a declaration: two steps. More are damage.
const MAX_STEPS: usize = 16;

/// The name of the function whose entry is at `offset`: the one that the linker knows, where there
/// is one (DWARF 5 §2.22), else the one in source text.
pub(super) fn function_name<'a>(
    view: &View<'a>,
    texts: &Texts<'a>,
    entries: &Entries<'a>,
    offset: UnitOffset,
) -> Option<Text> {
    let mut name = None;
    // Damage on the way leaves the name that was found before it.
    let linkage = follow(view, entries, offset, MAX_STEPS, &mut name).ok().flatten();
    texts.place(linkage.or(name)?)
}

/// The name of the function that was inlined from `target`.
pub(super) fn target_name<'a>(
    view: &View<'a>,
    texts: &Texts<'a>,
    entries: &Entries<'a>,
    target: Target,
) -> Option<Text> {
    match target {
        Target::Here(offset) => function_name(view, texts, entries, offset),
        Target::There(at) => {
            let (entries, offset) = view.entries_of(at).ok()?;
            function_name(view, texts, &entries, offset)
        }
    }
}

/// The linkage name; the first plain name goes to `name`.
fn follow<'a>(
    view: &View<'a>,
    entries: &Entries<'a>,
    offset: UnitOffset,
    steps: usize,
    name: &mut Option<&'a [u8]>,
) -> Result<Option<&'a [u8]>, Error> {
    let Some(entry) = entries.entry(offset)? else { return Ok(None) };
    let (mut linkage, mut next) = (None, None);
    entries.attributes(&entry, |attribute, value| {
        match attribute {
            dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name => {
                linkage = entries.text(value);
            }
            dw::DW_AT_name if name.is_none() => *name = entries.text(value),
            dw::DW_AT_abstract_origin | dw::DW_AT_specification => next = entries.target(value),
            _ => {}
        }
        Ok(())
    })?;
    match (linkage, next) {
        (Some(linkage), _) => Ok(Some(linkage)),
        (None, None) => Ok(None),
        (None, Some(_)) if steps == 0 => Ok(None),
        (None, Some(Target::Here(offset))) => follow(view, entries, offset, steps - 1, name),
        (None, Some(Target::There(at))) => {
            let (entries, offset) = view.entries_of(at)?;
            follow(view, &entries, offset, steps - 1, name)
        }
    }
}
