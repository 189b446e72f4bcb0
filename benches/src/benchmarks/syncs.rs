//! What locks, queues and channels are measured with.

use std::io;
use std::time::Duration;

use super::{Benchmark, Counted, Metric, Setting, p50_p99, per_item, time};
use crate::contestants::{Contestant, Level, Place, Room};

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "sync-mutex",
        about: "lock a mutex that nobody else wants, add to its value, unlock",
        level: Level::Sync,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.locks(count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 2_000_000 / setting.divisor;
            Ok(per_item(contestant.locks(count)?, count))
        },
    },
    Benchmark {
        name: "sync-permit",
        about: "take a permit of a semaphore that has some, and give it back",
        level: Level::Sync,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.permits(count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 2_000_000 / setting.divisor;
            Ok(per_item(contestant.permits(count)?, count))
        },
    },
    Benchmark {
        name: "sync-event",
        about: "set an event, wait for it, clear it; or notify and be notified",
        level: Level::Sync,
        metrics: &[time("each", "ns")],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.events(count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 2_000_000 / setting.divisor;
            Ok(per_item(contestant.events(count)?, count))
        },
    },
    Benchmark {
        name: "sync-queue",
        about: "put an item into a queue and get it, in one task: room for 64, or any number",
        level: Level::Sync,
        metrics: BOTH_ROOMS,
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.queues(count, Room::Of(ITEMS)).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 500_000 / setting.divisor;
            both_rooms(count, |room| contestant.queues(count, room))
        },
    },
    Benchmark {
        name: "sync-channel",
        about: "the same through both ends of a channel",
        level: Level::Sync,
        metrics: BOTH_ROOMS,
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.channels(count, Room::Of(ITEMS)).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 500_000 / setting.divisor;
            both_rooms(count, |room| contestant.channels(count, room))
        },
    },
    Benchmark {
        name: "sync-handoff",
        about: "two tasks send each other messages, both ways: channels of 1, of 0; one way: of 64",
        level: Level::Sync,
        metrics: &[
            time("room for 1", "ns"),
            time("for none", "ns"),
            time("one way", "ns"),
        ],
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.hand_overs(count, 1).map(drop)
        })),
        turn: hand_over,
    },
    Benchmark {
        name: "sync-thread",
        about: "receive from a thread: room for 1024, any number; send to it and have it back",
        level: Level::Sync,
        metrics: FROM_THREAD,
        counted: None,
        turn: |contestant, setting| from_thread(contestant, setting, Place::Home),
    },
    Benchmark {
        name: "sync-here",
        about: "the same, with all channels on the loop of ringloop",
        level: Level::Sync,
        metrics: FROM_THREAD,
        counted: None,
        turn: |contestant, setting| from_thread(contestant, setting, Place::Here),
    },
];

fn both_rooms(
    count: u32,
    mut work: impl FnMut(Room) -> io::Result<Duration>,
) -> io::Result<Vec<f64>> {
    let mut figures = per_item(work(Room::Of(ITEMS))?, count);
    figures.push(or_gap(work(Room::Any), count)?);
    Ok(figures)
}

fn hand_over(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let count = 100_000 / setting.divisor;
    let mut figures = per_item(contestant.hand_overs(count, 1)?, count);
    figures.push(or_gap(contestant.hand_overs(count, 0), count)?);
    figures.push(or_gap(contestant.streams(count * 2, 64), count * 2)?);
    Ok(figures)
}

fn from_thread(
    contestant: &dyn Contestant,
    setting: &Setting,
    place: Place,
) -> io::Result<Vec<f64>> {
    let cpu = setting.cores.client;
    let count = 400_000 / setting.divisor;
    let mut figures = per_item(
        contestant.receives(place, cpu, count, Room::Of(1024))?,
        count,
    );
    let unbounded = contestant.receives(place, cpu, count, Room::Any);
    figures.push(or_gap(unbounded, count)?);
    figures.extend(p50_p99(contestant.trips(
        place,
        cpu,
        4_000 / setting.divisor,
    )?)?);
    Ok(figures)
}

/// The nanoseconds of each, or a gap in this figure alone.
fn or_gap(elapsed: io::Result<Duration>, count: u32) -> io::Result<f64> {
    match elapsed {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(f64::NAN),
        elapsed => Ok(per_item(elapsed?, count)[0]),
    }
}

/// Room in a queue that is used within one task.
const ITEMS: usize = 64;

const BOTH_ROOMS: &[Metric] = &[time("for 64", "ns"), time("for any", "ns")];

const FROM_THREAD: &[Metric] = &[
    time("for 1024", "ns"),
    time("for any", "ns"),
    time("trip p50", "us"),
    time("trip p99", "us"),
];
