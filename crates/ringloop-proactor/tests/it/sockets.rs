use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Fd, Handle, Op, Operation, Proactor, SocketAddress};

use crate::rig::{alone, is_closed_on_exec, open_fds, poll_once, proactor, settle, tcp_pair};

fn run<O: Operation>(proactor: &mut Proactor, op: Op<O>) -> O::Output {
    proactor.block_on(op).unwrap()
}

/// A name in no file system that no other test has.
fn abstract_name(name: &str) -> SocketAddress {
    SocketAddress::unix_abstract(format!("ringloop-{name}-{}", std::process::id())).unwrap()
}

fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

/// A socket that listens, plain or direct; `None` before Linux 6.11.
fn listener(proactor: &mut Proactor, socket: Fd, address: SocketAddress) -> Option<Fd> {
    let handle = proactor.handle();
    let bind = handle.bind(&socket, address).ok()?;
    run(proactor, bind).unwrap();
    let listen = handle.listen(&socket, 16).unwrap();
    run(proactor, listen).unwrap();
    Some(socket)
}

fn stream_socket(proactor: &mut Proactor, domain: i32) -> Fd {
    let handle = proactor.handle();
    let socket = handle.socket(domain, libc::SOCK_STREAM, 0);
    let socket = run(proactor, socket).unwrap();
    assert!(is_closed_on_exec(&socket));
    handle.adopt(socket)
}

#[test]
fn a_server_of_direct_descriptors_needs_no_plain_one() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let direct = |proactor: &mut Proactor, handle: &Handle| {
        let socket = handle.socket_direct(libc::AF_UNIX, libc::SOCK_STREAM, 0);
        run(proactor, socket.unwrap()).unwrap()
    };
    let socket = direct(&mut proactor, &handle);
    assert!(socket.is_direct());
    let address = abstract_name("direct");
    let Some(server) = listener(&mut proactor, socket, address.clone()) else {
        return;
    };
    let client = direct(&mut proactor, &handle);
    run(&mut proactor, handle.connect(&client, address)).unwrap();
    let mut connections = handle.accept_multishot_direct(&server).unwrap();
    let connection = proactor.block_on(connections.next()).unwrap();
    let connection = connection.unwrap().unwrap();
    assert!(connection.is_direct());
    run(&mut proactor, handle.send(&client, "over")).unwrap();
    let (_, bytes) = run(&mut proactor, handle.recv(&connection, vec![0; 9])).unwrap();
    assert_eq!(bytes, b"over");
    run(&mut proactor, handle.shutdown(&client, Shutdown::Write)).unwrap();
    let (count, _) = run(&mut proactor, handle.recv(&connection, vec![0; 9])).unwrap();
    assert_eq!(count, 0);
}

