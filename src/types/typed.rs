//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;
use std::sync::Arc;

use gimli::constants as dw;

use super::distinct::is_its_own;
use super::member_entry::MemberEntry;
use super::model::{Aggregate, MemberType};
use super::reader::{MAX_CHAIN, Reader, is_aggregate, is_array_or_pointer};
use super::sizes::Extent;
use super::{Error, Size};
use crate::dwarf::{Die, UnitView};

impl<'a> Reader<'_, 'a> {
    /// The type of a member of that unit.
    pub(super) fn typed(
        &self,
        unit: &Rc<UnitView<'a>>,
        member: &MemberEntry<'a>,
    ) -> Result<Arc<MemberType>, Error> {
        let Some(target) = member.target(self.view, unit)? else {
            let spelled = self.spell(None)?.into();
            return Ok(Arc::new(MemberType {
                die: None,
                spelled,
                size: Size::Dynamic,
                is_array: false,
                is_unbounded: false,
                aggregate: None,
                leads_to_unnamed: false,
            }));
        };
        if let Some(known) = self.known.borrow().typed(target) {
            return Ok(Arc::clone(known));
        }
        let declared = self.die_near(unit, target)?;
        let (size, underlying) = (self.size_of(&declared)?, self.underlying(declared.clone())?);
        let array = underlying.as_ref().filter(|die| die.tag() == dw::DW_TAG_array_type);
        let is_unbounded = match array.filter(|_| size == Size::Dynamic) {
            Some(array) => self.extents(array)?.first() == Some(&Extent::Flexible),
            None => false,
        };
        let is_array = array.is_some();
        let leads_to_unnamed = match underlying.as_ref().map(|die| self.is_unnamed_behind(die)) {
            // What is there is not part of the member: damage there is none of it.
            Some(Err(error)) if is_its_own(&error) => false,
            leads => leads.transpose()?.unwrap_or_default(),
        };
        let aggregate = underlying.filter(|die| is_aggregate(die.tag()));
        let aggregate =
            aggregate.map(|die| Aggregate { at: die.at(), is_declaration: die.is_declaration() });
        let typed = Arc::new(MemberType {
            spelled: self.spell(Some(&declared))?.into(),
            size,
            is_array,
            is_unbounded,
            aggregate,
            leads_to_unnamed,
            die: Some(declared.at()),
        });
        self.known.borrow_mut().learn_typed(target, &typed);
        Ok(typed)
    }

    /// Whether an array or pointer leads to a struct, union or enum that has no name, not even by a typedef.
    fn is_unnamed_behind(&self, die: &Die<'a>) -> Result<bool, Error> {
        let mut current = die.clone();
        for _ in 0..MAX_CHAIN {
            if !is_array_or_pointer(current.tag()) {
                return Ok(false);
            }
            let Some(target) = self.type_of(&current)? else { return Ok(false) };
            match self.underlying_named(target)? {
                Some((next, false)) if is_aggregate(next.tag()) => return Ok(true),
                Some((next, false)) if next.tag() == dw::DW_TAG_enumeration_type => {
                    return Ok(true);
                }
                Some((next, _)) => current = next,
                None => return Ok(false),
            }
        }
        Err(Error::TooDeep)
    }
}
