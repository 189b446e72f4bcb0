//! A counted descriptor: open as long as anything uses it, closed through the ring.
//!
//! The kernel looks a descriptor up when it runs a request, which may be late. So an operation
//! holds a count until its last completion; the number cannot be reused before that.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_core::{Postbox, postbox};

use crate::closers::Closers;
use crate::handle::Handle;
use crate::ring::FIXED_FILE;

/// A descriptor that operations and resources share. Cloning counts, dropping the last closes.
///
/// It is *plain*, a number of the process, or *direct*: a slot in a table of the ring, which the
/// process has no number for, and which the kernel looks up a little faster. Every operation takes
/// either, except where the kernel takes numbers only: as the directory that a path is relative to,
/// and in [`Handle::statx_fd`]. Those refuse a direct one. [`Handle::adopt`] makes plain ones, the
/// `_direct` operations and [`Handle::register`] direct ones, and [`Handle::install`] makes a plain
/// one of a direct one.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let proactor = Proactor::new(&Config::default())?;
/// let fd = proactor.handle().adopt(std::fs::File::open("/dev/null")?);
/// let same = fd.clone();
/// drop(fd); // Still open: `same` uses it.
/// # drop(same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Fd {
    open: Rc<Open>,
}

/// What is to be closed.
#[derive(Debug)]
pub(crate) enum Descriptor {
    Plain(OwnedFd),
    /// A slot of the ring's table.
    Direct(u32),
}

impl Descriptor {
    /// The slot that no table has.
    const NONE: Self = Self::Direct(u32::MAX);
}

/// How an entry names a descriptor.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) number: i32,
    /// Of the entry.
    pub(crate) flags: u8,
    /// Which proactor a direct descriptor belongs to; zero for plain ones.
    pub(crate) home: u64,
}

struct Open {
    descriptor: Descriptor,
    handle: Handle,
    closers: Cell<Closers>,
}

impl Fd {
    pub(crate) fn new(handle: Handle, fd: OwnedFd) -> Self {
        Self::of(handle, Descriptor::Plain(fd))
    }

    /// Takes over a slot of the table of `handle`'s ring, which has fewer than 2^31.
    pub(crate) fn direct(handle: Handle, slot: u32) -> Self {
        Self::of(handle, Descriptor::Direct(slot))
    }

    fn of(handle: Handle, descriptor: Descriptor) -> Self {
        Self {
            open: Rc::new(Open {
                descriptor,
                handle,
                closers: Cell::default(),
            }),
        }
    }

    /// Returns the proactor that operations on this descriptor go to.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.open.handle
    }

    /// Returns whether the descriptor is direct: a slot of the ring's table.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.plain().is_none()
    }

    /// Returns whether both are counts of one descriptor, not only of one number.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.open, &other.open)
    }

    /// Returns the descriptor for system calls, `None` for a direct one, which has no number.
    #[must_use]
    pub fn plain(&self) -> Option<BorrowedFd<'_>> {
        match &self.open.descriptor {
            Descriptor::Plain(fd) => Some(fd.as_fd()),
            Descriptor::Direct(_) => None,
        }
    }

    /// How entries name it.
    #[inline]
    pub(crate) fn target(&self) -> Target {
        match &self.open.descriptor {
            Descriptor::Direct(slot) => Target {
                number: slot.cast_signed(),
                flags: FIXED_FILE,
                home: self.open.handle.shared().mark(),
            },
            Descriptor::Plain(fd) => Target {
                number: fd.as_raw_fd(),
                flags: 0,
                home: 0,
            },
        }
    }

    /// Closes the descriptor once its other users have gone, and says what the kernel made of it.
    ///
    /// Counterpart: `close(2)`. Await it only after ending what is in flight on the descriptor:
    /// it waits for the last completion of every operation that holds a count.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, the descriptor is closed all the same, unobserved.
    pub fn close(self) -> Close {
        let (setter, result) = postbox();
        let mut closers = self.open.closers.take();
        closers.push(setter);
        self.open.closers.set(closers);
        drop(self);
        Close { result }
    }
}

impl fmt::Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_direct() { "DirectFd" } else { "Fd" };
        f.debug_tuple(name).field(&self.target().number).finish()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let descriptor = mem::replace(&mut self.descriptor, Descriptor::NONE);
        self.handle.shared().close(descriptor, self.closers.take());
    }
}

/// The future of [`Fd::close`].
#[must_use = "the descriptor is closed anyway; await this to learn the result"]
pub struct Close {
    result: Postbox<io::Result<()>>,
}

impl Future for Close {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A close that nobody reports on happened while the proactor was going down.
        Pin::new(&mut self.result)
            .poll(cx)
            .map(|result| result.unwrap_or(Ok(())))
    }
}

impl fmt::Debug for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Close").finish_non_exhaustive()
    }
}