#[test]
fn sockets_are_made_bound_and_connected_as_the_calls_do_it() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let socket = stream_socket(&mut proactor, libc::AF_INET);
    let Some(server) = listener(&mut proactor, socket, any.into()) else {
        return;
    };
    let server_std = TcpListener::from(server.plain().unwrap().try_clone_to_owned().unwrap());
    let address = server_std.local_addr().unwrap();
    let client = stream_socket(&mut proactor, libc::AF_INET);
    run(&mut proactor, handle.connect(&client, address)).unwrap();
    let (connection, peer) = run(&mut proactor, handle.accept_from(&server)).unwrap();
    let client_std = TcpStream::from(client.plain().unwrap().try_clone_to_owned().unwrap());
    assert_eq!(peer.as_ip(), Some(client_std.local_addr().unwrap()));
    assert_eq!(client_std.peer_addr().unwrap(), address);
    assert!(is_closed_on_exec(&connection));

    // Each fails as its system call would.
    let other = stream_socket(&mut proactor, libc::AF_INET);
    let bind = handle.bind(&other, address).unwrap();
    assert_eq!(errno(run(&mut proactor, bind)), libc::EADDRINUSE);
    let unix = stream_socket(&mut proactor, libc::AF_UNIX);
    let bind = handle.bind(
        &unix,
        SocketAddress::unix("/no/such/directory/name").unwrap(),
    );
    assert_eq!(errno(run(&mut proactor, bind.unwrap())), libc::ENOENT);
    let datagram = handle.adopt(UdpSocket::bind(any).unwrap());
    let listen = handle.listen(&datagram, 1).unwrap();
    assert_eq!(errno(run(&mut proactor, listen)), libc::EOPNOTSUPP);
    let nobody = abstract_name("nobody");
    let connect = handle.connect(&unix, nobody);
    assert_eq!(errno(run(&mut proactor, connect)), libc::ECONNREFUSED);
    let socket = handle.socket(libc::AF_INET, 77, 0);
    assert_eq!(errno(run(&mut proactor, socket)), libc::EINVAL);
    let socket = handle.socket_direct(libc::AF_INET, 77, 0).unwrap();
    assert_eq!(errno(run(&mut proactor, socket)), libc::EINVAL);
    let accept = handle.accept_from(&client);
    assert_eq!(errno(run(&mut proactor, accept)), libc::EINVAL);
    let fresh = stream_socket(&mut proactor, libc::AF_INET);
    let shutdown = handle.shutdown(&fresh, Shutdown::Both);
    assert_eq!(errno(run(&mut proactor, shutdown)), libc::ENOTCONN);
    let file = handle.adopt(std::fs::File::open("/dev/null").unwrap());
    let shutdown = handle.shutdown(&file, Shutdown::Both);
    assert_eq!(errno(run(&mut proactor, shutdown)), libc::ENOTSOCK);
}

#[test]
fn unix_addresses_go_there_and_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let path = std::env::temp_dir().join(format!("ringloop-sock-{}", std::process::id()));
    let name = format!("ringloop-there-{}", std::process::id());
    let abstract_addr = UnixAddr::from_abstract_name(&name).unwrap();
    let named = UnixListener::bind(&path).unwrap();
    let nameless = UnixListener::bind_addr(&abstract_addr).unwrap();
    for (listener, address) in [
        (named, SocketAddress::unix(&path).unwrap()),
        (nameless, abstract_addr.into()),
    ] {
        let listener = handle.adopt(listener);
        let client = stream_socket(&mut proactor, libc::AF_UNIX);
        run(&mut proactor, handle.connect(&client, address)).unwrap();
        let (_connection, peer) = run(&mut proactor, handle.accept_from(&listener)).unwrap();
        assert!(peer.as_unix().unwrap().is_unnamed(), "{peer:?}");
    }
    std::fs::remove_file(&path).unwrap();

    // A peer with a name tells it; as long as the room allows, which is always.
    for peer_name in ["x".to_owned(), "y".repeat(107)] {
        let address = UnixAddr::from_abstract_name(&peer_name).unwrap();
        let far = handle.adopt(UnixDatagram::bind_addr(&address).unwrap());
        let here = abstract_name("here");
        let near = UnixDatagram::bind_addr(&here.as_unix().unwrap()).unwrap();
        near.connect_addr(&address).unwrap();
        near.send(b"hi").unwrap();
        let received = run(&mut proactor, handle.recv_from(&far, vec![0; 8])).unwrap();
        assert_eq!(received.peer, Some(here.clone()));
        let back = handle.send_to(&far, "back", received.peer.unwrap());
        run(&mut proactor, back).unwrap();
        let mut bytes = [0; 8];
        let (count, from) = near.recv_from(&mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"back");
        assert_eq!(from.as_abstract_name(), Some(peer_name.as_bytes()));
    }
    // A path of 108 bytes, which has no zero at its end, comes back by its bytes.
    let directory = std::env::temp_dir();
    let long = "p".repeat(108 - directory.as_os_str().len() - 1);
    let long = directory.join(long);
    let raw = [
        &1_u16.to_ne_bytes()[..],
        long.as_os_str().as_encoded_bytes(),
    ]
    .concat();
    let near = UnixDatagram::unbound().unwrap();
    let near_fd = handle.adopt(near.try_clone().unwrap());
    let Ok(bind) = handle.bind(&near_fd, SocketAddress::from_bytes(&raw).unwrap()) else {
        return;
    };
    run(&mut proactor, bind).unwrap();
    std::fs::remove_file(&long).unwrap();
    let far_address = abstract_name("far");
    let far = UnixDatagram::bind_addr(&far_address.as_unix().unwrap()).unwrap();
    let far = handle.adopt(far);
    near.send_to_addr(b"long", &far_address.as_unix().unwrap())
        .unwrap();
    let received = run(&mut proactor, handle.recv_from(&far, vec![0; 8])).unwrap();
    let peer = received.peer.unwrap();
    assert!(peer.as_bytes().starts_with(&raw), "{peer:?}");
    // Without a name there is nobody to answer.
    let stranger = UnixDatagram::unbound().unwrap();
    stranger
        .send_to_addr(b"who", &far_address.as_unix().unwrap())
        .unwrap();
    let received = run(&mut proactor, handle.recv_from(&far, vec![0; 8])).unwrap();
    assert_eq!(received.peer, None);
}

