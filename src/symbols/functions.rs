//! Which function is an instruction of? The subprograms of one unit (DWARF 5 §3.3), by address.

use std::sync::OnceLock;

use gimli::{DwTag, UnitOffset, constants as dw};

use super::inlined::Inlined;
use super::text::Text;
use crate::dwarf::{Entries, Entry, Error, Extent, Language, View};

/// The functions of one unit that have code.
#[derive(Debug, Default)]
pub(super) struct Functions {
    functions: Box<[Function]>,
    /// By start.
    ranges: Box<[FunctionRange]>,
}

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    /// The offset of its entry in the unit.
    entry: u32,
    /// Where its code starts that comes first.
    pub(super) start: u64,
    /// Its name, once it was wanted; none where it has none.
    pub(super) name: OnceLock<Option<Text>>,
    /// What was inlined into it, once it was wanted.
    pub(super) inlined: OnceLock<Inlined>,
}

/// A part of a function's code: optimisers move what is rarely run elsewhere.
#[derive(Clone, Copy, Debug)]
struct FunctionRange {
    start: u64,
    end: u64,
    /// The furthest end of this one and those before it: nested functions overlap.
    reach: u64,
    function: u32,
}

/// How far a unit is searched for functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Where compilers put nearly all: beside one another, and in namespaces.
    Shallow,
    /// In every entry: functions in functions, and in types.
    Full,
}

impl Functions {
    /// Finds the functions of a unit.
    pub(super) fn read<'a>(
        view: &View<'a>,
        entries: &Entries<'a>,
        language: Language,
        depth: Depth,
    ) -> Result<Functions, Error> {
        let mut found = Found { functions: Vec::new(), ranges: Vec::new() };
        let outcome = found.search(view, entries, language, depth);
        // Damage loses what is behind it; without any function it is the answer.
        if found.functions.is_empty() {
            outcome?;
        }
        Ok(found.finish())
    }

    /// The innermost function that has this address.
    #[inline]
    pub(super) fn find(&self, address: u64) -> Option<&Function> {
        let after = self.ranges.partition_point(|range| range.start <= address);
        let started = self.ranges.get(..after)?.iter().rev();
        let mut near = started.take_while(|range| address < range.reach);
        let range = near.find(|range| address < range.end)?;
        self.functions.get(range.function as usize)
    }

    /// Bytes of memory it takes, without what was inlined.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.functions) + size_of_val(&*self.ranges)
    }
}

impl Function {
    /// Where its entry is in the unit.
    pub(super) fn offset(&self) -> UnitOffset {
        UnitOffset(self.entry as usize)
    }
}

/// What has been found so far.
struct Found {
    functions: Vec<Function>,
    ranges: Vec<FunctionRange>,
}

impl Found {
    fn search<'a>(
        &mut self,
        view: &View<'a>,
        entries: &Entries<'a>,
        language: Language,
        depth: Depth,
    ) -> Result<(), Error> {
        let Some(root) = entries.entry(entries.root())? else { return Ok(()) };
        let mut offset = entries.after(&root)?;
        while offset < entries.end() {
            let Some(entry) = entries.entry(offset)? else {
                offset = entries.after_null(offset);
                continue;
            };
            if entry.tag() == dw::DW_TAG_subprogram {
                self.add(view, entries, &entry)?;
            }
            let enters = depth == Depth::Full || holds_functions(entry.tag(), language);
            offset =
                if enters { entries.after(&entry)? } else { entries.after_children(&entry)? };
        }
        Ok(())
    }

    fn add<'a>(
        &mut self,
        view: &View<'a>,
        entries: &Entries<'a>,
        entry: &Entry,
    ) -> Result<(), Error> {
        let mut extent = Extent::default();
        entries.attributes(entry, |name, value| {
            extent.take(name, value);
            Ok(())
        })?;
        if extent.is_empty() {
            return Ok(());
        }
        let function = self.functions.len() as u32;
        let mut start = u64::MAX;
        entries.ranges(view.dwarf(), &extent, |range| {
            start = start.min(range.begin);
            let (start, end) = (range.begin, range.end);
            self.ranges.push(FunctionRange { start, end, reach: 0, function });
        })?;
        if start < u64::MAX {
            let entry = u32::try_from(entry.offset.0).unwrap_or(u32::MAX);
            let (name, inlined) = (OnceLock::new(), OnceLock::new());
            self.functions.push(Function { entry, start, name, inlined });
        }
        Ok(())
    }

    fn finish(mut self) -> Functions {
        // Of two with the same code, which linkers fold, the later entry is the one found.
        self.ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut reach = 0;
        for range in &mut self.ranges {
            reach = range.end.max(reach);
            range.reach = reach;
        }
        Functions { functions: self.functions.into(), ranges: self.ranges.into() }
    }
}

/// Whether functions with code are looked for below such an entry at first.
fn holds_functions(tag: DwTag, language: Language) -> bool {
    match tag {
        dw::DW_TAG_namespace | dw::DW_TAG_module => true,
        // Rust's are in the types they belong to; C++ has declarations there.
        dw::DW_TAG_structure_type | dw::DW_TAG_union_type | dw::DW_TAG_enumeration_type => {
            language == Language::Rust
        }
        _ => false,
    }
}
