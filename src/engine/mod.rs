//! The engine: open state, and the answer to every method.
//!
//! The daemon and the command line call the same thing:
//!
//! ```no_run
//! # use dbgmate::{api, config::Config, engine::{Answer, Engine}, job::Job};
//! let engine = Engine::new(Config::default());
//! let request = api::trace::ParseRequest { text: Some("#0  main ()".into()), ..Default::default() };
//! let trace = api::trace::ParseMethod::answer(&engine, &Job::new(), request)?;
//! # Ok::<(), dbgmate::error::Error>(())
//! ```
//!
//! Rule: synchronous, prints nothing; one file a question.

mod agreement;
mod binaries;
mod debug_sources;
mod decode;
mod diff;
mod field_at;
mod find;
mod functions;
mod hello;
mod history;
mod installed;
mod known;
mod load;
mod notes;
mod offsets_of;
mod packages;
mod paste;
mod plugins;
mod resolve;
mod search;
mod sources;
mod symbolize;
mod triage;

pub use agreement::agreement_hash;
use agreement::{agreement, fixed_hash};
use binaries::Binaries;
use debug_sources::debug_sources;
use installed::InstalledBinaries;
pub use known::{Because, Known};
pub use packages::install_command;
use plugins::KnownPlugins;

use std::sync::{Arc, OnceLock};

use crate::api::Method;
use crate::binary::Libraries;
use crate::config::Config;
use crate::dwarf::IndexCache;
use crate::error::Error;
use crate::job::Job;
use crate::notes::{Plugin, Plugins, Problem};

/// What is open and known: shared by all requests.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    /// Of what is read once.
    fixed_hash: u64,
    plugins: KnownPlugins,
    libraries: OnceLock<Libraries>,
    installed: InstalledBinaries,
    binaries: Binaries,
    /// Asked of the system once: it looks into several files for that.
    threads: usize,
}

impl Engine {
    /// An engine that has nothing open and has read nothing yet.
    pub fn new(config: Config) -> Self {
        let directory = config.index.directory.clone();
        let indexes = directory.map(|folder| IndexCache::new(folder, config.index.size_bytes));
        let binaries = Binaries::new(debug_sources(&config), indexes);
        let (fixed_hash, plugins, libraries) =
            (fixed_hash(&config), KnownPlugins::default(), OnceLock::new());
        let installed = InstalledBinaries::default();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Engine { config, fixed_hash, plugins, libraries, installed, binaries, threads }
    }

    /// The configuration in effect.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The [`agreement_hash`] of this engine's answers from now on.
    pub fn agreement_hash(&self) -> String {
        agreement(self.fixed_hash, self.plugins.look(&self.config))
    }

    /// The plugins and their notes, as they are now, or were a moment ago where there are very many: those
    /// shipped, and those configured.
    pub fn plugins(&self) -> Arc<Plugins> {
        Arc::clone(&self.plugins.now(&self.config).plugins)
    }

    /// Which plugins there are, and which binaries are theirs, as of now.
    fn plugins_alone(&self) -> Arc<[Plugin]> {
        self.plugins.alone(&self.config)
    }

    /// What is wrong with plugins and notes, and therefore not used.
    pub fn plugin_problems(&self) -> Vec<Problem> {
        self.plugins.now(&self.config).problems.clone()
    }

    /// Waits until what was to be kept for later processes is written.
    pub fn settle(&self) {
        self.binaries.settle();
    }

    /// The folders in which this system keeps shared libraries.
    fn libraries(&self) -> &Libraries {
        self.libraries.get_or_init(Libraries::of_system)
    }

    /// How many threads one question may use.
    fn threads(&self) -> usize {
        self.threads
    }
}

/// How long a method may take: what keeps quick questions from waiting behind long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Answered from what is in memory.
    Quick,
    /// May read files, build an index or go through a large paste.
    Long,
}

/// A method that the engine answers.
pub trait Answer: Method {
    /// How long it may take.
    const EFFORT: Effort = Effort::Long;

    /// Answers one request; may take until the job is stopped.
    fn answer(engine: &Engine, job: &Job, request: Self::Request) -> Result<Self::Response, Error>;
}
