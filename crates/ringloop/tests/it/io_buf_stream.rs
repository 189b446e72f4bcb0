//! Streams with buffers.

use std::io::{ErrorKind, IoSlice};

use ringloop::cancel::is_cancelled;
use ringloop::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufStream, ReadError, duplex};
use ringloop::stream::Stream;

use crate::io_pieces::{Pieces, Trickle, cuts};
use crate::rig::{cancelled_while_pending, numbered, polled_once, run_virtual};

#[test]
fn pieces_come_out_of_any_cut() {
    for pieces in cuts(b"ab\ncdefgh") {
        run_virtual(async {
            let mut stream = BufStream::new(Pieces::new(pieces.iter().copied()));
            assert_eq!(stream.read_exact(0).await.unwrap(), b"");
            assert_eq!(stream.peek(2).await.unwrap(), b"ab");
            assert_eq!(stream.read_line().await.unwrap(), b"ab\n");
            assert_eq!(stream.read_exact(2).await.unwrap(), b"cd");
            assert_eq!(stream.peek(99).await.unwrap(), b"efgh");
            assert_eq!(stream.buffer(), b"efgh");
            assert!(!stream.at_eof());
            assert_eq!(stream.read_line().await.unwrap(), b"efgh");
            assert!(stream.at_eof());
            assert_eq!(stream.read_line().await.unwrap(), b"");
            assert_eq!(stream.peek(1).await.unwrap(), b"");
        });
    }
}

#[test]
fn the_end_in_the_middle_gives_what_there_was() {
    for pieces in cuts(b"abcdef") {
        run_virtual(async {
            let mut stream = BufStream::new(Pieces::new(pieces.iter().copied()));
            stream.read_exact(1).await.unwrap();
            let error = stream.read_exact(9).await.unwrap_err();
            let ReadError::Incomplete { partial, expected } = error else {
                panic!("{error:?}");
            };
            assert_eq!((&partial[..], expected), (&b"bcdef"[..], Some(9)));
            assert!(stream.at_eof());
            let error = std::io::Error::from(stream.read_exact(1).await.unwrap_err());
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            let inside = error.get_ref().unwrap().downcast_ref();
            assert!(matches!(
                inside,
                Some(ReadError::Incomplete {
                    expected: Some(1),
                    ..
                })
            ));
        });
    }
}

#[test]
fn bytes_come_before_an_error() {
    for pieces in cuts(b"ab\ncd") {
        run_virtual(async {
            let source = Pieces::new(pieces.iter().copied()).failing(ErrorKind::ConnectionReset);
            let mut stream = BufStream::new(source);
            assert_eq!(stream.read_line().await.unwrap(), b"ab\n");
            let ReadError::Io(error) = stream.read_exact(9).await.unwrap_err() else {
                panic!("it has not ended");
            };
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            // What came before is there, and then the end.
            assert_eq!(stream.buffer(), b"cd");
            assert_eq!(stream.read_to_end().await.unwrap(), b"cd");
            assert!(stream.at_eof());
        });
    }
}

#[test]
fn the_limit_is_for_what_is_before_the_separator() {
    for pieces in cuts(b"ab\nabc\na") {
        run_virtual(async {
            let mut stream = BufStream::with_limit(Pieces::new(pieces.iter().copied()), 2);
            assert_eq!(stream.read_line().await.unwrap(), b"ab\n");
            for _ in 0..2 {
                let error = stream.read_line().await.unwrap_err();
                assert!(
                    matches!(error, ReadError::LimitOverrun { consumed: 3 }),
                    "{error:?}"
                );
            }
            assert!(stream.buffer().starts_with(b"abc"));
            assert!(stream.skip_until(b'\n').await.unwrap());
            assert_eq!(stream.read_line().await.unwrap(), b"a");
        });
    }
}

#[test]
fn a_peer_that_sends_no_separator_fills_no_memory() {
    run_virtual(async {
        let limit = 1000;
        let endless = ringloop::io::repeat(b'x');
        let mut stream = BufStream::with_limit(endless.take(100_000), limit);
        let error = stream.read_until(b"\r\n").await.unwrap_err();
        assert!(matches!(error, ReadError::LimitOverrun { .. }));
        let buffered = stream.buffer().len();
        assert!((limit..=2 * limit + 2).contains(&buffered), "{buffered}");
        // The limit does not count for these.
        assert_eq!(stream.read_exact(5000).await.unwrap().len(), 5000);
        assert_eq!(stream.peek(7000).await.unwrap().len(), 7000);
        assert_eq!(stream.read_to_end().await.unwrap().len(), 95_000);
    });
}

