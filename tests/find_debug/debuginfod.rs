//! debuginfod: the server and the client of elfutils, with whom we share the protocol and the cache.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use dbgmate::binary::debuginfod::SourceError;
use dbgmate::binary::{BuildId, How};
use dbgmate::job::Job;

use super::made::{Made, SOURCE, has, open, run, used};
use super::server::{PATIENT, SOON, Server, last, open_with, reply, sources};

/// elfutils' server, for the files below a folder.
struct Elfutils {
    url: String,
    child: Child,
}

impl Elfutils {
    fn serve(made: &Made, folder: &Path) -> Option<Elfutils> {
        if !has("debuginfod") {
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("debuginfod")
            .args(["-F", "-p", &free.to_string(), "-d"])
            .arg(made.path("server.sqlite"))
            .arg(folder)
            .env("DEBUGINFOD_URLS", "")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Elfutils { url: format!("http://127.0.0.1:{free}"), child })
    }

    /// Waits until the server has scanned the file with this build-id.
    fn wait_for(&self, build_id: &str) {
        let address = self.url.strip_prefix("http://").unwrap();
        let until = Instant::now() + SOON;
        while Instant::now() < until {
            if let Ok(mut stream) = TcpStream::connect(address) {
                let path = format!("/buildid/{build_id}/debuginfo");
                write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
                let mut answer = [0; 12];
                if stream.read_exact(&mut answer).is_ok() && answer.ends_with(b" 200") {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not get to {build_id}");
    }
}

impl Drop for Elfutils {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stripped library, its build-id, and a folder with its debug file.
fn shipped(made: &Made) -> (PathBuf, String, PathBuf) {
    let library = made.library("lib/a.so", SOURCE, &[]);
    let debug = made.place("served/a.debug");
    run(Command::new("objcopy").arg("--only-keep-debug").args([&library, &debug]));
    run(Command::new("strip").arg(&library));
    let id = open(&library, &[]).build_id().unwrap().to_string();
    (library, id, made.path("served"))
}

#[test]
fn elfutils_server_has_it_once_and_the_cache_from_then_on() {
    let made = Made::new();
    let (library, id, served) = shipped(&made);
    let Some(server) = Elfutils::serve(&made, &served) else { return };
    server.wait_for(&id);
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let binary = open_with(&sources, &library);
    let kept = made.path("cache").join(&id).join("debuginfo");
    assert_eq!(used(&binary), kept);
    assert_eq!(binary.debug_info().unwrap().how(), &How::Debuginfod(server.url.clone()));
    assert_eq!(fs::read(&kept).unwrap(), fs::read(served.join("a.debug")).unwrap());
    assert!(binary.is_current());
    drop(server);
    let binary = open_with(&sources, &library);
    assert_eq!(binary.debug_info().unwrap().how(), &How::DebuginfodCache);
}

#[test]
fn elfutils_client_uses_what_we_keep_and_we_what_it_keeps() {
    let made = Made::new();
    let (library, id, served) = shipped(&made);
    if !has("debuginfod-find") {
        return;
    }
    let Some(server) = Elfutils::serve(&made, &served) else { return };
    server.wait_for(&id);
    let find = |cache: &Path, url: &str| {
        let mut command = Command::new("debuginfod-find");
        command.args(["debuginfo", &id]).env("DEBUGINFOD_URLS", url);
        let output = command.env("DEBUGINFOD_CACHE_PATH", cache).output().unwrap();
        let path = String::from_utf8(output.stdout).unwrap();
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let (ours, theirs) = (made.place("ours/x"), made.place("theirs/x"));
    let (ours, theirs) = (ours.parent().unwrap(), theirs.parent().unwrap());
    open_with(&sources(&[&server.url], ours.to_owned(), PATIENT), &library);
    assert!(find(theirs, &server.url).is_some());
    drop(server);
    let nobody = "http://127.0.0.1:1";
    assert_eq!(find(ours, nobody), Some(ours.join(&id).join("debuginfo")));
    let binary = open_with(&sources(&[nobody], theirs.to_owned(), PATIENT), &library);
    assert_eq!(used(&binary), theirs.join(&id).join("debuginfo"));
}

#[test]
fn what_elfutils_client_did_not_get_is_not_asked_for_again_and_the_other_way_round() {
    let made = Made::new();
    let (library, id, _) = shipped(&made);
    if !has("debuginfod-find") {
        return;
    }
    let server = Server::start(|stream, _| reply(stream, "404 Not Found", b""));
    let find = |cache: &Path| {
        let mut command = Command::new("debuginfod-find");
        command.args(["debuginfo", &id]).env("DEBUGINFOD_URLS", &server.url);
        let output = command.env("DEBUGINFOD_CACHE_PATH", cache).output().unwrap();
        assert!(!output.status.success());
    };
    let cache = made.path("theirs");
    fs::create_dir(&cache).unwrap();
    find(&cache);
    assert_eq!(server.requests().len(), 1);
    let binary = open_with(&sources(&[&server.url], cache.clone(), PATIENT), &library);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(last(&binary).place, cache.join(&id).join("debuginfo"));
    assert!(last(&binary).why.starts_with("no server had it "), "{:?}", last(&binary));

    let cache = made.path("ours");
    let binary = open_with(&sources(&[&server.url], cache.clone(), PATIENT), &library);
    assert_eq!(last(&binary).why, "it has none for this build-id");
    assert!(binary.is_current());
    assert_eq!(server.requests().len(), 2);
    find(&cache);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_miss_is_forgotten_after_a_while() {
    let made = Made::new();
    let (library, id, _) = shipped(&made);
    let server = Server::start(|stream, _| reply(stream, "404 Not Found", b""));
    let cache = made.path("cache");
    let sources = sources(&[&server.url], cache.clone(), PATIENT);
    let first = open_with(&sources, &library);
    open_with(&sources, &library);
    assert_eq!(server.requests().len(), 1);
    let miss = cache.join(&id).join("debuginfo");
    assert_eq!(fs::metadata(&miss).unwrap().len(), 0);
    let long_ago = SystemTime::now() - Duration::from_secs(601);
    File::options().write(true).open(&miss).unwrap().set_modified(long_ago).unwrap();
    assert!(!first.is_current());
    open_with(&sources, &library);
    assert_eq!(server.requests().len(), 2);
    // As elfutils before 0.186 left them.
    fs::set_permissions(&miss, fs::Permissions::from_mode(0o000)).unwrap();
    File::open(cache.join(&id)).unwrap();
    open_with(&sources, &library);
    assert_eq!(server.requests().len(), 2);
    fs::write(cache.join("cache_miss_s"), "0").unwrap();
    thread::sleep(Duration::from_millis(20));
    open_with(&sources, &library);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_binary_that_may_have_debug_info_later_is_not_current_then() {
    let made = Made::new();
    let (library, _, _) = shipped(&made);
    let server = Server::start(|stream, _| reply(stream, "404 Not Found", b""));
    let cache = made.path("cache");
    made.write("cache/cache_miss_s", "1");
    let binary = open_with(&sources(&[&server.url], cache, PATIENT), &library);
    assert!(binary.is_current());
    thread::sleep(Duration::from_millis(1100));
    assert!(!binary.is_current());
}

#[test]
fn sources_are_served_as_well() {
    let made = Made::new();
    let (library, id, _) = shipped(&made);
    // The debug file names the source by its path, which the server reads.
    let Some(server) = Elfutils::serve(&made, &made.path("served")) else { return };
    server.wait_for(&id);
    let build_id = open(&library, &[]).build_id().unwrap().clone();
    let debuginfod = sources(&[&server.url], made.path("cache"), PATIENT).debuginfod.unwrap();
    let path = made.path("lib/a.so.c");
    let name = path.to_str().unwrap().replace('/', "##");
    let kept = made.path("cache").join(&id).join(format!("source{name}"));
    // The scan of sources comes after that of files.
    let until = Instant::now() + SOON;
    let source = loop {
        match debuginfod.source(&Job::new(), &build_id, &path) {
            Ok(source) => break source,
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
        let _ = fs::remove_file(&kept);
        thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(source, kept);
    assert_eq!(fs::read_to_string(source).unwrap(), SOURCE);
    drop(server);
    assert_eq!(debuginfod.source(&Job::new(), &build_id, &path), Ok(kept));
}

#[test]
fn a_source_by_a_path_that_is_not_absolute_is_not_asked_for() {
    let made = Made::new();
    let server = Server::start(|stream, _| reply(stream, "200 OK", b"int x;"));
    let debuginfod = sources(&[&server.url], made.path("cache"), PATIENT).debuginfod.unwrap();
    let id = BuildId::new(b"abcdefgh").unwrap();
    let error = debuginfod.source(&Job::new(), &id, Path::new("../../etc/passwd")).unwrap_err();
    let SourceError::Absent(tried) = error else { panic!("{error:?}") };
    assert_eq!(tried[0].why, "it is not an absolute path");
    assert!(server.requests().is_empty());
    let path = Path::new("/a/../b c");
    let kept = debuginfod.source(&Job::new(), &id, path).unwrap();
    assert_eq!(kept.file_name().unwrap(), "source##a##..##b c");
    assert!(server.requests()[0].starts_with("GET /buildid/6162636465666768/source/a/../b%20c "));
}

#[test]
fn a_supplement_is_asked_for_by_its_build_id() {
    let made = Made::new();
    if !has("dwz") {
        return;
    }
    let libraries = ["a.so", "b.so"].map(|name| made.library(name, SOURCE, &["-gdwarf-4"]));
    let supplement = made.place("served/both.debug");
    run(Command::new("dwz")
        .args(["-M", "/nowhere/both.debug", "-m"])
        .arg(&supplement)
        .args(&libraries));
    let Some(server) = Elfutils::serve(&made, &made.path("served")) else { return };
    let id = open(&supplement, &[]).build_id().unwrap().to_string();
    server.wait_for(&id);
    let sources = sources(&[&server.url], made.path("cache"), PATIENT);
    let binary = open_with(&sources, &libraries[0]);
    let found = binary.debug_info().unwrap().supplement().unwrap();
    assert_eq!(found.how(), &How::Debuginfod(server.url.clone()));
    assert_eq!(found.path(), made.path("cache").join(id).join("debuginfo"));
}

#[test]
fn the_command_asks_the_server_that_is_configured_for_debug_info_and_sources() {
    let made = Made::new();
    let (library, id, served) = shipped(&made);
    let symbol = run(Command::new("nm").arg("-D").arg(&library));
    let line = symbol.lines().find(|line| line.ends_with(" T f")).unwrap();
    let address = format!("0x{}", line.split_whitespace().next().unwrap());
    let debug = fs::read(served.join("a.debug")).unwrap();
    let server = Server::start(move |stream, request| match request.split(' ').nth(1).unwrap() {
        path if path.ends_with("/debuginfo") => reply(stream, "200 OK", &debug),
        path if path.ends_with("/lib/a.so.c") => reply(stream, "200 OK", SOURCE.as_bytes()),
        _ => reply(stream, "404 Not Found", b""),
    });
    let symbolize = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
        command.args(["symbolize", "--daemon", "never", "--context", "0"]).args(arguments);
        command.arg("--binary").arg(&library).arg(&address);
        for (name, folder) in [("HOME", ""), ("XDG_CONFIG_HOME", ""), ("XDG_CACHE_HOME", "cache")] {
            command.env(name, made.path(folder));
        }
        command.env_remove("DEBUGINFOD_URLS").env_remove("DEBUGINFOD_CACHE_PATH");
        run(&mut command)
    };
    // The debug info is not there, and nobody is asked for it.
    let without = symbolize(&[]);
    assert!(without.contains(" f") && !without.contains("a.so.c"), "{without}");
    assert!(server.requests().is_empty());
    made.write("dbgmate/config.toml", format!("[debuginfod]\nurls = [\"{}\"]\n", server.url));
    let with = symbolize(&[]);
    assert!(with.contains("a.so.c:1") && with.contains("return x.a;"), "{with}");
    let json = symbolize(&["--json"]);
    assert!(json.contains("\"how\": \"debuginfod-cache\""), "{json}");
    let asked = server.requests().iter().filter(|request| request.contains(&id)).count();
    assert_eq!(asked, 2, "{:?}", server.requests());
}
