//! A task whose reads, writes and accepts are over at once gives way to others.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop::io::{AsyncRead, AsyncWrite};
use ringloop::net::{TcpListener, TcpStream};
use ringloop::task::{self, POLL_BUDGET};

/// Always has bytes, and takes any; gives and takes one at a time.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        buf[0] = 1;
        Poll::Ready(Ok(1))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len().min(1)))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs `body`, which is to give way, and returns how many turns another task has had meanwhile.
async fn turns_of_others(body: impl AsyncFnOnce()) -> u32 {
    let turns = Rc::new(Cell::new(0));
    let count = Rc::clone(&turns);
    let other = task::spawn(async move {
        while task::yield_now().await.is_ok() {
            count.set(count.get() + 1);
        }
    });
    task::yield_now().await.unwrap();
    let before = turns.get();
    body().await;
    other.abort();
    turns.get() - before
}

#[ringloop::test]
async fn reads_and_writes_give_way() {
    const TURNS: u32 = 4;
    let rounds = TURNS * POLL_BUDGET + 1;
    let len = usize::try_from(rounds).unwrap();
    let one_by_one = turns_of_others(async || {
        for _ in 0..rounds {
            Endless.read(&mut [0; 8]).await.unwrap();
        }
    });
    assert_eq!(one_by_one.await, TURNS, "read");
    let one_by_one = turns_of_others(async || {
        for _ in 0..rounds {
            Endless.write(&[0; 8]).await.unwrap();
        }
    });
    assert_eq!(one_by_one.await, TURNS, "write");
    let one_by_one = turns_of_others(async || {
        for _ in 0..rounds {
            Endless.flush().await.unwrap();
        }
    });
    assert_eq!(one_by_one.await, TURNS, "flush");
    // One future that goes round and round.
    let mut bytes = vec![0; len];
    let exact = turns_of_others(async || Endless.read_exact(&mut bytes).await.unwrap());
    assert_eq!(exact.await, TURNS, "read_exact");
    let all = turns_of_others(async || Endless.write_all(&bytes).await.unwrap());
    assert_eq!(all.await, TURNS, "write_all");
    let to_end = turns_of_others(async || {
        let mut bytes = Vec::new();
        let mut reading = Box::pin(async { Endless.read_to_end(&mut bytes).await });
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            assert!(reading.as_mut().poll(cx).is_pending());
            if polls > TURNS {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    });
    assert_eq!(to_end.await, TURNS, "read_to_end");
}

#[ringloop::test]
async fn small_writes_to_a_stream_give_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    let rounds = 2 * POLL_BUDGET + 1;
    let turns = turns_of_others(async || {
        for _ in 0..rounds {
            near.write_all(b"x").await.unwrap();
        }
    });
    assert_eq!(turns.await, 2);
    let mut bytes = vec![0; usize::try_from(rounds).unwrap()];
    far.read_exact(&mut bytes).await.unwrap();
    assert!(bytes.iter().all(|byte| *byte == b'x'));
}