#[test]
fn an_over_long_line_is_one_error_and_no_line() {
    for pieces in cuts(b"a\nbcd\ne\n") {
        run_virtual(async {
            let stream = BufStream::with_limit(Pieces::new(pieces.iter().copied()), 1);
            let mut lines = stream.lines();
            assert_eq!(lines.next().await.unwrap().unwrap(), "a");
            let error = lines.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert_eq!(lines.next().await.unwrap().unwrap(), "e");
            assert!(lines.next().await.is_none());
        });
    }
}

#[test]
fn plain_reads_take_from_the_buffer_first() {
    run_virtual(async {
        let bytes = numbered(0, 50_000);
        let mut stream = BufStream::new(&bytes[..]);
        assert_eq!(stream.peek(3).await.unwrap(), numbered(0, 3));
        let mut all = Vec::new();
        for len in [1, 100, 20_000, 7].into_iter().cycle() {
            let mut buf = vec![0; len];
            match stream.read(&mut buf).await.unwrap() {
                0 => break,
                count => all.extend_from_slice(&buf[..count]),
            }
        }
        assert!(all == bytes);
        assert!(stream.at_eof());
    });
}

#[test]
fn the_parts_are_everything() {
    run_virtual(async {
        let (near, mut far) = duplex(64);
        far.write_all(b"line\nrest").await.unwrap();
        let mut stream = BufStream::new(near);
        stream.read_line().await.unwrap();
        stream.write_all(b"out").await.unwrap();
        let stream = stream.into_inner().unwrap_err();
        let (near, read, unflushed) = stream.into_parts();
        assert_eq!((&read[..], &unflushed[..]), (&b"rest"[..], &b"out"[..]));
        assert!(BufStream::new(near).into_inner().is_ok());
    });
}

#[test]
fn small_writes_are_gathered_and_large_ones_go_through() {
    run_virtual(async {
        let mut stream = BufStream::new(Trickle::new(5000, usize::MAX));
        let mut sent = 0;
        for len in [1, 4000, 4000, 10, 500, 30_000, 8191, 1, 1, 8192] {
            stream.write_all(&numbered(sent, len)).await.unwrap();
            sent += len;
        }
        let slices = [numbered(sent, 10), numbered(sent + 10, 9000)];
        let slices: Vec<_> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
        stream.write_all_vectored(&slices).await.unwrap();
        sent += 9010;
        stream.write_all(&numbered(sent, 10)).await.unwrap();
        sent += 10;
        assert!(stream.unflushed().ends_with(&numbered(sent - 10, 10)));
        assert_eq!(stream.get_ref().flushes, 0);
        stream.flush().await.unwrap();
        assert_eq!(stream.get_ref().flushes, 1);
        stream.write_all(b"").await.unwrap();
        stream.shutdown().await.unwrap();
        let sink = stream.into_inner().ok().unwrap();
        assert_eq!(sink.shutdowns, 1);
        assert!(sink.taken == numbered(0, sent));
    });
}

#[test]
fn a_flush_that_is_cancelled_goes_on_later() {
    run_virtual(async {
        let (near, mut far) = duplex(4);
        let mut stream = BufStream::new(near);
        stream.write_all(b"abcdef").await.unwrap();
        assert!(polled_once(stream.flush()).await.is_none());
        assert_eq!(stream.unflushed(), b"ef");
        assert!(cancelled_while_pending(stream.flush()).await.is_none());
        assert!(polled_once(stream.read_exact(1)).await.is_none());
        let mut buf = [0; 6];
        let reading = ringloop::spawn(async move {
            far.read_exact(&mut buf).await.unwrap();
            buf
        });
        stream.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap(), *b"abcdef");
    });
}

#[test]
fn errors_say_what_happened() {
    run_virtual(async {
        let mut stream = BufStream::with_limit(&b"abcdef"[..], 2);
        let error = stream.read_until(b'\n').await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "no separator within the limit, after 5 bytes"
        );
        let error = stream.read_exact(9).await.unwrap_err();
        assert_eq!(error.to_string(), "the stream ended after 6 of 9 bytes");
        let error = stream.read_until(b'\n').await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stream ended after 0 bytes, without a separator"
        );
        assert!(stream.fill_buf().await.unwrap().is_empty());
        let task =
            ringloop::spawn(async { BufStream::new(duplex(1).0).read_exact(1).await.map(drop) });
        task.cancel("enough");
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is_cancelled());
        assert!(is_cancelled(&error.into()));
    });
}
