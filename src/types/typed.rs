//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;
use std::sync::Arc;

use gimli::constants as dw;

use super::member_entry::MemberEntry;
use super::model::{Aggregate, MemberType};
use super::reader::{Reader, is_aggregate};
use super::sizes::Extent;
use super::{Error, Size};
use crate::dwarf::UnitView;

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
        let aggregate = underlying.filter(|die| is_aggregate(die.tag()));
        let aggregate =
            aggregate.map(|die| Aggregate { at: die.at(), is_declaration: die.is_declaration() });
        let typed = Arc::new(MemberType {
            spelled: self.spell(Some(&declared))?.into(),
            size,
            is_array,
            is_unbounded,
            aggregate,
            die: Some(declared.at()),
        });
        self.known.borrow_mut().learn_typed(target, &typed);
        Ok(typed)
    }
}
