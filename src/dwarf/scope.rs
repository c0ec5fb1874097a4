//! The namespaces and classes around a DIE: what qualifies its name.
//!
//! DWARF has no reference from a DIE to its parent, so a unit's scopes are listed once, by one walk
//! that enters only what can hold types.

use gimli::{DwTag, constants as dw};

use super::{Die, DieRef, Error, UnitView, View};

/// One scope of a unit: its DIEs lie between `start` and `end`.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    start: u64,
    end: u64,
    parent: Option<usize>,
    name: ScopeName<'a>,
    /// Its names are its parent's too: `inline namespace` (DWARF 5 §3.2.2, DW_AT_export_symbols).
    is_inline: bool,
}

/// What a scope is known by.
#[derive(Clone, Copy, Debug)]
pub struct ScopeName<'a> {
    /// Empty for an unnamed namespace or struct.
    pub name: &'a [u8],
    /// The struct, union or class that it is: it may be a template's, with arguments.
    pub class: Option<DieRef>,
}

/// The scopes with a name around a DIE, outermost first.
#[derive(Debug, Default)]
pub struct NamedScope<'a> {
    /// All of them.
    pub all: Vec<ScopeName<'a>>,
    /// Those that have to be written.
    pub without_inline: Vec<ScopeName<'a>>,
}

/// Nested deeper than this, a scope is taken for damage and not entered.
const MAX_DEPTH: usize = 64;

impl<'a> View<'a> {
    /// The scopes around a DIE, outermost first. Function scopes are left out.
    pub fn scope_of(&self, die: &Die<'a>) -> Result<Vec<ScopeName<'a>>, Error> {
        // Of a DIE that completes a declaration, the declaration stands in the scope (DWARF 5 §5.7.1):
        // GCC's type units are written so.
        match self.reference(die, dw::DW_AT_specification)? {
            Some(declaration) => self.scope_around(&self.die(declaration)?),
            None => self.scope_around(die),
        }
    }

    /// The scopes with a name around a DIE, as people write them.
    pub fn named_scope_of(&self, die: &Die<'a>) -> Result<NamedScope<'a>, Error> {
        let declaration = self.reference(die, dw::DW_AT_specification)?;
        let declaration = declaration.map(|at| self.die(at)).transpose()?;
        let mut named = NamedScope::default();
        self.each_scope(declaration.as_ref().unwrap_or(die), |scope| {
            if scope.name.name.is_empty() {
                return;
            }
            named.all.push(scope.name);
            if !scope.is_inline {
                named.without_inline.push(scope.name);
            }
        })?;
        named.all.reverse();
        named.without_inline.reverse();
        Ok(named)
    }

    fn scope_around(&self, die: &Die<'a>) -> Result<Vec<ScopeName<'a>>, Error> {
        let mut names = Vec::new();
        self.each_scope(die, |scope| names.push(scope.name))?;
        names.reverse();
        Ok(names)
    }

    /// The scopes around a DIE, innermost first.
    fn each_scope(&self, die: &Die<'a>, mut visit: impl FnMut(&Scope<'a>)) -> Result<(), Error> {
        let scopes = self.scopes(die.unit())?;
        let offset = die.at().offset();
        // The innermost scope is the last that starts before the DIE and has not ended.
        let around = |scope: &Scope<'_>| scope.start < offset && offset < scope.end;
        let before = scopes.partition_point(|scope| scope.start < offset);
        let mut current = scopes.iter().take(before).rposition(around);
        while let Some(scope) = current.and_then(|position| scopes.get(position)) {
            visit(scope);
            current = scope.parent;
        }
        Ok(())
    }

    fn scopes<'u>(&self, unit: &'u UnitView<'a>) -> Result<&'u [Scope<'a>], Error> {
        if let Some(scopes) = unit.scopes.get() {
            return Ok(scopes);
        }
        let mut scopes = Vec::new();
        let root = self.die(unit.root())?;
        self.collect_scopes(&root, None, &mut scopes, 0)?;
        Ok(unit.scopes.get_or_init(|| scopes))
    }

    fn collect_scopes(
        &self,
        die: &Die<'a>,
        parent: Option<usize>,
        scopes: &mut Vec<Scope<'a>>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        for child in die.children() {
            let child = child?;
            if !is_scope(child.tag()) || !child.has_children() {
                continue;
            }
            let position = scopes.len();
            let (start, end) = child.extent()?;
            let is_inline = child.flag(dw::DW_AT_export_symbols);
            let name = self.scope_name(&child)?;
            scopes.push(Scope { start, end, parent, name, is_inline });
            self.collect_scopes(&child, Some(position), scopes, depth + 1)?;
        }
        Ok(())
    }

    /// Around a type that is in a unit of its own, Clang writes stand-ins without a name of those that are
    /// in theirs.
    fn scope_name(&self, die: &Die<'a>) -> Result<ScopeName<'a>, Error> {
        let class = is_class(die.tag()).then(|| die.at());
        if let Some(name) = self.name(die) {
            return Ok(ScopeName { name, class });
        }
        match self.reference(die, dw::DW_AT_signature) {
            Ok(Some(at)) => {
                let name = self.name(&self.die(at)?).unwrap_or_default();
                Ok(ScopeName { name, class: Some(at) })
            }
            Ok(None) | Err(Error::NoSuchSignature(_)) => Ok(ScopeName { name: b"", class }),
            Err(error) => Err(error),
        }
    }
}

fn is_scope(tag: DwTag) -> bool {
    is_class(tag)
        || matches!(tag, dw::DW_TAG_namespace | dw::DW_TAG_module | dw::DW_TAG_enumeration_type)
}

fn is_class(tag: DwTag) -> bool {
    matches!(tag, dw::DW_TAG_structure_type | dw::DW_TAG_union_type | dw::DW_TAG_class_type)
}
