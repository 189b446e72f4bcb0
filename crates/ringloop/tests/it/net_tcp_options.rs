//! Options of TCP sockets, read back from the kernel, and what is refused.

use std::io::{ErrorKind, Write};
use std::net;
use std::os::fd::OwnedFd;
use std::time::Duration;

use ringloop::net::{Keepalive, TcpListener, TcpStream};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::rig::{listener, pair, run};

#[test]
fn options_of_a_stream_are_those_of_its_socket() {
    run(async {
        let (stream, _far) = pair();
        let socket = SockRef::from(&stream);
        for on in [true, false] {
            stream.set_nodelay(on).unwrap();
            assert_eq!(
                (stream.nodelay().unwrap(), socket.tcp_nodelay().unwrap()),
                (on, on)
            );
            stream.set_quickack(on).unwrap();
            assert_eq!(stream.quickack().unwrap(), socket.tcp_quickack().unwrap());
        }
        for linger in [Some(Duration::from_secs(3)), None] {
            stream.set_linger(linger).unwrap();
            assert_eq!(stream.linger().unwrap(), linger);
            assert_eq!(socket.linger().unwrap(), linger);
        }
        stream.set_ttl(42).unwrap();
        assert_eq!((stream.ttl().unwrap(), socket.ttl_v4().unwrap()), (42, 42));
        stream.set_tos(0x10).unwrap();
        assert_eq!(
            (stream.tos().unwrap(), socket.tos_v4().unwrap()),
            (0x10, 0x10)
        );
        stream.set_recv_buffer_size(10_000).unwrap();
        assert_eq!(stream.recv_buffer_size().unwrap(), 20_000);
        assert_eq!(socket.recv_buffer_size().unwrap(), 20_000);
        stream.set_send_buffer_size(12_000).unwrap();
        assert_eq!(stream.send_buffer_size().unwrap(), 24_000);
        assert_eq!(socket.send_buffer_size().unwrap(), 24_000);
        assert!(stream.take_error().unwrap().is_none());
    });
}

#[test]
fn keepalive_is_set_in_parts_and_taken_off() {
    run(async {
        let (stream, _far) = pair();
        assert_eq!(stream.keepalive().unwrap(), None);
        let keepalive = Keepalive::new()
            .time(Duration::from_secs(30))
            .interval(Duration::from_secs(4))
            .retries(5);
        stream.set_keepalive(Some(keepalive)).unwrap();
        assert_eq!(stream.keepalive().unwrap(), Some(keepalive));
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 30);
        assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), 4);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 5);
        stream
            .set_keepalive(Some(Keepalive::new().retries(6)))
            .unwrap();
        assert_eq!(stream.keepalive().unwrap(), Some(keepalive.retries(6)));
        stream.set_keepalive(None).unwrap();
        assert!(!socket.keepalive().unwrap());
    });
}

#[test]
fn options_of_both_families_have_one_name() {
    run(async {
        let listener = TcpListener::builder()
            .only_v6(true)
            .bind("[::1]:0")
            .await
            .unwrap();
        assert!(listener.only_v6().unwrap());
        listener.set_ttl(9).unwrap();
        assert_eq!(listener.ttl().unwrap(), 9);
        assert_eq!(SockRef::from(&listener).unicast_hops_v6().unwrap(), 9);
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        stream.set_tos(0x20).unwrap();
        assert_eq!(SockRef::from(&stream).tclass_v6().unwrap(), 0x20);
        assert_eq!(stream.tos().unwrap(), 0x20);
    });
}

