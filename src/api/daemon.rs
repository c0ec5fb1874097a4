//! `daemon.*`: who answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method;

/// The version of the protocol: it grows when a method changes in a way an older client would
/// misread.
pub const PROTOCOL: u32 = 1;

method!(HelloMethod, "daemon.hello", HelloRequest => Hello,
    "Says who answers: version, protocol, process, what it can do.");

/// The client introduces itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HelloRequest {
    /// The client's name, for the daemon's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The newest protocol the client speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
}

/// The daemon introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// `dbgmate`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// See [`PROTOCOL`].
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: u32,
    /// The names of the methods it answers.
    pub capabilities: Vec<String>,
    /// A hash of what decides the answers: the effective configuration, the build, as of
    /// when the daemon started, and the plugins, as they are now. A client whose own differs would answer otherwise.
    pub configuration_hash: String,
}
