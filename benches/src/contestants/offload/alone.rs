//! `ringloop-offload` alone, awaited on the scheduler that only sleeps.

use std::cell::RefCell;
use std::io;
use std::num::NonZero;
use std::thread;

use ringloop_offload::{CpuPool, Offload, ThreadPool, map_on, offload_on};

use super::local::{Sure, task as local};
use super::{Bridge, LocalLoop, Pool, Scheduler};
use crate::grain::Grain;

#[derive(Debug)]
pub(super) struct Alone;

thread_local! {
    /// The pools of this thread's turn: for blocking work, or for computations.
    static BLOCKING: RefCell<Option<ThreadPool>> = const { RefCell::new(None) };
    static CPU: RefCell<Option<CpuPool>> = const { RefCell::new(None) };
}

impl Bridge for Alone {
    const NAME: &'static str = "offload";

    type Loop = local::Task;
    type Call<T: Send + 'static> = Sure<Offload<T>>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        match pool {
            Pool::Blocking => BLOCKING.set(Some(ThreadPool::blocking())),
            Pool::Leaving(keep_alive) => {
                let builder = ThreadPool::builder().keep_alive(keep_alive);
                BLOCKING.set(Some(builder.build()));
            }
            Pool::Cpu(threads) => CPU.set(Some(CpuPool::with_threads(threads))),
        }
        local::Task::make().map(Some)
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        BLOCKING.with_borrow(|pool| {
            let pool = pool.as_ref().expect("the turn has made one");
            Sure(offload_on(pool, f))
        })
    }

    fn compute<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        CPU.with_borrow(|pool| {
            let pool = pool.as_ref().expect("the turn has made one");
            Sure(offload_on(pool, f))
        })
    }

    async fn map(grain: Grain, items: u32) -> u64 {
        let pool = CPU.with_borrow(|pool| pool.as_ref().map(CpuPool::handle));
        let pool = pool.expect("the turn has made one");
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let map = map_on(pool, threads, 0..items, move |number| grain.run(number));
        let results = map.collect().await.expect("nobody panics");
        results.into_iter().fold(0, u64::wrapping_add)
    }
}
