//! Received bytes, lent without a copy.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::{Chunk, Receiver};

use crate::io::Wait;

/// The future of [`TcpStream::read_chunk`](super::TcpStream::read_chunk) and its like.
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct ReadChunk<'a> {
    pub(super) receiver: &'a mut Receiver,
    pub(super) wait: Wait,
}

impl ReadChunk<'_> {
    /// A poll that is not the usual first one or the one after.
    #[inline(never)]
    fn poll_closely(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        ready!(self.wait.begin(cx))?;
        match self.receiver.poll_chunk(cx) {
            Poll::Pending => self.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

impl Future for ReadChunk<'_> {
    type Output = io::Result<Chunk>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.wait.is_new() {
            return match this.receiver.poll_chunk(cx) {
                Poll::Pending => this.poll_closely(cx),
                result @ Poll::Ready(_) => result,
            };
        }
        if !this.wait.try_begin() {
            return this.poll_closely(cx);
        }
        match this.receiver.poll_chunk(cx) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}
