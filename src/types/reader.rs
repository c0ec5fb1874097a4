//! Reads DIEs for one question, counting them, and sees through typedefs and declarations.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use gimli::{DwTag, constants as dw};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::Error;
use super::known_types::Table;
use super::template::Arguments;
use crate::dwarf::{self, Die, DieRef, Index, Language, UnitView, View};
use crate::job::Job;

/// A chain of typedefs and qualifiers longer than this is a cycle.
pub(super) const MAX_CHAIN: usize = 64;

/// More members than any type has, those of its members included: a kernel's largest has some ten
/// thousand.
const MAX_MEMBERS: usize = 1 << 18;

/// How often the job is asked whether to go on, in DIEs.
const CHECK_EVERY: usize = 1 << 12;

/// What one question reads with.
#[derive(Debug)]
pub(super) struct Reader<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) index: &'v Index,
    count: Count<'v>,
    members: Cell<usize>,
    completions: RefCell<FxHashMap<Declared<'a>, Rc<Completions>>>,
    /// What the types that were met come to.
    pub(super) known: RefCell<Table>,
    pub(super) arguments: Arguments,
    /// How long the text that is being spelled has become, in bytes of its names.
    pub(super) spelled: Cell<usize>,
}

/// Counts the DIEs that are read for a question.
#[derive(Debug)]
pub(super) struct Count<'j> {
    job: &'j Job,
    dies: Cell<usize>,
}

impl<'j> Count<'j> {
    pub(super) fn new(job: &'j Job) -> Count<'j> {
        Count { job, dies: Cell::new(0) }
    }

    /// Counts one more; fails when they are too many, and when the job was stopped.
    pub(super) fn one(&self) -> Result<(), Error> {
        let dies = self.dies.get() + 1;
        self.dies.set(dies);
        if dies > self.job.limits().dies {
            return Err(Error::TooMany);
        }
        if dies.is_multiple_of(CHECK_EVERY) {
            self.job.check()?;
        }
        Ok(())
    }
}

/// What a declaration says of the type that is defined elsewhere.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Declared<'a> {
    name: &'a [u8],
    arguments: Option<SmolStr>,
    scope: Vec<Cow<'a, [u8]>>,
    language: Language,
    tag: DwTag,
}

/// The definitions of a type that is only declared where it was met.
#[derive(Debug, Default)]
pub(super) struct Completions {
    /// All of them, in the order of the index.
    pub(super) all: Vec<DieRef>,
    /// The first, where all have the same size.
    agreed: Option<DieRef>,
}

impl<'v, 'a> Reader<'v, 'a> {
    pub(super) fn new(job: &'v Job, view: &'v View<'a>, index: &'v Index) -> Reader<'v, 'a> {
        Reader::knowing(job, view, index, Table::default())
    }

    /// One that knows some types from earlier questions.
    pub(super) fn knowing(
        job: &'v Job,
        view: &'v View<'a>,
        index: &'v Index,
        known: Table,
    ) -> Reader<'v, 'a> {
        Reader {
            view,
            index,
            count: Count::new(job),
            members: Cell::new(0),
            completions: RefCell::default(),
            known: RefCell::new(known),
            arguments: Arguments::default(),
            spelled: Cell::new(0),
        }
    }

    /// Begins with another question; what is known stays.
    pub(super) fn begin(&self) {
        self.count.dies.set(0);
        self.begin_answer();
    }

    /// Begins with another of the answers to a question: their members are not shown together.
    pub(super) fn begin_answer(&self) {
        self.members.set(0);
    }

    /// What it knows in the end.
    pub(super) fn into_known(self) -> Table {
        self.known.into_inner()
    }

    /// Counts a DIE that was read.
    pub(super) fn count(&self) -> Result<(), Error> {
        self.count.one()
    }

    /// Counts members that an answer shows. Structs that hold each other twice, a few levels deep,
    /// are small in a file and without bound when shown.
    pub(super) fn count_members(&self, more: usize) -> Result<(), Error> {
        let members = self.members.get().saturating_add(more);
        self.members.set(members);
        if members > MAX_MEMBERS { Err(Error::TooMany) } else { Ok(()) }
    }

