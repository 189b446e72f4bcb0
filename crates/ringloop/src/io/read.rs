//! Reading bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_task::cancel::{CancelWatch, check_cancelled};
use ringloop_task::task::{poll_budget, spend_budget};

/// A source of bytes. Counterpart: `std::io::Read`.
///
/// Implementors write [`poll_read`](Self::poll_read); the methods to await stand on it and give it
/// the rules of cancellation. Bytes belong to the source until they are copied out, so an
/// implementation must be able to be polled once and then left alone.
pub trait AsyncRead {
    /// Copies bytes into `buf` and returns how many, zero at the end, or wakes the task later.
    ///
    /// # Errors
    ///
    /// As `std::io::Read::read`.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Reads up to `buf.len()` bytes and returns how many, zero at the end.
    ///
    /// # Errors
    ///
    /// As the `poll_` method of the same name; a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self> {
        Read {
            source: self,
            buf,
            wait: Wait::new(),
        }
    }

    /// Reads exactly `buf.len()` bytes.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the source ends before.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: bytes that were read before are in `buf`, and nobody tells how many.
    #[track_caller]
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self> {
        ReadExact {
            source: self,
            buf,
            filled: 0,
            wait: Wait::new(),
        }
    }

    /// Appends everything up to the end to `bytes`, and returns how much that was.
    ///
    /// # Errors
    ///
    /// As the `poll_` method of the same name; a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that were read before are in `bytes`.
    #[track_caller]
    fn read_to_end<'a>(&'a mut self, bytes: &'a mut Vec<u8>) -> ReadToEnd<'a, Self> {
        ReadToEnd {
            source: self,
            bytes,
            count: 0,
            wait: Wait::new(),
        }
    }
}

/// The rules of cancellation for a wait on a stream: checked before it begins, and then after the
/// value has been looked for.
#[derive(Debug)]
pub(crate) struct Wait {
    watch: CancelWatch,
    has_begun: bool,
}

impl Wait {
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self {
            watch: CancelWatch::new(),
            has_begun: false,
        }
    }

    /// Fails if the wait is begun inside a cancelled scope. Takes a turn of the loop first if the
    /// task has done much in this poll.
    #[inline(always)]
    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.has_begun {
            check_cancelled()?;
            let _spent_when_over = ready!(poll_budget(cx));
            self.has_begun = true;
        }
        Poll::Ready(Ok(()))
    }

    /// The wait is over.
    #[inline(always)]
    pub(crate) fn over() {
        spend_budget();
    }

    /// `Pending`, unless the wait has been cancelled.
    #[inline]
    pub(crate) fn go_on<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.watch.poll_cancelled(cx)?;
        Poll::Pending
    }
}

/// The future of [`AsyncRead::read`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct Read<'a, R: ?Sized> {
    source: &'a mut R,
    buf: &'a mut [u8],
    wait: Wait,
}

impl<R: AsyncRead + ?Sized> Future for Read<'_, R> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.source.poll_read(cx, this.buf) {
            Poll::Ready(result) => {
                Wait::over();
                Poll::Ready(result)
            }
            Poll::Pending => this.wait.go_on(cx),
        }
    }
}

/// The future of [`AsyncRead::read_exact`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct ReadExact<'a, R: ?Sized> {
    source: &'a mut R,
    buf: &'a mut [u8],
    filled: usize,
    wait: Wait,
}

impl<R: AsyncRead + ?Sized> Future for ReadExact<'_, R> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        while this.filled < this.buf.len() {
            match this.source.poll_read(cx, &mut this.buf[this.filled..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Poll::Ready(Ok(count)) => this.filled += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return this.wait.go_on(cx),
            }
            Wait::over();
            if this.filled < this.buf.len() {
                let _spent_when_over = ready!(poll_budget(cx));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The future of [`AsyncRead::read_to_end`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct ReadToEnd<'a, R: ?Sized> {
    source: &'a mut R,
    bytes: &'a mut Vec<u8>,
    count: usize,
    wait: Wait,
}

impl<R: AsyncRead + ?Sized> ReadToEnd<'_, R> {
    /// Reads into the vector's room; its length never covers bytes that were not read.
    fn poll_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let len = self.bytes.len();
        let room = (self.bytes.capacity() - len).clamp(READ_STEP_MIN, READ_STEP_MAX);
        self.bytes.resize(len + room, 0);
        let result = self.source.poll_read(cx, &mut self.bytes[len..]);
        let count = match &result {
            Poll::Ready(Ok(count)) => *count,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        self.bytes.truncate(len + count);
        result
    }
}

impl<R: AsyncRead + ?Sized> Future for ReadToEnd<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        loop {
            let Poll::Ready(result) = this.poll_some(cx) else {
                return this.wait.go_on(cx);
            };
            match result? {
                0 => return Poll::Ready(Ok(this.count)),
                count => this.count += count,
            }
            Wait::over();
            let _spent_when_over = ready!(poll_budget(cx));
        }
    }
}

const READ_STEP_MIN: usize = 32;
const READ_STEP_MAX: usize = 64 * 1024;
