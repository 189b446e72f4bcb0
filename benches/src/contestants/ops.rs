//! Who is compared below the scheduler: operations with owned buffers, one future each.
//!
//! The floor is a bare ring whose loop handles each completion by itself. The others are futures;
//! all of them are driven by the same two executors, so that only what is below them differs. fio
//! takes part in what it is made for.

mod a10;
mod compio;
mod drill;
mod executor;
mod fio;
mod page;
mod proactor;
mod random;
mod ring;

use std::io;
use std::net::{TcpListener, TcpStream};

use super::{Announce, Bell, Contestant, DirectReads, LOOPBACK, Service, Throughput};
use crate::samples::Samples;

use drill::Drill;
use executor::{Tasks, all_of, block_on};
use page::Page;

/// Returns the contestants of this level, the floor first and ours last.
pub(super) fn contestants() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(ring::BareRing),
        Box::new(fio::Fio),
        Box::new(a10::A10),
        Box::new(compio::Compio),
        Box::new(proactor::Ringloop),
    ]
}

/// Listens, and accepts `count` connections.
fn accept(count: u32, announce: &Announce<'_>) -> io::Result<Vec<TcpStream>> {
    let listener = TcpListener::bind(LOOPBACK)?;
    announce(listener.local_addr()?)?;
    let mut streams = Vec::new();
    for _ in 0..count {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    Ok(streams)
}

/// Opens a file for reads past the page cache.
fn open_direct(plan: &DirectReads<'_>) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(plan.file)
}

/// Has `listen` woken `count` times by a thread on `ringer_cpu`.
fn be_woken(
    ringer_cpu: usize,
    count: u32,
    listen: impl FnOnce(&Bell) -> io::Result<Samples>,
) -> io::Result<Samples> {
    let bell = Bell::default();
    std::thread::scope(|scope| {
        let ringer = scope.spawn(|| bell.ring_often(ringer_cpu, count, no_listener));
        let samples = listen(&bell);
        ringer
            .join()
            .map_err(|_| io::Error::other("the ringer panicked"))??;
        samples
    })
}

/// Hears the bell `count` times.
async fn hear(bell: &Bell, count: u32) -> Samples {
    let mut samples = Samples::default();
    for _ in 0..count {
        samples.push(bell.heard().await);
    }
    samples
}

fn no_listener() -> io::Result<()> {
    Err(io::Error::other("rung before a waker was left"))
}

/// Checks that a send took everything: it does as long as the socket has room.
fn whole(count: usize, expected: usize) -> io::Result<()> {
    if count == expected {
        Ok(())
    } else {
        Err(io::Error::other("a send took a part only"))
    }
}

fn told(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// How long a buffer of an echo is.
const BUFFER_LEN: usize = 4096;
/// How many bytes a read from the page cache takes.
const READ_LEN: usize = 64;
/// Operations before the measured ones: memory that is kept has been allocated then.
const WARM_UP: u32 = 1024;
