//! Sockets given back to std with every byte and connection, and taken from it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net as unix;
use std::{fs, net};

use ringloop::cancel::is_cancelled;
use ringloop::net::{
    Datagram, FdStream, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use ringloop::task::{spawn, yield_now};

use crate::rig::{
    alone, cancelled_while_pending, in_cancelled_scope, listener, numbered, open_fds, pair,
    polled_once, run, runtime, settle,
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

#[test]
fn no_connection_is_lost_whenever_a_listener_is_given_back() {
    if !alone("net_into_std::no_connection_is_lost_whenever_a_listener_is_given_back") {
        return;
    }
    check_rounds(give_back_a_listener);
}

/// Gives back in many rounds, each of which tells how much had come ahead. Nothing is left open.
fn check_rounds(give_back: impl AsyncFn(usize) -> usize) {
    let mut runtime = runtime();
    let fds = open_fds();
    let most = runtime.block_on(async {
        let mut most = 0;
        for round in 0..40 {
            most = most.max(give_back(round).await);
        }
        most
    });
    assert!(most > 1, "nothing has come ahead");
    settle(&mut runtime, fds);
}

/// Returns how many connections had been accepted ahead.
async fn give_back_a_listener(round: usize) -> usize {
    let (listener, address) = listener().await;
    let connect = || net::TcpStream::connect(address).unwrap();
    let mut clients: Vec<_> = (0..round % 7).map(|_| connect()).collect();
    let mut accepted = Vec::new();
    if round.is_multiple_of(2) {
        // An accept is under way that nobody waits for.
        accepted.extend(polled_once(listener.accept()).await);
    }
    for _ in 0..round % 5 {
        clients.push(connect());
        yield_now().await.unwrap();
    }
    let mut peers: Vec<SocketAddr> = accepted.into_iter().map(|one| one.unwrap().1).collect();
    let given_back = match round % 3 {
        0 => cancelled_while_pending(given_back(listener)).await,
        1 => in_cancelled_scope(given_back(listener)).await,
        _ => Some(given_back(listener).await),
    };
    let (listener, ahead) = match given_back.expect("the error is gone") {
        Ok(given_back) => given_back,
        Err(listener) => {
            // It accepts on, what is there and what comes.
            clients.push(connect());
            while peers.len() < clients.len() {
                peers.push(listener.accept().await.unwrap().1);
            }
            listener.into_std().await.unwrap()
        }
    };
    peers.extend(ahead.iter().map(|stream| stream.peer_addr().unwrap()));
    clients.push(connect());
    while peers.len() < clients.len() {
        peers.push(listener.accept().unwrap().1);
    }
    let expected = clients.iter().map(|client| client.local_addr().unwrap());
    assert_eq!(peers, expected.collect::<Vec<_>>(), "round {round}");
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    ahead.len()
}

async fn given_back(
    listener: TcpListener,
) -> Result<(net::TcpListener, Vec<net::TcpStream>), TcpListener> {
    let given_back = listener.into_std().await;
    given_back.map_err(|refused| {
        assert!(is_cancelled(&refused.error));
        refused.buffer
    })
}

#[test]
fn no_datagram_is_lost_whenever_a_socket_is_given_back() {
    if !alone("net_into_std::no_datagram_is_lost_whenever_a_socket_is_given_back") {
        return;
    }
    check_rounds(give_back_a_datagram_socket);
}

/// Returns how many datagrams had been received ahead.
async fn give_back_a_datagram_socket(round: usize) -> usize {
    let (near, far) = UnixDatagram::pair().unwrap();
    far.set_credentials(false).unwrap();
    let plain = unix::UnixDatagram::from(far.as_fd().try_clone_to_owned().unwrap());
    let mut numbers = 0_u8..;
    let mut send = || plain.send(&[numbers.next().unwrap()]).unwrap();
    let mut received = Vec::new();
    for _ in 0..round % 4 {
        send();
    }
    if round.is_multiple_of(2) {
        // A receive is under way that nobody waits for.
        let mut buf = [0; 4];
        if let Some(count) = polled_once(near.recv(&mut buf)).await {
            received.extend_from_slice(&buf[..count.unwrap()]);
        }
    }
    for _ in 0..round % 5 {
        send();
        yield_now().await.unwrap();
    }
    near.send(b"all of it").await.unwrap();
    let given_back = match round % 3 {
        0 => in_cancelled_scope(datagrams_given_back(near)).await,
        _ => Some(datagrams_given_back(near).await),
    };
    let (near, ahead) = match given_back.expect("the error is gone") {
        Ok(given_back) => given_back,
        Err(near) => {
            // It receives on.
            send();
            let mut buf = [0; 4];
            let count = near.recv(&mut buf).await.unwrap();
            received.extend_from_slice(&buf[..count]);
            near.into_std().await.unwrap()
        }
    };
    assert_eq!(plain.recv(&mut [0; 16]).unwrap(), 9);
    received.extend(ahead.iter().map(|datagram| datagram[0]));
    send();
    near.set_nonblocking(true).unwrap();
    let mut buf = [0; 4];
    while let Ok(count) = near.recv(&mut buf) {
        received.extend_from_slice(&buf[..count]);
    }
    let sent = numbers.next().unwrap();
    assert_eq!(received, (0..sent).collect::<Vec<_>>(), "round {round}");
    ahead.len()
}

async fn datagrams_given_back(
    socket: UnixDatagram,
) -> Result<(unix::UnixDatagram, Vec<Datagram<unix::SocketAddr>>), UnixDatagram> {
    let given_back = socket.into_std().await;
    given_back.map_err(|refused| {
        assert!(is_cancelled(&refused.error));
        refused.buffer
    })
}

#[test]
fn a_socket_with_an_error_to_tell_comes_back_with_it() {
    run(async {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(far.local_addr().unwrap()).await.unwrap();
        assert!(polled_once(near.recv(&mut [0; 8])).await.is_none());
        far.send_to(b"one", near.local_addr().unwrap()).unwrap();
        yield_now().await.unwrap();
        drop(far);
        near.send(b"nobody").await.unwrap();
        let refused = near.into_std().await.unwrap_err();
        assert_eq!(refused.error.kind(), ErrorKind::ConnectionRefused);
        // It works on, and can be given back later.
        let near = refused.buffer;
        let address = near.local_addr().unwrap();
        let far = net::UdpSocket::bind(near.peer_addr().unwrap()).unwrap();
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 3);
        assert!(polled_once(near.recv(&mut [0; 8])).await.is_none());
        far.send_to(b"second", address).unwrap();
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 6);
        far.send_to(b"third", address).unwrap();
        yield_now().await.unwrap();
        let (near, ahead) = near.into_std().await.unwrap();
        assert_eq!(ahead.len(), 1);
        assert_eq!(ahead[0][..], *b"third");
        assert!(near.take_error().unwrap().is_none());
    });
}

