//! Waits on streams that are given up, in every way, at every place.

use std::io;

use ringloop::cancel::is_cancelled;
use ringloop::io::{
    AsyncBufRead, AsyncRead, AsyncWrite, BufStream, DuplexStream, copy_buf, duplex,
};
use ringloop::spawn;
use ringloop::stream::Stream;
use ringloop::task::yield_now;

use crate::lossless::{ALL, GiveUp};
use crate::rig::{assert_cancelled, in_cancelled_scope, numbered, polled_once, run_virtual};

/// A task that ignores that it is cancelled is let through now and then so that the loop comes
/// round, but not to the bytes.
#[test]
fn a_cancelled_task_that_reads_again_and_again_gets_nothing() {
    run_virtual(async {
        let (mut near, mut far) = duplex(64);
        far.write_all(b"abc").await.unwrap();
        let task = spawn(async move {
            let mut buf = [0; 8];
            for _ in 0..2500 {
                assert_cancelled(&near.read(&mut buf).await);
                assert_cancelled(&near.read_exact(&mut buf[..1]).await);
                assert_cancelled(&near.read_until(b'c', &mut Vec::new()).await);
                assert_cancelled(&near.fill_buf().await);
                assert_cancelled(&near.write(b"x").await);
                assert_cancelled(&near.write_all(b"x").await);
                assert_cancelled(&near.flush().await);
                assert_cancelled(&near.shutdown().await);
                assert_cancelled(&copy_buf(&mut &b"x"[..], &mut near).await);
            }
            let mut lines = near.lines();
            assert_cancelled(&lines.next().await.unwrap());
            lines.into_parts().0
        });
        task.cancel("before");
        let mut near = task.await.unwrap();
        assert_eq!(near.fill_buf().await.unwrap(), b"abc");
        assert!(polled_once(far.read(&mut [0])).await.is_none());
    });
}

/// One read of a buffered stream, and what it brings of [`MESSAGE`].
#[derive(Clone, Copy, Debug)]
enum Reading {
    Until,
    Line,
    Exact,
    Peek,
    ToEnd,
}

const MESSAGE: &[u8] = b"abcd\r\n";

impl Reading {
    async fn on(self, stream: &mut BufStream<DuplexStream>) -> io::Result<Vec<u8>> {
        Ok(match self {
            Self::Until => stream.read_until(b"\r\n").await?.to_vec(),
            Self::Line => stream.read_line().await?.to_vec(),
            Self::Exact => stream.read_exact(MESSAGE.len()).await?.to_vec(),
            Self::Peek => stream.peek(MESSAGE.len()).await?.to_vec(),
            Self::ToEnd => stream.read_to_end().await?,
        })
    }
}

#[test]
fn a_read_of_a_buffered_stream_that_is_given_up_leaves_the_bytes() {
    let readings = [
        Reading::Until,
        Reading::Line,
        Reading::Exact,
        Reading::Peek,
        Reading::ToEnd,
    ];
    for reading in readings {
        for give_up in ALL {
            run_virtual(give_up_at_every_byte(reading, give_up));
        }
    }
}

async fn give_up_at_every_byte(reading: Reading, give_up: GiveUp) {
    let (near, mut far) = duplex(64);
    let mut stream = BufStream::new(near);
    for byte in MESSAGE {
        let given_up = give_up.on(reading.on(&mut stream)).await;
        assert!(given_up.is_none(), "{reading:?} {give_up:?}");
        far.write_all(&[*byte]).await.unwrap();
    }
    if let Reading::ToEnd = reading {
        assert!(give_up.on(reading.on(&mut stream)).await.is_none());
        far.shutdown().await.unwrap();
    }
    let brought = reading.on(&mut stream).await.unwrap();
    assert_eq!(brought, MESSAGE, "{reading:?} {give_up:?}");
}

#[test]
fn reads_into_a_vector_that_are_given_up_go_on() {
    for give_up in ALL {
        run_virtual(async {
            let (mut near, mut far) = duplex(64);
            let (mut until, mut to_end) = (Vec::new(), Vec::new());
            for byte in b"abc" {
                let reading = near.read_until(b'\n', &mut until);
                assert!(give_up.on(reading).await.is_none(), "{give_up:?}");
                far.write_all(&[*byte]).await.unwrap();
            }
            far.write_all(b"\nde").await.unwrap();
            near.read_until(b'\n', &mut until).await.unwrap();
            assert_eq!(until, b"abc\n", "{give_up:?}");
            assert!(give_up.on(near.read_to_end(&mut to_end)).await.is_none());
            far.write_all(b"f").await.unwrap();
            drop(far);
            near.read_to_end(&mut to_end).await.unwrap();
            assert_eq!(to_end, b"def", "{give_up:?}");
        });
    }
}

#[test]
fn lines_that_are_given_up_come_later() {
    for give_up in ALL {
        run_virtual(async {
            let (near, mut far) = duplex(64);
            let mut lines = near.lines();
            for byte in b"one" {
                assert!(give_up.on(lines.try_next()).await.is_none(), "{give_up:?}");
                far.write_all(&[*byte]).await.unwrap();
            }
            far.write_all(b"\ntwo").await.unwrap();
            drop(far);
            assert_eq!(lines.next().await.unwrap().unwrap(), "one", "{give_up:?}");
            assert_eq!(lines.next().await.unwrap().unwrap(), "two", "{give_up:?}");
            assert!(lines.next().await.is_none());
        });
    }
}

/// Every byte is accounted for by what the writes say, however they end.
#[test]
fn writes_that_are_given_up_say_what_was_accepted() {
    for give_up in ALL {
        run_virtual(async {
            const TOTAL: usize = 500;
            let (mut near, mut far) = duplex(7);
            let bytes = numbered(0, TOTAL);
            let (mut sent, mut received) = (0, Vec::new());
            while sent < TOTAL {
                let mut writing = near.write_all(&bytes[sent..]);
                let _done_or_not = give_up.on(tolerant(&mut writing)).await;
                sent += writing.written();
                // With a budget of its own, so that no bytes means that there are none.
                yield_now().await.unwrap();
                let mut buf = [0; 5];
                if let Some(count) = polled_once(far.read(&mut buf)).await {
                    received.extend_from_slice(&buf[..count.unwrap()]);
                } else {
                    near.write_all(&bytes[sent..=sent]).await.unwrap();
                    sent += 1;
                }
            }
            drop(near);
            far.read_to_end(&mut received).await.unwrap();
            assert_eq!(received, bytes, "{give_up:?}");
        });
    }
}

/// An error that was cancelled passes through, with how much was done inside.
async fn tolerant(writing: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let result = writing.await;
    if let Err(error) = &result {
        assert!(is_cancelled(error));
    }
    result
}

#[test]
fn a_next_that_begins_in_a_cancelled_scope_takes_nothing() {
    run_virtual(async {
        let mut lines = b"one\ntwo".lines();
        assert!(in_cancelled_scope(lines.try_next()).await.is_none());
        assert_eq!(lines.next().await.unwrap().unwrap(), "one");
    });
}
