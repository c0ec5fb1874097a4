//! Who works on a request, for how long, and who calls it off?
//!
//! Answers are made on blocking threads, at most [`config::Daemon::workers`] at once. A long one
//! needs a second permit, of which there is one less: the last worker is always for the quick.
//! Whatever ends the wait for an answer (the client is gone, the daemon stops, the deadline)
//! cancels the job, and the worker is free as soon as the job has noticed.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::server::StopHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;
use crate::engine::Effort;
use crate::error::{Error, Kind};
use crate::job::{CancelHandle, Job, Stopped};

/// After its deadline a job has this long to say so itself, which it does in better words.
const GRACE: Duration = Duration::from_secs(1);

/// The workers of a daemon.
#[derive(Debug)]
pub(super) struct Pool {
    requests: Arc<Semaphore>,
    long: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    worker_count: u32,
    deadline: Duration,
    stop: StopHandle,
}

impl Pool {
    /// A pool within these limits, whose jobs are cancelled once `stop` says so.
    pub(super) fn new(limits: &config::Daemon, deadline: Duration, stop: StopHandle) -> Pool {
        let workers = worker_count(limits);
        Pool {
            requests: Arc::new(Semaphore::new(limits.requests.clamp(1, Semaphore::MAX_PERMITS))),
            long: Arc::new(Semaphore::new(workers as usize - 1)),
            workers: Arc::new(Semaphore::new(workers as usize)),
            worker_count: workers,
            deadline,
            stop,
        }
    }

    /// Runs `work` on a worker once one is free. Fails when nobody may wait any longer, and when
    /// `work` panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        effort: Effort,
        work: impl FnOnce(&Job) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _request = self.requests.try_acquire().map_err(|_| busy())?;
        let job = Job::new().with_deadline(self.deadline);
        let _cancel = CancelOnDrop(job.cancel_handle());
        tokio::select! {
            answer = self.on_worker(effort, job, work) => answer,
            () = self.stop.clone().shutdown() => Err(stopping()),
            () = tokio::time::sleep(self.deadline.saturating_add(GRACE)) => {
                Err(Stopped::DeadlinePassed.into())
            }
        }
    }

    async fn on_worker<T: Send + 'static>(
        &self,
        effort: Effort,
        job: Job,
        work: impl FnOnce(&Job) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let long = match effort {
            Effort::Quick => None,
            Effort::Long => Some(permit(&self.long).await?),
        };
        let worker = permit(&self.workers).await?;
        let task = tokio::task::spawn_blocking(move || {
            // Held by the thread, not by the request: a worker that has not yet noticed that its
            // job is cancelled is not free.
            let _permits = (long, worker);
            work(&job)
        });
        task.await.map_err(|_| panicked())
    }

    /// Returns when no worker is busy.
    pub(super) async fn idle(&self) {
        // Fails only when the semaphore is closed, which it never is.
        let _ = self.workers.acquire_many(self.worker_count).await;
    }
}

/// How many workers there are under these limits: see [`config::Daemon::workers`].
pub(super) fn worker_count(limits: &config::Daemon) -> u32 {
    u32::try_from(limits.workers).unwrap_or(u32::MAX).clamp(2, 1024)
}

async fn permit(semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    Arc::clone(semaphore).acquire_owned().await.map_err(|_| stopping())
}

/// Cancels a job when nobody waits for it any longer.
struct CancelOnDrop(CancelHandle);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn busy() -> Error {
    Error::new(Kind::Daemon, "the daemon has as many requests in hand as it takes")
        .hint("try again, or raise daemon.requests in the configuration")
}

fn stopping() -> Error {
    Error::new(Kind::Daemon, "the daemon is stopping")
        .hint("ask again once another runs, or run with `--daemon never`")
}

fn panicked() -> Error {
    Error::new(Kind::Internal, "the daemon failed on this request; it goes on with the others")
        .hint("its log says where: please report it with the request")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use jsonrpsee::server::{ServerHandle, stop_channel};

    use super::*;

    /// Enough for anything that must happen, on a machine that is busy.
    const SOON: Duration = Duration::from_secs(20);

    fn pool(workers: usize, requests: usize, deadline: Duration) -> (Arc<Pool>, ServerHandle) {
        let limits = config::Daemon { workers, requests, ..Default::default() };
        let (stop, handle) = stop_channel();
        (Arc::new(Pool::new(&limits, deadline, stop)), handle)
    }

    /// Works until its job is stopped, and then says why on the channel.
    fn until_stopped(ended: mpsc::Sender<Stopped>) -> impl FnOnce(&Job) -> Stopped + Send {
        move |job: &Job| loop {
            if let Err(stopped) = job.check() {
                let _ = ended.send(stopped);
                return stopped;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_wait_that_is_dropped_cancels_the_job() {
        let (pool, _handle) = pool(2, 10, SOON);
        let (ended, end) = mpsc::channel();
        let wait = pool.run(Effort::Long, until_stopped(ended));
        assert!(tokio::time::timeout(Duration::from_millis(50), wait).await.is_err());
        assert_eq!(end.recv_timeout(SOON), Ok(Stopped::Cancelled));
        pool.idle().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_deadline_reaches_the_job() {
        let (pool, _handle) = pool(2, 10, Duration::from_millis(20));
        let (ended, _end) = mpsc::channel();
        let answer = pool.run(Effort::Long, until_stopped(ended)).await;
        assert_eq!(answer, Ok(Stopped::DeadlinePassed));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_job_that_does_not_look_at_its_deadline_is_answered_for() {
        let (pool, _handle) = pool(2, 10, Duration::ZERO);
        let (release, released) = mpsc::channel::<()>();
        let answer = pool.run(Effort::Quick, move |_| released.recv_timeout(SOON).is_ok()).await;
        assert_eq!(answer.unwrap_err().kind, Kind::Deadline);
        release.send(()).unwrap();
        pool.idle().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn long_requests_leave_the_last_worker_to_quick_ones() {
        let (pool, handle) = pool(3, 10, SOON);
        let (ended, _end) = mpsc::channel();
        let long: Vec<_> = (0..5)
            .map(|_| {
                let (pool, ended) = (Arc::clone(&pool), ended.clone());
                tokio::spawn(async move { pool.run(Effort::Long, until_stopped(ended)).await })
            })
            .collect();
        while pool.long.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(Effort::Quick, |_| 7).await, Ok(7));
        handle.stop().unwrap();
        for request in long {
            assert_eq!(request.await.unwrap().unwrap_err().kind, Kind::Daemon);
        }
        pool.idle().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn more_requests_than_allowed_are_refused_at_once() {
        let (pool, _handle) = pool(2, 1, SOON);
        let (ended, _end) = mpsc::channel();
        let mut first = std::pin::pin!(pool.run(Effort::Long, until_stopped(ended)));
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut first).await.is_err());
        assert_eq!(pool.run(Effort::Quick, |_| 7).await.unwrap_err().kind, Kind::Daemon);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_panic_is_an_answer_and_frees_its_worker() {
        let (pool, _handle) = pool(2, 10, SOON);
        for _ in 0..5 {
            let answer = pool.run(Effort::Long, |_| panic!("on purpose")).await;
            assert_eq!(answer.unwrap_err().kind, Kind::Internal);
        }
        assert_eq!(pool.run(Effort::Long, |_| 7).await, Ok(7));
    }
}
