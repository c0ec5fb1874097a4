//! How does a question from another process reach the engine, and its answer come back?
//!
//! JSON-RPC 2.0 over a Unix socket, as WebSocket or as plain HTTP POST, whichever the client
//! speaks. One process serves; the others call:
//!
//! ```no_run
//! # use dbgmate::{api, config::Config, job::Job, rpc};
//! let path = rpc::socket::locate()?;
//! if let Some(client) = rpc::Client::connect(&path, &Config::default().daemon)? {
//!     let hello = client.call::<api::daemon::HelloMethod>(&Job::new(), &Default::default())?;
//!     println!("{} {} answers", hello.name, hello.version);
//! }
//! # Ok::<(), dbgmate::error::Error>(())
//! ```
//!
//! Rule: the only asynchronous code, and the only code that knows JSON-RPC. The methods come from
//! the table in [`crate::api`]; none is named here. Prints nothing: what a daemon has to say goes
//! to its [`Log`].

pub mod socket;

mod client;
mod connection;
mod daemon;
mod methods;
mod openrpc;
mod pool;
#[cfg(test)]
mod reference;
mod server;
mod traffic;
mod wire_error;

pub use client::Client;
pub use daemon::serve;

/// Where a daemon writes what an administrator wants to know, a line a call. Nothing that a client
/// sent is in it.
pub type Log = std::sync::Arc<dyn Fn(&str) + Send + Sync>;
