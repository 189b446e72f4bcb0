//! Who is compared: the same pieces of work, done by the floor and by runtimes.

mod bell;
mod floor;
mod ringloop;
mod tokio;

use std::fmt;
use std::future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::samples::Samples;

pub use bell::Bell;
pub use floor::Floor;
pub use ringloop::Ringloop;
pub use tokio::Tokio;

/// One way to do every piece of work that is measured.
///
/// Each method is one turn: it sets up whatever it needs on the calling thread, does the work
/// `count` times, and returns the time of the work alone. Work that a contestant cannot do is
/// refused with [`io::ErrorKind::Unsupported`] and shown as a gap.
pub trait Contestant: fmt::Debug + Send + Sync {
    /// Returns the name used in tables and on the command line.
    fn name(&self) -> &'static str;

    /// Listens on the loopback interface and tells `announce` where; accepts `connections`
    /// connections and echoes what they send, until all are closed.
    ///
    /// # Errors
    ///
    /// What the sockets, the set-up or `announce` say.
    fn serve(&self, connections: u32, announce: &Announce<'_>) -> io::Result<()>;

    /// Spawns a task and awaits its result, `count` times, from within a task.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn spawn_join(&self, count: u32) -> io::Result<Duration>;

    /// Spawns `size` tasks, then awaits them all; repeats this `batches` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn spawn_batch(&self, batches: u32, size: u32) -> io::Result<Duration>;

    /// Lets each of `tasks` tasks give way `count` times.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn yields(&self, tasks: u32, count: u32) -> io::Result<Duration>;

    /// Files a timer and takes it back, `count` times, beside `outstanding` others.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn timers(&self, count: u32, outstanding: u32) -> io::Result<Duration>;

    /// Sleeps `count` times for `duration`; returns how late each sleep ended.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn sleeps(&self, count: u32, duration: Duration) -> io::Result<Samples>;

    /// Has an empty job done by a worker thread on `worker_cpu`, `count` times, and waits for it.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn offloads(&self, worker_cpu: usize, count: u32) -> io::Result<Samples>;

    /// Is woken by a thread on `ringer_cpu`, `count` times, while it sleeps; returns the times from
    /// before the call that wakes to the woken code.
    ///
    /// # Errors
    ///
    /// What the set-up says.
    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples>;
}

/// Hears where a server listens.
pub type Announce<'a> = dyn Fn(SocketAddr) -> io::Result<()> + 'a;

/// The address that all servers bind: loopback, any port.
pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Returns all contestants, the floor first: the order in which results are shown.
pub fn all() -> Vec<Box<dyn Contestant>> {
    vec![Box::new(Floor), Box::new(Tokio), Box::new(Ringloop)]
}

/// Returns the contestant called `name`.
pub fn by_name(name: &str) -> Option<Box<dyn Contestant>> {
    all()
        .into_iter()
        .find(|contestant| contestant.name() == name)
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
