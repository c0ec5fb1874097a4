//! Who answers: the daemon, or the same engine in this process?
//!
//! Chosen once. The daemon is asked only when it would give the answers that this process would:
//! the same version, the same protocol, the same configuration, plugins and build. What it then does
//! not answer (it is stopping, busy, gone, or the question is larger than it takes) is answered here
//! all the same.

use std::path::Path;
use std::time::Duration;

use dbgmate::api::daemon::{Hello, HelloMethod, HelloRequest, PROTOCOL};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine, agreement_hash};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::rpc::{self, socket};

use crate::output::Output;
use crate::progress;

/// `--daemon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// The daemon if one runs and agrees with this program, else this process.
    Auto,
    /// This process.
    Never,
    /// The daemon, or fail.
    Require,
}

/// Whoever answers.
pub(crate) enum Backend {
    /// A daemon, and what this process may answer under when the daemon does not.
    Daemon(Box<rpc::Client>, Option<Box<Config>>),
    /// This process.
    InProcess(Box<Engine>),
}

/// Who was chosen, and what the person should know about it.
pub(crate) struct Choice {
    /// Who was chosen.
    pub(crate) backend: Backend,
    /// Why a daemon that runs was not, in a sentence; for standard error.
    pub(crate) notice: Option<String>,
}

/// How long a daemon may take to say who it is.
const HELLO: Duration = Duration::from_secs(1);

/// Chooses who answers.
pub(crate) fn choose(mode: Mode, config: &Config) -> Result<Choice, Error> {
    choose_at(&socket::locate()?, mode, config)
}

fn choose_at(path: &Path, mode: Mode, config: &Config) -> Result<Choice, Error> {
    let in_process = |notice| Choice {
        backend: Backend::InProcess(Box::new(Engine::new(config.clone()))),
        notice,
    };
    if mode == Mode::Never {
        return Ok(in_process(None));
    }
    match (daemon(path, config), mode) {
        (Ok(Some(client)), _) => {
            let own = (mode == Mode::Auto).then(|| Box::new(config.clone()));
            Ok(Choice { backend: Backend::Daemon(Box::new(client), own), notice: None })
        }
        (Ok(None), Mode::Require) => {
            Err(Error::new(Kind::Daemon, "no daemon runs").hint("start one with `dbgmate serve`"))
        }
        (Ok(None), _) => Ok(in_process(None)),
        (Err(error), Mode::Require) => Err(error),
        (Err(error), _) => Ok(in_process(Some(format!("not asking the daemon: {error}")))),
    }
}

/// The daemon that would answer as this process would; none when none runs.
fn daemon(path: &Path, config: &Config) -> Result<Option<rpc::Client>, Error> {
    let Some((client, hello)) = introduce(path, config)? else {
        return Ok(None);
    };
    match disagreement(&hello, config) {
        None => Ok(Some(client)),
        Some(why) => {
            Err(Error::new(Kind::Daemon, format!("{why} (pid {})", hello.pid)).hint("restart it"))
        }
    }
}

/// The daemon that listens there, and who it says it is; none when none runs.
pub(crate) fn introduce(
    path: &Path,
    config: &Config,
) -> Result<Option<(rpc::Client, Hello)>, Error> {
    let Some(client) = rpc::Client::connect(path, &config.daemon)? else {
        return Ok(None);
    };
    let introduction = HelloRequest { client: Some("cli".to_owned()), protocol: Some(PROTOCOL) };
    let hello = client.call::<HelloMethod>(&Job::new().with_deadline(HELLO), &introduction)?;
    Ok(Some((client, hello)))
}

/// Why this daemon's answers are not the ones this process would give, if so.
pub(crate) fn disagreement(hello: &Hello, config: &Config) -> Option<String> {
    let version = env!("CARGO_PKG_VERSION");
    if hello.version != version || hello.protocol != PROTOCOL {
        return Some(format!(
            "it is version {} (protocol {}), this is {version} (protocol {PROTOCOL})",
            hello.version, hello.protocol
        ));
    }
    (hello.configuration_hash != agreement_hash(config))
        .then(|| "it was started under another configuration or from another build".to_owned())
}

impl Backend {
    /// Asks, and waits for the answer or until the job is stopped. That this process had to answer
    /// in the daemon's place is a notice.
    pub(crate) fn call<M: Answer>(
        &self,
        job: &Job,
        request: M::Request,
        output: &mut Output,
    ) -> Result<M::Response, Error> {
        match self {
            Backend::Daemon(client, own) => match (client.call::<M>(job, &request), own) {
                (Err(error), Some(own)) if is_about_the_daemon(&error) => {
                    output.notice(&format!("answering without the daemon: {}", error.sentence));
                    let engine = Engine::new(Config::clone(own));
                    progress::shown(job, |job| M::answer(&engine, job, request))
                }
                (answer, _) => answer,
            },
            Backend::InProcess(engine) => {
                progress::shown(job, |job| M::answer(engine, job, request))
            }
        }
    }
}

