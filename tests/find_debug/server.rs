//! An HTTP server for one test, which does as the test says, most of it wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use dbgmate::binary::debuginfod::{Debuginfod, Limits, NamedBy, Servers};
use dbgmate::binary::{Binary, DebugSources, Error, Tried};
use dbgmate::job::Job;

/// Enough for anything that must happen, on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A server on loopback. Connections are served until the other side, or the test, ends.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// A server that does `answer` with each connection, once it has the request.
    pub(crate) fn start(
        answer: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let server = Server { url, requests: Arc::clone(&requests), ended: Arc::clone(&ended) };
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let request = read_request(&stream);
                    requests.lock().unwrap().push(request.clone());
                    // The client may be gone: what then fails is as it should be.
                    let _ = answer(&mut stream, &request);
                });
            }
        });
        server
    }

    /// The requests so far, each as its lines.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let address = self.url.strip_prefix("http://").unwrap();
        let _ = TcpStream::connect(address);
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut request = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut request).unwrap_or(0) > 2 {}
    request
}

/// A whole answer.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, body: &[u8]) -> std::io::Result<()> {
    head(stream, status, &format!("Content-Length: {}", body.len()))?;
    stream.write_all(body)
}

/// The beginning of an answer.
pub(crate) fn head(stream: &mut TcpStream, status: &str, headers: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n\r\n")
}

/// Keeps the connection without a word.
pub(crate) fn hang() -> std::io::Result<()> {
    thread::sleep(SOON);
    Ok(())
}

/// Limits that a server which works keeps easily.
pub(crate) const PATIENT: Limits =
    Limits { connect: SOON, stall: SOON, total: SOON, size: 64 << 20 };

/// Limits for a server that does not work: nobody should have to wait for it.
pub(crate) const HASTY: Limits = Limits {
    connect: Duration::from_millis(500),
    stall: Duration::from_millis(500),
    total: Duration::from_secs(3),
    size: 4 << 20,
};

/// Nothing but these servers and this cache.
pub(crate) fn sources(urls: &[&str], cache: PathBuf, limits: Limits) -> DebugSources {
    let urls = urls.iter().map(|url| (*url).to_owned()).collect();
    let servers = Servers { urls, named_by: NamedBy::Configuration };
    let debuginfod = Debuginfod::new(&servers, Some(cache), limits).map(Arc::new);
    DebugSources { debuginfod, ..DebugSources::default() }
}

/// Opens a file; how long it took is no longer than a hasty client may take.
pub(crate) fn open_with(sources: &DebugSources, file: &Path) -> Binary {
    let started = Instant::now();
    let binary = Binary::open(&Job::new(), file, sources).unwrap();
    assert!(started.elapsed() < SOON, "{:?}", binary.tried());
    binary
}

/// Opens a file under a job.
pub(crate) fn open_as(job: &Job, sources: &DebugSources, file: &Path) -> Result<Binary, Error> {
    Binary::open(job, file, sources)
}

/// The last place that was tried.
pub(crate) fn last(binary: &Binary) -> &Tried {
    binary.tried().last().unwrap()
}
