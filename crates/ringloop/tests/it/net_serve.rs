//! Servers: handlers that fail, panic, are cancelled or dropped; limits; stops.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use ringloop::cancel::{CancelScope, CancelToken, shield};
use ringloop::net::{ServeReport, Server, TcpListener, TcpStream, UnixListener, UnixStream, serve};
use ringloop::sync::Event;
use ringloop::task::{TaskRef, all_tasks, yield_now};
use ringloop::{Runtime, offload, sleep, spawn};
use ringloop_task::UnhandledKind;

use crate::rig::{assert_cancelled, listener, open_fds, run, settle, until};

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
    assert_echoes(&mut stream).await;
    stream
}

async fn assert_echoes(stream: &mut TcpStream) {
    stream.write_all(b"?").await.unwrap();
    let mut reply = [0];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"?");
}

/// The connection has ended, with or without a reset.
async fn assert_ended(mut stream: TcpStream) {
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
type Log = Rc<RefCell<Vec<(UnhandledKind, String)>>>;

fn logging() -> (Runtime, Log) {
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

async fn in_mood(address: SocketAddr, mood: &[u8]) -> TcpStream {
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
fn a_server_at_its_limit_can_be_stopped() {
    run(async {
        let (listener, address) = listener().await;
        let server = serve(listener, echo).limit(1).spawn();
        let mut client = visitor(address).await;
        let waiting = TcpStream::connect(address).await.unwrap();
        server.stop_accepting();
        assert_ended(waiting).await;
        assert_echoes(&mut client).await;
        assert!(!server.is_closed());
        drop(client);
        server.wait_closed().await.unwrap();
        assert_eq!(server.stats().accepted, 1);
    });
}

#[test]
fn a_stopped_server_is_closed_when_the_last_connection_has_ended() {
    run(async {
        let (listener, address) = listener().await;
        let server = serve(listener, echo).spawn();
        let mut client = visitor(address).await;
        let (other, closed) = (server.clone(), Rc::new(Cell::new(0)));
        for _ in 0..2 {
            let (server, closed) = (other.clone(), Rc::clone(&closed));
            drop(spawn(async move {
                server.wait_closed().await.unwrap();
                closed.update(|count| count + 1);
            }));
        }
        assert!(other.stop_accepting());
        assert!(!server.stop_accepting(), "the handles are of one server");
        assert!(!server.is_serving());
        until(|| server.local_addrs().is_empty()).await;
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_echoes(&mut client).await;
        assert_eq!((closed.get(), server.is_closed()), (0, false));
        drop(client);
        until(|| closed.get() == 2).await;
        assert!(server.is_closed());
    });
}

#[test]
fn another_thread_can_stop_a_server() {
    run(async {
        let (listener, address) = listener().await;
        let server = serve(listener, echo).spawn();
        drop(visitor(address).await);
        let token = server.stop_token();
        let stopper = thread::spawn(move || token.cancel("from another thread"));
        server.wait_closed().await.unwrap();
        assert!(stopper.join().unwrap());
    });
}

#[test]
fn a_handler_can_stop_its_server() {
    run(async {
        let (listener, address) = listener().await;
        let server = Server::new();
        let handle = server.clone();
        let once = async move |stream, peer| {
            assert!(handle.is_serving());
            handle.stop_accepting();
            echo(stream, peer).await
        };
        let client = spawn(async move { drop(visitor(address).await) });
        serve(listener, once).control(&server).await.unwrap();
        client.await.unwrap();
        assert!(server.is_closed());
        assert_eq!(server.stats().completed, 1);
    });
}

/// Echoes, and says goodbye where it is cancelled, which takes a while.
async fn polite(mut stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let mut buf = [0; 512];
    loop {
        match stream.read(&mut buf).await {
            Ok(0) => return Ok(()),
            Ok(count) => stream.write_all(&buf[..count]).await?,
            Err(error) => {
                shield(async {
                    sleep(Duration::from_millis(2)).await?;
                    stream.write_all(b"bye").await
                })
                .await?;
                return Err(error);
            }
        }
    }
}

async fn assert_farewell(mut stream: TcpStream) {
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"bye");
}

#[test]
fn handlers_that_are_asked_to_cancel_clean_up_and_are_no_failures() {
    let (mut runtime, log) = logging();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let server = serve(listener, polite).spawn();
        let clients = [visitor(address).await, visitor(address).await];
        assert_eq!(server.close_clients(), 2);
        assert_eq!(server.close_clients(), 0, "they have been asked");
        for client in clients {
            assert_farewell(client).await;
        }
        until(|| server.stats().live == 0).await;
        assert_eq!((server.stats().cancelled, server.stats().failed), (2, 0));
        drop(visitor(address).await);
        assert!(server.is_serving(), "others are served still");
        server.stop_accepting();
        server.wait_closed().await.unwrap();
    });
    assert_eq!(log.take(), []);
}

#[test]
fn a_server_waits_for_a_handler_that_ignores_cancellation() {
    run(async {
        let (listener, address) = listener().await;
        let done = Rc::new(Event::new());
        let go_on = Rc::clone(&done);
        let stubborn = async move |stream, peer| {
            if echo(stream, peer).await.is_err() {
                // It takes the cancellation for the end, and has something else to do.
                shield(go_on.wait()).await.unwrap();
            }
        };
        let server = serve(listener, stubborn).spawn();
        let client = visitor(address).await;
        server.stop_accepting();
        server.close_clients();
        assert_ended(client).await;
        for _ in 0..10 {
            yield_now().await.unwrap();
        }
        assert_eq!((server.is_closed(), server.stats().live), (false, 1));
        done.set();
        server.wait_closed().await.unwrap();
        assert_eq!(server.stats().completed, 1);
    });
}

