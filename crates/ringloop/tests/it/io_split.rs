//! The halves of any stream, when the other one is used in the middle.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ringloop::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split};

/// A stream that wakes whoever polls it, and refuses every second time.
#[derive(Debug, Default)]
struct Loud {
    polls: usize,
    panics: bool,
}

impl Loud {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        cx.waker().wake_by_ref();
        assert!(!self.panics, "as it was told");
        self.polls += 1;
        if self.polls.is_multiple_of(2) {
            Poll::Ready(Err(ErrorKind::ConnectionReset.into()))
        } else {
            Poll::Pending
        }
    }
}

impl AsyncRead for Loud {
    fn poll_read(&mut self, cx: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll(cx)
    }
}

impl AsyncWrite for Loud {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx).map(|_| Ok(bytes.len()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx).map(|_| Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx).map(|_| Ok(()))
    }
}

thread_local! {
    static WRITER: RefCell<Option<WriteHalf<Loud>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls the writer when it is woken, with a waker that counts.
struct Inline(Arc<Count>);

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let polled = poll_writer(&self.0);
        assert!(polled.is_pending(), "the stream is being polled");
    }
}

fn poll_writer(told: &Arc<Count>) -> Poll<io::Result<usize>> {
    let mut writer = WRITER.take().unwrap();
    let waker = Waker::from(Arc::clone(told));
    let polled = writer.poll_write(&mut Context::from_waker(&waker), b"x");
    WRITER.set(Some(writer));
    polled
}

fn poll_reader(reader: &mut ReadHalf<Loud>, told: &Arc<Count>) -> Poll<io::Result<usize>> {
    let waker = Waker::from(Arc::new(Inline(Arc::clone(told))));
    reader.poll_read(&mut Context::from_waker(&waker), &mut [0])
}

#[test]
fn a_half_that_is_polled_in_the_middle_of_the_other_waits_its_turn() {
    let (mut reader, writer) = split(Loud::default());
    WRITER.set(Some(writer));
    let told = Arc::new(Count::default());
    assert!(poll_reader(&mut reader, &told).is_pending());
    assert_eq!(told.0.load(Ordering::Relaxed), 1, "the stream is free");
    assert!(poll_writer(&told).is_ready());
    let writer = WRITER.take().unwrap();
    assert_eq!(reader.unsplit(writer).unwrap().polls, 2);
}

#[test]
fn a_half_that_was_refused_is_told_although_the_stream_panics() {
    let panics = true;
    let (mut reader, writer) = split(Loud { polls: 0, panics });
    WRITER.set(Some(writer));
    let told = Arc::new(Count::default());
    let poll = AssertUnwindSafe(|| drop(poll_reader(&mut reader, &told)));
    assert!(catch_unwind(poll).is_err());
    assert_eq!(told.0.load(Ordering::Relaxed), 1, "the stream is free");
}
