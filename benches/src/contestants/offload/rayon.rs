//! rayon, which computes and has no loop: the thread that asks waits.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use rayon::ThreadPoolBuilder;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::{Contestant, unbind};
use crate::clock;
use crate::grain::Grain;

#[derive(Debug)]
pub(super) struct Rayon;

impl Contestant for Rayon {
    fn name(&self) -> &'static str {
        "rayon"
    }

    fn offload_map(&self, grain: Grain, items: u32, count: u32) -> io::Result<Duration> {
        let threads = unbind()?;
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(io::Error::other)?;
        // As the others: there is a list of the results, which is added up afterwards.
        let map = |items: u32| {
            let results = pool.install(|| {
                let items = (0..items).into_par_iter();
                items.map(|number| grain.run(number)).collect::<Vec<u64>>()
            });
            results.into_iter().fold(0, u64::wrapping_add)
        };
        black_box(map(items / 10));
        let start = clock::now();
        for _ in 0..count {
            black_box(map(items));
        }
        Ok(clock::now() - start)
    }
}
