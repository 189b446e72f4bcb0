//! Unix stream sockets: addresses, connections, what is refused.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::linux::fs::MetadataExt as _;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};

use ringloop::net::{UnixListener, UnixStream};
use ringloop::spawn;
use ringloop::task::yield_now;
use ringloop_proactor::{Config, Proactor, SocketAddress};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::rig::{numbered, run};

/// A fresh directory for socket files, removed when it is dropped.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("ringloop-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn echo_once(listener: UnixListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    stream.write_all(&bytes).await?;
    stream.close().await
}

async fn echoes(mut stream: UnixStream) {
    stream.write_all(&numbered(0, 200_000)).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await.unwrap();
    assert!(back == numbered(0, 200_000));
}

#[test]
fn a_path_and_an_abstract_name_lead_to_a_listener() {
    let dir = Dir::new("path");
    run(async {
        let path = dir.socket();
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(path_of(&listener.local_addr().unwrap()), Some(&*path));
        let server = spawn(echo_once(listener));
        let stream = UnixStream::connect(&path).await.unwrap();
        assert_eq!(path_of(&stream.peer_addr().unwrap()), Some(&*path));
        assert!(stream.local_addr().unwrap().is_unnamed());
        echoes(stream).await;
        server.await.unwrap().unwrap();

        let name = format!("ringloop test {}", std::process::id());
        let name = std_unix::SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixListener::bind_addr(&name).unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(bound.as_abstract_name(), name.as_abstract_name());
        let server = spawn(echo_once(listener));
        echoes(UnixStream::connect_addr(&name).await.unwrap()).await;
        server.await.unwrap().unwrap();
    });
}

fn path_of(address: &std_unix::SocketAddr) -> Option<&Path> {
    address.as_pathname()
}

