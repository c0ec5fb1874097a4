//! The daemon as people meet it: the real program, its real socket, real clients.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dbgmate::api::daemon::{HelloMethod, HelloRequest};
use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::config;
use dbgmate::error::Kind;
use dbgmate::job::Job;
use dbgmate::rpc::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Enough for anything that must happen, on a machine that is busy.
const SOON: Duration = Duration::from_secs(30);

/// `nobody`, nearly everywhere; any uid that is not ours will do.
const ANOTHER: u32 = 65534;

/// A daemon in a home of its own.
struct Daemon {
    child: Child,
    stderr: BufReader<ChildStderr>,
    home: TempDir,
}

fn serve(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
    command
        .arg("serve")
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_CACHE_HOME", home)
        .env_remove("DBGMATE_SOCKET")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Daemon {
    fn start() -> Daemon {
        Daemon::configured("")
    }

    fn configured(config: &str) -> Daemon {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("dbgmate")).unwrap();
        fs::set_permissions(home.path().join("dbgmate"), fs::Permissions::from_mode(0o700))
            .unwrap();
        fs::write(home.path().join("dbgmate/config.toml"), config).unwrap();
        Daemon::in_home(home)
    }

    fn in_home(home: TempDir) -> Daemon {
        let mut child = serve(home.path()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Daemon { child, stderr, home };
        let line = daemon.log_line();
        let expected = format!("dbgmate: listening on {}", daemon.socket().display());
        assert_eq!(line, expected);
        daemon
    }

    fn log_line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("dbgmate/daemon.sock")
    }

    fn client(&self) -> Client {
        Client::connect(&self.socket(), &config::Daemon::default()).unwrap().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the daemon does not end");
    }

    /// The status and the body of an HTTP POST.
    fn post(&self, body: &str) -> (u16, String) {
        post(&self.socket(), body)
    }

    fn call(&self, request: Value) -> Value {
        let (status, body) = self.post(&request.to_string());
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn post(socket: &Path, body: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A daemon that refuses a long body need not read all of it.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn hello(id: u32) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "daemon.hello" })
}

/// A paste that takes any parser a while.
fn long_paste() -> ParseRequest {
    let frame = "#0  0x00007f5fba7a8133 in libxl_osevent_occurred_fd (ctx=0x1, fd=43) at x.c:7\n";
    ParseRequest { text: Some(frame.repeat((32 << 20) / frame.len())), ..Default::default() }
}

#[test]
fn it_says_hello_over_websocket_and_over_http() {
    let daemon = Daemon::start();
    let client = daemon.client();
    let introduced = client.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).unwrap();
    assert_eq!(introduced.pid, daemon.child.id());
    assert_eq!(introduced.configuration_hash.len(), 16);
    let answer = daemon.call(hello(7));
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["result"], serde_json::to_value(introduced).unwrap());
}

#[test]
fn nobody_else_can_reach_its_socket() {
    let daemon = Daemon::start();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&daemon.socket()), 0o600);
    assert_eq!(mode(daemon.socket().parent().unwrap()), 0o700);
}

