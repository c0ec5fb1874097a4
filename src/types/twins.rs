//! Whether a definition says what one that was seen before says.
//!
//! A kernel has two thousand copies of task_struct, each of some thousand entries, and nearly all of
//! them say the same. Their abbreviations have other numbers, and often other forms: a file's number
//! takes one byte or two, or stands in the abbreviation. So the first definition is made a [`Model`] of
//! values, and each unit's abbreviations are made [`Step`]s that read values in the same order. Then an
//! entry is compared without decoding what does not show.
//!
//! It says yes only where nothing can differ that a layout shows ([`super::shape`] says what that is).
//! Where it cannot tell, or meets what C does not have, it says nothing, and the shape is hashed.

use gimli::{AttributeSpecification, DwTag, Encoding, UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::Error;
use super::reader::{Reader, is_aggregate};
use super::shape::{Through, is_part_of_layout, is_pointer_like, keeps_value};
use crate::dwarf::{DieRef, Entries, Entry, FileId, Language, Name};

/// So many different definitions of a name are remembered.
const MAX_MODELS: usize = 4;

/// A type that comes to more entries is hashed.
const MAX_NODES: usize = 1 << 16;

/// Compares the definitions of one name with those that were seen.
#[derive(Debug)]
pub(super) struct Twins<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    models: Vec<(Model<'a>, u64)>,
    plans: Plans,
    /// Where in the definition each node of the model was met; nowhere is 0.
    met: Vec<usize>,
    /// What is still to be compared.
    left: Vec<(u32, UnitOffset)>,
}

/// How to read the attributes of a unit's entries, by abbreviation.
#[derive(Debug, Default)]
struct Plans {
    /// Entries of one kind say the same things in the same order: the tag, whether children follow, the
    /// attributes that show, each with the class of its value.
    kinds: FxHashMap<Vec<u32>, u32>,
    /// By code, of the unit at hand.
    of_unit: Vec<Option<Plan>>,
    steps: Vec<Step>,
    key: Vec<u32>,
}

/// How to read the attributes of entries of one abbreviation.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// None for what is not compared here.
    kind: Option<u32>,
    first: usize,
    end: usize,
}

/// How to read, or to step over, one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many bytes that do not show.
    Skip(usize),
    /// A number in LEB128 that does not show.
    SkipLeb,
    /// A number of so many bytes.
    Number(usize),
    /// A number in LEB128 without a sign.
    Leb,
    /// A number that is in the abbreviation.
    Implicit(i64),
    /// A place in .debug_str.
    Str,
    /// A text up to its zero byte.
    Text,
    /// A reference to a type, in the unit.
    Type,
}

/// What an attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    /// A number, and in how many bytes it stands if its uppermost bit is set: whether it is negative is
    /// then for the reader to say.
    Number(u64, usize),
    Str(u32),
    Text(&'a [u8]),
    /// The node of a model.
    Type(u32),
}

/// One definition, with all that its layout shows.
#[derive(Debug)]
struct Model<'a> {
    file: FileId,
    encoding: Encoding,
    /// The first is the type itself.
    nodes: Vec<Node<'a>>,
}

/// One entry that others refer to.
#[derive(Debug)]
enum Node<'a> {
    /// Only its name shows.
    Named { tag: DwTag, name: Name<'a> },
    /// All of it shows.
    Whole { own: Row<'a>, children: Vec<Row<'a>> },
}

/// The attributes of an entry.
#[derive(Debug)]
struct Row<'a> {
    kind: u32,
    values: Vec<Value<'a>>,
}

impl<'r, 'v, 'a> Twins<'r, 'v, 'a> {
    pub(super) fn new(reader: &'r Reader<'v, 'a>) -> Self {
        Twins {
            reader,
            models: Vec::new(),
            plans: Plans::default(),
            met: Vec::new(),
            left: Vec::new(),
        }
    }

    /// The shape of a definition that is written as one that was learned.
    pub(super) fn shape_of(&mut self, at: DieRef) -> Result<Option<u64>, Error> {
        if self.models.is_empty() {
            return Ok(None);
        }
        // What is damaged is told by those who read it in full.
        let Ok((entries, offset)) = self.reader.view.entries_of(at) else { return Ok(None) };
        self.plans.next_unit();
        let models = std::mem::take(&mut self.models);
        let mut shape = Ok(None);
        for (model, known) in models.iter().rev() {
            match self.is_alike(model, &entries, offset) {
                Ok(true) => shape = Ok(Some(*known)),
                Ok(false) => continue,
                Err(Error::Dwarf(_)) => {}
                Err(error) => shape = Err(error),
            }
            break;
        }
        self.models = models;
        shape
    }

    /// Remembers how a definition of a shape is written, unless one of that shape is known.
    pub(super) fn learn(&mut self, at: DieRef, shape: u64) {
        if self.models.len() >= MAX_MODELS || self.models.iter().any(|(_, known)| *known == shape) {
            return;
        }
        let Ok((entries, offset)) = self.reader.view.entries_of(at) else { return };
        self.plans.next_unit();
        let model = Making { entries: &entries, plans: &mut self.plans };
        self.models.extend(model.model(offset).map(|model| (model, shape)));
    }

