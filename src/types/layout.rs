//! Reads one type's layout from its DIE.

use gimli::constants as dw;

use super::alignment::member_alignment;
use super::members::Nesting;
use super::order::{AsDeclared, Field};
use super::reader::Reader;
use super::spelling::kind_of;
use super::{Enumerator, Error, Kind, Layout, Location, Members, Size, gaps};
use crate::dwarf::{Die, Language};

impl<'a> Reader<'_, 'a> {
    /// The layout of a type. `known_as` is the typedef that names a type without a name.
    pub(super) fn layout(&self, die: &Die<'a>, known_as: Option<&str>) -> Result<Layout, Error> {
        let mut layout = self.layout_of(die, known_as, Nesting::Deep)?;
        layout.declared_at = self.declared_at(die);
        match self.judge(&mut layout) {
            Err(Error::Stopped(stopped)) => Err(Error::Stopped(stopped)),
            // It reads types that the layout itself does not need: damage there is none of it.
            _ => Ok(layout),
        }
    }

    /// The same without what is inside of members whose types have a name, without a judgement on the
    /// order of its members, and without the place of its declaration: where that is, the file names of
    /// its unit have to be read for.
    pub(super) fn own_layout(
        &self,
        die: &Die<'a>,
        known_as: Option<&str>,
    ) -> Result<Layout, Error> {
        self.layout_of(die, known_as, Nesting::Own)
    }

    fn layout_of(
        &self,
        die: &Die<'a>,
        known_as: Option<&str>,
        nesting: Nesting,
    ) -> Result<Layout, Error> {
        let kind = kind_of(die);
        let type_name = match (known_as, self.view.name(die)) {
            (Some(name), None) if kind != Kind::Other => name.to_owned(),
            _ => self.spell_asked(die, kind)?,
        };
        let mut layout = Layout {
            die: die.at(),
            type_name,
            kind,
            via: Vec::new(),
            size: self.size_of(die)?,
            align: die.unsigned(dw::DW_AT_alignment),
            declared_at: None,
            language: die.language(),
            members: Members::default(),
            enumerators: Vec::new(),
            holes: Vec::new(),
            padding: 0,
            packed: false,
            better_order: None,
            why: None,
        };
        match kind {
            Kind::Struct | Kind::Union | Kind::Class => {
                let (members, why) = self.members(die, nesting, None)?;
                (layout.members, layout.why) = (members, why);
            }
            Kind::Enum => layout.enumerators = self.enumerators(die)?,
            Kind::Other => {}
        }
        if layout.size == Size::Dynamic && layout.why.is_none() {
            let why = match die.tag() {
                dw::DW_TAG_subroutine_type => "a function type has no size",
                _ => "its size is only known at run time",
            };
            layout.why = Some(why.to_owned());
        }
        gaps::find(&mut layout);
        Ok(layout)
    }

    /// What the members' alignments show: that the type is packed, or that its order wastes bytes.
    fn judge(&self, layout: &mut Layout) -> Result<(), Error> {
        if layout.kind != Kind::Struct || layout.language != Language::C || layout.why.is_some() {
            return Ok(());
        }
        let wastes = !layout.holes.is_empty() || layout.padding > 0;
        let mut declared = AsDeclared::new(layout, wastes);
        let mut strictest = 1;
        for member in layout.members.iter() {
            let natural = self.alignment_of(member.member_type())?;
            let Some(align) = member_alignment(member, natural) else {
                declared.give_up();
                continue;
            };
            let size = || member.size().known().unwrap_or(0);
            match member.location {
                Location::Bytes(offset) => {
                    // A power of two, so that nothing has to be divided.
                    layout.packed |= offset & (align - 1) != 0;
                    strictest = strictest.max(align);
                }
                // ABIs differ in what a stricter type of a bit field does.
                Location::Bits(_) if align > size() => declared.give_up(),
                Location::Bits(_) => {}
                Location::Dynamic { .. } => strictest = strictest.max(align),
            }
            if declared.is_understood() {
                let (bits, is_last) = (member.bit_size(), member.is_open_ended());
                declared.put(Field { align, size: size(), bits, is_last }, member.start());
            }
        }
        layout.packed |= layout.size.known().is_some_and(|size| !size.is_multiple_of(strictest));
        if !layout.packed {
            layout.better_order = declared.better(layout.size);
        }
        Ok(())
    }

    /// The name of the type asked for: with its keyword in every language that has one.
    fn spell_asked(&self, die: &Die<'a>, kind: Kind) -> Result<String, Error> {
        let name = match kind {
            Kind::Other => self.spell(Some(die))?,
            _ => self.spell_named(die)?,
        };
        Ok(match (kind, die.language()) {
            (Kind::Other, _) | (_, Language::C | Language::Other) => name,
            _ if self.view.name(die).is_none() => name,
            _ => format!("{} {name}", kind.name()),
        })
    }

    pub(super) fn enumerators(&self, die: &Die<'a>) -> Result<Vec<Enumerator>, Error> {
        let (written, mut enumerators) = (self.written(die)?, Vec::new());
        for child in die.children() {
            self.count()?;
            let child = child?;
            if child.tag() != dw::DW_TAG_enumerator {
                continue;
            }
            let Some(value) = written.constant(&child, dw::DW_AT_const_value) else { continue };
            enumerators.push(Enumerator { name: self.name(&child), value });
        }
        Ok(enumerators)
    }
}

/// Whether a type is spelled as one that has no name.
pub(super) fn is_without_name(type_name: &str) -> bool {
    type_name.ends_with("{...}")
}
