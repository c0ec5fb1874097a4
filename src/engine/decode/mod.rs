//! `layout.decode`: what bytes say by every distinct layout of a name.

mod pointers;

use super::search::Search;
use super::{Answer, Engine};
use crate::api::decode::{Decode, DecodeMatch, DecodeMethod, DecodeRequest, DecodedValue};
use crate::api::layout::DeclaredAt;
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::types;
use pointers::Pointers;

impl Answer for DecodeMethod {
    fn answer(engine: &Engine, job: &Job, request: DecodeRequest) -> Result<Decode, Error> {
        let pointers = Pointers::new(engine, job, &request)?;
        let search = Search::new(engine, job, request.language.as_deref())?;
        let refusal = Error::new(Kind::Request, "a member path has no place here")
            .hint("name the type whose bytes they are");
        let (found, searched) = search.of_type(&request.binaries, &request.type_name, refusal)?;
        let mut matches: Vec<DecodeMatch> = Vec::new();
        for one in &found {
            let file = &one.opened.file;
            let layout = &one.found.layout;
            let bytes = types::read_memory(&request.bytes, file.binary().identity().endian)?;
            let value = types::decode(job, file, layout.die, &bytes, engine.threads())?;
            let declared_at = layout.declared_at.as_ref();
            let mut new = DecodeMatch {
                type_name: layout.type_name.clone(),
                size: layout.size.known(),
                given: bytes.len() as u64,
                declared_at: declared_at
                    .map(|(file, line)| DeclaredAt { file: file.clone(), line: *line }),
                binaries: vec![one.source()],
                unnamed_pointers: None,
                value: DecodedValue::from(&value),
            };
            pointers.name(&one.opened, &value, &mut new);
            let is_same = |old: &&mut DecodeMatch| (old.size, &old.value) == (new.size, &new.value);
            match matches.iter_mut().find(is_same) {
                Some(same) => same.binaries.push(one.source()),
                None => matches.push(new),
            }
        }
        Ok(Decode { matches, searched })
    }
}
