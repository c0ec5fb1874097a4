//! `layout.offsets_of`: every distinct layout of a name, from the binaries that hold it.

use super::search::{Found, Search, readings};
use super::{Answer, Engine};
use crate::api::layout::{LayoutMatch, OffsetsOf, OffsetsOfMethod, OffsetsOfRequest};
use crate::error::Error;
use crate::job::Job;
use crate::render;

impl Answer for OffsetsOfMethod {
    fn answer(engine: &Engine, job: &Job, request: OffsetsOfRequest) -> Result<OffsetsOf, Error> {
        let readings = readings(&request.type_name, request.path.as_deref())?;
        let search = Search::new(engine, job, request.language.as_deref())?;
        let (found, searched) = search.of(&request.binaries, &readings)?;
        let matches = merged(&found);
        let mut answer = OffsetsOf { matches, searched, rendered: None };
        let styled = request.render.map(|form| render::layout(&answer, form));
        answer.rendered = styled.as_deref().map(render::plain);
        Ok(answer)
    }
}

/// The same layout found in several binaries is one match with several sources.
fn merged(all: &[Found]) -> Vec<LayoutMatch> {
    let mut matches: Vec<LayoutMatch> = Vec::new();
    for one in all {
        let mut found = LayoutMatch::from(&*one.found);
        match matches.iter_mut().find(|other| other.shows_same(&found)) {
            Some(same) => same.layout.binaries.push(one.source()),
            None => {
                found.layout.binaries.push(one.source());
                matches.push(found);
            }
        }
    }
    matches
}
