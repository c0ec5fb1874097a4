//! What members show of their types. A struct has many members of few types, so that each is read once.

use std::rc::Rc;

use smol_str::SmolStr;

use super::member_entry::MemberEntry;
use super::reader::{Reader, is_aggregate};
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
                aggregate: None,
            }));
        };
        if let Some(known) = self.types.borrow().get(&target) {
            return Ok(Rc::clone(known));
        }
        let declared = self.die_near(unit, target)?;
        let typed = Rc::new(Typed {
            spelled: self.spell(Some(&declared))?.into(),
            size: self.size_of(&declared)?,
            aggregate: self.underlying(declared.clone())?.filter(|die| is_aggregate(die.tag())),
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
