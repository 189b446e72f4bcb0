//! Servers: handlers that fail, panic, are cancelled or dropped; limits; stops.

use std::io;
use std::net::SocketAddr;

use ringloop::net::{TcpStream, serve};
use ringloop::task::all_tasks;

use crate::rig::{listener, run};

/// Echoes until the end.
async fn echo(mut stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let mut buf = [0; 512];
    while let count @ 1.. = stream.read(&mut buf).await? {
        stream.write_all(&buf[..count]).await?;
    }
    stream.close().await
}

/// A client that has had an answer from [`echo`], so that its handler runs.
async fn visitor(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"?").await.unwrap();
    let mut reply = [0];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"?");
    stream
}

#[test]
fn every_connection_has_a_task_that_says_which() {
    run(async {
        let (listener, address) = listener().await;
        let server = serve(listener, echo).spawn();
        assert_eq!(server.local_addrs(), [address]);
        let mut clients = Vec::new();
        for number in 1..=3 {
            let client = visitor(address).await;
            let peer = client.local_addr().unwrap();
            let name = format!("connection {number} from {peer}");
            let is_it = |task: &ringloop::task::TaskRef| task.name().as_deref() == Some(&*name);
            assert!(all_tasks().iter().any(is_it), "{name}");
            clients.push(client);
        }
        assert!(server.is_serving());
        assert_eq!((server.stats().accepted, server.stats().live), (3, 3));
        drop(clients);
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        let stats = server.stats();
        assert_eq!((stats.live, stats.completed, stats.cancelled), (0, 3, 0));
        assert!(!server.is_serving());
        assert_eq!(server.local_addr(), None);
    });
}
