//! How does a daemon live and end?
//!
//! It accepts until SIGINT or SIGTERM. Then it takes nobody on, cancels what runs, answers those
//! who wait that it is stopping, and ends when all answers are sent or its time for that is over,
//! whichever comes first. A second signal ends it at once. The socket is removed either way.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::server::stop_channel;
use tokio::net::UnixListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Log;
use super::pool::worker_count;
use super::server::Server;
use super::socket::Bound;
use crate::config;
use crate::engine::Engine;
use crate::error::{Error, Kind};

/// Threads that move bytes; the answers are made by the workers.
const TRANSPORT_THREADS: usize = 2;

/// How long to wait when the kernel has no descriptor for a new connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers on this socket until a signal says to stop. Fails when that could not even begin, and
/// when a second signal ended it before its requests had.
pub fn serve(engine: Arc<Engine>, socket: Bound, log: Log) -> Result<(), Error> {
    let runtime = runtime(&engine.config().daemon)?;
    let ended = runtime.block_on(until_stopped(&engine, socket, log));
    // Not dropped, which would wait for a worker that does not end, or for an index that cannot be written.
    runtime.shutdown_background();
    std::mem::forget(engine);
    ended
}

fn runtime(limits: &config::Daemon) -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .worker_threads(TRANSPORT_THREADS)
        .max_blocking_threads(worker_count(limits) as usize)
        .thread_name("dbgmate")
        .enable_all()
        .build()
        .map_err(|error| cannot("start its threads", error))
}

async fn until_stopped(engine: &Arc<Engine>, socket: Bound, log: Log) -> Result<(), Error> {
    let time_to_stop = Duration::from_secs(engine.config().daemon.stop_seconds);
    let mut signals = Signals::new().map_err(|error| cannot("wait for signals", error))?;
    let (listener, place) = socket.listen().map_err(|error| cannot("listen", error))?;
    let (stop, handle) = stop_channel();
    let server = Server::new(Arc::clone(engine), stop, Arc::clone(&log))
        .map_err(|error| cannot("register its methods", error))?;

    log(&format!("listening on {}", place.path().display()));
    accept(&listener, &server, &mut signals, &log).await;
    drop(listener);
    log("stopping");
    // Fails only when nobody listens any longer, and then all have stopped.
    let _ = handle.stop();

    let settled = async {
        server.idle().await;
        let engine = Arc::clone(engine);
        // Fails only where the thread panics: then there is nothing to wait for.
        let _ = tokio::task::spawn_blocking(move || engine.settle()).await;
    };
    tokio::select! {
        () = settled => Ok(()),
        () = tokio::time::sleep(time_to_stop) => {
            log("some requests did not end in time; they are abandoned");
            Ok(())
        }
        () = signals.next() => Err(Error::new(
            Kind::Cancelled,
            "stopped by a second signal, before the requests in progress had ended",
        )),
    }
}

/// Takes connections on until a signal arrives.
async fn accept(listener: &UnixListener, server: &Server, signals: &mut Signals, log: &Log) {
    loop {
        tokio::select! {
            () = signals.next() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => server.attend(stream),
                Err(error) => {
                    log(&format!("cannot accept a connection: {error}"));
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}

/// The signals that stop a daemon.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn cannot(what: &str, error: impl Display) -> Error {
    Error::new(Kind::Daemon, format!("the daemon cannot {what}: {error}"))
}