/// Whether it is the daemon that failed, not the question: it is busy, stopping or gone, or its wire
/// has limits that this process does not. A question too large for both is refused twice.
fn is_about_the_daemon(error: &Error) -> bool {
    matches!(error.kind, Kind::Daemon | Kind::TooLarge)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;

    use dbgmate::api::trace::{ParseMethod, ParseRequest};
    use dbgmate::config;
    use dbgmate::rpc::socket::Bound;

    use super::*;

    /// A daemon on a thread of this process, which lives as long as the process does.
    fn daemon_at(path: &Path, config: Config) {
        let socket = Bound::new(path).unwrap();
        let engine = Arc::new(Engine::new(config));
        std::thread::spawn(move || rpc::serve(engine, socket, Arc::new(|_| {})));
    }

    fn other() -> Config {
        Config { binaries: vec!["/usr/sbin/libvirtd".into()], ..Config::default() }
    }

    fn pid(backend: &Backend) -> u32 {
        let request = HelloRequest::default();
        backend.call::<HelloMethod>(&Job::new(), request, &mut Output::new()).unwrap().pid
    }

    fn configuration_hash(backend: &Backend) -> String {
        let request = HelloRequest::default();
        let hello = backend.call::<HelloMethod>(&Job::new(), request, &mut Output::new()).unwrap();
        hello.configuration_hash
    }

    #[test]
    fn without_a_daemon_this_process_answers_silently() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.sock");
        for mode in [Mode::Auto, Mode::Never] {
            let choice = choose_at(&path, mode, &Config::default()).unwrap();
            assert!(matches!(choice.backend, Backend::InProcess(_)));
            assert_eq!(choice.notice, None);
            assert_eq!(pid(&choice.backend), std::process::id());
        }
        let error = choose_at(&path, Mode::Require, &Config::default()).err().unwrap();
        assert_eq!(error.kind, Kind::Daemon);
        assert!(error.next_step.unwrap().contains("dbgmate serve"));
    }

    #[test]
    fn a_daemon_that_agrees_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/daemon.sock");
        daemon_at(&path, other());
        for mode in [Mode::Auto, Mode::Require] {
            let choice = choose_at(&path, mode, &other()).unwrap();
            assert!(matches!(choice.backend, Backend::Daemon(..)), "{:?}", choice.notice);
            assert_eq!(choice.notice, None);
            assert_eq!(pid(&choice.backend), std::process::id());
        }
    }

    #[test]
    fn a_daemon_with_another_configuration_is_passed_over_aloud() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/daemon.sock");
        daemon_at(&path, other());
        let choice = choose_at(&path, Mode::Auto, &Config::default()).unwrap();
        assert!(matches!(choice.backend, Backend::InProcess(_)));
        let notice = choice.notice.unwrap();
        assert!(notice.contains("another configuration") && notice.contains("restart"), "{notice}");
        let error = choose_at(&path, Mode::Require, &Config::default()).err().unwrap();
        assert!(error.sentence.contains("another configuration"), "{error}");
        assert_eq!(choose_at(&path, Mode::Never, &Config::default()).unwrap().notice, None);
    }

    #[test]
    fn another_version_or_protocol_does_not_agree() {
        let config = Config::default();
        let engine = Engine::new(config.clone());
        let hello = HelloMethod::answer(&engine, &Job::new(), HelloRequest::default()).unwrap();
        assert_eq!(disagreement(&hello, &config), None);
        let newer = Hello { protocol: PROTOCOL + 1, ..hello.clone() };
        assert!(disagreement(&newer, &config).unwrap().contains("protocol"));
        let older = Hello { version: "0.0.1".into(), ..hello };
        assert!(disagreement(&older, &config).unwrap().contains("0.0.1"));
    }

    /// What `auto` has chosen, whose daemon and whose own engine have different configurations.
    fn auto(path: &Path, theirs: &Config) -> Backend {
        let (client, hello) = introduce(path, theirs).unwrap().unwrap();
        assert_ne!(hello.configuration_hash, agreement_hash(&other()));
        Backend::Daemon(Box::new(client), Some(Box::new(other())))
    }

    #[test]
    fn when_the_daemon_is_busy_this_process_answers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/daemon.sock");
        let limits = config::Daemon { requests: 1, ..config::Daemon::default() };
        let config = Config { daemon: limits, ..Config::default() };
        daemon_at(&path, config.clone());
        let backend = auto(&path, &config);
        let (busy, probe) = (auto(&path, &config), auto(&path, &config));
        let (Backend::Daemon(busy, _), Backend::Daemon(probe, _)) = (busy, probe) else {
            unreachable!()
        };
        let job = Job::new();
        let frame = "#0  0x00007f5fba7a8133 in occurred_fd (ctx=0x1, fd=43) at x.c:7\n";
        let text = Some(frame.repeat((32 << 20) / frame.len()));
        let paste = ParseRequest { text, ..Default::default() };
        std::thread::scope(|threads| {
            threads.spawn(|| {
                // Refused, should the probe be in hand just then: asked again.
                while job.check().is_ok() {
                    let _ = busy.call::<ParseMethod>(&job, &paste);
                }
            });
            while probe.call::<HelloMethod>(&Job::new(), &HelloRequest::default()).is_ok() {
                std::thread::yield_now();
            }
            assert_eq!(configuration_hash(&backend), agreement_hash(&other()));
            job.cancel_handle().cancel();
        });
    }

    #[test]
    fn when_the_daemon_takes_less_than_the_client_sends_this_process_answers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/daemon.sock");
        let limits = config::Daemon { request_bytes: 2000, ..config::Daemon::default() };
        daemon_at(&path, Config { daemon: limits, ..Config::default() });
        let backend = auto(&path, &Config::default());
        let request = HelloRequest { client: Some("x".repeat(4000)), protocol: None };
        let hello = backend.call::<HelloMethod>(&Job::new(), request, &mut Output::new()).unwrap();
        assert_eq!(hello.configuration_hash, agreement_hash(&other()));
    }

    #[test]
    fn a_daemon_that_is_stuck_is_passed_over_aloud() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daemon.sock");
        let _stuck = UnixListener::bind(&path).unwrap();
        let choice = choose_at(&path, Mode::Auto, &Config::default()).unwrap();
        assert!(choice.notice.unwrap().contains("does not answer"));
    }
}
