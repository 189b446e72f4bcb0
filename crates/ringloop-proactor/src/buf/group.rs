//! Groups of provided buffers, for the operations that take one when bytes are there.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use ringloop_core::WaitKey;

use super::pool::Parts;
use super::{BufGroupConfig, BufPool, Chunk, PoolSpec};
use crate::handle::Handle;
use crate::ring::{BUFFER_SELECT, Cqe, NO_HOME, Sqe};

/// Buffers that the kernel picks from when bytes arrive. Cloning counts.
///
/// A waiting operation holds no buffer. What arrives is lent as a [`Chunk`], and dropping that
/// provides the buffer again. The group is bounded: when all buffers are lent it grows up to
/// [`count_max`](BufGroupConfig::count_max), and beyond that an operation ends with `ENOBUFS`, its
/// bytes stay where they were, and [`wait_provided`](Self::wait_provided) tells when to try again.
/// The group ends with its last clone, chunk and operation. It is of use with the proactor that made
/// it: an operation of another one ends with `EXDEV`.
///
/// Counterpart: `io_uring_register_buf_ring(3)`.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{BufGroupConfig, Config, Proactor};
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let group = handle.provide(&BufGroupConfig::default())?;
/// let (near, mut far) = UnixStream::pair()?;
/// far.write_all(b"hello")?;
/// let near = handle.adopt(near);
/// let chunk = proactor.block_on(handle.recv_provided(&near, &group))??;
/// assert_eq!(&chunk[..], b"hello");
/// assert_eq!(group.stats().lent, 1);
/// drop(chunk);
/// assert_eq!(group.stats().lent, 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[doc(alias = "io_uring_register_buf_ring")]
#[doc(alias = "io_uring_setup_buf_ring")]
pub struct BufGroup {
    pool: Rc<BufPool>,
}

/// What a [`BufGroup`] has at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufGroupStats {
    /// Buffers that the kernel may pick.
    pub provided: u16,
    /// Buffers that chunks hold and the kernel does not.
    pub lent: u16,
    /// Buffers that the group may grow by. They take no memory.
    pub spare: u16,
    /// The length of a buffer.
    pub len_bytes: u32,
    /// How many buffers the group has grown by, from its start.
    pub grown: u64,
}

impl BufGroup {
    /// Returns the group's number, which an entry of one's own names.
    ///
    /// The number is used again once the group has ended.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.pool.group()
    }

    /// Returns whether one buffer may hold the bytes of several completions.
    #[must_use]
    pub fn is_incremental(&self) -> bool {
        self.pool.is_incremental
    }

    /// Returns how many buffers are where.
    #[must_use]
    pub fn stats(&self) -> BufGroupStats {
        let (provided, count) = (self.pool.provided(), self.pool.count());
        BufGroupStats {
            provided,
            lent: count - provided,
            spare: self.pool.max() - count,
            len_bytes: self.pool.len_bytes(),
            grown: self.pool.grown.get(),
        }
    }

    /// Gives buffers beyond `count` back to the system, as they come home.
    ///
    /// The group keeps one at least, and grows again when it is empty. What the kernel holds
    /// stays provided until it has been used.
    pub fn shrink_to(&self, count: u16) {
        self.pool.shrink_to(count);
    }

    /// Waits until the kernel has a buffer to pick, first by letting the group grow.
    ///
    /// This is what to do about `ENOBUFS`. All who wait are resumed when a buffer comes home, in
    /// the order in which they came; who finds it taken waits again.
    ///
    /// # Errors
    ///
    /// If the proactor has been shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is taken.
    pub fn wait_provided(&self) -> WaitProvided {
        WaitProvided {
            pool: Rc::clone(&self.pool),
            key: None,
        }
    }

    /// Names the group in an entry, which then is for the proactor that made the group only: the
    /// kernel knows groups by their numbers in one ring.
    pub(crate) fn named_in(&self, sqe: Sqe) -> Sqe {
        let home = self.pool.home();
        Sqe {
            flags: sqe.flags | BUFFER_SELECT,
            buffer: self.id(),
            pad: if [0, home].contains(&sqe.pad) {
                home
            } else {
                NO_HOME
            },
            ..sqe
        }
    }

    /// The bytes of a completion of an operation that named this group; `None` if it took no
    /// buffer. Of a bundle, use [`chunks`](Self::chunks).
    ///
    /// Each completion is asked for once, in the order in which they came: in a group that is filled
    /// in parts, that is how one part is told from the next.
    pub(crate) fn lease(&self, cqe: Cqe) -> Option<Chunk> {
        self.chunks(cqe).next()
    }

    /// The bytes of a completion that may span several buffers. In the order of completions, too:
    /// which buffer follows which can be seen until they are provided again.
    pub(crate) fn chunks(&self, cqe: Cqe) -> Chunks<'_> {
        Chunks {
            pool: &self.pool,
            parts: self.pool.parts(cqe),
        }
    }
}

