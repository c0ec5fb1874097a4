//! `triage.report`: which known bug a paste shows.

use super::symbolize::{Wanted, symbolize};
use super::{Answer, Engine, paste};
use crate::api::triage::{ReportForm, ReportMethod, ReportRequest, ReportResponse};
use crate::error::Error;
use crate::job::Job;
use crate::render;
use crate::triage;

impl Answer for ReportMethod {
    fn answer(
        engine: &Engine,
        job: &Job,
        mut request: ReportRequest,
    ) -> Result<ReportResponse, Error> {
        let trace = paste::read(
            engine,
            job,
            request.trace.take(),
            request.text.as_deref(),
            &request.pieces,
        )?;
        let wanted = Wanted { binaries: &request.binaries, ..Wanted::default() };
        let symbolized = symbolize(engine, job, trace, &wanted)?;
        let report = triage::report(job, symbolized.trace, engine.plugins().notes())?;
        let rendered = request.render.map(|form| match form {
            ReportForm::Text => render::report::text(&report),
            ReportForm::Markdown => render::report_markdown(&report),
            ReportForm::Html => render::report_html(&report),
            ReportForm::Timeline => render::lives_svg::timeline(&report),
        });
        Ok(ReportResponse { report, rendered })
    }
}
