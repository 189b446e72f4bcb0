//! Writing several slices.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_write::AsyncWrite;
use super::partial::Partial;
use super::wait::Wait;

/// The future of [`AsyncWrite::write_vectored`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct WriteVectored<'a, W: ?Sized> {
    pub(super) sink: &'a mut W,
    pub(super) slices: &'a [IoSlice<'a>],
    pub(super) wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for WriteVectored<'_, W> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_write_vectored(cx, this.slices) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

/// The future of [`AsyncWrite::write_all_vectored`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct WriteAllVectored<'a, W: ?Sized> {
    sink: &'a mut W,
    /// The slices that are not written, the first of them from `offset` on.
    rest: &'a [IoSlice<'a>],
    offset: usize,
    written: usize,
    wait: Wait,
}

impl<'a, W: ?Sized> WriteAllVectored<'a, W> {
    #[track_caller]
    pub(super) fn new(sink: &'a mut W, slices: &'a [IoSlice<'a>]) -> Self {
        let mut writing = Self {
            sink,
            rest: slices,
            offset: 0,
            written: 0,
            wait: Wait::new(),
        };
        writing.advance(0);
        writing
    }

    /// Returns how many bytes the sink has accepted.
    #[must_use]
    pub fn written(&self) -> usize {
        self.written
    }

    /// Leaves `count` bytes behind, and the slices that end with them or are empty.
    fn advance(&mut self, count: usize) {
        self.written += count;
        self.offset += count;
        while let Some(first) = self.rest.first()
            && self.offset >= first.len()
        {
            self.offset -= first.len();
            self.rest = &self.rest[1..];
        }
    }

    fn expected(&self) -> usize {
        let rest: usize = self.rest.iter().map(|slice| slice.len()).sum();
        self.written + rest - self.offset
    }
}

impl<W: AsyncWrite + ?Sized> WriteAllVectored<'_, W> {
    fn poll_steps(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.wait.begin(cx))?;
        while let Some(first) = self.rest.first() {
            // What is left of a slice goes alone: the slices are the caller's, and stay as they are.
            let polled = match self.offset {
                0 => self.sink.poll_write_vectored(cx, self.rest),
                offset => self.sink.poll_write(cx, &first[offset..]),
            };
            match polled {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait.go_on(cx),
            }
            if !self.rest.is_empty() {
                ready!(self.wait.next_step(cx));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + ?Sized> Future for WriteAllVectored<'_, W> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = ready!(this.poll_steps(cx));
        let partial = |cause| Partial::error(this.written, this.expected(), cause);
        Poll::Ready(result.map_err(partial))
    }
}
