//! Who is compared in locking, queueing and sending: the same few calls, by the names each has for
//! them.
//!
//! A [`Library`] says what it has, and on which loop its users are. What a single task does is
//! written out for each of them, so that nothing is between the loop of `timed` and the call;
//! what two tasks or two threads do is written once, in [`hand_over`] and [`threads`].

/// Does something so many times and gives the time of all.
macro_rules! timed {
    ($count:expr, $number:pat => $work:expr) => {{
        let start = $crate::clock::now();
        for $number in 0..$count {
            $work;
        }
        Some($crate::clock::now() - start)
    }};
}

mod alone;
mod bare;
mod facade;
mod shared;
mod threads;
mod tokio;

#[cfg(feature = "peers")]
mod flume;
#[cfg(feature = "peers")]
mod glommio;
#[cfg(feature = "peers")]
mod local_sync;
#[cfg(feature = "peers")]
mod smol;
#[cfg(feature = "peers")]
mod unsync;

use std::fmt;
use std::future;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use super::local::LocalLoop;
use super::local::facade::Facade as Ours;
use super::local::hand_over::{self, Channel};
use super::{Contestant, Place, Room};
use crate::samples::Samples;
use threads::FarChannel;

/// Returns the contestants of this level: the floor, peers, ours.
pub(super) fn contestants() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(Sync::<bare::Bare>::new()),
        Box::new(Sync::<tokio::Tokio>::new()),
        #[cfg(feature = "peers")]
        Box::new(Sync::<smol::Smol>::new()),
        #[cfg(feature = "peers")]
        Box::new(Sync::<flume::Flume>::new()),
        #[cfg(feature = "peers")]
        Box::new(Sync::<local_sync::LocalSync>::new()),
        #[cfg(feature = "peers")]
        Box::new(Sync::<unsync::Unsync>::new()),
        #[cfg(feature = "peers")]
        Box::new(Sync::<glommio::Glommio>::new()),
        Box::new(Sync::<facade::Facade>::new()),
        Box::new(Sync::<alone::Alone>::new()),
        Box::new(Sync::<shared::Shared>::new()),
    ]
}

/// The names of ours: as the facade has them, as they are on any executor, and between threads.
pub(super) const OURS: [&str; 3] = [
    <facade::Facade as Library>::NAME,
    <alone::Alone as Library>::NAME,
    <shared::Shared as Library>::NAME,
];

/// The name of the floor.
pub(super) const FLOOR: &str = <bare::Bare as Library>::NAME;

/// Locks, queues and channels of one maker. What it does not have gives nothing.
trait Library: fmt::Debug + Send + std::marker::Sync + 'static {
    /// The name used in tables and on the command line.
    const NAME: &'static str;

    /// The loop of its users.
    type Loop: LocalLoop;

    /// A channel from task to task.
    type Channel: Channel;

    /// A channel from thread to thread that has room for so many.
    type Far: FarChannel;

    /// A channel from thread to thread that has room for any number.
    type FarUnbounded: FarChannel;

    /// Locks a mutex, adds to its value, and unlocks it.
    fn locks(count: u32) -> impl Future<Output = Option<Duration>> + 'static {
        none(count)
    }

    /// Takes a permit and gives it back.
    fn permits(count: u32) -> impl Future<Output = Option<Duration>> + 'static {
        none(count)
    }

    /// Sets an event, waits for it, and clears it.
    fn events(count: u32) -> impl Future<Output = Option<Duration>> + 'static {
        none(count)
    }

    /// Puts an item into a queue and gets it.
    fn queues(count: u32, room: Room) -> impl Future<Output = Option<Duration>> + 'static;

    /// Sends an item to a channel and receives it.
    fn channels(count: u32, room: Room) -> impl Future<Output = Option<Duration>> + 'static {
        Self::queues(count, room)
    }

    /// Sends messages to another task, each of which is answered.
    fn hand_overs(count: u32, capacity: usize) -> impl Future<Output = Option<Duration>> + 'static {
        hand_over::ping_pong::<Self::Loop, Self::Channel>(count, capacity)
    }
}

fn none(_count: u32) -> future::Ready<Option<Duration>> {
    future::ready(None)
}

/// Does all work with the library `L`.
#[derive(Debug)]
struct Sync<L>(PhantomData<L>);

impl<L: Library> Sync<L> {
    fn new() -> Self {
        Self(PhantomData)
    }

    /// Does `work` in a task of its loop; a gap if there is nothing to do it with.
    fn run<T, F>(&self, what: &str, work: F) -> io::Result<T>
    where
        F: Future<Output = Option<T>> + 'static,
        T: 'static,
    {
        self.run_on::<L::Loop, T, F>(what, work)
    }

    fn run_on<Loop: LocalLoop, T, F>(&self, what: &str, work: F) -> io::Result<T>
    where
        F: Future<Output = Option<T>> + 'static,
        T: 'static,
    {
        Loop::run(work)?.ok_or_else(|| self.lacks(what))
    }
}

impl<L: Library> Contestant for Sync<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn locks(&self, count: u32) -> io::Result<Duration> {
        self.run("lock a mutex", L::locks(count))
    }

    fn permits(&self, count: u32) -> io::Result<Duration> {
        self.run("take permits", L::permits(count))
    }

    fn events(&self, count: u32) -> io::Result<Duration> {
        self.run("tell of an event", L::events(count))
    }

    fn queues(&self, count: u32, room: Room) -> io::Result<Duration> {
        self.run("queue items", L::queues(count, room))
    }

    fn channels(&self, count: u32, room: Room) -> io::Result<Duration> {
        self.run("send items", L::channels(count, room))
    }

    fn hand_overs(&self, count: u32, capacity: usize) -> io::Result<Duration> {
        self.run("send to a task", L::hand_overs(count, capacity))
    }

    fn streams(&self, count: u32, capacity: usize) -> io::Result<Duration> {
        let work = hand_over::stream::<L::Loop, L::Channel>(count, capacity);
        self.run("send to a task", work)
    }

    fn receives(
        &self,
        place: Place,
        sender_cpu: usize,
        count: u32,
        room: Room,
    ) -> io::Result<Duration> {
        let what = "receive from a thread";
        match (place, room) {
            (Place::Home, Room::Of(_)) => {
                self.run(what, threads::receives::<L::Far>(sender_cpu, count, room))
            }
            (Place::Home, Room::Any) => {
                let work = threads::receives::<L::FarUnbounded>(sender_cpu, count, room);
                self.run(what, work)
            }
            (Place::Here, Room::Of(_)) => {
                let work = threads::receives::<L::Far>(sender_cpu, count, room);
                self.run_on::<Ours, _, _>(what, work)
            }
            (Place::Here, Room::Any) => {
                let work = threads::receives::<L::FarUnbounded>(sender_cpu, count, room);
                self.run_on::<Ours, _, _>(what, work)
            }
        }
    }

    fn trips(&self, place: Place, partner_cpu: usize, count: u32) -> io::Result<Samples> {
        let what = "talk to a thread";
        let work = threads::trips::<L::Far>(partner_cpu, count);
        match place {
            Place::Home => self.run(what, work),
            Place::Here => self.run_on::<Ours, _, _>(what, work),
        }
    }
}
