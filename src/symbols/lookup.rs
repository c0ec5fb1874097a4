//! One address, and the frames that are there: the innermost inlined function first.

use std::cell::RefCell;
use std::rc::Rc;

use gimli::UnitOffset;

use super::Symbols;
use super::files::SourcePath;
use super::functions::Function;
use super::inlined::{CallIndex, Inlined};
use super::names;
use super::text::{Text, Texts};
use super::unit::UnitTable;
use super::units::Slot;
use crate::address::FileAddress;
use crate::dwarf::{DebugFile, Entries, Language, View};
use crate::job::{Job, Stopped};

/// Looks addresses of one binary up, for one question on one thread.
#[derive(Debug)]
pub struct Lookup<'a> {
    file: &'a DebugFile,
    symbols: &'a Symbols,
    texts: Texts<'a>,
    view: View<'a>,
    /// The unit that was read last: the next address is often of the same.
    last: RefCell<Option<(u64, Rc<Entries<'a>>)>>,
}

/// The frames at one address, innermost first. Nothing is copied.
#[derive(Debug)]
pub struct Frames<'l, 'a> {
    lookup: &'l Lookup<'a>,
    unit: &'a UnitTable,
    function: Option<&'a Function>,
    call: Option<CallIndex>,
    place: Option<Place>,
}

/// A function and the source line in it.
#[derive(Clone, Debug, Default)]
pub struct SourceFrame<'a> {
    /// The function's name as the linker knows it, not demangled.
    pub function: Option<&'a [u8]>,
    /// The source file.
    pub path: Option<SourcePath<'a>>,
    /// The line, from 1; 0 where the compiler knows none.
    pub line: u32,
    /// The column, from 1; 0 where the compiler knows none.
    pub column: u32,
}

/// A place in the unit's files.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: u32,
    line: u32,
    column: u32,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(symbols: &'a Symbols, file: &'a DebugFile) -> Lookup<'a> {
        let view = file.view();
        let texts = Texts::of(&view);
        if let Some(missing) = file.missing() {
            symbols.note(|| missing);
        }
        Lookup { file, symbols, texts, view, last: RefCell::default() }
    }

    /// The frames at an address of the code; none where the debug info does not speak of it.
    pub fn frames<'l>(
        &'l self,
        job: &Job,
        address: FileAddress,
    ) -> Result<Option<Frames<'l, 'a>>, Stopped> {
        let address = address.0;
        let listed = self.symbols.listed(&self.view);
        if let Some(frames) = listed.find(address).find_map(|unit| self.in_unit(unit, address)) {
            return Ok(Some(frames));
        }
        let unlisted = self.symbols.unlisted(job, self.file, &self.view)?;
        Ok(unlisted.find(address).find_map(|unit| self.in_unit(unit, address)))
    }

    #[inline]
    fn in_unit<'l>(&'l self, slot: &'a Slot, address: u64) -> Option<Frames<'l, 'a>> {
        let unit = slot.table.get_or_init(|| self.read_unit(slot));
        let unit = unit.as_ref()?;
        let function = unit.function(&self.view, address);
        let row = unit.lines.as_ref().and_then(|lines| lines.find(address));
        if function.is_none() && row.is_none() {
            return None;
        }
        let place = row.map(|row| Place { file: row.file, line: row.line, column: row.column });
        let call = function.and_then(|function| self.inlined(unit, function).at(address));
        Some(Frames { lookup: self, unit, function, call, place })
    }

    #[cold]
    fn read_unit(&self, slot: &Slot) -> Option<UnitTable> {
        if self.symbols.bytes() > super::MAX_BYTES {
            self.symbols.note(|| "more of it is needed than is kept in memory at once".to_owned());
            return None;
        }
        let table = UnitTable::read(&self.view, &self.texts, slot.start);
        let table = table.map_err(|error| self.symbols.note(|| error.to_string())).ok()?;
        if let Some(error) = table.problem() {
            self.symbols.note(|| error.to_string());
        }
        self.symbols.count(table.bytes());
        Some(table)
    }

    #[inline]
    fn inlined(&self, unit: &UnitTable, function: &'a Function) -> &'a Inlined {
        function.inlined.get_or_init(|| {
            let Some(entries) = self.entries(unit) else { return Inlined::default() };
            let (inlined, problem) = Inlined::read(&entries, function.offset());
            if let Some(error) = problem {
                self.symbols.note(|| error.to_string());
            }
            self.symbols.count(inlined.bytes());
            inlined
        })
    }

    /// A unit's entries.
    fn entries(&self, unit: &UnitTable) -> Option<Rc<Entries<'a>>> {
        if let Some((_, entries)) = self.last.borrow().as_ref().filter(|last| last.0 == unit.start)
        {
            return Some(Rc::clone(entries));
        }
        let entries = Rc::new(self.view.whole(unit.start).ok()?.entries);
        *self.last.borrow_mut() = Some((unit.start, Rc::clone(&entries)));
        Some(entries)
    }

    /// Where the texts of a unit stand.
    fn texts_of(&self, unit: &UnitTable) -> Texts<'a> {
        match unit.is_split.then(|| self.entries(unit)).flatten() {
            Some(entries) => Texts::of_split(&self.view, &entries),
            None => self.texts,
        }
    }

    #[cold]
    fn name_of_function(&self, unit: &UnitTable, offset: UnitOffset) -> Option<Text> {
        let entries = self.entries(unit)?;
        names::function_name(&self.view, &self.texts_of(unit), &entries, offset)
    }

    #[cold]
    fn name_of_call(&self, unit: &UnitTable, inlined: &Inlined, call: CallIndex) -> Option<Text> {
        let entries = self.entries(unit)?;
        names::target_name(&self.view, &self.texts_of(unit), &entries, inlined.call(call)?.origin?)
    }
}

