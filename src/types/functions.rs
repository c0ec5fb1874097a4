//! Which functions take a type, or return it?
//!
//! No index has functions: one pass over the subprograms (DWARF 5 §3.3) of all units, spread over
//! threads, follows the types of their parameters. Bodies are stepped over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use gimli::{AttributeValue, DwTag, UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::reader::{MAX_CHAIN, Reader, is_aggregate};
use super::{Error, TypeName, template};
use crate::dwarf::{self, DebugFile, Entries, Entry, Index, Language, Name, Target, View};
use crate::job::{Job, Progress};

/// A function that has to do with a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, without scope.
    pub name: String,
    /// As it is declared: `int f(struct point *, int)`.
    pub signature: String,
    /// A parameter is the type, or leads to it by pointers, references, arrays and typedefs.
    pub takes: bool,
    /// So does what it returns.
    pub returns: bool,
    /// The file and line of its declaration.
    pub declared_at: Option<(String, u64)>,
}

/// By name and signature.
type Found = BTreeMap<(String, String), Function>;

/// The functions of a file that take or return a type, each once, by name. Of the type's name the scope
/// does not matter.
pub fn functions(
    job: &Job,
    file: &DebugFile,
    type_name: &TypeName,
    threads: usize,
) -> Result<Vec<Function>, Error> {
    let index = file.index(job, threads)?;
    let starts: Vec<u64> = file.unit_starts().collect();
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Found, Error> {
        let view = file.view();
        let mut pass = Pass { job, view: &view, index: &index, type_name, found: Found::new() };
        let units = || {
            let position = next.fetch_add(1, Ordering::Relaxed);
            Some((position, starts.get(position)?))
        };
        while let Some((position, start)) = units() {
            job.check()?;
            let what = format!("looking at the functions of {}", file.binary().path().display());
            let (done, total) = (position as u64, Some(starts.len() as u64));
            job.progress(&Progress { what, done, total });
            match pass.unit(*start) {
                // Damage loses the rest of its unit.
                Ok(()) | Err(Error::Dwarf(_) | Error::TooDeep) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pass.found)
    };
    let threads = threads.clamp(1, starts.len().max(1));
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        // A worker that panicked is a bug: passing it on reaches the caller's guard.
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect::<Result<Vec<Found>, Error>>()
    })?;
    let mut all = Found::new();
    for (key, function) in parts.into_iter().flatten() {
        all.entry(key).or_insert(function);
    }
    Ok(all.into_values().collect())
}

struct Pass<'p, 'a> {
    job: &'p Job,
    view: &'p View<'a>,
    index: &'p Index,
    type_name: &'p TypeName,
    found: Found,
}

/// What one subprogram comes to.
#[derive(Debug, Default)]
struct Subprogram {
    has_name: bool,
    takes: bool,
    returns: bool,
}

