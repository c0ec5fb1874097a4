//! `dbgmate doctor`: what this program sees here, and what to do about what is missing.

use std::fmt::Write;

use dbgmate::api::binary::BinaryInfo;
use dbgmate::api::daemon::{HelloMethod, HelloRequest, PROTOCOL};
use dbgmate::config::Config;
use dbgmate::engine::{Engine, Known, install_command};
use dbgmate::error::Error;
use dbgmate::job::Job;
use dbgmate::render::escape::escape;
use dbgmate::render::style::{CERTAIN, DIM, HEADING, HINT, UNCERTAIN};
use dbgmate::rpc::{Client, socket};
use serde::Serialize;

use crate::output::Output;
use crate::{Failure, Outcome};

/// Show which binaries, debug info, plugins, configuration and daemon are seen, and what is missing
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Binaries to examine, besides the known ones
    #[arg(value_name = "BINARY")]
    binaries: Vec<std::path::PathBuf>,
    /// The findings as JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// `configuration`, `daemon`, `plugins`, `binaries`.
    about: &'static str,
    /// What was looked at.
    what: String,
    /// Whether it is as it should be.
    state: State,
    /// What was found.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    /// Works, with less than it could.
    Lacking,
    Broken,
}

/// Looks at everything, and writes what it found. Not found means that something is broken.
pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Outcome, Failure> {
    let mut findings = Vec::new();
    let config = examine_configuration(&mut findings);
    findings.push(examine_daemon(&config));
    let engine = Engine::new(config);
    examine_plugins(&engine, &mut findings);
    examine_binaries(args, &engine, &mut findings);
    if args.json {
        output.json(&findings)?;
    } else {
        output.result(&page(&findings))?;
    }
    let broken = findings.iter().any(|finding| finding.state == State::Broken);
    Ok(if broken { Outcome::NotFound } else { Outcome::Found })
}

fn examine_configuration(findings: &mut Vec<Finding>) -> Config {
    let path = Config::path();
    let what = path.as_ref().map_or("no home folder".to_owned(), |path| path.display().to_string());
    let exists = path.is_some_and(|path| path.exists());
    let (config, state, found, next_step) = match Config::load() {
        Ok(config) if exists => (config, State::Good, "read".to_owned(), None),
        Ok(config) => (config, State::Good, "not there: the defaults hold".to_owned(), None),
        Err(error) => (Config::default(), State::Broken, error.sentence, error.next_step),
    };
    findings.push(Finding { about: "configuration", what, state, found, next_step });
    config
}

fn examine_daemon(config: &Config) -> Finding {
    let finding = |what: String, state, found: String, next_step: Option<String>| Finding {
        about: "daemon",
        what,
        state,
        found,
        next_step,
    };
    let broken = |what, error: Error| finding(what, State::Broken, error.sentence, error.next_step);
    let socket = match socket::locate() {
        Ok(socket) => socket,
        Err(error) => return broken("socket".to_owned(), error),
    };
    let what = socket.display().to_string();
    let hello = Client::connect(&socket, &config.daemon).and_then(|client| {
        let request = HelloRequest { client: Some("doctor".to_owned()), protocol: Some(PROTOCOL) };
        client.map(|client| client.call::<HelloMethod>(&Job::new(), &request)).transpose()
    });
    match hello {
        Ok(None) => finding(
            what,
            State::Lacking,
            "not running: every command opens its binaries anew".to_owned(),
            Some("dbgmate serve".to_owned()),
        ),
        Ok(Some(hello)) if hello.configuration_hash != config.hash() => finding(
            what,
            State::Lacking,
            format!("runs (pid {}) with another configuration: it is not asked", hello.pid),
            Some(format!("kill {}; dbgmate serve", hello.pid)),
        ),
        Ok(Some(hello)) if hello.version != env!("CARGO_PKG_VERSION") => finding(
            what,
            State::Lacking,
            format!("runs (pid {}) as version {}: it is not asked", hello.pid, hello.version),
            Some(format!("kill {}; dbgmate serve", hello.pid)),
        ),
        Ok(Some(hello)) => {
            finding(what, State::Good, format!("runs (pid {}, {})", hello.pid, hello.version), None)
        }
        Err(error) => broken(what, error),
    }
}

fn examine_plugins(engine: &Engine, findings: &mut Vec<Finding>) {
    for plugin in engine.plugins().iter() {
        let prefix = format!("{}/", plugin.name);
        let notes = engine.plugins().notes().iter().filter(|note| note.id.starts_with(&prefix));
        findings.push(Finding {
            about: "plugins",
            what: plugin.name.clone(),
            state: State::Good,
            found: format!("{} notes", notes.count()),
            next_step: None,
        });
    }
    for problem in engine.plugin_problems() {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        findings.push(Finding {
            about: "plugins",
            what: format!("{}{line}", problem.file),
            state: State::Broken,
            found: problem.what.clone(),
            next_step: Some(problem.hint.clone()),
        });
    }
}

fn examine_binaries(args: &Args, engine: &Engine, findings: &mut Vec<Finding>) {
    let asked = args.binaries.iter().map(|path| Known {
        path: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        because: "asked".to_owned(),
    });
    let known: Vec<Known> = asked.chain(engine.known_binaries()).collect();
    if known.is_empty() {
        findings.push(Finding {
            about: "binaries",
            what: "none".to_owned(),
            state: State::Lacking,
            found: "this system has none that the plugins name".to_owned(),
            next_step: Some(
                "name binaries with --binary, or in `binaries` of the configuration".to_owned(),
            ),
        });
    }
    findings.extend(known.iter().map(|known| examine_binary(engine, known)));
}

fn examine_binary(engine: &Engine, known: &Known) -> Finding {
    let what = format!("{} ({})", known.path.display(), known.because);
    let finding = |state, found, next_step| Finding {
        about: "binaries",
        what: what.clone(),
        state,
        found,
        next_step,
    };
    let info = match engine.examine(&known.path) {
        Ok(info) => info,
        Err(error) => return finding(State::Broken, error.sentence, error.next_step),
    };
    match &info.debug_info.used {
        Some(used) if *used == info.path => {
            finding(State::Good, format!("debug info inside, {}", size(&info)), None)
        }
        Some(used) => finding(State::Good, format!("debug info in {used}, {}", size(&info)), None),
        None => finding(
            State::Lacking,
            "no debug info".to_owned(),
            install_command(&known.path).or(Some("build it with -g".to_owned())),
        ),
    }
}

fn size(info: &BinaryInfo) -> String {
    format!("{} units, {}", info.units, info.machine)
}

fn page(findings: &[Finding]) -> String {
    let mut page = String::new();
    let mut about = "";
    for finding in findings {
        if finding.about != about {
            about = finding.about;
            // Writing to a String cannot fail.
            let _ = writeln!(page, "{HEADING}{about}{HEADING:#}");
        }
        let (style, mark) = match finding.state {
            State::Good => (CERTAIN, "ok"),
            State::Lacking => (UNCERTAIN, "--"),
            State::Broken => (dbgmate::render::style::ERROR, "!!"),
        };
        let (what, found) = (escape(&finding.what), escape(&finding.found));
        let _ = writeln!(page, "  {style}{mark}{style:#} {what}: {found}");
        if let Some(next_step) = &finding.next_step {
            let next_step = escape(next_step);
            let _ = writeln!(page, "     {HINT}try:{HINT:#} {DIM}{next_step}{DIM:#}");
        }
    }
    page
}
