//! How the attributes of a unit's entries are read one after the other, as far as a layout shows them.
//!
//! Each abbreviation is made a list of [`Step`]s. Units number their abbreviations anew, but most declare
//! the same ones: a list is made once for each declaration as it is written.

use std::num::NonZeroU32;

use gimli::{AttributeSpecification, DwAt, DwTag, Encoding, UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::shape::is_part_of_layout;
use crate::dwarf::{Entries, Name};

/// Codes are remembered up to here: producers number from 1 on.
const MAX_CODE: usize = 1 << 12;

/// The entries of one unit, as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'e, 'a> {
    pub(super) entries: &'e Entries<'a>,
    /// From the root on.
    bytes: &'a [u8],
    /// The offset of the root in the unit.
    root: usize,
    is_little: bool,
}

/// How to read the attributes of entries, by abbreviation.
#[derive(Debug, Default)]
pub(super) struct Plans<'a> {
    /// Entries of one kind say the same things in the same order: the tag, whether children follow, the
    /// attributes that show, each with the class of its value.
    kinds: FxHashMap<Vec<u32>, u32>,
    /// All that were made.
    plans: Vec<Plan>,
    /// By declaration: its tag, whether children follow, its attributes as they stand in .debug_abbrev.
    by_declaration: FxHashMap<(DwTag, bool, &'a [u8]), PlanId>,
    /// By code, of the unit at hand.
    by_code: Vec<Option<PlanId>>,
    steps: Vec<Step>,
    fields: Vec<Field>,
    /// Of the units so far: the sizes of values depend on it.
    encoding: Option<Encoding>,
    key: Vec<u32>,
}

/// The number of a plan, which is not 0.
pub(super) type PlanId = NonZeroU32;

/// How to read the attributes of entries of one abbreviation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) tag: DwTag,
    pub(super) has_children: bool,
    /// Whether a layout shows such entries where they are children.
    pub(super) is_part: bool,
    /// None for what is not compared here.
    pub(super) kind: Option<u32>,
    /// Where the name is, if it is a place in .debug_str that is always as far in.
    name: Option<u16>,
    reading: Reading,
    first: u32,
    end: u32,
    /// Which of its bytes are of values that show, but for the reference to a type; none where it may have
    /// more bytes than these.
    shown: Option<[u8; SHORT]>,
}

/// Most entries take no more bytes.
const SHORT: usize = 16;

/// How values are found.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// They are always as far in: by [`Field`]s.
    Fixed {
        /// Bytes that the attributes take.
        size: u16,
        /// Where the reference to a type is.
        target: Option<u16>,
    },
    /// One behind the other: by [`Step`]s.
    Stepwise,
}

/// A number that is always as far in.
#[derive(Clone, Copy, Debug)]
struct Field {
    at: u16,
    /// How many bytes it takes; none where it is in the abbreviation.
    size: u8,
    /// Whether its uppermost bit may be a sign.
    may_be_negative: bool,
    /// What is in the abbreviation.
    implicit: u32,
}

/// How to read, or to step over, one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many bytes that do not show.
    Skip(u16),
    /// A number in LEB128 that does not show.
    SkipLeb,
    /// A number of one, two or four bytes.
    Number(u8),
    /// One of eight bytes.
    Long,
    /// A number in LEB128 without a sign.
    Leb,
    /// A number that is in the abbreviation.
    Implicit(u32),
    /// A place in .debug_str.
    Str,
    /// A text up to its zero byte.
    Text,
    /// A reference to a type, in the unit.
    Type,
}

/// What an attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number of less than 56 bits, half of a longer one, or a place in .debug_str: the class of the
    /// attribute tells. Above it stands in how many bytes it was, where its uppermost bit is set: whether
    /// it is negative is then for the reader to say.
    Number(u64),
    Text(&'a [u8]),
    /// The type at an offset of the unit.
    Type(u32),
}

/// Where in a number its size stands.
const SIZE_SHIFT: u32 = 56;

impl<'a> Plans<'a> {
    /// Codes mean something else in the next unit.
    pub(super) fn enter(&mut self, entries: &Entries<'a>) {
        self.by_code.clear();
        if self.encoding.replace(entries.encoding()) != Some(entries.encoding()) {
            self.by_declaration.clear();
        }
    }

