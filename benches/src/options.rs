//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::benchmarks::{self, Benchmark};
use crate::contestants::{self, Contestant, Service};
use crate::server;

/// What the program is asked to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    /// Measure.
    Measure(Options),
    /// Print how to use it.
    Help,
    /// Print what can be measured.
    List,
    /// Be a contestant's server.
    Serve {
        /// Whose server.
        contestant: Box<dyn Contestant>,
        /// On which processor.
        cpu: usize,
        /// What it does.
        service: Service,
        /// For how many connections.
        connections: u32,
    },
    /// Do a contestant's operations, to be counted.
    Work {
        /// What it does.
        benchmark: &'static Benchmark,
        /// Who does it.
        contestant: Box<dyn Contestant>,
        /// How often.
        count: u32,
    },
}

/// What is measured, and where it goes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// The benchmarks, in the order in which they run.
    pub benchmarks: Vec<&'static Benchmark>,
    /// The benchmarks whose instructions are counted.
    pub counted: Vec<&'static Benchmark>,
    /// Where the record goes.
    pub json: Option<PathBuf>,
    /// Whether there is less than a minute.
    pub quick: bool,
    /// How many rounds are counted.
    pub rounds: usize,
    /// Whether to ask for realtime priority.
    pub realtime: bool,
}

/// How to use the program.
pub const HELP: &str = "\
Measures ringloop on this machine, beside the bare ring (the floor) and tokio; its sockets beside
several bare rings, tokio and, if built with the feature `peers`, monoio, glommio, compio and smol;
its scheduler alone beside tokio's LocalSet and these;
its locks, queues and channels beside theirs, flume, local-sync and async-unsync;
work on other threads beside theirs and rayon;
its proactor alone beside the bare ring, a10, compio's driver and, for reads of a disk, fio.

usage: ringloop-bench [options]

  --quick         takes less than a minute; figures are rougher
  --only NAME     runs the benchmark called NAME, or all whose names contain it (repeatable);
                  those of sockets begin with net-, those of schedulers with task-, those of locks and queues
                  with sync-, those of work on other threads with offload-, those of
                  the proactor with op-
  --icount        counts user instructions with valgrind, where --list shows an i; without
                  --only, nothing else is measured
  --rounds N      counts N rounds instead of 7 (3 with --quick)
  --realtime      runs with realtime priority, for a machine that is shared (needs the right)
  --json FILE     writes the figures of every round to FILE as well
  --list          lists the benchmarks
  --help          prints this
";

impl Command {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// A message for the user, who mistyped something.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter().map(|argument| {
            argument
                .into_string()
                .map_err(|odd| format!("not readable: {}", odd.display()))
        });
        let mut only = Vec::new();
        let (mut json, mut rounds) = (None, None);
        let (mut quick, mut icount, mut realtime) = (false, false, false);
        while let Some(argument) = arguments.next() {
            let argument = argument?;
            let mut value = || {
                let value = arguments
                    .next()
                    .unwrap_or_else(|| Err("nothing follows".to_owned()));
                value.map_err(|problem| format!("{argument} needs a value: {problem}"))
            };
            match argument.as_str() {
                "--help" | "-h" => return Ok(Self::Help),
                "--list" => return Ok(Self::List),
                "--quick" => quick = true,
                "--icount" => icount = true,
                "--realtime" => realtime = true,
                "--only" => only.push(value()?),
                "--json" => json = Some(PathBuf::from(value()?)),
                "--rounds" => rounds = Some(count(&argument, &value()?)?),
                server::WORK => return Self::parse_work([value()?, value()?, value()?]),
                server::COMMAND => {
                    return Self::parse_serve([value()?, value()?, value()?, value()?]);
                }
                _ => return Err(format!("unknown option {argument}")),
            }
        }
        let rounds = rounds.unwrap_or(if quick { 3 } else { 7 });
        let named = select(&only)?;
        let mut counted = named.clone();
        counted.retain(|benchmark| icount && benchmark.counted.is_some());
        if icount && counted.is_empty() {
            return Err("--icount counts nothing of that; --list shows an i where it does".into());
        }
        let is_bare = icount && only.is_empty();
        Ok(Self::Measure(Options {
            benchmarks: if is_bare { Vec::new() } else { named },
            counted,
            json,
            quick,
            rounds,
            realtime,
        }))
    }

    fn parse_serve([name, cpu, service, connections]: [String; 4]) -> Result<Self, String> {
        let contestant =
            contestants::by_name(&name).ok_or_else(|| format!("no contestant {name}"))?;
        let cpu = cpu.parse().map_err(|_| format!("not a processor: {cpu}"))?;
        let connections = connections
            .parse()
            .map_err(|_| format!("not a count: {connections}"))?;
        Ok(Self::Serve {
            contestant,
            cpu,
            service: service.parse()?,
            connections,
        })
    }

    fn parse_work([benchmark, name, count]: [String; 3]) -> Result<Self, String> {
        Ok(Self::Work {
            benchmark: benchmarks::by_name(&benchmark)
                .ok_or_else(|| format!("no benchmark {benchmark}"))?,
            contestant: contestants::by_name(&name)
                .ok_or_else(|| format!("no contestant {name}"))?,
            count: count.parse().map_err(|_| format!("not a count: {count}"))?,
        })
    }
}

/// Picks the benchmarks that `only` names; all without a name.
fn select(only: &[String]) -> Result<Vec<&'static Benchmark>, String> {
    if only.is_empty() {
        return Ok(benchmarks::all().collect());
    }
    let matches = |name: &String, benchmark: &Benchmark| {
        if benchmarks::by_name(name).is_some() {
            benchmark.name == name
        } else {
            benchmark.name.contains(name.as_str())
        }
    };
    for name in only {
        if name.is_empty() || !benchmarks::all().any(|benchmark| matches(name, benchmark)) {
            return Err(format!(
                "no benchmark is called {name:?}; --list shows them"
            ));
        }
    }
    let wanted = |benchmark: &&Benchmark| only.iter().any(|name| matches(name, benchmark));
    Ok(benchmarks::all().filter(wanted).collect())
}

fn count(option: &str, value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(count @ 1..=1000) => Ok(count),
        _ => Err(format!(
            "{option} takes a number from 1 to 1000, not {value:?}"
        )),
    }
}

#[cfg(test)]
mod tests;
