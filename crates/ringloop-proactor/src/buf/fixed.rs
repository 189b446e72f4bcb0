//! Registered buffers: pinned once, checked out of a pool, used without being looked up.
//!
//! A pool is one registered stretch of memory, cut into buffers. The ring's table has a place for
//! each pool.
//!
//! # Invariants
//!
//! - **X1** Each buffer of a pool is either in its free list or one `FixedBuf`.
//! - **X2** The memory of a pool stays as long as the pool or one of its buffers. An operation owns
//!   its buffer until the last completion, so what the kernel may touch is never freed: an operation
//!   that cannot be shown to have ended is leaked, and its buffer and the pool's memory with it.

#![expect(unsafe_code, reason = "memory that is pinned for the kernel")]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};
use std::slice;

use super::pages::{PAGE, Pages};
use super::{IoBuf, IoBufMut, Room, Slice};
use crate::handle::Handle;
use crate::ring::Ring;
use crate::shared::Shared;

/// Buffers that are registered with the ring, to be checked out. Cloning counts.
///
/// The kernel pins the memory once and not for each operation, which pays for `O_DIRECT` files. The
/// buffers are zero at first and begin at multiples of 4,096. The pool may be dropped before its
/// buffers; its memory is given back with the last of them.
///
/// Counterpart: `io_uring_register_buffers_sparse(3)`, `io_uring_register_buffers_update_tag(3)`.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let pool = handle.register_buffers(4, 4096)?;
/// let file = handle.adopt(std::fs::File::open("/proc/self/comm")?);
/// let buffer = pool.check_out().expect("there are four");
/// let (count, buffer) = proactor.block_on(handle.read_fixed(&file, buffer, 0))??;
/// assert!(buffer[..count].ends_with(b"\n"));
/// assert_eq!(pool.available(), 3);
/// drop(buffer);
/// assert_eq!(pool.available(), 4);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "io_uring_register_buffers")]
#[doc(alias = "io_uring_register_buffers_sparse")]
#[doc(alias = "io_uring_register_buffers_update_tag")]
pub struct FixedPool {
    memory: Rc<FixedMemory>,
}

/// A registered buffer. Dropping it gives it back to its [`FixedPool`].
///
/// It holds what its last user left in it. Every operation takes it, and
/// [`read_fixed`](Handle::read_fixed) and [`write_fixed`](Handle::write_fixed) use that it is
/// registered.
pub struct FixedBuf {
    memory: Rc<FixedMemory>,
    number: u32,
}

/// A [`FixedBuf`], or a window on one.
///
/// Sealed: only memory that is registered may say that it is.
pub trait RegisteredBuf: IoBuf + IoBufMut + sealed::Registered {}

impl RegisteredBuf for FixedBuf {}
impl<B: RegisteredBuf> RegisteredBuf for Slice<B> {}

mod sealed {
    use super::{FixedBuf, Slice};

    #[expect(unnameable_types, reason = "that is how it seals")]
    pub trait Registered {
        /// The pool's place in the ring's table.
        fn index(&self) -> u16;
    }

    impl Registered for FixedBuf {
        fn index(&self) -> u16 {
            self.memory.index
        }
    }

    impl<B: Registered> Registered for Slice<B> {
        fn index(&self) -> u16 {
            self.get_ref().index()
        }
    }
}

pub(crate) struct FixedMemory {
    pages: Pages,
    stride: usize,
    len_bytes: u32,
    count: u32,
    free: RefCell<Vec<u32>>,
    index: u16,
    owner: Weak<Shared>,
}

impl FixedPool {
    /// Takes a buffer out, `None` if all are out.
    #[must_use = "dropping the buffer gives it back"]
    pub fn check_out(&self) -> Option<FixedBuf> {
        let number = self.memory.free.borrow_mut().pop()?;
        Some(FixedBuf {
            memory: Rc::clone(&self.memory),
            number,
        })
    }

    /// Returns how many buffers can be checked out.
    #[must_use]
    pub fn available(&self) -> usize {
        self.memory.free.borrow().len()
    }

    /// Returns how many buffers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.memory.count as usize
    }

    /// Returns the length of a buffer.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.memory.len_bytes as usize
    }
}

impl Deref for FixedBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let memory = &self.memory;
        let start = memory.pages.at(self.number as usize * memory.stride);
        // SAFETY: X1 and X2; the memory was zeroed at first, so it is initialized.
        unsafe { slice::from_raw_parts(start.as_ptr(), memory.len_bytes as usize) }
    }
}

