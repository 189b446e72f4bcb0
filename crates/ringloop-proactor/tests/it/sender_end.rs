use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Fd, Proactor, Receiver, Sender};
use socket2::SockRef;

use crate::rig::{poll_once, proactor, settle, tcp_pair};

/// Both halves of a stream on one descriptor, and the other end.
fn halves(proactor: &Proactor) -> (Receiver, Sender, TcpStream) {
    let (near, far) = tcp_pair();
    let near = proactor.handle().adopt(near);
    (Receiver::new(near.clone()), Sender::new(near), far)
}

fn read_all(mut far: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    far.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_shutdown_waits_for_the_queue_and_is_done_once() {
    let mut proactor = proactor();
    let (mut receiver, mut sender, mut far) = halves(&proactor);
    let write = sender.write_all(&[7; 100_000]);
    proactor.block_on(write).unwrap().unwrap();
    let reader = std::thread::spawn(move || {
        assert_eq!(read_all(&far), vec![7; 100_000]);
        far.write_all(b"late").unwrap();
        far
    });
    for _ in 0..3 {
        proactor.block_on(sender.shutdown()).unwrap().unwrap();
        proactor.block_on(sender.flush()).unwrap().unwrap();
        let write = proactor.block_on(sender.write_all(b"x")).unwrap();
        assert_eq!(write.unwrap_err().kind(), ErrorKind::BrokenPipe);
        let write = proactor.block_on(sender.write_owned("x")).unwrap();
        let error = write.unwrap_err();
        assert_eq!(
            (error.error.kind(), error.buffer),
            (ErrorKind::BrokenPipe, "x")
        );
    }
    let mut text = [0; 4];
    assert_eq!(
        proactor
            .block_on(receiver.read(&mut text))
            .unwrap()
            .unwrap(),
        4
    );
    drop(reader.join().unwrap());
}

#[test]
fn a_shutdown_that_is_given_up_while_it_waits_has_no_effect() {
    let mut proactor = proactor();
    let (_receiver, mut sender, far) = halves(&proactor);
    SockRef::from(sender.fd().plain().as_ref().unwrap())
        .set_send_buffer_size(4096)
        .unwrap();
    let mut shutdown = Box::pin(async {
        sender.write_all(&[7; 100_000]).await.unwrap();
        sender.shutdown().await
    });
    assert!(poll_once(&mut shutdown).is_pending());
    drop(shutdown);
    let reader = std::thread::spawn(move || read_all(&far).len());
    proactor.block_on(sender.flush()).unwrap().unwrap();
    proactor
        .block_on(sender.write_all(b"more"))
        .unwrap()
        .unwrap();
    proactor.block_on(sender.shutdown()).unwrap().unwrap();
    assert_eq!(reader.join().unwrap(), 100_004);
}

#[test]
fn a_dropped_half_ends_the_stream_behind_its_last_byte() {
    for len in [0, 1, 100_000] {
        for is_owned in [false, true] {
            let mut proactor = proactor();
            let (mut receiver, mut sender, mut far) = halves(&proactor);
            sender.set_shutdown_on_drop(true);
            let bytes = vec![7; len];
            let write = async {
                match is_owned {
                    false => sender.write_all(&bytes).await.unwrap(),
                    true => sender.write_owned(bytes.clone()).await.unwrap(),
                }
            };
            proactor.block_on(write).unwrap();
            drop(sender);
            let reader = std::thread::spawn(move || {
                let bytes = read_all(&far);
                far.write_all(b"answer").unwrap();
                (bytes, far)
            });
            // The other half goes on.
            let mut text = [0; 6];
            let count = proactor.block_on(receiver.read(&mut text)).unwrap();
            assert_eq!((count.unwrap(), &text), (6, b"answer"));
            let (bytes, far) = reader.join().unwrap();
            assert!(bytes == vec![7; len], "{len}");
            drop((receiver, far));
            settle(&mut proactor);
            proactor.park(Some(Duration::ZERO)).unwrap();
            assert_eq!(proactor.stats().live, 0);
        }
    }
}

#[test]
fn a_dropped_half_that_has_ended_or_failed_does_nothing() {
    let mut proactor = proactor();
    let (_receiver, mut sender, far) = halves(&proactor);
    sender.set_shutdown_on_drop(true);
    proactor.block_on(sender.shutdown()).unwrap().unwrap();
    drop(sender);
    assert!(read_all(&far).is_empty());
    let (_receiver, mut sender, far) = halves(&proactor);
    sender.set_shutdown_on_drop(true);
    SockRef::from(&far)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(far);
    let write = async {
        sender.write_all(b"x").await?;
        sender.flush().await
    };
    assert!(proactor.block_on(write).unwrap().is_err());
    drop(sender);
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0, "the receivers have not begun");
}

