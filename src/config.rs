//! The configuration: `dbgmate/config.toml` in the XDG configuration folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// What a person has configured; all of it optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Binaries to search when a question names none.
    pub binaries: Vec<PathBuf>,
    /// Folders under which separate debug info lies, as `.build-id/ab/cdef….debug` or at the path of
    /// its binary.
    pub debug_directories: Vec<PathBuf>,
    /// Folders below which sources may be read, to be shown beside frames.
    pub source_roots: Vec<PathBuf>,
    /// Where the folders that compilers were told are now.
    pub source_map: Vec<SourceMap>,
    /// Folders of plugins, besides those shipped and the one beside the configuration.
    pub plugins: Vec<PathBuf>,
    /// The longest one request may take, in seconds.
    pub deadline_seconds: u64,
    /// Servers of debug info.
    pub debuginfod: Debuginfod,
    /// Where indexes of types are kept.
    pub index: Index,
    /// Which crashes are remembered.
    pub history: History,
    /// What the daemon takes on.
    pub daemon: Daemon,
}

/// One folder of sources that has moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMap {
    /// How paths in debug info begin.
    pub from: PathBuf,
    /// What to read instead: a folder below one of `source_roots`.
    pub to: PathBuf,
}

/// The `[debuginfod]` table: servers of debug info, and what a download may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Debuginfod {
    /// The servers; where this is absent, those that the system names; where it is empty, none.
    pub urls: Option<Vec<String>>,
    /// The time until there is a connection, in seconds.
    pub connect_seconds: u64,
    /// The time until an answer begins, and in which at least 100 KiB must come then, in seconds.
    pub stall_seconds: u64,
    /// The time for one download, in seconds.
    pub total_seconds: u64,
    /// The size of one download, in bytes.
    pub size_bytes: u64,
}

impl Default for Debuginfod {
    fn default() -> Self {
        Debuginfod {
            urls: None,
            connect_seconds: 5,
            stall_seconds: 20,
            total_seconds: 300,
            // A kernel's debug info is 700 MB, a browser's 2 GB.
            size_bytes: 4 << 30,
        }
    }
}

/// The `[index]` table: where indexes of types are kept from one process to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Index {
    /// The folder; [`Config::load`] fills in the one in the XDG cache folder. None: they are not kept.
    pub directory: Option<PathBuf>,
    /// What all of them may take together, in bytes; what was used longest ago makes room.
    pub size_bytes: u64,
}

impl Default for Index {
    fn default() -> Self {
        Index { directory: None, size_bytes: 1 << 30 }
    }
}

/// The `[history]` table: which crashes are remembered, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// Every triage remembers; otherwise those that are told to.
    pub enabled: bool,
    /// So many crashes: what was remembered longest ago makes room.
    pub keep: u64,
    /// The file; [`Config::load`] fills in the one in the XDG data folder. None: there is no history.
    pub file: Option<PathBuf>,
}

impl Default for History {
    fn default() -> Self {
        History { enabled: false, keep: 100_000, file: None }
    }
}

/// The `[daemon]` table: limits of the daemon, none of which changes an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Daemon {
    /// Requests worked on at once; fewer than 2 count as 2, since long ones never take the last.
    pub workers: usize,
    /// Requests in the daemon at once, those waiting for a worker included.
    pub requests: usize,
    /// Connections open at once.
    pub connections: usize,
    /// Calls in one batch.
    pub batch: u32,
    /// One request, in bytes of JSON; a batch counts as one.
    pub request_bytes: u32,
    /// One response, in bytes of JSON.
    pub response_bytes: u32,
    /// How long requests may take to end when the daemon is told to stop, in seconds.
    pub stop_seconds: u64,
}

impl Default for Daemon {
    fn default() -> Self {
        Daemon {
            workers: 8,
            requests: 256,
            connections: 64,
            batch: 64,
            // A paste of 64 MiB with room for what JSON escapes.
            request_bytes: 96 << 20,
            response_bytes: 256 << 20,
            stop_seconds: 5,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            binaries: Vec::new(),
            debug_directories: vec![PathBuf::from("/usr/lib/debug")],
            source_roots: Vec::new(),
            source_map: Vec::new(),
            plugins: Vec::new(),
            deadline_seconds: 60,
            debuginfod: Debuginfod::default(),
            index: Index::default(),
            history: History::default(),
            daemon: Daemon::default(),
        }
    }
}

impl Config {
    /// The file the configuration is read from, whether or not it exists.
    pub fn path() -> Option<PathBuf> {
        Some(directory()?.join("config.toml"))
    }

    /// Reads the configuration; a file that does not exist is an empty one.
    pub fn load() -> Result<Config, Error> {
        match Config::path() {
            Some(path) => Config::read(&path),
            None => Ok(Config::default().with_user_folders()),
        }
    }

