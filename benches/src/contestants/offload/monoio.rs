//! monoio with the pool that it brings along, which its users attach and give a size.

use std::io;

use monoio::blocking::{DefaultThreadPool, JoinError};
use monoio::task::JoinHandle;
use monoio::{IoUringDriver, RuntimeBuilder};

use super::local::{Sure, monoio as local};
use super::{Bridge, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Monoio;

impl Bridge for Monoio {
    const NAME: &'static str = "monoio-pool";

    type Loop = local::Monoio;
    type Call<T: Send + 'static> = Sure<JoinHandle<Result<T, JoinError>>>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        let threads = match pool {
            Pool::Blocking => BLOCKING_THREADS,
            Pool::Cpu(threads) => threads,
            Pool::Leaving(_) => return Ok(None),
        };
        let builder = RuntimeBuilder::<IoUringDriver>::new();
        let builder = builder.attach_thread_pool(Box::new(DefaultThreadPool::new(threads)));
        builder.enable_timer().build().map(Some)
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Sure(monoio::spawn_blocking(f))
    }
}

/// There is no default.
const BLOCKING_THREADS: usize = 4;