    /// How to read the entry at an offset, and where its attributes start. None at the end of a list of
    /// children, and for what cannot be read so.
    #[inline]
    pub(super) fn at(&mut self, unit: Unit<'_, 'a>, at: usize) -> Option<(PlanId, usize)> {
        let first = *unit.bytes.get(at)?;
        let mut code = usize::from(first);
        let mut after = at + 1;
        if first >= 0x80 {
            let second = *unit.bytes.get(after)?;
            code = usize::from(first & 0x7f) | usize::from(second) << 7;
            after += 1;
            if second >= 0x80 {
                return None;
            }
        }
        match self.by_code.get(code) {
            Some(Some(plan)) => Some((*plan, after)),
            _ => Some((self.of_code(unit, at, code)?, after)),
        }
    }

    /// A plan by its number.
    #[inline]
    pub(super) fn get(&self, id: PlanId) -> Option<&Plan> {
        self.plans.get(id.get() as usize - 1)
    }

    /// Shows what an entry says whose attributes start at `start`: its values, in the order of its kind,
    /// but the type it refers to last. The place after them; none where they end early or `show` ends it.
    #[inline]
    pub(super) fn values(
        &self,
        unit: Unit<'_, 'a>,
        plan: &Plan,
        start: usize,
        mut show: impl FnMut(Value<'a>) -> Option<()>,
    ) -> Option<usize> {
        let all = plan.first as usize..plan.end as usize;
        let Reading::Fixed { size, target } = plan.reading else {
            return stepwise(unit, self.steps.get(all)?, start, show);
        };
        for field in self.fields.get(all)? {
            let written = match field.size {
                0 => 0,
                size => unit.number(start + usize::from(field.at), size)?,
            };
            let number = sized(written, field.size, field.may_be_negative);
            show(Value::Number(number | u64::from(field.implicit)))?;
        }
        if let Some(target) = target {
            show(Value::Type(unit.number(start + usize::from(target), 4)? as u32))?;
        }
        let after = start + usize::from(size);
        (after <= unit.bytes.len()).then_some(after)
    }

    /// The name of an entry whose attributes start at `start`, where its plan says where it is.
    #[inline]
    pub(super) fn name(unit: Unit<'_, 'a>, plan: &Plan, start: usize) -> Option<Name<'a>> {
        Some(Name::At(unit.number(start + usize::from(plan.name?), 4)? as u32))
    }

    #[cold]
    fn of_code(&mut self, unit: Unit<'_, 'a>, at: usize, code: usize) -> Option<PlanId> {
        let entry = unit.entries.entry(unit.offset(at)).ok()??;
        let written = unit.entries.declaration(&entry)?;
        let key = (entry.tag(), entry.has_children(), written);
        let plan = match self.by_declaration.get(&key) {
            Some(plan) => *plan,
            None => {
                let plan = self.make(key.0, key.1, unit.entries.declared(&entry));
                self.plans.push(plan);
                let id = NonZeroU32::new(u32::try_from(self.plans.len()).ok()?)?;
                self.by_declaration.insert(key, id);
                id
            }
        };
        if code < MAX_CODE {
            if self.by_code.len() <= code {
                self.by_code.resize(code + 1, None);
            }
            if let Some(place) = self.by_code.get_mut(code) {
                *place = Some(plan);
            }
        }
        Some(plan)
    }

    fn make(
        &mut self,
        tag: DwTag,
        has_children: bool,
        declared: impl Iterator<Item = AttributeSpecification>,
    ) -> Plan {
        let mut layout = Layout::default();
        let mut steps = Vec::new();
        self.key.clear();
        self.key.extend([u32::from(tag.0), has_children.into()]);
        let mut is_read = true;
        for declared in declared {
            let Some(step) = Step::over(declared) else {
                is_read = false;
                break;
            };
            if let Some(class) = step.class() {
                self.key.push(u32::from(declared.name().0) << 8 | class);
            }
            layout.add(declared.name(), step);
            steps.push(step);
        }
        let next = self.kinds.len() as u32;
        let kind = is_read.then(|| match self.kinds.get(&self.key) {
            Some(kind) => *kind,
            None => *self.kinds.entry(self.key.clone()).or_insert(next),
        });
        let (reading, first, end) = match layout.size {
            Some(size) => {
                let first = self.fields.len();
                self.fields.extend_from_slice(&layout.fields);
                (Reading::Fixed { size, target: layout.target }, first, self.fields.len())
            }
            None => {
                let first = self.steps.len();
                self.steps.append(&mut steps);
                (Reading::Stepwise, first, self.steps.len())
            }
        };
        let (first, end) = (first as u32, end as u32);
        let (is_part, name, shown) = (is_part_of_layout(tag), layout.name, layout.shown());
        Plan { tag, has_children, is_part, kind, name, reading, first, end, shown }
    }
}

