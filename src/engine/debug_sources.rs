//! Where debug info is looked for, as configured.

use std::sync::Arc;
use std::time::Duration;

use crate::binary::DebugSources;
use crate::binary::debuginfod::{Debuginfod, Limits, Reach, Servers, cache_folder};
use crate::config::Config;

/// The folders, and the servers if any are named.
pub(super) fn debug_sources(config: &Config) -> DebugSources {
    let configured = &config.debuginfod;
    let limits = Limits {
        connect: Duration::from_secs(configured.connect_seconds),
        stall: Duration::from_secs(configured.stall_seconds),
        total: Duration::from_secs(configured.total_seconds),
        size: configured.size_bytes,
    };
    let debuginfod = Debuginfod::new(&servers(config), cache_folder(), limits);
    DebugSources {
        directories: config.debug_directories.clone(),
        debuginfod: debuginfod.map(Arc::new),
        reach: Reach::Servers,
    }
}

/// The servers that may be asked, and who names them.
pub(super) fn servers(config: &Config) -> Servers {
    Servers::of_system(config.debuginfod.urls.as_deref())
}