#[test]
fn a_direct_descriptor_is_shut_down_through_the_ring() {
    for is_dropped in [false, true] {
        let mut proactor = proactor();
        let (near, far) = tcp_pair();
        let near = proactor.handle().adopt(near);
        let direct: Fd = proactor
            .block_on(proactor.handle().register(&near).unwrap())
            .unwrap()
            .unwrap();
        let mut sender = Sender::new(direct.clone());
        proactor
            .block_on(sender.write_all(b"bytes"))
            .unwrap()
            .unwrap();
        if is_dropped {
            sender.set_shutdown_on_drop(true);
            drop(sender);
            while proactor.stats().live > 0 {
                proactor.park(Some(Duration::from_secs(1))).unwrap();
            }
        } else {
            proactor.block_on(sender.shutdown()).unwrap().unwrap();
            proactor.block_on(sender.shutdown()).unwrap().unwrap();
            let write = proactor.block_on(sender.write_all(b"x")).unwrap();
            assert_eq!(write.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        assert_eq!(read_all(&far), b"bytes");
    }
}

#[test]
fn a_shutdown_of_a_socket_that_is_not_connected_says_so_each_time() {
    let mut proactor = proactor();
    let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    far.shutdown(Shutdown::Both).unwrap();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let write = async {
        sender.write_all(b"x").await?;
        sender.shutdown().await
    };
    let error = proactor.block_on(write).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    let error = proactor.block_on(sender.shutdown()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

/// What a dropped sender still holds is not kept for a peer that never reads.
#[test]
fn a_dropped_sender_gives_a_tcp_peer_a_minute() {
    let mut proactor = proactor();
    for (own, len, expected) in [(None, 100_000, 60), (Some(5), 100_000, 5), (None, 0, 0)] {
        let (near, _far) = tcp_pair();
        let socket = SockRef::from(&near).try_clone().unwrap();
        let near = proactor.handle().adopt(near);
        let own: Option<u64> = own;
        socket
            .set_tcp_user_timeout(own.map(Duration::from_secs))
            .unwrap();
        let mut sender = Sender::new(near);
        let bytes = vec![1; len];
        proactor
            .block_on(sender.write_all(&bytes))
            .unwrap()
            .unwrap();
        drop(sender);
        let set = socket.tcp_user_timeout().unwrap().unwrap_or_default();
        assert_eq!(set, Duration::from_secs(expected));
    }
}

/// The kernel has all of it, and keeps the buffer, and so the socket, until it is acknowledged.
#[test]
fn a_sender_dropped_before_a_zero_copy_send_is_acknowledged_gives_a_minute_too() {
    let mut proactor = proactor();
    let (near, far) = tcp_pair();
    SockRef::from(&far).set_recv_buffer_size(32_768).unwrap();
    let socket = SockRef::from(&near).try_clone().unwrap();
    socket.set_send_buffer_size(2_000_000).unwrap();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    sender.set_zero_copy_from(Some(16_384));
    proactor
        .block_on(async {
            sender.write_owned(vec![1; 500_000]).await.unwrap();
            sender.flush().await.unwrap();
        })
        .unwrap();
    assert_eq!(sender.queued_bytes(), 0);
    assert_eq!(proactor.stats().in_flight, 1, "the notification is to come");
    drop(sender);
    let set = socket.tcp_user_timeout().unwrap();
    assert_eq!(set, Some(Duration::from_secs(60)));
    drop(far);
}
