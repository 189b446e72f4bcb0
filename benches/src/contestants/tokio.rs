//! tokio on one thread: the current-thread runtime with its default settings.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task;
use tokio::time::{Instant, Sleep, sleep};

use super::{Bell, Contestant, far_delay, poll_once};
use crate::clock;
use crate::process;
use crate::samples::Samples;

/// Does everything on tokio's current-thread runtime, from within a spawned task.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tokio;

impl Contestant for Tokio {
    fn name(&self) -> &'static str {
        "tokio"
    }

    fn spawn_join(&self, count: u32) -> io::Result<Duration> {
        in_task(async move {
            let start = clock::now();
            for number in 0..count {
                black_box(task::spawn(async move { black_box(number) }).await?);
            }
            Ok(clock::now() - start)
        })?
    }

    fn spawn_batch(&self, batches: u32, size: u32) -> io::Result<Duration> {
        in_task(async move {
            let mut handles = Vec::with_capacity(size as usize);
            let start = clock::now();
            for _ in 0..batches {
                for number in 0..size {
                    handles.push(task::spawn(async move { black_box(number) }));
                }
                for handle in handles.drain(..) {
                    black_box(handle.await?);
                }
            }
            Ok(clock::now() - start)
        })?
    }

    fn yields(&self, tasks: u32, count: u32) -> io::Result<Duration> {
        in_task(async move {
            let start = clock::now();
            let spawn = |_| {
                task::spawn(async move {
                    for _ in 0..count {
                        task::yield_now().await;
                    }
                })
            };
            let handles: Vec<_> = (0..tasks).map(spawn).collect();
            for handle in handles {
                handle.await?;
            }
            Ok(clock::now() - start)
        })?
    }

    fn timers(&self, count: u32, outstanding: u32) -> io::Result<Duration> {
        // Without the exemption, every 128th poll is answered "pending" and files nothing.
        in_task(task::unconstrained(async move {
            let mut others: Vec<Pin<Box<Sleep>>> = (0..outstanding)
                .map(|number| Box::pin(sleep(far_delay(number))))
                .collect();
            for other in &mut others {
                poll_once(other.as_mut()).await;
            }
            // Lets the loop sleep once, so that it knows its next deadline.
            sleep(Duration::from_millis(1)).await;
            let start = clock::now();
            for number in 0..count {
                poll_once(pin!(sleep(far_delay(number)))).await;
            }
            clock::now() - start
        }))
    }

    fn sleeps(&self, count: u32, duration: Duration) -> io::Result<Samples> {
        in_task(async move {
            let mut samples = Samples::default();
            for _ in 0..count {
                let deadline = clock::now() + duration;
                tokio::time::sleep_until(Instant::from_std(deadline)).await;
                samples.push(clock::now() - deadline);
            }
            samples
        })
    }

    fn offloads(&self, worker_cpu: usize, count: u32) -> io::Result<Samples> {
        in_task(async move {
            let mut samples = Samples::default();
            for _ in 0..count {
                let start = clock::now();
                task::spawn_blocking(move || process::pin_once(worker_cpu)).await?;
                samples.push(clock::now() - start);
            }
            Ok(samples)
        })?
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let bell = Bell::default();
        let runtime = runtime()?;
        thread::scope(|scope| {
            let ringer = scope.spawn(|| bell.ring_often(ringer_cpu, count, no_listener));
            let samples = runtime.block_on(async {
                let mut samples = Samples::default();
                for _ in 0..count {
                    samples.push(bell.heard().await);
                }
                samples
            });
            ringer
                .join()
                .map_err(|_| io::Error::other("the ringer panicked"))??;
            Ok(samples)
        })
    }
}

fn in_task<F>(work: F) -> io::Result<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let runtime = runtime()?;
    Ok(runtime.block_on(async { task::spawn(work).await })?)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn no_listener() -> io::Result<()> {
    Err(io::Error::other("rung before a waker was left"))
}
