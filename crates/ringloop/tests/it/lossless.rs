//! Nothing is lost, whichever way a wait is given up.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use ringloop::future::{Either, race};
use ringloop::task::yield_now;
use ringloop::time::move_on_after;
use ringloop::{offload, sleep, spawn, timeout};

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, in_cancelled_scope, listener, numbered,
    open_fds, pair, polled_once, run, runtime, settle,
};

/// How a wait is given up. Some of these never let it win, some do if its value is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GiveUp {
    /// Loses to a sleep of no length, which is looked at after it.
    Race,
    /// The same, looked at before it.
    RaceBehind,
    Drop,
    Timeout,
    MoveOn,
    ScopeBefore,
    ScopeMeanwhile,
}

pub(crate) const ALL: [GiveUp; 7] = [
    GiveUp::Race,
    GiveUp::RaceBehind,
    GiveUp::Drop,
    GiveUp::Timeout,
    GiveUp::MoveOn,
    GiveUp::ScopeBefore,
    GiveUp::ScopeMeanwhile,
];

impl GiveUp {
    /// A value that is there after one turn of the loop wins over these.
    pub(crate) fn may_always_win(self) -> bool {
        matches!(self, Self::Race | Self::ScopeMeanwhile)
    }

    /// What the wait has brought, if it was not given up.
    pub(crate) async fn on<T: Debug>(self, wait: impl Future<Output = io::Result<T>>) -> Option<T> {
        let wait = async {
            let result = wait.await;
            if result.is_err() {
                assert_cancelled(&result);
            }
            result
        };
        let result = match self {
            Self::Race => match race(wait, sleep(Duration::ZERO)).await {
                Either::Left(result) => Some(result),
                Either::Right(_) => None,
            },
            Self::RaceBehind => match race(sleep(Duration::ZERO), wait).await {
                Either::Left(_) => None,
                Either::Right(result) => Some(result),
            },
            Self::Drop => polled_once(wait).await,
            Self::Timeout => timeout(Duration::ZERO, wait).await.ok(),
            Self::MoveOn => move_on_after(Duration::ZERO, wait).await,
            Self::ScopeBefore => in_cancelled_scope(wait).await,
            Self::ScopeMeanwhile => cancelled_while_pending(wait).await,
        };
        result.map(|result| result.expect("a scope absorbs its own cancellation"))
    }
}

#[test]
fn no_connection_is_lost() {
    if !alone("lossless::no_connection_is_lost") {
        return;
    }
    let mut runtime = runtime();
    for give_up in ALL {
        let fds = open_fds();
        let given_up = runtime.block_on(accept_thousand(give_up));
        assert!(given_up > 0 || give_up.may_always_win(), "{give_up:?}");
        settle(&mut runtime, fds);
    }
}

/// Returns how many accepts were given up.
async fn accept_thousand(give_up: GiveUp) -> usize {
    const CLIENTS: usize = 1000;
    let (listener, address) = listener().await;
    let mut waiting = VecDeque::new();
    for round in 0..CLIENTS {
        let client = TcpStream::connect(address).unwrap();
        waiting.push_back(client.local_addr().unwrap());
        if let Some((_stream, peer)) = give_up.on(listener.accept()).await {
            assert_eq!(Some(peer), waiting.pop_front(), "{give_up:?}");
        }
        if round.is_multiple_of(3) {
            yield_now().await.unwrap();
        }
    }
    let given_up = waiting.len();
    for peer in waiting {
        let (_stream, next) = listener.accept().await.unwrap();
        assert_eq!(next, peer, "{give_up:?}");
    }
    assert!(
        polled_once(listener.accept()).await.is_none(),
        "{give_up:?}"
    );
    given_up
}

#[test]
fn a_granted_connection_that_is_not_taken_goes_to_the_next_who_waits() {
    run(async {
        let (listener, address) = listener().await;
        let listener = Rc::new(listener);
        let mut first = Box::pin(listener.accept());
        assert!(polled_once(&mut first).await.is_none());
        let next = Rc::clone(&listener);
        let second = spawn(async move { next.accept().await.map(|(_, peer)| peer) });
        yield_now().await.unwrap();
        let client = TcpStream::connect(address).unwrap();
        // When these bytes have arrived, the connection has been handed to `first`.
        let (mut other, mut far) = pair();
        far.write_all(b"x").unwrap();
        assert_eq!(other.read(&mut [0; 8]).await.unwrap(), 1);
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.await.unwrap().unwrap(), client.local_addr().unwrap());
    });
}

#[test]
fn no_byte_is_lost() {
    for give_up in ALL {
        let given_up = run(read_all(give_up));
        assert!(given_up > 0 || give_up.may_always_win(), "{give_up:?}");
    }
}

/// Returns how many reads were given up.
async fn read_all(give_up: GiveUp) -> usize {
    const TOTAL: usize = 500_000;
    let (mut stream, mut far) = pair();
    let writer = thread::spawn(move || {
        let mut sent = 0;
        for len in (1..5000).step_by(7).cycle() {
            let len = len.min(TOTAL - sent);
            far.write_all(&numbered(sent, len)).unwrap();
            sent += len;
            if len == 0 {
                break;
            }
        }
    });
    let (mut received, mut given_up) = (0, 0);
    for round in 1.. {
        let mut buf = vec![UNTOUCHED; 1 + round % 900];
        let count = match give_up.on(stream.read(&mut buf)).await {
            Some(count) => count,
            None => {
                given_up += 1;
                assert!(buf.iter().all(|byte| *byte == UNTOUCHED), "{give_up:?}");
                if round % 3 > 0 {
                    yield_now().await.unwrap();
                    continue;
                }
                stream.read(&mut buf).await.unwrap()
            }
        };
        assert_eq!(buf[..count], numbered(received, count), "{give_up:?}");
        received += count;
        if count == 0 {
            break;
        }
    }
    assert_eq!(received, TOTAL, "{give_up:?}");
    writer.join().unwrap();
    given_up
}

#[test]
fn a_cancelled_write_has_sent_nothing() {
    let (total, received) = run(async {
        let (mut stream, mut far) = pair();
        let mut sent = 0;
        // Nobody reads, and the queue fills up.
        while let Some(count) = cancelled_while_pending(stream.write(&numbered(sent, 9999))).await {
            sent += count.unwrap();
        }
        let reader = offload(move || {
            let mut received = Vec::new();
            far.read_to_end(&mut received).map(|_| received)
        });
        let total = sent + 1_000_000;
        while sent < total {
            let bytes = numbered(sent, 9999.min(total - sent));
            match cancelled_while_pending(stream.write(&bytes)).await {
                Some(count) => sent += count.unwrap(),
                None => sent += stream.write(&bytes).await.unwrap(),
            }
        }
        stream.close().await.unwrap();
        (total, reader.await.unwrap().unwrap())
    });
    let expected = numbered(0, total);
    assert!(received == expected, "{} bytes of {total}", received.len());
}

/// No byte of [`numbered`].
const UNTOUCHED: u8 = 0xff;
