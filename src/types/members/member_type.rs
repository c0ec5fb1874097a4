//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use gimli::constants as dw;
use smol_str::SmolStr;

use super::TypeAt;
use super::draft::{Draft, Shown};
use crate::dwarf::{DieRef, UnitView};
use crate::types::reader::{Reader, is_aggregate};
use crate::types::sizes::Extent;
use crate::types::{Error, Size};

/// What members show of their type: the same for all that have it.
#[derive(Clone, Debug, Eq)]
pub(in crate::types) struct MemberType {
    /// The type itself; none stands for `void`, which no member has in sound debug info.
    pub(in crate::types) die: Option<DieRef>,
    pub(in crate::types) spelled: SmolStr,
    pub(in crate::types) size: Size,
    /// It is an array, behind typedefs and qualifiers.
    pub(in crate::types) is_array: bool,
    /// That has no bound.
    pub(in crate::types) is_unbounded: bool,
    /// The struct, union or class that it is, behind typedefs and qualifiers.
    pub(in crate::types) aggregate: Option<Aggregate>,
    /// How it is aligned, in bytes, once that was asked; none where that is not certain.
    pub(in crate::types) align: OnceLock<Option<u64>>,
}

/// A struct, union or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::types) struct Aggregate {
    pub(in crate::types) at: DieRef,
    /// Where it is defined is not known.
    pub(in crate::types) is_declaration: bool,
}

impl MemberType {
    /// Whether it is a flexible array: one that is empty has a size.
    #[inline]
    pub(in crate::types) fn is_flexible_array(&self) -> bool {
        self.is_unbounded && self.size == Size::Dynamic
    }
}

impl PartialEq for MemberType {
    /// Equal in what they say; the DIE it was read from does not matter.
    fn eq(&self, other: &MemberType) -> bool {
        self.spelled == other.spelled && self.size == other.size
    }
}

/// What would be shown of a type that is not there: each row has one.
pub(super) static NO_TYPE: MemberType = MemberType {
    die: None,
    spelled: SmolStr::new_static(""),
    size: Size::Dynamic,
    is_array: false,
    is_unbounded: false,
    aggregate: None,
    align: OnceLock::new(),
};

impl Default for MemberType {
    /// One of which nothing is known.
    fn default() -> Self {
        NO_TYPE.clone()
    }
}

impl<'a> Reader<'_, 'a> {
    /// The type of a member of that unit, put into the draft.
    #[inline(always)]
    pub(super) fn typed(
        &self,
        unit: &Rc<UnitView<'a>>,
        target: DieRef,
        draft: &mut Draft,
    ) -> Result<TypeAt, Error> {
        let known = self.known.borrow().shown(target).map(|known| known.put_into(draft));
        known.map_or_else(|| self.met(unit, target, draft), Ok)
    }

    /// The same for a type that is met for the first time.
    #[cold]
    fn met(
        &self,
        unit: &Rc<UnitView<'a>>,
        target: DieRef,
        draft: &mut Draft,
    ) -> Result<TypeAt, Error> {
        let shown = Shown::new(Arc::new(self.show(unit, target)?));
        let at = shown.put_into(draft);
        self.known.borrow_mut().learn_shown(target, shown);
        Ok(at)
    }

    /// What members show that say no type.
    pub(super) fn void(&self) -> Result<MemberType, Error> {
        Ok(MemberType { spelled: self.spell(None)?.into(), ..MemberType::default() })
    }

    /// What members show of a type.
    fn show(&self, unit: &Rc<UnitView<'a>>, target: DieRef) -> Result<MemberType, Error> {
        let declared = self.die_near(unit, target)?;
        let (size, underlying) = (self.size_of(&declared)?, self.underlying(declared.clone())?);
        let array = underlying.as_ref().filter(|die| die.tag() == dw::DW_TAG_array_type);
        let is_unbounded = match array.filter(|_| size == Size::Dynamic) {
            Some(array) => self.extents(array)?.first() == Some(&Extent::Flexible),
            None => false,
        };
        let is_array = array.is_some();
        let aggregate = underlying.filter(|die| is_aggregate(die.tag()));
        let aggregate =
            aggregate.map(|die| Aggregate { at: die.at(), is_declaration: die.is_declaration() });
        Ok(MemberType {
            spelled: self.spell(Some(&declared))?.into(),
            size,
            is_array,
            is_unbounded,
            aggregate,
            align: OnceLock::new(),
            die: Some(declared.at()),
        })
    }
}
