//! Borrowing what a source has.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::wait::Wait;

/// The future of [`AsyncBufRead::fill_buf`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct FillBuf<'a, R: ?Sized> {
    /// There until it is done.
    source: Option<&'a mut R>,
    wait: Wait,
}

impl<'a, R: ?Sized> FillBuf<'a, R> {
    #[track_caller]
    pub(super) fn new(source: &'a mut R) -> Self {
        Self {
            source: Some(source),
            wait: Wait::new(),
        }
    }
}

impl<'a, R: AsyncBufRead + ?Sized> Future for FillBuf<'a, R> {
    type Output = io::Result<&'a [u8]>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        let source = this.source.as_mut().expect("polled after it was done");
        match source.poll_fill_buf(cx) {
            // Behind its end a source may begin to wait again, or fail.
            Poll::Ready(Ok([])) => return Poll::Ready(Ok(&[])),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return this.wait.go_on(cx),
        }
        // What is there is lent again, and this time for as long as the source was.
        let source = this.source.take().expect("it was there above");
        source.poll_fill_buf(cx)
    }
}
