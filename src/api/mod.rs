//! The API: the request and the response of every method, as plain data.
//!
//! What travels over JSON-RPC is exactly what `--json` prints. Each method is a type that ties its
//! name to its two structs ([`Method`]); the engine answers it, the server registers it, the
//! clients call it, all from this one table. Requests refuse unknown names.
//!
//! Addresses and 64-bit values are strings `"0x…"`; sizes and offsets are numbers, in bytes unless
//! the name says bits.

pub mod binary;
pub mod daemon;
pub mod decode;
pub mod diff;
pub mod field_at;
pub mod find;
pub mod functions;
pub mod history;
pub mod layout;
pub mod notes;
pub mod symbols;
pub mod trace;
pub mod triage;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One JSON-RPC method.
pub trait Method {
    /// Its name on the wire, for instance `layout.offsets_of`.
    const NAME: &'static str;
    /// What it does, in a sentence.
    const SUMMARY: &'static str;
    /// Its named parameters.
    type Request: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// Its result.
    type Response: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// Declares a method: the type that stands for it, its name, request, response and summary.
macro_rules! method {
    ($method:ident, $name:literal, $request:ty => $response:ty, $summary:literal) => {
        #[doc = $summary]
        #[derive(Clone, Copy, Debug)]
        pub struct $method;

        impl $crate::api::Method for $method {
            const NAME: &'static str = $name;
            const SUMMARY: &'static str = $summary;
            type Request = $request;
            type Response = $response;
        }
    };
}
pub(crate) use method;

/// Calls a macro with the type of every method: the one table of the API. Server, documents and
/// tests are all made from it.
macro_rules! for_each_method {
    ($each:ident) => {
        $each! {
            $crate::api::daemon::HelloMethod,
            $crate::api::binary::LoadMethod,
            $crate::api::binary::ListMethod,
            $crate::api::layout::OffsetsOfMethod,
            $crate::api::field_at::FieldAtMethod,
            $crate::api::find::FindMethod,
            $crate::api::functions::FunctionsMethod,
            $crate::api::decode::DecodeMethod,
            $crate::api::diff::DiffMethod,
            $crate::api::trace::ParseMethod,
            $crate::api::symbols::SymbolizeMethod,
            $crate::api::symbols::ResolveMethod,
            $crate::api::triage::ReportMethod,
            $crate::api::notes::ListMethod,
            $crate::api::notes::GetMethod,
            $crate::api::notes::CheckMethod,
            $crate::api::history::ListMethod,
            $crate::api::history::GetMethod,
            $crate::api::history::SimilarMethod,
            $crate::api::history::NoteMethod,
            $crate::api::history::DeleteMethod,
            $crate::api::history::ExportMethod,
            $crate::api::history::ImportMethod,
        }
    };
}
pub(crate) use for_each_method;

/// The names of all methods, in the order of the table.
pub fn method_names() -> impl Iterator<Item = &'static str> {
    macro_rules! names {
        ($($method:ty,)*) => { [$(<$method as Method>::NAME),*] };
    }
    crate::api::for_each_method!(names).into_iter()
}
