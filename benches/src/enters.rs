//! Calls of `io_uring_enter(2)` per echoed message, counted by strace.
//!
//! The server runs under strace for so many messages and then for twice that number, as in
//! [`icount`](crate::icount). strace sees everybody's calls, whoever makes them and how. It also slows
//! them down, so the client waits after each echo until the server is asleep again: otherwise the
//! next message would be there before the server asks for it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::benchmarks::{ECHO_BUFFER, Setting};
use crate::clock;
use crate::contestants::{Contestant, Service};
use crate::process;
use crate::server::Server;
use crate::tools;

/// Returns how often `contestant`'s server enters the kernel's ring per message, 1 connection.
///
/// # Errors
///
/// If the server or strace fails; [`io::ErrorKind::Unsupported`] if strace cannot be used.
pub fn count(contestant: &dyn Contestant, setting: &Setting) -> io::Result<f64> {
    if !tools::can_run("strace", &["-c", "true"]) {
        let message = "strace is not on the PATH, or not allowed to trace";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    process::pin(setting.cores.client)?;
    let count = MESSAGES / setting.divisor;
    let once = total(contestant, setting, count)?;
    let twice = total(contestant, setting, count * 2)?;
    Ok((twice as f64 - once as f64) / f64::from(count))
}

/// Returns the calls of a whole server process that echoes `count` messages.
fn total(contestant: &dyn Contestant, setting: &Setting, count: u32) -> io::Result<u64> {
    let cpu = setting.cores.server;
    let server = Server::start(
        &setting.program,
        STRACE,
        contestant,
        cpu,
        (Service::Echo(ECHO_BUFFER), 1),
    )?;
    let mut client = TcpStream::connect(server.address())?;
    client.set_nodelay(true)?;
    for _ in 0..count {
        clock::pause(FALL_ASLEEP);
        client.write_all(&MESSAGE)?;
        client.read_exact(&mut [0; MESSAGE.len()])?;
    }
    drop(client);
    let errors = server.wait()?.errors;
    calls(&errors).ok_or_else(|| io::Error::other(format!("strace gave no count: {errors}")))
}

/// Finds the count in strace's summary: share, seconds, microseconds per call, calls, errors, name.
fn calls(output: &str) -> Option<u64> {
    let line = output
        .lines()
        .find(|line| line.split_whitespace().next_back() == Some("io_uring_enter"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

const STRACE: &[&str] = &["strace", "-f", "-qq", "-c", "-e", "trace=io_uring_enter"];
const MESSAGES: u32 = 200;
const MESSAGE: [u8; 64] = [7; 64];
const FALL_ASLEEP: Duration = Duration::from_micros(300);

#[cfg(test)]
mod tests;
