//! User instructions per echoed message, counted by callgrind.
//!
//! Wall time on a shared machine moves by tens of per cent; the number of instructions does not. A
//! contestant's server runs under callgrind for one number of messages and then for twice that
//! number. The difference is the cost of the messages alone: starting, accepting and ending cancel
//! out. Kernel instructions are not seen.

use std::io;
use std::process::{Command, Stdio};

use crate::benchmarks::Setting;
use crate::client::{Client, Until};
use crate::contestants::Contestant;
use crate::process;
use crate::samples::Samples;
use crate::server::Server;

/// How many connections the count is made with.
pub const CONNECTIONS: u32 = 64;

/// Tells whether valgrind can be started.
pub fn is_available() -> bool {
    let mut command = Command::new("valgrind");
    let status = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Returns how many user instructions `contestant`'s server needs per message.
///
/// # Errors
///
/// If the server or valgrind fails, or valgrind's output holds no count.
pub fn count(contestant: &dyn Contestant, setting: &Setting) -> io::Result<f64> {
    process::pin(setting.cores.client)?;
    let messages = u64::from(MESSAGES / setting.divisor);
    let once = total(contestant, setting, messages)?;
    let twice = total(contestant, setting, messages * 2)?;
    Ok((twice as f64 - once as f64) / messages as f64)
}

/// Returns the instructions of a whole server process that echoes `messages` messages.
fn total(contestant: &dyn Contestant, setting: &Setting, messages: u64) -> io::Result<u64> {
    let (name, cpu) = (contestant.name(), setting.cores.server);
    let server = Server::start(&setting.program, CALLGRIND, name, cpu, CONNECTIONS)?;
    let mut client = Client::connect(server.address(), CONNECTIONS)?;
    client.run(Until::Messages(messages), &mut Samples::default())?;
    drop(client);
    let errors = server.wait()?.errors;
    collected(&errors).ok_or_else(|| io::Error::other(format!("valgrind gave no count: {errors}")))
}

/// Finds the count in callgrind's output, a line like `==7== Collected : 1234`.
fn collected(output: &str) -> Option<u64> {
    let line = output.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':')
        .next()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

const CALLGRIND: &[&str] = &[
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
    "--error-exitcode=1",
];
const MESSAGES: u32 = 40_000;

#[cfg(test)]
mod tests;