#[test]
fn a_wrong_request_is_told_what_is_wrong() {
    let daemon = Daemon::start();
    for (method, params, code) in [
        ("trace.prase", json!({}), -32601),
        ("trace.parse", json!({ "txet": "" }), -32602),
        ("trace.parse", json!([""]), -32602),
        ("trace.parse", json!({}), Kind::Request.code()),
    ] {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = daemon.call(request);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

/// The page says what the protocol layer does; this holds it to that.
#[test]
fn what_is_no_request_is_answered_as_the_page_says() {
    let daemon = Daemon::start();
    for (body, status, code) in [
        ("{", 200, -32700),
        ("{}", 200, -32700),
        ("null", 400, -32700),
        (r#""x""#, 400, -32700),
        ("7", 400, -32700),
        (r#"{"id":1}"#, 200, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"daemon.hello"}"#, 200, -32600),
        ("[]", 200, -32600),
        (r#"{"jsonrpc":"2.0","id":"x","method":"no"}"#, 200, -32601),
    ] {
        let (answered, answer) = daemon.post(body);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((answered, &answer["error"]["code"]), (status, &json!(code)), "{body}");
        assert_eq!(answer["error"]["data"], Value::Null, "{body}: {answer}");
    }
    for id in [r#""id":{},"#, r#""id":1.5,"#, r#""id":-1,"#, ""] {
        let body = format!(r#"{{"jsonrpc":"2.0",{id}"method":"daemon.hello"}}"#);
        assert_eq!(daemon.post(&body), (200, "null".to_owned()), "{body}");
    }
    assert_eq!(
        daemon.call(json!({ "jsonrpc": "2.0", "id": null, "method": "no" }))["id"],
        json!(null)
    );
}

#[test]
fn a_batch_is_answered_call_by_call() {
    let daemon = Daemon::configured("[daemon]\nbatch = 3\n");
    let unknown = json!({ "jsonrpc": "2.0", "id": 2, "method": "trace.prase" });
    let answers = daemon.call(json!([hello(1), unknown, hello(3)]));
    assert_eq!(answers[0]["result"]["name"], "dbgmate", "{answers}");
    assert_eq!(answers[1]["error"]["code"], -32601, "{answers}");
    assert_eq!(answers[2]["id"], 3, "{answers}");
    let refused = daemon.call(json!([hello(1), hello(2), hello(3), hello(4)]));
    assert_eq!(refused["error"]["code"], -32010, "{refused}");
}

#[test]
fn what_is_larger_than_allowed_is_refused() {
    let daemon = Daemon::configured("[daemon]\nrequest_bytes = 10000\nresponse_bytes = 2000\n");
    let text = "x".repeat(20_000);
    let parse =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "trace.parse", "params": { "text": text } });
    let (status, body) = daemon.post(&parse.to_string());
    assert_eq!(status, 413, "{body}");
    assert!(body.contains("-32007"), "{body}");

    let discover = json!({ "jsonrpc": "2.0", "id": 1, "method": "rpc.discover" });
    assert_eq!(daemon.call(discover)["error"]["code"], -32008);

    let limits = config::Daemon { request_bytes: 10_000, ..Default::default() };
    let client = Client::connect(&daemon.socket(), &limits).unwrap().unwrap();
    let request = ParseRequest { text: Some(text), ..Default::default() };
    let error = client.call::<ParseMethod>(&Job::new(), &request).unwrap_err();
    assert_eq!(error.kind, Kind::TooLarge);
    client.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).unwrap();
}

#[test]
fn it_describes_itself() {
    let daemon = Daemon::start();
    let discover = json!({ "jsonrpc": "2.0", "id": 1, "method": "rpc.discover" });
    let document = daemon.call(discover)["result"].take();
    let names: Vec<_> =
        document["methods"].as_array().unwrap().iter().map(|method| &method["name"]).collect();
    assert_eq!(json!(names), daemon.call(hello(1))["result"]["capabilities"]);
}

#[test]
fn thirty_two_clients_at_once_get_their_own_answers() {
    let daemon = Daemon::start();
    std::thread::scope(|threads| {
        for number in 0..32 {
            let daemon = &daemon;
            threads.spawn(move || {
                let client = daemon.client();
                for round in 0..20 {
                    let id = number * 1000 + round;
                    assert_eq!(daemon.call(hello(id))["id"], id);
                    client.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).unwrap();
                }
            });
        }
    });
}

#[test]
fn a_client_too_many_is_told_so() {
    let daemon = Daemon::configured("[daemon]\nconnections = 1\n");
    let first = daemon.client();
    let error = Client::connect(&daemon.socket(), &config::Daemon::default()).unwrap_err();
    assert_eq!(error.kind, Kind::Daemon);
    assert!(error.next_step.unwrap().contains("daemon.connections"));
    first.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).unwrap();
}

#[test]
fn a_request_past_its_deadline_is_stopped() {
    let daemon = Daemon::configured("deadline_seconds = 0\n");
    let error = daemon.client().call::<ParseMethod>(&Job::new(), &long_paste()).unwrap_err();
    assert_eq!(error.kind, Kind::Deadline);
    assert!(error.next_step.unwrap().contains("deadline"));
}

#[test]
fn quick_questions_are_answered_while_long_ones_run() {
    let daemon = Daemon::configured("[daemon]\nworkers = 2\n");
    let job = Job::new();
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| daemon.client().call::<ParseMethod>(&job, &long_paste()));
        }
        let client = daemon.client();
        for _ in 0..50 {
            let patience = Job::new().with_deadline(SOON);
            client.call::<HelloMethod>(&patience, &HelloRequest::default()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        job.cancel_handle().cancel();
    });
}

