//! One accepted stream that occupies one of the daemon's places for as long as it is open, as
//! HTTP and, after an upgrade, as WebSocket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;

use super::traffic::Traffic;

/// A stream, its place and its part in the traffic.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    traffic: Arc<Traffic>,
    is_blocked: bool,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// The stream gives its place back when it is dropped.
    pub(super) fn new(
        stream: UnixStream,
        place: OwnedSemaphorePermit,
        traffic: Arc<Traffic>,
    ) -> Connection {
        Connection { stream, traffic, is_blocked: false, _place: place }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut UnixStream> {
        Pin::new(&mut self.get_mut().stream)
    }

    fn note(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.traffic.sent(bytes);
        }
        match (self.is_blocked, written.is_pending()) {
            (false, true) => self.traffic.block(),
            (true, false) => self.traffic.unblock(),
            _ => {}
        }
        self.is_blocked = written.is_pending();
        written
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_blocked {
            self.traffic.unblock();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.note(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
