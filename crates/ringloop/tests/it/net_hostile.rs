//! Peers that mean no good, or have bad luck: they read nothing, send a byte at a time, vanish,
//! reset, flood. What happens is defined, and nothing is left behind.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::os::fd::AsFd;
use std::pin::pin;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use ringloop::future::join;
use ringloop::io::{AsyncRead, AsyncWrite};
use ringloop::net::{TcpListener, TcpStream};
use ringloop::task::{JoinHandle, yield_now};
use ringloop::{Runtime, offload, spawn, timeout};
use socket2::{SockRef, TcpKeepalive};

use crate::kernel;
use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, listener, numbered, open_fds, pair,
    polled_once, reset, run, runtime, settle,
};

const LAST: &[u8] = b"the last one";
const GONE: [ErrorKind; 2] = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];

/// Turns of the loop in which whatever is going to happen by itself does.
async fn turns() {
    for _ in 0..20 {
        yield_now().await.unwrap();
    }
}

/// A stream whose queue is full: its peer, the second, reads nothing. The number is how many bytes
/// it has taken.
async fn full() -> (TcpStream, StdStream, usize) {
    let (mut stream, far) = pair();
    SockRef::from(&stream).set_send_buffer_size(16_384).unwrap();
    // A size that is set does not grow with what comes.
    SockRef::from(&far).set_recv_buffer_size(65_536).unwrap();
    let (mut taken, mut refused) = (0, 0);
    while refused < 3 {
        let bytes = numbered(taken, 50_000);
        let written = timeout(Duration::from_millis(4), stream.write(&bytes));
        match written.await {
            Ok(count) => (taken, refused) = (taken + count.unwrap(), 0),
            Err(_) => refused += 1,
        }
    }
    (stream, far, taken)
}

/// Every wait of a writer whose peer reads nothing can be given up, and what was taken arrives.
#[test]
fn a_peer_that_never_reads_makes_the_writer_wait() {
    run(async {
        let (mut stream, mut far, taken) = full().await;
        for _ in 0..3 {
            assert!(polled_once(stream.write_all(b"x")).await.is_none());
            assert!(polled_once(stream.flush()).await.is_none());
            assert!(polled_once(stream.shutdown()).await.is_none());
            assert!(
                cancelled_while_pending(stream.write_all(b"x"))
                    .await
                    .is_none()
            );
            assert!(cancelled_while_pending(stream.flush()).await.is_none());
            assert!(cancelled_while_pending(stream.shutdown()).await.is_none());
        }
        // The other direction is as good as ever.
        far.write_all(b"still here").unwrap();
        let mut text = [0; 10];
        stream.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"still here");
        assert!(polled_once(stream.close()).await.is_none());
        let received = offload(move || {
            let mut received = Vec::new();
            far.read_to_end(&mut received).map(|_| received)
        });
        let received = received.await.unwrap().unwrap();
        assert!(received == numbered(0, taken), "{} bytes", received.len());
    });
}

/// A stream that is dropped with something to send does not wait for ever, unless it was told to.
#[test]
fn a_dropped_stream_gives_up_a_peer_that_takes_nothing_for_a_minute() {
    let own = Duration::from_secs(7);
    for timeout in [None, Some(own)] {
        run(async {
            let (stream, far, _) = full().await;
            let socket = stream.as_fd().try_clone_to_owned().unwrap();
            let socket = SockRef::from(&socket);
            socket.set_tcp_user_timeout(timeout).unwrap();
            drop(stream);
            let bound = socket.tcp_user_timeout().unwrap();
            assert_eq!(bound, timeout.or(Some(Duration::from_secs(60))));
            drop(far);
        });
    }
}

