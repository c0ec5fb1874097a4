//! `notes.*`: which bugs are known, and whether the notes on them are in order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plugins::missing;
use super::{Answer, Engine};
use crate::api::notes::{
    CheckMethod, CheckRequest, Checked, Finding, GetMethod, GetRequest, KnownNote, ListMethod,
    ListRequest, NoteList, NoteText,
};
use crate::authoring;
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::notes::{Note, Plugins};

/// Notes of a part, where the question does not say.
const PART: usize = 1_000;

impl Answer for ListMethod {
    fn answer(engine: &Engine, _: &Job, request: ListRequest) -> Result<NoteList, Error> {
        let known = engine.plugins.now(engine.config());
        let after = request.cursor.unwrap_or_default();
        let limit = request.limit.unwrap_or(PART).max(1);
        let mut rest = known.plugins.notes().iter().filter(|note| note.id > after);
        let notes: Vec<KnownNote> =
            rest.by_ref().take(limit).map(|note| head(&known.plugins, note)).collect();
        let next = rest.next().and(notes.last()).map(|last| last.id.clone());
        Ok(NoteList { notes, problems: known.problems.clone(), next })
    }
}

impl Answer for GetMethod {
    fn answer(engine: &Engine, _: &Job, request: GetRequest) -> Result<NoteText, Error> {
        let (plugins, id) = (engine.plugins(), request.id.as_str());
        let note = plugins.notes().get(id).ok_or_else(|| unknown(id))?;
        let text = match (plugins.file_of(id), plugins.shipped_text(id)) {
            (Some(file), _) => fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
            (None, text) => text.ok_or_else(|| unknown(id))?.to_owned(),
        };
        Ok(NoteText { note: head(&plugins, note), text })
    }
}

impl Answer for CheckMethod {
    fn answer(engine: &Engine, job: &Job, request: CheckRequest) -> Result<Checked, Error> {
        let own = engine.config().plugins.iter().filter_map(|folder| folder.canonicalize().ok());
        let own: Vec<PathBuf> = own.collect();
        let asked = request.paths.iter().map(|path| real(Path::new(path)));
        let asked = asked.collect::<Result<Vec<_>, _>>()?;
        if !asked.is_empty() {
            return Ok(authoring::check(job, &own, &asked)?);
        }
        let mut checked = authoring::check(job, &own, &own)?;
        checked.findings.splice(0..0, missing(engine.config()).map(Finding::from));
        Ok(checked)
    }
}

fn head(plugins: &Plugins, note: &Note) -> KnownNote {
    let file = plugins.file_of(&note.id).map(|file| file.display().to_string());
    KnownNote { id: note.id.clone(), kind: note.kind, title: note.title.clone(), file }
}

/// A path without links, as the files below it are named.
fn real(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_absolute() {
        let what = format!("{:?} is not an absolute path", path.display().to_string());
        return Err(Error::new(Kind::Request, what).hint("name it from the root folder on"));
    }
    path.canonicalize().map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::Unreadable, format!("{} cannot be read: {error}", path.display()))
        .hint("check the path")
}

fn unknown(id: &str) -> Error {
    Error::new(Kind::NotFound, format!("there is no note {id}"))
        .hint("`dbgmate notes list` shows all")
}
