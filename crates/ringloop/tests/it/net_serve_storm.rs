//! Connections that come and go in a storm, and what is left of them: nothing.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::thread;

use ringloop::net::serve;
use ringloop::{Runtime, offload};

use crate::kernel;
use crate::rig::{alone, listener, open_fds, reset, settle};

const THREADS: usize = 4;

#[test]
fn a_storm_of_connections_leaves_nothing_behind() {
    if alone("net_serve_storm::a_storm_of_connections_leaves_nothing_behind") {
        let is_long = std::env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1");
        let rounds = if is_long { 5 } else { 2 };
        let connections = if is_long { 4000 } else { 300 };
        check_storm(usize::MAX, connections, rounds);
    }
}

#[test]
fn a_storm_on_a_server_with_few_places_leaves_nothing_behind() {
    if alone("net_serve_storm::a_storm_on_a_server_with_few_places_leaves_nothing_behind") {
        check_storm(3, 100, 2);
    }
}

/// Serves so many connections in each round, of which some are served well, some are reset, some
/// never say anything, and some fail; and looks for what is left.
fn check_storm(limit: usize, connections: usize, rounds: usize) {
    kernel::open_many_descriptors();
    let mut runtime = Runtime::new().unwrap();
    let fds = open_fds();
    let memory = Rc::new(Cell::new(0));
    let failures = Rc::new(Cell::new(0));
    let (after_first, failed) = (Rc::clone(&memory), Rc::clone(&failures));
    let stats = runtime.block_on(async move {
        let (listener, address) = listener().await;
        let handler = async |mut stream: ringloop::net::TcpStream, _peer| {
            let mut buf = [0; 64];
            match stream.read(&mut buf).await? {
                0 => Ok(()),
                count => stream.write_all(&buf[..count]).await,
            }
        };
        let server = serve(listener, handler)
            .limit(limit)
            .on_error(move |_| failed.update(|count| count + 1))
            .spawn();
        for round in 0..rounds {
            offload(move || storm(address, connections)).await.unwrap();
            if round == 0 {
                after_first.set(resident());
            }
        }
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        server.stats()
    });
    assert_eq!((stats.live, stats.panicked, stats.cancelled), (0, 0, 0));
    assert_eq!(stats.failed, failures.get());
    // Who was reset before it was accepted may not have been seen at all.
    let most = (connections * rounds) as u64;
    assert!((most / 2..=most).contains(&stats.accepted), "{stats:?}");
    settle(&mut runtime, fds);
    assert_eq!(runtime.stats().tasks.tasks_live, 0);
    assert_eq!(runtime.stats().proactor.stale_completions, 0);
    let grown = resident().saturating_sub(memory.get());
    assert!(
        grown < 4 << 20,
        "{grown} bytes more than after the first round"
    );
}

/// The visitors, on plain threads.
fn storm(address: SocketAddr, connections: usize) {
    let threads: Vec<_> = (0..THREADS)
        .map(|_| thread::spawn(move || visit(address, connections / THREADS)))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn visit(address: SocketAddr, connections: usize) {
    for at in 0..connections {
        let mut stream = TcpStream::connect(address).unwrap();
        match at % 4 {
            0 => drop(stream),
            1 => reset(stream),
            2 => {
                // It has the reply before it, perhaps.
                stream.write_all(b"hello").unwrap();
                reset(stream);
            }
            _ => check_reply(&mut stream).unwrap(),
        }
    }
}

fn check_reply(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"hello")?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    assert_eq!(reply, b"hello");
    Ok(())
}

/// The bytes of memory that this process has.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = status.split(' ').nth(1).unwrap();
    pages.parse::<usize>().unwrap() * 4096
}
