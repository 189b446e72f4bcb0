//! Input and output inside cancelled scopes.

use std::io::{Read, Write};
use std::net::TcpListener as StdListener;
use std::pin::pin;
use std::time::Duration;

use ringloop::cancel::{CancelScope, ScopeExit, shield};
use ringloop::future::join;
use ringloop::net::{TcpListener, TcpStream};
use ringloop::{sleep, spawn, timeout};

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, in_cancelled_scope, listener, numbered,
    open_fds, pair, polled_once, run, runtime, settle,
};

/// Runs `body` in a task that is cancelled before its first poll.
async fn in_cancelled_task<F: Future + 'static>(body: F) -> F::Output
where
    F::Output: 'static,
{
    let task = spawn(body);
    task.cancel("before it began");
    task.await.unwrap()
}

#[test]
fn a_read_begun_in_a_cancelled_task_takes_nothing() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"abc").unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).await.unwrap();
        // More is in the queue already.
        let mut stream = in_cancelled_task(async move {
            let mut buf = [0; 8];
            assert_cancelled(&stream.read(&mut buf).await);
            assert_cancelled(&stream.read_exact(&mut buf).await);
            assert_cancelled(&stream.read_chunk().await);
            let mut bytes = Vec::new();
            assert_cancelled(&stream.read_to_end(&mut bytes).await);
            assert_eq!((buf, bytes.len()), ([0; 8], 0));
            stream
        })
        .await;
        let mut rest = [0; 2];
        stream.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"bc");
    });
}

#[test]
fn a_write_begun_in_a_cancelled_task_sends_nothing() {
    run(async {
        let (mut stream, mut far) = pair();
        let mut stream = in_cancelled_task(async move {
            assert_cancelled(&stream.write(b"not this").await);
            assert_cancelled(&stream.write_all(b"nor this").await);
            assert_cancelled(&stream.flush().await);
            assert_cancelled(&stream.shutdown().await);
            stream
        })
        .await;
        stream.write_all(b"but this").await.unwrap();
        stream.close().await.unwrap();
        let mut received = String::new();
        far.read_to_string(&mut received).unwrap();
        assert_eq!(received, "but this");
    });
}

#[test]
fn a_flush_in_a_cancelled_task_leaves_what_was_written() {
    run(async {
        let (mut stream, mut far) = pair();
        stream.write_all(b"written before").await.unwrap();
        let stream = in_cancelled_task(async move {
            assert_cancelled(&stream.flush().await);
            stream
        })
        .await;
        drop(stream);
        let received = ringloop::offload(move || {
            let mut received = String::new();
            far.read_to_string(&mut received).map(|_| received)
        });
        assert_eq!(received.await.unwrap().unwrap(), "written before");
    });
}

#[test]
fn an_accept_begun_in_a_cancelled_task_takes_nobody() {
    run(async {
        let (listener, address) = listener().await;
        let first = std::net::TcpStream::connect(address).unwrap();
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, first.local_addr().unwrap());
        let second = std::net::TcpStream::connect(address).unwrap();
        // When these bytes have arrived, `second` is in the listener's queue.
        let (mut other, mut far) = pair();
        far.write_all(b"x").unwrap();
        assert_eq!(other.read(&mut [0; 8]).await.unwrap(), 1);
        let listener = in_cancelled_task(async move {
            assert_cancelled(&listener.accept().await);
            listener
        })
        .await;
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, second.local_addr().unwrap());
    });
}

