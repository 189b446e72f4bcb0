//! smol's pool, the crate `blocking`: one for the process, whose size can be changed.

use std::io;
use std::num::NonZero;

use async_executor::Task;

use super::local::smol as local;
use super::{Bridge, LocalLoop, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Smol;

impl Bridge for Smol {
    const NAME: &'static str = "smol-pool";

    type Loop = local::Smol;
    type Call<T: Send + 'static> = Task<T>;

    const THREADS_THAT_STAY: Option<&str> = Some("blocking-");

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        let threads = match pool {
            Pool::Blocking => BLOCKING_THREADS,
            Pool::Cpu(threads) => threads,
            Pool::Leaving(_) => return Ok(None),
        };
        limit(threads);
        local::Smol::make().map(Some)
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        blocking::unblock(f)
    }

    fn close() {
        // Those beyond leave within half a second, and do not disturb others.
        limit(1);
    }
}

fn limit(threads: usize) {
    if let Some(threads) = NonZero::new(threads) {
        blocking::set_max_blocking_threads(threads);
    }
}

/// The default, said again: another turn may have changed it.
const BLOCKING_THREADS: usize = 500;
