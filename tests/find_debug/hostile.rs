//! debuginfod servers that hang, lie, flood or break off: each costs one sentence, and no more time,
//! memory or disk than the limits say.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use dbgmate::binary::How;
use dbgmate::binary::debuginfod::{Limits, Reach};
use dbgmate::binary::{Error, Tried};
use dbgmate::job::{Job, Progress, Stopped};

use super::made::{Made, OTHER, SOURCE, run, used};
use super::server::{
    HASTY, PATIENT, SOON, Server, hang, head, last, open_as, open_with, reply, sources,
};

/// A stripped library, and its debug file.
fn stripped(made: &Made) -> (PathBuf, PathBuf) {
    let library = made.library("lib/a.so", SOURCE, &[]);
    let debug = made.path("away.debug");
    run(Command::new("objcopy").arg("--only-keep-debug").args([&library, &debug]));
    run(Command::new("strip").arg(&library));
    (library, debug)
}

/// What is said of a server that does this, when nothing comes of it.
fn said(
    limits: Limits,
    answer: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Send + Sync + 'static,
) -> String {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let server = Server::start(answer);
    let sources = sources(&[&server.url], made.path("cache"), limits);
    let started = Instant::now();
    let binary = open_with(&sources, &library);
    let most = limits.total + limits.connect + limits.stall + Duration::from_secs(5);
    assert!(started.elapsed() < most, "{:?}", started.elapsed());
    assert!(binary.debug_info().is_none());
    let Tried { place, why } = last(&binary);
    assert_eq!(place, Path::new(&server.url));
    assert_eq!(files_below(&made.path("cache")), Vec::<PathBuf>::new(), "{why}");
    why.clone()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn one_that_hangs_is_left_alone_afterwards() {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let server = Server::start(|_, _| hang());
    let sources = sources(&[&server.url], made.path("cache"), HASTY);
    assert_eq!(last(&open_with(&sources, &library)).why, "it sends nothing for 0.5 s");
    let started = Instant::now();
    let binary = open_with(&sources, &library);
    assert!(started.elapsed() < HASTY.stall);
    let why = &last(&binary).why;
    assert!(why.starts_with("it took too long before, and is asked again in 1"), "{why}");
    assert_eq!(server.requests().len(), 1);
    assert!(binary.is_current());
}

#[test]
fn one_that_hangs_does_not_keep_the_next_one_from_being_asked() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let stuck = Server::start(|_, _| hang());
    let debug = fs::read(debug).unwrap();
    let good = Server::start(move |stream, _| reply(stream, "200 OK", &debug));
    let sources = sources(&[&stuck.url, &good.url], made.path("cache"), HASTY);
    let binary = open_with(&sources, &library);
    assert_eq!(binary.debug_info().unwrap().how(), &How::Debuginfod(good.url.clone()));
    assert_eq!(last(&binary).why, "it sends nothing for 0.5 s");
}