    fn read(path: &Path) -> Result<Config, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Error::new(
                    Kind::Configuration,
                    format!("cannot read the configuration {}: {error}", path.display()),
                ));
            }
        };
        let config: Config = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let what = error.message().lines().collect::<Vec<_>>().join(" ");
            Error::new(Kind::Configuration, format!("{}:{line}: {what}", path.display()))
                .hint("mend that line; docs/configuration.md lists what may stand there")
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(config.resolved(folder).with_user_folders())
    }

    /// Relative paths start at the folder of the file they stand in: whoever answers, wherever it
    /// was started, they name the same files.
    fn resolved(mut self, folder: &Path) -> Config {
        for map in &mut self.source_map {
            map.to = folder.join(&map.to);
        }
        let lists = [
            &mut self.binaries,
            &mut self.debug_directories,
            &mut self.source_roots,
            &mut self.plugins,
        ];
        for path in lists
            .into_iter()
            .flatten()
            .chain(&mut self.index.directory)
            .chain(&mut self.history.file)
        {
            *path = folder.join(&path);
        }
        self
    }

    /// The plugins beside the configuration come last, so that their notes override the others.
    fn with_user_folders(mut self) -> Config {
        if let Some(folder) = directory().map(|folder| folder.join("plugins")) {
            self.plugins.push(folder);
        }
        let base = etcetera::choose_base_strategy().ok();
        if self.index.directory.is_none() {
            let cache = base.as_ref().map(|base| base.cache_dir());
            self.index.directory = cache.map(|folder| folder.join("dbgmate/index"));
        }
        if self.history.file.is_none() {
            self.history.file = base.map(|base| base.data_dir().join("dbgmate/history.db"));
        }
        self
    }

    /// The folders of plugins that are named by hand, without the one beside the configuration, which
    /// few have.
    pub fn named_plugins(&self) -> impl Iterator<Item = &PathBuf> {
        let beside = directory().map(|folder| folder.join("plugins"));
        self.plugins.iter().filter(move |folder| Some(*folder) != beside.as_ref())
    }

    /// The longest one request may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }

    /// A hash (64-bit FNV-1a) of all of it that changes answers: where two differ, so may those.
    pub fn hash(&self) -> String {
        use std::hash::Hasher;
        let (daemon, index) = (Daemon::default(), Index::default());
        let answering = Config { daemon, index, ..self.clone() };
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(serde_json::to_string(&answering).unwrap_or_default().as_bytes());
        format!("{:016x}", hasher.finish())
    }
}

fn directory() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("dbgmate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_answers_changes_the_hash() {
        let config = Config::default();
        let daemon = Daemon { workers: 3, ..Daemon::default() };
        let index = Index { size_bytes: 0, ..Index::default() };
        assert_eq!(Config { daemon, index, ..config.clone() }.hash(), config.hash());
        let binaries = vec![PathBuf::from("/usr/sbin/libvirtd")];
        assert_ne!(Config { binaries, ..config.clone() }.hash(), config.hash());
    }

    #[test]
    fn relative_paths_start_at_the_folder_of_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        let text = r#"
            binaries = ["build/libvirtd", "/usr/sbin/libvirtd"]
            debug_directories = ["debug"]
            plugins = ["../mine"]
        "#;
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).unwrap();
        let here = |path: &str| home.path().join(path);
        assert_eq!(config.binaries, [here("build/libvirtd"), "/usr/sbin/libvirtd".into()]);
        assert_eq!(config.debug_directories, [here("debug")]);
        assert_eq!(config.plugins[0], here("../mine"));
        assert!(config.plugins.iter().all(|path| path.is_absolute()), "{:?}", config.plugins);
    }

    #[test]
    fn the_daemon_table_is_optional_and_exact() {
        let config: Config = toml::from_str("[daemon]\nconnections = 3\n").unwrap();
        assert_eq!(config.daemon, Daemon { connections: 3, ..Daemon::default() });
        assert!(toml::from_str::<Config>("[daemon]\nconnection = 3\n").is_err());
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let page = include_str!("../docs/configuration.md");
        let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let mut documented: toml::Table = toml::from_str(block).unwrap();
        assert_eq!(documented.clone().try_into::<Config>().unwrap(), Config::default());
        // And none is left out.
        let all: toml::Table = toml::Table::try_from(Config::default()).unwrap();
        let daemon = documented.remove("daemon").unwrap();
        assert!(all["daemon"].as_table().unwrap().keys().eq(daemon.as_table().unwrap().keys()));
        assert!(all.keys().filter(|key| *key != "daemon").eq(documented.keys()));
    }
}
