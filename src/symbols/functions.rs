//! Which function is an instruction of? The subprograms of one unit (DWARF 5 §3.3), by address.

use std::sync::OnceLock;

use gimli::{DwTag, UnitOffset, constants as dw};

use super::inlined::Inlined;
use super::runs::Runs;
use super::text::Text;
use crate::dwarf::{Entries, Entry, Error, Extent, Language};

/// The functions of one unit that have code.
#[derive(Debug, Default)]
pub(super) struct Functions {
    functions: Box<[Function]>,
    /// Positions in `functions`, by the code they have: optimisers move what is rarely run elsewhere.
    runs: Runs<u32>,
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

/// How far a unit is searched for functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Where compilers put nearly all: beside one another, and in namespaces.
    Shallow,
    /// Also in functions, their blocks, and types.
    Full,
}

impl Functions {
    /// Finds the functions of a unit.
    pub(super) fn read<'a>(
        entries: &Entries<'a>,
        language: Language,
        depth: Depth,
    ) -> Result<Functions, Error> {
        let mut found = Found { functions: Vec::new(), runs: Vec::new(), ranges: 0 };
        let outcome = found.search(entries, language, depth);
        // Damage loses what is behind it; without any function it is the answer.
        if found.functions.is_empty() || outcome == Err(Error::TooManyRanges) {
            outcome?;
        }
        Ok(found.finish())
    }

    /// The innermost function that has this address.
    #[inline]
    pub(super) fn find(&self, address: u64) -> Option<&Function> {
        let (_, position) = self.runs.find(address)?;
        self.functions.get(position as usize)
    }

    /// Bytes of memory it takes, without what was inlined.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.functions) + self.runs.bytes()
    }
}

impl Function {
    /// Where its entry is in the unit.
    pub(super) fn offset(&self) -> UnitOffset {
        UnitOffset(self.entry as usize)
    }
}

/// The functions of one unit may have so many ranges together: a whole program's, joined by LTO, have
/// some hundred thousand.
pub(super) const MAX_RANGES: usize = 1 << 21;

/// What has been found so far.
struct Found {
    functions: Vec<Function>,
    runs: Vec<(u64, u64, u32)>,
    /// How many have been read.
    ranges: usize,
}

impl Found {
    fn search<'a>(
        &mut self,
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
            if entry.tag() == dw::DW_TAG_subprogram && entry.has_code() {
                self.add(entries, &entry)?;
            }
            let enters = match depth {
                Depth::Shallow => holds_functions(entry.tag(), language),
                Depth::Full => may_hold_functions(entry.tag(), language),
            };
            offset =
                if enters { entries.after(&entry)? } else { entries.after_children(&entry)? };
        }
        Ok(())
    }

    fn add<'a>(&mut self, entries: &Entries<'a>, entry: &Entry) -> Result<(), Error> {
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
        self.ranges += entries.ranges(&extent, |range| {
            start = start.min(range.begin);
            self.runs.push((range.begin, range.end, function));
        })?;
        if self.ranges > MAX_RANGES {
            return Err(Error::TooManyRanges);
        }
        if start < u64::MAX {
            let entry = u32::try_from(entry.offset.0).unwrap_or(u32::MAX);
            let (name, inlined) = (OnceLock::new(), OnceLock::new());
            self.functions.push(Function { entry, start, name, inlined });
        }
        Ok(())
    }

    fn finish(self) -> Functions {
        Functions { functions: self.functions.into(), runs: Runs::new(self.runs) }
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

/// Whether a language lets a function with code be below such an entry.
fn may_hold_functions(tag: DwTag, language: Language) -> bool {
    match tag {
        dw::DW_TAG_subprogram
        | dw::DW_TAG_lexical_block
        | dw::DW_TAG_try_block
        | dw::DW_TAG_catch_block
        | dw::DW_TAG_with_stmt => true,
        dw::DW_TAG_structure_type
        | dw::DW_TAG_class_type
        | dw::DW_TAG_union_type
        | dw::DW_TAG_enumeration_type
        | dw::DW_TAG_interface_type => language != Language::C,
        _ => holds_functions(tag, language),
    }
}
