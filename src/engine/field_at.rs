//! `layout.field_at`: which member is at an offset, in every distinct layout of a name.

use super::search::{Found, Search};
use super::{Answer, Engine};
use crate::api::field_at::{FieldAt, FieldAtMethod, FieldAtRequest, FieldMatch, Place};
use crate::api::layout::DeclaredAt;
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::types;

impl Answer for FieldAtMethod {
    fn answer(engine: &Engine, job: &Job, request: FieldAtRequest) -> Result<FieldAt, Error> {
        let bits = wanted(&request)?;
        let search = Search::new(engine, job, request.language.as_deref())?;
        let refusal = Error::new(Kind::Request, "a member path has no place beside an offset")
            .hint("name the type alone");
        let (found, searched) = search.of_type(&request.binaries, &request.type_name, refusal)?;
        let mut matches: Vec<FieldMatch> = Vec::new();
        for one in &found {
            let file = &one.opened.file;
            let die = one.found.layout.die;
            let places = types::locate(job, file, die, bits.clone(), engine.threads())?;
            let new = found_there(one, places.iter().map(Place::from).collect());
            let is_same = |old: &&mut FieldMatch| {
                (&old.type_name, old.size, &old.places) == (&new.type_name, new.size, &new.places)
            };
            match matches.iter_mut().find(is_same) {
                Some(same) => same.binaries.push(one.source()),
                None => matches.push(new),
            }
        }
        Ok(FieldAt { matches, searched })
    }
}

fn found_there(one: &Found, places: Vec<Place>) -> FieldMatch {
    let layout = &one.found.layout;
    let declared_at = layout.declared_at.as_ref();
    FieldMatch {
        type_name: layout.type_name.clone(),
        size: layout.size.known(),
        declared_at: declared_at.map(|(file, line)| DeclaredAt { file: file.clone(), line: *line }),
        binaries: vec![one.source()],
        places,
    }
}

/// The bits that are asked for.
fn wanted(request: &FieldAtRequest) -> Result<std::ops::Range<u64>, Error> {
    let nowhere =
        || Error::new(Kind::Request, "an offset is needed: offset in bytes, or bit_offset in bits");
    let bad = || Error::new(Kind::Request, "no type is as large as that offset");
    if request.offset.is_none() && request.bit_offset.is_none() {
        return Err(nowhere());
    }
    let bytes = request.offset.unwrap_or(0).checked_mul(8).ok_or_else(bad)?;
    let start = bytes.checked_add(request.bit_offset.unwrap_or(0)).ok_or_else(bad)?;
    let size = match (request.size, request.bit_offset) {
        (Some(bytes), _) => bytes.checked_mul(8).ok_or_else(bad)?.max(1),
        (None, Some(_)) => 1,
        (None, None) => 8,
    };
    Ok(start..start.checked_add(size).ok_or_else(bad)?)
}