#[test]
fn a_unix_listener_that_is_given_back_keeps_its_file() {
    let dir = crate::net_unix::Dir::new("given-back");
    let path = dir.socket();
    run(async {
        let builder = UnixListener::builder().remove_on_drop(true);
        let listener = builder.bind(&path).unwrap();
        let connect = || unix::UnixStream::connect(&path).unwrap();
        let mut clients = [connect(), connect(), connect()];
        drop(listener.accept().await.unwrap());
        let (listener, ahead) = listener.into_std().await.unwrap();
        assert_eq!(ahead.len(), 2, "accepted ahead");
        for (mut stream, client) in ahead.into_iter().zip(&mut clients[1..]) {
            client.write_all(b"x").unwrap();
            stream.read_exact(&mut [0; 1]).unwrap();
        }
        let _later = connect();
        listener.accept().unwrap();
        let again = UnixListener::try_from(listener).unwrap();
        let _latest = connect();
        again.accept().await.unwrap();
    });
    fs::remove_file(&path).unwrap();
}

#[test]
fn descriptors_become_sockets_of_their_kind_only() {
    /// Whether the descriptor is taken.
    fn takes<S: TryFrom<OwnedFd, Error = io::Error>>(fd: impl AsFd) -> bool {
        let fd = fd.as_fd().try_clone_to_owned().unwrap();
        let Err(error) = S::try_from(fd) else {
            return true;
        };
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        false
    }
    run(async {
        let dir = crate::net_unix::Dir::new("kinds");
        let listener = net::TcpListener::bind("[::1]:0").unwrap();
        let fds = [
            OwnedFd::from(net::TcpStream::connect(listener.local_addr().unwrap()).unwrap()),
            listener.into(),
            net::UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            unix::UnixListener::bind(dir.socket()).unwrap().into(),
            unix::UnixStream::pair().unwrap().0.into(),
            unix::UnixDatagram::unbound().unwrap().into(),
            fs::File::open("/dev/null").unwrap().into(),
        ];
        let taken = fds.each_ref().map(|fd| {
            [
                takes::<TcpStream>(fd),
                takes::<TcpListener>(fd),
                takes::<UdpSocket>(fd),
                takes::<UnixListener>(fd),
                takes::<UnixStream>(fd) && takes::<FdStream>(fd),
                takes::<UnixDatagram>(fd),
            ]
        });
        for (at, taken) in taken.iter().enumerate() {
            let expected: [bool; 6] = std::array::from_fn(|kind| kind == at);
            assert_eq!(*taken, expected, "{at}");
        }
    });
}

/// It has flushed, and is about to have what it waits for.
#[test]
fn what_is_nearly_given_back_is_given_to_who_is_cancelled() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"read, not read").unwrap();
        stream.read_exact(&mut [0; 6]).await.unwrap();
        stream.write_all(b"sent meanwhile").await.unwrap();
        let giving = spawn(stream.into_std());
        // It waits for what it has to send, and is behind this task when that is done.
        yield_now().await.unwrap();
        giving.cancel("enough");
        let (_stream, received) = giving.await.unwrap().unwrap();
        assert_eq!(received, b"not read");

        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(socket.local_addr().unwrap()).await.unwrap();
        for bytes in [b"taken", b"there"] {
            socket.send(bytes).await.unwrap();
        }
        socket.recv(&mut [0; 5]).await.unwrap();
        socket.send(b"meanwhile").await.unwrap();
        let giving = spawn(socket.into_std());
        yield_now().await.unwrap();
        giving.cancel("enough");
        let (_socket, received) = giving.await.unwrap().unwrap();
        assert!(!received.is_empty());
    });
}
