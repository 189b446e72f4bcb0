//! Datagrams through unix sockets: names, borders, descriptors, credentials, a full receiver.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

use ringloop::net::UnixDatagram;
use ringloop::{sleep, spawn};
use std::time::Duration;

use crate::rig::{alone, open_fds, polled_once, run, runtime, settle, until};

#[test]
fn names_are_paths_or_abstract_or_none() {
    let directory = std::env::temp_dir().join(format!("ringloop-udg-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("socket");
    run(async {
        let near = UnixDatagram::bind(&path).unwrap();
        let far = UnixDatagram::unbound().unwrap();
        far.send_to(b"by path", &path).await.unwrap();
        let mut buf = [0; 32];
        let (count, peer) = near.recv_from(&mut buf).await.unwrap();
        assert!((&buf[..count], peer.is_unnamed()) == (b"by path", true));
        let name = format!("ringloop {}", std::process::id());
        let name = SocketAddr::from_abstract_name(name).unwrap();
        let named = UnixDatagram::bind_addr(&name).unwrap();
        named.connect(&path).unwrap();
        assert_eq!(named.peer_addr().unwrap().as_pathname(), Some(&*path));
        named.send(b"connected").await.unwrap();
        let (count, peer) = near.recv_from(&mut buf).await.unwrap();
        assert_eq!(
            (count, peer.as_abstract_name()),
            (9, name.as_abstract_name())
        );
        near.send_to_addr(b"back", &peer).await.unwrap();
        assert_eq!(named.recv(&mut buf).await.unwrap(), 4);
        // A peer that is gone is told, and is not the end.
        drop(near);
        let probe = std::os::unix::net::UnixDatagram::unbound().unwrap();
        until(|| probe.connect(&path).is_err()).await;
        named.send(b"nobody").await.unwrap();
        let error = named.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let long = "x".repeat(200);
        let error = named.send_to(b"x", long).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn nothing_is_lost_or_changes_places_when_the_receiver_is_full() {
    const COUNT: u32 = 500;
    run(async {
        let (near, far) = UnixDatagram::pair().unwrap();
        let sender = spawn(async move {
            for at in 0..COUNT {
                far.send(&at.to_be_bytes()).await.unwrap();
            }
        });
        let mut buf = [0; 8];
        for at in 0..COUNT {
            while at.is_multiple_of(3) && polled_once(near.peek(&mut buf)).await.is_none() {
                sleep(Duration::ZERO).await.unwrap();
            }
            assert_eq!(near.recv(&mut buf).await.unwrap(), 4);
            assert_eq!(buf[..4], at.to_be_bytes());
        }
        sender.await.unwrap();
        assert!(polled_once(near.recv(&mut buf)).await.is_none());
    });
}

#[test]
fn a_datagram_may_be_long_or_empty() {
    run(async {
        let (near, far) = UnixDatagram::pair().unwrap();
        let long = vec![7; 150_000];
        far.send(&long).await.unwrap();
        far.send(b"").await.unwrap();
        assert_eq!(&near.recv_datagram().await.unwrap()[..], long);
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn descriptors_and_credentials_come_along_and_none_leaks() {
    if !alone("net_unix_datagram::descriptors_and_credentials_come_along_and_none_leaks") {
        return;
    }
    let mut runtime = runtime();
    let file = File::open("/dev/null").unwrap();
    let fds = open_fds();
    runtime.block_on(async {
        let (near, far) = UnixDatagram::pair().unwrap();
        let near = near.with_descriptors(2);
        near.set_credentials(true).unwrap();
        let gift = [file.as_fd(), file.as_fd()];
        for _ in 0..6 {
            far.send_with_descriptors(b"gift", &gift).await.unwrap();
        }
        let mut datagram = near.recv_datagram().await.unwrap();
        assert_eq!(&datagram[..], b"gift");
        let credentials = datagram.credentials().unwrap();
        assert_eq!(u32::try_from(credentials.pid), Ok(std::process::id()));
        assert_eq!(datagram.take_descriptors().unwrap().len(), 2);
        // Not taken, not looked at, left in the queue.
        drop(near.recv_datagram().await.unwrap());
        assert_eq!(near.recv(&mut [0; 8]).await.unwrap(), 4);
        // So many do not fit into the room for two, even beside nothing else.
        let many = [file.as_fd(); 20];
        far.send_with_descriptors(b"many", &many).await.unwrap();
        far.flush().await.unwrap();
        for _ in 0..3 {
            near.recv(&mut [0; 8]).await.unwrap();
        }
        let mut datagram = near.recv_datagram().await.unwrap();
        assert_eq!(&datagram[..], b"many");
        assert!(datagram.take_descriptors().is_err());
        far.send_with_descriptors(b"left", &gift).await.unwrap();
        far.flush().await.unwrap();
        near.peek(&mut [0; 8]).await.unwrap();
        // Without room, the kernel closes them.
        far.connect_addr(&far.local_addr().unwrap()).unwrap_err();
        near.send_with_descriptors(b"closed", &gift).await.unwrap();
        assert_eq!(far.recv(&mut [0; 8]).await.unwrap(), 6);
    });
    settle(&mut runtime, fds);
}
