//! What goes wrong at the other end or in the caller's hand is told as std tells it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};

use ringloop::net::{TcpListener, TcpStream};
use ringloop::spawn;

use crate::kernel;
use crate::rig::{alone, listener, pair, reset, run};

/// Ours and std's error are of the expected kind.
#[track_caller]
fn check<A: std::fmt::Debug, B: std::fmt::Debug>(
    ours: io::Result<A>,
    theirs: io::Result<B>,
    expected: ErrorKind,
) {
    let (ours, theirs) = (ours.unwrap_err(), theirs.unwrap_err());
    assert_eq!(theirs.kind(), expected, "{theirs}");
    assert_eq!(ours.kind(), expected, "{ours}");
    assert_eq!(ours.raw_os_error(), theirs.raw_os_error());
    assert_eq!(ours.to_string(), theirs.to_string());
}

#[test]
fn a_taken_port() {
    run(async {
        let taken = StdListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let theirs = StdListener::bind(address);
        check(
            TcpListener::bind(address).await,
            theirs,
            ErrorKind::AddrInUse,
        );
        let (ours, address) = listener().await;
        let again = TcpListener::bind(address).await;
        check(again, StdListener::bind(address), ErrorKind::AddrInUse);
        drop(ours);
    });
}

#[test]
fn an_address_of_another_machine() {
    // Reserved for documentation: nobody has it.
    const ELSEWHERE: &str = "192.0.2.1:80";
    run(async {
        let theirs = StdListener::bind(ELSEWHERE);
        check(
            TcpListener::bind(ELSEWHERE).await,
            theirs,
            ErrorKind::AddrNotAvailable,
        );
    });
}

#[test]
fn text_that_is_no_address() {
    run(async {
        for text in [
            "",
            "nonsense",
            "127.0.0.1",
            "127.0.0.1:",
            "[::1]",
            "127.0.0.1:65536",
            ":-1",
        ] {
            let theirs = StdListener::bind(text);
            check(
                TcpListener::bind(text).await,
                theirs,
                ErrorKind::InvalidInput,
            );
            let theirs = StdStream::connect(text);
            check(
                TcpStream::connect(text).await,
                theirs,
                ErrorKind::InvalidInput,
            );
            let owned = TcpStream::connect(text.to_owned()).await;
            check(owned, StdStream::connect(text), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn no_address_at_all() {
    const NONE: &[SocketAddr] = &[];
    run(async {
        let (ours, theirs) = (TcpStream::connect(NONE).await, StdStream::connect(NONE));
        assert_eq!(theirs.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(ours.unwrap_err().kind(), ErrorKind::InvalidInput);
    });
}

/// A port that is taken and at which nobody listens.
fn refusing() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

#[test]
fn a_host_that_refuses() {
    run(async {
        let (_socket, address) = refusing();
        let theirs = StdStream::connect(address);
        check(
            TcpStream::connect(address).await,
            theirs,
            ErrorKind::ConnectionRefused,
        );
    });
}

#[test]
fn of_several_addresses_the_first_that_answers_is_taken() {
    run(async {
        let (_socket, refusing) = refusing();
        let (listener, address) = listener().await;
        let stream = TcpStream::connect(&[refusing, address][..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, stream.local_addr().unwrap());
    });
}

#[test]
fn names_are_looked_up() {
    run(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("localhost", port)).await.unwrap();
        listener.accept().await.unwrap();
    });
}

/// The peer resets while the other end writes and writes.
#[test]
fn a_peer_that_resets_in_the_middle_of_a_write() {
    const GONE: [ErrorKind; 2] = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    let bytes = vec![7; 64 * 1024];
    let theirs = {
        let (listener, address) = refusing();
        listener.listen(1).unwrap();
        let mut near = StdStream::connect(address).unwrap();
        reset(listener.accept().unwrap().0.into());
        (0..1000)
            .find_map(|_| near.write_all(&bytes).err())
            .unwrap()
    };
    assert!(GONE.contains(&theirs.kind()), "{theirs}");
    run(async {
        let (mut bystander, mut far) = pair();
        let (mut stream, leaves) = pair();
        let task = spawn(async move {
            loop {
                if let Err(error) = stream.write_all(&bytes).await {
                    // From here on every write says so.
                    let again = stream.write_all(b"x").await.unwrap_err();
                    return (error, again, stream.flush().await);
                }
            }
        });
        ringloop::task::yield_now().await.unwrap();
        reset(leaves);
        let (error, again, flushed) = task.await.unwrap();
        assert!(GONE.contains(&error.kind()), "{error}");
        assert!(GONE.contains(&again.kind()), "{again}");
        assert!(GONE.contains(&flushed.unwrap_err().kind()));
        bystander.write_all(b"unharmed").await.unwrap();
        bystander.close().await.unwrap();
        let mut received = String::new();
        far.read_to_string(&mut received).unwrap();
        assert_eq!(received, "unharmed");
    });
}

#[test]
fn a_peer_that_resets_in_the_middle_of_a_read() {
    run(async {
        let (mut stream, far) = pair();
        let task = spawn(async move { stream.read(&mut [0; 8]).await });
        ringloop::task::yield_now().await.unwrap();
        reset(far);
        let error = task.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_peer_that_is_gone_before_it_is_accepted() {
    run(async {
        let (listener, address) = listener().await;
        reset(StdStream::connect(address).unwrap());
        let client = StdStream::connect(address).unwrap();
        let (mut gone, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, SocketAddr::from(([0, 0, 0, 0], 0)));
        let error = gone.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn without_a_free_descriptor_a_connection_waits() {
    if !alone("bad_input::without_a_free_descriptor_a_connection_waits") {
        return;
    }
    run(async {
        let (listener, address) = listener().await;
        let client = StdStream::connect(address).unwrap();
        kernel::open_no_more_descriptors();
        for _ in 0..3 {
            let error = listener.accept().await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
            let error = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        }
        kernel::open_many_descriptors();
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn a_peer_that_ends_too_early() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"hal").unwrap();
        drop(far);
        let error = stream.read_exact(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

/// Some programs let the kernel end them when they write to a closed pipe; not to a socket of ours.
#[test]
fn a_write_to_a_closed_connection_sends_no_signal() {
    if !alone("bad_input::a_write_to_a_closed_connection_sends_no_signal") {
        return;
    }
    kernel::die_of_closed_pipes();
    run(async {
        let (mut stream, far) = pair();
        drop(far);
        let error = loop {
            if let Err(error) = stream.write_all(b"anybody?").await {
                break error;
            }
            if let Err(error) = stream.flush().await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}
