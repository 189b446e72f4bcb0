//! The floor of this level: a bare ring, whose loop knows what each completion means.

use std::fs::File;
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread;

use super::page::PAGE_LEN;
use super::{
    Announce, BUFFER_LEN, Bell, Contestant, DirectReads, Drill, READ_LEN, Samples, Service,
    Throughput, WARM_UP, accept, open_direct,
};
use crate::meter::{Cost, Meter};
use crate::process;
use crate::ring::{Completions, Ring, Span, Submissions};

/// Does everything with entries of a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct BareRing;

impl Contestant for BareRing {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        matches!(service, Service::Echo(_))
    }

    fn serve(&self, _: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        let mut ring = ring()?;
        let (submissions, completions) = ring.split();
        let streams = accept(connections, announce)?;
        let buffer = |_: &TcpStream| Span::new(len(BUFFER_LEN));
        let buffers = streams.iter().map(buffer).collect();
        Echo {
            submissions,
            streams,
            buffers,
        }
        .run(completions)
    }

    fn nops(&self, batch: u32, count: u32) -> io::Result<Cost> {
        let mut ring = ring()?;
        let (mut submissions, mut completions) = ring.split();
        let mut run = |count| {
            for _ in 0..count / batch {
                for number in 0..batch {
                    submissions.nop(u64::from(number))?;
                }
                complete(&mut submissions, &mut completions, batch)?;
            }
            Ok::<(), io::Error>(())
        };
        run(WARM_UP)?;
        let meter = Meter::start();
        run(count)?;
        Ok(meter.read())
    }

    fn reads(&self, file: &Path, count: u32) -> io::Result<Cost> {
        let file = File::open(file)?;
        let space = Span::new(len(READ_LEN));
        let mut ring = ring()?;
        let (mut submissions, mut completions) = ring.split();
        let mut run = |count| {
            for _ in 0..count {
                submissions.read(file.as_raw_fd(), space, 0, 0)?;
                complete(&mut submissions, &mut completions, 1)?;
            }
            Ok::<(), io::Error>(())
        };
        run(WARM_UP)?;
        let meter = Meter::start();
        run(count)?;
        Ok(meter.read())
    }

    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let file = open_direct(plan)?;
        let memory = Span::new(plan.depth * len(PAGE_LEN));
        let mut ring = ring()?;
        let (mut submissions, mut completions) = ring.split();
        let drill = Drill::new(plan);
        let start = |submissions: &mut Submissions<'_>, reader: u32| {
            let Some(offset) = drill.next_offset() else {
                return Ok(0);
            };
            let page = memory.part(reader * len(PAGE_LEN), len(PAGE_LEN));
            submissions.read(file.as_raw_fd(), page, offset, u64::from(reader))?;
            Ok::<u32, io::Error>(1)
        };
        let mut in_flight = 0;
        for reader in 0..plan.depth {
            in_flight += start(&mut submissions, reader)?;
        }
        while in_flight > 0 {
            submissions.enter(1, None)?;
            drill.look();
            completions.sync();
            for cqe in completions.by_ref() {
                drill.note(counted(cqe.result())?)?;
                let reader = u32::try_from(cqe.user_data()).map_err(io::Error::other)?;
                in_flight += start(&mut submissions, reader)?;
                in_flight -= 1;
            }
            // Tells the kernel that they are read: an unread one would end the next wait at once.
            completions.sync();
        }
        Ok(drill.result())
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let bell = Bell::default();
        let event = process::event_file()?;
        let wake = || (&event).write_all(&1_u64.to_ne_bytes());
        let space = Span::new(8);
        let mut ring = ring()?;
        let (mut submissions, mut completions) = ring.split();
        thread::scope(|scope| {
            let ringer = scope.spawn(|| bell.ring_often(ringer_cpu, count, wake));
            let mut samples = Samples::default();
            for _ in 0..count {
                samples.push(bell.heard_by(|| {
                    submissions.read(event.as_raw_fd(), space, 0, 0)?;
                    complete(&mut submissions, &mut completions, 1)
                })?);
            }
            ringer
                .join()
                .map_err(|_| io::Error::other("the ringer panicked"))??;
            Ok(samples)
        })
    }
}

/// Submits what was pushed, and takes `count` completions.
#[inline]
fn complete(
    submissions: &mut Submissions<'_>,
    completions: &mut Completions<'_>,
    count: u32,
) -> io::Result<()> {
    let mut left = count;
    while left > 0 {
        submissions.enter(1, None)?;
        completions.sync();
        for cqe in completions.by_ref() {
            counted(cqe.result())?;
            left -= 1;
        }
        // Tells the kernel that they are read: an unread one would end the next wait at once.
        completions.sync();
    }
    Ok(())
}

/// The server: one buffer per connection, which a receive fills and a send empties.
struct Echo<'r> {
    submissions: Submissions<'r>,
    streams: Vec<TcpStream>,
    buffers: Vec<Span>,
}

impl Echo<'_> {
    fn run(mut self, mut completions: Completions<'_>) -> io::Result<()> {
        for index in 0..self.streams.len() {
            self.recv(index)?;
        }
        let mut open = self.streams.len();
        while open > 0 {
            self.submissions.enter(1, None)?;
            completions.sync();
            for cqe in completions.by_ref() {
                let index = usize::try_from(cqe.user_data() >> 1).map_err(io::Error::other)?;
                let count = counted(cqe.result())?;
                if cqe.user_data() & 1 == SEND {
                    self.recv(index)?;
                } else if count > 0 {
                    self.send(index, count)?;
                } else {
                    open -= 1;
                }
            }
            // Tells the kernel that they are read: an unread one would end the next wait at once.
            completions.sync();
        }
        Ok(())
    }

    #[inline]
    fn recv(&mut self, index: usize) -> io::Result<()> {
        let fd = self.streams[index].as_raw_fd();
        self.submissions
            .recv_now(fd, self.buffers[index], key(index, RECV))
    }

    #[inline]
    fn send(&mut self, index: usize, count: usize) -> io::Result<()> {
        let fd = self.streams[index].as_raw_fd();
        let bytes = self.buffers[index].part(0, len(count));
        self.submissions.send(fd, bytes, key(index, SEND))
    }
}

#[inline]
fn key(index: usize, direction: u64) -> u64 {
    (index as u64) << 1 | direction
}

#[inline]
fn counted(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
}

/// A length that is known to be small.
#[inline]
fn len(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn ring() -> io::Result<Ring> {
    Ring::new(RING_ENTRIES, RING_ENTRIES * 4)
}

const RECV: u64 = 0;
const SEND: u64 = 1;
const RING_ENTRIES: u32 = 256;
