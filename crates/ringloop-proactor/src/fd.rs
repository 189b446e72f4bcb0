//! A counted descriptor: open as long as anything uses it, closed through the ring.
//!
//! The kernel looks a descriptor up when it runs a request, which may be late. So an operation
//! holds a count until its last completion; the number cannot be reused before that.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use std::cell::RefCell;

use ringloop_core::{Postbox, Setter, postbox};

use crate::handle::Handle;

/// A descriptor that operations and resources share. Cloning counts, dropping the last closes.
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

struct Open {
    /// Taken when the last user goes.
    fd: Option<OwnedFd>,
    handle: Handle,
    /// Those who want to know when it is closed.
    closers: RefCell<Vec<Setter<io::Result<()>>>>,
}

impl Fd {
    pub(crate) fn new(handle: Handle, fd: OwnedFd) -> Self {
        Self {
            open: Rc::new(Open {
                fd: Some(fd),
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

    fn fd(&self) -> &OwnedFd {
        self.open
            .fd
            .as_ref()
            .expect("the descriptor is there until the last user goes")
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd().as_fd()
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.fd().as_raw_fd()
    }
}

impl fmt::Debug for Fd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fd").field(&self.as_raw_fd()).finish()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            self.handle.shared().close(fd, self.closers.take());
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
