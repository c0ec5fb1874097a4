//! A line on the terminal while something takes its time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dbgmate::job::{Job, Progress};
use dbgmate::render::escape::escape;
use indicatif::{ProgressBar, ProgressStyle};

/// How often the line is drawn, in milliseconds, so that a wait without news is seen to go on.
const TICK: Duration = Duration::from_millis(100);

/// Does `work` under a job that shows its progress on standard error, if that is a terminal; the line
/// is gone before the result is there.
pub(crate) fn shown<T>(job: &Job, work: impl FnOnce(&Job) -> T) -> T {
    let line: Arc<OnceLock<ProgressBar>> = Arc::default();
    let listener = {
        let line = Arc::clone(&line);
        Arc::new(move |progress: &Progress| update(line.get_or_init(bar), progress))
    };
    let result = work(&job.clone().with_progress(listener));
    if let Some(line) = line.get() {
        line.finish_and_clear();
    }
    result
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.enable_steady_tick(TICK);
    bar
}

fn update(line: &ProgressBar, progress: &Progress) {
    if line.message() != *progress.what || line.length() != progress.total {
        line.set_style(style(progress.total.is_some()));
        line.set_message(escape(&progress.what).into_owned());
        match progress.total {
            Some(total) => line.set_length(total),
            None => line.unset_length(),
        }
    }
    line.set_position(progress.done);
}

/// With a bar where the end is known.
fn style(has_end: bool) -> ProgressStyle {
    let template = if has_end {
        "{spinner} {msg} {wide_bar} {bytes} of {total_bytes}, {eta}"
    } else {
        "{spinner} {msg} {bytes}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
