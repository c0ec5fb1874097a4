//! Who may connect, and within which limits?
//!
//! A stream is served when its peer has our uid and a place is free. On it jsonrpsee speaks
//! JSON-RPC over WebSocket or over HTTP POST and holds the limits on requests, responses and
//! batches.

use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::server::{
    BatchRequestConfig, Methods, RegisterMethodError, Server as JsonRpc, ServerConfig, StopHandle,
    serve_with_graceful_shutdown,
};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use super::Log;
use super::connection::Connection;
use super::methods::{self, Context};
use super::pool::Pool;
use super::socket::own_uid;
use super::traffic::Traffic;
use crate::config;
use crate::engine::Engine;

/// Requests in progress on one connection, over HTTP/2.
const REQUESTS_A_CONNECTION: u32 = 128;

/// How many are told at once that there is no place for them; the others are cut off.
const TURNED_AWAY: usize = 32;

/// How long they have to read that.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is sent to those who find no place: a WebSocket client sees a refused handshake with this
/// status, an HTTP client the sentence.
const NO_PLACE: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain\r\nconnection: close\r\n\r\n\
    the daemon has as many connections open as it may; try later\n";

/// Serves streams.
pub(super) struct Server {
    methods: Methods,
    protocol: ServerConfig,
    places: Arc<Semaphore>,
    place_count: u32,
    turned_away: Arc<Semaphore>,
    traffic: Arc<Traffic>,
    pool: Arc<Pool>,
    stop: StopHandle,
    log: Log,
}

impl Server {
    /// A server that asks `engine`, under its configuration, until `stop`.
    pub(super) fn new(
        engine: Arc<Engine>,
        stop: StopHandle,
        log: Log,
    ) -> Result<Server, RegisterMethodError> {
        let config = engine.config().clone();
        let pool = Arc::new(Pool::new(&config.daemon, config.deadline(), stop.clone()));
        let methods = methods::all(Context { engine, pool: Arc::clone(&pool) })?;
        Ok(Server::with_methods(methods.into(), &config.daemon, pool, stop, log))
    }

    fn with_methods(
        methods: Methods,
        limits: &config::Daemon,
        pool: Arc<Pool>,
        stop: StopHandle,
        log: Log,
    ) -> Server {
        let place_count = u32::try_from(limits.connections).unwrap_or(u32::MAX).clamp(1, 1 << 16);
        let places = Arc::new(Semaphore::new(place_count as usize));
        let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
        let traffic = Arc::default();
        let protocol = protocol(limits);
        Server { methods, protocol, places, place_count, turned_away, traffic, pool, stop, log }
    }

    /// Serves a stream in the background, or turns it away.
    pub(super) fn attend(&self, stream: UnixStream) {
        match stream.peer_cred().map(|peer| peer.uid()) {
            Ok(uid) if uid == own_uid() => {}
            Ok(uid) => return (self.log)(&format!("refused a connection from uid {uid}")),
            Err(error) => return (self.log)(&format!("refused an unknown peer: {error}")),
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.turn_away(stream);
            return (self.log)("refused a connection: all places are taken");
        };
        let service = JsonRpc::builder()
            .set_config(self.protocol.clone())
            .to_service_builder()
            .build(self.methods.clone(), self.stop.clone());
        let connection = Connection::new(stream, place, Arc::clone(&self.traffic));
        let stopped = self.stop.clone().shutdown();
        tokio::spawn(async move {
            // How a connection ends is its client's affair.
            let _ = serve_with_graceful_shutdown(connection, service, stopped).await;
        });
    }

    /// Says that there is no place, and waits a moment for the client to read it: were the stream
    /// closed at once, a client that writes before it reads would only see a broken pipe.
    fn turn_away(&self, mut stream: UnixStream) {
        let Ok(waiting) = Arc::clone(&self.turned_away).try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            let _waiting = waiting;
            let farewell = async {
                stream.write_all(NO_PLACE.as_bytes()).await?;
                stream.shutdown().await?;
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            };
            // Whether it was heard or not, the stream is closed.
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        });
    }

    /// Returns when no worker is busy and all answers have been sent. Who has sent half a request
    /// by then is not waited for.
    pub(super) async fn idle(&self) {
        self.pool.idle().await;
        tokio::select! {
            // Fails only when the semaphore is closed, which it never is.
            _ = self.places.acquire_many(self.place_count) => {}
            () = self.traffic.ceased() => {}
        }
    }
}

