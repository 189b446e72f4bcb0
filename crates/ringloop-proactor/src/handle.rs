//! The handle that resources keep: where operations are made.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};

use crate::fd::Fd;
use crate::op::{Op, OpReport, Operation};
use crate::shared::Shared;
use crate::stats::ProactorStats;

/// A cheap, cloneable reference to a [`Proactor`](crate::Proactor), and the maker of its operations.
///
/// It outlives the proactor harmlessly: operations that are started later end with `ECANCELED`.
///
/// # Errors
///
/// The futures give what the call of the same name gives, and `ECANCELED`.
///
/// # Cancel safety
///
/// As [`Op`].
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// proactor.block_on(handle.nop())??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Rc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Rc<Shared>) -> Self {
        Self { shared }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What does not keep the proactor's state alive.
    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Rc::downgrade(&self.shared)
    }

    /// Makes a future of any operation.
    pub fn submit<O: Operation>(&self, op: O) -> Op<O> {
        Op::new(self.clone(), op)
    }

    /// Takes a descriptor into the proactor's care: it is counted, and closed through the ring.
    #[must_use = "dropping it closes the descriptor"]
    pub fn adopt(&self, fd: impl Into<OwnedFd>) -> Fd {
        Fd::new(self.clone(), fd.into())
    }

    /// Returns what is known of every operation that was started and not taken: `recv on fd 7, in
    /// flight for 2.1 s`.
    #[must_use]
    pub fn operations(&self) -> Vec<OpReport> {
        self.shared.reports()
    }

    /// Returns whether both are handles of one proactor.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }

    /// Fails, naming the operation and the kernel, if the running one does not have it.
    pub(crate) fn require(&self, opcode: u8, name: &str, since: &str) -> io::Result<()> {
        if self.shared.supports(opcode) || !self.shared.is_open() {
            return Ok(());
        }
        let text = format!("this kernel has no io_uring {name}: it needs Linux {since}");
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }

    /// Returns what the proactor has done so far.
    #[must_use]
    pub fn stats(&self) -> ProactorStats {
        self.shared.stats()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("stats", &self.stats())
            .finish()
    }
}
