//! Which methods are there, and how do JSON parameters become an answer?
//!
//! Every method of the table in [`crate::api`] is registered the same way, and `rpc.discover`
//! beside them. Parameters go by name, and a name that the method does not have is an error.

use std::sync::Arc;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

use super::openrpc;
use super::pool::Pool;
use super::wire_error::{invalid_params, to_wire};
use crate::engine::{Answer, Engine};
use crate::error::{Error, Kind};
use crate::job::Job;

/// The method under which OpenRPC 1.3 has a service describe itself.
const DISCOVER: &str = "rpc.discover";

/// What every method works with.
#[derive(Debug)]
pub(super) struct Context {
    /// What answers.
    pub(super) engine: Arc<Engine>,
    /// Where it does.
    pub(super) pool: Arc<Pool>,
}

/// All methods of a daemon. Fails only when two have one name.
pub(super) fn all(context: Context) -> Result<RpcModule<Context>, RegisterMethodError> {
    let mut module = RpcModule::new(context);
    macro_rules! register_all {
        ($($method:ty,)*) => { $(register::<$method>(&mut module)?;)* };
    }
    crate::api::for_each_method!(register_all);
    register_discover(&mut module)?;
    Ok(module)
}

/// Registers one method.
pub(super) fn register<M: Answer>(
    module: &mut RpcModule<Context>,
) -> Result<(), RegisterMethodError> {
    module.register_async_method(M::NAME, |params, context, _| async move {
        let engine = Arc::clone(&context.engine);
        let work = move |job: &Job| answer::<M>(&engine, job, params);
        context.pool.run(M::EFFORT, work).await.map_err(to_wire)?
    })?;
    Ok(())
}

/// One call, from JSON to JSON: all of it on the worker, since either may be large.
fn answer<M: Answer>(
    engine: &Engine,
    job: &Job,
    params: Params<'static>,
) -> Result<Box<RawValue>, ErrorObjectOwned> {
    let request = named::<M::Request>(M::NAME, &params)?;
    drop(params);
    let response = M::answer(engine, job, request).map_err(to_wire)?;
    to_raw_value(&response).map_err(|error| {
        to_wire(Error::new(Kind::Internal, format!("the answer is not JSON: {error}")))
    })
}

/// Reads parameters that go by name; none at all is an empty object.
fn named<R: DeserializeOwned>(method: &str, params: &Params<'_>) -> Result<R, ErrorObjectOwned> {
    let text = params.as_str().unwrap_or("{}");
    if !text.starts_with('{') {
        let sentence = format!("the parameters of {method} go by name: send an object");
        return Err(invalid_params(sentence));
    }
    serde_json::from_str(text).map_err(|error| {
        let error = error.to_string();
        // The position is that in the parameters, which nobody sees as a text of their own.
        let why = error.rsplit_once(" at line ").map_or(error.as_str(), |(why, _)| why);
        invalid_params(format!("wrong parameters for {method}: {why}"))
    })
}

fn register_discover(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoParameters {}

    let document = openrpc::document();
    module.register_method(DISCOVER, move |params, _, _| {
        named::<NoParameters>(DISCOVER, &params).map(|_| document.clone())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use jsonrpsee::server::stop_channel;
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;

    async fn call(method: &str, params: &str) -> Value {
        let config = Config::default();
        let (stop, _handle) = stop_channel();
        let pool = Arc::new(Pool::new(&config.daemon, Duration::from_secs(20), stop));
        let module = all(Context { engine: Arc::new(Engine::new(config)), pool }).unwrap();
        let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"{params}}}"#);
        let (answer, _) = module.raw_json_request(&request, 1).await.unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }

    #[tokio::test]
    async fn the_table_is_what_is_registered() {
        let (stop, _handle) = stop_channel();
        let pool = Arc::new(Pool::new(&Default::default(), Duration::from_secs(20), stop));
        let engine = Arc::new(Engine::new(Config::default()));
        let module = all(Context { engine, pool }).unwrap();
        let registered: BTreeSet<_> = module.method_names().collect();
        let table: BTreeSet<_> = crate::api::method_names().chain([DISCOVER]).collect();
        assert_eq!(registered, table);
    }

    #[tokio::test]
    async fn parameters_may_be_absent_empty_or_null() {
        for params in ["", r#","params":{}"#, r#","params":null"#, r#","params": { }"#] {
            assert_eq!(call("daemon.hello", params).await["result"]["name"], "dbgmate", "{params}");
        }
    }

    #[tokio::test]
    async fn an_unknown_parameter_is_named() {
        for method in ["daemon.hello", "trace.parse", "layout.offsets_of", DISCOVER] {
            let error = call(method, r#","params":{"typo":1}"#).await["error"].take();
            assert_eq!(error["code"], -32602, "{error}");
            assert_eq!(error["data"]["kind"], "request");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(method) && message.contains("`typo`"), "{message}");
            assert!(!message.contains(" line "), "{message}");
        }
    }

    #[tokio::test]
    async fn parameters_by_position_are_refused() {
        for params in ["[]", r#"["text"]"#, r#"" {}""#, "7"] {
            let answer = call("trace.parse", &format!(r#","params":{params}"#)).await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_missing_or_mistyped_parameter_is_named() {
        let missing = call("layout.offsets_of", "").await;
        assert!(missing["error"]["message"].as_str().unwrap().contains("`type`"), "{missing}");
        let mistyped = call("trace.parse", r#","params":{"text":7}"#).await;
        assert_eq!(mistyped["error"]["code"], -32602, "{mistyped}");
    }

    #[tokio::test]
    async fn an_error_of_the_engine_keeps_its_kind_and_next_step() {
        let error = call("trace.parse", "").await["error"].take();
        assert_eq!(error["code"], Kind::Request.code());
        assert_eq!(
            error["data"],
            json!({ "kind": "request", "next_step": "give exactly one of the two" })
        );
    }
}
