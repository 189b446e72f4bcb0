//! Datagrams over UDP: borders, order, errors, bounds.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use ringloop::net::UdpSocket;
use ringloop::task::yield_now;
use ringloop::{sleep, spawn};

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, in_cancelled_scope, open_fds, polled_once,
    run, runtime, settle,
};

async fn bound() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A plain blocking socket, and one that it is connected to.
async fn with_plain() -> (UdpSocket, std::net::UdpSocket) {
    let (near, address) = bound().await;
    let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    far.connect(address).unwrap();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (near, far)
}

/// Receives on a plain socket. Work of the ring interrupts it.
fn received(socket: &std::net::UdpSocket, buf: &mut [u8]) -> usize {
    loop {
        match socket.recv(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.unwrap(),
        }
    }
}

/// The number in the next datagram.
async fn number(socket: &UdpSocket) -> u32 {
    let mut buf = [0; 16];
    let count = socket.recv(&mut buf).await.unwrap();
    u32::from_be_bytes(buf[..count].try_into().unwrap())
}

#[test]
fn datagrams_keep_their_borders_and_tell_their_sender() {
    run(async {
        let (near, near_address) = bound().await;
        let (far, far_address) = bound().await;
        let mut buf = [0; 70_000];
        for len in [0, 1, 1472, 0, 9000, 65_507] {
            let bytes = vec![u8::try_from(len % 251).unwrap(); len];
            assert_eq!(far.send_to(&bytes, near_address).await.unwrap(), len);
            let (count, peer) = near.recv_from(&mut buf).await.unwrap();
            assert_eq!((&buf[..count], peer), (&bytes[..], far_address));
        }
        // By name, by parts, and to where the socket is connected to.
        far.send_to(b"name", ("localhost", near_address.port()))
            .await
            .unwrap();
        far.send_to(b"text", near_address.to_string())
            .await
            .unwrap();
        far.send_to(b"part", (Ipv4Addr::LOCALHOST, near_address.port()))
            .await
            .unwrap();
        for text in [b"name", b"text", b"part"] {
            assert_eq!(near.recv(&mut buf).await.unwrap(), 4);
            assert_eq!(&buf[..4], text);
        }
        assert_eq!(
            far.peer_addr().unwrap_err().kind(),
            io::ErrorKind::NotConnected
        );
        far.connect(near_address).await.unwrap();
        assert_eq!(far.peer_addr().unwrap(), near_address);
        far.send(b"").await.unwrap();
        far.send(b"connected").await.unwrap();
        assert_eq!(near.recv_from(&mut buf).await.unwrap(), (0, far_address));
        assert_eq!(near.recv_from(&mut buf).await.unwrap(), (9, far_address));
    });
}

#[test]
fn what_a_buffer_has_no_room_for_is_gone_and_what_follows_is_not() {
    run(async {
        let (near, far) = with_plain().await;
        far.send(b"longer than the room").unwrap();
        far.send(b"next").unwrap();
        let mut buf = [0; 6];
        assert_eq!(near.peek(&mut buf).await.unwrap(), 6);
        assert_eq!(near.recv(&mut []).await.unwrap(), 0);
        assert_eq!(near.recv(&mut buf).await.unwrap(), 4);
        assert_eq!(&buf[..4], b"next");
    });
}

#[test]
fn a_peek_leaves_the_datagram() {
    run(async {
        let (near, far) = with_plain().await;
        far.send(b"look").unwrap();
        let peer = far.local_addr().unwrap();
        for _ in 0..3 {
            let mut buf = [0; 8];
            assert_eq!(near.peek_from(&mut buf).await.unwrap(), (4, peer));
            assert_eq!(&buf[..4], b"look");
        }
        let lent = near.recv_datagram().await.unwrap();
        assert_eq!((&lent[..], lent.peer()), (&b"look"[..], &peer));
        assert!(!lent.is_truncated());
        assert_eq!(lent.segments().collect::<Vec<_>>(), [b"look"]);
        assert!(polled_once(near.peek(&mut [0; 8])).await.is_none());
    });
}

#[test]
fn two_receivers_are_served_in_turn() {
    run(async {
        let (near, far) = with_plain().await;
        let near = Rc::new(near);
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let near = Rc::clone(&near);
                spawn(async move { number(&near).await })
            })
            .collect();
        yield_now().await.unwrap();
        for at in 0_u32..10 {
            far.send(&at.to_be_bytes()).unwrap();
        }
        for (at, task) in (0..).zip(tasks) {
            assert_eq!(task.await.unwrap(), at);
        }
    });
}

#[test]
fn a_closed_port_is_told_once_and_is_not_the_end() {
    run(async {
        let (near, address) = bound().await;
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let gone = closed.local_addr().unwrap();
        drop(closed);
        near.connect(gone).await.unwrap();
        near.send(b"nobody").await.unwrap();
        let refused = near.recv(&mut [0; 8]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // The same port, open: everything works on.
        let open = std::net::UdpSocket::bind(gone).unwrap();
        open.connect(address).unwrap();
        open.send(b"here").unwrap();
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 4);
        near.send(b"there").await.unwrap();
        near.flush().await.unwrap();
        assert_eq!(open.recv(&mut [0; 8]).unwrap(), 5);
    });
}

