//! Waiting for a connection, whatever its family.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::{Accepted, Acceptor, Fd};

use super::plain;
use crate::io::Wait;

/// A wait for a connection, by the rules of cancellation.
#[derive(Debug)]
pub(super) struct Accepting<'a> {
    connecting: Connecting<'a>,
    wait: Wait,
}

/// A wait for a connection that knows nothing of cancellation.
#[derive(Debug)]
pub(super) struct Connecting<'a> {
    accepted: Accepted<'a>,
}

impl<'a> Accepting<'a> {
    #[track_caller]
    pub(super) fn new(acceptor: &'a Acceptor) -> Self {
        Self {
            connecting: Connecting::new(acceptor),
            wait: Wait::new(),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fd>> {
        ready!(self.wait.begin(cx))?;
        match self.connecting.poll_unchecked(cx) {
            Poll::Pending => self.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

impl<'a> Connecting<'a> {
    pub(super) fn new(acceptor: &'a Acceptor) -> Self {
        Self {
            accepted: acceptor.accept(),
        }
    }

    pub(super) fn poll_unchecked(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Fd>> {
        let connection = ready!(Pin::new(&mut self.accepted).poll(cx))?;
        let handle = self.accepted.acceptor().fd().handle();
        Poll::Ready(Ok(handle.adopt(connection)))
    }
}

/// A descriptor of its own for a listening socket on which nothing is accepted any more, and the
/// connections that nobody has taken.
pub(super) async fn given_back(
    acceptor: &Acceptor,
    mut wait: Wait,
) -> io::Result<(OwnedFd, Vec<OwnedFd>)> {
    let fd = plain(acceptor.fd()).try_clone_to_owned()?;
    poll_fn(|cx| {
        ready!(wait.begin(cx))?;
        match acceptor.poll_stop(cx) {
            Poll::Pending => wait.go_on::<(), io::Error>(cx),
            Poll::Ready(()) => Poll::Ready(Ok(())),
        }
    })
    .await?;
    Ok((fd, acceptor.take_accepted()))
}