#[test]
fn a_call_that_its_caller_gives_up_ends_at_once() {
    let daemon = Daemon::start();
    let client = daemon.client();
    daemon.signal(Signal::STOP);
    let started = Instant::now();
    let job = Job::new().with_deadline(Duration::from_millis(100));
    let error = client.call::<HelloMethod>(&job, &HelloRequest::default()).unwrap_err();
    assert_eq!(error.kind, Kind::Deadline);
    assert!(started.elapsed() < SOON);
    let error = Client::connect(&daemon.socket(), &config::Daemon::default()).unwrap_err();
    assert!(error.sentence.contains("does not answer"), "{error}");
}

#[test]
fn a_daemon_that_dies_is_a_clear_error() {
    let mut daemon = Daemon::start();
    let client = daemon.client();
    daemon.signal(Signal::STOP);
    std::thread::scope(|threads| {
        let call = threads.spawn(|| client.call::<ParseMethod>(&Job::new(), &long_paste()));
        std::thread::sleep(Duration::from_millis(50));
        daemon.signal(Signal::KILL);
        let error = call.join().unwrap().unwrap_err();
        assert_eq!(error.kind, Kind::Daemon);
        assert!(error.next_step.unwrap().contains("dbgmate serve"));
    });
    daemon.wait();
    let error = client.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).unwrap_err();
    assert_eq!(error.kind, Kind::Daemon);
    assert!(Client::connect(&daemon.socket(), &config::Daemon::default()).unwrap().is_none());
}

/// How many sockets of this name are open: the one that listens, and one a connection.
fn open_sockets(path: &Path) -> usize {
    let name = format!(" {}", path.display());
    fs::read_to_string("/proc/net/unix").unwrap().lines().filter(|it| it.ends_with(&name)).count()
}

#[test]
fn a_command_whose_daemon_goes_away_answers_itself_unless_it_must_not() {
    for (mode, signal, status) in [
        ("auto", Signal::TERM, 0),
        ("auto", Signal::KILL, 0),
        ("require", Signal::TERM, 1),
        ("require", Signal::KILL, 1),
    ] {
        let mut daemon = Daemon::start();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgmate"))
            .args(["triage", "--daemon", mode])
            .env("XDG_RUNTIME_DIR", daemon.home.path())
            .env("XDG_CONFIG_HOME", daemon.home.path())
            .env("XDG_CACHE_HOME", daemon.home.path())
            .env_remove("DBGMATE_SOCKET")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once it is connected it introduces itself, and then waits for the paste.
        while open_sockets(&daemon.socket()) < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        daemon.signal(signal);
        daemon.wait();
        let paste = include_bytes!("traces/fd-deregister-race.txt");
        command.stdin.take().unwrap().write_all(paste).unwrap();
        let output = command.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{mode} {signal:?}: {stderr}");
        assert_eq!(stderr.contains("without the daemon"), mode == "auto", "{stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(stdout.contains("libxl/fd-deregister-race"), mode == "auto", "{stdout}");
    }
}

#[test]
fn it_ends_cleanly_on_sigterm_and_on_ctrl_c_whatever_runs() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start();
        let idle = daemon.client();
        std::thread::scope(|threads| {
            let client = daemon.client();
            let call =
                threads.spawn(move || client.call::<ParseMethod>(&Job::new(), &long_paste()));
            std::thread::sleep(Duration::from_millis(100));
            daemon.signal(signal);
            let status = daemon.wait();
            assert!(status.success(), "{status}");
            if let Err(error) = call.join().unwrap() {
                assert_eq!(error.kind, Kind::Daemon, "{error}");
            }
        });
        assert!(!daemon.socket().exists());
        assert_eq!(daemon.log_line(), "dbgmate: stopping");
        drop(idle);
    }
}

#[test]
fn who_has_sent_half_a_request_does_not_hold_it() {
    let mut daemon = Daemon::configured("[daemon]\nstop_seconds = 60\n");
    let mut half = UnixStream::connect(daemon.socket()).unwrap();
    half.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").unwrap();
    let mut head = UnixStream::connect(daemon.socket()).unwrap();
    head.write_all(b"POST / HT").unwrap();
    daemon.call(hello(1));
    daemon.signal(Signal::TERM);
    assert!(daemon.wait().success());
    assert_eq!(daemon.log_line(), "dbgmate: stopping");
    assert_eq!(daemon.log_line(), "");
}

