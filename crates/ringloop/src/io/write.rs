//! Writing bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_task::task::poll_budget;

use super::read::Wait;

/// A sink of bytes. Counterpart: `std::io::Write`.
///
/// Implementors write the `poll_` methods; the methods to await stand on them and give them the
/// rules of cancellation.
pub trait AsyncWrite {
    /// Takes some of `bytes` and returns how many, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As `std::io::Write::write`, also of earlier writes.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Tells whether everything taken so far is out, or wakes the task when it is.
    ///
    /// # Errors
    ///
    /// As `std::io::Write::flush`.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes and ends the sink: the other side sees the end, and can still be read from.
    ///
    /// # Errors
    ///
    /// As `std::net::TcpStream::shutdown`.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes some of `bytes` and returns how many.
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
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Write<'a, Self> {
        Write {
            sink: self,
            bytes,
            wait: Wait::new(),
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// As the `poll_` method of the same name; a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a prefix may have been written. [`write`](Self::write) tells how much.
    #[track_caller]
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAll<'a, Self> {
        WriteAll {
            sink: self,
            rest: bytes,
            wait: Wait::new(),
        }
    }

    /// Waits until everything written so far is out.
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
    fn flush(&mut self) -> Flush<'_, Self> {
        Flush {
            sink: self,
            wait: Wait::new(),
        }
    }

    /// Flushes and ends the sink: the other side sees the end, and can still be read from.
    ///
    /// # Errors
    ///
    /// As the `poll_` method of the same name; a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the sink is open still.
    #[track_caller]
    fn shutdown(&mut self) -> Shutdown<'_, Self> {
        Shutdown {
            sink: self,
            wait: Wait::new(),
        }
    }
}

/// The future of [`AsyncWrite::write`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct Write<'a, W: ?Sized> {
    sink: &'a mut W,
    bytes: &'a [u8],
    wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for Write<'_, W> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_write(cx, this.bytes) {
            Poll::Ready(result) => {
                Wait::over();
                Poll::Ready(result)
            }
            Poll::Pending => this.wait.go_on(cx),
        }
    }
}

/// The future of [`AsyncWrite::write_all`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct WriteAll<'a, W: ?Sized> {
    sink: &'a mut W,
    rest: &'a [u8],
    wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for WriteAll<'_, W> {
    type Output = io::Result<()>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        while !this.rest.is_empty() {
            match this.sink.poll_write(cx, this.rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => this.rest = &this.rest[count..],
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return this.wait.go_on(cx),
            }
            Wait::over();
            if !this.rest.is_empty() {
                let _spent_when_over = ready!(poll_budget(cx));
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The future of [`AsyncWrite::flush`].
#[must_use = "nothing is flushed until it is awaited"]
#[derive(Debug)]
pub struct Flush<'a, W: ?Sized> {
    sink: &'a mut W,
    wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for Flush<'_, W> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_flush(cx) {
            Poll::Ready(result) => {
                Wait::over();
                Poll::Ready(result)
            }
            Poll::Pending => this.wait.go_on(cx),
        }
    }
}

/// The future of [`AsyncWrite::shutdown`].
#[must_use = "nothing is shut down until it is awaited"]
#[derive(Debug)]
pub struct Shutdown<'a, W: ?Sized> {
    sink: &'a mut W,
    wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for Shutdown<'_, W> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_shutdown(cx) {
            Poll::Ready(result) => {
                Wait::over();
                Poll::Ready(result)
            }
            Poll::Pending => this.wait.go_on(cx),
        }
    }
}
