//! What sockets are measured with.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::{
    Benchmark, Counted, ECHO, ECHO_BUFFER, Metric, Setting, echo, exchange, per_item, small_echo,
    time,
};
use crate::client::{Client, Load, Transport, Until};
use crate::clock;
use crate::contestants::{Contestant, Level, Service};
use crate::process;
use crate::samples::Samples;
use crate::server::Server;

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "net-echo-1",
        about: "64-byte messages over loopback TCP and back, 1 connection",
        level: Level::Net,
        metrics: ECHO,
        counted: None,
        turn: |contestant, setting| echo(contestant, setting, 1, setting.net_echo),
    },
    Benchmark {
        name: "net-echo-64",
        about: "64-byte messages over loopback TCP and back, 64 connections",
        level: Level::Net,
        metrics: ECHO,
        counted: Some(Counted::Service(|| small_echo(64))),
        turn: |contestant, setting| echo(contestant, setting, 64, setting.net_echo),
    },
    Benchmark {
        name: "net-echo-512",
        about: "64-byte messages over loopback TCP and back, 512 connections",
        level: Level::Net,
        metrics: ECHO,
        counted: None,
        turn: |contestant, setting| echo(contestant, setting, 512, setting.net_echo),
    },
    Benchmark {
        name: "net-echo-16k",
        about: "16 KiB messages over loopback TCP and back, 64 connections",
        level: Level::Net,
        metrics: ECHO,
        counted: Some(Counted::Service(long_echo)),
        turn: |contestant, setting| exchange(contestant, setting, long_echo(), setting.net_echo),
    },
    Benchmark {
        name: "net-bulk-in",
        about: "receive 1 GiB on one connection, which a thread on the other core sends",
        level: Level::Net,
        metrics: BULK,
        counted: None,
        turn: bulk_in,
    },
    Benchmark {
        name: "net-bulk-out",
        about: "send 1 GiB on one connection, which a thread on the other core receives",
        level: Level::Net,
        metrics: BULK,
        counted: None,
        turn: bulk_out,
    },
    Benchmark {
        name: "net-connect",
        about: "connect to the same loop, accept, close, see the end, close; 16 in flight",
        level: Level::Net,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.connects(count, 16).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 8_000 / setting.net_divisor;
            Ok(per_item(contestant.connects(count, 16)?, count))
        },
    },
    Benchmark {
        name: "net-udp",
        about: "64-byte datagrams over loopback UDP and back, 32 in flight",
        level: Level::Net,
        metrics: ECHO,
        counted: Some(Counted::Service(datagrams)),
        turn: |contestant, setting| exchange(contestant, setting, datagrams(), setting.net_echo),
    },
    Benchmark {
        name: "net-idle",
        about: "memory per connection that has echoed a message and waits, beside 10,000 of them",
        level: Level::Net,
        metrics: &[time("each", "bytes")],
        counted: None,
        turn: idle,
    },
];

/// Messages of 16 KiB.
fn long_echo() -> (Service, Load) {
    let mut load = Load::small(64);
    load.message_len = LONG_MESSAGE;
    (Service::Echo(LONG_MESSAGE), load)
}

/// Datagrams.
fn datagrams() -> (Service, Load) {
    let mut load = Load::small(32);
    load.transport = Transport::Udp;
    (Service::Datagrams, load)
}

fn bulk_in(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    bulk(contestant, setting, Service::Sink, |stream, bytes| {
        let buffer = vec![1; BULK_BUFFER];
        for _ in 0..bytes / BULK_BUFFER as u64 {
            stream.write_all(&buffer)?;
        }
        stream.shutdown(Shutdown::Write)?;
        stream.read(&mut [0]).map(|_| bytes)
    })
}

fn bulk_out(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let service = Service::Source(setting.bulk);
    bulk(contestant, setting, service, |stream, _| {
        let mut buffer = vec![0; BULK_BUFFER];
        let mut all = 0;
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(all),
                count => all += count as u64,
            }
        }
    })
}

/// Has bytes go one way, on one connection; `transfer` is the other side, and returns how many
/// went.
fn bulk(
    contestant: &dyn Contestant,
    setting: &Setting,
    service: Service,
    transfer: fn(&mut TcpStream, u64) -> io::Result<u64>,
) -> io::Result<Vec<f64>> {
    let cpu = setting.cores.server;
    let server = Server::start(&setting.program, &[], contestant, cpu, (service, 1))?;
    process::pin(setting.cores.client)?;
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_nodelay(true)?;
    let start = clock::now();
    let bytes = transfer(&mut stream, setting.bulk)?;
    let elapsed = clock::now() - start;
    drop(stream);
    let cpu_seconds = server.wait()?.cpu_seconds;
    if bytes != setting.bulk {
        return Err(io::Error::other(format!("{bytes} bytes came")));
    }
    let gibibytes = bytes as f64 / f64::from(1 << 30);
    Ok(vec![
        gibibytes / elapsed.as_secs_f64(),
        cpu_seconds * 1e3 / gibibytes,
    ])
}

/// Counts the server's memory before and after its connections, each of which has echoed a message.
fn idle(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let count = IDLE_CONNECTIONS / setting.net_divisor;
    process::allow_files(u64::from(count) + 100)?;
    let cpu = setting.cores.server;
    let work = (Service::Echo(IDLE_BUFFER), count + 1);
    let server = Server::start(&setting.program, &[], contestant, cpu, work)?;
    process::pin(setting.cores.client)?;
    // What all connections share, such as buffers, is used up and down before.
    let mut first = Client::connect(server.address(), 1)?;
    first.run(Until::Messages(SHARED_MESSAGES), &mut Samples::default())?;
    let before = server.memory()?;
    let mut client = Client::connect(server.address(), count)?;
    client.run(Until::Messages(count.into()), &mut Samples::default())?;
    clock::pause(SETTLE);
    let after = server.memory()?;
    drop((first, client));
    server.wait()?;
    Ok(vec![(after as f64 - before as f64) / f64::from(count)])
}

const BULK: &[Metric] = &[
    Metric {
        name: "throughput",
        unit: "GiB/s",
        more_is_better: true,
    },
    time("server CPU", "ms/GiB"),
];
const LONG_MESSAGE: u32 = 16 * 1024;
/// What the thread on the other core sends or receives at once.
const BULK_BUFFER: usize = 256 * 1024;
const IDLE_CONNECTIONS: u32 = 10_000;
/// As long as a message, so that what is seen is what the runtime keeps.
const IDLE_BUFFER: u32 = 64;
/// More than there are shared buffers.
const SHARED_MESSAGES: u64 = 2000;
/// How long the server may take to fall asleep.
const SETTLE: Duration = Duration::from_millis(20);
const _: () = assert!(ECHO_BUFFER >= IDLE_BUFFER);