#[test]
fn one_that_dribbles_is_cut_off() {
    let dribble = |stream: &mut TcpStream, length: usize| {
        for _ in 0..length {
            stream.write_all(b"x")?;
            stream.flush()?;
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    };
    let why = said(HASTY, move |stream, _| {
        head(stream, "200 OK", "Content-Length: 1000")?;
        dribble(stream, 1000)
    });
    let words: Vec<&str> = why.split(|c: char| c.is_ascii_digit()).collect();
    assert_eq!((words[0], *words.last().unwrap()), ("it sends only ", " s"), "{why}");
    let why = said(HASTY, move |stream, _| {
        write!(stream, "HTTP/1.1 200 OK\r\nX-Slow: ")?;
        dribble(stream, 1000)
    });
    // Whichever of the two clocks looks first.
    let known = ["it does not answer within 1 s", "it sends nothing for 0.5 s"];
    assert!(known.contains(&why.as_str()), "{why}");
}

#[test]
fn one_that_is_steady_but_slow_may_take_its_time_and_no_more() {
    let total = Duration::from_secs(1);
    let why = said(Limits { total, stall: SOON, ..HASTY }, |stream, _| {
        head(stream, "200 OK", "Content-Length: 4000000")?;
        loop {
            stream.write_all(&[0; 30 << 10])?;
            thread::sleep(Duration::from_millis(60));
        }
    });
    assert_eq!(why, "it takes more than the 1 s allowed");
}

#[test]
fn one_that_sends_too_much_is_cut_off() {
    let why = said(HASTY, |stream, _| {
        head(stream, "200 OK", "Content-Length: 10737418240")?;
        hang()
    });
    assert_eq!(why, "it sends 10737418240 bytes or more, and 4194304 are allowed");
    // And one that does not say how much it will be.
    let why = said(HASTY, |stream, _| {
        head(stream, "200 OK", "Transfer-Encoding: chunked")?;
        loop {
            write!(stream, "10000\r\n")?;
            stream.write_all(&[0; 0x10000])?;
            stream.write_all(b"\r\n")?;
        }
    });
    let (start, end) = ("it sends 4", " bytes or more, and 4194304 are allowed");
    assert!(why.starts_with(start) && why.ends_with(end), "{why}");
}

#[test]
fn one_that_sends_something_else_is_not_believed() {
    let made = Made::new();
    let other = made.library("other.so", OTHER, &[]);
    let other = fs::read(other).unwrap();
    let page = b"<!DOCTYPE html><html>Log in to the network</html>";
    for (body, why_not) in [
        (&other[..], "its build-id is another one"),
        (page, "it is not an ELF file"),
        (b"", "it is empty"),
        (&other[..100], "Invalid ELF program header size or alignment"),
    ] {
        let body = body.to_owned();
        let why = said(HASTY, move |stream, _| reply(stream, "200 OK", &body));
        assert_eq!(why, format!("what it sends is not it: {why_not}"));
    }
}

#[test]
fn one_that_breaks_off_is_not_believed() {
    let made = Made::new();
    let (_, debug) = stripped(&made);
    let debug = fs::read(debug).unwrap();
    let half = debug[..debug.len() / 2].to_owned();
    let length = debug.len();
    let sent = half.clone();
    let why = said(HASTY, move |stream, _| {
        head(stream, "200 OK", &format!("Content-Length: {length}"))?;
        stream.write_all(&sent)
    });
    let begin = format!("it breaks off after {} bytes: ", half.len());
    assert!(why.starts_with(&begin), "{why}");
    // And when it never says how much there should be.
    let why = said(HASTY, move |stream, _| {
        head(stream, "200 OK", "X-Length: none")?;
        stream.write_all(&half)
    });
    assert!(why.starts_with("what it sends is not it: "), "{why}");
    let why = said(HASTY, |_, _| Ok(()));
    assert!(!why.is_empty() && !why.contains("bytes"), "{why}");
}

#[test]
fn one_that_fails_is_said_to() {
    assert_eq!(said(HASTY, |stream, _| reply(stream, "500 Oops", b"")), "it answers 500");
    assert_eq!(said(HASTY, |stream, _| reply(stream, "403 No", b"no")), "it answers 403");
    let why = said(HASTY, |stream, _| {
        let big = "x".repeat(1 << 20);
        head(stream, "200 OK", &format!("X-Big: {big}"))
    });
    assert!(!why.is_empty());
    let why = said(HASTY, |stream, _| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"));
    assert!(!why.is_empty());
}

#[test]
fn nobody_is_there() {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let sources = sources(&[&closed, "file:///etc", "localhost"], made.path("cache"), HASTY);
    let binary = open_with(&sources, &library);
    let why = |url: &str| super::made::why(binary.tried(), Path::new(url)).to_owned();
    assert!(why(&closed).contains("refused"), "{}", why(&closed));
    for url in ["file:///etc", "localhost"] {
        assert_eq!(why(url), "it is no http:// or https:// address");
    }
}

#[test]
fn one_that_sends_requests_on_is_followed_a_little() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let debug = fs::read(debug).unwrap();
    let good = Server::start(move |stream, _| reply(stream, "200 OK", &debug));
    let there = format!("Location: {}/elsewhere\r\nContent-Length: 0", good.url);
    let sends_on = Server::start(move |stream, _| head(stream, "302 Found", &there));
    let binary = open_with(&sources(&[&sends_on.url], made.path("cache"), PATIENT), &library);
    assert!(binary.debug_info().is_some(), "{:?}", binary.tried());

    let why =
        said(HASTY, |stream, _| head(stream, "302 Found", "Location: /again\r\nContent-Length: 0"));
    assert_eq!(why, "it sends from one address to the next without end");
    for there in ["file:///etc/passwd", "ftp://127.0.0.1/x", "::"] {
        let why = said(HASTY, move |stream, _| {
            head(stream, "302 Found", &format!("Location: {there}\r\nContent-Length: 0"))
        });
        assert!(!why.is_empty() && !why.contains("not it"), "{why}");
    }
}

#[test]
fn nothing_is_sent_but_the_build_id() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let debug = fs::read(debug).unwrap();
    let cookie = "Set-Cookie: id=7; Path=/\r\nContent-Length: 0";
    let server = Server::start(move |stream, _| head(stream, "500 No", cookie));
    let good = Server::start(move |stream, _| reply(stream, "200 OK", &debug));
    for _ in 0..2 {
        let sources = sources(&[&server.url, &good.url], made.path("cache"), PATIENT);
        open_with(&sources, &library);
        fs::remove_dir_all(made.path("cache")).unwrap();
    }
    let id = super::made::open(&library, &[]).build_id().unwrap().to_string();
    for (server, request) in [&server, &good]
        .iter()
        .flat_map(|server| server.requests().into_iter().map(move |request| (server, request)))
    {
        let mut lines: Vec<String> =
            request.lines().filter(|line| !line.is_empty()).map(str::to_lowercase).collect();
        lines[1..].sort();
        let host = server.url.strip_prefix("http://").unwrap();
        let expected = [
            format!("get /buildid/{id}/debuginfo http/1.1"),
            "accept: */*".to_owned(),
            format!("host: {host}"),
            format!("user-agent: dbgmate/{}", env!("CARGO_PKG_VERSION")),
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_job_that_is_stopped_does_not_wait() {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let server = Server::start(|_, _| hang());
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let job = Job::new();
    let cancel = job.cancel_handle();
    thread::scope(|threads| {
        threads.spawn(|| {
            while server.requests().is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
            cancel.cancel();
        });
        let started = Instant::now();
        let opened = open_as(&job, &sources, &library);
        assert!(matches!(opened, Err(Error::Stopped(Stopped::Cancelled))), "{opened:?}");
        assert!(started.elapsed() < SOON / 2);
    });
    assert_eq!(files_below(&made.path("cache")), Vec::<PathBuf>::new());
}

#[test]
fn who_asks_for_the_same_file_at_once_downloads_it_once() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let debug = fs::read(debug).unwrap();
    let server = Server::start(move |stream, _| {
        thread::sleep(Duration::from_millis(300));
        reply(stream, "200 OK", &debug)
    });
    // Each with a client of its own, as processes have.
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let sources = sources(&[&server.url], made.path("cache"), PATIENT);
                assert!(open_with(&sources, &library).debug_info().is_some());
            });
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(files_below(&made.path("cache")).len(), 1);
}

