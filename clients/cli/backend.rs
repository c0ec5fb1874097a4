//! Who answers: the daemon, or the same engine in this process?
//!
//! Chosen once. The daemon is asked only when it would give the answers that this process would:
//! the same version, the same protocol, the same configuration.

use std::time::Duration;

use dbgmate::api::daemon::{Hello, HelloMethod, HelloRequest, PROTOCOL};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::rpc::{self, socket};

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
    /// A daemon.
    Daemon(rpc::Client),
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
    let in_process = |notice| Choice {
        backend: Backend::InProcess(Box::new(Engine::new(config.clone()))),
        notice,
    };
    if mode == Mode::Never {
        return Ok(in_process(None));
    }
    match (daemon(config), mode) {
        (Ok(Some(client)), _) => Ok(Choice { backend: Backend::Daemon(client), notice: None }),
        (Ok(None), Mode::Require) => {
            Err(Error::new(Kind::Daemon, "no daemon runs").hint("start one with `dbgmate serve`"))
        }
        (Ok(None), _) => Ok(in_process(None)),
        (Err(error), Mode::Require) => Err(error),
        (Err(error), _) => Ok(in_process(Some(format!("not asking the daemon: {error}")))),
    }
}

/// The daemon that would answer as this process would; none when none runs.
fn daemon(config: &Config) -> Result<Option<rpc::Client>, Error> {
    let Some(client) = rpc::Client::connect(&socket::locate()?, &config.daemon)? else {
        return Ok(None);
    };
    let introduction = HelloRequest { client: Some("cli".to_owned()), protocol: Some(PROTOCOL) };
    let hello = client.call::<HelloMethod>(&Job::new().with_deadline(HELLO), &introduction)?;
    agree(&hello, config)?;
    Ok(Some(client))
}

/// Whether this daemon's answers are the ones this process would give.
fn agree(hello: &Hello, config: &Config) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let different = if hello.version != version || hello.protocol != PROTOCOL {
        format!(
            "it is version {} (protocol {}), this is {version} (protocol {PROTOCOL})",
            hello.version, hello.protocol
        )
    } else if hello.configuration_hash != config.hash() {
        "it was started under another configuration".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Daemon, format!("{different} (pid {})", hello.pid)).hint("restart it"))
}

impl Backend {
    /// Asks, and waits for the answer or until the job is stopped.
    pub(crate) fn call<M: Answer>(
        &self,
        job: &Job,
        request: M::Request,
    ) -> Result<M::Response, Error> {
        match self {
            Backend::Daemon(client) => client.call::<M>(job, &request),
            Backend::InProcess(engine) => M::answer(engine, job, request),
        }
    }
}
