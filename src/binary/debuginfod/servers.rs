//! Which debuginfod servers may be asked, and who says so?
//!
//! Nobody is asked unless a person or their administrator has named a server: in the configuration, in
//! `$DEBUGINFOD_URLS` as for every other client (debuginfod-client-config(7)), or in
//! `/etc/debuginfod/*.urls`, from which distributions set that variable in login shells only.

use std::path::Path;

/// Where distributions name their servers.
const SYSTEM_FOLDER: &str = "/etc/debuginfod";

/// The servers to ask, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Servers {
    /// Their addresses, without `/buildid` and what follows; none: debuginfod is off.
    pub urls: Vec<String>,
    /// Who has named them, or has said that none is to be asked.
    pub named_by: NamedBy,
}

/// Who names servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// The configuration.
    Configuration,
    /// `$DEBUGINFOD_URLS`.
    Environment,
    /// `/etc/debuginfod/*.urls`.
    System,
    /// Nobody does.
    Nobody,
}

impl Servers {
    /// The servers of the configuration, if it has anything to say; else those of the environment;
    /// else those of the system.
    pub fn of_system(configured: Option<&[String]>) -> Servers {
        let environment = std::env::var_os("DEBUGINFOD_URLS");
        let environment = environment.map(|urls| urls.to_string_lossy().into_owned());
        Servers::choose(configured, environment.as_deref(), Path::new(SYSTEM_FOLDER))
    }

    /// The addresses in words, without names and passwords in them.
    pub fn shown(&self) -> String {
        let urls = self.urls.iter().map(|url| super::shown(url).display().to_string());
        urls.collect::<Vec<_>>().join(" ")
    }

    fn choose(configured: Option<&[String]>, environment: Option<&str>, system: &Path) -> Servers {
        let (urls, named_by) = match (configured, environment) {
            (Some(urls), _) => (urls.to_vec(), NamedBy::Configuration),
            // Set and empty, it switches debuginfod off, as libdebuginfod has it.
            (None, Some(urls)) => (urls_in(urls), NamedBy::Environment),
            (None, None) => (urls_of_system(system), NamedBy::System),
        };
        let named_by = match (urls.is_empty(), named_by) {
            (true, NamedBy::System) => NamedBy::Nobody,
            (_, named_by) => named_by,
        };
        let mut once: Vec<String> = Vec::new();
        for url in urls {
            let url = url.trim_end_matches('/').to_owned();
            if !once.contains(&url) {
                once.push(url);
            }
        }
        Servers { urls: once, named_by }
    }
}

/// The addresses in a text: words between white space. `ima:…` between them is a policy for the files
/// that follow, of elfutils 0.192 and later, and no address.
fn urls_in(text: &str) -> Vec<String> {
    let words = text.split_whitespace().filter(|word| !word.starts_with("ima:"));
    words.map(str::to_owned).collect()
}

fn urls_of_system(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|suffix| suffix == "urls"));
    paths.sort_unstable();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.flat_map(|text| urls_in(&text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_wins_over_the_environment_and_that_over_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("none");
        std::fs::write(folder.path().join("b.urls"), "https://b/\nhttps://c\n").unwrap();
        std::fs::write(folder.path().join("a.urls"), "ima:enforcing https://a\n").unwrap();
        std::fs::write(folder.path().join("README"), "https://readme\n").unwrap();
        let system = folder.path();
        let chosen = |configured: Option<&[&str]>, environment, system| {
            let configured: Option<Vec<String>> =
                configured.map(|urls| urls.iter().map(|url| (*url).to_owned()).collect());
            let servers = Servers::choose(configured.as_deref(), environment, system);
            (servers.urls.join(" "), servers.named_by)
        };
        let environment = Some("https://x/ http://y:8002  https://x");
        for (configured, environment, system, urls, named_by) in [
            (Some(&["http://z"][..]), environment, system, "http://z", NamedBy::Configuration),
            (Some(&[][..]), environment, system, "", NamedBy::Configuration),
            (None, environment, system, "https://x http://y:8002", NamedBy::Environment),
            (None, Some(""), system, "", NamedBy::Environment),
            (None, None, system, "https://a https://b https://c", NamedBy::System),
            (None, None, nowhere.as_path(), "", NamedBy::Nobody),
        ] {
            assert_eq!(chosen(configured, environment, system), (urls.to_owned(), named_by));
        }
    }
}
