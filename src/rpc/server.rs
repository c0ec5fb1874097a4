//! Who may connect, and within which limits?
//!
//! A stream is served when its peer has our uid and a place is free. On it jsonrpsee speaks
//! JSON-RPC over WebSocket or over HTTP POST and holds the limits on requests, responses and
//! batches.

use std::sync::Arc;

use jsonrpsee::server::{
    BatchRequestConfig, Methods, RegisterMethodError, Server as JsonRpc, ServerConfig, StopHandle,
    serve_with_graceful_shutdown,
};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use super::connection::Connection;
use super::daemon::Log;
use super::methods::{self, Context};
use super::pool::Pool;
use super::socket::own_uid;
use crate::config;
use crate::engine::Engine;

/// Requests in progress on one connection, over HTTP/2.
const REQUESTS_A_CONNECTION: u32 = 128;

/// What is sent to those who find no place: a WebSocket client sees a refused handshake with this
/// status, an HTTP client the sentence.
const NO_PLACE: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain\r\ncontent-length: 59\r\nconnection: close\r\n\r\n\
    the daemon has as many connections open as it may; try later";

/// Serves streams.
pub(super) struct Server {
    methods: Methods,
    protocol: ServerConfig,
    places: Arc<Semaphore>,
    place_count: u32,
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
        Server { methods, protocol: protocol(limits), places, place_count, pool, stop, log }
    }

    /// Serves a stream in the background, or turns it away.
    pub(super) fn attend(&self, stream: UnixStream) {
        match stream.peer_cred().map(|peer| peer.uid()) {
            Ok(uid) if uid == own_uid() => {}
            Ok(uid) => return (self.log)(&format!("refused a connection from uid {uid}")),
            Err(error) => return (self.log)(&format!("refused an unknown peer: {error}")),
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            // Into the empty buffer of a new stream, so it fits or the peer is gone.
            let _ = stream.try_write(NO_PLACE.as_bytes());
            return (self.log)("refused a connection: all places are taken");
        };
        let service = JsonRpc::builder()
            .set_config(self.protocol.clone())
            .to_service_builder()
            .build(self.methods.clone(), self.stop.clone());
        let connection = Connection::new(stream, place);
        let stopped = self.stop.clone().shutdown();
        tokio::spawn(async move {
            // How a connection ends is its client's affair.
            let _ = serve_with_graceful_shutdown(connection, service, stopped).await;
        });
    }

    /// Returns when no connection is open and no worker busy.
    pub(super) async fn idle(&self) {
        // Fails only when the semaphore is closed, which it never is.
        let _ = self.places.acquire_many(self.place_count).await;
        self.pool.idle().await;
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
