//! What schedulers of one thread are measured with.

use std::io;
use std::time::Duration;

use super::{Benchmark, Counted, Metric, Setting, p50_p99, per_item, time};
use crate::contestants::{Contestant, Level};

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "task-spawn",
        about: "spawn a task that returns at once and await it, one at a time",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.spawn_join(count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.spawn_join(count)?, count))
        },
    },
    Benchmark {
        name: "task-batch",
        about: "spawn 1000 tasks, then await them all",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.spawn_batch(count / BATCH, BATCH).map(drop)
        })),
        turn: |contestant, setting| {
            let batches = 200 / setting.divisor;
            let elapsed = contestant.spawn_batch(batches, 1000)?;
            Ok(per_item(elapsed, batches * 1000))
        },
    },
    Benchmark {
        name: "task-eager",
        about: "spawn a task that is polled in the spawn and ends, and await it, one at a time",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.spawn_eager(count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.spawn_eager(count)?, count))
        },
    },
    Benchmark {
        name: "task-yield",
        about: "give way in 100 tasks: a switch from task to task",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.yields(YIELDING, count / YIELDING).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 10_000 / setting.divisor;
            let elapsed = contestant.yields(YIELDING, count)?;
            Ok(per_item(elapsed, count * YIELDING))
        },
    },
    Benchmark {
        name: "task-ping",
        about: "two tasks send each other messages: both ways, over one-shots or channels",
        level: Level::Task,
        metrics: &[
            time("one-shots", "ns"),
            time("channels", "ns"),
            time("the better", "ns"),
        ],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.ping_one_shots(count).map(drop)
        })),
        turn: ping_pong,
    },
    Benchmark {
        name: "task-timer",
        about: "file a timer and drop it, beside 100,000 others",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.timers(count, OUTSTANDING).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_item(contestant.timers(count, OUTSTANDING)?, count))
        },
    },
    Benchmark {
        name: "task-memory",
        about: "put 100,000 tasks to sleep: memory of each, allocations",
        level: Level::Task,
        metrics: &[
            time("all", "B"),
            time("its future", "B"),
            time("beyond it", "B"),
            time("allocations", "/task"),
        ],
        counted: None,
        turn: |contestant, _| {
            let footprint = contestant.sleepers(OUTSTANDING)?;
            let count = f64::from(OUTSTANDING);
            let all = footprint.bytes as f64 / count;
            let future = footprint.future as f64;
            let allocations = footprint.allocations as f64 / count;
            Ok(vec![all, future, all - future, allocations])
        },
    },
    Benchmark {
        name: "task-sleep",
        about: "sleep for 1 ms: how late it ends",
        level: Level::Task,
        metrics: LATE,
        counted: None,
        turn: |contestant, setting| {
            let count = 200 / setting.divisor;
            p50_p99(contestant.sleeps(count, Duration::from_millis(1))?)
        },
    },
    Benchmark {
        name: "task-wake",
        about: "be woken from sleep by a thread on the other core: one way, call to woken task",
        level: Level::Task,
        metrics: &[time("p50", "us"), time("p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            p50_p99(contestant.wakes(setting.cores.client, 1_200 / setting.divisor)?)
        },
    },
    Benchmark {
        name: "task-near",
        about: "wake 64 parked tasks from another task, and have them polled",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.wakes_near(PARKED, count / PARKED).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 8_000 / setting.divisor;
            let elapsed = contestant.wakes_near(PARKED, count)?;
            Ok(per_item(elapsed, count * PARKED))
        },
    },
    Benchmark {
        name: "task-far",
        about: "wake 64 parked tasks from a thread while the loop is awake, and have them polled",
        level: Level::Task,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, setting, count| {
            let cpu = setting.cores.client;
            contestant.wakes_far(cpu, PARKED, count / PARKED).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 800 / setting.divisor;
            let elapsed = contestant.wakes_far(setting.cores.client, PARKED, count)?;
            Ok(per_item(elapsed, count * PARKED))
        },
    },
    Benchmark {
        name: "task-make",
        about: "make a scheduler and drop it; the same with a task that is spawned and awaited",
        level: Level::Task,
        metrics: &[time("bare", "us"), time("with a task", "us")],
        counted: None,
        turn: |contestant, setting| {
            let done = contestant.starts(Duration::from_millis(40) / setting.divisor)?;
            Ok(vec![done.bare * 1e6, done.with_a_task * 1e6])
        },
    },
];

fn ping_pong(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let count = 100_000 / setting.divisor;
    let each = |elapsed: Duration| elapsed.as_secs_f64() * 1e9 / f64::from(count);
    let one_shots = each(contestant.ping_one_shots(count)?);
    let channels = match contestant.ping_channels(count) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => f64::NAN,
        elapsed => each(elapsed?),
    };
    Ok(vec![one_shots, channels, one_shots.min(channels)])
}

const LATE: &[Metric] = &[time("late p50", "us"), time("late p99", "us")];
/// How many tasks give way to each other.
const YIELDING: u32 = 100;
/// How many tasks are spawned together when instructions are counted.
const BATCH: u32 = 100;
/// How many tasks wait to be woken.
const PARKED: u32 = 64;
/// How many sleeps are outstanding.
const OUTSTANDING: u32 = 100_000;