impl<'a> Pass<'_, 'a> {
    fn unit(&mut self, start: u64) -> Result<(), Error> {
        let whole = self.view.whole(start)?;
        let (entries, language) = (whole.entries, whole.root.language);
        let mut known = FxHashMap::default();
        let reader = Reader::new(self.job, self.view, self.index);
        let Some(root) = entries.entry(entries.root())? else { return Ok(()) };
        let mut offset = entries.after(&root)?;
        while offset < entries.end() {
            let Some(entry) = entries.entry(offset)? else {
                offset = entries.after_null(offset);
                continue;
            };
            reader.count()?;
            if entry.tag() == dw::DW_TAG_subprogram {
                let found = self.subprogram(&entries, &entry, &mut known)?;
                if found.has_name && (found.takes || found.returns) {
                    self.add(&reader, &entries, &entry, &found)?;
                }
            }
            let enters = holds_functions(entry.tag(), language);
            offset =
                if enters { entries.after(&entry)? } else { entries.after_children(&entry)? };
        }
        Ok(())
    }

    fn subprogram(
        &self,
        entries: &Entries<'a>,
        entry: &Entry,
        known: &mut FxHashMap<UnitOffset, bool>,
    ) -> Result<Subprogram, Error> {
        let mut returned = None;
        let mut found = Subprogram::default();
        let after = entries.attributes(entry, |name, value| {
            match name {
                dw::DW_AT_type => returned = entries.target(value),
                dw::DW_AT_name => found.has_name = true,
                _ => {}
            }
            Ok(())
        })?;
        // Concrete and out-of-class ones have their names and parameters elsewhere.
        if !found.has_name {
            return Ok(found);
        }
        found.returns = self.leads(entries, returned, known)?;
        let mut offset = after;
        while entry.has_children() && !found.takes {
            let Some(child) = entries.entry(offset)? else { break };
            match child.tag() {
                dw::DW_TAG_formal_parameter => {
                    let (mut target, mut is_artificial) = (None, false);
                    entries.attributes(&child, |name, value| {
                        match name {
                            dw::DW_AT_type => target = entries.target(value),
                            dw::DW_AT_artificial => {
                                is_artificial = value == AttributeValue::Flag(true);
                            }
                            _ => {}
                        }
                        Ok(())
                    })?;
                    found.takes = !is_artificial && self.leads(entries, target, known)?;
                }
                tag if ends_parameters(tag) => break,
                _ => {}
            }
            offset = entries.after_children(&child)?;
        }
        Ok(found)
    }

    /// Whether a type is the wanted one, or leads to it.
    fn leads(
        &self,
        entries: &Entries<'a>,
        target: Option<Target>,
        known: &mut FxHashMap<UnitOffset, bool>,
    ) -> Result<bool, Error> {
        let Some(Target::Here(first)) = target else {
            return match target {
                Some(Target::There(at)) => {
                    let (entries, offset) = self.view.entries_of(at)?;
                    Ok(self.chain(&entries, offset)?)
                }
                _ => Ok(false),
            };
        };
        if let Some(known) = known.get(&first) {
            return Ok(*known);
        }
        let leads = self.chain(entries, first)?;
        known.insert(first, leads);
        Ok(leads)
    }

    fn chain(&self, entries: &Entries<'a>, offset: UnitOffset) -> Result<bool, dwarf::Error> {
        let mut elsewhere;
        let (mut entries, mut offset) = (entries, offset);
        for _ in 0..MAX_CHAIN {
            let Some(entry) = entries.entry(offset)? else { return Ok(false) };
            if self.is_wanted(entries, &entry)? {
                return Ok(true);
            }
            if !is_passed(entry.tag()) {
                return Ok(false);
            }
            let mut target = None;
            entries.attributes(&entry, |name, value| {
                if name == dw::DW_AT_type {
                    target = entries.target(value);
                }
                Ok(())
            })?;
            match target {
                None => return Ok(false),
                Some(Target::Here(next)) => offset = next,
                Some(Target::There(at)) => {
                    elsewhere = self.view.entries_of(at)?;
                    (entries, offset) = (&elsewhere.0, elsewhere.1);
                }
            }
        }
        Ok(false)
    }

    fn is_wanted(&self, entries: &Entries<'a>, entry: &Entry) -> Result<bool, dwarf::Error> {
        let tag = entry.tag();
        let is_named = is_aggregate(tag)
            || matches!(
                tag,
                dw::DW_TAG_enumeration_type | dw::DW_TAG_typedef | dw::DW_TAG_base_type
            );
        if !is_named || !self.type_name.admits(tag) {
            return Ok(false);
        }
        let name = match entries.name(entry)? {
            Some(Name::Text(text)) => Some(text),
            Some(Name::At(at)) => entries.name_at(at),
            None => None,
        };
        Ok(name.is_some_and(|name| {
            name == self.type_name.name.as_bytes() || self.is_instance(entries, entry, name)
        }))
    }

    /// Whether an entry of this name is the instance of a template that is asked for, spelled otherwise or
    /// with its arguments apart.
    fn is_instance(&self, entries: &Entries<'a>, entry: &Entry, name: &[u8]) -> bool {
        let wanted = &self.type_name.name;
        let Some(base) = template::base(wanted) else { return false };
        let Some(behind) = name.strip_prefix(base.as_bytes()) else { return false };
        let wanted = template::normal(wanted);
        if behind.is_empty() {
            let reader = Reader::new(self.job, self.view, self.index);
            let die = reader.die(entries.die_ref(entry.offset));
            return die.and_then(|die| reader.is_instance(&die, base, &wanted)).unwrap_or(false);
        }
        std::str::from_utf8(name).is_ok_and(|name| template::normal(name) == wanted)
    }

    fn add(
        &mut self,
        reader: &Reader<'_, 'a>,
        entries: &Entries<'a>,
        entry: &Entry,
        found: &Subprogram,
    ) -> Result<(), Error> {
        let die = reader.die(entries.die_ref(entry.offset))?;
        let name = reader.name(&die);
        let signature = reader.signature(&die)?;
        let declared_at = self.view.declared_at(&die);
        let function = Function {
            name: name.clone(),
            signature: signature.clone(),
            takes: found.takes,
            returns: found.returns,
            declared_at,
        };
        let known = self.found.entry((name, signature)).or_insert_with(|| function.clone());
        // Where it is defined says more than a declaration does.
        if !die.is_declaration() && !known.declared_at.eq(&function.declared_at) {
            *known = function;
        }
        Ok(())
    }
}

/// Types that lead on to another without being one that is asked for.
fn is_passed(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_array_type
    ) || super::reader::is_transparent(tag)
}

/// What compilers write behind the parameters of a function.
fn ends_parameters(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_variable
            | dw::DW_TAG_lexical_block
            | dw::DW_TAG_inlined_subroutine
            | dw::DW_TAG_label
            | dw::DW_TAG_call_site
            | dw::DW_TAG_GNU_call_site
    )
}

/// Whether functions are looked for below such an entry: not in one another.
fn holds_functions(tag: DwTag, language: Language) -> bool {
    match tag {
        dw::DW_TAG_namespace | dw::DW_TAG_module => true,
        dw::DW_TAG_enumeration_type => language == Language::Rust,
        tag => is_aggregate(tag) && language != Language::C,
    }
}
