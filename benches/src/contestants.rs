//! Who is compared: the same pieces of work, done by the floor and by others of the same level.

mod bell;
mod floor;
mod local;
mod net;
mod offload;
mod ops;
mod ringloop;
mod service;
mod sync;
mod tokio;

use std::fmt;
use std::future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::grain::Grain;
use crate::meter::Cost;
use crate::samples::Samples;

pub use bell::Bell;
pub use floor::Floor;
pub use ringloop::Ringloop;
pub use service::Service;
pub use tokio::Tokio;

/// One way to do every piece of work that is measured.
///
/// Each method is one turn: it sets up whatever it needs on the calling thread, does the work
/// `count` times, and returns the time of the work alone. Work that a contestant cannot do is
/// refused with [`io::ErrorKind::Unsupported`] and shown as a gap; that is what the methods do that
/// a contestant does not have.
pub trait Contestant: fmt::Debug + Send + Sync {
    /// Returns the name used in tables and on the command line.
    fn name(&self) -> &'static str;

    /// Returns the error by which it refuses to do something, or anything of that kind.
    fn lacks(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, format!("cannot {what}"))
    }

    /// Tells whether [`serve`](Self::serve) does anything of that kind, on so many connections.
    fn can_serve(&self, service: Service, connections: u32) -> bool {
        let _unused = (service, connections);
        false
    }

    /// Listens on the loopback interface and tells `announce` where; accepts `connections`
    /// connections and does its `service` on each of them, until all are closed.
    ///
    /// # Errors
    ///
    /// What the sockets, the set-up or `announce` say.
    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        let _unused = (connections, announce);
        Err(self.lacks(service.about()))
    }

    /// Connects `count` times to a listener of its own, `in_flight` connections at a time, on one
    /// thread. The listener's side accepts each of them and closes it; the other side sees that,
    /// and closes too.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn connects(&self, count: u32, in_flight: u32) -> io::Result<Duration> {
        let _unused = (count, in_flight);
        Err(self.lacks("connect to itself"))
    }

    /// Spawns a task and awaits its result, `count` times, from within a task.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn spawn_join(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("spawn tasks"))
    }

    /// Spawns `size` tasks, then awaits them all; repeats this `batches` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn spawn_batch(&self, batches: u32, size: u32) -> io::Result<Duration> {
        let _unused = (batches, size);
        Err(self.lacks("spawn tasks"))
    }

    /// The same as [`spawn_join`](Self::spawn_join) with tasks that are polled by the spawn itself.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn spawn_eager(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("spawn tasks"))
    }

    /// Lets each of `tasks` tasks give way `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn yields(&self, tasks: u32, count: u32) -> io::Result<Duration> {
        let _unused = (tasks, count);
        Err(self.lacks("switch between tasks"))
    }

    /// Files a timer and takes it back, `count` times, beside `outstanding` others.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn timers(&self, count: u32, outstanding: u32) -> io::Result<Duration> {
        let _unused = (count, outstanding);
        Err(self.lacks("keep timers"))
    }

    /// Sleeps `count` times for `duration`; returns how late each sleep ended.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn sleeps(&self, count: u32, duration: Duration) -> io::Result<Samples> {
        let _unused = (count, duration);
        Err(self.lacks("sleep"))
    }

    /// Lets two tasks send each other `count` messages, each over a one-shot of its own, which is
    /// sent with the message before.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn ping_one_shots(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("hand over a value"))
    }

    /// Lets two tasks send each other `count` messages over two channels.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn ping_channels(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("send to a channel"))
    }

    /// Puts `count` tasks to sleep; returns what they take.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn sleepers(&self, count: u32) -> io::Result<Footprint> {
        let _unused = count;
        Err(self.lacks("put tasks to sleep"))
    }

    /// Wakes `batch` parked tasks from their own thread and lets them be polled, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn wakes_near(&self, batch: u32, count: u32) -> io::Result<Duration> {
        let _unused = (batch, count);
        Err(self.lacks("wake tasks"))
    }

    /// The same from a thread on `waker_cpu`, while the loop is not asleep.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn wakes_far(&self, waker_cpu: usize, batch: u32, count: u32) -> io::Result<Duration> {
        let _unused = (waker_cpu, batch, count);
        Err(self.lacks("wake tasks"))
    }

    /// Makes schedulers and drops them, for some `duration`.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn starts(&self, duration: Duration) -> io::Result<Start> {
        let _unused = duration;
        Err(self.lacks("be made again and again"))
    }

    /// Locks a mutex that nobody else wants, adds to its value, and gives it up, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn locks(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("lock a mutex"))
    }

    /// Takes a permit of a semaphore that has some, and gives it back, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn permits(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("take permits"))
    }

    /// Tells of something, waits for it, which is over at once, and is ready for the next time,
    /// `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn events(&self, count: u32) -> io::Result<Duration> {
        let _unused = count;
        Err(self.lacks("wait for an event"))
    }

    /// Puts an item into a queue and gets it out again, in one task, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn queues(&self, count: u32, room: Room) -> io::Result<Duration> {
        let _unused = (count, room);
        Err(self.lacks("queue items"))
    }

    /// The same with both ends of a channel, where that is not the same.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn channels(&self, count: u32, room: Room) -> io::Result<Duration> {
        self.queues(count, room)
    }

    /// Lets two tasks send each other `count` messages, over two channels for `capacity` items.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn hand_overs(&self, count: u32, capacity: usize) -> io::Result<Duration> {
        let _unused = (count, capacity);
        Err(self.lacks("send to another task"))
    }

    /// Sends `count` items from one task to another, over a channel for `capacity` items.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn streams(&self, count: u32, capacity: usize) -> io::Result<Duration> {
        let _unused = (count, capacity);
        Err(self.lacks("send many items to another task"))
    }

    /// Receives `count` items, which a thread on `sender_cpu` sends as fast as it can.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn receives(
        &self,
        place: Place,
        sender_cpu: usize,
        count: u32,
        room: Room,
    ) -> io::Result<Duration> {
        let _unused = (place, sender_cpu, count, room);
        Err(self.lacks("receive from a thread"))
    }

    /// Sends an item to a thread on `partner_cpu`, which sends it back, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn trips(&self, place: Place, partner_cpu: usize, count: u32) -> io::Result<Samples> {
        let _unused = (place, partner_cpu, count);
        Err(self.lacks("talk to a thread"))
    }

    /// Has an empty job done by a worker thread on `worker_cpu`, `count` times, and waits for it.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn offloads(&self, worker_cpu: usize, count: u32) -> io::Result<Samples> {
        let _unused = (worker_cpu, count);
        Err(self.lacks("offload jobs"))
    }

    /// Has `size` empty jobs done at once, by its pool for blocking work, and waits for all of them;
    /// repeats this `batches` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn offload_batch(&self, batches: u32, size: u32, waiters: Waiters) -> io::Result<Duration> {
        let _unused = (batches, size, waiters);
        Err(self.lacks("offload many jobs at once"))
    }

    /// Computes something of each of `items` numbers on as many threads as there are cores,
    /// `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn offload_map(&self, grain: Grain, items: u32, count: u32) -> io::Result<Duration> {
        let _unused = (grain, items, count);
        Err(self.lacks("offload a computation"))
    }

    /// Sleeps `count` times for `duration` while all threads for computing are busy with jobs of
    /// `grain`, and more wait; returns how late each sleep ended.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn sleeps_beside(&self, grain: Grain, count: u32, duration: Duration) -> io::Result<Samples> {
        let _unused = (grain, count, duration);
        Err(self.lacks("run a loop beside computations"))
    }

    /// Has some jobs done and then none for a `window`; returns what its threads do meanwhile.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn idles(&self, window: Duration) -> io::Result<Idle> {
        let _unused = window;
        Err(self.lacks("keep idle threads"))
    }

    /// Is woken by a thread on `ringer_cpu`, `count` times, while it sleeps; returns the times from
    /// before the call that wakes to the woken code.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let _unused = (ringer_cpu, count);
        Err(self.lacks("be woken"))
    }

    /// Does `count` operations that do nothing, `batch` of them at a time.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn nops(&self, batch: u32, count: u32) -> io::Result<Cost> {
        let _unused = (batch, count);
        Err(self.lacks("do nothing: it has no such operation"))
    }

    /// Reads the first bytes of a cached `file` into an owned buffer, `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn reads(&self, file: &Path, count: u32) -> io::Result<Cost> {
        let _unused = (file, count);
        Err(self.lacks("read a file"))
    }

    /// Reads random pages of a file past the page cache for a while.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let _unused = plan;
        Err(self.lacks("read past the page cache"))
    }
}

