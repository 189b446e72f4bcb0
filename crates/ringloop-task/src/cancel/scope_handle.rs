//! A scope as the code inside of it, and other tasks of its thread, see it.

use std::fmt;
use std::rc::Rc;
use std::time::Instant;

use super::node::Node;
use super::reason::{Cancelled, Reason};
use super::token::CancelToken;

/// Looks at a scope and changes it while it runs; see [`CancelScope::handle`](super::CancelScope::handle).
///
/// For the thread of the scope. From other threads, cancel it with its [`token`](Self::token).
/// Counterpart: the `trio.CancelScope` that a `with` block gives; `asyncio.Timeout`.
///
/// # Examples
///
/// A deadline that moves with every sign of life:
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::{CancelScope, Cancelled, ScopeExit};
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// let patience = Duration::from_millis(500);
/// let scope = CancelScope::new().deadline_in(patience);
/// let handle = scope.handle();
/// let exit = Scheduler::new(ThreadDriver::new()).block_on(scope.run(async {
///     for _sign_of_life in 0..3 {
///         time::sleep(Duration::from_millis(1)).await?;
///         handle.set_deadline(Some(time::now() + patience));
///     }
///     Ok::<&str, Cancelled>("alive")
/// }));
/// assert_eq!(exit.done().unwrap()?, "alive");
/// assert!(!handle.is_cancel_called());
/// # Ok::<(), Cancelled>(())
/// ```
#[derive(Clone)]
pub struct ScopeHandle {
    node: Rc<Node>,
}

impl ScopeHandle {
    pub(super) fn new(node: &Rc<Node>) -> Self {
        node.has_handle.set(true);
        node.token.get_or_init(CancelToken::new);
        Self {
            node: Rc::clone(node),
        }
    }

    /// Moves the deadline; `None` takes it away. Returns false, and moves nothing, if the scope has
    /// been cancelled or left.
    ///
    /// Counterpart: `asyncio.Timeout.reschedule`, the `deadline` of a `trio.CancelScope`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "reschedule")]
    pub fn set_deadline(&self, deadline: Option<Instant>) -> bool {
        let node = &self.node;
        if node.is_cancelled() || node.is_left.get() {
            return false;
        }
        node.deadline.set(deadline);
        node.has_moved.set(true);
        node.wake();
        true
    }

    /// Returns the deadline. `None` if there is none, or the scope has not begun to count.
    /// Counterpart: `asyncio.Timeout.when`.
    #[must_use]
    #[doc(alias = "when")]
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline.get()
    }

    /// Keeps cancellation from outside out of the scope from here on, or lets it in again: what is
    /// outside and cancelled reaches the waits inside at once, also those that sleep. Counterpart:
    /// the `shield` of a `trio.CancelScope`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "shield")]
    pub fn set_shielded(&self, is_shielded: bool) {
        let node = &self.node;
        if node.is_shield.replace(is_shielded) == is_shielded {
            return;
        }
        if !is_shielded {
            node.wake_foreign();
        }
        node.wake();
    }

    /// Returns whether cancellation from outside is kept out.
    #[must_use]
    pub fn is_shielded(&self) -> bool {
        self.node.is_shield.get()
    }

    /// Cancels the scope. Returns whether this was the first request; its reason is kept.
    /// Counterpart: `trio.CancelScope.cancel`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        self.token().cancel(reason)
    }

    /// Cancels the scope because something in it is awaited where `cancelled` was found: its waits
    /// tell of that cancellation.
    pub(crate) fn pass_on(&self, cancelled: &Cancelled) {
        if !self.node.is_cancelled() {
            self.node.notices.borrow_mut().follow(cancelled);
            self.cancel(cancelled.reason().clone());
        }
    }

    /// Returns what the waits inside are told once the scope is cancelled.
    pub(crate) fn cancelled(&self) -> Cancelled {
        self.node.cancelled()
    }

    /// Returns the token that cancels the scope from anywhere.
    #[must_use]
    pub fn token(&self) -> CancelToken {
        self.node.token.get_or_init(CancelToken::new).clone()
    }

    /// Returns whether the scope is cancelled, whether or not anything inside has noticed.
    /// Counterpart: `trio.CancelScope.cancel_called`, `asyncio.Timeout.expired`.
    #[must_use]
    #[doc(alias("cancel_called", "expired"))]
    pub fn is_cancel_called(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Returns whether the scope's own cancellation ended its body. Counterpart:
    /// `trio.CancelScope.cancelled_caught`.
    #[must_use]
    #[doc(alias = "cancelled_caught")]
    pub fn is_caught(&self) -> bool {
        self.node.is_caught.get()
    }

    /// Returns why the scope is cancelled, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.node.reason()
    }
}

impl fmt::Debug for ScopeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHandle")
            .field("is_cancel_called", &self.is_cancel_called())
            .field("is_shielded", &self.is_shielded())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
