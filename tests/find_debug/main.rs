//! Is debug info found the way distributions ship it, and only the right one? Everything here is made
//! by the tools that they use: gcc, objcopy, strip, dwz, xz, dwp.

#![allow(clippy::unwrap_used)]

#[path = "../tools/mod.rs"]
mod tools;

mod compressed;
mod debuginfod;
mod debuglink;
mod hostile;
mod made;
mod mini;
mod server;
mod split;
mod supplement;
