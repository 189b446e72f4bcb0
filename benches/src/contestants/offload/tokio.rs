//! tokio's pool for blocking work, beside its current-thread runtime.

use std::io;

use tokio::runtime::Builder;
use tokio::task::{self, JoinHandle, LocalSet};

use super::local::{Sure, tokio as local};
use super::{Bridge, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Tokio;

impl Bridge for Tokio {
    const NAME: &'static str = "tokio-pool";

    type Loop = local::Tokio;
    type Call<T: Send + 'static> = Sure<JoinHandle<T>>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        let mut builder = Builder::new_current_thread();
        match pool {
            Pool::Blocking => &mut builder,
            Pool::Leaving(keep_alive) => builder.thread_keep_alive(keep_alive),
            Pool::Cpu(threads) => builder.max_blocking_threads(threads),
        };
        Ok(Some((LocalSet::new(), builder.enable_all().build()?)))
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Sure(task::spawn_blocking(f))
    }
}
