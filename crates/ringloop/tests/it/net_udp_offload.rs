//! Datagrams that the kernel cuts apart and puts together, and options of UDP sockets.

use std::io;
use std::net::Ipv4Addr;

use ringloop::net::UdpSocket;
use ringloop::sleep;
use std::time::Duration;

use crate::rig::{numbered, polled_once, run};

#[test]
fn segments_are_datagrams_on_the_wire_and_coalesced_ones_are_cut_apart() {
    run(async {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = near.local_addr().unwrap();
        let bytes = numbered(0, 2500);
        far.send_segmented(&bytes, 1000, to).await.unwrap();
        let mut buf = [0; 2000];
        for expected in bytes.chunks(1000) {
            let (count, peer) = near.recv_from(&mut buf).await.unwrap();
            assert_eq!(&buf[..count], expected);
            assert_eq!(peer, far.local_addr().unwrap());
        }
        near.set_gro(true).unwrap();
        for _ in 0..3 {
            far.send_segmented(&bytes, 1000, to).await.unwrap();
        }
        far.send_to(b"single", to).await.unwrap();
        // Lent, they are in one piece.
        let lent = near.recv_datagram().await.unwrap();
        assert_eq!((&lent[..], lent.segment_bytes()), (&bytes[..], Some(1000)));
        assert!(lent.segments().eq(bytes.chunks(1000)));
        drop(lent);
        // Copied, one after the other, a look in between or not; the middle of one may be lent.
        for (at, expected) in bytes.chunks(1000).enumerate() {
            assert_eq!(near.peek(&mut buf).await.unwrap(), expected.len());
            let count = near.recv(&mut buf).await.unwrap();
            assert_eq!(&buf[..count], expected, "{at}");
        }
        let count = near.recv(&mut [0; 10]).await.unwrap();
        assert_eq!(count, 10);
        let rest = near.recv_datagram().await.unwrap();
        assert!(rest.segments().eq(bytes[1000..].chunks(1000)));
        assert_eq!(near.recv(&mut buf).await.unwrap(), 6);
        assert_eq!(near.stats().queued_bytes, 0);
    });
}

#[test]
fn what_is_tried_does_not_wait() {
    run(async {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = near.local_addr().unwrap();
        let mut buf = [0; 8];
        let error = near.try_recv_from(&mut buf).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let mut count = 0;
        while near.try_send_to(b"x", to).is_ok() {
            count += 1;
        }
        assert!((64..10_000).contains(&count), "{count}");
        // A full queue makes others wait, and serves them.
        assert!(polled_once(near.send_to(b"y", to)).await.is_none());
        near.send_to(b"z", to).await.unwrap();
        near.flush().await.unwrap();
        let mut last = 0;
        while last != b'z' {
            near.recv(&mut buf).await.unwrap();
            last = buf[0];
        }
        sleep(Duration::ZERO).await.unwrap();
        assert!(near.try_recv_from(&mut buf).is_err());
    });
}

#[test]
fn options_are_set_and_read() {
    run(async {
        let socket = UdpSocket::builder()
            .reuse_address(true)
            .recv_buffer_bytes(100_000)
            .send_buffer_bytes(50_000)
            .bind("127.0.0.1:0")
            .await
            .unwrap();
        assert!(socket.recv_buffer_size().unwrap() >= 100_000);
        assert!(socket.send_buffer_size().unwrap() >= 50_000);
        socket.set_broadcast(true).unwrap();
        socket.set_ttl(7).unwrap();
        socket.set_multicast_ttl_v4(3).unwrap();
        socket.set_multicast_loop_v4(true).unwrap();
        socket.set_tos(0x10).unwrap();
        let numbers = [
            socket.ttl().unwrap(),
            socket.multicast_ttl_v4().unwrap(),
            socket.tos().unwrap(),
        ];
        assert_eq!(numbers, [7, 3, 0x10]);
        assert!(socket.broadcast().unwrap() && socket.multicast_loop_v4().unwrap());
        assert!(socket.take_error().unwrap().is_none());
        // A group on the loopback interface.
        let group = Ipv4Addr::new(224, 0, 0, 251);
        let member = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        member
            .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
            .unwrap();
        socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        let port = member.local_addr().unwrap().port();
        socket.send_to(b"to all", (group, port)).await.unwrap();
        assert_eq!(member.recv(&mut [0; 8]).await.unwrap(), 6);
        member
            .leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
            .unwrap();
        // Back and forth between the two worlds.
        let plain = socket.into_std().await.unwrap().0;
        plain.set_nonblocking(true).unwrap();
        let again = UdpSocket::from_std(plain).unwrap();
        assert_eq!(again.ttl().unwrap(), 7);
        let v6 = UdpSocket::builder().only_v6(true).bind("[::1]:0").await;
        if let Ok(v6) = v6 {
            v6.set_unicast_hops_v6(5).unwrap();
            assert_eq!(v6.unicast_hops_v6().unwrap(), 5);
            v6.send_to(b"six", v6.local_addr().unwrap()).await.unwrap();
            let (count, peer) = v6.recv_from(&mut [0; 8]).await.unwrap();
            assert_eq!((count, peer), (3, v6.local_addr().unwrap()));
        }
    });
}
