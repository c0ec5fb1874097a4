//! How long does a warm question to the daemon take, client included? And to the engine itself?
//!
//! ```sh
//! cargo bench --bench rpc                                          # hello, and a small paste
//! cargo bench --bench rpc -- /usr/sbin/libvirtd 'struct _virObject' # and a layout
//! ```
//!
//! A daemon of its own serves on a socket of its own. Every answer is checked to be one.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbgmate::api::Method;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::daemon::{HelloMethod, HelloRequest};
use dbgmate::api::layout::{OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::config::{self, Config};
use dbgmate::dwarf::{DebugFile, IndexCache};
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::rpc::Client;
use dbgmate::types::{Layouts, Question, TypeName, find};

const WARM_UP: usize = 200;
const CALLS: usize = 5_000;
const CONNECTIONS: usize = 32;
const PASTE: &str = include_str!("../tests/traces/fd-deregister-race.txt");

fn main() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("bench/daemon.sock");
    let mut daemon = serve(&socket);

    print("one connection           p50        p99\n");
    latency::<HelloMethod>(&socket, &HelloRequest::default());
    let paste = ParseRequest { text: Some(PASTE.to_owned()), ..Default::default() };
    latency::<ParseMethod>(&socket, &paste);
    if let Some(request) = layout() {
        latency::<OffsetsOfMethod>(&socket, &request);
        in_process::<OffsetsOfMethod>(&request);
        layouts(&request, home.path());
    }
    throughput(&socket);

    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

/// The binary and the type named on the command line.
fn layout() -> Option<OffsetsOfRequest> {
    // Cargo adds `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let (binary, type_name) = (words.next()?, words.next()?);
    let binaries = vec![BinaryRef::Path(binary)];
    Some(OffsetsOfRequest { type_name, binaries, ..Default::default() })
}

fn serve(socket: &PathBuf) -> Child {
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_dbgmate"))
        .args(["serve", "--socket"])
        .arg(socket)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(daemon.stderr.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains("listening"), "{ready}");
    daemon
}

fn connect(socket: &Path) -> Client {
    Client::connect(socket, &config::Daemon::default()).unwrap().unwrap()
}

fn latency<M: Method>(socket: &Path, request: &M::Request) {
    let (client, job) = (connect(socket), Job::new());
    measure(M::NAME, || {
        client.call::<M>(&job, request).unwrap();
    });
}

/// The same question without a daemon, as a program asks that links the library.
fn in_process<M: Answer<Request: Clone>>(request: &M::Request) {
    let (engine, job) = (Engine::new(Config::default()), Job::new());
    measure("in the process", || {
        M::answer(&engine, &job, request.clone()).unwrap();
    });
}

/// The layout itself: with nothing known of its types, built anew of types that are known, and as a program
/// has it that keeps what was found.
fn layouts(request: &OffsetsOfRequest, kept: &Path) {
    let [BinaryRef::Path(path)] = request.binaries.as_slice() else { return };
    let job = Job::new();
    let binary = Binary::open(&job, Path::new(path), &DebugSources::default()).unwrap();
    let cache = IndexCache::new(kept.to_owned(), 1 << 30);
    let file = DebugFile::with_cache(Arc::new(binary), Some(Arc::new(cache)));
    let (name, layouts) = (TypeName::parse(&request.type_name).unwrap(), Layouts::default());
    let question = Question { name: &name, path: None, language: None, threads: 2 };
    measure("all read anew", || assert!(!find(&job, &file, &question).unwrap().is_empty()));
    measure("built anew", || {
        assert!(!layouts.find_anew(&job, &file, &question).unwrap().is_empty());
    });
    measure("the known layout", || {
        assert!(!layouts.find(&job, &file, &question).unwrap().is_empty());
    });
}

fn measure(name: &str, mut ask: impl FnMut()) {
    for _ in 0..WARM_UP {
        ask();
    }
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let started = Instant::now();
            ask();
            started.elapsed()
        })
        .collect();
    times.sort();
    let (p50, p99) = (times[CALLS / 2], times[CALLS * 99 / 100]);
    print(&format!("{name:<20} {p50:>9.1?} {p99:>10.1?}\n"));
}

fn throughput(socket: &Path) {
    let started = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..CONNECTIONS {
            threads.spawn(|| {
                let (client, job) = (connect(socket), Job::new());
                for _ in 0..CALLS / 4 {
                    client.call::<HelloMethod>(&job, &HelloRequest::default()).unwrap();
                }
            });
        }
    });
    let calls = (CONNECTIONS * (CALLS / 4)) as f64;
    let rate = calls / started.elapsed().as_secs_f64();
    print(&format!("{CONNECTIONS} connections       {rate:>9.0} calls a second\n"));
}

fn print(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
}
