//! An echo of numbered bytes through acceptor, receivers and senders, with everything going wrong.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::{Faults, SimConfig, Simulation};
use ringloop_proactor::{Acceptor, Config, Fd, Handle, Proactor, Receiver, Sender};

/// A waker that remembers that it was woken; it is from the start.
struct Flag(AtomicBool);

impl Default for Flag {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What one seed came to.
pub(super) struct Outcome {
    pub(super) simulation: Simulation,
    pub(super) echoed: usize,
}

/// Runs the echo on one seed and checks every byte.
pub(super) fn run(seed: u64, faults: Faults) -> Outcome {
    let config = Config::default()
        .ring_entries(4)
        .buffer_count(8)
        .buffer_len_bytes(256);
    let sim = SimConfig::default()
        .seed(seed)
        .faults(faults)
        .completion_entries(6)
        .socket_bytes(700)
        .patience(Duration::ZERO);
    let mut proactor = Proactor::simulated(&config, &sim);
    let simulation = proactor.simulation().unwrap();
    let handle = proactor.handle();
    let address: SocketAddr = "127.0.0.1:7".parse().unwrap();
    let listener = handle.adopt(simulation.listen(address).unwrap());
    let mut echoed = 0;
    {
        let mut tasks: Vec<Pin<Box<dyn Future<Output = usize>>>> = vec![Box::pin(serve(listener))];
        for client in 0..CLIENTS {
            tasks.push(Box::pin(ask(handle.clone(), address, client)));
        }
        let flags: Vec<Arc<Flag>> = tasks.iter().map(|_| Arc::default()).collect();
        let mut results: Vec<Option<usize>> = tasks.iter().map(|_| None).collect();
        let mut turns = 0;
        while results.contains(&None) {
            for ((task, result), flag) in tasks.iter_mut().zip(&mut results).zip(&flags) {
                let waker = Waker::from(Arc::clone(flag));
                if flag.take()
                    && result.is_none()
                    && let Poll::Ready(count) = task.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    *result = Some(count);
                }
            }
            turns += 1;
            assert!(turns < 100_000, "no progress:\n{}", simulation.trace());
            // A lost wake shows as a park that nothing can end.
            let is_idle = !flags.iter().any(|flag| flag.is_raised());
            let timeout = (!is_idle).then_some(Duration::ZERO);
            if results.contains(&None) {
                proactor
                    .park(timeout)
                    .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", simulation.trace()));
            }
        }
        echoed += results.into_iter().flatten().sum::<usize>();
    }
    crate::rig::settle(&mut proactor);
    assert_eq!(simulation.lent_buffers(), 0, "seed {seed}");
    assert_eq!(proactor.shut_down(), 0, "seed {seed}");
    assert_eq!(proactor.stats().stale_completions, 0, "seed {seed}");
    assert_eq!(proactor.stats().live, 0, "seed {seed}");
    drop(proactor);
    assert_eq!(simulation.open_descriptors(), 0, "seed {seed}");
    Outcome { simulation, echoed }
}

/// Echoes `CLIENTS` connections, all at once, and returns how many bytes.
async fn serve(listener: Fd) -> usize {
    let acceptor = Acceptor::new(listener);
    let handle = acceptor.fd().handle().clone();
    let mut connections: Vec<Pin<Box<dyn Future<Output = usize>>>> = Vec::new();
    let mut total = 0;
    let mut accepted = 0;
    let mut next = acceptor.accept();
    std::future::poll_fn(|cx| {
        while accepted < CLIENTS
            && let Poll::Ready(result) = Pin::new(&mut next).poll(cx)
        {
            match result {
                Ok(connection) => {
                    accepted += 1;
                    connections.push(Box::pin(echo(handle.adopt(connection))));
                }
                // The connection is there for the next call.
                Err(error) => assert!(is_out_of_descriptors(&error), "{error}"),
            }
            next = acceptor.accept();
        }
        connections.retain_mut(|connection| match connection.as_mut().poll(cx) {
            Poll::Ready(count) => {
                total += count;
                false
            }
            Poll::Pending => true,
        });
        if accepted == CLIENTS && connections.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    total
}

async fn echo(connection: Fd) -> usize {
    let mut receiver = Receiver::new(connection.clone());
    let mut sender = Sender::new(connection);
    let mut total = 0;
    loop {
        let chunk = receiver.read_chunk().await.unwrap();
        if chunk.is_empty() {
            sender.flush().await.unwrap();
            return total;
        }
        total += chunk.len();
        sender.write_all(&chunk).await.unwrap();
    }
}

/// Sends numbered bytes and checks what comes back, while it sends.
async fn ask(handle: Handle, address: SocketAddr, client: usize) -> usize {
    let socket = connected(&handle, address).await;
    let mut receiver = Receiver::new(socket.clone());
    let mut sender = Sender::new(socket);
    let bytes: Vec<u8> = (0..BYTES).map(|at| numbered(client, at)).collect();
    let mut sending = pin!(async {
        for part in bytes.chunks(97) {
            sender.write_all(part).await.unwrap();
        }
        sender.flush().await.unwrap();
    });
    let mut is_sent = false;
    let mut buf = [0; 150];
    let mut received = 0;
    while received < BYTES {
        let count = std::future::poll_fn(|cx| {
            if !is_sent {
                is_sent = sending.as_mut().poll(cx).is_ready();
            }
            pin!(receiver.read(&mut buf)).poll(cx)
        })
        .await
        .unwrap();
        assert_ne!(count, 0, "client {client}: the echo ends after {received}");
        for byte in &buf[..count] {
            assert_eq!(*byte, numbered(client, received), "client {client}");
            received += 1;
        }
    }
    received
}

/// A connected socket, whatever is in the way.
async fn connected(handle: &Handle, address: SocketAddr) -> Fd {
    loop {
        let socket = match handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await {
            Ok(socket) => handle.adopt(socket),
            Err(error) if is_out_of_descriptors(&error) => continue,
            Err(error) => panic!("{error}"),
        };
        handle.connect(&socket, address).await.unwrap();
        return socket;
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Some(libc::EMFILE), Some(libc::ENFILE)].contains(&error.raw_os_error())
}

fn numbered(client: usize, at: usize) -> u8 {
    u8::try_from((client * 31 + at) % 251).unwrap()
}

/// Everything goes wrong that loses no bytes by itself.
pub(super) fn lossless() -> Faults {
    let mut faults = Faults::wild();
    faults.reset = 0;
    faults.abort = 0;
    faults
}

#[test]
fn nothing_is_lost_when_nothing_goes_wrong() {
    let outcome = run(0, Faults::none());
    assert_eq!(outcome.echoed, TOTAL);
}

#[test]
fn nothing_is_lost_whatever_goes_wrong() {
    for seed in 0..SEEDS {
        let outcome = run(seed, lossless());
        assert_eq!(outcome.echoed, TOTAL, "seed {seed}");
    }
}

/// Each byte is counted once where it is echoed and once where it comes back.
pub(super) const TOTAL: usize = 2 * CLIENTS * BYTES;
const CLIENTS: usize = 3;
const BYTES: usize = 5000;
const SEEDS: u64 = 200;