#[test]
fn what_is_not_there_and_what_does_not_fit_is_an_error() {
    let dir = Dir::new("errors");
    run(async {
        let kind_of = async |path: &Path| UnixStream::connect(path).await.unwrap_err().kind();
        assert_eq!(kind_of(&dir.socket()).await, ErrorKind::NotFound);
        let long = "x".repeat(200);
        assert_eq!(kind_of(long.as_ref()).await, ErrorKind::InvalidInput);
        let bound = UnixListener::bind(&long).unwrap_err();
        assert_eq!(bound.kind(), ErrorKind::InvalidInput);
        drop(UnixListener::bind(dir.socket()).unwrap());
        // The turn in which it is closed.
        yield_now().await.unwrap();
        // The file of a listener that is gone stays, as with std.
        assert_eq!(kind_of(&dir.socket()).await, ErrorKind::ConnectionRefused);
        let again = UnixListener::bind(dir.socket()).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn sockets_of_another_kind_are_refused() {
    run(async {
        let (stream, _far) = std_unix::UnixStream::pair().unwrap();
        let listener = std_unix::UnixListener::from(OwnedFd::from(stream));
        let refused = UnixListener::from_std(listener).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        let datagrams = std_unix::UnixDatagram::unbound().unwrap();
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for fd in [OwnedFd::from(datagrams), tcp.into()] {
            let refused = UnixStream::from_std(fd.into()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        }
    });
}

#[test]
fn a_stream_handed_in_works_whether_it_blocks_or_not() {
    for nonblocking in [false, true] {
        run(async {
            let (near, far) = std_unix::UnixStream::pair().unwrap();
            near.set_nonblocking(nonblocking).unwrap();
            far.set_nonblocking(nonblocking).unwrap();
            let mut near = UnixStream::from_std(near).unwrap();
            let mut far = UnixStream::from_std(far).unwrap();
            let reader = spawn(async move {
                let mut bytes = Vec::new();
                far.read_to_end(&mut bytes).await.map(|_| bytes)
            });
            near.write_all(&numbered(0, 1_000_000)).await.unwrap();
            near.close().await.unwrap();
            assert!(reader.await.unwrap().unwrap() == numbered(0, 1_000_000));
        });
    }
}

#[test]
fn the_peer_is_known() {
    run(async {
        let (near, _far) = UnixStream::pair().unwrap();
        let peer = near.peer_cred().unwrap();
        let home = std::fs::metadata("/proc/self").unwrap();
        assert_eq!(peer.pid, std::process::id().cast_signed());
        assert_eq!((peer.uid, peer.gid), (home.st_uid(), home.st_gid()));
    });
}

/// Binds a socket to a path that fills the kernel's address, without a zero byte at its end. std and
/// socket2 do not: an operation of the ring does, from Linux 6.11 on.
fn bind_to_the_last_byte(socket: &Socket, dir: &Dir) -> bool {
    let mut address = u16::try_from(libc::AF_UNIX).unwrap().to_ne_bytes().to_vec();
    address.extend_from_slice(dir.socket().as_os_str().as_bytes());
    address.resize(110, b'x');
    let address = SocketAddress::from_bytes(&address).unwrap();
    let mut proactor = Proactor::new(&Config::default()).unwrap();
    let fd = proactor.handle().adopt(socket.try_clone().unwrap());
    let Ok(bind) = proactor.handle().bind(&fd, address) else {
        return false;
    };
    proactor.block_on(bind).unwrap().unwrap();
    true
}

#[test]
fn a_peer_with_an_address_that_std_cannot_hold_is_accepted_as_unnamed() {
    let dir = Dir::new("last-byte");
    let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    if !bind_to_the_last_byte(&client, &dir) {
        return;
    }
    run(async {
        let path = dir.socket();
        let listener = UnixListener::bind(&path).unwrap();
        client.connect(&SockAddr::unix(&path).unwrap()).unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        assert!(peer.is_unnamed(), "{peer:?}");
        assert_eq!(
            stream.peer_cred().unwrap().pid,
            std::process::id().cast_signed()
        );
    });
}

#[test]
fn a_backlog_is_as_long_as_it_was_asked_to_be() {
    let dir = Dir::new("backlog");
    run(async {
        let path = dir.socket();
        let _listener = UnixListener::builder().backlog(2).bind(&path).unwrap();
        let clients: Vec<_> = (0..6)
            .map(|_| Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap())
            .collect();
        let address = SockAddr::unix(&path).unwrap();
        let waiting = clients
            .iter()
            .filter(|client| client.connect(&address).is_ok());
        // The kernel takes one more than it says.
        assert_eq!(waiting.count(), 3);
    });
}

#[test]
fn a_stale_file_is_replaced_on_demand_and_a_live_listener_never() {
    let dir = Dir::new("stale");
    run(async {
        let builder = UnixListener::builder().replace_stale(true);
        drop(UnixListener::bind(dir.socket()).unwrap());
        yield_now().await.unwrap();
        let live = builder.clone().bind(dir.socket()).unwrap();
        let refused = builder.clone().bind(dir.socket()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        let client = UnixStream::connect(dir.socket()).await.unwrap();
        // The one that asked whether somebody listens has gone again.
        let (mut asked, _) = live.accept().await.unwrap();
        assert_eq!(asked.read(&mut [0; 1]).await.unwrap(), 0);
        live.accept().await.unwrap();
        drop(client);
        let file = dir.socket().with_file_name("file");
        std::fs::write(&file, "precious").unwrap();
        let refused = builder.bind(&file).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    });
}

#[test]
fn a_file_is_removed_on_demand_if_it_is_still_the_listeners() {
    let dir = Dir::new("remove");
    run(async {
        let builder = UnixListener::builder().remove_on_drop(true);
        let listener = builder.clone().bind(dir.socket()).unwrap();
        assert!(dir.socket().exists());
        drop(listener);
        assert!(!dir.socket().exists());
        let first = builder.bind(dir.socket()).unwrap();
        std::fs::rename(dir.socket(), dir.socket().with_file_name("old")).unwrap();
        let _second = UnixListener::bind(dir.socket()).unwrap();
        drop(first);
        assert!(dir.socket().exists());
    });
}

#[test]
fn incoming_gives_connections_in_their_order() {
    let dir = Dir::new("incoming");
    run(async {
        let listener = UnixListener::bind(dir.socket()).unwrap();
        let mut incoming = listener.incoming();
        for byte in 0..3 {
            let mut client = UnixStream::connect(dir.socket()).await.unwrap();
            client.write_all(&[byte]).await.unwrap();
            let mut stream = incoming.next().await.unwrap().unwrap();
            let mut read = [9];
            stream.read_exact(&mut read).await.unwrap();
            assert_eq!(read, [byte]);
        }
    });
}