fn protocol(limits: &config::Daemon) -> ServerConfig {
    ServerConfig::builder()
        .max_request_body_size(limits.request_bytes)
        .max_response_body_size(limits.response_bytes)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch))
        .max_connections(REQUESTS_A_CONNECTION)
        // Until a method subscribes, nobody may.
        .max_subscriptions_per_connection(0)
        .build()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use jsonrpsee::RpcModule;
    use jsonrpsee::client_transport::ws::{Url, WsHandshakeError, WsTransportClientBuilder};
    use jsonrpsee::core::client::{Client, ClientBuilder, ClientT, Error as CallError};
    use jsonrpsee::core::params::ObjectParams;
    use jsonrpsee::server::{ServerHandle, stop_channel};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::api::Method;
    use crate::config::Config;
    use crate::engine::Answer;
    use crate::error::{Error, Kind};
    use crate::job::{Job, Stopped};

    /// Enough for anything that must happen, on a machine that is busy.
    const SOON: Duration = Duration::from_secs(20);

    /// Works until it is stopped, and leaves marks of both in a folder.
    struct Slow;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct SlowRequest {
        marks: PathBuf,
    }

    impl Method for Slow {
        const NAME: &'static str = "test.slow";
        const SUMMARY: &'static str = "Works until it is stopped.";
        type Request = SlowRequest;
        type Response = ();
    }

    impl Answer for Slow {
        fn answer(_: &Engine, job: &Job, request: SlowRequest) -> Result<(), Error> {
            std::fs::write(request.marks.join("started"), "").unwrap();
            loop {
                if let Err(stopped) = job.check() {
                    let mark = if stopped == Stopped::Cancelled { "cancelled" } else { "late" };
                    std::fs::write(request.marks.join(mark), "").unwrap();
                    return Err(stopped.into());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    async fn mark(folder: &Path, name: &str) {
        let there = async {
            while !folder.join(name).exists() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        assert!(tokio::time::timeout(SOON, there).await.is_ok(), "no mark {name:?}");
    }

    fn server(connections: usize) -> (Server, ServerHandle) {
        let limits = config::Daemon { connections, ..Default::default() };
        let (stop, handle) = stop_channel();
        let pool = Arc::new(Pool::new(&limits, SOON * 2, stop.clone()));
        let engine = Arc::new(Engine::new(Config::default()));
        let mut module = RpcModule::new(Context { engine, pool: Arc::clone(&pool) });
        methods::register::<Slow>(&mut module).unwrap();
        let server = Server::with_methods(module.into(), &limits, pool, stop, Arc::new(|_| {}));
        (server, handle)
    }

    fn connect(server: &Server) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        server.attend(theirs);
        ours
    }

    async fn websocket(server: &Server) -> Result<Client, WsHandshakeError> {
        let url = Url::parse("ws://localhost/").unwrap();
        let stream = connect(server);
        let (sender, receiver) =
            WsTransportClientBuilder::default().build_with_stream(url, stream).await?;
        Ok(ClientBuilder::new().build_with_tokio(sender, receiver))
    }

    fn slow_params(folder: &Path) -> ObjectParams {
        let mut params = ObjectParams::new();
        params.insert("marks", folder).unwrap();
        params
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_websocket_that_closes_calls_off_its_request() {
        let folder = tempfile::tempdir().unwrap();
        let (server, _handle) = server(4);
        let client = websocket(&server).await.unwrap();
        let params = slow_params(folder.path());
        let call = tokio::spawn(async move { client.request::<(), _>(Slow::NAME, params).await });
        mark(folder.path(), "started").await;
        call.abort();
        mark(folder.path(), "cancelled").await;
        tokio::time::timeout(SOON, server.idle()).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_http_request_that_closes_is_called_off() {
        let folder = tempfile::tempdir().unwrap();
        let (server, _handle) = server(4);
        let mut stream = connect(&server);
        let marks = serde_json::to_string(folder.path()).unwrap();
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"test.slow","params":{{"marks":{marks}}}}}"#
        );
        let request = format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        mark(folder.path(), "started").await;
        drop(stream);
        mark(folder.path(), "cancelled").await;
        tokio::time::timeout(SOON, server.idle()).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_waits_when_the_daemon_stops_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let (server, handle) = server(4);
        let client = websocket(&server).await.unwrap();
        let _idle = connect(&server);
        let params = slow_params(folder.path());
        let call = tokio::spawn(async move { client.request::<(), _>(Slow::NAME, params).await });
        mark(folder.path(), "started").await;
        handle.stop().unwrap();
        match call.await.unwrap() {
            Err(CallError::Call(error)) => {
                assert_eq!(
                    (error.code(), error.message()),
                    (Kind::Daemon.code(), "the daemon is stopping")
                );
            }
            other => panic!("{other:?}"),
        }
        tokio::time::timeout(SOON, server.idle()).await.unwrap();
        mark(folder.path(), "cancelled").await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn beyond_the_last_place_connections_are_refused_until_one_is_free() {
        let (server, _handle) = server(1);
        let first = websocket(&server).await.unwrap();

        let refused = websocket(&server).await.unwrap_err();
        assert!(matches!(refused, WsHandshakeError::Rejected { status_code: 503 }), "{refused:?}");
        let mut answer = String::new();
        connect(&server).read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, NO_PLACE);

        drop(first);
        let again = async {
            while websocket(&server).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, again).await.unwrap();
    }
}
