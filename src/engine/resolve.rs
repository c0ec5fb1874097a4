//! `address.resolve`, and what one address of a binary is, for all who ask.

use std::path::Path;

use super::binaries::Opened;
use super::sources::{Sources, normalized};
use super::{Answer, Engine};
use crate::address::FileAddress;
use crate::api::binary::Provenance;
use crate::api::symbols::{ResolveMethod, ResolveRequest, ResolvedAddress, ResolvedAddresses};
use crate::error::Error;
use crate::job::{Job, Stopped};
use crate::symbols::{Lookup, Reference, SourceFrame, Symbols, Via, demangle, words};
use crate::trace::{Certainty, Resolved, ResolvedFrame};

/// From so many addresses on, the tables they need are read by several threads.
const MANY: usize = 64;

impl Answer for ResolveMethod {
    fn answer(
        engine: &Engine,
        job: &Job,
        request: ResolveRequest,
    ) -> Result<ResolvedAddresses, Error> {
        let opened = engine.open(job, &request.binary)?;
        let symbols = opened.symbols();
        let sources = engine.sources(request.context);
        let sources = sources.as_ref();
        let resolver = Resolver::new(engine, job, &opened, &symbols, sources, &request.addresses)?;
        let reference = request.verify.then(|| Reference::new(&opened.file)).flatten();
        let mut addresses = Vec::with_capacity(request.addresses.len());
        for address in request.addresses {
            let resolved = resolver.at(job, address, Certainty::Certain)?;
            let differs = match &reference {
                Some(reference) => resolver.difference(job, address, reference)?,
                None => None,
            };
            addresses.push(ResolvedAddress { address, resolved, differs });
        }
        let problem = symbols.problem().map(str::to_owned);
        Ok(ResolvedAddresses { addresses, debug_info: Provenance::from(&*opened), problem })
    }
}

/// Looks addresses of one binary up and puts them into words.
pub(super) struct Resolver<'o> {
    opened: &'o Opened,
    symbols: &'o Symbols,
    lookup: Lookup<'o>,
    /// Where source lines come from, if they are wanted.
    sources: Option<&'o Sources<'o>>,
    module: String,
    build_id: Option<String>,
}

impl<'o> Resolver<'o> {
    /// Eyes on a binary in which these addresses will be looked up.
    pub(super) fn new(
        engine: &Engine,
        job: &Job,
        opened: &'o Opened,
        symbols: &'o Symbols,
        sources: Option<&'o Sources<'o>>,
        addresses: &[FileAddress],
    ) -> Result<Resolver<'o>, Stopped> {
        if addresses.len() >= MANY {
            symbols.read_ahead(job, &opened.file, addresses, engine.threads())?;
        }
        let binary = opened.binary();
        Ok(Resolver {
            opened,
            symbols,
            lookup: symbols.lookup(&opened.file),
            sources,
            module: binary.path().display().to_string(),
            build_id: binary.build_id().map(ToString::to_string),
        })
    }

    /// What the reference says of an address, where that is something else.
    fn difference(
        &self,
        job: &Job,
        address: FileAddress,
        reference: &Reference<'_>,
    ) -> Result<Option<String>, Stopped> {
        let own = words(self.lookup.frames(job, address)?.into_iter().flatten());
        Ok(Some(reference.words(address)).filter(|theirs| *theirs != own))
    }

    /// What is at an address of the code; none where nothing is known to be.
    pub(super) fn at(
        &self,
        job: &Job,
        address: FileAddress,
        certainty: Certainty,
    ) -> Result<Option<Resolved>, Stopped> {
        let frames = self.lookup.frames(job, address)?;
        let frames = frames.into_iter().flatten();
        let frames = frames.map(|frame| self.resolved_frame(job, &frame));
        let mut frames = frames.collect::<Result<Vec<ResolvedFrame>, Stopped>>()?;
        let mut via = Via::Dwarf;
        // Assembly has lines and no functions.
        if frames.last().is_none_or(|frame| frame.function.is_none())
            && let Some(named) = self.symbols.name(&self.opened.file, address)
        {
            via = named.via;
            if frames.is_empty() {
                frames.push(ResolvedFrame::default());
            }
            if let Some(frame) = frames.last_mut() {
                frame.function = Some(demangle(named.name).into_owned());
                frame.offset = Some(named.offset);
            }
        }
        if frames.is_empty() {
            return Ok(None);
        }
        Ok(Some(Resolved {
            frames,
            module: self.module.clone(),
            build_id: self.build_id.clone(),
            certainty,
            via: via.name().to_owned(),
        }))
    }

    fn resolved_frame(&self, job: &Job, frame: &SourceFrame<'_>) -> Result<ResolvedFrame, Stopped> {
        let line = Some(frame.line).filter(|line| *line > 0);
        let file = frame.path.map(|path| normalized(Path::new(&path.to_string())));
        let file = file.map(|path| path.display().to_string());
        let source = match (self.sources, &file, line) {
            (Some(sources), Some(file), Some(line)) => {
                sources.around(job, self.opened.binary().build_id(), file, line)?
            }
            _ => None,
        };
        Ok(ResolvedFrame {
            function: frame.function.map(|name| demangle(name).into_owned()),
            offset: None,
            file,
            line,
            column: Some(frame.column).filter(|column| *column > 0),
            source: source.unwrap_or_default(),
        })
    }
}

impl Engine {
    /// Where so many lines of source around a place are read from, if they are wanted.
    pub(super) fn sources(&self, context: Option<u32>) -> Option<Sources<'_>> {
        let (config, debuginfod) = (self.config(), self.binaries.debuginfod());
        let (roots, map) = (&config.source_roots, &config.source_map);
        context.map(|context| Sources::new(roots, map, debuginfod, context))
    }
}
