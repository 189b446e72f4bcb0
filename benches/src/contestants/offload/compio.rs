//! compio's pool.

use std::io;

use compio_driver::ProactorBuilder;
use compio_runtime::{JoinHandle, RuntimeBuilder};

use super::local::{Sure, compio as local};
use super::{Bridge, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Compio;

impl Bridge for Compio {
    const NAME: &'static str = "compio-pool";

    type Loop = local::Compio;
    type Call<T: Send + 'static> = Sure<JoinHandle<T>>;

    // It has no queue: its loop spins while all threads are busy.
    const JOBS_PER_THREAD: usize = 1;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        let mut proactor = ProactorBuilder::new();
        match pool {
            Pool::Blocking => &mut proactor,
            Pool::Leaving(keep_alive) => proactor.thread_pool_recv_timeout(keep_alive),
            Pool::Cpu(threads) => proactor.thread_pool_limit(threads),
        };
        let runtime = RuntimeBuilder::new().with_proactor(proactor).build();
        runtime.map(Some)
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Sure(compio_runtime::spawn_blocking(f))
    }
}