#[test]
fn a_builder_sets_options_before_it_listens_and_connections_inherit_them() {
    run(async {
        let keepalive = Keepalive::new()
            .time(Duration::from_secs(30))
            .interval(Duration::from_secs(4))
            .retries(5);
        let listener = TcpListener::builder()
            .nodelay(true)
            .keepalive(keepalive)
            .tos(0x08)
            .recv_buffer_size(40_000)
            .send_buffer_size(50_000)
            .reuse_address(false)
            .bind_device("lo")
            .backlog(3)
            .bind("127.0.0.1:0")
            .await
            .unwrap();
        let socket = SockRef::from(&listener);
        assert!(!socket.reuse_address().unwrap());
        assert_eq!(socket.device().unwrap().unwrap(), b"lo");
        let address = listener.local_addr().unwrap();
        let client = TcpStream::builder()
            .local_addr("127.0.0.3:0".parse().unwrap())
            .nodelay(true)
            .keepalive(keepalive)
            .tos(0x08)
            .recv_buffer_size(40_000)
            .send_buffer_size(50_000)
            .bind_device("lo")
            .connect(address)
            .await
            .unwrap();
        assert_eq!(client.local_addr().unwrap().ip().to_string(), "127.0.0.3");
        let (stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        for stream in [&client, &stream] {
            assert!(stream.nodelay().unwrap());
            assert_eq!(stream.keepalive().unwrap(), Some(keepalive));
            assert_eq!(stream.tos().unwrap(), 0x08);
            assert_eq!(stream.recv_buffer_size().unwrap(), 80_000);
            assert_eq!(stream.send_buffer_size().unwrap(), 100_000);
        }
        assert_eq!(SockRef::from(&client).device().unwrap().unwrap(), b"lo");
    });
}

#[test]
fn a_backlog_is_as_long_as_it_was_asked_to_be() {
    run(async {
        let builder = TcpListener::builder().backlog(2);
        let listener = builder.bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().into();
        let clients: Vec<_> = (0..6).map(|_| begun(&address)).collect();
        let waiting = clients.iter().filter(|client| client.peer_addr().is_ok());
        // The kernel takes one more than it says.
        assert_eq!(waiting.count(), 3);
    });
}

/// A client that does not wait until it is connected. On loopback it is when it can be.
fn begun(address: &SockAddr) -> Socket {
    let client = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
    let begun = client.connect(address).unwrap_err();
    assert_eq!(begun.raw_os_error(), Some(libc::EINPROGRESS));
    client
}

#[test]
fn an_error_that_nobody_has_seen_can_be_taken() {
    let gone = net::TcpListener::bind("127.0.0.2:0").unwrap();
    let address = gone.local_addr().unwrap().into();
    drop(gone);
    run(async {
        let stream = TcpStream::from_std(begun(&address).into()).unwrap();
        let error = stream.take_error().unwrap().unwrap();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(stream.take_error().unwrap().is_none());
    });
}

#[test]
fn two_listeners_share_a_port_only_if_both_want_it() {
    run(async {
        let shared = TcpListener::builder().reuse_port(true);
        let first = shared.clone().bind("127.0.0.1:0").await.unwrap();
        let address = first.local_addr().unwrap();
        let second = shared.bind(address).await.unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
        let third = TcpListener::bind(address).await.unwrap_err();
        assert_eq!(third.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn the_builder_of_a_stream_refuses_the_other_family() {
    run(async {
        let (_listener, address) = listener().await;
        let local = "[::1]:0".parse().unwrap();
        let refused = TcpStream::builder()
            .local_addr(local)
            .connect(address)
            .await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn sockets_of_another_kind_are_refused() {
    run(async {
        let udp = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (unix, _far) = std::os::unix::net::UnixStream::pair().unwrap();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        for fd in [
            udp.into(),
            unix.into(),
            listener.into(),
            OwnedFd::from(file),
        ] {
            let refused = TcpStream::from_std(net::TcpStream::from(fd)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        }
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let unix = std::os::unix::net::UnixDatagram::unbound().unwrap();
        for fd in [stream.into(), OwnedFd::from(unix)] {
            let refused = TcpListener::from_std(net::TcpListener::from(fd)).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn sockets_handed_in_work_whether_they_block_or_not() {
    for nonblocking in [false, true] {
        run(async {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            listener.set_nonblocking(nonblocking).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            // Nobody has connected: this waits, and does not fail or hold the loop.
            let accepting = ringloop::spawn(async move { listener.accept().await });
            ringloop::task::yield_now().await.unwrap();
            let near = net::TcpStream::connect(address).unwrap();
            near.set_nonblocking(nonblocking).unwrap();
            let mut near = TcpStream::from_std(near).unwrap();
            let (mut far, _) = accepting.await.unwrap().unwrap();
            let echo = ringloop::spawn(async move {
                let mut bytes = [0; 4];
                far.read_exact(&mut bytes).await?;
                far.write_all(&bytes).await
            });
            ringloop::task::yield_now().await.unwrap();
            near.write_all(b"echo").await.unwrap();
            let mut bytes = [0; 4];
            near.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"echo");
            echo.await.unwrap().unwrap();
        });
    }
}

#[test]
fn what_is_peeked_at_is_read_all_the_same() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"header body").unwrap();
        let mut buf = [0; 6];
        assert_eq!(stream.peek(&mut buf).await.unwrap(), 6);
        assert_eq!(&buf, b"header");
        assert_eq!(stream.peek(&mut buf[..3]).await.unwrap(), 3);
        let mut whole = [0; 11];
        stream.read_exact(&mut whole).await.unwrap();
        assert_eq!(&whole, b"header body");
        drop(far);
        assert_eq!(stream.peek(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn a_peer_that_has_gone_leaves_its_connection_to_be_accepted() {
    run(async {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(local).await.unwrap();
            let address = listener.local_addr().unwrap();
            let client = net::TcpStream::connect(address).unwrap();
            (&client).write_all(b"bye").unwrap();
            crate::rig::reset(client);
            let (mut stream, peer) = listener.accept().await.unwrap();
            assert!(peer.ip().is_unspecified() && peer.port() == 0, "{peer}");
            assert_eq!(peer.is_ipv6(), address.is_ipv6());
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 3);
            let error = stream.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    });
}

#[test]
fn incoming_gives_connections_in_their_order() {
    run(async {
        let (listener, address) = listener().await;
        let clients: Vec<_> = (0..4)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        let mut incoming = listener.incoming();
        for client in &clients[..2] {
            let stream = incoming.next().await.unwrap().unwrap();
            assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
        }
        for client in &clients[2..] {
            let stream = ringloop::stream::Stream::next(&mut incoming).await;
            let stream = stream.unwrap().unwrap();
            assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
        }
        // A wait that is given up stands in nobody's way.
        assert!(crate::rig::polled_once(incoming.next()).await.is_none());
        let client = net::TcpStream::connect(address).unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}
