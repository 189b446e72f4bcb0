//! What is measured: a table of benchmarks, each a turn of work and the figures read from it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::{Client, Until};
use crate::clock;
use crate::contestants::Contestant;
use crate::process::{self, Cores};
use crate::samples::Samples;
use crate::server::Server;

/// One benchmark.
#[derive(Debug)]
#[non_exhaustive]
pub struct Benchmark {
    /// Its name in tables and for `--only`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The figures that a turn yields, in this order.
    pub metrics: &'static [Metric],
    turn: fn(&dyn Contestant, &Setting) -> io::Result<Vec<f64>>,
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The processors of both sides.
    pub cores: Cores,
    /// This program, which is started again as a server.
    pub program: PathBuf,
    /// How long the client exchanges messages before it counts them.
    pub warm_up: Duration,
    /// How long it then counts them.
    pub echo: Duration,
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
        let (warm_up, echo, divisor) = if quick {
            (millis(100), millis(400), 4)
        } else {
            (millis(200), millis(1000), 1)
        };
        let (cores, program) = (Cores::pick()?, std::env::current_exe()?);
        Ok(Self {
            cores,
            program,
            warm_up,
            echo,
            divisor,
        })
    }
}

impl Benchmark {
    /// Lets `contestant` do one turn; returns a figure for each of the metrics.
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

/// All benchmarks, in the order in which they run.
pub static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "echo-1",
        about: "64-byte messages over loopback TCP and back, 1 connection",
        metrics: ECHO,
        turn: |contestant, setting| echo(contestant, setting, 1),
    },
    Benchmark {
        name: "echo-64",
        about: "64-byte messages over loopback TCP and back, 64 connections",
        metrics: ECHO,
        turn: |contestant, setting| echo(contestant, setting, 64),
    },
    Benchmark {
        name: "spawn-join",
        about: "spawn a task that returns at once and await it, one at a time",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.spawn_join(count)?, count))
        },
    },
    Benchmark {
        name: "spawn-1000",
        about: "spawn 1000 tasks, then await them all",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let batches = 200 / setting.divisor;
            Ok(per_item(
                contestant.spawn_batch(batches, 1000)?,
                batches * 1000,
            ))
        },
    },
    Benchmark {
        name: "yield-1",
        about: "give way in the only task: a whole turn of the loop",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.yields(1, count)?, count))
        },
    },
    Benchmark {
        name: "yield-64",
        about: "give way in 64 tasks: a switch from task to task",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let count = 16_000 / setting.divisor;
            Ok(per_item(contestant.yields(64, count)?, count * 64))
        },
    },
    Benchmark {
        name: "timer",
        about: "file a timer and drop it",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let count = 400_000 / setting.divisor;
            Ok(per_item(contestant.timers(count, 0)?, count))
        },
    },
    Benchmark {
        name: "timer-10k",
        about: "file a timer and drop it, beside 10,000 others",
        metrics: &[time("each", "ns")],
        turn: |contestant, setting| {
            let count = 400_000 / setting.divisor;
            Ok(per_item(contestant.timers(count, 10_000)?, count))
        },
    },
    Benchmark {
        name: "sleep",
        about: "sleep for 1 ms: how late it ends",
        metrics: &[time("late p50", "us"), time("late p99", "us")],
        turn: |contestant, setting| {
            let samples = contestant.sleeps(200 / setting.divisor, Duration::from_millis(1))?;
            p50_p99(samples)
        },
    },
    Benchmark {
        name: "offload",
        about: "have an empty job done by a thread on the other core and await it: round trip",
        metrics: &[time("p50", "us"), time("p99", "us")],
        turn: |contestant, setting| {
            p50_p99(contestant.offloads(setting.cores.client, 8_000 / setting.divisor)?)
        },
    },
    Benchmark {
        name: "wake",
        about: "be woken from sleep by a thread on the other core: one way, call to woken task",
        metrics: &[time("p50", "us"), time("p99", "us")],
        turn: |contestant, setting| {
            p50_p99(contestant.wakes(setting.cores.client, 2_000 / setting.divisor)?)
        },
    },
];

/// Exchanges messages with the contestant's server process.
fn echo(contestant: &dyn Contestant, setting: &Setting, connections: u32) -> io::Result<Vec<f64>> {
    let name = contestant.name();
    let server = Server::start(
        &setting.program,
        &[],
        name,
        setting.cores.server,
        connections,
    )?;
    process::pin(setting.cores.client)?;
    let mut client = Client::connect(server.address(), connections)?;
    let mut samples = Samples::with_capacity(ROUND_TRIPS_EXPECTED);
    let warm_up = client.run(Until::Moment(clock::now() + setting.warm_up), &mut samples)?;
    samples.clear();
    let run = client.run(Until::Moment(clock::now() + setting.echo), &mut samples)?;
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

/// Room for a second's round trips, so that no sample has to wait for memory.
const ROUND_TRIPS_EXPECTED: usize = 400_000;
