//! The plugins as they are on disk now: read at the first question that needs them, and again when
//! one has changed.

use std::sync::{Arc, Mutex, PoisonError};

use super::agreement::plugins_hash;
use crate::config::Config;
use crate::notes::{Plugins, Problem};

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct KnownPlugins(Mutex<Option<Arc<Known>>>);

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
    /// As of now. Whoever asks while another reads may read too: files are not read under a lock.
    pub(super) fn now(&self, config: &Config) -> Arc<Known> {
        // Before they are read: one that changes meanwhile then counts as changed.
        let files = plugins_hash(config);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.files == files) {
            return known;
        }
        let (plugins, mut problems) = Plugins::load(&config.plugins);
        problems.splice(0..0, missing(config));
        let known = Arc::new(Known { plugins: Arc::new(plugins), problems, files });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        known
    }
}