/// Hears where a server listens.
pub type Announce<'a> = dyn Fn(SocketAddr) -> io::Result<()> + 'a;

/// The address that all servers bind: loopback, any port.
pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Whole runtimes: tasks, timers, threads.
    Runtime,
    /// Sockets of whole runtimes.
    Net,
    /// Schedulers of one thread.
    Task,
    /// Locks, queues and channels.
    Sync,
    /// Blocking and computing work that a loop has done by threads.
    Offload,
    /// Operations of the ring, without a scheduler above them.
    Op,
}

impl Level {
    /// All levels, in the order in which they are measured.
    pub const ALL: [Self; 6] = [
        Self::Runtime,
        Self::Net,
        Self::Task,
        Self::Sync,
        Self::Offload,
        Self::Op,
    ];

    /// Returns the contestants, ours last: the order in which results are shown. Where there are
    /// floors, they are the first.
    pub fn contestants(self) -> Vec<Box<dyn Contestant>> {
        match self {
            Self::Runtime => vec![Box::new(Floor), Box::new(Tokio), Box::new(Ringloop)],
            Self::Net => net::contestants(),
            Self::Task => local::contestants(),
            Self::Sync => sync::contestants(),
            Self::Offload => offload::contestants(),
            Self::Op => ops::contestants(),
        }
    }