#[test]
fn ip_addresses_go_there_and_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(far) = UdpSocket::bind(local) else {
            continue; // Without IPv6.
        };
        let near = UdpSocket::bind(local).unwrap();
        let (near_addr, far_addr) = (near.local_addr().unwrap(), far.local_addr().unwrap());
        let near = handle.adopt(near);
        run(&mut proactor, handle.send_to(&near, "there", far_addr)).unwrap();
        let mut bytes = [0; 8];
        assert_eq!(far.recv_from(&mut bytes).unwrap(), (5, near_addr));
        far.send_to(b"back", near_addr).unwrap();
        let received = run(&mut proactor, handle.recv_from(&near, vec![0; 8])).unwrap();
        assert_eq!(received.peer.unwrap().as_ip(), Some(far_addr));
        assert_eq!((received.count, received.flags), (4, 0));
    }
}

/// An address of this machine that is valid on one link only, if there is one.
fn link_local() -> Option<SocketAddrV6> {
    let text = std::fs::read_to_string("/proc/net/if_inet6").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (address, interface) = (words.next()?, words.next()?);
        let bits = u128::from_str_radix(address, 16).ok()?;
        let scope = u32::from_str_radix(interface, 16).ok()?;
        let address = SocketAddrV6::new(bits.into(), 0, 0, scope);
        address.ip().is_unicast_link_local().then_some(address)
    })
}

#[test]
fn a_scope_goes_there_and_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let Some(Ok(far)) = link_local().map(UdpSocket::bind) else {
        return; // Without such an address.
    };
    let near = UdpSocket::bind(link_local().unwrap()).unwrap();
    let (near_addr, far_addr) = (near.local_addr().unwrap(), far.local_addr().unwrap());
    let near = handle.adopt(near);
    run(&mut proactor, handle.send_to(&near, "there", far_addr)).unwrap();
    assert_eq!(far.recv_from(&mut [0; 8]).unwrap(), (5, near_addr));
    far.send_to(b"back", near_addr).unwrap();
    let received = run(&mut proactor, handle.recv_from(&near, vec![0; 8])).unwrap();
    assert_eq!(received.peer.unwrap().as_ip(), Some(far_addr));
}

