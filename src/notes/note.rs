//! One known bug: how to recognise it, what happens, what to do.
//!
//! Read from TOML (docs/notes.md explains each key). A note with anything wrong in it is not used
//! at all, and the flaw says where and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Table};

use super::claims::{Affected, Claim, Confidence, Fix, Interleaving, Rank, Setting};
use super::comparison::Comparison;
use super::frames_on::FramesOn;
use super::member_path::MemberPath;
use super::predicate::Predicate;
use super::problem::Flaw;
use crate::public_name::public_name;

/// The note format this program reads.
const SCHEMA: u32 = 1;

/// A known bug.
#[derive(Clone, Debug)]
pub struct Note {
    /// `plugin/name`.
    pub id: String,
    /// One line.
    pub title: String,
    /// What kind of thing it is.
    pub kind: Kind,
    pub(crate) related: Vec<String>,
    pub(crate) signatures: Vec<Signature>,
    pub(crate) cause: Claim,
    pub(crate) overlooked: Option<Claim>,
    pub(crate) interleaving: Option<Interleaving>,
    pub(crate) affected: Vec<Affected>,
    pub(crate) fixes: Vec<Fix>,
    pub(crate) workaround: Option<Claim>,
    pub(crate) asks: Vec<Question>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) sources: Vec<String>,
    /// Pastes that must be recognised.
    pub examples: Vec<Example>,
    /// Pastes that must not be.
    pub lookalikes: Vec<Lookalike>,
}

/// The kinds of note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Threads in an order nobody thought of.
    Race,
    /// A condition the code states and a caller breaks.
    Assertion,
    /// Any other defect.
    Bug,
    /// A shape that many defects share.
    Pattern,
    /// What is seen of a defect elsewhere.
    Symptom,
}

impl Kind {
    /// The word for it in a note's file.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Race => "race",
            Kind::Assertion => "assertion",
            Kind::Bug => "bug",
            Kind::Pattern => "pattern",
            Kind::Symptom => "symptom",
        }
    }
}

/// One way to recognise the bug.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) rank: Rank,
    /// Each must hold.
    pub(crate) all: Vec<Predicate>,
    /// Each that holds is further evidence.
    pub(crate) any: Vec<Predicate>,
    /// A stack on which one of them stands is not looked at.
    pub(crate) none: Vec<FramesOn>,
}

/// What to look at next, and which answer decides.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) why: String,
    pub(crate) frame: Option<String>,
    pub(crate) show: String,
    pub(crate) path: MemberPath,
    pub(crate) requires_member: Option<String>,
    pub(crate) confirms: Option<Comparison>,
    pub(crate) refutes: Option<Comparison>,
}

/// What is to be said of some pastes only.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    /// Said where this holds,
    pub(crate) when: Predicate,
    /// unless this does.
    pub(crate) unless: Option<Predicate>,
    pub(crate) claim: Claim,
}

/// A paste that the note must recognise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The paste, relative to the plugin's folder.
    pub file: String,
    /// As well as this.
    pub rank: Rank,
    /// Nobody met it: it was written for the note.
    #[serde(default)]
    pub handwritten: bool,
}

/// A paste that resembles the bug and is another.
#[derive(Clone, Debug)]
pub struct Lookalike {
    /// What makes it another.
    pub why: String,
    /// The best rank it may get; none: the note must not appear.
    pub at_most: Option<Rank>,
    /// The paste.
    pub paste: Paste,
}

