//! Servers: how they are stopped, and what ends with them.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use ringloop::cancel::{CancelScope, CancelToken, shield};
use ringloop::net::{Server, TcpStream, serve};
use ringloop::sync::Event;
use ringloop::task::{all_tasks, yield_now};
use ringloop::{Runtime, offload, spawn};

use crate::net_serve::{assert_echoes, assert_ended, echo, in_mood, logging, visitor};
use crate::rig::{assert_cancelled, listener, open_fds, run, settle, until};

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

/// Echoes, and says goodbye where it is cancelled, which takes some turns of the loop.
async fn polite(mut stream: TcpStream, _peer: SocketAddr) -> io::Result<()> {
    let mut buf = [0; 512];
    loop {
        match stream.read(&mut buf).await {
            Ok(0) => return Ok(()),
            Ok(count) => stream.write_all(&buf[..count]).await?,
            Err(error) => {
                shield(async {
                    for _ in 0..3 {
                        yield_now().await?;
                    }
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
    if !crate::rig::alone("net_serve_end::the_end_of_the_runtime_ends_its_servers") {
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
