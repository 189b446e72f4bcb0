//! Many operations at once through queues that are much too small (F10, F11, F18 to F20, F28, F32).
//!
//! In `tests/it/ring.rs`: submissions of ten times the queue in a turn, completions of four times
//! the queue, 10,000 polls that are dropped in a queue of one and of two.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Op, Outcome, Proactor, ops};

use crate::rig::{end, poll_once, proactor, settle, skipped, small, sound, turn};

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

fn tiny(entries: u32) -> Proactor {
    let config = small().ring_entries(entries).completion_entries(entries);
    Proactor::new(&config).unwrap()
}

/// One of the operations of a storm.
enum Wave {
    Poll(Op<ops::PollAdd>),
    Recv(Op<ops::Recv<Vec<u8>>>),
    Nop(Op<ops::Nop>),
}

impl Wave {
    fn poll(&mut self) -> bool {
        match self {
            Self::Poll(op) => poll_once(op).is_ready(),
            Self::Recv(op) => poll_once(op).is_ready(),
            Self::Nop(op) => poll_once(op).is_ready(),
        }
    }

    fn request_cancel(&mut self) {
        match self {
            Self::Poll(op) => op.request_cancel(),
            Self::Recv(op) => op.request_cancel(),
            Self::Nop(op) => op.request_cancel(),
        }
    }
}

#[test]
fn ten_thousand_operations_and_cancels_pass_a_tiny_queue() {
    sound(|| {
        for entries in [1, 2, 4] {
            let mut proactor = tiny(entries);
            let handle = proactor.handle();
            let (near, mut far) = UnixStream::pair().unwrap();
            let near = handle.adopt(near);
            let mut numbers = Numbers(u64::from(entries));
            let mut waves: Vec<Wave> = Vec::new();
            for _ in 0..10_000 {
                let mut wave = match numbers.below(4) {
                    0 => Wave::Poll(handle.poll(&near, 1)),
                    1 => Wave::Nop(handle.nop()),
                    _ => Wave::Recv(handle.recv(&near, vec![0; 1 + numbers.below(40)])),
                };
                assert!(!wave.poll());
                waves.push(wave);
                let victim = numbers.below(waves.len());
                match numbers.below(8) {
                    0 => waves[victim].request_cancel(),
                    1 | 2 => drop(waves.swap_remove(victim)),
                    3 => far.write_all(b"x").unwrap(),
                    4 => turn(&mut proactor),
                    5 => {
                        // Asked at the same time as it completes.
                        far.write_all(b"y").unwrap();
                        waves[victim].request_cancel();
                    }
                    _ => {}
                }
                if waves.len() > 500 {
                    waves.retain_mut(|wave| !wave.poll());
                    waves.truncate(250);
                }
            }
            for wave in &mut waves {
                wave.request_cancel();
            }
            settle(&mut proactor);
            assert!(waves.iter_mut().all(Wave::poll), "one is lost");
            drop((waves, near));
            end(proactor);
        }
    });
}

/// F11: the request to cancel waits behind others, while its target ends and another takes its
/// slot.
#[test]
fn a_late_cancel_hits_nobody() {
    sound(|| {
        let mut proactor = tiny(1);
        let handle = proactor.handle();
        for round in 0..200 {
            let (near, mut far) = UnixStream::pair().unwrap();
            let near = handle.adopt(near);
            let mut first = handle.recv(&near, vec![0; 1]);
            assert!(poll_once(&mut first).is_pending());
            turn(&mut proactor);
            // It completes before the request gets through the queue of one.
            let mut nops: Vec<_> = (0..round % 5).map(|_| handle.nop()).collect();
            for nop in &mut nops {
                assert!(poll_once(nop).is_pending());
            }
            far.write_all(b"a").unwrap();
            drop(first);
            // Many that could be hit, one of them in the same slot.
            let mut others: Vec<_> = (0..4).map(|_| handle.recv(&near, vec![0; 1])).collect();
            for other in &mut others {
                assert!(poll_once(other).is_pending());
                turn(&mut proactor);
            }
            turn(&mut proactor);
            far.write_all(b"bcdef").unwrap();
            settle(&mut proactor);
            for other in &mut others {
                let Poll::Ready(result) = poll_once(other) else {
                    panic!("it has completed")
                };
                assert_eq!(result.unwrap().0, 1, "it was cancelled for another");
            }
            drop((others, nops));
        }
        drop(handle);
        end(proactor);
    });
}

/// F18: whichever way each race ends, no byte is missing.
#[test]
fn cancels_race_completions_and_no_byte_is_lost() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, mut far) = UnixStream::pair().unwrap();
        let rest = near.try_clone().unwrap();
        let near = handle.adopt(near);
        let (mut completed, mut cancelled, mut sent) = (0, 0, 0);
        let mut received = Vec::new();
        for round in 0..4000 {
            let mut recv = handle.recv(&near, vec![0; 16]);
            assert!(poll_once(&mut recv).is_pending());
            turn(&mut proactor);
            if round % 4 < 2 {
                far.write_all(&[sent]).unwrap();
                sent = sent.wrapping_add(1);
            }
            let mut ask = recv.cancel();
            if round % 4 == 3 {
                far.write_all(&[sent]).unwrap();
                sent = sent.wrapping_add(1);
            }
            match proactor.block_on(&mut ask).unwrap() {
                Outcome::Completed(result) => {
                    completed += 1;
                    received.extend(result.unwrap().1);
                }
                Outcome::Cancelled(buffer) => {
                    cancelled += 1;
                    assert_eq!(buffer.capacity(), 16);
                }
            }
        }
        drop(near);
        settle(&mut proactor);
        drop(far);
        (&rest).read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), 3000);
        let expected = (0..3000_u32).map(|at| at.to_le_bytes()[0]);
        assert!(received.into_iter().eq(expected), "a byte is missing");
        assert!(completed > 0 && cancelled > 0, "{completed}, {cancelled}");
        end(proactor);
    });
}

