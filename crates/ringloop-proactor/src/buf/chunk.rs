//! Received bytes, lent without a copy.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use super::{BufPool, IoBuf, Lent};

/// Received bytes, lent without a copy. Dropping it gives the buffer back.
///
/// It may outlive the proactor. While it is held, its buffer is missing from the group that it
/// came from; several chunks may share one, which goes back with the last of them.
#[derive(Default)]
pub struct Chunk {
    memory: Memory,
}

#[derive(Default)]
enum Memory {
    #[default]
    Nothing,
    Lent {
        pool: Rc<BufPool>,
        /// There until the drop.
        lent: Option<Lent>,
    },
    Own {
        bytes: Box<[u8]>,
        start: usize,
        end: usize,
    },
    Shared {
        bytes: Rc<Box<[u8]>>,
        start: usize,
        end: usize,
    },
}

impl Chunk {
    #[inline]
    pub(crate) fn lent(pool: Rc<BufPool>, lent: Lent) -> Self {
        Self {
            memory: Memory::Lent {
                pool,
                lent: Some(lent),
            },
        }
    }

    pub(crate) fn own(bytes: Box<[u8]>, start: usize, end: usize) -> Self {
        Self {
            memory: Memory::Own { bytes, start, end },
        }
    }

    /// Cuts off the first `count` bytes, all if there are fewer, as a chunk of their own.
    ///
    /// Nothing is copied: both hold the same buffer from then on.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Chunk, Config, Proactor, Receiver};
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let (near, mut far) = UnixStream::pair()?;
    /// far.write_all(b"head: body")?;
    /// let mut receiver = Receiver::new(proactor.handle().adopt(near));
    /// let mut body = proactor.block_on(receiver.read_chunk())??;
    /// let head: Chunk = body.split_to(6);
    /// assert_eq!((&head[..], &body[..]), (&b"head: "[..], &b"body"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "the bytes are given back with it; use `advance` to leave them behind"]
    pub fn split_to(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        self.share();
        let memory = match &mut self.memory {
            Memory::Lent {
                pool,
                lent: Some(lent),
            } => Memory::Lent {
                lent: Some(pool.split(lent, count)),
                pool: Rc::clone(pool),
            },
            Memory::Shared { bytes, start, .. } => {
                let from = *start;
                *start += count;
                Memory::Shared {
                    bytes: Rc::clone(bytes),
                    start: from,
                    end: *start,
                }
            }
            Memory::Nothing | Memory::Lent { .. } | Memory::Own { .. } => Memory::Nothing,
        };
        Self { memory }
    }

    /// Leaves the first `count` bytes behind, all if there are fewer.
    pub fn advance(&mut self, count: usize) {
        let count = count.min(self.len());
        match &mut self.memory {
            Memory::Lent {
                lent: Some(lent), ..
            } => lent.advance(count),
            Memory::Own { start, .. } | Memory::Shared { start, .. } => *start += count,
            Memory::Nothing | Memory::Lent { lent: None, .. } => {}
        }
    }

    /// Keeps the first `count` bytes and leaves those behind them.
    pub fn truncate(&mut self, count: usize) {
        let count = count.min(self.len());
        match &mut self.memory {
            Memory::Lent {
                lent: Some(lent), ..
            } => lent.truncate(count),
            Memory::Own { start, end, .. } | Memory::Shared { start, end, .. } => {
                *end = *start + count;
            }
            Memory::Nothing | Memory::Lent { lent: None, .. } => {}
        }
    }

    /// Makes a buffer of its own one that may be shared.
    fn share(&mut self) {
        if let Memory::Own { bytes, start, end } = &mut self.memory {
            self.memory = Memory::Shared {
                start: *start,
                end: *end,
                bytes: Rc::new(std::mem::take(bytes)),
            };
        }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.memory {
            Memory::Lent {
                pool,
                lent: Some(lent),
            } => pool.bytes(lent),
            Memory::Nothing | Memory::Lent { lent: None, .. } => &[],
            Memory::Own { bytes, start, end } => &bytes[*start..*end],
            Memory::Shared { bytes, start, end } => &bytes[*start..*end],
        }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// What was received is sent on without a copy; the buffer goes back when it has been sent.
impl IoBuf for Chunk {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Memory::Lent { pool, lent } = &mut self.memory
            && let Some(lent) = lent.take()
        {
            pool.release(lent);
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
