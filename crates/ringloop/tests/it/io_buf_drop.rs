//! Streams with buffers that are dropped before they are flushed.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop::io::{AsyncRead, AsyncWrite, BufStream, duplex};
use ringloop::{offload, spawn};

use crate::rig::{numbered, pair, run, run_virtual};

#[test]
fn a_connection_sends_what_was_written_and_not_flushed() {
    let received = run(async {
        let (near, mut far) = pair();
        let mut stream = BufStream::new(near);
        stream.write_all(&numbered(0, 5000)).await.unwrap();
        assert_eq!(stream.unflushed().len(), 5000);
        drop(stream);
        let received = offload(move || {
            let mut received = Vec::new();
            far.read_to_end(&mut received).map(|_| received)
        });
        received.await.unwrap().unwrap()
    });
    assert!(received == numbered(0, 5000), "{} bytes", received.len());
}

/// A handler that returns early, or is given up, has answered what it has written.
#[test]
fn a_task_that_is_aborted_sends_what_it_had_written() {
    let received = run(async {
        let (near, mut far) = pair();
        let task = spawn(async move {
            let mut stream = BufStream::new(near);
            stream.write_all(b"so far").await?;
            stream.read_exact(1).await?;
            io::Result::Ok(())
        });
        ringloop::task::yield_now().await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_aborted());
        let received = offload(move || {
            let mut received = Vec::new();
            far.read_to_end(&mut received).map(|_| received)
        });
        received.await.unwrap().unwrap()
    });
    assert_eq!(received, b"so far");
}

#[test]
fn a_drop_does_not_wait() {
    run_virtual(async {
        let (near, mut far) = duplex(4);
        let mut stream = BufStream::new(near);
        stream.write_all(b"abcdef").await.unwrap();
        drop(stream);
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"abcd", "there was room for it");
    });
}

/// Counts writes; fails, or panics, or takes everything.
struct Sink(Rc<Cell<usize>>, fn() -> Poll<io::Result<usize>>);

impl AsyncWrite for Sink {
    fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        self.0.set(self.0.get() + 1);
        (self.1)()
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("a drop does not flush")
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("a drop does not shut down")
    }
}

#[test]
fn a_drop_asks_once_and_only_for_what_is_there() {
    run_virtual(async {
        let answers: [fn() -> _; 3] = [
            || Poll::Pending,
            || Poll::Ready(Ok(1)),
            || Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
        ];
        for answer in answers {
            let writes = Rc::new(Cell::new(0));
            drop(BufStream::new(Sink(Rc::clone(&writes), answer)));
            let mut stream = BufStream::new(Sink(Rc::clone(&writes), answer));
            stream.write_all(b"").await.unwrap();
            drop(stream);
            assert_eq!(writes.get(), 0, "there was nothing to pass on");
            let mut stream = BufStream::new(Sink(Rc::clone(&writes), answer));
            stream.write_all(b"x").await.unwrap();
            let (sink, _, unflushed) = stream.into_parts();
            assert_eq!((writes.get(), &unflushed[..]), (0, &b"x"[..]));
            drop(sink);
            let mut stream = BufStream::new(Sink(Rc::clone(&writes), answer));
            stream.write_all(b"x").await.unwrap();
            drop(stream);
            assert_eq!(writes.get(), 1);
        }
    });
}

/// What a panic has left behind is not sent, and a stream that panics ends no process.
#[test]
fn a_panic_sends_nothing() {
    let writes = Rc::new(Cell::new(0));
    let sink = Sink(Rc::clone(&writes), || panic!("the sink panics as well"));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        run_virtual(async move {
            let mut stream = BufStream::new(sink);
            stream.write_all(b"half of").await.unwrap();
            panic!("before the rest");
        });
    }));
    assert!(unwound.is_err());
    assert_eq!(writes.get(), 0);
}
