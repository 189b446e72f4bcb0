//! Streams whose waits are given up at any point, with everything going wrong: a ledger says who
//! has which byte.
//!
//! Each stream has a writer and a reader, which poll, drop their futures and poll again by chance. A
//! byte that was accepted arrives, once and in order, unless the stream was reset; then a prefix
//! does. Nobody is polled without a reason for ever: if all wait and nobody was woken, the loop
//! parks for good, which a simulation in which nothing can happen says.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::{Faults, SimConfig, Simulation};
use ringloop_proactor::{Chunk, Config, Proactor, Receiver, Sender};

use super::seeds::{Choice, each_seed};
use crate::rig::Count;

/// One side of a stream as the loop sees it: who wakes it, and whether it waits for that.
#[derive(Default)]
struct Turn {
    wakes: Arc<Count>,
    seen: usize,
    is_waiting: bool,
}

impl Turn {
    fn is_due(&self) -> bool {
        !self.is_waiting || self.wakes.get() > self.seen
    }

    /// Polls, by a future that is dropped afterwards whatever it says.
    fn poll<T>(&mut self, future: impl Future<Output = T>) -> Poll<T> {
        self.seen = self.wakes.get();
        let waker = Waker::from(Arc::clone(&self.wakes));
        let polled = pin!(future).poll(&mut Context::from_waker(&waker));
        self.is_waiting = polled.is_pending();
        polled
    }
}

struct Writer {
    turn: Turn,
    /// Gone when everything was accepted, or nothing more can be.
    sender: Option<Sender>,
    stream: usize,
    accepted: usize,
    error: Option<io::Error>,
}

impl Writer {
    fn act(&mut self, choice: &mut Choice) {
        let Some(sender) = &mut self.sender else {
            return;
        };
        if self.accepted == TOTAL && choice.once_in(2) {
            // What it holds is still sent.
            self.sender = None;
            return;
        }
        if self.accepted == TOTAL || choice.once_in(4) {
            match self.turn.poll(sender.flush()) {
                Poll::Ready(Ok(())) => assert_eq!(sender.queued_bytes(), 0),
                Poll::Ready(Err(error)) => self.fail(error),
                Poll::Pending => assert!(sender.queued_bytes() > 0),
            }
            return;
        }
        let len = choice.below(2 * LONGEST).saturating_sub(LONGEST / 2);
        let len = len.min(TOTAL - self.accepted);
        let bytes: Vec<u8> = (self.accepted..self.accepted + len)
            .map(|at| numbered(self.stream, at))
            .collect();
        let write = std::future::poll_fn(|cx| sender.poll_write(cx, &bytes));
        match self.turn.poll(write) {
            Poll::Ready(Ok(count)) => {
                assert!(count <= len && (count > 0 || len == 0));
                self.accepted += count;
            }
            Poll::Ready(Err(error)) => self.fail(error),
            Poll::Pending => {}
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.sender = None;
        self.error = Some(error);
    }
}

struct Reader {
    turn: Turn,
    receiver: Option<Receiver>,
    stream: usize,
    received: usize,
    /// Lent bytes are kept for a while, so that the pool runs dry.
    kept: Vec<Chunk>,
    error: Option<io::Error>,
}

impl Reader {
    fn act(&mut self, choice: &mut Choice) {
        let Some(receiver) = &mut self.receiver else {
            return;
        };
        if choice.once_in(3) {
            self.kept.clear();
        }
        if choice.once_in(2) {
            // Without room there is nothing to wait for, and nothing to tell.
            let mut buf = vec![UNTOUCHED; choice.below(LONGEST)];
            match self.turn.poll(receiver.read(&mut buf)) {
                Poll::Ready(Ok(count)) if !buf.is_empty() => self.take(&buf[..count]),
                Poll::Ready(Ok(count)) => assert_eq!(count, 0),
                Poll::Ready(Err(error)) => self.fail(error),
                Poll::Pending => assert!(buf.iter().all(|byte| *byte == UNTOUCHED)),
            }
            return;
        }
        match self.turn.poll(receiver.read_chunk()) {
            Poll::Ready(Ok(chunk)) => {
                self.take(&chunk);
                self.kept.push(chunk);
            }
            Poll::Ready(Err(error)) => self.fail(error),
            Poll::Pending => {}
        }
    }

    /// Checks what has arrived; nothing is the end.
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(*byte, numbered(self.stream, self.received));
            self.received += 1;
        }
        if bytes.is_empty() {
            self.end();
        }
    }

    fn fail(&mut self, error: io::Error) {
        assert!(self.error.is_none(), "an error is told once: {error}");
        self.error = Some(error);
    }

    /// The end stays the end.
    fn end(&mut self) {
        let Some(mut receiver) = self.receiver.take() else {
            return;
        };
        let again = self.turn.poll(receiver.read(&mut [0]));
        assert!(matches!(again, Poll::Ready(Ok(0))), "{again:?}");
    }
}

