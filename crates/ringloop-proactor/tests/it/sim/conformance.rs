use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Fd, Handle, Link, Outcome, Receiver, Sender};

use super::rings::{Bench, on_both};

/// Reads until `bytes` is full.
async fn fill(handle: &Handle, fd: &Fd, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let (count, part) = handle.recv(fd, vec![0; len - bytes.len()]).await.unwrap();
        assert!(count > 0, "the stream ends early");
        bytes.extend(&part[..count]);
    }
    bytes
}

fn path(bench: &Bench, what: &str) -> PathBuf {
    let kind = bench.proactor.simulation().map_or("kernel", |_| "sim");
    let name = format!("ringloop-conformance-{what}-{kind}-{}", std::process::id());
    PathBuf::from("/tmp").join(name)
}

#[test]
fn nops_complete() {
    on_both(|bench| {
        let handle = bench.handle();
        for _ in 0..300 {
            bench.run(handle.nop()).unwrap();
        }
    });
}

#[test]
fn connections_are_made_by_operations() {
    on_both(|bench| {
        let handle = bench.handle();
        let (listener, address) = bench.listen();
        bench.run(async {
            let near = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await;
            let near = handle.adopt(near.unwrap());
            handle.connect(&near, address).await.unwrap();
            let far = handle.adopt(handle.accept(&listener).await.unwrap());
            assert_eq!(handle.send(&near, &b"over"[..]).await.unwrap().0, 4);
            assert_eq!(fill(&handle, &far, 4).await, b"over");
            near.close().await.unwrap();
            assert_eq!(handle.recv(&far, vec![0; 4]).await.unwrap().0, 0);
        });
        let bad = bench.run(handle.socket(12_345, libc::SOCK_STREAM, 0));
        assert_eq!(bad.unwrap_err().raw_os_error(), Some(libc::EAFNOSUPPORT));
    });
}

#[test]
fn a_refused_connection_says_so() {
    on_both(|bench| {
        let handle = bench.handle();
        let (listener, address) = bench.listen();
        bench.run(async {
            listener.close().await.unwrap();
            let socket = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await;
            let socket = handle.adopt(socket.unwrap());
            let error = handle.connect(&socket, address).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        });
    });
}

#[test]
fn a_receive_waits_for_its_bytes_and_can_be_given_up() {
    on_both(|bench| {
        let handle = bench.handle();
        let (near, far) = bench.pair();
        let mut recv = handle.recv(&far, vec![0; 8]);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(&mut recv).poll(&mut cx).is_pending());
        bench.proactor.park(Some(Duration::ZERO)).unwrap();
        let Outcome::Cancelled(buffer) = bench.run(recv.cancel()) else {
            panic!("nothing came")
        };
        assert_eq!(buffer.capacity(), 8);
        let mut dropped = handle.recv(&far, vec![0; 8]);
        assert!(pin!(&mut dropped).poll(&mut cx).is_pending());
        bench.proactor.park(Some(Duration::ZERO)).unwrap();
        drop(dropped);
        crate::rig::settle(&mut bench.proactor);
        bench.run(async {
            handle.send(&near, &b"still here"[..]).await.unwrap();
            assert_eq!(fill(&handle, &far, 10).await, b"still here");
        });
    });
}

#[test]
fn files_are_opened_written_and_read() {
    on_both(|bench| {
        let handle = bench.handle();
        let path = path(bench, "file");
        bench.run(async {
            let missing = handle.open(&path, libc::O_RDONLY, 0).unwrap().await;
            assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
            let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
            let file = handle.open(&path, flags, 0o600).unwrap().await.unwrap();
            let file = handle.adopt(file);
            assert_eq!(
                handle.write(&file, &b"0123456789"[..], 0).await.unwrap().0,
                10
            );
            let (count, bytes) = handle.read(&file, vec![0; 64], 4).await.unwrap();
            assert_eq!((count, &bytes[..]), (6, &b"456789"[..]));
            let (count, _) = handle.read(&file, vec![0; 64], 10).await.unwrap();
            assert_eq!(count, 0);
            let error = handle.recv(&file, vec![0; 4]).await.unwrap_err().error;
            assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
            file.close().await.unwrap();
        });
        if bench.proactor.simulation().is_none() {
            std::fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn polls_tell_readiness() {
    on_both(|bench| {
        let handle = bench.handle();
        let (near, far) = bench.pair();
        bench.run(async {
            assert_eq!(handle.poll(&far, 4).await.unwrap(), 4);
            let mut readable = pin!(handle.poll(&far, 1));
            let first = std::future::poll_fn(|cx| Poll::Ready(readable.as_mut().poll(cx))).await;
            assert!(first.is_pending());
            handle.send(&near, &b"x"[..]).await.unwrap();
            assert_eq!(readable.await.unwrap() & 1, 1);
        });
    });
}

#[test]
fn an_acceptor_serves_all_its_clients() {
    on_both(|bench| {
        let handle = bench.handle();
        let (listener, address) = bench.listen();
        let acceptor = Acceptor::new(listener);
        bench.run(async {
            for _ in 0..20 {
                let near = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await;
                let near = handle.adopt(near.unwrap());
                handle.connect(&near, address).await.unwrap();
                let far = handle.adopt(acceptor.accept().await.unwrap());
                handle.send(&far, &b"hi"[..]).await.unwrap();
                assert_eq!(fill(&handle, &near, 2).await, b"hi");
            }
        });
    });
}

#[test]
fn streams_carry_everything_both_ways() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let mut sender = Sender::new(near.clone());
        let mut receiver = Receiver::new(far);
        let mut received = Vec::new();
        bench.run(async {
            let mut sending = pin!(async {
                sender.write_all(&bytes).await.unwrap();
                sender.flush().await.unwrap();
            });
            let mut is_sent = false;
            while received.len() < bytes.len() {
                let chunk = std::future::poll_fn(|cx| {
                    is_sent = is_sent || sending.as_mut().poll(cx).is_ready();
                    receiver.poll_chunk(cx)
                });
                received.extend_from_slice(&chunk.await.unwrap());
            }
        });
        assert!(received == bytes);
        drop((sender, near));
        let end = bench.run(receiver.read(&mut [0; 4])).unwrap();
        assert_eq!(end, 0);
    });
}

#[test]
fn links_timeouts_and_direct_descriptors_work() {
    on_both(|bench| {
        let handle = bench.handle();
        let (near, far) = bench.pair();
        bench.run(async {
            let (sent, received) = handle
                .send(&near, &b"linked"[..])
                .then(handle.recv(&far, vec![0; 6]))
                .await;
            assert_eq!((sent.unwrap().0, received.unwrap().0), (6, 6));
            let slow = handle.recv(&far, vec![0; 6]);
            let (result, _expiry) = slow.with_timeout(Duration::from_millis(1)).await;
            let error = result.unwrap_err().error;
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
            let direct = handle.register(&far).unwrap().await.unwrap();
            drop(far);
            handle.send(&near, &b"direct"[..]).await.unwrap();
            assert_eq!(fill(&handle, &direct, 6).await, b"direct");
            direct.close().await.unwrap();
            assert_eq!(handle.recv(&near, vec![0; 4]).await.unwrap().0, 0);
        });
    });
}
