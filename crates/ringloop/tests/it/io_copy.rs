//! Passing on everything.

use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;

use ringloop::io::{
    AsyncRead, AsyncWrite, BufStream, Partial, copy, copy_bidirectional, copy_buf, duplex, repeat,
    sink,
};
use ringloop::spawn;
use ringloop::task::yield_now;

use crate::io_pieces::{Pieces, Trickle, cuts};
use crate::rig::{cancelled_while_pending, numbered, polled_once, run_virtual};

#[test]
fn everything_is_passed_on() {
    for pieces in cuts(b"abcdef") {
        for step in [1, 2, 9] {
            run_virtual(async {
                let mut there = Trickle::new(step, usize::MAX);
                let mut source = Pieces::new(pieces.iter().copied());
                assert_eq!(copy(&mut source, &mut there).await.unwrap(), 6);
                assert_eq!((&there.taken[..], there.shutdowns), (&b"abcdef"[..], 0));
                assert!(there.flushes > 0);
                let mut there = Trickle::new(step, usize::MAX);
                let mut source = Pieces::new(pieces.iter().copied());
                assert_eq!(copy_buf(&mut source, &mut there).await.unwrap(), 6);
                assert_eq!(there.taken, b"abcdef");
            });
        }
    }
}

#[test]
fn an_error_says_how_much_was_passed_on() {
    run_virtual(async {
        let mut sink = Trickle::new(2, 3);
        let mut source: &[u8] = b"abcdef";
        let mut copying = copy(&mut source, &mut sink);
        let error = (&mut copying).await.unwrap_err();
        assert_eq!((copying.copied(), copying.unwritten()), (3, &b"def"[..]));
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let partial = Partial::of(&error).unwrap();
        assert_eq!((partial.done(), partial.expected()), (3, None));
        let mut source = Pieces::new([&b"abc"[..]]).failing(ErrorKind::TimedOut);
        let mut sink = Vec::new();
        let error = copy(&mut source, &mut sink).await.unwrap_err();
        assert_eq!(
            (error.kind(), &sink[..]),
            (ErrorKind::TimedOut, &b"abc"[..])
        );
    });
}

#[test]
fn a_cancelled_copy_of_a_buffer_loses_nothing() {
    run_virtual(async {
        let (mut near, mut far) = duplex(4);
        let bytes = numbered(0, 100);
        let mut source = &bytes[..];
        let mut received = Vec::new();
        loop {
            let copied = cancelled_while_pending(copy_buf(&mut source, &mut near)).await;
            if copied.is_some() {
                break;
            }
            let mut buf = [0; 3];
            let count = far.read(&mut buf).await.unwrap();
            received.extend_from_slice(&buf[..count]);
        }
        drop(near);
        far.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, bytes);
    });
}

#[test]
fn a_copy_without_end_can_be_cancelled() {
    run_virtual(async {
        let mut source = repeat(1);
        let mut sink = sink();
        let task = spawn(async move { copy_buf(&mut source, &mut sink).await });
        yield_now().await.unwrap();
        task.cancel("enough");
        let error = task.await.unwrap().unwrap_err();
        assert!(ringloop::cancel::is_cancelled(&error));
        assert!(Partial::of(&error).unwrap().done() > 0);
        let task = spawn(async move {
            let mut bytes = Vec::new();
            let error = repeat(1).read_to_end(&mut bytes).await.unwrap_err();
            assert!(ringloop::cancel::is_cancelled(&error));
            bytes.len()
        });
        yield_now().await.unwrap();
        task.cancel("enough");
        assert!(task.await.unwrap() > 0);
    });
}

#[test]
fn a_buffered_sink_does_not_wait_for_more() {
    run_virtual(async {
        let (mut client, mut front) = duplex(64);
        let (back, mut server) = duplex(64);
        let mut back = BufStream::new(back);
        let copying = spawn(async move { copy(&mut front, &mut back).await });
        client.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");
        drop(client);
        assert_eq!(copying.await.unwrap().unwrap(), 4);
    });
}

#[test]
fn the_end_of_each_direction_is_passed_on() {
    run_virtual(async {
        let (mut client, mut front) = duplex(5);
        let (mut back, mut server) = duplex(3);
        let copying = spawn(async move { copy_bidirectional(&mut front, &mut back).await });
        let (request, reply) = (numbered(0, 200), numbered(7, 300));
        let expected = request.clone();
        let client = spawn(async move {
            client.write_all(&request).await.unwrap();
            client.shutdown().await.unwrap();
            let mut bytes = Vec::new();
            client.read_to_end(&mut bytes).await.unwrap();
            bytes
        });
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, expected);
        assert!(!client.is_finished() && !copying.is_finished());
        server.write_all(&reply).await.unwrap();
        server.shutdown().await.unwrap();
        assert_eq!(client.await.unwrap(), reply);
        assert_eq!(copying.await.unwrap().unwrap(), (200, 300));
    });
}

#[test]
fn an_error_of_one_side_ends_both_directions() {
    run_virtual(async {
        let (mut client, mut front) = duplex(8);
        let (mut back, server) = duplex(8);
        client.write_all(b"abc").await.unwrap();
        let mut copying = copy_bidirectional(&mut front, &mut back);
        assert!(polled_once(&mut copying).await.is_none());
        assert_eq!(copying.copied(), (3, 0));
        drop(server);
        client.write_all(b"def").await.unwrap();
        let error = (&mut copying).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(copying.copied(), (3, 0));
        assert!(
            cancelled_while_pending(front.read(&mut [0]))
                .await
                .is_none()
        );
    });
}

#[test]
fn a_busy_direction_leaves_the_other_its_turn() {
    run_virtual(async {
        let (front, client) = duplex(64);
        let (back, server) = duplex(64);
        let (mut front, mut back) = (front, back);
        let copying = spawn(async move { copy_bidirectional(&mut front, &mut back).await });
        // One side never stops.
        let (mut client_reader, mut client_writer) = ringloop::io::split(client);
        let (mut server_reader, mut server_writer) = ringloop::io::split(server);
        let passed = Rc::new(Cell::new(0_u64));
        let flood = spawn(async move { copy(&mut repeat(1), &mut client_writer).await.map(drop) });
        let count = Rc::clone(&passed);
        let drain = spawn(async move {
            let mut buf = [0; 64];
            while let Ok(len) = server_reader.read(&mut buf).await {
                count.set(count.get() + len as u64);
            }
        });
        server_writer.write_all(b"quiet").await.unwrap();
        let mut buf = [0; 5];
        client_reader.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"quiet");
        while passed.get() == 0 {
            yield_now().await.unwrap();
        }
        flood.abort();
        drain.abort();
        copying.abort();
    });
}