    fn is_alike(
        &mut self,
        model: &Model<'a>,
        entries: &Entries<'a>,
        offset: UnitOffset,
    ) -> Result<bool, Error> {
        if entries.language() != Language::C
            || (entries.file(), entries.encoding()) != (model.file, model.encoding)
        {
            return Ok(false);
        }
        self.met.clear();
        self.met.resize(model.nodes.len(), 0);
        self.left.clear();
        self.left.push((0, offset));
        while let Some((node, offset)) = self.left.pop() {
            self.reader.count()?;
            let Some(entry) = entries.entry(offset)? else { return Ok(false) };
            let alike = match model.nodes.get(node as usize) {
                Some(Node::Named { tag, name }) => {
                    entry.tag() == *tag && entries.name(&entry)? == Some(*name)
                }
                Some(Node::Whole { own, children }) => {
                    self.is_whole_alike(own, children, entries, &entry)?
                }
                None => false,
            };
            if !alike {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_whole_alike(
        &mut self,
        own: &Row<'a>,
        children: &[Row<'a>],
        entries: &Entries<'a>,
        entry: &Entry,
    ) -> Result<bool, Error> {
        let Some(mut offset) = self.after_alike(own, entries, entry) else { return Ok(false) };
        let mut children = children.iter();
        while entry.has_children() {
            let Some(child) = entries.entry(offset)? else { break };
            if !is_part_of_layout(child.tag()) {
                offset = entries.after_children(&child)?;
                continue;
            }
            let Some(row) = children.next() else { return Ok(false) };
            match self.after_alike(row, entries, &child) {
                Some(after) => offset = after,
                None => return Ok(false),
            }
        }
        Ok(children.next().is_none())
    }

    /// The offset after the attributes of an entry that says what a row of the model says.
    fn after_alike(
        &mut self,
        row: &Row<'a>,
        entries: &Entries<'a>,
        entry: &Entry,
    ) -> Option<UnitOffset> {
        let plan = self.plans.of(entries, entry);
        if plan.kind != Some(row.kind) {
            return None;
        }
        let mut bytes = entries.attribute_bytes(entry);
        let length = bytes.len();
        let mut values = row.values.iter();
        for step in self.plans.steps.get(plan.first..plan.end)? {
            if *step == Step::Type {
                let Some(Value::Type(node)) = values.next() else { return None };
                let target = UnitOffset(number(entries, &mut bytes, 4)? as usize);
                let met = self.met.get_mut(*node as usize)?;
                if *met == 0 {
                    *met = target.0;
                    self.left.push((*node, target));
                } else if *met != target.0 {
                    return None;
                }
            } else if let Some(value) = step.read(entries, &mut bytes)?
                && Some(&value) != values.next()
            {
                return None;
            }
        }
        Some(UnitOffset(entry.attributes().0 + (length - bytes.len())))
    }
}

impl Plans {
    /// Codes mean something else in the next unit.
    fn next_unit(&mut self) {
        self.of_unit.clear();
        self.steps.clear();
    }

    fn of(&mut self, entries: &Entries<'_>, entry: &Entry) -> Plan {
        // Producers number from 1 on; others are made each time.
        let code = usize::try_from(entry.code()).ok().filter(|code| *code < 1 << 12);
        if let Some(Some(plan)) = code.and_then(|code| self.of_unit.get(code)) {
            return *plan;
        }
        let plan = self.make(entries, entry);
        if let Some(code) = code {
            if self.of_unit.len() <= code {
                self.of_unit.resize(code + 1, None);
            }
            if let Some(place) = self.of_unit.get_mut(code) {
                *place = Some(plan);
            }
        }
        plan
    }

    fn make(&mut self, entries: &Entries<'_>, entry: &Entry) -> Plan {
        let first = self.steps.len();
        self.key.clear();
        self.key.extend([u32::from(entry.tag().0), entry.has_children().into()]);
        for declared in entries.declared(entry) {
            let Some(step) = Step::over(declared) else {
                return Plan { kind: None, first, end: first };
            };
            self.steps.push(step);
            if let Some(class) = step.class() {
                self.key.push(u32::from(declared.name().0) << 8 | class);
            }
        }
        let next = self.kinds.len() as u32;
        let kind = match self.kinds.get(&self.key) {
            Some(kind) => *kind,
            None => *self.kinds.entry(self.key.clone()).or_insert(next),
        };
        Plan { kind: Some(kind), first, end: self.steps.len() }
    }
}

impl Step {
    /// None for an attribute that is not compared here.
    fn over(declared: AttributeSpecification) -> Option<Step> {
        let shown = match declared.form() {
            dw::DW_FORM_data1 | dw::DW_FORM_flag => Step::Number(1),
            dw::DW_FORM_data2 => Step::Number(2),
            dw::DW_FORM_data4 => Step::Number(4),
            dw::DW_FORM_data8 => Step::Number(8),
            dw::DW_FORM_udata => Step::Leb,
            dw::DW_FORM_flag_present => Step::Implicit(1),
            dw::DW_FORM_implicit_const => Step::Implicit(declared.implicit_const_value()?),
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
                    Step::Number(bytes) => Some(Step::Skip(bytes)),
                    Step::Leb => Some(Step::SkipLeb),
                    Step::Implicit(_) => Some(Step::Skip(0)),
                    _ => None,
                }
            }
            (_, shown) => Some(shown),
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
        }
    }

    /// Takes the attribute off the bytes, and its value if it shows; none where they end early. A type
    /// is not for this to read.
    #[inline]
    fn read<'a>(self, entries: &Entries<'a>, bytes: &mut &'a [u8]) -> Option<Option<Value<'a>>> {
        Some(Some(match self {
            Step::Skip(count) => {
                *bytes = bytes.get(count..)?;
                return Some(None);
            }
            Step::SkipLeb => {
                leb(bytes)?;
                return Some(None);
            }
            Step::Number(count) => {
                let value = number(entries, bytes, count)?;
                let is_high = value >> (count * 8 - 1) == 1;
                Value::Number(value, if is_high { count } else { 0 })
            }
            Step::Leb => Value::Number(leb(bytes)?, 0),
            Step::Implicit(value) => match u64::try_from(value) {
                Ok(value) => Value::Number(value, 0),
                // As no other form has it.
                Err(_) => Value::Number(value as u64, usize::MAX),
            },
            Step::Str => Value::Str(number(entries, bytes, 4)? as u32),
            Step::Text => {
                let (text, rest) = bytes.split_at_checked(memchr::memchr(0, bytes)?)?;
                *bytes = rest.get(1..)?;
                Value::Text(text)
            }
            Step::Type => return None,
        }))
    }
}

/// Makes a model of one definition.
struct Making<'m, 'a> {
    entries: &'m Entries<'a>,
    plans: &'m mut Plans,
}

/// The entries that a model has so far, and how each is met.
#[derive(Default)]
struct Met {
    numbers: FxHashMap<(UnitOffset, Through), u32>,
    order: Vec<(UnitOffset, Through)>,
}

impl Met {
    fn number(&mut self, offset: UnitOffset, through: Through) -> u32 {
        let next = self.order.len() as u32;
        *self.numbers.entry((offset, through)).or_insert_with(|| {
            self.order.push((offset, through));
            next
        })
    }
}

impl<'a> Making<'_, 'a> {
    /// None where the definition has something that is not compared here.
    fn model(mut self, offset: UnitOffset) -> Option<Model<'a>> {
        if self.entries.language() != Language::C {
            return None;
        }
        let mut met = Met::default();
        met.number(offset, Through::Value);
        let mut nodes = Vec::new();
        while let Some((offset, through)) = met.order.get(nodes.len()).copied() {
            if nodes.len() > MAX_NODES {
                return None;
            }
            nodes.push(self.node(offset, through, &mut met)?);
        }
        let (file, encoding) = (self.entries.file(), self.entries.encoding());
        Some(Model { file, encoding, nodes })
    }

