//! `dbgmate doctor`: what this program sees here, and what to do about what is missing.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use dbgmate::api::binary::BinaryInfo;
use dbgmate::api::daemon::PROTOCOL;
use dbgmate::binary::debuginfod::{NamedBy, Servers};
use dbgmate::config::Config;
use dbgmate::engine::{Because, Engine, Known, install_command};
use dbgmate::error::Error;
use dbgmate::job::Job;
use dbgmate::notes::Problem;
use dbgmate::render::escape::escape;
use dbgmate::render::style::{CERTAIN, DIM, ERROR, HEADING, HINT, UNCERTAIN};
use dbgmate::rpc::socket;
use serde::Serialize;

use crate::output::Output;
use crate::{Failure, Outcome, backend};

/// Show which binaries, debug info, plugins, configuration and daemon are seen, and what is missing
///
/// The exit status is 1 when something is broken; what is merely missing does not count.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Binaries to examine, besides the known ones
    #[arg(value_name = "BINARY")]
    binaries: Vec<PathBuf>,
    /// The findings as JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// `program`, `configuration`, `debuginfod`, `daemon`, `plugins`, `binaries`.
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

/// What was found of one thing, before it is said what it is about.
struct Found {
    state: State,
    found: String,
    next_step: Option<String>,
}

impl Found {
    fn good(found: impl Into<String>) -> Found {
        Found { state: State::Good, found: found.into(), next_step: None }
    }

    fn lacking(found: impl Into<String>, next_step: impl Into<String>) -> Found {
        Found { state: State::Lacking, found: found.into(), next_step: Some(next_step.into()) }
    }

    fn broken(error: Error) -> Found {
        Found { state: State::Broken, found: error.sentence, next_step: error.next_step }
    }

    fn of(self, about: &'static str, what: impl Into<String>) -> Finding {
        let Found { state, found, next_step } = self;
        Finding { about, what: what.into(), state, found, next_step }
    }
}

/// Looks at everything, and writes what it found. Not found means that something is broken.
pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Outcome, Failure> {
    let itself = Found::good(format!("protocol {PROTOCOL}"));
    let version = format!("dbgmate {}", env!("CARGO_PKG_VERSION"));
    let mut findings = vec![itself.of("program", version)];
    let config = examine_configuration(&mut findings);
    findings.push(examine_debuginfod(&config));
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
    let (config, found) = match (Config::load(), &path) {
        (Ok(config), Some(path)) if path.exists() => {
            (config, Found::good(format!("read from {}", path.display())))
        }
        (Ok(config), Some(path)) => {
            (config, Found::good(format!("none at {}: the defaults hold", path.display())))
        }
        (Ok(config), None) => (config, Found::good("no home folder: the defaults hold")),
        (Err(error), _) => (Config::default(), Found::broken(error)),
    };
    findings.push(found.of("configuration", "config.toml"));
    let defaults = Config::default().debug_directories;
    let own = config.debug_directories.iter().filter(|folder| !defaults.contains(folder));
    examine_folders("debug_directories", own, findings);
    examine_folders("plugins", config.named_plugins(), findings);
    config
}

/// Folders that the configuration names: one that is not there is most likely misspelt.
fn examine_folders<'a>(
    key: &str,
    folders: impl Iterator<Item = &'a PathBuf>,
    findings: &mut Vec<Finding>,
) {
    for folder in folders {
        let found = match folder.is_dir() {
            true => Found::good("there"),
            false => Found::lacking("no such folder", format!("mend `{key}` in config.toml")),
        };
        findings.push(found.of("configuration", format!("{key}: {}", folder.display())));
    }
}

fn examine_daemon(config: &Config) -> Finding {
    let socket = match socket::locate() {
        Ok(socket) => socket,
        Err(error) => return Found::broken(error).of("daemon", "socket"),
    };
    let found = match backend::introduce(&socket, config) {
        Ok(None) => Found::lacking(
            "not running: every command opens its binaries anew",
            "dbgmate serve (docs/configuration.md: with every session, by systemd)",
        ),
        Ok(Some((_, hello))) => match backend::disagreement(&hello, config) {
            None => Found::good(format!("runs (pid {}, {})", hello.pid, hello.version)),
            Some(why) => Found::lacking(
                format!("runs (pid {}) but is not asked: {why}", hello.pid),
                format!("kill {}; dbgmate serve", hello.pid),
            ),
        },
        Err(error) => Found::broken(error),
    };
    found.of("daemon", socket.display().to_string())
}

