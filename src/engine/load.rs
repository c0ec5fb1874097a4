//! `binary.load` and `binary.list`.

use std::path::PathBuf;
use std::sync::Arc;

use super::binaries::Opened;
use super::{Answer, Effort, Engine};
use crate::api::binary::{
    Binaries, BinaryInfo, BinaryRef, ListMethod, ListRequest, LoadMethod, LoadRequest, Provenance,
};
use crate::binary::debuginfod::Reach;
use crate::error::{Error, Kind};
use crate::job::Job;

/// A list has so many entries where the request does not say.
const DEFAULT_LIMIT: usize = 100;

impl Answer for LoadMethod {
    fn answer(engine: &Engine, job: &Job, request: LoadRequest) -> Result<BinaryInfo, Error> {
        let opened = engine.open(job, &request.binary)?;
        opened.file.index(job, engine.threads())?;
        Ok(info(&opened))
    }
}

impl Answer for ListMethod {
    const EFFORT: Effort = Effort::Quick;

    fn answer(engine: &Engine, _: &Job, request: ListRequest) -> Result<Binaries, Error> {
        let open = engine.binaries.list();
        let after = PathBuf::from(request.cursor.unwrap_or_default());
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT).max(1);
        // Paths are ordered by their parts, as the list is.
        let mut rest = open.iter().filter(|opened| opened.binary().path() > after.as_path());
        let page: Vec<&Arc<Opened>> = rest.by_ref().take(limit).collect();
        let next = rest.next().and(page.last()).map(|last| path_of(last));
        Ok(Binaries { binaries: page.into_iter().map(|opened| info(opened)).collect(), next })
    }
}

impl Engine {
    /// What a binary is and where its debug info is, without building its index.
    pub fn examine(&self, job: &Job, path: &std::path::Path) -> Result<BinaryInfo, Error> {
        Ok(info(&*self.binaries.open(job, path, Reach::Cache)?))
    }

    /// Opens what a request names.
    pub(super) fn open(&self, job: &Job, reference: &BinaryRef) -> Result<Arc<Opened>, Error> {
        match reference {
            BinaryRef::Path(path) => {
                let path = std::path::Path::new(path);
                if !path.is_absolute() {
                    return Err(Error::new(
                        Kind::Request,
                        format!("{:?} is not an absolute path", path.display().to_string()),
                    )
                    .hint("name the binary from the root folder on"));
                }
                Ok(self.binaries.open(job, path, Reach::Servers)?)
            }
            BinaryRef::BuildId(build_id) => self.binaries.by_build_id(build_id).ok_or_else(|| {
                Error::new(Kind::NotFound, format!("no open binary has the build-id {build_id:?}"))
                    .hint("load it by its path; a file that changed has to be loaded again")
            }),
        }
    }
}

fn path_of(opened: &Opened) -> String {
    opened.binary().path().display().to_string()
}

fn info(opened: &Opened) -> BinaryInfo {
    let binary = opened.binary();
    BinaryInfo {
        path: path_of(opened),
        build_id: binary.build_id().map(ToString::to_string),
        machine: binary.identity().machine.clone(),
        size: binary.size(),
        debug_info: Provenance::from(opened),
        types: opened.file.indexed().map(|index| index.len()),
        units: opened.file.unit_count(),
    }
}
