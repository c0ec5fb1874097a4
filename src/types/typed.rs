//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;

use gimli::constants as dw;
use smol_str::SmolStr;

use super::member_entry::MemberEntry;
use super::reader::{Reader, is_aggregate};
use super::sizes::Extent;
use super::{Error, Size};
use crate::dwarf::{Die, UnitView};

/// So many types are remembered at a time: a question about all of them meets a million.
const MAX_KNOWN: usize = 1 << 14;

/// What a member shows of its type.
#[derive(Debug)]
pub(super) struct Typed<'a> {
    /// The type itself; none stands for `void`.
    pub(super) declared: Option<Die<'a>>,
    pub(super) spelled: SmolStr,
    pub(super) size: Size,
    /// It is an array without a bound, behind typedefs and qualifiers.
    pub(super) is_unbounded: bool,
    /// The struct, union or class that it is, behind typedefs and qualifiers.
    pub(super) aggregate: Option<Die<'a>>,
}

impl<'a> Reader<'_, 'a> {
    /// The type of a member of that unit.
    pub(super) fn typed(
        &self,
        unit: &Rc<UnitView<'a>>,
        member: &MemberEntry<'a>,
    ) -> Result<Rc<Typed<'a>>, Error> {
        let Some(target) = self.target(unit, member)? else {
            let spelled = self.spell(None)?.into();
            return Ok(Rc::new(Typed {
                declared: None,
                spelled,
                size: Size::Dynamic,
                is_unbounded: false,
                aggregate: None,
            }));
        };
        if let Some(known) = self.types.borrow().get(&target) {
            return Ok(Rc::clone(known));
        }
        let declared = self.die_near(unit, target)?;
        let (size, underlying) = (self.size_of(&declared)?, self.underlying(declared.clone())?);
        let is_array = |die: &&Die<'a>| die.tag() == dw::DW_TAG_array_type && size == Size::Dynamic;
        let is_unbounded = match underlying.as_ref().filter(is_array) {
            Some(array) => self.extents(array)?.first() == Some(&Extent::Flexible),
            None => false,
        };
        let typed = Rc::new(Typed {
            spelled: self.spell(Some(&declared))?.into(),
            size,
            is_unbounded,
            aggregate: underlying.filter(|die| is_aggregate(die.tag())),
            declared: Some(declared),
        });
        let mut types = self.types.borrow_mut();
        if types.len() >= MAX_KNOWN {
            types.clear();
        }
        types.insert(target, Rc::clone(&typed));
        Ok(typed)
    }
}
