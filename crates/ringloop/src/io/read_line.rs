//! Reading a line of text.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::read_until::poll_until;
use super::wait::Wait;

/// The future of [`AsyncBufRead::read_line`].
#[must_use = "nothing is read until it is awaited"]
pub struct ReadLine<'a, R: ?Sized> {
    source: &'a mut R,
    text: Utf8<'a>,
    wait: Wait,
}

impl<'a, R: ?Sized> ReadLine<'a, R> {
    #[track_caller]
    pub(super) fn new(source: &'a mut R, text: &'a mut String) -> Self {
        Self {
            source,
            text: Utf8::new(text),
            wait: Wait::new(),
        }
    }
}

impl<R: AsyncBufRead + ?Sized> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        let text = &mut this.text;
        let (bytes, start) = (&mut text.bytes, text.start);
        let count = ready!(poll_until(
            this.source,
            &b'\n',
            bytes,
            start,
            &mut this.wait,
            cx
        ))?;
        this.text.finish()?;
        Poll::Ready(Ok(count))
    }
}

impl<R: ?Sized> fmt::Debug for ReadLine<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadLine")
            .field("count", &(self.text.bytes.len() - self.text.start))
            .finish_non_exhaustive()
    }
}

/// A string while bytes are appended to it. Dropped, it gives back what is whole characters.
pub(super) struct Utf8<'a> {
    text: &'a mut String,
    /// The bytes of the string, and those that were appended.
    pub(super) bytes: Vec<u8>,
    /// How long the string was.
    start: usize,
}

impl<'a> Utf8<'a> {
    pub(super) fn new(text: &'a mut String) -> Self {
        let bytes = mem::take(text).into_bytes();
        Self {
            start: bytes.len(),
            bytes,
            text,
        }
    }

    /// Makes it a string again; without the new bytes if they are none, which the error has then.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match str::from_utf8(&self.bytes[self.start..]) {
            Ok(_) => {
                self.start = self.bytes.len();
                Ok(())
            }
            Err(_) => Err(invalid_text(self.bytes.split_off(self.start))),
        }
    }
}

impl Drop for Utf8<'_> {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        *self.text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                String::from_utf8(bytes).expect("they were found to be valid")
            }
        };
    }
}

/// The error of bytes that are not UTF-8, which has them.
#[cold]
pub(super) fn invalid_text(bytes: Vec<u8>) -> io::Error {
    match String::from_utf8(bytes) {
        Err(error) => io::Error::new(io::ErrorKind::InvalidData, error),
        Ok(_) => io::ErrorKind::InvalidData.into(),
    }
}