impl Plan {
    /// The values of an entry whose attributes start at `start`, as they are written, but for the type it
    /// refers to: entries of one plan of which these are the same say the same. None where that is not told.
    #[inline]
    pub(super) fn written(&self, unit: Unit<'_, '_>, start: usize) -> Option<u128> {
        let shown = u128::from_ne_bytes(self.shown?);
        let bytes = unit.bytes.get(start..)?.first_chunk()?;
        Some(u128::from_ne_bytes(*bytes) & shown)
    }

    /// The type that such an entry refers to, if it does, and the place after its attributes.
    #[inline]
    pub(super) fn target(&self, unit: Unit<'_, '_>, start: usize) -> Option<(Option<u32>, usize)> {
        let Reading::Fixed { size, target } = self.reading else { return None };
        let target = match target {
            Some(target) => Some(unit.number(start + usize::from(target), 4)? as u32),
            None => None,
        };
        Some((target, start + usize::from(size)))
    }
}

/// Where the values of an entry are, as far as that is always the same.
#[derive(Debug)]
struct Layout {
    size: Option<u16>,
    fields: Vec<Field>,
    target: Option<u16>,
    name: Option<u16>,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { size: Some(0), fields: Vec::new(), target: None, name: None }
    }
}

impl Layout {
    fn add(&mut self, name: DwAt, step: Step) {
        let Some(at) = self.size else { return };
        let mut field = |after: u16, size: u8, may_be_negative: bool, implicit: u32| {
            let at = at.saturating_add(after);
            self.fields.push(Field { at, size, may_be_negative, implicit });
        };
        match step {
            Step::Number(size) => field(0, size, true, 0),
            Step::Long => {
                field(0, 4, false, 0);
                field(4, 4, false, 0);
            }
            Step::Implicit(value) => field(0, 0, false, value),
            Step::Str => field(0, 4, false, 0),
            Step::Type => self.target = Some(at),
            Step::Skip(_) | Step::SkipLeb | Step::Leb | Step::Text => {}
        }
        if name == dw::DW_AT_name && step == Step::Str {
            self.name = Some(at);
        }
        self.size = step.size().and_then(|size| at.checked_add(size));
    }
}

impl Layout {
    /// Which bytes are of fields; none where there may be more bytes.
    fn shown(&self) -> Option<[u8; SHORT]> {
        let mut shown = [0; SHORT];
        if usize::from(self.size?) > SHORT {
            return None;
        }
        for field in &self.fields {
            let start = usize::from(field.at);
            shown.get_mut(start..start + usize::from(field.size))?.fill(u8::MAX);
        }
        Some(shown)
    }
}

impl Step {
    /// None for an attribute that is not compared here.
    fn over(declared: AttributeSpecification) -> Option<Step> {
        let shown = match declared.form() {
            dw::DW_FORM_data1 | dw::DW_FORM_flag => Step::Number(1),
            dw::DW_FORM_data2 => Step::Number(2),
            dw::DW_FORM_data4 => Step::Number(4),
            dw::DW_FORM_data8 => Step::Long,
            dw::DW_FORM_udata => Step::Leb,
            dw::DW_FORM_flag_present => Step::Implicit(1),
            dw::DW_FORM_implicit_const => {
                Step::Implicit(u32::try_from(declared.implicit_const_value()?).ok()?)
            }
            dw::DW_FORM_string => Step::Text,
            dw::DW_FORM_strp => Step::Str,
            dw::DW_FORM_ref4 => Step::Type,
            _ => return None,
        };
        match (declared.name(), shown) {
            (dw::DW_AT_type, Step::Type) => Some(Step::Type),
            (dw::DW_AT_sibling, Step::Type) => Some(Step::Skip(4)),
            (_, Step::Type) | (dw::DW_AT_signature | dw::DW_AT_containing_type, _) => None,
            (dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column, shown) => {
                match shown {
                    Step::Number(size) => Some(Step::Skip(size.into())),
                    Step::Leb => Some(Step::SkipLeb),
                    Step::Implicit(_) => Some(Step::Skip(0)),
                    _ => None,
                }
            }
            (_, shown) => Some(shown),
        }
    }

