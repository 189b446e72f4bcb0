//! User instructions per operation, counted by callgrind.
//!
//! Wall time on a shared machine moves by tens of per cent; the number of instructions does not. The
//! work is done in a process of its own under callgrind, once so many times and once twice as often.
//! The difference is the cost of the work alone: starting, accepting and ending cancel out. Kernel
//! instructions are not seen.

use std::io;
use std::process::{Command, Stdio};

use crate::benchmarks::{Benchmark, Counted, Setting};
use crate::client::{Client, Load, Until};
use crate::contestants::{Contestant, Service};
use crate::process;
use crate::samples::Samples;
use crate::server::{self, Server};
use crate::tools;

/// Tells whether valgrind can be started.
pub fn is_available() -> bool {
    tools::can_run("valgrind", &["--version"])
}

/// Returns how many user instructions `contestant` needs for one unit of the benchmark's work.
///
/// # Errors
///
/// If the work or valgrind fails, or valgrind's output holds no count;
/// [`io::ErrorKind::Unsupported`] for work that is not counted.
pub fn count(
    benchmark: &Benchmark,
    contestant: &dyn Contestant,
    setting: &Setting,
) -> io::Result<f64> {
    process::pin(setting.cores.client)?;
    let (once, twice, count) = match benchmark.counted {
        Some(Counted::Service(service)) => {
            let count = MESSAGES / setting.divisor;
            let run = |count| serve(contestant, setting, service(), count);
            (run(count)?, run(count * 2)?, count)
        }
        Some(Counted::Work(_)) => {
            let run = |count| work(benchmark, contestant, setting, count);
            (run(OPERATIONS)?, run(OPERATIONS * 2)?, OPERATIONS)
        }
        None => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    };
    Ok((twice as f64 - once as f64) / f64::from(count))
}

/// Returns the instructions of a whole server process that echoes `count` messages.
fn serve(
    contestant: &dyn Contestant,
    setting: &Setting,
    (service, load): (Service, Load),
    count: u32,
) -> io::Result<u64> {
    let cpu = setting.cores.server;
    let work = (service, load.connections);
    let server = Server::start(&setting.program, CALLGRIND, contestant, cpu, work)?;
    let mut client = Client::open(server.address(), load)?;
    client.run(Until::Messages(count.into()), &mut Samples::default())?;
    drop(client);
    collected(&server.wait()?.errors)
}

/// Returns the instructions of a whole process that does the work `count` times.
fn work(
    benchmark: &Benchmark,
    contestant: &dyn Contestant,
    setting: &Setting,
    count: u32,
) -> io::Result<u64> {
    let [valgrind, options @ ..] = CALLGRIND;
    let mut command = Command::new(valgrind);
    command.args(options).arg(&setting.program);
    command.args([server::WORK, benchmark.name, contestant.name()]);
    let output = command
        .arg(count.to_string())
        .stdin(Stdio::null())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => collected(&errors),
        Some(code) if code == i32::from(server::UNSUPPORTED) => {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        }
        Some(_) | None => Err(io::Error::other(format!("the work failed: {errors}"))),
    }
}

/// Finds the count in callgrind's output, a line like `==7== Collected : 1234`.
fn collected(output: &str) -> io::Result<u64> {
    let found = || {
        let line = output.lines().find(|line| line.contains("Collected :"))?;
        let number = line.rsplit(':').next()?.split_whitespace().next()?;
        number.parse().ok()
    };
    found().ok_or_else(|| io::Error::other(format!("valgrind gave no count: {output}")))
}

const CALLGRIND: &[&str; 4] = &[
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
    "--error-exitcode=1",
];
/// Messages and operations of the shorter run. Operations are all alike, so that few are enough.
const MESSAGES: u32 = 40_000;
const OPERATIONS: u32 = 6_400;

#[cfg(test)]
mod tests;