/// Time that this thread has spent on a processor, in nanoseconds.
fn spent() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// F20: ten times as many cost ten times as much, not a hundred times.
#[test]
fn drops_and_cancels_cost_the_same_however_many_there_are() {
    let storm = |count: usize| {
        // The kernel finds requests in a table whose size goes with the ring's.
        let config = Config::default().ring_entries(4096);
        let mut proactor = Proactor::new(&config).unwrap();
        let handle = proactor.handle();
        let (near, _far) = UnixStream::pair().unwrap();
        let fd = handle.adopt(near);
        let mut ops: Vec<_> = (0..count).map(|_| handle.poll(&fd, 1)).collect();
        for op in &mut ops {
            assert!(poll_once(op).is_pending());
        }
        turn(&mut proactor);
        assert_eq!(proactor.stats().in_flight, count);
        let before = spent();
        for op in &mut ops[count / 2..] {
            op.request_cancel();
        }
        drop(ops);
        drop(fd);
        end(proactor);
        spent() - before
    };
    sound(|| {
        storm(500);
        let (few, many) = (storm(2000), storm(20_000));
        // The clock of the scheduler may stand still for a few milliseconds.
        let few = few.max(4_000_000);
        assert!(many < few * 40, "{few} ns for 2,000, {many} ns for 20,000");
    });
}

/// F28.
#[test]
fn ten_thousand_idle_operations_end_quickly_with_their_proactor() {
    sound(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut proactor = proactor();
        let handle = proactor.handle();
        let listener = handle.adopt(listener);
        let (near, _far) = UnixStream::pair().unwrap();
        let near = handle.adopt(near);
        let mut accepts: Vec<_> = (0..5000).map(|_| handle.accept(&listener)).collect();
        let mut recvs: Vec<_> = (0..5000).map(|_| handle.recv(&near, vec![0; 8])).collect();
        for (accept, recv) in accepts.iter_mut().zip(&mut recvs) {
            assert!(poll_once(accept).is_pending());
            assert!(poll_once(recv).is_pending());
        }
        turn(&mut proactor);
        assert_eq!(proactor.stats().in_flight, 10_000);
        let before = proactor.now();
        assert_eq!(proactor.shut_down(), 0);
        let took = proactor.now() - before;
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        assert!(accepts.iter_mut().all(|op| poll_once(op).is_ready()));
        assert!(recvs.iter_mut().all(|op| poll_once(op).is_ready()));
    });
}

/// F29: after a write was cancelled, the next ones still work.
#[test]
fn a_cancelled_write_does_not_stop_the_next() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let writer = handle.adopt(writer);
        let mut total = 0;
        for _ in 0..20 {
            // Until the pipe is full, and one more that waits.
            let outcome = loop {
                let mut write = handle.write(&writer, vec![1; 32 * 1024], u64::MAX);
                assert!(poll_once(&mut write).is_pending());
                turn(&mut proactor);
                let outcome = proactor.block_on(write.cancel()).unwrap();
                match outcome {
                    Outcome::Completed(result) => total += result.unwrap().0,
                    Outcome::Cancelled(buffer) => break buffer,
                }
            };
            assert_eq!(outcome.len(), 32 * 1024);
            let mut bytes = vec![0; total];
            reader.read_exact(&mut bytes).unwrap();
            total = 0;
            let write = handle.write(&writer, vec![2; 10], u64::MAX);
            assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 10);
            reader.read_exact(&mut bytes[..10]).unwrap();
            assert_eq!(bytes[..10], [2; 10], "a cancelled write left bytes");
        }
        drop(writer);
        end(proactor);
    });
}

/// F10, F18: while a timeout goes off, the kernel does not find what it is asked to end.
#[test]
fn a_stream_that_a_cancel_has_missed_ends_all_the_same() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let mut missed = 0;
        for round in 0..50 {
            let ticks = handle.timeout_multishot(Duration::from_micros(500));
            let Ok(mut ticks) = ticks else {
                return skipped("this kernel has no repeated timeouts");
            };
            assert!(poll_once(&mut pin!(ticks.next())).is_pending());
            turn(&mut proactor);
            // It has gone off by then, and the proactor has not heard of it.
            let before = proactor.now();
            while proactor.now() - before < Duration::from_millis(1) {
                std::hint::spin_loop();
            }
            let asked = proactor.stats().cancels_asked;
            if round % 2 == 0 {
                drop(ticks);
            } else {
                ticks.request_cancel();
                while let Some(tick) = proactor.block_on(ticks.next()).unwrap() {
                    tick.unwrap();
                }
            }
            settle(&mut proactor);
            missed += proactor.stats().cancels_asked - asked - 1;
        }
        assert!(missed > 0, "none was asked again");
        drop(handle);
        end(proactor);
    });
}
