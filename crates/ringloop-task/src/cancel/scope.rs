//! Regions of code that are cancelled as one.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::node::Node;
use super::reason::Reason;
use super::run_scoped::RunScoped;
use super::scope_handle::ScopeHandle;
use super::token::CancelToken;
use crate::context;
use crate::home::Home;
use crate::time::When;

/// A region that is cancelled as one: by its deadline, or by its token.
///
/// Every wait inside a cancelled scope fails at once, until the scope is left. The scope absorbs
/// its own cancellation and no other: it recognizes its own `Cancelled` alive in what the body
/// returns. A body that finishes all the same, or never noticed, keeps its value. Counterpart:
/// `trio.CancelScope`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::{CancelScope, ScopeExit};
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// let exit = Scheduler::new(ThreadDriver::new()).block_on(
///     CancelScope::new()
///         .deadline_in(Duration::from_millis(1))
///         .run(async { time::sleep(Duration::MAX).await }),
/// );
/// assert!(matches!(exit, ScopeExit::Cancelled(_)));
/// ```
#[must_use = "a scope does nothing until it runs something"]
pub struct CancelScope {
    node: Rc<Node>,
    deadline: Option<When>,
}

/// How a scope was left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a scope may have been cancelled"]
#[expect(clippy::exhaustive_enums, reason = "a scope is left in these two ways")]
pub enum ScopeExit<T> {
    /// The body came to its end; this is what it returned.
    Done(T),
    /// The scope's own cancellation ended the body.
    Cancelled(Reason),
}

impl<T> ScopeExit<T> {
    /// Returns the body's value, if it was not cancelled.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            Self::Cancelled(_) => None,
        }
    }

    /// Returns whether the scope's own cancellation ended the body.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl CancelScope {
    /// Makes a scope without a deadline.
    pub fn new() -> Self {
        let node = context::with_home(Home::take_node).unwrap_or_default();
        Self {
            node,
            deadline: None,
        }
    }

    /// Makes a scope that is cancelled with `token`.
    pub fn with_token(token: CancelToken) -> Self {
        let scope = Self::new();
        scope.node.token.get_or_init(|| token);
        scope
    }

    /// Sets a deadline, counted from the first poll of the body.
    pub fn deadline_in(mut self, timeout: Duration) -> Self {
        self.deadline = Some(When::In(timeout));
        self
    }

    /// Sets a deadline.
    pub fn deadline_at(mut self, deadline: Instant) -> Self {
        self.deadline = Some(When::At(deadline));
        self
    }

    /// Keeps cancellation from outside out of the scope. Its own still reaches the body.
    pub fn shielded(self) -> Self {
        self.node.is_shield.set(true);
        self
    }

    /// Tells cancellation from outside under a name of the scope's own, so that the scope can tell
    /// whether it came out of its body.
    pub(crate) fn boundary(self) -> Self {
        self.node.is_boundary.set(true);
        self
    }

    /// Returns the scope as the waits inside see it.
    pub(crate) fn node(&self) -> Rc<Node> {
        Rc::clone(&self.node)
    }

    /// Once the scope itself is cancelled, a body that cannot be told is dropped alone, also if a
    /// scope around is cancelled: what is around waits for it, as for a task.
    pub(crate) fn ends_alone(self) -> Self {
        self.node.is_alone.set(true);
        self
    }

    /// Returns the token that cancels this scope from anywhere.
    #[must_use]
    pub fn token(&self) -> CancelToken {
        self.node.token.get_or_init(CancelToken::new).clone()
    }

    /// Returns a handle that looks at the scope and changes it while it runs: moves its deadline,
    /// toggles its shield, cancels it.
    #[must_use]
    pub fn handle(&self) -> ScopeHandle {
        ScopeHandle::new(&self.node)
    }

    /// Runs `body` in the scope.
    ///
    /// A body that is cancelled and waits for nothing but futures that know nothing of scopes (a
    /// postbox, a channel of another library) is dropped there.
    ///
    /// # Panics
    ///
    /// When polled outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// As that of the body.
    pub fn run<F: Future>(self, body: F) -> RunScoped<F> {
        RunScoped::new(self.node, self.deadline, body)
    }
}

impl Default for CancelScope {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelScope")
            .field("is_cancelled", &self.node.is_cancelled())
            .field("is_shielded", &self.node.is_shield.get())
            .finish_non_exhaustive()
    }
}