    /// How many bytes it takes, if that is always the same.
    fn size(self) -> Option<u16> {
        match self {
            Step::Skip(size) => Some(size),
            Step::Number(size) => Some(size.into()),
            Step::Implicit(_) => Some(0),
            Step::Str | Step::Type => Some(4),
            Step::Long => Some(8),
            Step::SkipLeb | Step::Leb | Step::Text => None,
        }
    }

    /// What kind of value it reads; none where it reads none.
    fn class(self) -> Option<u32> {
        match self {
            Step::Skip(_) | Step::SkipLeb => None,
            Step::Number(_) | Step::Leb | Step::Implicit(_) => Some(0),
            Step::Str => Some(1),
            Step::Text => Some(2),
            Step::Type => Some(3),
            Step::Long => Some(4),
        }
    }
}

/// A number with its size above it, where its uppermost bit is set and may be a sign.
#[inline]
fn sized(number: u64, size: u8, may_be_negative: bool) -> u64 {
    let is_high = may_be_negative && number >> (u32::from(size) * 8 - 1) == 1;
    number | if is_high { u64::from(size) << SIZE_SHIFT } else { 0 }
}

/// Shows values that stand behind others of any length.
fn stepwise<'a>(
    unit: Unit<'_, 'a>,
    steps: &[Step],
    start: usize,
    mut show: impl FnMut(Value<'a>) -> Option<()>,
) -> Option<usize> {
    let mut at = start;
    let mut target = None;
    for step in steps {
        match *step {
            Step::SkipLeb => {
                unit.leb(&mut at)?;
            }
            Step::Leb => {
                let number = unit.leb(&mut at)?;
                (number >> SIZE_SHIFT == 0).then(|| show(Value::Number(number)))??;
            }
            Step::Text => {
                let rest = unit.bytes.get(at..)?;
                let text = rest.get(..memchr::memchr(0, rest)?)?;
                at += text.len() + 1;
                show(Value::Text(text))?;
            }
            Step::Number(size) => show(Value::Number(sized(unit.number(at, size)?, size, true)))?,
            Step::Long => {
                show(Value::Number(unit.number(at, 4)?))?;
                show(Value::Number(unit.number(at + 4, 4)?))?;
            }
            Step::Implicit(value) => show(Value::Number(value.into()))?,
            Step::Str => show(Value::Number(unit.number(at, 4)?))?,
            Step::Type => target = Some(unit.number(at, 4)? as u32),
            Step::Skip(_) => {}
        }
        at += usize::from(step.size().unwrap_or_default());
    }
    if let Some(target) = target {
        show(Value::Type(target))?;
    }
    (at <= unit.bytes.len()).then_some(at)
}

impl<'e, 'a> Unit<'e, 'a> {
    pub(super) fn new(entries: &'e Entries<'a>) -> Unit<'e, 'a> {
        Unit {
            entries,
            bytes: entries.bytes(),
            root: entries.root().0,
            is_little: entries.is_little_endian(),
        }
    }

    /// Where an offset in the unit is in its bytes.
    #[inline]
    pub(super) fn position(self, offset: UnitOffset) -> Option<usize> {
        offset.0.checked_sub(self.root)
    }

    /// The offset in the unit of a place in its bytes.
    #[inline]
    pub(super) fn offset(self, at: usize) -> UnitOffset {
        UnitOffset(self.root + at)
    }

    /// Whether a list of children ends here.
    pub(super) fn is_end(self, at: usize) -> bool {
        matches!(self.entries.entry(self.offset(at)), Ok(None))
    }

    /// A number of one to eight bytes.
    #[inline]
    fn number(self, at: usize, size: u8) -> Option<u64> {
        let unused = 64 - u32::from(size) * 8;
        if let Some(eight) = self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            return Some(match self.is_little {
                true => u64::from_le_bytes(*eight) << unused >> unused,
                false => u64::from_be_bytes(*eight) >> unused,
            });
        }
        let number = self.bytes.get(at..at + usize::from(size))?;
        let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Some(match self.is_little {
            true => number.iter().rev().fold(0, fold),
            false => number.iter().fold(0, fold),
        })
    }

    /// Takes a number in LEB128; none where it is larger than 64 bits.
    fn leb(self, at: &mut usize) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS - 7).step_by(7) {
            let byte = *self.bytes.get(*at)?;
            *at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