#[test]
fn aborted_handlers_are_dropped_where_they_are() {
    let (mut runtime, log) = logging();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let server = Server::new();
        let handle = server.clone();
        let abrupt = async move |mut stream: TcpStream, peer| {
            let mut mood = [0];
            stream.read_exact(&mut mood).await?;
            if &mood == b"a" {
                // Its own is among them, and gone after this poll.
                handle.abort_clients();
                handle.wait_closed().await?;
                unreachable!("nobody polls it");
            }
            stream.write_all(&mood).await?;
            polite(stream, peer).await
        };
        let server = serve(listener, abrupt).control(&server).spawn();
        let clients = [visitor(address).await, visitor(address).await];
        assert_ended(in_mood(address, b"a").await).await;
        for client in clients {
            assert_ended(client).await;
        }
        until(|| server.stats().live == 0).await;
        assert_eq!(server.stats().cancelled, 3);
        drop(visitor(address).await);
        server.stop_accepting();
        server.abort_clients();
        server.wait_closed().await.unwrap();
    });
    assert_eq!(log.take(), []);
}

#[test]
fn a_cancelled_server_cancels_its_handlers_and_waits_for_them() {
    run(async {
        let (listener, address) = listener().await;
        let token = CancelToken::new();
        let scope = CancelScope::with_token(token.clone());
        let serving = serve(listener, polite);
        let server = serving.server();
        let serving = spawn(async move {
            let mut told = None;
            let exit = scope.run(async { told = Some(serving.await) }).await;
            assert!(exit.is_cancelled());
            told.unwrap()
        });
        let client = visitor(address).await;
        token.cancel("by a scope around");
        assert_farewell(client).await;
        assert_cancelled(&serving.await.unwrap());
        assert!(server.is_closed());
        assert_eq!((server.stats().cancelled, server.stats().live), (1, 0));
    });
}

#[test]
fn the_scope_around_a_server_recognizes_its_cancellation() {
    run(async {
        let (listener, address) = listener().await;
        let client = spawn(visitor(address));
        let serving = serve(listener, polite);
        let exit = ringloop::timeout(Duration::from_millis(50), serving.into_future()).await;
        assert!(exit.is_err(), "{exit:?}");
        assert_farewell(client.await.unwrap()).await;
    });
}

#[test]
fn a_dropped_server_drops_its_handlers() {
    run(async {
        let (listener, address) = listener().await;
        let serving = serve(listener, polite);
        let server = serving.server();
        let serving = spawn(serving.into_future());
        let client = visitor(address).await;
        serving.abort();
        assert_ended(client).await;
        server.wait_closed().await.unwrap();
        assert_eq!((server.stats().cancelled, server.stats().live), (1, 0));
        assert!(TcpStream::connect(address).await.is_err());
        assert_eq!(server.close_clients(), 0);
    });
}

#[test]
fn a_server_that_never_began_is_closed_when_it_is_dropped() {
    run(async {
        let (listener, address) = listener().await;
        let server = Server::new();
        assert!(!server.is_closed());
        let serving = serve(listener, echo).control(&server);
        assert_eq!(server.local_addr(), Some(address));
        assert!(!server.is_closed() && !server.is_serving());
        drop(serving);
        server.wait_closed().await.unwrap();
        let late = serve(self::listener().await.0, echo).control(&server);
        server.stop_accepting();
        late.await.unwrap();
        assert_eq!(server.stats().accepted, 0);
    });
}

#[test]
fn a_borrowed_listener_keeps_the_connections_that_nobody_has_taken() {
    run(async {
        let (listener, address) = listener().await;
        let clients: Vec<_> = (0..5)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        // With it come others, which nobody has taken.
        drop(listener.accept().await.unwrap());
        let server = Server::new();
        let handle = server.clone();
        let once = async move |_stream, _peer| {
            handle.stop_accepting();
        };
        let serving = serve(&listener, once).limit(1).control(&server);
        serving.run().await.unwrap();
        assert_eq!((server.stats().accepted, server.is_closed()), (1, true));
        for _ in 2..5 {
            let taken = ringloop::timeout(Duration::from_secs(5), listener.accept()).await;
            drop(taken.unwrap().unwrap());
        }
        drop(clients);
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
fn waiting_for_the_end_can_be_cancelled() {
    run(async {
        let server: Server = Server::new();
        let wait = crate::rig::cancelled_while_pending(server.wait_closed()).await;
        assert!(wait.is_none());
        server.stop_accepting();
        let begun = crate::rig::in_cancelled_scope(server.wait_closed()).await;
        assert!(begun.is_none(), "nothing begins in a cancelled scope");
        server.wait_closed().await.unwrap();
    });
}

#[test]
fn the_end_of_the_runtime_ends_its_servers() {
    if !crate::rig::alone("net_serve::the_end_of_the_runtime_ends_its_servers") {
        return;
    }
    let (mut runtime, log) = logging();
    let fds = open_fds();
    let client = runtime.block_on(async {
        let (listener, address) = listener().await;
        drop(serve(listener, polite).limit(10).spawn());
        drop(visitor(address).await);
        let client = offload(move || std::net::TcpStream::connect(address))
            .await
            .unwrap();
        until(|| all_tasks().len() > 2).await;
        client.unwrap()
    });
    let report = runtime.shutdown();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.cancelled, 2, "the server and a connection: {report}");
    drop(client);
    assert_eq!(log.take(), []);
    let mut runtime = Runtime::new().unwrap();
    settle(&mut runtime, fds);
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