    /// Returns the names of ours, where they are compared with the best of the others instead of
    /// each of them.
    pub fn ours(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Net => Some(&net::OURS),
            Self::Task => Some(&local::OURS),
            Self::Sync => Some(&sync::OURS),
            Self::Offload => Some(&offload::OURS),
            Self::Runtime | Self::Op => None,
        }
    }

    /// Returns the names of the floors, where ours are compared with the best of them beside the
    /// best of the others.
    pub fn floors(self) -> &'static [&'static str] {
        match self {
            Self::Net => &net::FLOORS,
            Self::Sync => &[sync::FLOOR],
            Self::Runtime | Self::Task | Self::Offload | Self::Op => &[],
        }
    }

    /// Returns a word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Net => "net",
            Self::Task => "task",
            Self::Sync => "sync",
            Self::Offload => "offload",
            Self::Op => "op",
        }
    }
}

/// Returns the contestant called `name`; no name is used on two levels.
pub fn by_name(name: &str) -> Option<Box<dyn Contestant>> {
    let all = Level::ALL.into_iter().flat_map(Level::contestants);
    all.into_iter().find(|contestant| contestant.name() == name)
}

/// Reads of random pages.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DirectReads<'a> {
    /// The file, longer than a page.
    pub file: &'a Path,
    /// How many pages it has.
    pub pages: u32,
    /// How many reads are in flight.
    pub depth: u32,
    /// For how long.
    pub duration: Duration,
    /// On which processor; the calling thread is bound to it already.
    pub cpu: usize,
}

/// How much was done in which time.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Throughput {
    /// How many operations were completed.
    pub operations: u64,
    /// In which time.
    pub elapsed: Duration,
}

/// What many tasks take that sleep.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Footprint {
    /// Memory of all, on all threads.
    pub bytes: i64,
    /// Calls of the allocator that asked for memory, on the thread of the tasks.
    pub allocations: u64,
    /// The size of the future of one.
    pub future: usize,
}

/// The seconds it takes to make a scheduler and to drop it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Start {
    /// Without using it.
    pub bare: f64,
    /// With a task that is spawned and awaited on it.
    pub with_a_task: f64,
}

/// How many items a queue takes before a put has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Room {
    /// So many.
    Of(usize),
    /// As many as there is memory for.
    Any,
}

/// On which loop a channel is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The loop that its users have.
    Home,
    /// That of ringloop, for all alike.
    Here,
}

/// Who waits for many jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiters {
    /// One task, for one after the other, in the order in which they were offloaded.
    One,
    /// A task for each job.
    Each,
}

/// What a pool does that has nothing to do.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Idle {
    /// How many threads it keeps, with its default settings.
    pub threads: usize,
    /// How often all of them together run, per second.
    pub wakes: f64,
    /// How many threads are left after a short keep-alive; none if the keep-alive cannot be set.
    pub left: Option<usize>,
}

/// Returns deadlines that are spread over a minute and all far away, the same for everybody.
pub fn far_delay(number: u32) -> Duration {
    Duration::from_secs(60) + Duration::from_millis(u64::from(number.wrapping_mul(SPREAD) >> 16))
}

const SPREAD: u32 = 0x9e37_79b9;

/// Polls a future once and expects it to be pending; the caller drops it.
async fn poll_once(mut future: Pin<&mut impl Future>) {
    future::poll_fn(|context| {
        assert!(
            future.as_mut().poll(context).is_pending(),
            "the timer is far away"
        );
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests;
