//! Connecting by name and by several addresses, on real sockets.

use std::io::ErrorKind;
use std::net::{self, IpAddr, SocketAddr};
use std::time::Duration;

use ringloop::future::race;
use ringloop::net::{ConnectError, TcpListener, TcpStream, lookup_host};
use ringloop::{sleep, timeout};
use socket2::{Domain, Socket, Type};

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, in_cancelled_scope, listener, open_fds,
    polled_once, run, runtime, settle,
};

/// An address on which nobody listens.
fn refuses() -> SocketAddr {
    let listener = net::TcpListener::bind("127.0.0.2:0").unwrap();
    listener.local_addr().unwrap()
}

/// A listener whose queue is full, so that connecting to it hangs.
struct Silent {
    socket: Socket,
    _queued: Vec<Socket>,
}

impl Silent {
    fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let local: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&local.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap();
        let queued = (0..4).map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            let begun = client.connect(&address).unwrap_err();
            assert_eq!(begun.raw_os_error(), Some(libc::EINPROGRESS));
            client
        });
        let _queued = queued.collect();
        Self { socket, _queued }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap().as_socket().unwrap()
    }
}

#[test]
fn numbers_are_not_looked_up_and_keep_their_order() {
    run(async {
        let spelled = ["127.0.0.1:1", "[::1]:2", "[fe80::1%3]:4"];
        for text in spelled {
            // At once: nobody else has a part in it.
            let found = polled_once(lookup_host(text)).await.unwrap().unwrap();
            assert_eq!(found.collect::<Vec<_>>(), [text.parse().unwrap()]);
        }
        let many: Vec<SocketAddr> = spelled[..2]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let found: Vec<_> = lookup_host(&many[..]).await.unwrap().collect();
        assert_eq!(found, many);
        let found = polled_once(lookup_host(("::1", 7))).await.unwrap().unwrap();
        assert_eq!(found.collect::<Vec<_>>(), ["[::1]:7".parse().unwrap()]);
        assert!(polled_once(lookup_host("localhost:80")).await.is_none());
    });
}

