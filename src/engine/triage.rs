//! `triage.report`: which known bug a paste shows.

use super::{Answer, Engine, paste};
use crate::api::triage::{ReportForm, ReportMethod, ReportRequest, ReportResponse};
use crate::error::{Error, Kind};
use crate::job::Job;
use crate::render;
use crate::trace::Trace;
use crate::triage;

impl Answer for ReportMethod {
    fn answer(
        engine: &Engine,
        job: &Job,
        mut request: ReportRequest,
    ) -> Result<ReportResponse, Error> {
        let trace = match request.trace.take() {
            Some(trace) => given(trace, &request)?,
            None => paste::parse(job, request.text.as_deref(), &request.pieces)?,
        };
        let report = triage::report(job, trace, engine.plugins().notes())?;
        let rendered = request.render.map(|ReportForm::Text| render::report::text(&report));
        Ok(ReportResponse { report, rendered })
    }
}

/// A trace that was given, if nothing else was.
fn given(trace: Trace, request: &ReportRequest) -> Result<Trace, Error> {
    if request.text.is_some() || !request.pieces.is_empty() {
        return Err(Error::new(Kind::Request, "a paste is `text`, `pieces` or `trace`")
            .hint("give exactly one of the three"));
    }
    Ok(trace)
}
