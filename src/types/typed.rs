//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;
use std::sync::Arc;

use gimli::constants as dw;
use smol_str::SmolStr;

use super::member_entry::MemberEntry;
use super::reader::{Reader, is_aggregate};
use super::sizes::Extent;
use super::{Error, Size};
use crate::dwarf::{Die, DieRef, UnitView};

/// What a member shows of its type.
#[derive(Debug)]
pub(super) struct Typed {
    /// The type itself; none stands for `void`.
    pub(super) declared: Option<DieRef>,
    pub(super) spelled: SmolStr,
    pub(super) size: Size,
    /// It is an array without a bound, behind typedefs and qualifiers.
    pub(super) is_unbounded: bool,
    /// The struct, union or class that it is, behind typedefs and qualifiers.
    pub(super) aggregate: Option<Aggregate>,
}

/// A struct, union or class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aggregate {
    pub(super) at: DieRef,
    /// Where it is defined is not known.
    pub(super) is_declaration: bool,
}

impl<'a> Reader<'_, 'a> {
    /// The type of a member of that unit.
    pub(super) fn typed(
        &self,
        unit: &Rc<UnitView<'a>>,
        member: &MemberEntry<'a>,
    ) -> Result<Arc<Typed>, Error> {
        let Some(target) = self.target(unit, member)? else {
            let spelled = self.spell(None)?.into();
            return Ok(Arc::new(Typed {
                declared: None,
                spelled,
                size: Size::Dynamic,
                is_unbounded: false,
                aggregate: None,
            }));
        };
        if let Some(known) = self.known.borrow().typed(target) {
            return Ok(Arc::clone(known));
        }
        let declared = self.die_near(unit, target)?;
        let (size, underlying) = (self.size_of(&declared)?, self.underlying(declared.clone())?);
        let is_array = |die: &&Die<'a>| die.tag() == dw::DW_TAG_array_type && size == Size::Dynamic;
        let is_unbounded = match underlying.as_ref().filter(is_array) {
            Some(array) => self.extents(array)?.first() == Some(&Extent::Flexible),
            None => false,
        };
        let aggregate = underlying.filter(|die| is_aggregate(die.tag()));
        let aggregate =
            aggregate.map(|die| Aggregate { at: die.at(), is_declaration: die.is_declaration() });
        let typed = Arc::new(Typed {
            spelled: self.spell(Some(&declared))?.into(),
            size,
            is_unbounded,
            aggregate,
            declared: Some(declared.at()),
        });
        self.known.borrow_mut().learn_typed(target, &typed);
        Ok(typed)
    }
}