#[test]
fn progress_is_told() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let debug = fs::read(debug).unwrap();
    let length = debug.len() as u64;
    let server = Server::start(move |stream, _| reply(stream, "200 OK", &debug));
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let listener = {
        let told = Arc::clone(&told);
        Arc::new(move |progress: &Progress| told.lock().unwrap().push(progress.clone()))
    };
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let binary = open_as(&Job::new().with_progress(listener), &sources, &library).unwrap();
    let id = binary.build_id().unwrap();
    let last = told.lock().unwrap().last().cloned().unwrap();
    let what = format!("debug info of build-id {id} from {}", server.url);
    assert_eq!(last, Progress { what, done: length, total: Some(length) });
}

#[test]
fn what_is_kept_is_used_and_what_is_wrong_there_is_replaced() {
    let made = Made::new();
    let (library, debug) = stripped(&made);
    let bytes = fs::read(&debug).unwrap();
    let server = Server::start(move |stream, _| reply(stream, "200 OK", &bytes));
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let id = super::made::open(&library, &[]).build_id().unwrap().to_string();
    let kept = made.write(&format!("cache/{id}/debuginfo"), "rubbish");
    let binary = open_with(&sources, &library);
    assert_eq!(used(&binary), kept);
    assert_eq!(last(&binary), &Tried { place: kept.clone(), why: "it is not an ELF file".into() });
    assert_eq!(fs::read(&kept).unwrap(), fs::read(&debug).unwrap());
    let binary = open_with(&sources, &library);
    assert_eq!(binary.debug_info().unwrap().how(), &How::DebuginfodCache);
    assert_eq!(server.requests().len(), 1);
    fs::remove_file(kept).unwrap();
    assert!(!binary.is_current());
}

#[test]
fn a_cache_that_cannot_be_written_is_said_to_be() {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let server = Server::start(|stream, _| reply(stream, "404 No", b""));
    let cache = made.write("file", "a file");
    let binary = open_with(&sources(&[&server.url], cache, PATIENT), &library);
    let why = &last(&binary).why;
    assert!(why.starts_with("nothing can be kept there: "), "{why}");
    assert!(server.requests().is_empty());
}

#[test]
fn servers_are_not_asked_where_they_need_not_be() {
    let made = Made::new();
    let (library, _) = stripped(&made);
    let server = Server::start(|stream, _| reply(stream, "404 No", b""));
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let binary = open_with(&sources.reaching(Reach::Cache), &library);
    assert_eq!(last(&binary).why, "it is not asked here, and the cache has nothing");
    let whole = made.library("whole.so", SOURCE, &[]);
    assert!(open_with(&sources, &whole).debug_info().is_some());
    assert!(server.requests().is_empty());
}
