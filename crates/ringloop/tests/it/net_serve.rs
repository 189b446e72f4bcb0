//! Servers: handlers that fail or panic, limits, listeners.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use ringloop::Runtime;
use ringloop::net::{ServeReport, Server, TcpListener, TcpStream, UnixListener, UnixStream, serve};
use ringloop::task::{TaskRef, all_tasks};
use ringloop_task::UnhandledKind;

use crate::rig::{listener, open_fds, run, until};

/// Echoes until the end.
pub(crate) async fn echo(mut stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let mut buf = [0; 512];
    while let count @ 1.. = stream.read(&mut buf).await? {
        stream.write_all(&buf[..count]).await?;
    }
    stream.close().await
}

/// A client that has had an answer from [`echo`], so that its handler runs.
pub(crate) async fn visitor(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_echoes(&mut stream).await;
    stream
}

pub(crate) async fn assert_echoes(stream: &mut TcpStream) {
    stream.write_all(b"?").await.unwrap();
    let mut reply = [0];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"?");
}

/// The connection has ended, with or without a reset.
pub(crate) async fn assert_ended(mut stream: TcpStream) {
    match stream.read(&mut [0]).await {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
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
            let is_it = |task: &TaskRef| task.name().as_deref() == Some(&*name);
            assert!(all_tasks().iter().any(is_it), "{name}");
            clients.push(client);
        }
        assert!(server.is_serving());
        assert_eq!((server.stats().accepted, server.stats().live), (3, 3));
        drop(clients);
        until(|| server.stats().live == 0).await;
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        let stats = server.stats();
        assert_eq!((stats.completed, stats.cancelled, stats.failed), (3, 0, 0));
        assert!(!server.is_serving());
        assert_eq!(server.local_addr(), None);
    });
}

/// What the hook of a runtime is told.
pub(crate) type Log = Rc<RefCell<Vec<(UnhandledKind, String)>>>;

pub(crate) fn logging() -> (Runtime, Log) {
    let log = Log::default();
    let lines = Rc::clone(&log);
    let hook = move |unhandled: &ringloop_task::Unhandled| {
        let line = (unhandled.kind(), unhandled.to_string());
        lines.borrow_mut().push(line);
    };
    let runtime = Runtime::builder().on_unhandled(hook).build().unwrap();
    (runtime, log)
}

/// Fails, panics or echoes, as the client's first byte says.
async fn moody(mut stream: TcpStream, peer: SocketAddr) -> Result<(), &'static str> {
    let mut mood = [0];
    stream.read_exact(&mut mood).await.unwrap();
    match &mood {
        b"f" => Err("no bread"),
        b"p" => panic!("no butter"),
        _ => {
            stream.write_all(&mood).await.unwrap();
            echo(stream, peer).await.map_err(|_| "cancelled, perhaps")
        }
    }
}

pub(crate) async fn in_mood(address: SocketAddr, mood: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(mood).await.unwrap();
    stream
}

#[test]
fn a_handler_that_fails_or_panics_is_reported_once_and_the_server_lives() {
    let (mut runtime, log) = logging();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let server = serve(listener, moody).spawn();
        let mut bystander = visitor(address).await;
        assert_ended(in_mood(address, b"f").await).await;
        assert_ended(in_mood(address, b"p").await).await;
        assert_echoes(&mut bystander).await;
        drop(visitor(address).await);
        drop(bystander);
        until(|| server.stats().live == 0).await;
        let stats = server.stats();
        assert_eq!((stats.accepted, stats.completed), (4, 2));
        assert_eq!((stats.failed, stats.panicked, stats.cancelled), (1, 1, 0));
        server.stop_accepting();
        server.wait_closed().await.unwrap();
    });
    let log = log.take();
    assert_eq!(log.len(), 2, "{log:?}");
    let said = |at: usize, kind, text: &str, number: u64| {
        assert_eq!(log[at].0, kind);
        assert!(log[at].1.ends_with(text), "{log:?}");
        assert!(
            log[at]
                .1
                .contains(&format!("\"connection {number} from 127"))
        );
    };
    said(0, UnhandledKind::Error, " met an error: no bread", 2);
    said(1, UnhandledKind::Panic, " panicked: no butter", 3);
}

