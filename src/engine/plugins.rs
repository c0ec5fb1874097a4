//! The plugins as they are on disk now: read at the first question that needs them, and again when
//! one has changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::agreement::plugins_hash;
use crate::config::Config;
use crate::notes::{Plugin, Plugins, Problem};

/// To look at all files of very many notes takes longer than to match a paste with them. It is done
/// again when so many times that time has passed: it then takes at most a twentieth of a processor.
const PAUSE: u32 = 20;

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct KnownPlugins(Mutex<State>);

#[derive(Clone, Debug, Default)]
struct State {
    known: Option<Arc<Known>>,
    /// The plugins without their notes, and the state of their files.
    alone: Option<(Arc<[Plugin]>, u64)>,
    looked: Option<Looked>,
}

impl State {
    /// Whether the files were looked at a moment ago.
    fn is_recent(&self) -> bool {
        self.looked.is_some_and(|looked| looked.at.elapsed() < looked.took * PAUSE)
    }
}

/// When all files were looked at, and how long that took.
#[derive(Clone, Copy, Debug)]
struct Looked {
    at: Instant,
    took: Duration,
}

/// The plugins, what is wrong with them, and the state of the files they were read from.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) plugins: Arc<Plugins>,
    pub(super) problems: Vec<Problem>,
    files: u64,
}

/// The folders that the configuration names and that are not there.
pub(super) fn missing(config: &Config) -> impl Iterator<Item = Problem> {
    config.named_plugins().filter(|folder| !folder.exists()).map(|folder| Problem {
        file: folder.display().to_string(),
        line: None,
        what: "there is no such folder of plugins".to_owned(),
        hint: "put it back, or mend `plugins` in config.toml".to_owned(),
    })
}

impl KnownPlugins {
    /// As of now, or of a moment ago where there are very many. Whoever asks while another reads may read
    /// too: files are not read under a lock.
    pub(super) fn now(&self, config: &Config) -> Arc<Known> {
        let state = self.state().clone();
        if let Some(known) = state.known.clone().filter(|_| state.is_recent()) {
            return known;
        }
        // Before they are read: one that changes meanwhile then counts as changed.
        let files = self.look(config);
        if let Some(known) = self.state().known.clone() {
            return known;
        }
        let (plugins, mut problems) = Plugins::load(&config.plugins);
        problems.splice(0..0, missing(config));
        let known = Arc::new(Known { plugins: Arc::new(plugins), problems, files });
        self.state().known = Some(Arc::clone(&known));
        known
    }

    /// A hash of the files as of now; what was read of others is forgotten.
    pub(super) fn look(&self, config: &Config) -> u64 {
        let at = Instant::now();
        let files = plugins_hash(config);
        let mut state = self.state();
        state.looked = Some(Looked { at, took: at.elapsed() });
        state.known.take_if(|known| known.files != files);
        state.alone.take_if(|(_, then)| *then != files);
        files
    }

    /// The plugins alone, as of now: which binaries are theirs is asked far more often than what they know.
    pub(super) fn alone(&self, config: &Config) -> Arc<[Plugin]> {
        let state = self.state().clone();
        if let Some((plugins, _)) = state.alone.clone().filter(|_| state.is_recent()) {
            return plugins;
        }
        let files = self.look(config);
        if let Some((plugins, _)) = self.state().alone.clone() {
            return plugins;
        }
        let plugins: Arc<[Plugin]> = Plugin::all(&config.plugins).into();
        self.state().alone = Some((Arc::clone(&plugins), files));
        plugins
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_changes_is_read_again_and_what_does_not_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { plugins: vec![folder.path().to_owned()], ..Config::default() };
        let plugin = folder.path().join("mine");
        fs::create_dir(&plugin).unwrap();
        let manifest = |module: &str| {
            let text = format!("name = \"mine\"\nbinaries = [\"{module}\"]\n");
            fs::write(plugin.join("plugin.toml"), text).unwrap();
        };
        manifest("first");
        let known = KnownPlugins::default();
        let before = known.now(&config);
        assert!(Arc::ptr_eq(&before, &known.now(&config)));
        known.look(&config);
        assert!(Arc::ptr_eq(&before, &known.now(&config)), "nothing has changed");
        manifest("second one");
        let until = Instant::now() + Duration::from_secs(60);
        let has_changed = || {
            let now = known.now(&config);
            let found = now.plugins.iter().any(|plugin| plugin.binaries == ["second one"]);
            found && !Arc::ptr_eq(&before, &now)
        };
        while !has_changed() {
            assert!(Instant::now() < until, "it was never read again");
        }
        fs::remove_dir_all(folder.path()).unwrap();
        known.look(&config);
        let gone = known.now(&config);
        assert!(gone.plugins.iter().all(|plugin| plugin.name != "mine"));
        assert_eq!(gone.problems.len(), 1, "{:?}", gone.problems);
    }
}
