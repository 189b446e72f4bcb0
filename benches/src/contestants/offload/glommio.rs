//! glommio's pool, which has one thread unless told otherwise.

use std::io;

use glommio::{LocalExecutorBuilder, PoolPlacement, Task};

use super::local::glommio as local;
use super::{Bridge, LocalLoop, Pool, Scheduler};

#[derive(Debug)]
pub(super) struct Glommio;

impl Bridge for Glommio {
    const NAME: &'static str = "glommio-pool";

    type Loop = local::Glommio;
    type Call<T: Send + 'static> = Task<T>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        let builder = LocalExecutorBuilder::default();
        let builder = match pool {
            Pool::Blocking => return local::Glommio::make().map(Some),
            Pool::Cpu(threads) => {
                builder.blocking_thread_pool_placement(PoolPlacement::Unbound(threads))
            }
            Pool::Leaving(_) => return Ok(None),
        };
        builder.make().map(Some).map_err(local::refused)
    }

    /// It is sent when it is polled, so that a task has to do that.
    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        glommio::spawn_local(Self::call(f))
    }

    async fn call<T, F>(f: F) -> T
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        glommio::executor().spawn_blocking(f).await
    }
}
