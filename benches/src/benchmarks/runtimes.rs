//! What whole runtimes are measured with.

use std::time::Duration;

use super::{Benchmark, p50_p99, per_item, time};
use crate::contestants::Level;

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "spawn-join",
        about: "spawn a task that returns at once and await it, one at a time",
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.spawn_join(count)?, count))
        },
    },
    Benchmark {
        name: "spawn-1000",
        about: "spawn 1000 tasks, then await them all",
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
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
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.yields(1, count)?, count))
        },
    },
    Benchmark {
        name: "yield-64",
        about: "give way in 64 tasks: a switch from task to task",
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
        turn: |contestant, setting| {
            let count = 16_000 / setting.divisor;
            Ok(per_item(contestant.yields(64, count)?, count * 64))
        },
    },
    Benchmark {
        name: "timer",
        about: "file a timer and drop it",
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
        turn: |contestant, setting| {
            let count = 400_000 / setting.divisor;
            Ok(per_item(contestant.timers(count, 0)?, count))
        },
    },
    Benchmark {
        name: "timer-10k",
        about: "file a timer and drop it, beside 10,000 others",
        level: Level::Runtime,
        metrics: &[time("each", "ns")],
        counted: None,
        turn: |contestant, setting| {
            let count = 400_000 / setting.divisor;
            Ok(per_item(contestant.timers(count, 10_000)?, count))
        },
    },
    Benchmark {
        name: "sleep",
        about: "sleep for 1 ms: how late it ends",
        level: Level::Runtime,
        metrics: &[time("late p50", "us"), time("late p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            let samples = contestant.sleeps(200 / setting.divisor, Duration::from_millis(1))?;
            p50_p99(samples)
        },
    },
    Benchmark {
        name: "offload",
        about: "have an empty job done by a thread on the other core and await it: round trip",
        level: Level::Runtime,
        metrics: &[time("p50", "us"), time("p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            p50_p99(contestant.offloads(setting.cores.client, 8_000 / setting.divisor)?)
        },
    },
    Benchmark {
        name: "wake",
        about: "be woken from sleep by a thread on the other core: one way, call to woken task",
        level: Level::Runtime,
        metrics: &[time("p50", "us"), time("p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            p50_p99(contestant.wakes(setting.cores.client, 2_000 / setting.divisor)?)
        },
    },
];
