//! What is measured below the scheduler: operations with owned buffers.

use std::io;

use super::{Benchmark, Counted, ECHO, Metric, Setting, echo, p50_p99, small_echo, time};
use crate::contestants::{Contestant, DirectReads, Level};
use crate::enters;
use crate::meter::Cost;

pub(super) static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "op-nop",
        about: "an operation that does nothing: round trip through the ring, one at a time",
        level: Level::Op,
        metrics: COST,
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.nops(1, count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 200_000 / setting.divisor;
            Ok(per_op(contestant.nops(1, count)?, count))
        },
    },
    Benchmark {
        name: "op-nop-64",
        about: "operations that do nothing, 64 at a time",
        level: Level::Op,
        metrics: COST,
        counted: Some(Counted::Work(|contestant, _, count| {
            contestant.nops(BATCH, count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = BATCH * 10_000 / setting.divisor;
            Ok(per_op(contestant.nops(BATCH, count)?, count))
        },
    },
    Benchmark {
        name: "op-read",
        about: "read 64 bytes from the page cache into an owned buffer, one at a time",
        level: Level::Op,
        metrics: COST,
        counted: Some(Counted::Work(|contestant, setting, count| {
            contestant.reads(&setting.program, count).map(drop)
        })),
        turn: |contestant, setting| {
            let count = 100_000 / setting.divisor;
            let cost = contestant.reads(&setting.program, count)?;
            Ok(per_op(cost, count))
        },
    },
    Benchmark {
        name: "op-echo-1",
        about: "64-byte messages over loopback TCP and back: receive, send, 1 connection",
        level: Level::Op,
        metrics: ECHO,
        counted: None,
        turn: |contestant, setting| echo(contestant, setting, 1, setting.op_echo),
    },
    Benchmark {
        name: "op-echo-64",
        about: "64-byte messages over loopback TCP and back: receive, send, 64 connections",
        level: Level::Op,
        metrics: ECHO,
        counted: Some(Counted::Service(|| small_echo(64))),
        turn: |contestant, setting| echo(contestant, setting, 64, setting.op_echo),
    },
    Benchmark {
        name: "op-enters",
        about: "calls of io_uring_enter(2) per message of op-echo-1, counted by strace",
        level: Level::Op,
        metrics: &[time("calls", "/msg")],
        counted: None,
        turn: |contestant, setting| Ok(vec![enters::count(contestant, setting)?]),
    },
    Benchmark {
        name: "op-direct",
        about: "read random 4 KiB pages of a file past the page cache, 32 in flight",
        level: Level::Op,
        metrics: &[Metric {
            name: "throughput",
            unit: "k/s",
            more_is_better: true,
        }],
        counted: None,
        turn: direct_reads,
    },
    Benchmark {
        name: "op-wake",
        about: "be woken by a thread on the other core: one way; floor: an eventfd read by the ring",
        level: Level::Op,
        metrics: &[time("p50", "us"), time("p99", "us")],
        counted: None,
        turn: |contestant, setting| {
            p50_p99(contestant.wakes(setting.cores.client, 1_200 / setting.divisor)?)
        },
    },
];

fn per_op(cost: Cost, count: u32) -> Vec<f64> {
    let count = f64::from(count);
    vec![
        cost.elapsed.as_secs_f64() * 1e9 / count,
        cost.allocations as f64 / count,
    ]
}

fn direct_reads(contestant: &dyn Contestant, setting: &Setting) -> io::Result<Vec<f64>> {
    let plan = DirectReads {
        file: setting.scratch.path()?,
        pages: setting.scratch.pages(),
        depth: DEPTH,
        duration: setting.direct,
        cpu: setting.cores.server,
    };
    let done = contestant.direct_reads(&plan)?;
    Ok(vec![
        done.operations as f64 / done.elapsed.as_secs_f64() / 1e3,
    ])
}

const COST: &[Metric] = &[time("each", "ns"), time("allocations", "/op")];
const BATCH: u32 = 64;
const DEPTH: u32 = 32;
