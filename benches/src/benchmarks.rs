//! What is measured: a table of benchmarks, each a turn of work and the figures read from it.

mod net;
mod offloads;
mod ops;
mod runtimes;
mod syncs;
mod tasks;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::{Client, Load, Until};
use crate::clock;
use crate::contestants::{Contestant, Level, Service};
use crate::process::{self, Cores};
use crate::samples::Samples;
use crate::scratch::Scratch;
use crate::server::Server;

/// One benchmark.
#[derive(Debug)]
#[non_exhaustive]
pub struct Benchmark {
    /// Its name in tables and for `--only`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Who does it.
    pub level: Level,
    /// The figures that a turn yields, in this order.
    pub metrics: &'static [Metric],
    /// How its user instructions are counted, if they are.
    pub counted: Option<Counted>,
    turn: fn(&dyn Contestant, &Setting) -> io::Result<Vec<f64>>,
}

/// Work that can be done in a process of its own, where callgrind counts its user instructions.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Counted {
    /// Serving some load.
    Service(fn() -> (Service, Load)),
    /// Doing something a number of times.
    Work(fn(&dyn Contestant, &Setting, u32) -> io::Result<()>),
}

/// One figure of a benchmark.
#[derive(Debug)]
#[non_exhaustive]
pub struct Metric {
    /// Its name in tables.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Whether a larger figure is the better one.
    pub more_is_better: bool,
}

/// How much is done in a turn, and where.
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The processors of both sides.
    pub cores: Cores,
    /// This program, which is started again as a server.
    pub program: PathBuf,
    /// How long the client exchanges messages with a runtime before it counts them, and how long it
    /// then counts them.
    pub net_echo: [Duration; 2],
    /// The same two, for the echoes of operations.
    pub op_echo: [Duration; 2],
    /// How many bytes go one way.
    pub bulk: u64,
    /// How long random pages are read.
    pub direct: Duration,
    /// The file of these pages.
    pub scratch: Scratch,
    /// Counts of connections are divided by this.
    pub net_divisor: u32,
    /// Counts of everything else are divided by this.
    pub divisor: u32,
}

impl Setting {
    /// Makes the setting of a full run, or of a quick one.
    ///
    /// # Errors
    ///
    /// If the processors or the program's own path cannot be found out.
    pub fn new(quick: bool) -> io::Result<Self> {
        let millis = Duration::from_millis;
        Ok(Self {
            cores: Cores::pick()?,
            program: std::env::current_exe()?,
            net_echo: if quick { [10, 40] } else { [200, 1000] }.map(millis),
            op_echo: if quick { [40, 120] } else { [200, 1000] }.map(millis),
            bulk: if quick { 1 << 24 } else { 1 << 30 },
            net_divisor: if quick { 16 } else { 1 },
            direct: millis(if quick { 120 } else { 1000 }),
            scratch: Scratch::new(if quick { 64 } else { 256 }),
            divisor: if quick { 4 } else { 1 },
        })
    }
}

impl Benchmark {
    /// Lets `contestant` do one turn; returns a figure for each of the metrics, or what is not a
    /// number where it has none.
    ///
    /// # Errors
    ///
    /// What the contestant says; [`io::ErrorKind::Unsupported`] for work that it does not do.
    pub fn turn(&self, contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
        let figures = (self.turn)(contestant, setting)?;
        debug_assert_eq!(figures.len(), self.metrics.len(), "{}", self.name);
        Ok(figures)
    }
}

/// Returns all benchmarks, in the order in which they run.
pub fn all() -> impl Iterator<Item = &'static Benchmark> + Clone {
    let tables = [
        runtimes::BENCHMARKS,
        net::BENCHMARKS,
        tasks::BENCHMARKS,
        syncs::BENCHMARKS,
        offloads::BENCHMARKS,
        ops::BENCHMARKS,
    ];
    tables.into_iter().flatten()
}

/// Returns the benchmark called `name`.
pub fn by_name(name: &str) -> Option<&'static Benchmark> {
    all().find(|benchmark| benchmark.name == name)
}

/// Exchanges messages of 64 bytes with the contestant's server process.
fn echo(
    contestant: &dyn Contestant,
    setting: &Setting,
    connections: u32,
    durations: [Duration; 2],
) -> io::Result<Vec<f64>> {
    exchange(contestant, setting, small_echo(connections), durations)
}

/// Messages of 64 bytes on so many connections.
fn small_echo(connections: u32) -> (Service, Load) {
    (Service::Echo(ECHO_BUFFER), Load::small(connections))
}

/// Exchanges messages with the contestant's server process: first to warm it up, then to measure.
fn exchange(
    contestant: &dyn Contestant,
    setting: &Setting,
    (service, load): (Service, Load),
    [warm_up, duration]: [Duration; 2],
) -> io::Result<Vec<f64>> {
    let server = Server::start(
        &setting.program,
        &[],
        contestant,
        setting.cores.server,
        (service, load.connections),
    )?;
    process::pin(setting.cores.client)?;
    let mut client = Client::open(server.address(), load)?;
    let mut samples = Samples::with_capacity(ROUND_TRIPS_EXPECTED);
    let warm_up = client.run(Until::Moment(clock::now() + warm_up), &mut samples)?;
    samples.clear();
    let run = client.run(Until::Moment(clock::now() + duration), &mut samples)?;
    drop(client);
    let cpu_seconds = server.wait()?.cpu_seconds;
    let mut figures = samples.percentiles_us([500, 990, 999]).to_vec();
    figures.push(run.messages as f64 / run.elapsed.as_secs_f64() / 1e3);
    figures.push(cpu_seconds * 1e6 / (warm_up.messages + run.messages) as f64);
    Ok(figures)
}

fn per_item(elapsed: Duration, count: u32) -> Vec<f64> {
    vec![elapsed.as_secs_f64() * 1e9 / f64::from(count)]
}

fn p50_p99(mut samples: Samples) -> io::Result<Vec<f64>> {
    Ok(samples.percentiles_us([500, 990]).to_vec())
}

const fn time(name: &'static str, unit: &'static str) -> Metric {
    Metric {
        name,
        unit,
        more_is_better: false,
    }
}

const ECHO: &[Metric] = &[
    time("p50", "us"),
    time("p99", "us"),
    time("p99.9", "us"),
    Metric {
        name: "throughput",
        unit: "k/s",
        more_is_better: true,
    },
    time("server CPU", "us/msg"),
];

/// How long a server's buffer is for messages of 64 bytes.
pub const ECHO_BUFFER: u32 = 4096;

/// Room for a second's round trips, so that no sample has to wait for memory.
const ROUND_TRIPS_EXPECTED: usize = 400_000;
