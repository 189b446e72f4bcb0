//! Many connections, and what is left of them: nothing.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use ringloop::net::TcpListener;
use ringloop::runtime::Builder;
use ringloop::task::JoinHandle;
use ringloop::{Runtime, offload, spawn};

use crate::kernel;
use crate::rig::{alone, listener, numbered, open_fds, reset, settle};

const THREADS: usize = 8;
const ROUNDS: usize = 20;

#[test]
fn echo_with_many_connections_leaves_nothing_behind() {
    if alone("load::echo_with_many_connections_leaves_nothing_behind") {
        check_load(Runtime::builder(), 512);
    }
}

#[test]
fn the_smallest_ring_and_no_buffers_to_speak_of_serve_as_well() {
    if alone("load::the_smallest_ring_and_no_buffers_to_speak_of_serve_as_well") {
        check_load(
            Runtime::builder().ring_entries(1).receive_buffers(1, 64),
            64,
        );
    }
}

/// With `RINGLOOP_LONG=1`: more descriptors, and more time, than every machine has to spare.
#[test]
fn ten_thousand_busy_connections_or_nearly_are_all_served() {
    if !is_long() {
        return;
    }
    if alone("load::ten_thousand_busy_connections_or_nearly_are_all_served") {
        // Both ends are in one process, and 20,000 descriptors are a usual limit.
        check_load(Runtime::builder(), 9600);
    }
}

/// Serves so many connections at once, all of which end abruptly, and looks for what is left.
fn check_load(builder: Builder, connections: usize) {
    kernel::open_many_descriptors();
    let reports = Rc::new(Cell::new(0));
    let reported = Rc::clone(&reports);
    let hook = move |_: &_| reported.update(|count| count + 1);
    let mut runtime = builder.on_unhandled(hook).build().unwrap();
    let fds = open_fds();
    let replies = runtime.block_on(serve_round(connections));
    // Who has time instead of rounds has one round at least.
    let rounds = if is_long() { 1 } else { ROUNDS };
    assert!(replies >= connections * rounds, "{replies}");
    settle(&mut runtime, fds);
    let stats = runtime.stats();
    assert_eq!(stats.tasks.tasks_live, 0);
    assert_eq!((stats.tasks.unhandled, reports.get()), (0, 0));
    assert_eq!(stats.proactor.stale_completions, 0);
    let report = runtime.shutdown();
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (0, 0, 0)
    );
}

/// Serves so many clients until all have gone, and returns how many replies they got.
async fn serve_round(connections: usize) -> usize {
    let (listener, address) = listener().await;
    let served = Rc::new(RefCell::new(Vec::new()));
    let server = spawn(serve(listener, Rc::clone(&served)));
    let replies = offload(move || visit(address, connections)).await.unwrap();
    server.abort();
    assert!(server.await.unwrap_err().is_aborted());
    let served = served.take();
    assert_eq!(served.len(), connections);
    for connection in served {
        let end = connection.await.unwrap();
        if let Err(error) = end {
            let gone = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
            assert!(gone.contains(&error.kind()), "{error}");
        }
    }
    replies
}

type Served = Rc<RefCell<Vec<JoinHandle<io::Result<()>>>>>;

async fn serve(listener: TcpListener, served: Served) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let connection = spawn(async move {
            let mut buf = vec![0; 4096];
            loop {
                match stream.read(&mut buf).await? {
                    0 => return Ok(()),
                    count => stream.write_all(&buf[..count]).await?,
                }
            }
        });
        served.borrow_mut().push(connection);
    }
}

/// The clients, on plain threads with blocking sockets.
fn visit(address: SocketAddr, connections: usize) -> usize {
    let threads = THREADS.min(connections);
    let visitors: Vec<_> = (0..threads)
        .map(|_| thread::spawn(move || visit_with(address, connections / threads)))
        .collect();
    visitors
        .into_iter()
        .map(|visitor| visitor.join().unwrap())
        .sum()
}

fn visit_with(address: SocketAddr, connections: usize) -> usize {
    let connect = |_| TcpStream::connect(address).unwrap();
    let mut streams: Vec<_> = (0..connections).map(connect).collect();
    let mut replies = 0;
    let pace = Pace::new();
    for round in (0..).take_while(|round| pace.goes_on(*round)) {
        for (at, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&message(round, at)).unwrap();
        }
        for (at, stream) in streams.iter_mut().enumerate() {
            let sent = message(round, at);
            let mut reply = vec![0; sent.len()];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, sent);
            replies += 1;
        }
    }
    for (at, mut stream) in streams.into_iter().enumerate() {
        // A reply that nobody reads is under way when the connection ends.
        stream.write_all(&numbered(at, 100_000)).unwrap();
        if at.is_multiple_of(2) {
            reset(stream);
        }
    }
    replies
}

/// A number of rounds, or 20 seconds if the environment says `RINGLOOP_LONG=1`.
struct Pace {
    end: Option<Instant>,
}

impl Pace {
    fn new() -> Self {
        Self {
            end: is_long().then(|| now() + Duration::from_secs(20)),
        }
    }

    fn goes_on(&self, round: usize) -> bool {
        self.end.map_or(round < ROUNDS, |end| now() < end)
    }
}

fn is_long() -> bool {
    std::env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1")
}

#[expect(clippy::disallowed_methods, reason = "the clients have no runtime")]
fn now() -> Instant {
    Instant::now()
}

fn message(round: usize, at: usize) -> Vec<u8> {
    numbered(round + at, 1 + (round * 37 + at * 101) % 9000)
}
