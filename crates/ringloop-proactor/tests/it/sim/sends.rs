//! Send queues on a ring that splits every send, delays it, and ends it early.

use std::future::{Future, poll_fn};
use std::io::IoSlice;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::{Faults, SimConfig};
use ringloop_proactor::{Config, Proactor, Receiver, Sender};

fn numbered(start: usize, len: usize) -> Vec<u8> {
    (start..start + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// The next of a row of numbers that look random.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap()
}

/// Writes in all ways, gives some waits up, and ends or is dropped. Returns how much was accepted.
async fn write(mut sender: Sender, mut state: u64, is_dropped: bool) -> usize {
    if next(&mut state).is_multiple_of(2) {
        sender.set_zero_copy_from(Some(20_000));
    }
    sender.set_shutdown_on_drop(true);
    let mut len = 0;
    for _ in 0..40 {
        let size = [1, 90, 3000, 17_000, 25_000][next(&mut state) % 5];
        let kind = next(&mut state) % 4;
        let is_given_up = next(&mut state).is_multiple_of(3);
        let bytes = numbered(len, size);
        let mut place = Some(bytes.clone());
        let (head, tail) = bytes.split_at(size / 2);
        let count = poll_fn(|cx| {
            let polled = match kind {
                0 => sender.poll_write(cx, &bytes),
                1 => sender.poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(tail)]),
                _ => sender.poll_write_owned(cx, &mut place),
            };
            match polled {
                Poll::Pending if is_given_up => Poll::Ready(Ok(0)),
                Poll::Pending | Poll::Ready(_) => polled,
            }
        });
        len += count.await.unwrap();
    }
    if !is_dropped {
        sender.shutdown().await.unwrap();
    }
    len
}

#[test]
fn whatever_the_ring_does_to_sends_bytes_stay_in_order() {
    for seed in 1..=60 {
        let mut faults = Faults::wild();
        faults.reset = 0;
        let sim = SimConfig::default()
            .seed(seed)
            .faults(faults)
            .socket_bytes(5000)
            .untraced();
        let mut proactor = Proactor::simulated(&Config::default(), &sim);
        let simulation = proactor.simulation().unwrap();
        let (near, far) = simulation.socket_pair().unwrap();
        let handle = proactor.handle();
        // The stream ends when its queue says so, not when the socket is closed.
        let near = handle.adopt(near);
        let sender = Sender::new(near.clone());
        let mut receiver = Receiver::new(handle.adopt(far));
        let mut received = Vec::new();
        let mut accepted = None;
        let mut writing = pin!(write(sender, seed, seed % 2 == 0));
        proactor
            .block_on(async {
                loop {
                    let chunk = poll_fn(|cx| {
                        if accepted.is_none()
                            && let Poll::Ready(len) = writing.as_mut().poll(cx)
                        {
                            accepted = Some(len);
                        }
                        receiver.poll_chunk(cx)
                    });
                    match &*chunk.await.unwrap() {
                        [] => break,
                        bytes => received.extend_from_slice(bytes),
                    }
                }
                // The peer may see the end before the writer does.
                if accepted.is_none() {
                    accepted = Some(writing.await);
                }
            })
            .unwrap();
        assert_eq!(accepted, Some(received.len()), "{seed}");
        assert!(received == numbered(0, received.len()), "{seed}");
        drop((receiver, near));
        for _ in 0..100 {
            proactor.park(Some(Duration::from_millis(1))).unwrap();
        }
        assert_eq!(proactor.stats().live, 0, "{seed}");
    }
}
