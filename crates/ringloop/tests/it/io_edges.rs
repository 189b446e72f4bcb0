//! Streams at their edges: sources without an end, sides that fail, wakers that call back.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ringloop::io::{
    AsyncBufRead, AsyncRead, AsyncWrite, BufStream, DuplexStream, copy_bidirectional, duplex,
    repeat,
};
use ringloop::stream::Stream;
use ringloop::{spawn, task::yield_now};

use crate::rig::{assert_cancelled, run_virtual};

#[test]
fn a_line_without_end_can_be_cancelled() {
    run_virtual(async {
        let mut lines = repeat(b'x').lines().with_limit(100);
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        // Its rest is skipped, and there is always more of it.
        let reading = spawn(async move { lines.next().await.unwrap() });
        yield_now().await.unwrap();
        yield_now().await.unwrap();
        assert!(!reading.is_finished());
        reading.cancel("enough");
        assert_cancelled(&reading.await.unwrap());
    });
}

#[test]
fn what_is_there_is_passed_on_when_the_other_direction_fails() {
    run_virtual(async {
        let (mut client, mut front) = duplex(64);
        let (mut back, mut server) = duplex(64);
        client.write_all(b"a large request").await.unwrap();
        server.write_all(b"413").await.unwrap();
        // It has answered, and reads no more.
        drop(server);
        let error = copy_bidirectional(&mut front, &mut back).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        drop(front);
        let mut reply = String::new();
        client.read_to_string(&mut reply).await.unwrap();
        assert_eq!(reply, "413");
    });
}

thread_local! {
    /// The end that a [`Caller`] uses.
    static END: RefCell<Option<DuplexStream>> = const { RefCell::new(None) };
}

/// A waker that reads and writes when it is woken, and when it is dropped.
struct Caller;

impl Caller {
    fn call() {
        let Some(mut end) = END.take() else {
            return;
        };
        let mut cx = Context::from_waker(Waker::noop());
        let _ = end.poll_read(&mut cx, &mut [0; 2]);
        let _ = end.poll_write(&mut cx, b"!");
        let _ = format!("{end:?}");
        END.set(Some(end));
    }
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        Self::call();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        Self::call();
    }
}

#[test]
fn wakers_may_use_the_other_end_of_a_pair() {
    let (mut near, far) = duplex(4);
    END.set(Some(far));
    let waker = Waker::from(Arc::new(Caller));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..8 {
        // A new waker takes the place of the old one, which is dropped.
        let other = Waker::from(Arc::new(Caller));
        let mut other = Context::from_waker(&other);
        while near.poll_write(&mut other, b"ab").is_ready() {}
        while near.poll_read(&mut other, &mut [0; 3]).is_ready() {}
        while near.poll_write(&mut cx, b"ab").is_ready() {}
        while near.poll_read(&mut cx, &mut [0; 3]).is_ready() {}
        Caller::call();
    }
    drop(near);
    let mut end = END.take().unwrap();
    let mut buf = [0; 64];
    let mut read = || end.poll_read(&mut Context::from_waker(Waker::noop()), &mut buf);
    while !matches!(read(), Poll::Ready(Ok(0))) {}
    let written = end.poll_write(&mut cx, b"late");
    assert!(matches!(written, Poll::Ready(Err(error)) if error.kind() == ErrorKind::BrokenPipe));
}

#[test]
fn a_buffer_that_is_full_of_the_peer_is_no_end() {
    run_virtual(async {
        for limit in [0, 1, 2, 4096, usize::MAX] {
            let (mut peer, near) = duplex(50_000);
            let mut stream = BufStream::with_limit(near, limit);
            peer.write_all(&[b'x'; 40_000]).await.unwrap();
            drop(peer);
            assert_eq!(stream.peek(1).await.unwrap(), b"x");
            assert_eq!(stream.read_exact(3).await.unwrap(), b"xxx");
            assert_eq!(stream.fill_buf().await.unwrap()[0], b'x');
            assert_eq!(stream.read_exact(20_000).await.unwrap().len(), 20_000);
            assert_eq!(stream.read_to_end().await.unwrap().len(), 19_997);
            assert!(stream.at_eof());
        }
    });
}
