//! `trace.parse`: pasted text read into a trace.

use super::{Answer, Engine};
use crate::api::trace::{ParseMethod, ParseRequest, TextPiece};
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::trace::{self, Piece, Trace};

impl Answer for ParseMethod {
    fn answer(engine: &Engine, job: &Job, request: ParseRequest) -> Result<Trace, Error> {
        parse(engine, job, request.text.as_deref(), &request.pieces)
    }
}

/// A trace that was given, or a paste read; exactly one of the three ways.
pub(super) fn read(
    engine: &Engine,
    job: &Job,
    trace: Option<Trace>,
    text: Option<&str>,
    pieces: &[TextPiece],
) -> Result<Trace, Error> {
    match trace {
        Some(_) if text.is_some() || !pieces.is_empty() => {
            Err(Error::new(Kind::Request, "a paste is `text`, `pieces` or `trace`")
                .hint("give exactly one of the three"))
        }
        Some(trace) => Ok(trace),
        None => parse(engine, job, text, pieces),
    }
}

/// Reads a paste given as one text or as pieces, within the job's limit on text.
fn parse(
    engine: &Engine,
    job: &Job,
    text: Option<&str>,
    pieces: &[TextPiece],
) -> Result<Trace, Error> {
    if text.is_some() != pieces.is_empty() {
        return Err(Error::new(Kind::Request, "a paste is either `text` or `pieces`")
            .hint("give exactly one of the two"));
    }
    let pieces = texts(text, pieces);
    let bytes: usize = pieces.iter().map(|piece| piece.text.len()).sum();
    let limit = job.limits().text_bytes;
    if bytes > limit {
        return Err(Error::new(
            Kind::TooLarge,
            format!("the paste has {bytes} bytes, more than the {limit} allowed"),
        )
        .hint("cut it down to the part around the crash"));
    }
    Ok(trace::parse_with(job, &pieces, engine.plugins().line_formats())?)
}

/// The texts of a paste that was given as text or as pieces, in order.
pub(super) fn texts<'p>(text: Option<&'p str>, pieces: &'p [TextPiece]) -> Vec<Piece<'p>> {
    let pieces = pieces.iter().map(|piece| Piece { name: Some(&piece.name), text: &piece.text });
    text.map(Piece::unnamed).into_iter().chain(pieces).collect()
}
