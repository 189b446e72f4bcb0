//! Descriptors that pass through unix sockets.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net;
use std::process::Command;

use ringloop::net::{FdStream, UnixListener, UnixStream};
use ringloop::task::yield_now;

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, in_cancelled_scope, open_fds, polled_once,
    run, runtime, settle,
};

/// Proves that `fd` is the writing end of the pipe.
fn write_through(fd: OwnedFd, reader: &mut impl Read, byte: u8) {
    File::from(fd).write_all(&[byte]).unwrap();
    let mut read = [0; 1];
    reader.read_exact(&mut read).unwrap();
    assert_eq!(read, [byte]);
}

#[test]
fn descriptors_come_with_their_bytes() {
    run(async {
        let (mut near, mut far) = FdStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        near.send(b"none", &[]).await.unwrap();
        near.send(b"one", &[writer.as_fd()]).await.unwrap();
        near.send(b"two", &[writer.as_fd(), writer.as_fd()])
            .await
            .unwrap();
        near.shutdown().await.unwrap();
        let (mut text, mut counts) = (Vec::new(), Vec::new());
        loop {
            let (mut buf, mut fds) = ([0; 2], Vec::new());
            let count = far.recv(&mut buf, &mut fds).await.unwrap();
            text.extend_from_slice(&buf[..count]);
            if count == 0 {
                break;
            }
            counts.push((text.len() - count, fds.len()));
            for fd in fds {
                write_through(fd, &mut reader, b'x');
            }
        }
        assert_eq!(text, b"noneonetwo");
        counts.retain(|(_, fds)| *fds > 0);
        let [(first, 1), (second, 2)] = *counts else {
            panic!("{counts:?}");
        };
        // Not later than the bytes that carry them, and not mixed.
        assert!(first <= 4 && second == 7, "{counts:?}");
        assert_eq!(far.recv(&mut [0; 1], &mut Vec::new()).await.unwrap(), 0);
    });
}

#[test]
fn a_whole_table_of_descriptors_fits_and_more_is_refused() {
    run(async {
        let (mut near, mut far) = FdStream::pair().unwrap();
        let null = File::open("/dev/null").unwrap();
        let many = |count| -> Vec<BorrowedFd<'_>> { (0..count).map(|_| null.as_fd()).collect() };
        near.send(b"!", &many(253)).await.unwrap();
        let mut fds = Vec::new();
        assert_eq!(far.recv(&mut [0; 9], &mut fds).await.unwrap(), 1);
        assert_eq!(fds.len(), 253);
        for (bytes, count) in [(&b"!"[..], 254), (b"", 1)] {
            let refused = near.send(bytes, &many(count)).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        }
        near.send(b"", &[]).await.unwrap();
    });
}

#[test]
fn the_sender_may_close_its_own_at_once() {
    run(async {
        let (mut near, mut far) = FdStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let fds = [writer.as_fd()];
        let mut sending = Box::pin(near.send(b"!", &fds));
        let sent = polled_once(&mut sending).await;
        drop(sending);
        drop(writer);
        assert!(sent.is_none());
        let mut fds = Vec::new();
        assert_eq!(far.recv(&mut [0; 1], &mut fds).await.unwrap(), 1);
        write_through(fds.remove(0), &mut reader, b'y');
        // What was dropped while it was under way does not stand in the way.
        near.send(b"2", &[]).await.unwrap();
        assert_eq!(far.recv(&mut [0; 1], &mut fds).await.unwrap(), 1);
    });
}

#[test]
fn a_receive_that_is_given_up_loses_nothing() {
    run(async {
        let (mut near, mut far) = FdStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let (mut buf, mut fds) = ([0; 8], Vec::new());
        for byte in 0..20_u8 {
            assert!(polled_once(far.recv(&mut buf, &mut fds)).await.is_none());
            if let Some(result) = cancelled_while_pending(far.recv(&mut buf, &mut fds)).await {
                assert_cancelled(&result);
            }
            near.send(&[byte], &[writer.as_fd()]).await.unwrap();
            if byte % 2 == 0 {
                yield_now().await.unwrap();
            }
            if let Some(result) = in_cancelled_scope(far.recv(&mut buf, &mut fds)).await {
                assert_cancelled(&result);
            }
            assert!(fds.is_empty());
            assert_eq!(far.recv(&mut buf, &mut fds).await.unwrap(), 1);
            assert_eq!(buf[0], byte);
            write_through(fds.remove(0), &mut reader, byte);
        }
    });
}