impl fmt::Debug for BufGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufGroup")
            .field("id", &self.id())
            .field("is_incremental", &self.is_incremental())
            .field("stats", &self.stats())
            .finish()
    }
}

/// The chunks of one completion. What is not taken is given back.
pub(crate) struct Chunks<'a> {
    pool: &'a Rc<BufPool>,
    parts: Parts<'a>,
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let part = self.parts.next()?;
        Some(Chunk::lent(Rc::clone(self.pool), part))
    }
}

impl Drop for Chunks<'_> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// The future of [`BufGroup::wait_provided`].
#[must_use = "a wait does nothing until it is awaited"]
pub struct WaitProvided {
    pool: Rc<BufPool>,
    key: Option<WaitKey>,
}

impl Future for WaitProvided {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.pool.is_registered() {
            return Poll::Ready(Err(crate::net::proactor_gone()));
        }
        if self.pool.refill() {
            return Poll::Ready(Ok(()));
        }
        let waits = self
            .key
            .as_ref()
            .is_some_and(|key| self.pool.waiters.update(key, cx.waker()));
        if !waits {
            let key = self.pool.waiters.push(cx.waker());
            let old = self.key.replace(key);
            old.map(|old| self.pool.waiters.remove(old));
        }
        Poll::Pending
    }
}

impl Drop for WaitProvided {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.pool.waiters.remove(key);
        }
    }
}

impl fmt::Debug for WaitProvided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitProvided")
            .field("group", &self.pool.group())
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// Makes a group of buffers and provides them to the kernel. Counterpart:
    /// `io_uring_register_buf_ring(3)`.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` if there is not so much address space, or if the user's locked-memory limit
    /// (`ulimit -l`) leaves no room for 16 bytes per buffer; an error if the proactor is gone.
    pub fn provide(&self, config: &BufGroupConfig) -> io::Result<BufGroup> {
        let spec = PoolSpec {
            group: 0,
            count: config.count,
            max: config.count_max.unwrap_or(0).max(config.count),
            len_bytes: config.len_bytes,
            incremental: config.incremental,
        };
        let pool = self.shared().provide(spec, self.downgrade())?;
        Ok(BufGroup { pool })
    }
}

/// The groups of a proactor, by their numbers. Number 0 is the pool that all streams share.
#[derive(Default)]
pub(crate) struct Groups {
    /// The group with number `n` is at `n - 1`.
    taken: Vec<Weak<BufPool>>,
}

impl Groups {
    /// A number that no living group has.
    pub(crate) fn free_number(&self) -> Option<u16> {
        let is_gone = |group: &Weak<BufPool>| group.strong_count() == 0;
        let at = self.taken.iter().position(is_gone);
        u16::try_from(at.unwrap_or(self.taken.len()) + 1).ok()
    }

    pub(crate) fn insert(&mut self, pool: &Rc<BufPool>) {
        let at = usize::from(pool.group()) - 1;
        if at == self.taken.len() {
            self.taken.push(Weak::new());
        }
        self.taken[at] = Rc::downgrade(pool);
    }

    /// The groups that are there, which the proactor forgets.
    pub(crate) fn take(&mut self) -> Vec<Rc<BufPool>> {
        let taken = std::mem::take(&mut self.taken);
        taken.iter().filter_map(Weak::upgrade).collect()
    }
}