    /// Reads a DIE.
    pub(super) fn die(&self, at: DieRef) -> Result<Die<'a>, Error> {
        self.count()?;
        self.defined(self.view.die(at)?)
    }

    /// Reads the DIE at a reference that `from` makes.
    pub(super) fn die_from(&self, from: &Die<'a>, at: DieRef) -> Result<Die<'a>, Error> {
        self.die_near(from.unit(), at)
    }

    /// Reads the DIE at a reference that one of `unit` makes.
    pub(super) fn die_near(&self, unit: &Rc<UnitView<'a>>, at: DieRef) -> Result<Die<'a>, Error> {
        self.count()?;
        self.defined(self.view.die_from(unit, at)?)
    }

    /// A DIE that only stands for a type unit's (DWARF 5 §5.7.1, DW_AT_signature) is passed over for
    /// it: GCC gives it neither a name nor DW_AT_declaration.
    fn defined(&self, die: Die<'a>) -> Result<Die<'a>, Error> {
        match self.view.reference(&die, dw::DW_AT_signature) {
            Ok(Some(definition)) => Ok(self.view.die(definition)?),
            // A unit that is missing leaves a declaration.
            Ok(None) | Err(dwarf::Error::NoSuchSignature(_)) => Ok(die),
            Err(error) => Err(error.into()),
        }
    }

    /// The DIE that DW_AT_type leads to; none for `void`.
    pub(super) fn type_of(&self, die: &Die<'a>) -> Result<Option<Die<'a>>, Error> {
        let target = self.view.type_of(die)?;
        target.map(|at| self.die_from(die, at)).transpose()
    }

    /// The name of a DIE; empty where it has none.
    pub(super) fn name(&self, die: &Die<'a>) -> String {
        String::from_utf8_lossy(self.view.name(die).unwrap_or_default()).into_owned()
    }

    /// The file and line of its declaration.
    pub(super) fn declared_at(&self, die: &Die<'a>) -> Option<(String, u64)> {
        let (number, line) = die.declared_at()?;
        let file = (die.unit().root(), number);
        let known = self.known.borrow().file_name(file).cloned();
        let name = known.unwrap_or_else(|| {
            let name = self.view.file_name(die.unit(), number).map(Arc::from);
            self.known.borrow_mut().learn_file_name(file, &name);
            name
        });
        Some((name?.to_string(), line))
    }

    /// The type behind typedefs and qualifiers, completed where it is only declared; none for void.
    pub(super) fn underlying(&self, die: Die<'a>) -> Result<Option<Die<'a>>, Error> {
        let mut current = die;
        for _ in 0..MAX_CHAIN {
            if !is_transparent(current.tag()) {
                return Ok(Some(self.completed(current)?));
            }
            match self.type_of(&current)? {
                Some(next) => current = next,
                None => return Ok(None),
            }
        }
        Err(Error::TooDeep)
    }

    /// A declaration's definition, where the definitions of this file agree on its size; otherwise
    /// the declaration itself.
    pub(super) fn completed(&self, die: Die<'a>) -> Result<Die<'a>, Error> {
        if !die.is_declaration() {
            return Ok(die);
        }
        match self.definitions_of(&die)?.agreed {
            Some(definition) => self.die(definition),
            None => Ok(die),
        }
    }

    /// The definitions that a declaration may stand for: same name, tag, scope and language. Looked
    /// up once for a name: every unit has its own declaration.
    pub(super) fn definitions_of(&self, declaration: &Die<'a>) -> Result<Rc<Completions>, Error> {
        let Some(name) = self.view.name(declaration) else { return Ok(Rc::default()) };
        let key = Declared {
            name,
            arguments: self.arguments_left_out(declaration)?,
            scope: self.scope(declaration)?,
            language: declaration.language(),
            tag: class_as_struct(declaration.tag()),
        };
        if let Some(known) = self.completions.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let mut found = Completions::default();
        let mut size = None;
        for at in self.index.find(name).definitions {
            let die = self.die(at)?;
            if class_as_struct(die.tag()) != key.tag
                || die.language() != key.language
                || self.scope(&die)? != key.scope
                || self.arguments_left_out(&die)? != key.arguments
            {
                continue;
            }
            let its_size = die.unsigned(dw::DW_AT_byte_size);
            if found.all.is_empty() {
                (found.agreed, size) = (Some(at), its_size);
            } else if its_size != size {
                found.agreed = None;
            }
            found.all.push(at);
        }
        let found = Rc::new(found);
        self.completions.borrow_mut().insert(key, Rc::clone(&found));
        Ok(found)
    }

    /// The names around a DIE. C has none, and asking would walk the unit.
    pub(super) fn scope(&self, die: &Die<'a>) -> Result<Vec<Cow<'a, [u8]>>, Error> {
        if die.language() == Language::C {
            return Ok(Vec::new());
        }
        self.view.scope_of(die)?.into_iter().map(|scope| self.name_of_scope(die, scope)).collect()
    }
}

/// Typedefs and qualifiers: they change a type's name, not its layout.
pub(super) fn is_transparent(tag: DwTag) -> bool {
    matches!(tag, dw::DW_TAG_typedef | dw::DW_TAG_template_alias) || is_qualifier(tag)
}

/// `const`, `volatile` and their like.
pub(super) fn is_qualifier(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type
            | dw::DW_TAG_packed_type
            | dw::DW_TAG_shared_type
            | dw::DW_TAG_immutable_type
    )
}

/// Struct, union or class.
pub(super) fn is_aggregate(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_interface_type
    )
}

/// C++ lets `struct` declare what `class` defines.
fn class_as_struct(tag: DwTag) -> DwTag {
    if tag == dw::DW_TAG_class_type { dw::DW_TAG_structure_type } else { tag }
}