impl<'a> Frames<'_, 'a> {
    /// The source language of the unit.
    pub fn language(&self) -> Language {
        self.unit.language
    }

    /// Where the function starts that was called, as opposed to inlined.
    pub fn start(&self) -> Option<FileAddress> {
        self.function.map(|function| FileAddress(function.start))
    }

    fn frame(&self, name: Option<Text>, place: Option<Place>) -> SourceFrame<'a> {
        let texts = &self.lookup.texts;
        let lines = self.unit.lines.as_ref();
        let path = place
            .zip(lines)
            .and_then(|(place, lines)| lines.files.path(texts, self.unit.comp_dir, place.file));
        let function = |name| match self.unit.is_split {
            true => self.lookup.texts_of(self.unit).at(name),
            false => texts.at(name),
        };
        SourceFrame {
            function: name.map(function),
            path,
            line: place.map_or(0, |place| place.line),
            column: place.map_or(0, |place| place.column),
        }
    }
}

impl<'a> Iterator for Frames<'_, 'a> {
    type Item = SourceFrame<'a>;

    #[inline]
    fn next(&mut self) -> Option<SourceFrame<'a>> {
        let lookup = self.lookup;
        let Some(function) = self.function else {
            // A line without a function: code that was written in assembly.
            return self.place.take().map(|place| self.frame(None, Some(place)));
        };
        let Some(index) = self.call.take() else {
            self.function = None;
            let offset = function.offset();
            let name = function.name.get_or_init(|| lookup.name_of_function(self.unit, offset));
            let place = self.place.take();
            return Some(self.frame(*name, place));
        };
        let inlined = lookup.inlined(self.unit, function);
        let call = inlined.call(index)?;
        let name = call.name.get_or_init(|| lookup.name_of_call(self.unit, inlined, index));
        let frame = self.frame(*name, self.place);
        self.call = call.parent();
        self.place = Some(Place { file: call.file, line: call.line, column: call.column });
        Some(frame)
    }
}