    fn node(&mut self, offset: UnitOffset, through: Through, met: &mut Met) -> Option<Node<'a>> {
        let entry = self.entries.entry(offset).ok()??;
        let name = self.entries.name(&entry).ok()?;
        if let (Through::Pointer, Some(name), false) = (through, name, is_pointer_like(entry.tag()))
        {
            return Some(Node::Named { tag: entry.tag(), name });
        }
        if is_aggregate(entry.tag()) && self.entries.is_declaration(&entry).ok()? {
            return None;
        }
        let inside = if keeps_value(entry.tag()) { through } else { Through::Pointer };
        let own = self.row(&entry, inside, met)?;
        let mut children = Vec::new();
        let mut offset = self.entries.after(&entry).ok()?;
        while entry.has_children() {
            let Some(child) = self.entries.entry(offset).ok()? else { break };
            if is_part_of_layout(child.tag()) {
                if child.has_children() {
                    return None;
                }
                children.push(self.row(&child, inside, met)?);
            }
            offset = self.entries.after_children(&child).ok()?;
        }
        Some(Node::Whole { own, children })
    }

    fn row(&mut self, entry: &Entry, inside: Through, met: &mut Met) -> Option<Row<'a>> {
        let plan = self.plans.of(self.entries, entry);
        let kind = plan.kind?;
        let mut bytes = self.entries.attribute_bytes(entry);
        let mut values = Vec::new();
        for step in self.plans.steps.get(plan.first..plan.end)? {
            if *step == Step::Type {
                let target = UnitOffset(number(self.entries, &mut bytes, 4)? as usize);
                values.push(Value::Type(met.number(target, inside)));
            } else {
                values.extend(step.read(self.entries, &mut bytes)?);
            }
        }
        Some(Row { kind, values })
    }
}

/// Takes a number of up to eight bytes off the front.
#[inline]
fn number(entries: &Entries<'_>, bytes: &mut &[u8], count: usize) -> Option<u64> {
    let (number, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    let fold = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
    Some(if entries.is_little_endian() {
        number.iter().rev().fold(0, fold)
    } else {
        number.iter().fold(0, fold)
    })
}

/// Takes a number in LEB128 off the front; none where it is larger than 64 bits.
fn leb(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS - 7).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
