//! How does another program ask the daemon? Through a blocking client that knows nothing of
//! sockets or JSON: a method's request goes in, its response or its error comes out.
//!
//! Rule: a client never talks to a socket that another person listens on (root apart), and a call
//! that its job stops also stops at the daemon, since the connection is closed.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jsonrpsee::client_transport::ws::{Url, WsHandshakeError, WsTransportClientBuilder};
use jsonrpsee::core::client::{Client as JsonRpc, ClientBuilder, ClientT, Error as CallError};
use jsonrpsee::core::traits::ToRpcParams;
use serde_json::value::{RawValue, to_raw_value};
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

use super::socket::own_uid;
use super::wire_error::from_wire;
use crate::api::Method;
use crate::config;
use crate::error::{Error, Kind};
use crate::job::Job;

/// A daemon that has not accepted by then is stuck.
const CONNECT: Duration = Duration::from_secs(1);

/// How often a waiting call asks its job whether to go on.
const LOOK: Duration = Duration::from_millis(20);

/// The protocol layer's own time-out: never, since the job has one.
const FOREVER: Duration = Duration::from_secs(1 << 31);

/// What a request has around its parameters, in bytes, generously.
const ENVELOPE: usize = 256;

/// A connection to a daemon. Calls from several threads take turns.
#[derive(Debug)]
pub struct Client {
    connection: Mutex<Option<Connection>>,
    request_bytes: usize,
}

#[derive(Debug)]
struct Connection {
    // Before the runtime: it is dropped first, while its tasks still have one.
    rpc: JsonRpc,
    runtime: Runtime,
}

/// How a call failed, and what is left of the connection.
enum Failure {
    Answered(Error),
    Lost(Error),
}

impl Client {
    /// Connects to the daemon at `path`, within a second; none when no daemon listens there.
    pub fn connect(path: &Path, limits: &config::Daemon) -> Result<Option<Client>, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unreachable(path, error))?;
        let connecting = async { tokio::time::timeout(CONNECT, connect(path, limits)).await };
        let connected = runtime.block_on(connecting).map_err(|_| {
            unreachable(path, "it does not answer").hint("end it, and start it again")
        })?;
        Ok(connected?.map(|rpc| Client {
            connection: Mutex::new(Some(Connection { rpc, runtime })),
            request_bytes: limits.request_bytes as usize,
        }))
    }

    /// Asks, and waits until the answer is there or the job is stopped.
    pub fn call<M: Method>(&self, job: &Job, request: &M::Request) -> Result<M::Response, Error> {
        let params = to_raw_value(request).map_err(|error| {
            Error::new(Kind::Internal, format!("the request is not JSON: {error}"))
        })?;
        let bytes = params.get().len() + ENVELOPE;
        if bytes > self.request_bytes {
            return Err(too_large(bytes, self.request_bytes));
        }
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(connection) = slot.as_ref() else {
            return Err(lost());
        };
        match connection.ask::<M>(job, params) {
            Ok(response) => Ok(response),
            Err(Failure::Answered(error)) => Err(error),
            Err(Failure::Lost(error)) => {
                *slot = None;
                Err(error)
            }
        }
    }
}

impl Connection {
    fn ask<M: Method>(&self, job: &Job, params: Box<RawValue>) -> Result<M::Response, Failure> {
        let stopped = async {
            loop {
                if let Err(stopped) = job.check() {
                    return stopped;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                answer = self.rpc.request(M::NAME, Named(params)) => answer.map_err(failure),
                stopped = stopped => Err(Failure::Lost(stopped.into())),
            }
        })
    }
}

/// Parameters by name, written already.
struct Named(Box<RawValue>);

impl ToRpcParams for Named {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}

async fn connect(path: &Path, limits: &config::Daemon) -> Result<Option<JsonRpc>, Error> {
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => return Ok(None),
            _ => return Err(unreachable(path, error)),
        },
    };
    let uid = stream.peer_cred().map_err(|error| unreachable(path, error))?.uid();
    if uid != own_uid() && uid != 0 {
        let why = format!("it runs as uid {uid}, not as you");
        return Err(unreachable(path, why).hint("find out who put it there"));
    }
    let url = Url::parse("ws://localhost/").map_err(|error| unreachable(path, error))?;
    let (sender, receiver) = WsTransportClientBuilder::default()
        .max_request_size(limits.request_bytes)
        .max_response_size(limits.response_bytes)
        .build_with_stream(url, stream)
        .await
        .map_err(|error| match error {
            WsHandshakeError::Rejected { status_code: 503 } => {
                unreachable(path, "it has as many connections open as it may")
                    .hint("close another client, or raise daemon.connections in the configuration")
            }
            error => unreachable(path, error),
        })?;
    let rpc = ClientBuilder::new().request_timeout(FOREVER).build_with_tokio(sender, receiver);
    Ok(Some(rpc))
}

fn failure(error: CallError) -> Failure {
    match error {
        CallError::Call(object) => Failure::Answered(from_wire(&object)),
        CallError::ParseError(error) => Failure::Answered(
            Error::new(Kind::Daemon, format!("the daemon's answer makes no sense: {error}"))
                .hint("it may be of another version than this program: restart it"),
        ),
        _ => Failure::Lost(lost()),
    }
}

fn unreachable(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Daemon, format!("cannot ask the daemon at {}: {why}", path.display()))
}

fn lost() -> Error {
    Error::new(Kind::Daemon, "the daemon closed the connection before it answered")
        .hint("see whether it still runs; `dbgmate serve` starts one")
}

fn too_large(bytes: usize, limit: usize) -> Error {
    let sentence =
        format!("the request has {bytes} bytes of JSON, more than the {limit} a daemon takes");
    Error::new(Kind::TooLarge, sentence)
        .hint("cut it down, raise daemon.request_bytes, or run with `--daemon never`")
}