/// A paste in a note's file or beside it.
#[derive(Clone, Debug)]
pub enum Paste {
    /// The text itself.
    Text(String),
    /// A file, relative to the plugin's folder.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteKeys {
    schema: Spanned<u32>,
    id: Spanned<String>,
    title: Spanned<String>,
    kind: Kind,
    #[serde(default)]
    related: Vec<String>,
    #[serde(rename = "match")]
    signatures: Vec<Spanned<SignatureKeys>>,
    cause: Claim,
    overlooked: Option<Claim>,
    interleaving: Option<Spanned<Interleaving>>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default, rename = "fix")]
    fixes: Vec<Fix>,
    workaround: Option<Claim>,
    #[serde(default, rename = "ask")]
    asks: Vec<QuestionKeys>,
    #[serde(default, rename = "setting")]
    settings: Vec<Setting>,
    #[serde(default, rename = "remark")]
    remarks: Vec<RemarkKeys>,
    #[serde(rename = "source")]
    sources: Vec<SourceKeys>,
    #[serde(default, rename = "example")]
    examples: Vec<Example>,
    #[serde(default, rename = "lookalike")]
    lookalikes: Vec<Spanned<LookalikeKeys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureKeys {
    rank: Rank,
    all: Spanned<Vec<Spanned<Table>>>,
    #[serde(default)]
    any: Vec<Spanned<Table>>,
    #[serde(default)]
    none: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionKeys {
    why: String,
    frame: Option<String>,
    show: Spanned<String>,
    requires_member: Option<Spanned<String>>,
    confirms: Option<Spanned<String>>,
    refutes: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemarkKeys {
    when: Spanned<Table>,
    unless: Option<Spanned<Table>>,
    confidence: Confidence,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceKeys {
    what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookalikeKeys {
    why: String,
    at_most: Option<Rank>,
    trace: Option<String>,
    file: Option<String>,
}

impl Note {
    /// Reads a note's file; `id` is the one its place in the plugin gives it.
    pub(super) fn read(text: &str, id: &str) -> Result<Note, Flaw> {
        let keys: NoteKeys = toml::from_str(text)?;
        check_head(&keys, id)?;
        Ok(Note {
            id: keys.id.into_inner(),
            title: keys.title.into_inner(),
            kind: keys.kind,
            related: keys.related,
            signatures: keys.signatures.iter().map(signature).collect::<Result<_, _>>()?,
            cause: keys.cause,
            overlooked: keys.overlooked,
            interleaving: keys.interleaving.map(interleaving).transpose()?,
            affected: keys.affected,
            fixes: keys.fixes,
            workaround: keys.workaround,
            asks: keys.asks.into_iter().map(question).collect::<Result<_, _>>()?,
            settings: keys.settings,
            remarks: keys.remarks.into_iter().map(remark).collect::<Result<_, _>>()?,
            sources: keys.sources.into_iter().map(|source| source.what).collect(),
            examples: keys.examples,
            lookalikes: keys.lookalikes.into_iter().map(lookalike).collect::<Result<_, _>>()?,
        })
    }

    /// The patterns of all its predicates.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.signatures
            .iter()
            .flat_map(|signature| signature.all.iter().chain(&signature.any))
            .chain(self.remarks.iter().flat_map(Remark::predicates))
            .flat_map(|predicate| match predicate {
                Predicate::Log(asked) => asked.patterns.as_slice(),
                Predicate::Fault(asked) => asked.patterns.as_slice(),
                _ => &[],
            })
            .map(String::as_str)
    }
}

fn check_head(keys: &NoteKeys, id: &str) -> Result<(), Flaw> {
    let (schema, title) = (keys.schema.get_ref(), keys.title.get_ref());
    if *schema != SCHEMA {
        let what = format!("this note is written in schema {schema}; this program reads {SCHEMA}");
        return Err(Flaw::at(&keys.schema, what, "use a dbgmate of the note's age"));
    }
    if keys.id.get_ref() != id {
        let what = format!("the id {:?} does not fit the file's place", keys.id.get_ref());
        let hint = "an id is the plugin's folder, a slash and the file's name without .toml";
        return Err(Flaw::at(&keys.id, what, hint));
    }
    if title.trim().is_empty() || title.contains('\n') {
        return Err(Flaw::at(&keys.title, "the title is not one line", "write one line"));
    }
    if keys.signatures.is_empty() {
        return Err(Flaw::at(&keys.id, "the note has no [[match]]", "say what to recognise it by"));
    }
    if keys.sources.is_empty() {
        return Err(Flaw::at(&keys.id, "the note has no [[source]]", "say how this is known"));
    }
    Ok(())
}

fn signature(keys: &Spanned<SignatureKeys>) -> Result<Signature, Flaw> {
    let read = |tables: &[Spanned<Table>]| {
        tables.iter().map(Predicate::read).collect::<Result<Vec<_>, Flaw>>()
    };
    let SignatureKeys { rank, all, any, none } = keys.get_ref();
    let none = none.iter().map(ruled_out).collect::<Result<_, _>>()?;
    let signature = Signature { rank: *rank, all: read(all.get_ref())?, any: read(any)?, none };
    if signature.all.iter().map(Predicate::specificity).sum::<usize>() == 0 {
        let what = "`all` names nothing of the project: every crash would fit";
        return Err(Flaw::at(all, what, "add an assertion, frames, a value or a log pattern"));
    }
    Ok(signature)
}

/// A predicate of `none`: frames on one stack.
fn ruled_out(table: &Spanned<Table>) -> Result<FramesOn, Flaw> {
    match Predicate::read(table)? {
        Predicate::Frames(asked) if asked.count.is_none() && asked.before.is_none() => Ok(asked),
        _ => {
            let what =
                "`none` looks at one stack and takes only `frames`, without `count` and `before`";
            Err(Flaw::at(table, what, "say which frames rule the note out"))
        }
    }
}

fn interleaving(keys: Spanned<Interleaving>) -> Result<Interleaving, Flaw> {
    let unknown =
        keys.get_ref().steps.iter().find(|step| !keys.get_ref().threads.contains_key(&step.0));
    match unknown {
        Some(step) => {
            let what = format!("thread {:?} of a step is not among `threads`", step.0);
            Err(Flaw::at(&keys, what, "name it in `threads`"))
        }
        None => Ok(keys.into_inner()),
    }
}

fn question(keys: QuestionKeys) -> Result<Question, Flaw> {
    let path = MemberPath::parse(keys.show.get_ref()).map_err(|error| {
        let hint =
            "`show` may use names, casts, *, &, ., -> and [n]: a debugger would run the rest";
        Flaw::at(&keys.show, format!("`show` is {error}"), hint)
    })?;
    if let Some(member) = &keys.requires_member {
        check_member(member)?;
    }
    Ok(Question {
        why: keys.why,
        frame: keys.frame.map(|name| public_name(&name).into_owned()),
        show: keys.show.into_inner(),
        path,
        requires_member: keys.requires_member.map(Spanned::into_inner),
        confirms: keys.confirms.map(comparison).transpose()?,
        refutes: keys.refutes.map(comparison).transpose()?,
    })
}

fn remark(keys: RemarkKeys) -> Result<Remark, Flaw> {
    Ok(Remark {
        when: Predicate::read(&keys.when)?,
        unless: keys.unless.as_ref().map(Predicate::read).transpose()?,
        claim: Claim { confidence: keys.confidence, text: keys.text },
    })
}

impl Remark {
    fn predicates(&self) -> impl Iterator<Item = &Predicate> {
        [&self.when].into_iter().chain(&self.unless)
    }
}

/// `type.member`: two names.
fn check_member(member: &Spanned<String>) -> Result<(), Flaw> {
    let is_one = matches!(
        MemberPath::parse(member.get_ref()),
        Ok(MemberPath::Member(of, _)) if matches!(*of, MemberPath::Name(_))
    );
    if is_one {
        return Ok(());
    }
    let what = format!("{:?} is not a member of a type", member.get_ref());
    Err(Flaw::at(member, what, "write `type.member`"))
}

fn comparison(text: Spanned<String>) -> Result<Comparison, Flaw> {
    Comparison::parse(text.get_ref()).ok_or_else(|| {
        let what = format!("{:?} is not a comparison", text.get_ref());
        Flaw::at(&text, what, "write ==, !=, <, <=, > or >= and a whole number")
    })
}

fn lookalike(keys: Spanned<LookalikeKeys>) -> Result<Lookalike, Flaw> {
    let flaw = Flaw::at(&keys, "a look-alike has either `trace` or `file`", "give one of the two");
    let LookalikeKeys { why, at_most, trace, file } = keys.into_inner();
    let paste = match (trace, file) {
        (Some(text), None) => Paste::Text(text),
        (None, Some(file)) => Paste::File(file),
        _ => return Err(flaw),
    };
    Ok(Lookalike { why, at_most, paste })
}