#[test]
fn an_answer_that_is_being_read_slowly_is_sent_to_its_end() {
    let mut daemon = Daemon::start();
    let mut stream = UnixStream::connect(daemon.socket()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let text = "a line\n".repeat(1 << 19) + &"#0  main () at x.c:7\n".repeat(1 << 14);
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "trace.parse", "params": { "text": text },
    });
    let body = request.to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = vec![0; 1000];
    stream.read_exact(&mut answer).unwrap();
    daemon.signal(Signal::TERM);
    // Longer than a daemon waits for a connection over which nothing is on its way.
    std::thread::sleep(Duration::from_secs(1));
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.len() > 1 << 20, "{}", answer.len());
    assert!(answer.ends_with(b"}"), "{}", String::from_utf8_lossy(&answer[answer.len() - 100..]));
    assert!(daemon.wait().success());
}

#[test]
fn after_a_kill_the_next_daemon_takes_the_place() {
    let mut daemon = Daemon::start();
    daemon.signal(Signal::KILL);
    daemon.wait();
    assert!(daemon.socket().exists());
    let home = std::mem::replace(&mut daemon.home, tempfile::tempdir().unwrap());
    let next = Daemon::in_home(home);
    assert_eq!(next.call(hello(1))["result"]["pid"], next.child.id());
}

#[test]
fn a_second_daemon_does_not_start() {
    let daemon = Daemon::start();
    let second = serve(daemon.home.path()).output().unwrap();
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("runs already (pid {})", daemon.child.id())), "{stderr}");
    daemon.call(hello(1));
}

#[test]
fn an_open_folder_is_refused_with_the_way_to_mend_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("dbgmate");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = serve(home.path()).output().unwrap();
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("chmod 700 {}", folder.display())), "{stderr}");
}

#[test]
fn another_person_is_turned_away_even_past_the_folder() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can ask as another person");
    }
    let mut daemon = Daemon::start();
    for (path, mode) in [
        (daemon.home.path().to_owned(), 0o755),
        (daemon.home.path().join("dbgmate"), 0o755),
        (daemon.socket(), 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let status = as_another("play_a_client", daemon.home.path(), &daemon.socket()).wait().unwrap();
    assert!(status.success(), "the daemon answered another person");
    assert_eq!(daemon.log_line(), format!("dbgmate: refused a connection from uid {ANOTHER}"));
    daemon.call(hello(1));
}

#[test]
fn a_client_does_not_talk_to_the_daemon_of_another_person() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can serve as another person");
    }
    let folder = tempfile::tempdir().unwrap();
    chown(folder.path(), Some(ANOTHER), None).unwrap();
    let socket = folder.path().join("daemon.sock");
    let mut trap = as_another("play_a_daemon", folder.path(), &socket);
    let deadline = Instant::now() + SOON;
    let error = loop {
        assert!(Instant::now() < deadline, "no trap was set");
        // Between bind and listen a connection is refused, as by no daemon.
        match Client::connect(&socket, &config::Daemon::default()) {
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Ok(Some(_)) => panic!("the client trusted another person"),
            Err(error) => break error,
        }
    };
    trap.kill().unwrap();
    trap.wait().unwrap();
    assert_eq!(error.kind, Kind::Daemon);
    assert!(error.sentence.contains(&format!("runs as uid {ANOTHER}")), "{error}");
}

/// Runs one of the ignored tests below as another person.
fn as_another(test: &str, folder: &Path, socket: &Path) -> Child {
    let program = folder.join("another");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(program)
        .args(["--exact", test, "--ignored"])
        .env("DBGMATE_SOCKET", socket)
        .current_dir("/")
        .stdout(Stdio::null())
        .gid(ANOTHER)
        .uid(ANOTHER)
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "a part of another test, run as another person"]
fn play_a_client() {
    let socket = std::env::var_os("DBGMATE_SOCKET").unwrap();
    let mut stream = UnixStream::connect(socket).unwrap();
    // The daemon may have closed it before we wrote.
    let _ = stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

#[test]
#[ignore = "a part of another test, run as another person"]
fn play_a_daemon() {
    let listener = UnixListener::bind(std::env::var_os("DBGMATE_SOCKET").unwrap()).unwrap();
    let _held: Vec<_> = listener.incoming().take(100).collect();
}