fn examine_debuginfod(config: &Config) -> Finding {
    let servers = Servers::of_system(config.debuginfod.urls.as_deref());
    let named_by = match servers.named_by {
        NamedBy::Configuration => "the configuration",
        NamedBy::Environment => "$DEBUGINFOD_URLS",
        NamedBy::System => "/etc/debuginfod",
        NamedBy::Nobody => "the system",
    };
    let found = match servers.urls.is_empty() {
        true => format!("off: no server is named, says {named_by}"),
        false => format!("{} (named by {named_by})", servers.shown()),
    };
    Found::good(found).of("debuginfod", "servers")
}

fn examine_plugins(engine: &Engine, findings: &mut Vec<Finding>) {
    let plugins = engine.plugins();
    for plugin in plugins.iter() {
        let prefix = format!("{}/", plugin.name);
        let notes = plugins.notes().iter().filter(|note| note.id.starts_with(&prefix));
        let found = match notes.count() {
            1 => "1 note".to_owned(),
            count => format!("{count} notes"),
        };
        findings.push(Found::good(found).of("plugins", plugin.name.clone()));
    }
    // A folder that is not there has been told with the configuration.
    let is_gone = |problem: &Problem| {
        let mut folders = engine.config().named_plugins();
        folders.any(|folder| folder.as_os_str() == problem.file.as_str() && !folder.is_dir())
    };
    for problem in engine.plugin_problems().iter().filter(|problem| !is_gone(problem)) {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        let found = Found {
            state: State::Broken,
            found: problem.what.clone(),
            next_step: Some(problem.hint.clone()),
        };
        findings.push(found.of("plugins", format!("{}{line}", problem.file)));
    }
}

fn examine_binaries(args: &Args, engine: &Engine, findings: &mut Vec<Finding>) {
    let asked = args.binaries.iter().map(|path| Known {
        path: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        because: Because::Asked,
    });
    let mut known: Vec<Known> = asked.chain(engine.known_binaries()).collect();
    let mut seen = BTreeSet::new();
    known.retain(|known| seen.insert(known.path.clone()));
    if known.is_empty() {
        let found = Found::lacking(
            "this system has none that the plugins name",
            "name binaries with --binary, or in `binaries` of the configuration",
        );
        findings.push(found.of("binaries", "none"));
    }
    for known in &known {
        let what = format!("{} ({})", known.path.display(), known.because);
        findings.push(examine_binary(engine, &known.path).of("binaries", what));
    }
}

fn examine_binary(engine: &Engine, path: &Path) -> Found {
    let info = match engine.examine(&Job::new(), path) {
        Ok(info) => info,
        Err(error) => return Found::broken(without_path(error, path)),
    };
    match &info.debug_info.used {
        Some(used) if *used == info.path => {
            Found::good(format!("debug info inside, {}", size(&info)))
        }
        Some(used) => Found::good(format!("debug info in {used}, {}", size(&info))),
        None => Found::lacking(
            format!("no debug info: {}", tried(&info)),
            install_command(&Job::new(), path).unwrap_or_else(|| NO_PACKAGE.to_owned()),
        ),
    }
}

/// What to do about a binary of one's own build.
const NO_PACKAGE: &str = "build it with -g, or name the folder that has its \
                          .build-id/ab/cdef….debug in `debug_directories` of the configuration";

/// Where debug info was looked for.
fn tried(info: &BinaryInfo) -> String {
    let places = info.debug_info.tried.iter().map(|tried| match tried.place == info.path {
        true => tried.why.clone(),
        false => format!("{}: {}", tried.place, tried.why),
    });
    places.collect::<Vec<_>>().join("; ")
}

/// The line names the binary already.
fn without_path(mut error: Error, path: &Path) -> Error {
    if let Some(rest) = error.sentence.strip_prefix(&path.display().to_string()) {
        error.sentence = rest.trim_start_matches([':', ' ']).to_owned();
    }
    error
}

fn size(info: &BinaryInfo) -> String {
    let units = if info.units == 1 { "unit" } else { "units" };
    format!("{} {units}, {}", info.units, info.machine)
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
            State::Broken => (ERROR, "!!"),
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
