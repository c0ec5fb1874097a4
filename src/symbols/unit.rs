//! What addresses of one unit mean: its functions and its line table, read when the first address
//! of the unit is looked up.

use std::sync::OnceLock;

use super::functions::{Depth, Function, Functions};
use super::lines::Lines;
use super::text::{Text, Texts};
use crate::dwarf::{Error, Language, View, WholeUnit};

/// The tables of one unit.
#[derive(Debug)]
pub(super) struct UnitTable {
    /// The offset of its header in .debug_info.
    pub(super) start: u64,
    /// Whether its functions are in another file.
    pub(super) is_split: bool,
    /// The source language.
    pub(super) language: Language,
    /// The folder of the compilation.
    pub(super) comp_dir: Option<Text>,
    /// Where source lines are; none where the unit has no line program.
    pub(super) lines: Option<Lines>,
    functions: Functions,
    /// All functions, once an address was in none of those that are found at first.
    all_functions: OnceLock<Functions>,
    /// Why it is not whole.
    problem: Option<Error>,
}

impl UnitTable {
    pub(super) fn read(view: &View<'_>, texts: &Texts<'_>, start: u64) -> Result<UnitTable, Error> {
        let WholeUnit { entries, root, missing } = view.whole(start)?;
        let mut problem = missing;
        let functions = Functions::read(&entries, root.language, Depth::Shallow);
        let functions = functions.unwrap_or_else(|error| {
            problem = Some(error);
            Functions::default()
        });
        let read = |offset| Lines::read(view, texts, offset, entries.encoding().address_size);
        let lines = root.line_program.and_then(|offset| match read(offset) {
            Ok(lines) => Some(lines),
            Err(error) => {
                problem = Some(error);
                None
            }
        });
        Ok(UnitTable {
            start,
            is_split: root.split.is_some(),
            language: root.language,
            comp_dir: root.comp_dir.and_then(|text| texts.place(text)),
            lines,
            functions,
            all_functions: OnceLock::new(),
            problem,
        })
    }

    /// The function that has this address.
    #[inline]
    pub(super) fn function(&self, view: &View<'_>, address: u64) -> Option<&Function> {
        self.functions.find(address).or_else(|| self.nested_function(view, address))
    }

    /// Why a part is missing, if one is.
    pub(super) fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let lines = self.lines.as_ref().map_or(0, Lines::bytes);
        size_of::<UnitTable>() + self.functions.bytes() + lines
    }

    #[cold]
    fn nested_function(&self, view: &View<'_>, address: u64) -> Option<&Function> {
        let read = || {
            let WholeUnit { entries, root, .. } = view.whole(self.start)?;
            Functions::read(&entries, root.language, Depth::Full)
        };
        self.all_functions.get_or_init(|| read().unwrap_or_default()).find(address)
    }
}
