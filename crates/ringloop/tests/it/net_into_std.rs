//! Streams given back to std, with every byte.

use std::io::{ErrorKind, Read, Write};

use ringloop::cancel::is_cancelled;
use ringloop::net::UnixStream;
use ringloop::task::yield_now;

use crate::rig::{
    alone, in_cancelled_scope, numbered, open_fds, pair, polled_once, run, runtime, settle,
};

#[test]
fn no_byte_is_lost_whenever_a_stream_is_given_back() {
    run(async {
        for round in 0..40 {
            let (mut stream, mut far) = pair();
            far.write_all(&numbered(0, 5000)).unwrap();
            let mut received = vec![0; round * 10];
            stream.read_exact(&mut received).await.unwrap();
            if round % 2 == 0 {
                // A receive is under way that nobody waits for.
                drop(polled_once(stream.peek(&mut [0; 1])).await);
            }
            for turn in 0..round % 5 {
                far.write_all(&numbered(5000 + turn, 1)).unwrap();
                yield_now().await.unwrap();
            }
            stream.write_all(b"all of it").await.unwrap();
            let (mut stream, leftover) = stream.into_std().await.unwrap();
            received.extend(leftover);
            far.write_all(&numbered(5000 + round % 5, 5000)).unwrap();
            let mut sent = [0; 9];
            far.read_exact(&mut sent).unwrap();
            assert_eq!(&sent, b"all of it");
            drop(far);
            stream.read_to_end(&mut received).unwrap();
            assert!(received == numbered(0, 10_000 + round % 5), "round {round}");
        }
    });
}

#[test]
fn a_stream_that_cannot_be_given_back_comes_back() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"still here").unwrap();
        stream.write_all(b"x").await.unwrap();
        let refused = in_cancelled_scope(async {
            let refused = stream.into_std().await.unwrap_err();
            assert!(is_cancelled(&refused.error));
            refused.buffer
        });
        let mut stream = refused.await.expect("the error is gone");
        let mut text = [0; 10];
        stream.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"still here");
    });
}

#[test]
fn the_descriptor_of_the_loop_is_closed() {
    if !alone("net_into_std::the_descriptor_of_the_loop_is_closed") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    runtime.block_on(async {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"abc").await.unwrap();
        near.read_exact(&mut [0; 1]).await.unwrap();
        let (mut near, leftover) = near.into_std().await.unwrap();
        assert_eq!(leftover, b"bc");
        far.close().await.unwrap();
        assert_eq!(near.read(&mut [0; 1]).unwrap(), 0);
        near.set_nonblocking(true).unwrap();
        assert_eq!(near.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
        let again = UnixStream::from_std(near).unwrap();
        again.into_std().await.unwrap();
    });
    settle(&mut runtime, fds);
}
