//! What bridges to threads are measured with.

use std::io;
use std::time::Duration;

use super::{Benchmark, Metric, Setting, p50_p99, time};
use crate::contestants::{Contestant, Level, Waiters};
use crate::grain::Grain;

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "offload-one",
        about: "have an empty job done by a thread on the other core and await it: round trip",
        level: Level::Offload,
        metrics: &[time("p50", "us"), time("p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            p50_p99(contestant.offloads(setting.cores.client, 8_000 / setting.divisor)?)
        },
    },
    Benchmark {
        name: "offload-many",
        about: "have 1000 empty jobs done at once and await them all, in one task or in 1000",
        level: Level::Offload,
        metrics: &[time("one task", "ns"), time("1000 tasks", "ns")],
        counted: None,
        turn: many,
    },
    Benchmark {
        name: "offload-map",
        about: "compute something of 10,000 numbers, 10 us each, on as many threads as cores",
        level: Level::Offload,
        metrics: &[Metric {
            name: "items",
            unit: "k/s",
            more_is_better: true,
        }],
        counted: None,
        turn: |contestant, setting| {
            let grain = Grain::of(Duration::from_micros(10));
            let items = ITEMS / setting.divisor;
            let elapsed = contestant.offload_map(grain, items, MAPS)?;
            Ok(vec![f64::from(items * MAPS) / elapsed.as_secs_f64() / 1e3])
        },
    },
    Benchmark {
        name: "offload-loop",
        about: "sleep for 1 ms while all threads compute jobs of 1 ms: how late it ends",
        level: Level::Offload,
        metrics: &[time("late p50", "us"), time("late p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            let grain = Grain::of(Duration::from_millis(1));
            let count = 200 / setting.divisor;
            p50_p99(contestant.sleeps_beside(grain, count, Duration::from_millis(1))?)
        },
    },
    Benchmark {
        name: "offload-idle",
        about: "do nothing after some jobs: threads, how often they run, and what a keep-alive leaves",
        level: Level::Offload,
        metrics: &[
            time("threads", ""),
            time("wake-ups", "/s"),
            time("left", ""),
        ],
        counted: None,
        turn: |contestant, setting| {
            let idle = contestant.idles(Duration::from_millis(200) / setting.divisor)?;
            let left = idle.left.map_or(f64::NAN, |left| left as f64);
            Ok(vec![idle.threads as f64, idle.wakes, left])
        },
    },
];

fn many(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let batches = 20 / setting.divisor;
    let each = |waiters| {
        let elapsed = contestant.offload_batch(batches, BATCH, waiters)?;
        io::Result::Ok(elapsed.as_secs_f64() * 1e9 / f64::from(batches * BATCH))
    };
    Ok(vec![each(Waiters::One)?, each(Waiters::Each)?])
}

/// How many jobs there are at once.
const BATCH: u32 = 1000;
/// How many numbers are mapped, how often.
const ITEMS: u32 = 10_000;
const MAPS: u32 = 2;
