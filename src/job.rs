//! Leave to run: every function that can take long receives a [`Job`] and asks it, now and then,
//! whether to go on. A caller that loses interest (a closed connection, Ctrl-C, a deadline) is
//! obeyed within a few milliseconds, without threads being killed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One piece of work that may be called off: shared by all threads that do it.
#[derive(Clone, Debug, Default)]
pub struct Job {
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
    limits: Limits,
    listener: Option<Listener>,
}

/// How far a step that takes its time has come, for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, for people.
    pub what: String,
    /// How much of it is done: bytes.
    pub done: u64,
    /// How much it will be, where that is known.
    pub total: Option<u64>,
}

/// Who is told of progress.
#[derive(Clone)]
struct Listener(Arc<dyn Fn(&Progress) + Send + Sync>);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// How much one job may look at before it answers with what it has, or says that it was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pasted text, in bytes, all pieces together.
    pub text_bytes: usize,
    /// DIEs read to answer one question, index building apart.
    pub dies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { text_bytes: 256 << 20, dies: 20_000_000 }
    }
}

/// Why a job ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Whoever asked no longer wants the answer.
    Cancelled,
    /// The time given to the job has passed.
    DeadlinePassed,
}

/// Cancels its job from elsewhere: held by a connection, a signal handler.
#[derive(Clone, Debug)]
pub struct CancelHandle(Arc<AtomicBool>);

impl CancelHandle {
    /// Asks the job to stop; it does at its next look.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Job {
    /// A job without a deadline, under the default limits.
    pub fn new() -> Self {
        Job::default()
    }

    /// The same job, to be stopped `time` from now.
    pub fn with_deadline(mut self, time: Duration) -> Self {
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// The same job under other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same job, whose progress is told to `listener`: on whichever thread works, so it must be
    /// quick.
    pub fn with_progress(mut self, listener: Arc<dyn Fn(&Progress) + Send + Sync>) -> Self {
        self.listener = Some(Listener(listener));
        self
    }

    /// Tells whoever waits how far a step has come.
    pub fn progress(&self, progress: &Progress) {
        if let Some(Listener(listener)) = &self.listener {
            listener(progress);
        }
    }

    /// What this job may look at.
    #[inline]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A handle that cancels this job and its clones.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(Arc::clone(&self.cancelled))
    }

    /// Fails when the job was cancelled or its deadline has passed. It reads the clock: loops over
    /// cheap steps ask every few thousand of them.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Stopped::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Stopped::DeadlinePassed),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_cancelled_with_its_job() {
        let job = Job::new();
        let worker = job.clone();
        assert_eq!(worker.check(), Ok(()));
        job.cancel_handle().cancel();
        assert_eq!(worker.check(), Err(Stopped::Cancelled));
    }

    #[test]
    fn progress_is_told_to_whoever_listens() {
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let listener = {
            let told = Arc::clone(&told);
            Arc::new(move |progress: &Progress| told.lock().unwrap().push(progress.clone()))
        };
        let half = Progress { what: "a download".to_owned(), done: 7, total: Some(14) };
        Job::new().progress(&half);
        Job::new().with_progress(listener).clone().progress(&half);
        assert_eq!(*told.lock().unwrap(), [half]);
    }

    #[test]
    fn a_deadline_that_has_passed_stops_the_job() {
        let job = Job::new().with_deadline(Duration::ZERO);
        assert_eq!(job.check(), Err(Stopped::DeadlinePassed));
    }
}
