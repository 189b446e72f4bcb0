//! Random operations on a pool and a limiter, and books that balance in the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ringloop_offload::{
    Executor, Interrupt, Job, Limiter, Offload, PoolHandle, ThreadPool, offload_on,
};

use crate::support::{DropProbe, Drops};

/// A xorshift generator.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    fn roll(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap_or(0) % end
    }
}

/// What the jobs of a game did, as they saw it themselves.
#[derive(Debug, Default)]
struct Deeds {
    begun: AtomicU64,
    panicked: AtomicU64,
    /// Those that were begun by the job that waited for them, and not by the pool.
    begun_inline: AtomicU64,
}

/// The way into the pool, which counts.
#[derive(Clone)]
struct Gate {
    pool: PoolHandle,
    offered: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Executor for Gate {
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.offered.fetch_add(1, Ordering::Relaxed);
        self.pool.execute(job).inspect_err(|_refused| {
            self.refused.fetch_add(1, Ordering::Relaxed);
        })
    }
}

fn job(
    kind: usize,
    gate: &Gate,
    deeds: &Arc<Deeds>,
    probe: DropProbe,
) -> impl FnOnce() + Send + 'static {
    let (gate, deeds) = (gate.clone(), Arc::clone(deeds));
    move || {
        let _probe = probe;
        deeds.begun.fetch_add(1, Ordering::Relaxed);
        match kind {
            0 => {
                deeds.panicked.fetch_add(1, Ordering::Relaxed);
                panic!("a job of the dice");
            }
            1 => thread::yield_now(),
            2 => {
                let outer = thread::current().id();
                let inner = offload_on(&gate, move || {
                    deeds.begun.fetch_add(1, Ordering::Relaxed);
                    // The thread waits for this job, so nobody else has begun it there.
                    let is_inline = thread::current().id() == outer;
                    let begun_inline = &deeds.begun_inline;
                    begun_inline.fetch_add(u64::from(is_inline), Ordering::Relaxed);
                });
                let _rejected = inner.wait();
            }
            3 => {
                for _ in 0..50 {
                    if Interrupt::current().is_requested() {
                        break;
                    }
                    thread::yield_now();
                }
            }
            _ => {}
        }
    }
}

/// Plays a game of random steps on a pool, and looks at its books.
fn play(seed: u64, threads: usize, queue_bound: usize) {
    let mut dice = Dice::new(seed);
    let pool = ThreadPool::builder()
        .max_threads(threads)
        .queue_bound(queue_bound)
        .build();
    let gate = Gate {
        pool: pool.handle(),
        offered: Arc::default(),
        refused: Arc::default(),
    };
    let limiter = Limiter::new(1);
    let limited = limiter.over(gate.clone());
    let (deeds, drops, made) = (Arc::default(), Drops::default(), AtomicUsize::new(0));
    let mut open: VecDeque<Offload<()>> = VecDeque::new();
    let mut values = 0;
    for _ in 0..STEPS {
        match dice.roll(16) {
            0..8 => {
                made.fetch_add(1, Ordering::Relaxed);
                let job = job(dice.roll(8), &gate, &deeds, drops.probe());
                let executor: &dyn Executor = if dice.roll(3) == 0 { &limited } else { &gate };
                open.push_back(offload_on(executor, job));
            }
            8..10 => drop(open.pop_front()),
            10 => drop(open.pop_back()),
            11..13 => {
                let ended = open
                    .pop_front()
                    .map(|first| first.wait_timeout(Duration::ZERO));
                match ended {
                    Some(Ok(result)) => values += u64::from(result.is_ok()),
                    Some(Err(first)) => open.push_back(first),
                    None => {}
                }
            }
            13 => {
                if let Some(offload) = open.get(dice.roll(open.len() + 1)) {
                    offload.cancel();
                }
            }
            14 => limiter.set_limit(dice.roll(3)),
            _ => thread::yield_now(),
        }
    }
    // In some games nothing is left for the end to drop.
    if dice.roll(2) == 0 {
        limiter.set_limit(1);
        values += wait_all(&mut open);
    }
    let dropped = pool.shutdown(Duration::ZERO).dropped as u64;
    pool.shutdown(Duration::MAX);
    // What still waits in the limiter finds the pool closed.
    limiter.set_limit(usize::MAX);
    values += wait_all(&mut open);

    let game = format!("seed {seed}, {threads} threads, bound {queue_bound}");
    let (stats, deeds): (_, &Deeds) = (pool.stats(), &deeds);
    let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (refused, inline) = (now(&gate.refused), now(&deeds.begun_inline));
    assert_eq!(stats.accepted, now(&gate.offered) - refused, "{game}");
    assert_eq!(stats.rejected, refused + dropped, "{game}");
    assert_eq!(stats.ended, now(&deeds.begun) - inline, "{game}");
    assert_eq!(stats.panicked, now(&deeds.panicked), "{game}");
    let ended = stats.completed + stats.panicked + stats.abandoned;
    assert_eq!(stats.ended, ended, "{game}");
    assert!(stats.completed >= values, "{game}");
    // What is missing was cancelled in the queue, or run by the one who waited for it.
    assert!(stats.accepted >= ended + inline + dropped, "{game}");
    assert_eq!(stats.wait_times.count(), ended, "{game}");
    assert_eq!((stats.running, stats.queued, stats.threads), (0, 0, 0));
    let slots = limiter.stats();
    assert_eq!((slots.in_use, slots.waiting), (0, 0), "{game}");
    assert_eq!(drops.count(), made.into_inner(), "{game}");
}

/// Waits for all and returns how many have a value.
fn wait_all(open: &mut VecDeque<Offload<()>>) -> u64 {
    let results = open.drain(..).map(Offload::wait);
    results.filter(Result::is_ok).count() as u64
}

#[test]
fn the_books_balance_whatever_happens_to_the_jobs() {
    let mut seed = 0;
    for threads in 1..=3 {
        for queue_bound in [0, 1, 4, usize::MAX] {
            for _ in 0..GAMES {
                seed += 1;
                play(seed, threads, queue_bound);
            }
        }
    }
}

const STEPS: usize = 300;
const GAMES: u64 = 20;
