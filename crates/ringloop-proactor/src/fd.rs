//! A counted descriptor: open as long as anything uses it, closed through the ring.
//!
//! The kernel looks a descriptor up when it runs a request, which may be late. So an operation
//! holds a count until its last completion; the number cannot be reused before that.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_core::{Postbox, Setter, postbox};

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
    target: Target,
    /// Taken when the last user goes.
    descriptor: Option<Descriptor>,
    handle: Handle,
    /// Those who want to know when it is closed.
    closers: RefCell<Vec<Setter<io::Result<()>>>>,
}

impl Fd {
    pub(crate) fn new(handle: Handle, fd: OwnedFd) -> Self {
        let target = Target {
            number: fd.as_raw_fd(),
            flags: 0,
            home: 0,
        };
        Self::with_target(handle, Descriptor::Plain(fd), target)
    }

    /// Takes over a slot of the table of `handle`'s ring.
    pub(crate) fn direct(handle: Handle, slot: u32) -> Self {
        let target = Target {
            number: i32::try_from(slot).expect("the table has fewer than 2^31 slots"),
            flags: FIXED_FILE,
            home: handle.shared().mark(),
        };
        Self::with_target(handle, Descriptor::Direct(slot), target)
    }

    fn with_target(handle: Handle, descriptor: Descriptor, target: Target) -> Self {
        Self {
            open: Rc::new(Open {
                target,
                descriptor: Some(descriptor),
                handle,
                closers: RefCell::default(),
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
            Some(Descriptor::Plain(fd)) => Some(fd.as_fd()),
            Some(Descriptor::Direct(_)) | None => None,
        }
    }

    /// How entries name it.
    #[inline]
    pub(crate) fn target(&self) -> Target {
        self.open.target
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
        self.open.closers.borrow_mut().push(setter);
        drop(self);
        Close { result }
    }
}

impl fmt::Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_direct() { "DirectFd" } else { "Fd" };
        f.debug_tuple(name).field(&self.open.target.number).finish()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor.take() {
            self.handle.shared().close(descriptor, self.closers.take());
        }
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