#[test]
fn an_error_that_is_there_before_the_first_receive_is_told_and_hides_nothing() {
    run(async {
        for (comes_before, comes_after) in [(false, false), (true, false), (false, true)] {
            let (near, address) = bound().await;
            let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let to = far.local_addr().unwrap();
            near.connect(to).await.unwrap();
            if comes_before {
                far.send_to(b"before", address).unwrap();
            }
            drop(far);
            near.send(b"nobody").await.unwrap();
            near.flush().await.unwrap();
            let far = std::net::UdpSocket::bind(to).unwrap();
            if comes_after {
                far.send_to(b"after!", address).unwrap();
            }
            let refused = near.recv(&mut [0; 8]).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            if comes_before || comes_after {
                assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 6);
            }
            assert!(polled_once(near.recv(&mut [0; 8])).await.is_none());
        }
    });
}

#[test]
fn a_sender_that_never_receives_is_told_and_loses_nothing_else() {
    run(async {
        let (near, _) = bound().await;
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let gone = closed.local_addr().unwrap();
        drop(closed);
        near.connect(gone).await.unwrap();
        near.send(b"nobody").await.unwrap();
        near.flush().await.unwrap();
        let open = std::net::UdpSocket::bind(gone).unwrap();
        // The kernel refuses this one in place of the first; it goes out all the same.
        near.send(b"somebody").await.unwrap();
        let error = near.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        near.flush().await.unwrap();
        assert_eq!(open.recv(&mut [0; 16]).unwrap(), 8);
        // Too long for a datagram: the next one tells, and is not sent.
        near.send(&[0; 66_000]).await.unwrap();
        assert!(near.flush().await.unwrap_err().raw_os_error() == Some(libc::EMSGSIZE));
        near.send(&[0; 66_000]).await.unwrap();
        sleep(Duration::ZERO).await.unwrap();
        while near.send(b"not sent").await.is_ok() {
            near.flush().await.unwrap();
        }
    });
}

#[test]
fn cancelled_means_that_it_did_not_happen() {
    run(async {
        let (near, far) = with_plain().await;
        let to = far.local_addr().unwrap();
        let sent = in_cancelled_scope(async {
            assert_cancelled(&near.send_to(b"never", to).await);
        });
        sent.await;
        near.flush().await.unwrap();
        let received = cancelled_while_pending(async {
            assert_cancelled(&near.recv(&mut [0; 8]).await);
        });
        received.await;
        far.send(b"one").unwrap();
        let received = in_cancelled_scope(async {
            assert_cancelled(&near.recv(&mut [0; 8]).await);
        });
        received.await;
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 3);
        near.send_to(b"sent", to).await.unwrap();
        near.flush().await.unwrap();
        assert_eq!(far.recv(&mut [0; 8]).unwrap(), 4);
        far.set_nonblocking(true).unwrap();
        assert!(far.recv(&mut [0; 8]).is_err());
    });
}

#[test]
fn bursts_beyond_the_queue_lose_nothing_that_the_kernel_holds() {
    run(async {
        let (near, far) = with_plain().await;
        // The first receive begins; then nobody comes.
        assert!(polled_once(near.recv(&mut [0; 8])).await.is_none());
        yield_now().await.unwrap();
        for at in 0_u32..200 {
            far.send(&at.to_be_bytes()).unwrap();
            if at.is_multiple_of(10) {
                sleep(Duration::ZERO).await.unwrap();
            }
        }
        let stats = near.stats();
        assert!(stats.stops > 0, "{stats:?}");
        assert!(stats.queued < 200, "{stats:?}");
        assert_eq!(stats.dropped_by_kernel, 0);
        for at in 0..200 {
            assert_eq!(number(&near).await, at);
        }
        assert_eq!(near.stats().queued_bytes, 0);
    });
}

#[test]
fn what_is_queued_at_the_end_is_sent_and_nothing_leaks() {
    if !alone("net_udp::what_is_queued_at_the_end_is_sent_and_nothing_leaks") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = far.local_addr().unwrap();
    runtime.block_on(async {
        let (near, address) = bound().await;
        far.connect(address).unwrap();
        assert!(polled_once(near.recv(&mut [0; 8])).await.is_none());
        for at in 0_u32..20 {
            near.send_to(&at.to_be_bytes(), to).await.unwrap();
            far.send(b"never taken").unwrap();
        }
    });
    let mut buf = [0; 8];
    settle(&mut runtime, fds + 1);
    for at in 0_u32..20 {
        assert_eq!(received(&far, &mut buf), 4);
        assert_eq!(buf[..4], at.to_be_bytes());
    }
    let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = far.local_addr().unwrap();
    runtime.block_on(async {
        let (near, _) = bound().await;
        near.send_to(b"last", to).await.unwrap();
    });
    drop(runtime);
    assert_eq!(received(&far, &mut buf), 4);
}