#[test]
fn a_send_that_is_cancelled_has_sent_nothing() {
    run(async {
        let (mut near, mut far) = FdStream::pair().unwrap();
        let bytes = vec![7; 100_000];
        let mut sent = 0;
        // Nobody receives, and the socket fills up.
        loop {
            match cancelled_while_pending(near.send(&bytes, &[])).await {
                Some(Ok(())) => sent += bytes.len(),
                Some(result) => {
                    assert_cancelled(&result);
                    break;
                }
                None => break,
            }
        }
        let receiving = async {
            let (mut buf, mut received) = (vec![0; 65_536], 0);
            loop {
                match far.recv(&mut buf, &mut Vec::new()).await.unwrap() {
                    0 => break received,
                    count => received += count,
                }
            }
        };
        let (ended, received) = ringloop::future::join(near.shutdown(), receiving).await;
        ended.unwrap();
        assert_eq!(received, sent);
    });
}

#[test]
fn what_nobody_takes_is_closed() {
    if !alone("net_unix_fds::what_nobody_takes_is_closed") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    for polls in 0..4 {
        runtime.block_on(async {
            let (mut near, mut far) = FdStream::pair().unwrap();
            let null = File::open("/dev/null").unwrap();
            let mut none = Vec::new();
            if polls > 0 {
                assert!(
                    polled_once(far.recv(&mut [0; 1], &mut none))
                        .await
                        .is_none()
                );
            }
            near.send(b"ab", &[null.as_fd(); 3]).await.unwrap();
            if polls > 1 {
                yield_now().await.unwrap();
            }
            if polls > 2 {
                // The descriptors come with the first byte; the second one is left.
                assert_eq!(far.recv(&mut [0; 1], &mut none).await.unwrap(), 1);
                assert_eq!(none.len(), 3);
            }
            let sending = [null.as_fd()];
            assert!(polled_once(near.send(b"c", &sending)).await.is_none());
        });
        settle(&mut runtime, fds);
    }
}

#[test]
fn an_accepted_stream_can_carry_descriptors() {
    let dir = crate::net_unix::Dir::new("fds");
    run(async {
        let listener = UnixListener::bind(dir.socket()).unwrap();
        let mut near = UnixStream::connect(dir.socket()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        near.write_all(b"hello").await.unwrap();
        let mut near = near.into_fd_stream().await.unwrap();
        let mut far = far.into_fd_stream().await.unwrap();
        assert_eq!(far.recv(&mut [0; 9], &mut Vec::new()).await.unwrap(), 5);
        let null = File::open("/dev/null").unwrap();
        near.send(b"!", &[null.as_fd()]).await.unwrap();
        let mut fds = Vec::new();
        assert_eq!(far.recv(&mut [0; 1], &mut fds).await.unwrap(), 1);
        assert_eq!(fds.len(), 1);
        let me = near.peer_cred().unwrap();
        assert_eq!(me.pid, std::process::id().cast_signed());
    });
}

#[test]
fn credentials_are_those_of_who_sends() {
    run(async {
        let (near, far) = net::UnixStream::pair().unwrap();
        let mut near = FdStream::from_std(near).unwrap();
        let mut own = FdStream::from_std(far.try_clone().unwrap()).unwrap();
        let (mut buf, mut fds) = ([0; 9], Vec::new());
        own.send(b"unknown", &[]).await.unwrap();
        assert_eq!(near.recv(&mut buf, &mut fds).await.unwrap(), 7);
        assert_eq!(near.credentials(), None);
        own.send(b"early", &[]).await.unwrap();
        near.set_credentials(true).unwrap();
        let null = File::open("/dev/null").unwrap();
        // The room for descriptors is not used up by the credentials.
        own.send(b"mine", &[null.as_fd(); 253]).await.unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "printf theirs >&0"])
            .stdin(OwnedFd::from(far))
            .spawn()
            .unwrap();
        assert!(child.wait().unwrap().success());
        drop(own);
        assert_eq!(near.recv(&mut buf, &mut fds).await.unwrap(), 5);
        assert_eq!(near.credentials().unwrap().pid, 0);
        for (text, pid) in [("mine", std::process::id()), ("theirs", child.id())] {
            let count = near.recv(&mut buf, &mut fds).await.unwrap();
            assert_eq!(str::from_utf8(&buf[..count]), Ok(text));
            let credentials = near.credentials().unwrap();
            assert_eq!(credentials.pid, pid.cast_signed());
            assert_eq!(credentials.uid, near.peer_cred().unwrap().uid);
        }
        assert_eq!(fds.len(), 253);
        assert_eq!(near.recv(&mut buf, &mut fds).await.unwrap(), 0);
        assert_eq!(near.credentials(), None);
    });
}
