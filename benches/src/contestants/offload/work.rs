//! The work of a bridge, in a task of its loop.

use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::{Bridge, LocalLoop};
use crate::clock;
use crate::contestants::Waiters;
use crate::grain::Grain;
use crate::process;
use crate::samples::Samples;
use crate::threads::Threads;

/// Has an empty closure run on `worker_cpu`, `count` times, and waits for it each time.
pub(super) async fn one_by_one<B: Bridge>(worker_cpu: usize, count: u32) -> Samples {
    let mut samples = Samples::with_capacity(count as usize);
    // The worker exists afterwards, and is where it belongs.
    B::call(move || process::pin_once(worker_cpu)).await;
    for _ in 0..count {
        let start = clock::now();
        B::call(move || process::pin_once(worker_cpu)).await;
        samples.push(clock::now() - start);
    }
    samples
}

/// Has `size` empty closures run at once, `batches` times and once before that, so that there are
/// threads.
pub(super) async fn batches<B: Bridge>(batches: u32, size: u32, waiters: Waiters) -> Duration {
    let mut start = clock::now();
    for number in 0..=batches {
        match waiters {
            Waiters::One => batch::<B>(size).await,
            Waiters::Each => batch_in_tasks::<B>(size).await,
        }
        if number == 0 {
            start = clock::now();
        }
    }
    clock::now() - start
}

/// All are submitted, then awaited in the same order: a waker is left with one at a time.
async fn batch<B: Bridge>(size: u32) {
    let submit = |number| B::submit(move || black_box(number));
    let calls: Vec<_> = (0..size).map(submit).collect();
    for call in calls {
        black_box(call.await);
    }
}

/// Each is called and awaited by a task, as in a server with so many connections.
async fn batch_in_tasks<B: Bridge>(size: u32) {
    let spawn = |number| {
        let task = async move { B::call(move || black_box(number)).await };
        B::Loop::spawn(task)
    };
    let tasks: Vec<_> = (0..size).map(spawn).collect();
    for task in tasks {
        black_box(task.await);
    }
}

/// Maps `count` times, and once before that over a tenth, so that there are threads.
pub(super) async fn maps<B: Bridge>(grain: Grain, items: u32, count: u32) -> Duration {
    black_box(B::map(grain, items / 10).await);
    let start = clock::now();
    for _ in 0..count {
        black_box(B::map(grain, items).await);
    }
    clock::now() - start
}

/// A job for each item, for those who have no better way.
pub(super) async fn map_by_calls<B: Bridge + ?Sized>(grain: Grain, items: u32) -> u64 {
    let submit = |number| B::compute(move || grain.run(number));
    let calls: Vec<_> = (0..items).map(submit).collect();
    let mut sum = 0_u64;
    for call in calls {
        sum = sum.wrapping_add(call.await);
    }
    sum
}

/// Sleeps `count` times while `jobs` computations at a time are under way.
pub(super) async fn sleeps_beside<B: Bridge>(
    jobs: usize,
    grain: Grain,
    count: u32,
    duration: Duration,
) -> Samples {
    let has_ended = Rc::new(Cell::new(false));
    let spawn = |_| {
        let has_ended = Rc::clone(&has_ended);
        B::Loop::spawn(async move {
            let mut number = 0;
            while !has_ended.get() {
                black_box(B::compute(move || grain.run(number)).await);
                number += 1;
            }
        })
    };
    let feeders: Vec<_> = (0..jobs).map(spawn).collect();
    // All threads have started meanwhile.
    let _slept = B::Loop::sleep(SETTLE).await;
    let mut samples = Samples::with_capacity(count as usize);
    for _ in 0..count {
        let deadline = clock::now() + duration;
        let _slept = B::Loop::sleep(duration).await;
        samples.push(clock::now() - deadline);
    }
    has_ended.set(true);
    for feeder in feeders {
        feeder.await;
    }
    samples
}

/// Returns how many threads there are beyond those `before`, and how often they run per second,
/// in a `window` after some jobs.
pub(super) async fn idle<B: Bridge>(before: Threads, window: Duration) -> io::Result<(usize, f64)> {
    batch::<B>(BURST).await;
    let _slept = B::Loop::sleep(SETTLE).await;
    let look = || io::Result::Ok(Threads::look()?.since(&before, B::THREADS_THAT_STAY));
    let early = look()?;
    let start = clock::now();
    let _slept = B::Loop::sleep(window).await;
    let late = look()?;
    let seconds = (clock::now() - start).as_secs_f64();
    Ok((late.len(), late.switches_since(&early) as f64 / seconds))
}

/// Returns how many threads there are beyond those `before`, some time after some jobs.
pub(super) async fn left<B: Bridge>(before: Threads, pause: Duration) -> io::Result<usize> {
    batch::<B>(BURST).await;
    let _slept = B::Loop::sleep(pause).await;
    Ok(Threads::look()?.since(&before, B::THREADS_THAT_STAY).len())
}

/// How many jobs an idle pool has had.
const BURST: u32 = 64;
/// How long a pool is left to itself before one looks.
const SETTLE: Duration = Duration::from_millis(20);
