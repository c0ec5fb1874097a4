//! `daemon.hello`.

use super::{Answer, Effort, Engine};
use crate::api::daemon::{Hello, HelloMethod, HelloRequest, PROTOCOL};
use crate::api::method_names;
use crate::error::Error;
use crate::job::Job;

impl Answer for HelloMethod {
    const EFFORT: Effort = Effort::Quick;

    fn answer(engine: &Engine, _: &Job, _: HelloRequest) -> Result<Hello, Error> {
        Ok(Hello {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            pid: std::process::id(),
            capabilities: method_names().map(str::to_owned).collect(),
            configuration_hash: engine.agreement_hash(),
        })
    }
}
