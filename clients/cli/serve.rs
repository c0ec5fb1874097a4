//! `dbgmate serve`: the daemon. It keeps binaries and notes open, so that the second question is
//! answered at once, and serves the CLI, gdb and editors of one person over a Unix socket.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use dbgmate::config::Config;
use dbgmate::engine::Engine;
use dbgmate::error::Error;
use dbgmate::rpc::socket::{self, Bound};
use dbgmate::rpc::{self, Log};

/// Keep binaries and notes open, and answer over a Unix socket until SIGINT or SIGTERM.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The socket, in a folder that only you may enter [default: daemon.sock in
    /// $XDG_RUNTIME_DIR/dbgmate, or $DBGMATE_SOCKET]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Serves until told to stop.
pub(crate) fn run(args: &Args, config: Config) -> Result<(), Error> {
    let path = match &args.socket {
        Some(path) => path.clone(),
        None => socket::locate()?,
    };
    let socket = Bound::new(&path)?;
    let log = log();
    log_panics(Arc::clone(&log));
    let engine = Arc::new(Engine::new(config));
    // Now, rather than when the first question waits for it.
    engine.plugins();
    rpc::serve(engine, socket, log)
}

/// The log is standard error, which systemd keeps.
fn log() -> Log {
    Arc::new(|line| {
        // Nobody reads it: no reason to end.
        let _ = writeln!(std::io::stderr().lock(), "dbgmate: {line}");
    })
}

/// Logs where a request failed, but not the panic's words: they may quote what was pasted.
fn log_panics(log: Log) {
    std::panic::set_hook(Box::new(move |panic| match panic.location() {
        Some(place) => log(&format!("failed at {}:{}", place.file(), place.line())),
        None => log("failed at an unknown place"),
    }));
}
