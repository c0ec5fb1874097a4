//! `triage.report`: which known bug a paste shows.

use super::history::digest;
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
        let remember = request.remember.unwrap_or(engine.config().history.enabled);
        // As it was printed: binaries that are found or not make it no other paste.
        let digest = engine.has_history(remember).then(|| digest(&trace));
        let wanted = Wanted { binaries: &request.binaries, ..Wanted::default() };
        let symbolized = symbolize(engine, job, trace, &wanted)?;
        let known = engine.plugins.now(engine.config());
        let mut report = triage::report(job, symbolized.trace, known.plugins.notes())?;
        let recalled = digest.map(|digest| engine.recall(&report, digest, remember));
        let (seen, done) = recalled.unwrap_or((None, Ok(())));
        report.seen = seen;
        let history_problem = done.err().map(|error| error.to_string());
        let rendered = request.render.map(|form| match form {
            ReportForm::Text => render::report::text(&report),
            ReportForm::Markdown => render::report_markdown(&report),
            ReportForm::Html => {
                let paste = paste::texts(request.text.as_deref(), &request.pieces);
                render::report_html(&report, &paste)
            }
            ReportForm::Timeline => render::lives_svg::timeline(&report),
        });
        let plugin_problems = known.problems.clone();
        Ok(ReportResponse { report, history_problem, plugin_problems, rendered })
    }
}
