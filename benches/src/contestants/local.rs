//! Who is compared as a scheduler of one thread: the same code on each, but for the names it calls.
//!
//! A [`LocalLoop`] says how one spawns, gives way, sleeps, and hands something over. The work is
//! written once on top of that, in [`work`] and [`wakes`], and runs within a task of the loop.

pub(super) mod facade;
pub(super) mod hand_over;
pub(super) mod task;
pub(super) mod tokio;
mod wakes;
pub(super) mod work;

#[cfg(feature = "peers")]
pub(super) mod compio;
#[cfg(feature = "peers")]
pub(super) mod glommio;
#[cfg(feature = "peers")]
pub(super) mod monoio;
#[cfg(feature = "peers")]
pub(super) mod smol;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Bell, Contestant, Footprint, Start};
use crate::clock;
use crate::samples::Samples;
use hand_over::Channel;

/// Returns the contestants of this level, ours last.
pub(super) fn contestants() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(Local::<tokio::Tokio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Local::<monoio::Monoio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Local::<glommio::Glommio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Local::<compio::Compio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Local::<smol::Smol>::new()),
        Box::new(Local::<facade::Facade>::new()),
        Box::new(Local::<task::Task>::new()),
    ]
}

/// The names of ours: with a ring, and without one.
pub(super) const OURS: [&str; 2] = [
    <facade::Facade as LocalLoop>::NAME,
    <task::Task as LocalLoop>::NAME,
];

/// A loop of one thread, whose tasks need not be `Send`.
///
/// The futures may end with anything; only the time until they end counts.
pub(super) trait LocalLoop: fmt::Debug + Send + Sync + 'static {
    /// The name used in tables and on the command line.
    const NAME: &'static str;

    /// The loop itself, and whatever has to be kept beside it.
    type Scheduler;

    /// Awaits the output of a task.
    type Join<T: 'static>: Future<Output = T> + 'static;

    /// The end of a one-shot that puts the value in.
    type Setter<T: 'static>: 'static;

    /// The end of a one-shot that waits for the value.
    type Postbox<T: 'static>: Future<Output = T> + 'static;

    /// The channel that one would use on this loop.
    type Channel: Channel;

    /// Whether [`spawn`](Self::spawn) leaves the first poll to the loop.
    const SPAWNS_LATER: bool = true;

    /// Whether [`yield_now`](Self::yield_now) lets others run.
    const GIVES_WAY: bool = true;

    /// Makes a loop as its default settings say, on the least that it can stand on.
    fn make() -> io::Result<Self::Scheduler>;

    /// Runs the loop until `future` is done.
    fn block_on<F: Future>(scheduler: &mut Self::Scheduler, future: F) -> F::Output;

    /// Spawns a task. Within the loop.
    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output>;

    /// Spawns a task that is polled before this returns, if the loop does such a thing.
    fn spawn_eager<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> Option<Self::Join<F::Output>>;

    /// Gives way to others.
    fn yield_now() -> impl Future;

    /// Sleeps.
    fn sleep(duration: Duration) -> impl Future;

    /// Makes a one-shot.
    fn one_shot<T: 'static>() -> (Self::Setter<T>, Self::Postbox<T>);

    /// Puts the value in.
    fn set<T: 'static>(setter: Self::Setter<T>, value: T);

    /// Makes a scheduler that has timers, to do other work on than making schedulers.
    fn make_whole() -> io::Result<Self::Scheduler> {
        Self::make()
    }

    /// Exempts a future from being told "pending" for the sake of others.
    fn unbudgeted<F: Future>(future: F) -> impl Future<Output = F::Output> {
        future
    }

    /// Makes a loop and does `work` in a task of it.
    fn run<F: Future<Output: 'static> + 'static>(work: F) -> io::Result<F::Output> {
        let mut scheduler = Self::make_whole()?;
        let output = Self::block_on(&mut scheduler, async { Self::spawn(work).await });
        Ok(output)
    }
}

/// Does all work on a loop of type `L`.
#[derive(Debug)]
struct Local<L>(PhantomData<L>);

impl<L> Local<L> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: LocalLoop> Local<L> {
    /// Refuses to be compared where a spawn is half of the work only.
    fn spawns_later(&self) -> io::Result<()> {
        if L::SPAWNS_LATER {
            Ok(())
        } else {
            Err(self.lacks("leave the first poll of a task to the loop; see task-eager"))
        }
    }
}

impl<L: LocalLoop> Contestant for Local<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn spawn_join(&self, count: u32) -> io::Result<Duration> {
        self.spawns_later()?;
        L::run(work::spawn_join::<L>(count))
    }

    fn spawn_batch(&self, batches: u32, size: u32) -> io::Result<Duration> {
        self.spawns_later()?;
        L::run(work::spawn_batch::<L>(batches, size))
    }

    fn spawn_eager(&self, count: u32) -> io::Result<Duration> {
        let elapsed = L::run(work::spawn_eager::<L>(count))?;
        elapsed.ok_or_else(|| self.lacks("poll a task while spawning it"))
    }

    fn yields(&self, tasks: u32, count: u32) -> io::Result<Duration> {
        if !L::GIVES_WAY {
            return Err(self.lacks("give way: a task that wakes itself is polled again at once"));
        }
        L::run(work::yields::<L>(tasks, count))
    }

    fn ping_one_shots(&self, count: u32) -> io::Result<Duration> {
        L::run(work::ping_pong::<L>(count))
    }

    fn ping_channels(&self, count: u32) -> io::Result<Duration> {
        let elapsed = L::run(hand_over::ping_pong::<L, L::Channel>(count, 1))?;
        elapsed.ok_or_else(|| self.lacks("send to a channel"))
    }

    fn timers(&self, count: u32, outstanding: u32) -> io::Result<Duration> {
        L::run(L::unbudgeted(work::timers::<L>(count, outstanding)))
    }

    fn sleepers(&self, count: u32) -> io::Result<Footprint> {
        L::run(work::sleepers::<L>(count))
    }

    fn sleeps(&self, count: u32, duration: Duration) -> io::Result<Samples> {
        L::run(async move {
            let mut samples = Samples::default();
            for _ in 0..count {
                let deadline = clock::now() + duration;
                let _slept = L::sleep(duration).await;
                samples.push(clock::now() - deadline);
            }
            samples
        })
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        wakes::from_sleep::<L>(ringer_cpu, count)
    }

    fn wakes_near(&self, batch: u32, count: u32) -> io::Result<Duration> {
        L::run(wakes::near::<L>(batch, count))
    }

    fn wakes_far(&self, waker_cpu: usize, batch: u32, count: u32) -> io::Result<Duration> {
        L::run(wakes::far::<L>(waker_cpu, batch, count))?
    }

    fn starts(&self, duration: Duration) -> io::Result<Start> {
        work::starts::<L>(duration)
    }
}

/// A handle whose output is a result that cannot be an error here: nobody panics or cancels.
#[derive(Debug)]
pub(super) struct Sure<F>(pub(super) F);

impl<F, T, E> Future for Sure<F>
where
    F: Future<Output = Result<T, E>> + Unpin,
    E: fmt::Debug,
{
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let polled = Pin::new(&mut self.0).poll(cx);
        polled.map(|result| result.expect("nobody panics, cancels or goes away here"))
    }
}

/// Gives way in the plainest fashion, for loops that have no word for it.
#[cfg(feature = "peers")]
#[derive(Debug, Default)]
struct GiveWay {
    has_yielded: bool,
}

#[cfg(feature = "peers")]
impl Future for GiveWay {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_yielded {
            return Poll::Ready(());
        }
        self.has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
