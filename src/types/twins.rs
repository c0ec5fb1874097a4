//! Whether a definition is written as one that was seen before, byte for byte where it matters.
//!
//! A kernel has two thousand copies of task_struct, each of some thousand entries. Nearly all of them
//! are written alike: the same abbreviations under other numbers, the same bytes but for the references
//! and the places in source text. The first of them is made a [`Model`], and the others are compared
//! with it, entry by entry, without decoding attributes.
//!
//! It says yes only where nothing can differ that a layout shows ([`super::shape`] says what that is).
//! Where it cannot tell, or meets what C does not have, it says nothing, and the shape is hashed.

use gimli::{DwForm, DwTag, Encoding, UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::Error;
use super::reader::{Reader, is_aggregate};
use super::shape::{Through, is_part_of_layout, is_pointer_like, keeps_value};
use crate::dwarf::{DieRef, Entries, Entry, FileId, Language, Name, Span};

/// So many different definitions of a name are remembered.
const MAX_MODELS: usize = 4;

/// A type that comes to more entries is hashed.
const MAX_NODES: usize = 1 << 16;

/// Compares the definitions of one name with those that were seen.
#[derive(Debug)]
pub(super) struct Twins<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    models: Vec<(Model<'a>, u64)>,
    declarations: Declarations<'a>,
    /// Where in the definition each node of the model was met; nowhere is 0.
    met: Vec<usize>,
    /// What is still to be compared.
    left: Vec<(u32, UnitOffset)>,
}

/// Abbreviations by what they declare, which has the same number in all units.
#[derive(Debug, Default)]
struct Declarations<'a> {
    numbers: FxHashMap<(DwTag, bool, &'a [u8]), u32>,
    /// By code, of the unit at hand; 0 where it was not met.
    of_unit: Vec<u32>,
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
    Whole { own: Row, children: Vec<Row> },
}

/// The attributes of an entry.
#[derive(Debug)]
struct Row {
    declaration: u32,
    has_children: bool,
    /// How many bytes they take.
    size: usize,
    /// Eight bytes each: their value, and which of them matter.
    words: Vec<(u64, u64)>,
    /// Where among them the type is referred to, and which it is.
    target: Option<(usize, u32)>,
}

impl<'r, 'v, 'a> Twins<'r, 'v, 'a> {
    pub(super) fn new(reader: &'r Reader<'v, 'a>) -> Self {
        Twins {
            reader,
            models: Vec::new(),
            declarations: Declarations::default(),
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
        self.declarations.of_unit.clear();
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
        self.declarations.of_unit.clear();
        let model = Making { entries: &entries, declarations: &mut self.declarations };
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
        own: &Row,
        children: &[Row],
        entries: &Entries<'a>,
        entry: &Entry,
    ) -> Result<bool, Error> {
        if !self.is_row_alike(own, entries, entry) {
            return Ok(false);
        }
        let mut offset = UnitOffset(entry.attributes().0 + own.size);
        let mut children = children.iter();
        while own.has_children {
            let Some(child) = entries.entry(offset)? else { break };
            if !is_part_of_layout(child.tag()) {
                offset = entries.after_children(&child)?;
                continue;
            }
            let Some(row) = children.next() else { return Ok(false) };
            if !self.is_row_alike(row, entries, &child) {
                return Ok(false);
            }
            offset = UnitOffset(child.attributes().0 + row.size);
        }
        Ok(children.next().is_none())
    }

    fn is_row_alike(&mut self, row: &Row, entries: &Entries<'a>, entry: &Entry) -> bool {
        if self.declarations.number(entries, entry) != row.declaration {
            return false;
        }
        let bytes = entries.attribute_bytes(entry);
        let differs = |(position, (value, mask)): (usize, &(u64, u64))| {
            (word(bytes, position * size_of::<u64>()) ^ value) & mask != 0
        };
        if bytes.len() < row.size || row.words.iter().enumerate().any(differs) {
            return false;
        }
        let Some((at, node)) = row.target else { return true };
        let Some(target) = reference(entries, bytes, at) else { return false };
        match self.met.get_mut(node as usize) {
            Some(met) if *met == 0 => {
                *met = target.0;
                self.left.push((node, target));
                true
            }
            Some(met) => *met == target.0,
            None => false,
        }
    }
}

impl<'a> Declarations<'a> {
    fn number(&mut self, entries: &Entries<'a>, entry: &Entry) -> u32 {
        // Producers number from 1 on; others are looked up each time.
        let code = usize::try_from(entry.code()).ok().filter(|code| *code < 1 << 12);
        let known = code.and_then(|code| self.of_unit.get(code).copied()).unwrap_or(0);
        if known != 0 {
            return known;
        }
        let next = self.numbers.len() as u32 + 1;
        let declared = (entry.tag(), entry.has_children(), entries.declaration(entry));
        let number = *self.numbers.entry(declared).or_insert(next);
        if let Some(code) = code {
            if self.of_unit.len() <= code {
                self.of_unit.resize(code + 1, 0);
            }
            if let Some(known) = self.of_unit.get_mut(code) {
                *known = number;
            }
        }
        number
    }
}

/// Makes a model of one definition.
struct Making<'m, 'a> {
    entries: &'m Entries<'a>,
    declarations: &'m mut Declarations<'a>,
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

    fn row(&mut self, entry: &Entry, inside: Through, met: &mut Met) -> Option<Row> {
        let spans = self.entries.spans(entry).ok()?;
        let bytes = self.entries.attribute_bytes(entry);
        let size = spans.last().map_or(0, |span| span.end);
        let mut matters = vec![0xff_u8; size];
        let mut target = None;
        for span in &spans {
            match treatment(span)? {
                Treatment::Compared => continue,
                Treatment::Ignored => {}
                Treatment::Followed => {
                    let to = reference(self.entries, bytes, span.start)?;
                    target = Some((span.start, met.number(to, inside)));
                }
            }
            matters.get_mut(span.start..span.end)?.fill(0);
        }
        let words = (0..size).step_by(size_of::<u64>()).map(|at| {
            let mask = word(&matters, at);
            (word(bytes, at) & mask, mask)
        });
        Some(Row {
            declaration: self.declarations.number(self.entries, entry),
            has_children: entry.has_children(),
            size,
            words: words.collect(),
            target,
        })
    }
}

/// What is done about an attribute.
enum Treatment {
    /// Its bytes are compared: equal bytes mean the same in every unit.
    Compared,
    /// It does not show, and always takes as many bytes.
    Ignored,
    /// It refers to a type that shows.
    Followed,
}

/// None for what is not compared here.
fn treatment(span: &Span) -> Option<Treatment> {
    let is_fixed = matches!(
        span.form,
        dw::DW_FORM_data1 | dw::DW_FORM_data2 | dw::DW_FORM_data4 | dw::DW_FORM_implicit_const
    );
    match (span.name, span.form) {
        (dw::DW_AT_type, dw::DW_FORM_ref4) => Some(Treatment::Followed),
        (dw::DW_AT_sibling, dw::DW_FORM_ref4) => Some(Treatment::Ignored),
        (dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column, _) if is_fixed => {
            Some(Treatment::Ignored)
        }
        (dw::DW_AT_containing_type | dw::DW_AT_signature, _) => None,
        (_, form) => means_the_same_everywhere(form).then_some(Treatment::Compared),
    }
}

/// Whether the bytes of a form mean the same in all units of one file and encoding.
fn means_the_same_everywhere(form: DwForm) -> bool {
    matches!(
        form,
        dw::DW_FORM_data1
            | dw::DW_FORM_data2
            | dw::DW_FORM_data4
            | dw::DW_FORM_data8
            | dw::DW_FORM_udata
            | dw::DW_FORM_sdata
            | dw::DW_FORM_implicit_const
            | dw::DW_FORM_flag
            | dw::DW_FORM_flag_present
            | dw::DW_FORM_string
            | dw::DW_FORM_strp
    )
}

/// Eight bytes, those past the end being zero.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    }
}

/// A reference of four bytes into the unit.
#[inline]
fn reference(entries: &Entries<'_>, bytes: &[u8], at: usize) -> Option<UnitOffset> {
    let number: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(UnitOffset(if entries.is_little_endian() {
        u32::from_le_bytes(number)
    } else {
        u32::from_be_bytes(number)
    } as usize))
}
