//! A source that has its bytes in given pieces, and a sink that takes them a few at a time.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::task::{Context, Poll};

use ringloop::io::{AsyncBufRead, AsyncRead, AsyncWrite};

/// Each piece comes after a turn of the loop, and so does the end.
pub(crate) struct Pieces {
    steps: VecDeque<Step>,
}

enum Step {
    Turn,
    Bytes(Vec<u8>),
    Error(ErrorKind),
}

impl Pieces {
    pub(crate) fn new<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        let mut steps: VecDeque<_> = pieces
            .flat_map(|piece| [Step::Turn, Step::Bytes(piece.to_vec())])
            .collect();
        steps.push_back(Step::Turn);
        Self { steps }
    }

    /// With an error, told once, at the end.
    pub(crate) fn failing(mut self, kind: ErrorKind) -> Self {
        self.steps.push_back(Step::Error(kind));
        self
    }
}

impl AsyncBufRead for Pieces {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if let Some(Step::Turn) = self.steps.front() {
            self.steps.pop_front();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(Step::Error(kind)) = self.steps.front() {
            let error = (*kind).into();
            self.steps.pop_front();
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(match self.steps.front() {
            Some(Step::Bytes(bytes)) => bytes,
            Some(Step::Turn | Step::Error(_)) | None => &[],
        }))
    }

    fn consume(&mut self, count: usize) {
        if let Some(Step::Bytes(bytes)) = self.steps.front_mut() {
            bytes.drain(..count);
            if bytes.is_empty() {
                self.steps.pop_front();
            }
        } else {
            assert_eq!(count, 0, "nothing was lent");
        }
    }
}

impl AsyncRead for Pieces {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let bytes = std::task::ready!(self.poll_fill_buf(cx))?;
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}

/// Takes `step` bytes after each turn of the loop, `room` in all, and then fails.
pub(crate) struct Trickle {
    pub(crate) taken: Vec<u8>,
    pub(crate) flushes: usize,
    pub(crate) shutdowns: usize,
    pub(crate) step: usize,
    pub(crate) room: usize,
    is_ready: bool,
}

impl Trickle {
    pub(crate) fn new(step: usize, room: usize) -> Self {
        Self {
            taken: Vec::new(),
            flushes: 0,
            shutdowns: 0,
            step,
            room,
            is_ready: false,
        }
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.room == 0 {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        self.is_ready = !self.is_ready;
        if self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let count = bytes.len().min(self.step).min(self.room);
        self.taken.extend_from_slice(&bytes[..count]);
        self.room -= count;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shutdowns += 1;
        Poll::Ready(Ok(()))
    }
}

/// All ways to cut `bytes` into pieces.
pub(crate) fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let places = bytes.len().saturating_sub(1);
    (0..1_u32 << places).map(move |pattern| {
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in (0..places).filter(|place| pattern >> place & 1 == 1) {
            pieces.push(&bytes[from..=place]);
            from = place + 1;
        }
        pieces.push(&bytes[from..]);
        pieces
    })
}
