//! Reading up to the end.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_read::AsyncRead;
use super::read_line::Utf8;
use super::wait::Wait;

/// The future of [`AsyncRead::read_to_end`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct ReadToEnd<'a, R: ?Sized> {
    pub(super) source: &'a mut R,
    pub(super) bytes: &'a mut Vec<u8>,
    pub(super) count: usize,
    pub(super) wait: Wait,
}

impl<R: AsyncRead + ?Sized> Future for ReadToEnd<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        poll_all(this.source, cx, this.bytes, &mut this.count, &mut this.wait)
    }
}

/// The future of [`AsyncRead::read_to_string`].
#[must_use = "nothing is read until it is awaited"]
pub struct ReadToString<'a, R: ?Sized> {
    source: &'a mut R,
    text: Utf8<'a>,
    count: usize,
    wait: Wait,
}

impl<'a, R: ?Sized> ReadToString<'a, R> {
    #[track_caller]
    pub(super) fn new(source: &'a mut R, text: &'a mut String) -> Self {
        Self {
            source,
            text: Utf8::new(text),
            count: 0,
            wait: Wait::new(),
        }
    }
}

impl<R: AsyncRead + ?Sized> Future for ReadToString<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        let bytes = &mut this.text.bytes;
        let count = ready!(poll_all(
            this.source,
            cx,
            bytes,
            &mut this.count,
            &mut this.wait
        ))?;
        this.text.finish()?;
        Poll::Ready(Ok(count))
    }
}

impl<R: ?Sized> fmt::Debug for ReadToString<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadToString")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Reads into `bytes` until the end comes, or there is nothing yet.
fn poll_all<R: AsyncRead + ?Sized>(
    source: &mut R,
    cx: &mut Context<'_>,
    bytes: &mut Vec<u8>,
    count: &mut usize,
    wait: &mut Wait,
) -> Poll<io::Result<usize>> {
    loop {
        match poll_some(source, cx, bytes) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Ok(mem::take(count))),
            Poll::Ready(Ok(some)) => *count += some,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return wait.go_on(cx),
        }
        ready!(wait.next_step(cx));
    }
}

/// Reads into the vector's room; its length never covers bytes that were not read.
pub(super) fn poll_some<R: AsyncRead + ?Sized>(
    source: &mut R,
    cx: &mut Context<'_>,
    bytes: &mut Vec<u8>,
) -> Poll<io::Result<usize>> {
    let len = bytes.len();
    let room = (bytes.capacity() - len).clamp(READ_STEP_MIN, READ_STEP_MAX);
    bytes.resize(len + room, 0);
    let result = source.poll_read(cx, &mut bytes[len..]);
    let count = match &result {
        Poll::Ready(Ok(count)) => *count,
        Poll::Ready(Err(_)) | Poll::Pending => 0,
    };
    bytes.truncate(len + count);
    result
}

const READ_STEP_MIN: usize = 32;
const READ_STEP_MAX: usize = 64 * 1024;