#[test]
fn localhost_is_this_machine() {
    run(async {
        let (listener, address) = listener().await;
        let found: Vec<_> = lookup_host("localhost:80").await.unwrap().collect();
        assert!(!found.is_empty());
        assert!(
            found
                .iter()
                .all(|found| found.ip().is_loopback() && found.port() == 80)
        );
        // If the name has an IPv6 address, too, nobody listens there.
        let stream = TcpStream::connect(("localhost", address.port()))
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        drop(listener);
        let error = lookup_host("no port").await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_refused_address_gives_way_at_once() {
    run(async {
        let (_listener, address) = listener().await;
        let addresses = [refuses(), refuses(), address];
        let connected = timeout(
            Duration::from_secs(60),
            TcpStream::builder()
                .stagger(Duration::MAX)
                .connect(&addresses[..]),
        );
        let stream = connected.await.unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    });
}

#[test]
fn all_failures_are_told() {
    run(async {
        let addresses = [refuses(), "[::1]:1".parse().unwrap(), refuses()];
        let error = TcpStream::connect(&addresses[..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let attempts = ConnectError::of(&error).unwrap().attempts();
        let tried: Vec<_> = attempts.iter().map(|(address, _)| *address).collect();
        assert_eq!(tried, [addresses[0], addresses[1], addresses[2]]);
        for (_, error) in attempts {
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
        let one = TcpStream::connect(addresses[0]).await.unwrap_err();
        assert_eq!(one.raw_os_error(), Some(libc::ECONNREFUSED));
        let none: &[SocketAddr] = &[];
        let error = TcpStream::connect(none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_silent_address_is_overtaken_and_leaves_nothing() {
    if !alone("net_tcp_connect::a_silent_address_is_overtaken_and_leaves_nothing") {
        return;
    }
    let mut runtime = runtime();
    let silent = Silent::new();
    let fds = open_fds();
    runtime.block_on(async {
        let (_listener, address) = listener().await;
        let mut addresses = vec![silent.address(); 8];
        addresses.push(address);
        let start = ringloop_task::time::now();
        let stream = TcpStream::builder()
            .stagger(Duration::from_millis(1))
            .connect(&addresses[..])
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        // With a quarter of a second for each it would have taken two.
        assert!(start.elapsed() < Duration::from_secs(2));
    });
    settle(&mut runtime, fds);
}

#[test]
fn given_up_at_any_step_it_leaves_nothing() {
    if !alone("net_tcp_connect::given_up_at_any_step_it_leaves_nothing") {
        return;
    }
    let mut runtime = runtime();
    let silent = Silent::new();
    let fds = open_fds();
    runtime.block_on(async {
        let addresses = [silent.address(), silent.address()];
        let connect = || {
            TcpStream::builder()
                .stagger(Duration::from_millis(1))
                .connect(&addresses[..])
        };
        for millis in [0, 1, 2, 4] {
            let limit = Duration::from_millis(millis);
            assert!(timeout(limit, connect()).await.is_err());
            let sleeper = sleep(limit);
            drop(race(connect(), sleeper).await);
        }
        assert!(polled_once(connect()).await.is_none());
        let cancelled = [
            in_cancelled_scope(connect()).await,
            cancelled_while_pending(connect()).await,
        ];
        for result in cancelled.into_iter().flatten() {
            assert_cancelled(&result);
        }
        for address in [silent.address(), silent.address()] {
            assert!(
                timeout(Duration::ZERO, TcpStream::connect(address))
                    .await
                    .is_err()
            );
            assert!(polled_once(TcpStream::connect(address)).await.is_none());
        }
    });
    settle(&mut runtime, fds);
}

#[test]
fn the_connection_of_a_connect_that_is_given_up_is_closed() {
    if !alone("net_tcp_connect::the_connection_of_a_connect_that_is_given_up_is_closed") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        for polls in 0..6 {
            let mut connecting = Box::pin(TcpStream::connect(address));
            for _ in 0..polls {
                if polled_once(&mut connecting).await.is_some() {
                    break;
                }
                ringloop::task::yield_now().await.unwrap();
            }
        }
        // Whoever comes now is served: those that were given up have ended.
        let client = TcpStream::connect(address).await.unwrap();
        loop {
            let (mut stream, peer) = listener.accept().await.unwrap();
            if peer == client.local_addr().unwrap() {
                break;
            }
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or_default(), 0);
        }
    });
    settle(&mut runtime, fds);
}

#[test]
fn in_a_cancelled_scope_not_even_a_socket_is_made() {
    if !alone("net_tcp_connect::in_a_cancelled_scope_not_even_a_socket_is_made") {
        return;
    }
    run(async {
        let (_listener, address) = listener().await;
        let fds = open_fds();
        // An address that this end cannot have: who tries would hear of it.
        let elsewhere = "192.0.2.1:0".parse().unwrap();
        let connect = TcpStream::builder().local_addr(elsewhere).connect(address);
        in_cancelled_scope(async { assert_cancelled(&connect.await) }).await;
        assert_eq!(open_fds(), fds);
    });
}

#[test]
fn a_connect_is_under_way_when_it_has_been_polled_once() {
    run(async {
        let (listener, address) = listener().await;
        let mut connect = std::pin::pin!(TcpStream::connect(address));
        assert!(polled_once(&mut connect).await.is_none());
        // The turn in which it goes to the kernel.
        ringloop::task::yield_now().await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let client = connect.await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(stream.local_addr().unwrap(), address);
    });
}

#[test]
fn listening_takes_the_first_address_that_works() {
    run(async {
        let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
        let addresses = [(elsewhere, 0).into(), "127.0.0.1:0".parse().unwrap()];
        let listener = TcpListener::bind(&addresses[..]).await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
    });
}
