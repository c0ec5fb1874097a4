//! What pointers point to: symbols of the binary, and of the other modules of the process, where it is
//! known where they were loaded.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::binaries::Opened;
use super::super::symbolize::given;
use super::super::{Engine, paste};
use crate::address::{LoadBias, RuntimeAddress};
use crate::api::decode::{DecodeMatch, DecodeRequest, DecodedValue};
use crate::binary::debuginfod::Reach;
use crate::binary::{Binary, Kind};
use crate::error::Error;
use crate::job::Job;
use crate::symbols::demangle;
use crate::trace::Module;
use crate::types::{self, Decoded};

/// What is known of the process that the bytes are of.
pub(super) struct Pointers<'e> {
    engine: &'e Engine,
    job: &'e Job,
    request: &'e DecodeRequest,
    modules: Vec<Module>,
    /// Modules that were opened, by their path.
    opened: RefCell<FxHashMap<String, Option<Arc<Opened>>>>,
}

impl<'e> Pointers<'e> {
    pub(super) fn new(
        engine: &'e Engine,
        job: &'e Job,
        request: &'e DecodeRequest,
    ) -> Result<Pointers<'e>, Error> {
        let modules = match &request.maps {
            Some(maps) => paste::read(engine, job, None, Some(maps), &[])?.modules,
            None => Vec::new(),
        };
        Ok(Pointers { engine, job, request, modules, opened: RefCell::default() })
    }

    /// Names the pointers of a match, whose type is of this binary.
    pub(super) fn name(&self, own: &Arc<Opened>, decoded: &Decoded, found: &mut DecodeMatch) {
        let bias = self.bias(own);
        let mut seen = Seen::default();
        self.value(own, bias, decoded, &mut found.value, &mut seen);
        if seen.pointers > 0 && bias.is_none() && self.modules.is_empty() {
            let path = own.binary().path().display();
            found.unnamed_pointers = Some(format!(
                "pointers are not named: where {path} was loaded is not known (--base, --maps)"
            ));
        }
    }

    fn value(
        &self,
        own: &Arc<Opened>,
        bias: Option<LoadBias>,
        decoded: &Decoded,
        value: &mut DecodedValue,
        seen: &mut Seen,
    ) {
        if let Some(address) = decoded.pointer.filter(|address| *address != 0) {
            seen.pointers += 1;
            let address = RuntimeAddress(address);
            let own = bias.and_then(|bias| symbol(own, bias, address));
            value.points_to = own.or_else(|| self.elsewhere(address));
        }
        for (decoded, value) in decoded.values.iter().zip(&mut value.values) {
            self.value(own, bias, decoded, value, seen);
        }
    }

    /// Where the binary of the type was loaded.
    fn bias(&self, own: &Opened) -> Option<LoadBias> {
        let binary = own.binary();
        if let Some(base) = self.request.base {
            return given::bias_at(binary, base);
        }
        let mut listed = self.modules.iter().filter(|module| is_of(module, binary));
        let listed = listed.find_map(|module| given::bias(binary, module));
        let labelled = || {
            types::labels(&self.request.bytes).find_map(|label| {
                let file = own.symbols().address_of(&own.file, label.name)?;
                Some(LoadBias::between(RuntimeAddress(label.address), file))
            })
        };
        let linked = (binary.identity().kind == Kind::Fixed).then_some(LoadBias(0));
        listed.or(linked).or_else(labelled)
    }

    /// The symbol in another module.
    fn elsewhere(&self, address: RuntimeAddress) -> Option<String> {
        let holds = |module: &&Module| {
            module.start.is_some_and(|start| start <= address)
                && module.end.is_some_and(|end| address < end)
        };
        let module = self.modules.iter().find(holds)?;
        let opened = self.opened.borrow().get(&module.path).cloned();
        let opened = opened.unwrap_or_else(|| {
            let path = Path::new(&module.path);
            let opened = self.engine.binaries.open(self.job, path, Reach::Cache).ok();
            self.opened.borrow_mut().insert(module.path.clone(), opened.clone());
            opened
        })?;
        symbol(&opened, given::bias(opened.binary(), module)?, address)
    }
}

#[derive(Default)]
struct Seen {
    /// Those that are not null.
    pointers: usize,
}

/// Whether a module is this binary, by the name of its file: the named one may be its unstripped twin.
fn is_of(module: &Module, binary: &Binary) -> bool {
    let listed = Path::new(&module.path);
    let same = |name: &str| listed.file_name().is_some_and(|listed| listed == name);
    let soname = binary.identity().soname.as_deref();
    listed.file_name() == binary.path().file_name() || soname.is_some_and(same)
}

/// `fd_callback`, `ctx+16`.
fn symbol(opened: &Opened, bias: LoadBias, address: RuntimeAddress) -> Option<String> {
    let address = bias.to_file(address);
    let mut segments = opened.binary().identity().segments.iter();
    segments.find(|segment| segment.holds(address))?;
    let symbols = opened.symbols();
    let named = symbols.name(&opened.file, address);
    let named = named.or_else(|| symbols.object(&opened.file, address))?;
    let name = demangle(named.name);
    Some(match named.offset {
        0 => name.into_owned(),
        offset => format!("{name}+{offset}"),
    })
}