/// Runs a few streams on one seed and checks the ledger.
fn check(seed: u64, faults: Faults) {
    let mut choice = Choice::new(seed);
    let config = Config::default()
        .ring_entries(1 << choice.below(4))
        .buffer_count(1 << choice.below(5))
        .buffer_len_bytes(64 << choice.below(3));
    let sim = SimConfig::default()
        .seed(seed)
        .completion_entries(2 + u32::try_from(choice.below(7)).unwrap())
        .socket_bytes(1 + choice.below(1500))
        .patience(Duration::ZERO)
        .faults(faults.clone());
    let mut proactor = Proactor::simulated(&config, &sim);
    let simulation = proactor.simulation().unwrap();
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for stream in 0..1 + choice.below(3) {
        let (writer, reader) = stream_of(&proactor, &simulation, stream);
        writers.push(writer);
        readers.push(reader);
    }
    go_on(
        &mut proactor,
        &simulation,
        &mut choice,
        &mut writers,
        &mut readers,
    );
    for (writer, reader) in writers.iter().zip(&readers) {
        let is_whole = reader.received == writer.accepted && writer.accepted == TOTAL;
        let is_broken = reader.error.is_some() || writer.error.is_some();
        assert!(
            is_whole || (faults.reset > 0 && is_broken),
            "{}",
            simulation.trace()
        );
        assert!(reader.received <= writer.accepted);
    }
    drop((writers, readers));
    crate::rig::settle(&mut proactor);
    assert_eq!(simulation.lent_buffers(), 0);
    assert_eq!(proactor.shut_down(), 0);
    let stats = proactor.stats();
    assert_eq!((stats.live, stats.stale_completions), (0, 0));
    drop(proactor);
    assert_eq!(simulation.open_descriptors(), 0);
}

fn stream_of(proactor: &Proactor, simulation: &Simulation, stream: usize) -> (Writer, Reader) {
    let (near, far) = simulation.socket_pair().unwrap();
    let writer = Writer {
        turn: Turn::default(),
        sender: Some(Sender::new(proactor.handle().adopt(near))),
        stream,
        accepted: 0,
        error: None,
    };
    let reader = Reader {
        turn: Turn::default(),
        receiver: Some(Receiver::new(proactor.handle().adopt(far))),
        stream,
        received: 0,
        kept: Vec::new(),
        error: None,
    };
    (writer, reader)
}

/// Lets chance decide who acts, until all streams have ended.
fn go_on(
    proactor: &mut Proactor,
    simulation: &Simulation,
    choice: &mut Choice,
    writers: &mut [Writer],
    readers: &mut [Reader],
) {
    let mut park = |timeout| {
        if let Err(error) = proactor.park(timeout) {
            panic!("{error}: somebody was not woken\n{}", simulation.trace());
        }
    };
    for _ in 0..1_000_000 {
        if readers.iter().all(|reader| reader.receiver.is_none()) {
            return;
        }
        let at = choice.below(readers.len());
        let is_restless = choice.once_in(10);
        match choice.below(5) {
            0 | 1 if writers[at].turn.is_due() || is_restless => writers[at].act(choice),
            2 | 3 if readers[at].turn.is_due() || is_restless => readers[at].act(choice),
            _ => park(Some(Duration::ZERO)),
        }
        let is_idle = |writer: &Writer| writer.sender.is_none() || !writer.turn.is_due();
        let is_stuck = |reader: &Reader| reader.receiver.is_none() || !reader.turn.is_due();
        let is_left = readers.iter().any(|reader| reader.receiver.is_some());
        if is_left && writers.iter().all(is_idle) && readers.iter().all(is_stuck) {
            park(None);
        }
    }
    panic!("no progress:\n{}", simulation.trace());
}

fn numbered(stream: usize, at: usize) -> u8 {
    u8::try_from((stream * 31 + at) % 251).unwrap()
}

#[test]
fn every_byte_that_was_accepted_arrives_however_waits_are_given_up() {
    each_seed(100, |seed| check(seed, super::echo::lossless()));
}

#[test]
fn of_a_stream_that_is_reset_a_prefix_arrives() {
    each_seed(100, |seed| {
        let mut faults = Faults::wild();
        faults.reset = 20;
        check(seed, faults);
    });
}

const TOTAL: usize = 4000;
const LONGEST: usize = 300;
/// No byte of [`numbered`].
const UNTOUCHED: u8 = 0xff;