/// Of what nobody reads, this process holds no more than is documented.
#[test]
fn a_reader_that_never_reads_holds_little() {
    const MARK: usize = 256 * 1024;
    const KERNEL: usize = 64 * 1024;
    run(async {
        let (listener, address) = listener().await;
        SockRef::from(&listener)
            .set_recv_buffer_size(KERNEL)
            .unwrap();
        let far = StdStream::connect(address).unwrap();
        SockRef::from(&far).set_send_buffer_size(KERNEL).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(polled_once(stream.read(&mut [0])).await.is_none());
        far.set_nonblocking(true).unwrap();
        let (mut sent, mut refused) = (0, 0);
        while refused < 50 && sent < 64 * MARK {
            match (&far).write(&numbered(sent, 10_000)) {
                Ok(count) => (sent, refused) = (sent + count, 0),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    refused += 1;
                    ringloop::sleep(Duration::from_micros(100)).await.unwrap();
                }
            }
        }
        assert!(sent >= MARK / 2, "{sent} bytes were taken");
        // What can be read before the loop has had a turn is what this process holds.
        let mut received = Vec::new();
        let mut buf = vec![0; 64 * 1024];
        while let Some(count) = polled_once(stream.read(&mut buf)).await {
            received.extend_from_slice(&buf[..count.unwrap()]);
        }
        let held = received.len();
        // The mark, and what came with the batch that reached it: the kernel doubles what it is asked
        // for, and fills the socket again while it is emptied.
        let most = 2 * MARK + 2 * KERNEL;
        assert!(held <= most, "{held} bytes are held, {most} may be");
        drop(far);
        stream.read_to_end(&mut received).await.unwrap();
        assert!(
            received == numbered(0, sent),
            "{} of {sent}",
            received.len()
        );
    });
}

/// A byte at a time on many connections that nobody reads takes no buffer from those who work.
#[test]
fn peers_that_drip_hurt_nobody_else() {
    const DRIPPING: usize = 40;
    const DRIPS: usize = 300;
    const LEN: usize = 1024;
    let mut runtime = Runtime::builder()
        .receive_buffers(64, 1024)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let mut dripping = Vec::new();
        for _ in 0..DRIPPING {
            let far = StdStream::connect(address).unwrap();
            far.set_nodelay(true).unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(polled_once(stream.read(&mut [0])).await.is_none());
            dripping.push((stream, far));
        }
        let (mut busy, mut other) = pair();
        for at in 0..DRIPS {
            for (_, far) in &mut dripping {
                far.write_all(&numbered(at, 1)).unwrap();
            }
            other.write_all(b"ping").unwrap();
            let mut text = [0; 4];
            busy.read_exact(&mut text).await.unwrap();
            busy.write_all(&text).await.unwrap();
            busy.flush().await.unwrap();
            other.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"ping");
        }
        // A buffer of the pool is there still: without one, the stream would use one of its own,
        // which has room for all of this.
        other.write_all(&[0; 3 * LEN]).unwrap();
        let chunk = busy.read_chunk().await.unwrap();
        assert!(chunk.len() <= LEN, "{}", chunk.len());
        for (mut stream, far) in dripping {
            let mut received = vec![0; DRIPS];
            stream.read_exact(&mut received).await.unwrap();
            assert_eq!(received, numbered(0, DRIPS));
            drop(far);
            assert_eq!(stream.read(&mut received).await.unwrap(), 0);
        }
    });
}

/// What waits when the peer resets fails, says why, and fails again; others go on.
#[test]
fn a_reset_ends_whatever_waits() {
    type Waits = fn(TcpStream) -> JoinHandle<io::Result<()>>;
    let waits: [Waits; 5] = [
        |mut stream| spawn(async move { stream.write_all(&vec![0; 1 << 24]).await }),
        |mut stream| spawn(async move { stream.flush().await }),
        |mut stream| spawn(async move { stream.shutdown().await }),
        |stream| spawn(async move { stream.close().await }),
        |mut stream| spawn(async move { stream.read(&mut [0; 9]).await.map(drop) }),
    ];
    run(async {
        let (mut bystander, mut friend) = pair();
        for wait in waits {
            let (stream, far, _) = full().await;
            let task = wait(stream);
            turns().await;
            assert!(!task.is_finished());
            reset(far);
            let error = task.await.unwrap().unwrap_err();
            assert!(GONE.contains(&error.kind()), "{error}");
            friend.write_all(b"x").unwrap();
            bystander.read_exact(&mut [0]).await.unwrap();
        }
    });
}

