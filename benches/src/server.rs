//! A contestant's work as a process of its own: an echo server, or operations to be counted.
//!
//! A child has its own descriptor table and nothing else to do, as a server in production has, and
//! its processor time can be read when it has ended. The program starts itself again with the
//! hidden command `serve`, or `work`.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::benchmarks::{Benchmark, Counted, Setting};
use crate::contestants::{Contestant, LOOPBACK, Service};
use crate::process;

/// The hidden command under which the program serves: `serve CONTESTANT CPU SERVICE CONNECTIONS`.
pub const COMMAND: &str = "serve";

/// The hidden command under which it does operations: `work BENCHMARK CONTESTANT COUNT`.
pub const WORK: &str = "work";

/// The exit code for work that the contestant does not do.
pub const UNSUPPORTED: u8 = 77;

/// A server process that listens.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    address: SocketAddr,
}

/// What a server process left behind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Obituary {
    /// Processor time of the whole process, user and kernel, in seconds.
    pub cpu_seconds: f64,
    /// What it wrote to its error output, if that was captured.
    pub errors: String,
}

impl Server {
    /// Starts `program` as the `contestant`'s server on processor `cpu`, for a service and for so many
    /// connections.
    ///
    /// `wrapper` is a command line in front of the program, such as valgrind's; with one, the error
    /// output is kept for the [`Obituary`].
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or ends before it listens; [`io::ErrorKind::Unsupported`]
    /// if the contestant has no server.
    pub fn start(
        program: &Path,
        wrapper: &[&str],
        contestant: &dyn Contestant,
        cpu: usize,
        (service, connections): (Service, u32),
    ) -> io::Result<Self> {
        if !contestant.can_serve(service, connections) {
            return Err(contestant.lacks(service.about()));
        }
        let contestant = contestant.name();
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program).stderr(Stdio::piped());
                command
            }
        };
        command.args([
            COMMAND,
            contestant,
            &cpu.to_string(),
            &service.to_string(),
            &connections.to_string(),
        ]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(|_| {
            io::Error::other(format!("the {contestant} server ended before it listened"))
        });
        // From here on the child ends with the value, also by the error below.
        let mut server = Self {
            child: Some(child),
            address: LOOPBACK,
        };
        server.address = address?;
        Ok(server)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many bytes of memory it uses at this moment that is its own and no file's.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell.
    pub fn memory(&self) -> io::Result<u64> {
        let child = self.child.as_ref();
        let child = child.ok_or_else(|| io::Error::other("no server"))?;
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let found = || {
            let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
            let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kibibytes * 1024)
        };
        found().ok_or_else(|| io::Error::other(format!("no RssAnon: {status}")))
    }

    /// Waits for its end, which follows the end of its last connection.
    ///
    /// # Errors
    ///
    /// As `wait(2)`, and if the server failed.
    pub fn wait(mut self) -> io::Result<Obituary> {
        let before = process::children_cpu_seconds()?;
        let child = self
            .child
            .take()
            .ok_or_else(|| io::Error::other("no server"))?;
        let output = child.wait_with_output()?;
        let cpu_seconds = process::children_cpu_seconds()? - before;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(io::Error::other(format!(
                "the server failed ({}) {errors}",
                output.status
            )));
        }
        Ok(Obituary {
            cpu_seconds,
            errors,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself: nothing is left to do then.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Is the server process: listens, says where on standard output, and serves.
///
/// # Errors
///
/// What the sockets or the contestant say.
pub fn serve(
    contestant: &dyn Contestant,
    cpu: usize,
    (service, connections): (Service, u32),
) -> io::Result<()> {
    process::die_with_parent()?;
    process::pin(cpu)?;
    contestant.serve(service, connections, &|address| {
        let mut output = io::stdout();
        writeln!(output, "{address}")?;
        output.flush()
    })
}

/// Does a benchmark's work `count` times on the calling thread, for callgrind to look at.
///
/// # Errors
///
/// What the contestant says; [`io::ErrorKind::Unsupported`] for work that is not counted.
pub fn work(benchmark: &Benchmark, contestant: &dyn Contestant, count: u32) -> io::Result<()> {
    process::die_with_parent()?;
    let setting = Setting::new(true)?;
    process::pin(setting.cores.server)?;
    match benchmark.counted {
        Some(Counted::Work(work)) => work(contestant, &setting, count),
        Some(Counted::Service(_)) | None => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}
