use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use ringloop_proactor::{Op, Operation, Proactor, SocketOption};
use socket2::SockRef;

use crate::rig::{proactor, tcp_pair};

fn run<O: Operation>(proactor: &mut Proactor, op: Op<O>) -> O::Output {
    proactor.block_on(op).unwrap()
}

#[test]
fn options_are_those_that_the_calls_see() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let fd = handle.adopt(near.try_clone().unwrap());
    let Ok(set) = handle.set_option(&fd, SocketOption::NO_DELAY, true) else {
        return; // Before Linux 6.7.
    };
    assert!(!near.nodelay().unwrap());
    run(&mut proactor, set).unwrap();
    assert!(near.nodelay().unwrap());
    let set = handle
        .set_option(&fd, SocketOption::NO_DELAY, false)
        .unwrap();
    run(&mut proactor, set).unwrap();
    assert!(!near.nodelay().unwrap());

    let set = handle
        .set_option(&fd, SocketOption::KEEP_ALIVE, true)
        .unwrap();
    run(&mut proactor, set).unwrap();
    assert!(SockRef::from(&near).keepalive().unwrap());
    let get = handle.option(&fd, SocketOption::KEEP_ALIVE).unwrap();
    assert!(run(&mut proactor, get).unwrap());

    let set = handle
        .set_option(&fd, SocketOption::SEND_BUFFER, 50_000)
        .unwrap();
    run(&mut proactor, set).unwrap();
    let get = handle.option(&fd, SocketOption::SEND_BUFFER).unwrap();
    let size = run(&mut proactor, get).unwrap();
    assert_eq!(
        usize::try_from(size).unwrap(),
        SockRef::from(&near).send_buffer_size().unwrap()
    );

    for linger in [Some(Duration::from_secs(7)), None] {
        let set = handle
            .set_option(&fd, SocketOption::LINGER, linger)
            .unwrap();
        run(&mut proactor, set).unwrap();
        assert_eq!(SockRef::from(&near).linger().unwrap(), linger);
        let get = handle.option(&fd, SocketOption::LINGER).unwrap();
        assert_eq!(run(&mut proactor, get).unwrap(), linger);
    }
    let kind = handle.option(&fd, SocketOption::TYPE).unwrap();
    assert_eq!(run(&mut proactor, kind).unwrap(), libc::SOCK_STREAM);
    let listens = handle.option(&fd, SocketOption::IS_LISTENING).unwrap();
    assert!(!run(&mut proactor, listens).unwrap());

    // What cannot be read through the ring says so before it is tried.
    let get = handle.option(&fd, SocketOption::NO_DELAY).unwrap_err();
    assert_eq!(get.kind(), std::io::ErrorKind::Unsupported);
    // The calls' own errors.
    let set = handle.set_option(&fd, SocketOption::TYPE, 1).unwrap();
    let error = run(&mut proactor, set).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOPROTOOPT));
    let file = handle.adopt(std::fs::File::open("/proc/self/comm").unwrap());
    let get = handle.option(&file, SocketOption::TYPE).unwrap();
    let error = run(&mut proactor, get).unwrap_err();
    assert!([libc::ENOTSOCK, libc::EOPNOTSUPP].contains(&error.raw_os_error().unwrap()));
}

#[test]
fn a_direct_descriptor_has_options_too() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let socket = handle
        .socket_direct(libc::AF_INET, libc::SOCK_DGRAM, 0)
        .unwrap();
    let socket = run(&mut proactor, socket).unwrap();
    let Ok(set) = handle.set_option(&socket, SocketOption::REUSE_PORT, true) else {
        return;
    };
    run(&mut proactor, set).unwrap();
    let get = handle.option(&socket, SocketOption::REUSE_PORT).unwrap();
    assert!(run(&mut proactor, get).unwrap());
    let domain = handle.option(&socket, SocketOption::DOMAIN).unwrap();
    assert_eq!(run(&mut proactor, domain).unwrap(), libc::AF_INET);
}

#[test]
fn a_pending_error_is_read_and_cleared() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(closed).unwrap();
    socket.send(b"nobody").unwrap();
    let fd = handle.adopt(socket);
    // The refusal comes at once on loopback.
    let Ok(get) = handle.option(&fd, SocketOption::ERROR) else {
        return;
    };
    assert_eq!(run(&mut proactor, get).unwrap(), libc::ECONNREFUSED);
    let get = handle.option(&fd, SocketOption::ERROR).unwrap();
    assert_eq!(run(&mut proactor, get).unwrap(), 0);
}

#[test]
fn the_queues_of_a_socket_have_lengths() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    far.write_all(&[1; 1234]).unwrap();
    let wait = handle.poll(&near, 1);
    run(&mut proactor, wait).unwrap();
    let Ok(unread) = handle.unread_bytes(&near) else {
        return;
    };
    assert_eq!(run(&mut proactor, unread).unwrap(), 1234);
    // More than the peer takes stays unsent until it reads.
    let (near, far) = tcp_pair();
    let fd = handle.adopt(near);
    let send = handle.send(&fd, vec![0; 32 << 20]);
    let (sent, _) = run(&mut proactor, send).unwrap();
    let unsent = handle.unsent_bytes(&fd).unwrap();
    let unsent = run(&mut proactor, unsent).unwrap();
    assert!(unsent > 0 && unsent <= sent, "{unsent} of {sent}");
    drop(far);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let listener = handle.adopt(listener);
    let unread = handle.unread_bytes(&listener).unwrap();
    assert_eq!(
        run(&mut proactor, unread).unwrap_err().raw_os_error(),
        Some(libc::EINVAL)
    );
}
