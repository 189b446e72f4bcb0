//! Cancels receives at the moment when their data comes: `cargo run --example cancel_race`, or
//! `... cancel_race -- 100000` for more rounds.
//!
//! Either side may win, and the answer says which. A receive that was cancelled has taken nothing, so
//! its byte is there for the next one. At the end, every byte has arrived exactly once.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::future::Future;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use ringloop_proactor::{Config, Driver, Fd, Outcome, Proactor};

fn main() -> io::Result<()> {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|rounds| rounds.parse().ok());
    let rounds: u32 = rounds.unwrap_or(2000);
    let (near, mut far) = UnixStream::pair()?;
    let round = Arc::new(AtomicU32::new(0));
    let started = Arc::clone(&round);
    // Sends byte after byte, each when the receive for it is in flight.
    let writer = thread::spawn(move || -> io::Result<()> {
        for number in 1..=rounds {
            while started.load(Ordering::Acquire) < number {
                thread::yield_now();
            }
            far.write_all(&number.to_le_bytes()[..1])?;
        }
        Ok(())
    });

    let mut proactor = Proactor::new(&Config::default())?;
    let near = proactor.handle().adopt(near);
    let mut tally = Tally::default();
    for number in 1..=rounds {
        race(&mut proactor, &near, &mut tally, || {
            round.store(number, Ordering::Release);
        })?;
    }
    let Tally {
        completed,
        cancelled,
        ..
    } = tally;
    // What no receive has taken. The writer closes the far end when it is through, so this ends.
    while let (1.., buffer) = proactor.block_on(proactor.handle().recv(&near, vec![0; 64]))?? {
        tally.take(&buffer);
    }
    writer.join().expect("the writer does not panic")?;
    println!("{rounds} races: {completed} completed, {cancelled} cancelled");
    assert_eq!(tally.received, rounds, "a byte is lost, or came twice");
    println!("{rounds} bytes sent, none lost");
    Ok(())
}

#[derive(Default)]
struct Tally {
    completed: u32,
    cancelled: u32,
    received: u32,
}

impl Tally {
    /// Counts bytes, which come in the order in which they were sent.
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.received += 1;
            assert_eq!(
                *byte,
                self.received.to_le_bytes()[0],
                "a byte is out of order"
            );
        }
    }
}

/// One receive, in flight when the data is let go and the kernel is asked to end it.
fn race(
    proactor: &mut Proactor,
    near: &Fd,
    tally: &mut Tally,
    let_go: impl FnOnce(),
) -> io::Result<()> {
    let mut recv = proactor.handle().recv(near, vec![0; 64]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut recv).poll(&mut cx).is_pending());
    proactor.park(Some(Duration::ZERO))?;
    let_go();
    match proactor.block_on(recv.cancel())? {
        Outcome::Completed(result) => {
            tally.completed += 1;
            tally.take(&result?.1);
        }
        // It did not happen; only the buffer comes back.
        Outcome::Cancelled(_buffer) => tally.cancelled += 1,
    }
    Ok(())
}