#[test]
fn a_program_hears_of_failures_in_place_of_the_runtime() {
    let (mut runtime, log) = logging();
    let said = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&said);
    let hook = move |report: ServeReport<&'static str>| {
        lines.borrow_mut().push(report.to_string());
        if let ServeReport::Panicked { connection, .. } = report {
            panic!("a hook for connection {connection}");
        }
    };
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let server = serve(listener, moody).on_error(hook).spawn();
        assert_ended(in_mood(address, b"f").await).await;
        assert_ended(in_mood(address, b"p").await).await;
        drop(visitor(address).await);
        server.stop_accepting();
        server.wait_closed().await.unwrap();
    });
    let panicked = "connection 2: the handler panicked: no butter";
    assert_eq!(said.take(), ["connection 1: no bread", panicked]);
    let log = log.take();
    assert_eq!(log.len(), 1, "the hook itself: {log:?}");
    assert!(log[0].1.ends_with("a hook for connection 2"));
}

#[test]
fn at_the_limit_connections_wait_in_the_backlog() {
    if !crate::rig::alone("net_serve::at_the_limit_connections_wait_in_the_backlog") {
        return;
    }
    run(async {
        let (listener, address) = listener().await;
        let most = Rc::new(Cell::new(0));
        let server = Server::new();
        let (handle, seen) = (server.clone(), Rc::clone(&most));
        let counting = async move |stream, peer| {
            seen.set(seen.get().max(handle.stats().live));
            echo(stream, peer).await
        };
        let serving = serve(listener, counting).limit(2).control(&server).spawn();
        let mut first = [visitor(address).await, visitor(address).await];
        let before = open_fds();
        let waiting: Vec<_> = (0..8)
            .map(|_| std::net::TcpStream::connect(address))
            .collect();
        for stream in &mut first {
            // The server has turned several times.
            assert_echoes(stream).await;
        }
        assert_eq!(serving.stats().accepted, 2);
        assert_eq!(open_fds(), before + 8, "none of them is accepted");
        drop(first);
        // They are served as there is room: each is in the way of the others until it goes.
        for stream in waiting {
            let mut stream = TcpStream::from_std(stream.unwrap()).unwrap();
            assert_echoes(&mut stream).await;
        }
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        assert_eq!((most.get(), server.stats().accepted), (2, 10));
    });
}

#[test]
fn a_server_has_as_many_listeners_as_it_is_given() {
    run(async {
        let (one, first) = listener().await;
        let (two, second) = listener().await;
        let server = Server::new();
        let serving = serve(one, echo).control(&server).spawn();
        serve(two, moody).control(&server).spawn();
        assert_eq!(serving.local_addrs(), [first, second]);
        let clients = [visitor(first).await, visitor(second).await];
        assert_eq!(server.stats().live, 2);
        server.stop_accepting();
        assert_eq!(server.close_clients(), 2);
        server.wait_closed().await.unwrap();
        for client in clients {
            assert_ended(client).await;
        }
    });
}

#[test]
fn what_handlers_capture_is_shared_and_dropped_with_the_server() {
    run(async {
        let (listener, address) = listener().await;
        let shared = Rc::new(());
        let (weak, count) = (Rc::downgrade(&shared), Rc::new(Cell::new(0)));
        let visits = Rc::clone(&count);
        // Borrowed from the closure, by all handlers at once.
        let handler = async move |stream, peer| {
            visits.update(|count| count + Rc::strong_count(&shared));
            echo(stream, peer).await
        };
        let server = serve(listener, handler).spawn();
        let clients = [visitor(address).await, visitor(address).await];
        assert_eq!(count.get(), 2);
        server.stop_accepting();
        drop(clients);
        server.wait_closed().await.unwrap();
        until(|| weak.upgrade().is_none()).await;
    });
}

#[test]
fn a_unix_listener_is_served_as_well() {
    let directory = std::env::temp_dir().join(format!("ringloop-serve-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("socket");
    run(async {
        let listener = UnixListener::bind(&path).unwrap();
        let handler = async |mut stream: UnixStream, _peer| {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            stream.write_all(&bytes).await
        };
        let server = serve(listener, handler).limit(2).spawn();
        let address = server.local_addr().unwrap();
        assert_eq!(address.as_pathname(), Some(&*path));
        for _ in 0..3 {
            let mut client = UnixStream::connect(&path).await.unwrap();
            client.write_all(b"hello").await.unwrap();
            client.shutdown().await.unwrap();
            let mut reply = Vec::new();
            client.read_to_end(&mut reply).await.unwrap();
            assert_eq!(reply, b"hello");
        }
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        assert_eq!(server.stats().completed, 3);
    });
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_limit_of_nothing_is_a_mistake() {
    let result = std::panic::catch_unwind(|| {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            drop(serve(listener, echo).limit(0));
        });
    });
    let message = result.unwrap_err();
    assert_eq!(
        message.downcast_ref::<&str>(),
        Some(&"a server has room for a connection")
    );
}
