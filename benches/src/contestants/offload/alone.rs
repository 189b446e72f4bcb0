//! `ringloop-offload` alone, awaited on the scheduler that only sleeps.

use std::cell::RefCell;
use std::io;

use ringloop_offload::{Offload, ThreadPool, offload_on};

use super::local::{Sure, task as local};
use super::{Bridge, LocalLoop, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Alone;

thread_local! {
    /// The pool of this thread's turn.
    static POOL: RefCell<Option<ThreadPool>> = const { RefCell::new(None) };
}

impl Bridge for Alone {
    const NAME: &'static str = "offload";

    type Loop = local::Task;
    type Call<T: Send + 'static> = Sure<Offload<T>>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        POOL.set(Some(match pool {
            Pool::Blocking => ThreadPool::blocking(),
            Pool::Leaving(keep_alive) => ThreadPool::builder().keep_alive(keep_alive).build(),
            Pool::Cpu(threads) => ThreadPool::fixed(threads),
        }));
        local::Task::make().map(Some)
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        POOL.with_borrow(|pool| {
            let pool = pool.as_ref().expect("the turn has made one");
            Sure(offload_on(pool, f))
        })
    }
}
