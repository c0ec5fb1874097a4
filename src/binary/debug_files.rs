//! Where is a binary's debug info: in the file itself, under a build-id folder, where its debug link
//! leads, or on a server?
//!
//! Every place that was tried in vain is kept: the answer to "why are there no types" is that list.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::debuginfod::{Debuginfod, Reach};
use super::image::Image;
use super::place::{How, Log, Tried, Unfit};
use super::{BuildId, DebugInfo, debuglink};
use crate::job::{Job, Stopped};

/// Where separate debug info is looked for.
#[derive(Clone, Debug, Default)]
pub struct DebugSources {
    /// Folders with debug files, as `.build-id/ab/cdef….debug` and at the paths of their binaries.
    pub directories: Vec<PathBuf>,
    /// Servers to ask by build-id, when the folders have nothing.
    pub debuginfod: Option<Arc<Debuginfod>>,
    /// Whether they may be asked.
    pub reach: Reach,
}

impl DebugSources {
    /// The same, for one who may reach so far.
    pub fn reaching(&self, reach: Reach) -> DebugSources {
        DebugSources { reach, ..self.clone() }
    }

    /// What the servers have of a build-id, if they may be asked, and `is_it` says so.
    pub(super) fn ask_debuginfod(
        &self,
        job: &Job,
        build_id: &BuildId,
        log: &mut Log,
        is_it: impl Fn(&Image) -> Result<(), Unfit>,
    ) -> Result<Option<(Image, How)>, Stopped> {
        let Some(debuginfod) = &self.debuginfod else { return Ok(None) };
        debuginfod.debug_info(job, build_id, self.reach, log, is_it)
    }
}

/// The outcome of the search.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) debug_info: Option<DebugInfo>,
    log: Log,
}

impl Found {
    /// The places tried before the debug info was found, or all of them.
    pub(super) fn tried(&self) -> &[Tried] {
        &self.log.tried
    }

    /// Whether the separate files are as they were, the missing ones still missing.
    pub(super) fn is_current(&self) -> bool {
        self.log.is_current() && self.debug_info.as_ref().is_none_or(DebugInfo::is_current)
    }
}

/// Looks for the debug info of a binary.
pub(super) fn find(
    job: &Job,
    image: &Arc<Image>,
    sources: &DebugSources,
) -> Result<Found, Stopped> {
    let mut search = Search { job, image, sources, log: Log::default() };
    let debug_info = search.run()?;
    Ok(Found { debug_info, log: search.log })
}

struct Search<'s> {
    job: &'s Job,
    image: &'s Arc<Image>,
    sources: &'s DebugSources,
    log: Log,
}

impl Search<'_> {
    fn run(&mut self) -> Result<Option<DebugInfo>, Stopped> {
        if self.image.sections.has_debug_info() {
            let image = Arc::clone(self.image);
            return DebugInfo::new(self.job, self.image, image, How::Inside, self.sources)
                .map(Some);
        }
        self.log.fail(&self.image.path, "it has no .debug_info section");
        let links = &self.image.links;
        if self.image.identity.build_id.is_none() && links.debuglink.is_none() {
            let why = "it has neither a build-id nor a .gnu_debuglink to look for it by";
            self.log.fail(&self.image.path, why);
        }
        let Some((image, how)) = self.elsewhere()? else { return Ok(None) };
        DebugInfo::new(self.job, self.image, Arc::new(image), how, self.sources).map(Some)
    }

    fn elsewhere(&mut self) -> Result<Option<(Image, How)>, Stopped> {
        for way in [Search::by_build_id, Search::by_debuglink, Search::by_debuginfod] {
            if let Some(found) = way(self)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn by_build_id(&mut self) -> Result<Option<(Image, How)>, Stopped> {
        let Some(build_id) = &self.image.identity.build_id else { return Ok(None) };
        for directory in &self.sources.directories {
            let place = build_id_path(directory, build_id);
            if let Some(image) = self.log.open(&place, |image| is_of_build(image, build_id))? {
                return Ok(Some((image, How::BuildId)));
            }
        }
        Ok(None)
    }

    fn by_debuglink(&mut self) -> Result<Option<(Image, How)>, Stopped> {
        let link = match &self.image.links.debuglink {
            None => return Ok(None),
            Some(Err(why)) => {
                self.log
                    .fail(&self.image.path, format!("its .gnu_debuglink cannot be used: {why}"));
                return Ok(None);
            }
            Some(Ok(link)) => link,
        };
        let places = debuglink::places(&self.image.path, &link.name, &self.sources.directories);
        for place in places {
            let is_it = |image: &Image| debuglink::is_linked(self.job, self.image, link, image);
            if let Some(image) = self.log.open(&place, is_it)? {
                return Ok(Some((image, How::DebugLink)));
            }
        }
        Ok(None)
    }

    fn by_debuginfod(&mut self) -> Result<Option<(Image, How)>, Stopped> {
        let Some(build_id) = &self.image.identity.build_id else { return Ok(None) };
        let is_it = |image: &Image| is_of_build(image, build_id);
        self.sources.ask_debuginfod(self.job, build_id, &mut self.log, is_it)
    }
}

/// `DIR/.build-id/ab/cdef….debug`.
pub(super) fn build_id_path(directory: &Path, build_id: &BuildId) -> PathBuf {
    let digits = build_id.to_string();
    let (folder, name) = digits.split_at(2);
    directory.join(".build-id").join(folder).join(format!("{name}.debug"))
}

/// A separate debug file counts only when it carries the build-id it is filed under.
fn is_of_build(image: &Image, build_id: &BuildId) -> Result<(), Unfit> {
    if image.identity.build_id.as_ref() != Some(build_id) {
        return Err("its build-id is another one".into());
    }
    image.has_debug_info()
}
