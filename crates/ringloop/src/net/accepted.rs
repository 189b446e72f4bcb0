//! Waiting for a connection, whatever its family.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::{Accepted, Acceptor, Fd};
use socket2::{SockAddr, SockRef};

use crate::io::Wait;

/// A wait for a connection, by the rules of cancellation.
#[derive(Debug)]
pub(super) struct Accepting<'a> {
    accepted: Accepted<'a>,
    wait: Wait,
}

impl<'a> Accepting<'a> {
    #[track_caller]
    pub(super) fn new(acceptor: &'a Acceptor) -> Self {
        Self {
            accepted: acceptor.accept(),
            wait: Wait::new(),
        }
    }

    /// The connection, and the address of its peer unless that has gone away meanwhile.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Fd, Option<SockAddr>)>> {
        ready!(self.wait.begin(cx))?;
        let Poll::Ready(accepted) = Pin::new(&mut self.accepted).poll(cx) else {
            return self.wait.go_on(cx);
        };
        let connection = accepted?;
        let peer = SockRef::from(&connection.as_fd()).peer_addr().ok();
        let handle = self.accepted.acceptor().fd().handle();
        Poll::Ready(Ok((handle.adopt(connection), peer)))
    }
}