#[test]
fn a_connect_begun_in_a_cancelled_task_knocks_nowhere() {
    run(async {
        let there = StdListener::bind("127.0.0.1:0").unwrap();
        there.set_nonblocking(true).unwrap();
        let address = there.local_addr().unwrap();
        in_cancelled_task(async move { assert_cancelled(&TcpStream::connect(address).await) })
            .await;
        assert_eq!(
            there.accept().unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
        let _stream = TcpStream::connect(address).await.unwrap();
        there.accept().unwrap();
    });
}

#[test]
fn a_name_in_a_cancelled_task_is_not_looked_up() {
    run(in_cancelled_task(async {
        assert_cancelled(&TcpListener::bind("localhost:0").await);
        assert_cancelled(&TcpStream::connect(("localhost", 1)).await);
    }));
}

#[test]
fn a_scope_leaves_no_mark_on_what_was_cancelled_in_it() {
    run(async {
        let (mut stream, mut far) = pair();
        let mut buf = [0; 8];
        for round in 0..10 {
            assert!(in_cancelled_scope(stream.read(&mut buf)).await.is_none());
            assert!(
                cancelled_while_pending(stream.read(&mut buf))
                    .await
                    .is_none()
            );
            far.write_all(&[round]).unwrap();
            assert_eq!(stream.read(&mut buf).await.unwrap(), 1);
            assert_eq!(buf[0], round);
        }
    });
}

#[test]
fn a_timeout_around_accept_leaves_the_listener_as_it_was() {
    run(async {
        let (listener, address) = listener().await;
        let in_vain = timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(in_vain.is_err());
        let client = std::net::TcpStream::connect(address).unwrap();
        let (_stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn a_connect_that_hangs_is_given_up() {
    if !alone("cancel::a_connect_that_hangs_is_given_up") {
        return;
    }
    let mut runtime = runtime();
    // A queue of one that is full: the kernel drops what knocks, and the client tries again.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _in_queue = std::net::TcpStream::connect(address).unwrap();
    let fds = open_fds();
    for _ in 0..5 {
        let connect = timeout(Duration::from_millis(5), TcpStream::connect(address));
        assert!(runtime.block_on(connect).is_err());
    }
    settle(&mut runtime, fds);
}

#[test]
fn the_value_wins_over_a_request_that_comes_later() {
    let scope = CancelScope::new();
    let token = scope.token();
    let exit = run(scope.run(async {
        let ((mut stream, mut far), (mut other, mut other_far)) = (pair(), pair());
        let mut buf = [0; 8];
        let mut read = pin!(stream.read(&mut buf));
        assert!(polled_once(read.as_mut()).await.is_none());
        far.write_all(b"x").unwrap();
        // When these have arrived, so have those that were sent before.
        other_far.write_all(b"y").unwrap();
        assert_eq!(other.read(&mut [0; 8]).await.unwrap(), 1);
        token.cancel("too late");
        let count = read.await.unwrap();
        (count, sleep(Duration::ZERO).await.is_err())
    }));
    assert_eq!(exit, ScopeExit::Done((1, true)));
}

#[test]
fn cleanup_in_a_shield_may_use_the_stream() {
    run(async {
        let (mut stream, mut far) = pair();
        let task = spawn(async move {
            let cancelled = stream.read(&mut [0; 8]).await;
            assert_cancelled(&cancelled);
            assert_cancelled(&stream.write_all(b"outside").await);
            shield(async {
                stream.write_all(b"goodbye").await?;
                stream.close().await
            })
            .await
        });
        ringloop::task::yield_now().await.unwrap();
        assert!(task.cancel("enough"));
        task.await.unwrap().unwrap();
        let mut received = String::new();
        far.read_to_string(&mut received).unwrap();
        assert_eq!(received, "goodbye");
    });
}

#[test]
fn one_direction_is_cancelled_and_the_other_goes_on() {
    run(async {
        let (mut stream, mut far) = pair();
        let (mut reader, mut writer) = stream.split();
        let mut buf = [0; 8];
        let reading = cancelled_while_pending(reader.read(&mut buf));
        let bytes = numbered(0, 50_000);
        let writing = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        let (read, written) = join(reading, writing).await;
        assert!(read.is_none());
        written.unwrap();
        let mut received = vec![0; 50_000];
        far.read_exact(&mut received).unwrap();
        assert_eq!(received, bytes);
    });
}
