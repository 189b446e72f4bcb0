//! What a completion brings belongs to somebody: it is taken, kept for the next one, or disposed of
//! (F06, F07, F14).

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Fd, Proactor, Receiver};

use crate::rig::{end, poll_once, proactor, settle, sound, turn};

fn listen(proactor: &Proactor) -> (Fd, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (proactor.handle().adopt(listener), address)
}

/// Whether the other end has closed the connection.
fn is_closed(client: &mut TcpStream) -> bool {
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    match client.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// F06, an accept on its own: the connection is closed, and the peer sees that.
#[test]
fn a_hundred_of_a_hundred_accepts_that_nobody_takes_are_closed() {
    sound(|| {
        let mut proactor = proactor();
        let (listener, address) = listen(&proactor);
        for round in 0..100 {
            let mut accept = proactor.handle().accept(&listener);
            assert!(poll_once(&mut accept).is_pending());
            if round % 2 == 0 {
                turn(&mut proactor);
            }
            let mut client = TcpStream::connect(address).unwrap();
            if round % 4 < 2 {
                proactor.park(Some(Duration::from_secs(5))).unwrap();
                settle(&mut proactor);
            }
            drop(accept);
            settle(&mut proactor);
            if round % 4 < 2 {
                assert!(is_closed(&mut client), "round {round}");
            } else {
                // It may not have happened: then the connection waits for the next accept.
                let mut next = proactor.handle().accept(&listener);
                assert!(poll_once(&mut next).is_pending());
                turn(&mut proactor);
                match poll_once(&mut next) {
                    Poll::Ready(connection) => drop(connection.unwrap()),
                    Poll::Pending => assert!(is_closed(&mut client)),
                }
                drop(next);
                settle(&mut proactor);
            }
        }
        drop(listener);
        end(proactor);
    });
}

/// F06, an acceptor: none is lost, the next one who asks gets it.
#[test]
fn a_hundred_of_a_hundred_connections_find_somebody() {
    sound(|| {
        let mut proactor = proactor();
        let (listener, address) = listen(&proactor);
        let acceptor = Acceptor::new(listener);
        for round in 0..100 {
            let mut accept = acceptor.accept();
            assert!(poll_once(&mut accept).is_pending());
            turn(&mut proactor);
            let mut client = TcpStream::connect(address).unwrap();
            if round % 2 == 0 {
                proactor.park(Some(Duration::from_secs(5))).unwrap();
            }
            drop(accept);
            let connection = proactor.block_on(acceptor.accept()).unwrap().unwrap();
            TcpStream::from(connection).write_all(b"hello").unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello");
        }
        drop(acceptor);
        end(proactor);
    });
}

/// F07: bytes of reads that completed and were dropped are in the next one.
#[test]
fn a_hundred_of_a_hundred_reads_that_nobody_takes_are_read_later() {
    sound(|| {
        let mut proactor = proactor();
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        for round in 0..100_u8 {
            {
                let mut buf = [0; 4];
                let mut read = Box::pin(receiver.read(&mut buf));
                assert!(poll_once(&mut read).is_pending());
                turn(&mut proactor);
                far.write_all(&[round; 4]).unwrap();
                proactor.park(Some(Duration::from_secs(5))).unwrap();
            }
            let mut buf = [0; 8];
            let count = proactor.block_on(receiver.read(&mut buf)).unwrap();
            assert_eq!((count.unwrap(), &buf[..4]), (4, &[round; 4][..]));
        }
        drop(receiver);
        end(proactor);
    });
}

/// F06: descriptors of every kind of operation that brings one.
#[test]
fn descriptors_that_nobody_takes_are_closed() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (listener, address) = listen(&proactor);
        let null = handle.adopt(File::open("/dev/null").unwrap());
        let mut clients = Vec::new();
        for round in 0..60 {
            clients.push(TcpStream::connect(address).unwrap());
            let mut open = handle.open("/dev/null", 0, 0).unwrap();
            let mut socket = handle.socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
            let mut register = handle.register(&null).unwrap();
            let mut accept = handle.accept_direct(&listener).unwrap();
            assert!(poll_once(&mut open).is_pending());
            assert!(poll_once(&mut socket).is_pending());
            assert!(poll_once(&mut register).is_pending());
            assert!(poll_once(&mut accept).is_pending());
            if round % 3 == 1 {
                open.request_cancel();
                register.request_cancel();
            }
            if round % 3 > 0 {
                turn(&mut proactor);
            }
            if round % 3 == 2 {
                settle(&mut proactor);
            }
            drop((open, socket, register, accept));
        }
        drop((listener, null, clients));
        end(proactor);
    });
}

/// F14: the number of a descriptor is not used again while an operation works on it, and the peer
/// hears of the end.
#[test]
fn a_descriptor_is_open_until_its_last_operation_has_ended() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        for _ in 0..50 {
            let (near, mut far) = UnixStream::pair().unwrap();
            let number = near.as_raw_fd();
            let near = handle.adopt(near);
            let mut recv = handle.recv(&near, vec![0; 8]);
            assert!(poll_once(&mut recv).is_pending());
            turn(&mut proactor);
            drop(near);
            turn(&mut proactor);
            // It is open still: whoever opens something gets another number.
            let other = File::open("/dev/null").unwrap();
            assert_ne!(other.as_raw_fd(), number);
            far.write_all(b"still").unwrap();
            let (count, _) = proactor.block_on(&mut recv).unwrap().unwrap();
            assert_eq!(count, 5);
            settle(&mut proactor);
            assert_eq!(far.read(&mut [0; 1]).unwrap(), 0, "the peer hears of it");
            // And with an operation that is dropped.
            let (near, mut far) = UnixStream::pair().unwrap();
            let near = handle.adopt(near);
            let mut recv = handle.recv(&near, vec![0; 8]);
            assert!(poll_once(&mut recv).is_pending());
            turn(&mut proactor);
            drop((recv, near));
            settle(&mut proactor);
            settle(&mut proactor);
            assert_eq!(far.read(&mut [0; 1]).unwrap(), 0, "the peer hears of it");
        }
        drop(handle);
        end(proactor);
    });
}
