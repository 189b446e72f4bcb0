//! Streams at their edges: sources without an end, sides that fail, wakers that call back.

use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, ErrorKind, IoSlice};
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ringloop::io::{
    AsyncBufRead, AsyncRead, AsyncWrite, BufStream, DuplexStream, Separators, copy,
    copy_bidirectional, duplex, repeat,
};
use ringloop::stream::Stream;
use ringloop::{spawn, task::yield_now};

use crate::io_pieces::Pieces;
use crate::rig::{assert_cancelled, polled_once, run_virtual};

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
        drop(end.poll_read(&mut cx, &mut [0; 2]));
        drop(end.poll_write(&mut cx, b"!"));
        drop(format!("{end:?}"));
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

/// At its end now, and later it waits.
struct Growing {
    is_at_end: bool,
}

impl AsyncRead for Growing {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match std::mem::take(&mut self.is_at_end) {
            true => Poll::Ready(Ok(0)),
            false => Poll::Pending,
        }
    }
}

#[test]
fn an_end_is_not_asked_for_twice() {
    run_virtual(async {
        let mut stream = BufStream::new(Growing { is_at_end: true });
        assert!(stream.fill_buf().await.unwrap().is_empty());
        assert!(polled_once(stream.fill_buf()).await.is_none());
    });
}

#[test]
fn memory_for_a_large_piece_is_given_back() {
    run_virtual(async {
        let (mut peer, near) = duplex(2_000_000);
        let mut stream = BufStream::new(near);
        for _ in 0..2 {
            peer.write_all(&[1; 1_000_000]).await.unwrap();
            stream.read_exact(1_000_000).await.unwrap();
        }
        assert!(polled_once(stream.read_line()).await.is_none());
        peer.write_all(b"next").await.unwrap();
        assert_eq!(stream.peek(4).await.unwrap(), b"next");
        let (_, memory, _) = stream.into_parts();
        assert!(memory.capacity() <= 256 * 1024, "{}", memory.capacity());
    });
}

#[test]
fn a_write_behind_the_shutdown_of_a_buffered_stream_fails() {
    run_virtual(async {
        let (mut peer, near) = duplex(64);
        let mut stream = BufStream::new(near);
        stream.write_all(b"all").await.unwrap();
        stream.shutdown().await.unwrap();
        stream.shutdown().await.unwrap();
        let error = stream.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let slices = [IoSlice::new(b"more")];
        let error = stream.write_vectored(&slices).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert!(stream.unflushed().is_empty());
        let mut text = String::new();
        peer.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "all");
    });
}

/// A line feed that counts how many bytes it is looked for in.
struct Counting<'a>(&'a Cell<usize>);

impl Separators for Counting<'_> {
    fn for_each(&self, each: &mut dyn FnMut(&[u8])) {
        each(b"\r\n");
    }

    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        self.0.set(self.0.get() + bytes.len());
        b"\r\n".find(bytes)
    }
}

#[test]
fn a_line_that_trickles_is_looked_at_once() {
    let bytes = [&[b'x'; 3000][..], b"\r\n"].concat();
    run_virtual(async {
        let looked_at = Cell::new(0);
        let mut stream = BufStream::new(Pieces::new(bytes.chunks(1)));
        let line = stream.read_until(Counting(&looked_at)).await.unwrap();
        assert_eq!(line, bytes);
        assert!(looked_at.take() <= 8 * bytes.len());
        let mut stream = BufStream::new(Pieces::new(bytes.chunks(1)));
        assert!(stream.skip_until(Counting(&looked_at)).await.unwrap());
        assert!(looked_at.take() <= 8 * bytes.len());
        let (mut source, mut line) = (Pieces::new(bytes.chunks(1)), Vec::new());
        let count = source.read_until(Counting(&looked_at), &mut line).await;
        assert_eq!((count.unwrap(), line), (bytes.len(), bytes.clone()));
        assert!(looked_at.take() <= 8 * bytes.len());
    });
}

#[test]
fn whoever_waits_last_is_woken() {
    run_virtual(async {
        let (mut near, mut far) = duplex(4);
        assert!(polled_once(near.read(&mut [0])).await.is_none());
        assert!(polled_once(near.write_all(&[1; 5])).await.is_none());
        let waiting = spawn(async move {
            near.read_exact(&mut [0]).await.unwrap();
            near.write_all(&[2; 4]).await.unwrap();
        });
        yield_now().await.unwrap();
        far.write_all(b"x").await.unwrap();
        yield_now().await.unwrap();
        let mut bytes = [0; 8];
        far.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, [1, 1, 1, 1, 2, 2, 2, 2]);
        waiting.await.unwrap();
    });
}

#[test]
fn what_was_written_is_somewhere_when_a_sink_is_full() {
    run_virtual(async {
        let mut stream = BufStream::new(Cursor::new(vec![0; 3]));
        let (mut front, mut back) = ([0; 2], [0; 3]);
        let slices = [IoSlice::new(&[1; 4096]), IoSlice::new(&[2])];
        stream.write_all_vectored(&slices[..1]).await.unwrap();
        stream.write_all_vectored(&slices).await.unwrap();
        assert_eq!(stream.unflushed().len(), 4097);
        drop(stream);
        let mut stream = BufStream::new(Cursor::new(&mut front[..]));
        stream.write_all(b"abc").await.unwrap();
        for _ in 0..2 {
            let error = stream.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WriteZero);
        }
        let (_, _, unflushed) = stream.into_parts();
        assert_eq!((&front, &*unflushed), (b"ab", &b"c"[..]));
        back[0] = 1;
        let error = copy(&mut &b"abcd"[..], &mut &mut back[..])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert_eq!(&back, b"abc");
    });
}

#[test]
fn limits_and_joints_ask_nobody_who_need_not_be_asked() {
    run_virtual(async {
        let (mut peer, near) = duplex(8);
        peer.write_all(b"ab").await.unwrap();
        let mut first = near.take(2);
        first.read_exact(&mut [0; 2]).await.unwrap();
        // The peer says no more, and nobody waits for it.
        assert_eq!(first.fill_buf().await.unwrap(), b"");
        assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
        first.set_limit(1);
        assert!(polled_once(first.fill_buf()).await.is_none());
        let mut chain = (&b"one"[..]).chain(&b"two"[..]);
        assert_eq!(chain.read(&mut []).await.unwrap(), 0);
        let mut text = String::new();
        chain.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "onetwo");
    });
}

#[test]
fn what_was_in_the_vector_is_no_part_of_a_separator() {
    run_virtual(async {
        let mut source = Pieces::new([&b"b"[..], b"c", b"abc", b"d"]);
        let mut bytes = b"a".to_vec();
        source.read_until("abc", &mut bytes).await.unwrap();
        assert_eq!(bytes, b"abcabc");
    });
}