#[test]
fn after_a_reset_every_call_says_so_or_the_end() {
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"before").unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 1);
        reset(far);
        turns().await;
        let mut text = Vec::new();
        let error = stream.read_to_end(&mut text).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(text, b"efore", "bytes come before the error");
        assert_eq!(
            stream.read(&mut [0]).await.unwrap(),
            0,
            "an error is told once"
        );
        let failed = async {
            stream.write_all(b"x").await?;
            stream.flush().await
        };
        assert!(GONE.contains(&failed.await.unwrap_err().kind()));
        assert!(stream.shutdown().await.is_err());
        assert!(stream.peer_addr().is_err());
        stream.local_addr().unwrap();
        assert!(stream.close().await.is_err());
    });
}

/// The kernel has both, the bytes and the reset, before anybody looks.
#[test]
fn a_reset_behind_bytes_that_nobody_had_read_is_told() {
    for does_write in [false, true] {
        let read = run(async {
            let (mut stream, mut far) = pair();
            far.write_all(b"before").unwrap();
            reset(far);
            let mut text = [0; 10];
            assert_eq!(stream.read(&mut text).await.unwrap(), 6);
            if does_write {
                stream.write_all(b"a reply to nobody").await.unwrap();
                assert!(stream.flush().await.is_err());
            }
            timeout(Duration::from_secs(5), stream.read(&mut text)).await
        });
        let read = read.expect("the reader is told");
        match read {
            // The write was told of the reset, and an error is told once.
            Ok(count) => assert!(does_write && count == 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

/// A peer that vanishes without a word: reads wait for ever, so a timeout has to be of use.
#[test]
fn waits_for_a_peer_that_vanished_end_with_their_scope() {
    if !alone("net_hostile::waits_for_a_peer_that_vanished_end_with_their_scope") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    runtime.block_on(async {
        let (mut stream, far) = pair();
        if !kernel::vanish(far) {
            return;
        }
        let instant = Duration::from_millis(1);
        assert!(timeout(instant, stream.read(&mut [0])).await.is_err());
        assert!(timeout(instant, stream.read_exact(&mut [0])).await.is_err());
        assert!(timeout(instant, stream.read_chunk()).await.is_err());
        let cancelled = cancelled_while_pending(stream.read(&mut [0])).await;
        assert!(cancelled.is_none());
        // What is sent finds nobody there.
        stream.write_all(b"hello?").await.unwrap();
        let error = stream.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
    settle(&mut runtime, fds);
}

/// Keepalive finds out that a peer has vanished. The kernel counts in seconds, so this takes one.
#[test]
fn keepalive_ends_a_read_from_a_peer_that_vanished() {
    if std::env::var_os("RINGLOOP_LONG").is_none() {
        return;
    }
    run(async {
        let (mut stream, far) = pair();
        let second = Duration::from_secs(1);
        let keepalive = TcpKeepalive::new().with_time(second).with_interval(second);
        SockRef::from(&stream)
            .set_tcp_keepalive(&keepalive)
            .unwrap();
        if kernel::vanish(far) {
            let mut buf = [0];
            let read = timeout(Duration::from_secs(30), stream.read(&mut buf));
            let error = read.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    });
}

/// Thousands come and go, most of them rudely: no descriptor, record or task is left.
#[test]
fn a_storm_of_connections_leaves_nothing() {
    if !alone("net_hostile::a_storm_of_connections_leaves_nothing") {
        return;
    }
    let is_long = std::env::var_os("RINGLOOP_LONG").is_some();
    let connections = if is_long { 20_000 } else { 2000 };
    let mut runtime = runtime();
    let fds = open_fds();
    let served = runtime.block_on(async {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let clients = offload(move || rush(port, connections));
        let server = spawn(serve_until_the_last(listener));
        clients.await.unwrap();
        let mut last = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        last.write_all(LAST).await.unwrap();
        last.close().await.unwrap();
        server.await.unwrap().unwrap()
    });
    // Of those that were reset at once, the kernel may have forgotten some: its queue was full.
    assert!(
        (connections / 4..=connections).contains(&served),
        "{served}"
    );
    settle(&mut runtime, fds);
    assert_eq!(runtime.stats().tasks.tasks_live, 0);
}

/// Echoes until a client says that it is the last, and returns how many there were before it.
async fn serve_until_the_last(listener: TcpListener) -> io::Result<usize> {
    let mut served = Vec::new();
    let is_last = Rc::new(Cell::new(false));
    while !is_last.get() {
        let Ok(accepted) = timeout(Duration::from_millis(1), listener.accept()).await else {
            continue;
        };
        let (mut stream, _) = accepted?;
        let is_last = Rc::clone(&is_last);
        served.push(spawn(async move {
            let mut buf = [0; 64];
            while let count @ 1.. = stream.read(&mut buf).await? {
                is_last.set(is_last.get() || &buf[..count] == LAST);
                stream.write_all(&buf[..count]).await?;
            }
            stream.close().await
        }));
    }
    let count = served.len() - 1;
    for connection in served {
        if let Err(error) = connection.await.unwrap() {
            assert!(GONE.contains(&error.kind()), "{error}");
        }
    }
    Ok(count)
}

/// Connects, and goes in one of four ways.
fn rush(port: u16, connections: usize) {
    let clients: Vec<_> = (0..4)
        .map(|client| {
            thread::spawn(move || {
                for at in (client..connections).step_by(4) {
                    // Of many addresses, so that ports which are used up are no matter.
                    let host = [127, 0, 0, u8::try_from(1 + at / 4 % 50).unwrap()];
                    let mut stream = StdStream::connect(SocketAddr::from((host, port))).unwrap();
                    match at / 4 % 4 {
                        0 => drop(stream),
                        1 => reset(stream),
                        2 => {
                            stream.write_all(b"nobody reads the reply").unwrap();
                            reset(stream);
                        }
                        _ => {
                            stream.write_all(b"hello").unwrap();
                            stream.shutdown(std::net::Shutdown::Write).unwrap();
                            let mut reply = String::new();
                            stream.read_to_string(&mut reply).unwrap();
                            assert_eq!(reply, "hello");
                        }
                    }
                }
            })
        })
        .collect();
    clients
        .into_iter()
        .for_each(|client| client.join().unwrap());
}

/// A runtime ends within its grace whatever its peers do.
#[test]
fn the_end_waits_for_hostile_peers_no_longer_than_its_grace() {
    let grace = Duration::from_millis(20);
    let mut runtime = Runtime::builder().grace(grace).build().unwrap();
    let peers = runtime.block_on(async {
        let mut peers = Vec::new();
        for _ in 0..5 {
            let (mut stream, far, _) = full().await;
            spawn(async move { stream.write_all(&vec![0; 1 << 24]).await });
            peers.push(far);
        }
        let (mut stream, far) = pair();
        spawn(async move { stream.read(&mut [0]).await });
        peers.push(far);
        turns().await;
        peers
    });
    let start = now();
    let report = runtime.shutdown();
    let took = now() - start;
    // On a busy machine the grace may be over before each has had a turn to end by itself.
    let ended = report.cancelled + report.aborted;
    assert_eq!((ended, report.panicked), (6, 0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(peers);
}

#[expect(clippy::disallowed_methods, reason = "the runtime has ended")]
fn now() -> Instant {
    Instant::now()
}

/// What one task may do while another one, or the peer, ends the connection.
mod ends {
    use super::*;

    #[test]
    fn half_close_lets_the_rest_of_the_reply_come() {
        const LEN: usize = 1_000_000;
        run(async {
            let (mut stream, mut far) = pair();
            stream.write_all(b"the question").await.unwrap();
            stream.shutdown().await.unwrap();
            let answers = offload(move || {
                let mut question = String::new();
                far.read_to_string(&mut question)?;
                assert_eq!(question, "the question");
                far.write_all(&numbered(0, LEN))
            });
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).await.unwrap();
            assert!(reply == numbered(0, LEN), "{} bytes", reply.len());
            answers.await.unwrap().unwrap();
            // Idempotent, and final.
            stream.shutdown().await.ok();
            let late = async {
                stream.write_all(b"one more").await?;
                stream.flush().await
            };
            assert_eq!(late.await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        });
    }

    #[test]
    fn shutdown_while_the_other_half_reads() {
        run(async {
            let (mut stream, mut far) = pair();
            let (mut reader, mut writer) = stream.split();
            let mut text = [0; 5];
            let reading = AsyncRead::read_exact(&mut reader, &mut text);
            let closing = async {
                turns().await;
                AsyncWrite::shutdown(&mut writer).await.unwrap();
                assert_eq!(far.read(&mut [0]).unwrap(), 0);
                far.write_all(b"reply").unwrap();
            };
            let (read, ()) = join(reading, closing).await;
            read.unwrap();
            assert_eq!(&text, b"reply");
        });
    }

    /// Who has the descriptor as well may shut the socket down at any time.
    #[test]
    fn shutdown_of_both_directions_behind_a_reader() {
        run(async {
            let (mut stream, _far) = pair();
            let socket = socket2::Socket::from(stream.as_fd().try_clone_to_owned().unwrap());
            let mut buf = [0; 8];
            {
                let mut read = pin!(stream.read(&mut buf));
                assert!(polled_once(&mut read).await.is_none());
                socket.shutdown(std::net::Shutdown::Both).unwrap();
                assert_eq!(read.await.unwrap(), 0);
            }
            assert_eq!(stream.read(&mut buf).await.unwrap(), 0);
            let write = async {
                stream.write_all(b"x").await?;
                stream.flush().await
            };
            assert_eq!(write.await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        });
    }

    #[test]
    fn both_close_at_once() {
        run(async {
            let (near, far) = pair();
            let far = TcpStream::from_std(far).unwrap();
            let (near, far) = join(near.close(), far.close()).await;
            near.unwrap();
            far.unwrap();
            let (mut near, far) = pair();
            let mut far = TcpStream::from_std(far).unwrap();
            let (first, second) = join(near.shutdown(), far.shutdown()).await;
            first.unwrap();
            second.unwrap();
            let mut byte = [0];
            assert_eq!(near.read(&mut byte).await.unwrap(), 0);
            assert_eq!(far.read(&mut byte).await.unwrap(), 0);
        });
    }

    /// The stream goes while its reader waits: with the task, or with the future's owner.
    #[test]
    fn close_while_a_read_waits() {
        if !alone("net_hostile::ends::close_while_a_read_waits") {
            return;
        }
        let mut runtime = runtime();
        let fds = open_fds();
        runtime.block_on(async {
            for is_polite in [true, false] {
                let (mut stream, mut far) = pair();
                let task = spawn(async move {
                    let read = stream.read(&mut [0]).await;
                    assert_cancelled(&read);
                    // Cancelled, the stream goes; aborted, it went.
                    drop(stream);
                });
                turns().await;
                if is_polite {
                    task.cancel("no more");
                    task.await.unwrap();
                } else {
                    task.abort();
                    assert!(task.await.unwrap_err().is_aborted());
                }
                let end = offload(move || far.read(&mut [0])).await.unwrap();
                assert_eq!(end.unwrap(), 0);
            }
        });
        settle(&mut runtime, fds);
    }
}