#[test]
fn accepted_connections_that_nobody_takes_are_closed() {
    if !alone("sockets::accepted_connections_that_nobody_takes_are_closed") {
        return;
    }
    let config = Config::default().direct_descriptors(64);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = handle.adopt(listener);
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    for round in 0..100 {
        let mut client = TcpStream::connect(address).unwrap();
        let mut accept = handle.accept_from(&listener);
        assert!(poll_once(&mut accept).is_pending());
        if round % 2 == 0 {
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        } else {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        drop(accept);
        settle(&mut proactor);
        assert_eq!(
            client.read(&mut [0; 1]).unwrap(),
            0,
            "it was accepted and closed"
        );
    }
    // Direct ones free their slots: there are more connections than slots.
    for _ in 0..3 {
        let mut connections = handle.accept_multishot_direct(&listener).unwrap();
        let mut clients: Vec<_> = (0..40)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let first = proactor.block_on(connections.next()).unwrap();
        drop(first.unwrap().unwrap());
        drop(connections);
        settle(&mut proactor);
        proactor.park(Some(Duration::ZERO)).unwrap();
        settle(&mut proactor);
        for client in &mut clients {
            client
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
        }
    }
    settle(&mut proactor);
    assert_eq!(open_fds(), before);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_full_table_is_an_error_and_the_stream_goes_on() {
    let config = Config::default().direct_descriptors(2);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = handle.adopt(listener);
    let mut connections = handle.accept_multishot_direct(&listener).unwrap();
    let mut clients = Vec::new();
    let mut held = Vec::new();
    for _ in 0..2 {
        clients.push(TcpStream::connect(address).unwrap());
        let next = proactor.block_on(connections.next()).unwrap();
        held.push(next.unwrap().unwrap());
    }
    clients.push(TcpStream::connect(address).unwrap());
    let full = proactor.block_on(connections.next()).unwrap().unwrap();
    assert_eq!(errno(full), libc::ENFILE);
    held.clear();
    settle_closes(&mut proactor);
    clients.push(TcpStream::connect(address).unwrap());
    let next = proactor.block_on(connections.next()).unwrap();
    assert!(next.unwrap().unwrap().is_direct());
}

/// Lets what was dropped be closed, while other operations go on.
fn settle_closes(proactor: &mut Proactor) {
    for _ in 0..4 {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn a_shutdown_ends_what_waits_on_the_socket() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, vec![0; 8]);
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    run(&mut proactor, handle.shutdown(&near, Shutdown::Read)).unwrap();
    assert_eq!(run(&mut proactor, recv).unwrap().0, 0);
    run(&mut proactor, handle.send(&near, "still")).unwrap();
    run(&mut proactor, handle.shutdown(&near, Shutdown::Write)).unwrap();
    let mut text = String::new();
    far.read_to_string(&mut text).unwrap();
    assert_eq!(text, "still");
    let gone = run(&mut proactor, handle.send(&near, "late")).unwrap_err();
    assert_eq!(gone.error.raw_os_error(), Some(libc::EPIPE));
    let (near, _far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    run(&mut proactor, handle.shutdown(&near, Shutdown::Both)).unwrap();
    let gone = run(&mut proactor, handle.send(&near, "late")).unwrap_err();
    assert_eq!(gone.error.raw_os_error(), Some(libc::EPIPE));
}

/// The handshake goes on in the kernel, so the socket is only good for closing.
#[test]
fn a_cancelled_connect_tells_so_and_the_socket_can_be_closed() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    // A backlog that is full leaves further handshakes waiting.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    socket2::SockRef::from(&listener).listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    let mut cancelled = 0;
    for _ in 0..8 {
        let socket = stream_socket(&mut proactor, libc::AF_INET);
        let mut connect = handle.connect(&socket, address);
        assert!(poll_once(&mut connect).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        waiting.push((socket, connect));
    }
    for (socket, connect) in waiting {
        let outcome = proactor.block_on(connect.cancel()).unwrap();
        cancelled += usize::from(outcome.is_cancelled());
        proactor.block_on(socket.close()).unwrap().unwrap();
    }
    assert!(cancelled >= 6, "{cancelled} of 8 were still waiting");
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn closing_says_what_the_kernel_made_of_it() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let near = proactor.handle().adopt(near);
    proactor.block_on(near.close()).unwrap().unwrap();
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0);
    far.write_all(b"x").unwrap();
}
