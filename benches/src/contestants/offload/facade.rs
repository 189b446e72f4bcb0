//! ringloop's facade and its two pools, with default settings.

use std::io;

use ringloop::offload::{self, Offloaded};

use super::local::{Sure, facade as local};
use super::{Bridge, LocalLoop, Pool, Scheduler};
use crate::grain::Grain;

#[derive(Debug)]
pub(super) struct Facade;

impl Bridge for Facade {
    const NAME: &'static str = "ringloop-pool";

    type Loop = local::Facade;
    type Call<T: Send + 'static> = Sure<Offloaded<T>>;

    fn make(pool: Pool) -> io::Result<Option<Scheduler<Self>>> {
        match pool {
            Pool::Blocking | Pool::Cpu(_) => local::Facade::make().map(Some),
            Pool::Leaving(_) => Ok(None),
        }
    }

    fn submit<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Sure(ringloop::offload(f))
    }

    fn compute<T, F>(f: F) -> Self::Call<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Sure(offload::cpu(f))
    }

    async fn map(grain: Grain, items: u32) -> u64 {
        let map = offload::cpu_map(0..items, move |number| grain.run(number));
        let results = map.collect().await.expect("nobody panics");
        results.into_iter().fold(0, u64::wrapping_add)
    }
}