impl DerefMut for FixedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        let memory = &self.memory;
        let start = memory.pages.at(self.number as usize * memory.stride);
        // SAFETY: X1 and X2, nobody else reaches these bytes while `self` is borrowed.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), memory.len_bytes as usize) }
    }
}

impl IoBuf for FixedBuf {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBufMut for FixedBuf {
    fn room(&mut self) -> Room<'_> {
        Room::from(&mut **self)
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

impl AsRef<[u8]> for FixedBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for FixedBuf {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Drop for FixedBuf {
    fn drop(&mut self) {
        self.memory.free.borrow_mut().push(self.number);
    }
}

impl Drop for FixedMemory {
    fn drop(&mut self) {
        // X2: no operation uses the memory. A place that cannot be emptied now is replaced by its
        // next owner, or ends with the ring.
        if let Some(owner) = self.owner.upgrade() {
            owner.with_ring(|ring| ring.update_fixed(self.index, 0, 0).ok());
        }
    }
}

impl fmt::Debug for FixedBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedBuf")
            .field("number", &self.number)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FixedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedMemory")
            .field("index", &self.index)
            .field("count", &self.count)
            .field("available", &self.free.borrow().len())
            .field("len_bytes", &self.len_bytes)
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// Registers `count` buffers of `len_bytes` each, as a pool. Counterpart:
    /// `io_uring_register(2)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if that is nothing, or more than 1 GiB in all. `OutOfMemory` if the user's
    /// locked-memory limit (`ulimit -l`), against which all of it counts, is too low. An error if the
    /// ring has 256 pools already, or the proactor is gone.
    pub fn register_buffers(&self, count: u32, len_bytes: u32) -> io::Result<FixedPool> {
        let stride = (len_bytes as usize).next_multiple_of(PAGE);
        let len = stride.saturating_mul(count as usize);
        if len == 0 || len > POOL_BYTES_MAX {
            let message = "a pool of registered buffers has more than nothing and at most 1 GiB";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let pages = Pages::new(len, PAGE)?;
        let memory = self.shared().register_fixed(|index| FixedMemory {
            pages,
            stride,
            len_bytes,
            count,
            free: RefCell::new((0..count).rev().collect()),
            index,
            owner: self.downgrade(),
        })?;
        Ok(FixedPool { memory })
    }
}

/// The table of registered buffers of a ring, made when the first pool is.
#[derive(Default)]
pub(crate) struct FixedTable {
    is_made: Cell<bool>,
    pools: RefCell<Vec<Weak<FixedMemory>>>,
}

impl FixedTable {
    /// A place that no living pool has.
    pub(crate) fn free_index(&self) -> io::Result<u16> {
        let pools = self.pools.borrow();
        let is_gone = |pool: &Weak<FixedMemory>| pool.strong_count() == 0;
        let at = pools.iter().position(is_gone).unwrap_or(pools.len());
        match u16::try_from(at) {
            Ok(index) if index < POOLS_MAX => Ok(index),
            Ok(_) | Err(_) => Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "a ring has 256 pools of registered buffers at most",
            )),
        }
    }

    /// Registers the memory of a pool in its place.
    pub(crate) fn insert(&self, ring: &mut Ring, memory: &Rc<FixedMemory>) -> io::Result<()> {
        let len = memory.stride * memory.count as usize;
        if !self.is_made.get() {
            ring.register_fixed_table(POOLS_MAX.into())?;
            self.is_made.set(true);
        }
        let address = memory.pages.at(0).as_ptr().expose_provenance();
        ring.update_fixed(memory.index, address, len)
            .map_err(|error| explain(error, len))?;
        let mut pools = self.pools.borrow_mut();
        let at = usize::from(memory.index);
        if at == pools.len() {
            pools.push(Weak::new());
        }
        pools[at] = Rc::downgrade(memory);
        Ok(())
    }
}

fn explain(error: io::Error, len: usize) -> io::Error {
    if error.raw_os_error() == Some(libc::ENOMEM) {
        let text = format!(
            "{len} bytes of registered buffers exceed the limit on locked memory: raise it (ulimit -l, \
             LimitMEMLOCK=), or register less"
        );
        return io::Error::new(error.kind(), text);
    }
    error
}

/// What the kernel takes as one registered buffer.
const POOL_BYTES_MAX: usize = 1 << 30;
const POOLS_MAX: u16 = 256;
