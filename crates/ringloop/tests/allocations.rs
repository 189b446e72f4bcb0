//! What the hot paths cost: no allocation for each message, one for each task, at most one system
//! call for each turn. A binary of its own, because it counts for the whole process.

#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use ringloop::net::{TcpListener, TcpStream};
use ringloop::task::yield_now;
use ringloop::{Runtime, spawn, timeout};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// How much this thread has allocated and not freed.
    static HELD_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// What the system's allocator takes for a block: a word more, and all in steps of 16.
fn taken(layout: Layout) -> usize {
    (layout.size() + size_of::<usize>())
        .next_multiple_of(16)
        .max(32)
}

// SAFETY: everything is the system allocator's; the counts are plain thread-locals.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD_BYTES.set(HELD_BYTES.get().wrapping_add(taken(layout)));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD_BYTES.set(HELD_BYTES.get().wrapping_sub(taken(layout)));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a body has cost.
#[derive(Debug)]
struct Cost {
    allocations: usize,
    turns: u64,
    enters: u64,
}

/// Runs `body` twice and returns what the second run cost.
fn cost(runtime: &mut Runtime, mut body: impl AsyncFnMut()) -> Cost {
    runtime.block_on(body());
    let before = runtime.stats().proactor;
    let allocations = runtime.block_on(async {
        let before = COUNT.get();
        body().await;
        COUNT.get() - before
    });
    let after = runtime.stats().proactor;
    Cost {
        allocations,
        turns: after.turns - before.turns,
        enters: after.enters - before.enters,
    }
}

/// A connection to an echo server, which is a task of the same runtime.
async fn echo_client() -> io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let stream = TcpStream::connect(listener.local_addr()?).await?;
    let (mut far, _) = listener.accept().await?;
    spawn(async move {
        let mut buf = [0; 1024];
        while let count @ 1.. = far.read(&mut buf).await? {
            far.write_all(&buf[..count]).await?;
        }
        io::Result::Ok(())
    });
    Ok(stream)
}

const MESSAGES: usize = 10_000;

#[test]
fn a_round_trip_allocates_nothing() {
    let mut runtime = Runtime::new().unwrap();
    let mut client = runtime.block_on(echo_client()).unwrap();
    let cost = cost(&mut runtime, async || {
        for _ in 0..MESSAGES {
            let mut reply = [0; 64];
            client.write_all(&[7; 64]).await.unwrap();
            client.read_exact(&mut reply).await.unwrap();
            assert_eq!(reply, [7; 64]);
        }
    });
    assert_eq!(cost.allocations, 0, "{cost:?}");
    assert!(cost.turns > 0 && cost.enters <= cost.turns, "{cost:?}");
}

#[test]
fn many_connections_at_once_share_the_system_calls() {
    const CONNECTIONS: usize = 32;
    let mut runtime = Runtime::new().unwrap();
    let clients = (0..CONNECTIONS).map(|_| runtime.block_on(echo_client()).unwrap());
    let mut clients: Vec<_> = clients.collect();
    let cost = cost(&mut runtime, async || {
        for _ in 0..MESSAGES / CONNECTIONS {
            for client in &mut clients {
                client.write_all(&[7; 64]).await.unwrap();
            }
            for client in &mut clients {
                client.read_exact(&mut [0; 64]).await.unwrap();
            }
        }
    });
    assert_eq!(cost.allocations, 0, "{cost:?}");
    assert!(cost.enters <= cost.turns, "{cost:?}");
    // One call for each of the four ways that a message goes would be 40,000.
    assert!(cost.enters < MESSAGES as u64, "{cost:?}");
}

#[test]
fn a_bounded_wait_allocates_nothing() {
    let mut runtime = Runtime::new().unwrap();
    let mut client = runtime.block_on(echo_client()).unwrap();
    let cost = cost(&mut runtime, async || {
        for _ in 0..MESSAGES {
            client.write_all(&[7]).await.unwrap();
            let mut reply = [0];
            let read = timeout(Duration::from_secs(60), client.read(&mut reply));
            assert_eq!(read.await.unwrap().unwrap(), 1);
        }
    });
    assert_eq!(cost.allocations, 0, "{cost:?}");
    assert!(cost.enters <= cost.turns, "{cost:?}");
}

#[test]
fn a_sleep_allocates_nothing_and_is_one_call() {
    let mut runtime = Runtime::new().unwrap();
    let cost = cost(&mut runtime, async || {
        for _ in 0..100 {
            ringloop::sleep(Duration::from_micros(10)).await.unwrap();
        }
    });
    assert_eq!(cost.allocations, 0, "{cost:?}");
    assert!(cost.enters <= cost.turns, "{cost:?}");
}

#[test]
fn a_task_is_one_allocation() {
    let mut runtime = Runtime::new().unwrap();
    let cost = cost(&mut runtime, async || {
        for n in 0..1000 {
            assert_eq!(spawn(async move { n }).await.unwrap(), n);
        }
    });
    assert_eq!(cost.allocations, 1000, "{cost:?}");
}

/// Sends back what comes, and counts the messages.
async fn echo(mut stream: TcpStream, echoed: Rc<Cell<usize>>) -> io::Result<()> {
    let mut buf = vec![0; 64];
    loop {
        let count = stream.read(&mut buf).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buf[..count]).await?;
        echoed.set(echoed.get() + 1);
    }
}

#[test]
fn an_idle_connection_costs_less_than_a_kibibyte_with_its_task() {
    let is_long = std::env::var_os("RINGLOOP_LONG").is_some();
    let connections = if is_long { 9_000 } else { 500 };
    let mut runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut peers = Vec::with_capacity(connections + 1);
        let echoed = Rc::new(Cell::new(0));
        // What is there once, such as the shared buffers, is made for the first one.
        let mut before = HELD_BYTES.get();
        for number in 0..=connections {
            if number == 1 {
                before = HELD_BYTES.get();
            }
            peers.push(std::net::TcpStream::connect(address).unwrap());
            let (stream, _) = listener.accept().await.unwrap();
            drop(spawn(echo(stream, Rc::clone(&echoed))));
            peers[number].write_all(&[7; 64]).unwrap();
            while echoed.get() <= number {
                yield_now().await.unwrap();
            }
            yield_now().await.unwrap();
            peers[number].read_exact(&mut [0; 64]).unwrap();
        }
        let each = (HELD_BYTES.get() - before) / connections;
        // The promise is 1024; what is less is there for what a program does besides.
        assert!(each < IDLE_BYTES, "{each} bytes");
    });
}

/// What an idle connection, its task and a buffer of 64 bytes take together, and a little room.
const IDLE_BYTES: usize = 880;
