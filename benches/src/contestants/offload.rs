//! Who is compared as a bridge to threads: the same work on each loop, and its own way to have a
//! closure run elsewhere.
//!
//! A [`Bridge`] says how; the work is written once on top of that, in [`work`], and runs within a
//! task of the loop. The loops are those of the table of schedulers.

mod alone;
mod facade;
mod tokio;
mod work;

#[cfg(feature = "peers")]
mod compio;
#[cfg(feature = "peers")]
mod glommio;
#[cfg(feature = "peers")]
mod monoio;
#[cfg(feature = "peers")]
mod rayon;
#[cfg(feature = "peers")]
mod smol;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use super::local::{self, LocalLoop};
use super::{Contestant, Idle, Waiters};
use crate::grain::Grain;
use crate::process::{self, Cores};
use crate::samples::Samples;
use crate::threads::Threads;

/// Returns the contestants of this level, ours last.
pub(super) fn contestants() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(Offload::<tokio::Tokio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Offload::<monoio::Monoio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Offload::<glommio::Glommio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Offload::<compio::Compio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Offload::<smol::Smol>::new()),
        #[cfg(feature = "peers")]
        Box::new(rayon::Rayon),
        Box::new(Offload::<facade::Facade>::new()),
        Box::new(Offload::<alone::Alone>::new()),
    ]
}

/// The names of ours: with the runtime's pools, and without the runtime.
pub(super) const OURS: [&str; 2] = [
    <facade::Facade as Bridge>::NAME,
    <alone::Alone as Bridge>::NAME,
];

/// What pool a loop gets.
#[derive(Clone, Copy, Debug)]
enum Pool {
    /// The one for blocking work, with default settings.
    Blocking,
    /// The same, with another keep-alive.
    Leaving(Duration),
    /// One of so many threads, for computations.
    Cpu(usize),
}

/// The scheduler of a bridge's loop.
type Scheduler<B> = <<B as Bridge>::Loop as LocalLoop>::Scheduler;

/// A loop that has closures run by threads.
trait Bridge: fmt::Debug + Send + Sync + 'static {
    /// The name used in tables and on the command line.
    const NAME: &'static str;

    /// The loop on this side.
    type Loop: LocalLoop;

    /// Awaits the result of a closure.
    type Call<T: Send + 'static>: Future<Output = T> + 'static;

    /// How many jobs may be under way for each thread of a pool that is full.
    const JOBS_PER_THREAD: usize = 4;

    /// How the names of threads begin that outlive their loop.
    const THREADS_THAT_STAY: Option<&str> = None;

    /// Makes a loop and its pool. Nothing, if the pool cannot be told such a thing.
    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>>;

    /// Has `f` run by a thread, whether or not the result is awaited. Within the loop.
    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// Has `f` run by a thread and awaits its result: the shortest way to do so.
    fn call<T, F>(f: F) -> impl Future<Output = T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Self::submit(f)
    }

    /// As [`submit`](Self::submit), by a thread for computations.
    fn compute<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Self::submit(f)
    }

    /// Sends such threads away that are of no more use.
    fn close() {}

    /// Computes something of each of the numbers below `items` and returns the sum.
    fn map(grain: Grain, items: u32) -> impl Future<Output = u64> {
        work::map_by_calls::<Self>(grain, items)
    }
}

/// Does all work on a bridge of type `B`.
#[derive(Debug)]
struct Offload<B>(PhantomData<B>);

impl<B: Bridge> Offload<B> {
    fn new() -> Self {
        Self(PhantomData)
    }

    /// Makes a loop with a pool and does `work` in a task of it.
    fn run<F>(&self, pool: Pool, work: F) -> io::Result<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        let scheduler = B::make(pool)?;
        let mut scheduler =
            scheduler.ok_or_else(|| self.lacks("have its pool told such a thing"))?;
        let task = async { B::Loop::spawn(work).await };
        let output = B::Loop::block_on(&mut scheduler, task);
        B::close();
        Ok(output)
    }
}

impl<B: Bridge> Contestant for Offload<B> {
    fn name(&self) -> &'static str {
        B::NAME
    }

    fn offloads(&self, worker_cpu: usize, count: u32) -> io::Result<Samples> {
        self.run(Pool::Blocking, work::one_by_one::<B>(worker_cpu, count))
    }

    fn offload_batch(&self, batches: u32, size: u32, waiters: Waiters) -> io::Result<Duration> {
        unbind()?;
        self.run(Pool::Blocking, work::batches::<B>(batches, size, waiters))
    }

    fn offload_map(&self, grain: Grain, items: u32, count: u32) -> io::Result<Duration> {
        let threads = unbind()?;
        self.run(Pool::Cpu(threads), work::maps::<B>(grain, items, count))
    }

    fn sleeps_beside(&self, grain: Grain, count: u32, duration: Duration) -> io::Result<Samples> {
        let threads = unbind()?;
        let jobs = threads * B::JOBS_PER_THREAD;
        let work = work::sleeps_beside::<B>(jobs, grain, count, duration);
        self.run(Pool::Cpu(threads), work)
    }

    fn idles(&self, window: Duration) -> io::Result<Idle> {
        unbind()?;
        let before = Threads::look()?;
        let (threads, wakes) = self.run(Pool::Blocking, work::idle::<B>(before, window))??;
        let before = Threads::look()?;
        let work = work::left::<B>(before, SHORT_KEEP_ALIVE * 3);
        let left = match self.run(Pool::Leaving(SHORT_KEEP_ALIVE), work) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
            left => Some(left??),
        };
        Ok(Idle {
            threads,
            wakes,
            left,
        })
    }
}

/// Lets the calling thread and those it starts run on both processors; returns how many they are.
fn unbind() -> io::Result<usize> {
    process::spread(Cores::pick()?)?;
    Ok(thread::available_parallelism().map_or(1, NonZero::get))
}

const SHORT_KEEP_ALIVE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
