//! Children that borrow from their parent's stack.
//!
//! They are futures in a collection that the scope's own future owns, polled by the task that polls
//! the scope. So they are gone when the scope's future is, in whichever way that goes, and if that
//! future is forgotten, they are never polled again: what they borrow need not be there any more.
//! It is the compiler that says so; no unsafe code is involved.
//!
//! The collection is in a local variable of [`scope`], and children hold references to it, which
//! is where `'scope` comes from. That the collection does not run destructors by itself lets the
//! compiler accept the circle; the emptier beside it does.

mod child;
mod handle;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{Location, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use self::child::{Child, Running};
pub use self::handle::ScopedJoinHandle;
use super::contained::{Contained, report};
use super::crowd::Crowd;
use super::own_scope;
use crate::cancel::{CancelScope, CancelToken, CancelWatch, Reason, ReasonKind, ScopeHandle};
use crate::unhandled::{Payload, UnhandledKind};

/// Runs `body`, which may spawn children that borrow from around the scope, and waits until it and
/// all of them have ended. Gives what the body returns.
///
/// Everything that lives longer than the scope can be borrowed: local variables of the code around,
/// also mutably. The children run side by side with the body, in the task that awaits the scope:
/// they are not tasks of their own, so [`current`](crate::task::current) is the same for all of
/// them. Each is polled only when it was woken, first woken, first polled.
///
/// A child is an ordinary part of the code around it: a request to cancel the task, or a timeout
/// around the scope, reaches the waits of the body and of all children. Errors that children return
/// come out of their [handles](ScopedJoinHandle) and are lost if nobody awaits those; where an
/// error has to end all others, use a [`try_join!`](crate::future::try_join) or a task group.
///
/// Counterpart: `asyncio.TaskGroup`, whose tasks may refer to anything; `std::thread::scope`.
///
/// # Panics
///
/// When the body or a child panics: the others are cancelled and waited for, and then the first
/// panic goes on from here. Panics after the first are reported as [`Unhandled`].
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// As that of the body and the children: cancelled, all of them are, and are waited for; dropped,
/// all of them are dropped, the body first.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// let (total, longest) = Scheduler::new(ThreadDriver::new()).block_on(async {
///     let lines = vec!["one".to_owned(), "three".to_owned()];
///     let mut longest = 0;
///     let total = task::scope(async |s| {
///         let total = s.spawn(async { lines.iter().map(String::len).sum::<usize>() });
///         s.spawn(async {
///             time::sleep(Duration::from_millis(1)).await.ok();
///             longest = lines.iter().map(String::len).max().unwrap_or(0);
///         });
///         total.await.expect("it does not panic")
///     })
///     .await;
///     (total, longest)
/// });
/// assert_eq!((total, longest), (8, 5));
/// ```
///
/// Children may spawn siblings, and `s` is a reference that is copied:
///
/// ```
/// # use ringloop_core::ThreadDriver;
/// # use ringloop_task::{Scheduler, task};
/// # use std::cell::{Cell, RefCell};
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let count = Cell::new(0);
///     task::scope(async |s| {
///         s.spawn(async {
///             s.spawn(async { count.set(count.get() + 1) });
///             count.set(count.get() + 1);
///         });
///     })
///     .await;
///     assert_eq!(count.get(), 2);
/// });
/// ```
///
/// What is inside of the body does not live long enough to be borrowed:
///
/// ```compile_fail,E0373
/// # use ringloop_task::task;
/// # async fn check() {
/// task::scope(async |s| {
///     let inside = String::from("gone when the body is");
///     s.spawn(async { println!("{inside}") });
/// })
/// .await;
/// # }
/// ```
///
/// Nothing of the scope leaves it, neither the scope nor a handle:
///
/// ```compile_fail
/// # use ringloop_task::task;
/// # async fn check() {
/// let escaped = task::scope(async |s| s).await;
/// escaped.spawn(async {});
/// # }
/// ```
///
/// ```compile_fail
/// # use ringloop_task::task;
/// # async fn check() {
/// let escaped = task::scope(async |s| s.spawn(async {})).await;
/// # }
/// ```
///
/// And nothing can be kept outside of it, where it could be used after its end:
///
/// ```compile_fail
/// # use ringloop_task::task;
/// # async fn check() {
/// let kept = std::cell::RefCell::new(None);
/// task::scope(async |s| kept.replace(Some(s)).is_none()).await;
/// # }
/// ```
///
/// ```compile_fail
/// # use ringloop_task::task;
/// # async fn check() {
/// let kept = std::cell::RefCell::new(None);
/// task::scope(async |s| kept.replace(Some(s.spawn(async {}))).is_none()).await;
/// # }
/// ```
///
/// What a child borrows is borrowed until the scope ends:
///
/// ```compile_fail,E0505
/// # use ringloop_task::task;
/// # async fn check() {
/// let lines = vec!["one"];
/// let scope = task::scope(async |s| {
///     s.spawn(async { println!("{lines:?}") });
/// });
/// drop(lines);
/// scope.await;
/// # }
/// ```
///
/// [`Unhandled`]: crate::Unhandled
#[track_caller]
pub fn scope<'env, F, T>(body: F) -> impl Future<Output = T>
where
    F: for<'scope> AsyncFnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    run(Location::caller(), body)
}

async fn run<'env, F, T>(at: &'static Location<'static>, body: F) -> T
where
    F: for<'scope> AsyncFnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope::new(at);
    // In reverse order when the future is dropped: the body goes before the children.
    let emptier = scope.crowd.emptier();
    let mut body = pin!(Contained::new(body(&scope)));
    let mut value = None;
    let run = poll_fn(|cx| scope.poll(body.as_mut(), &mut value, cx));
    // How it was left says nothing: its own cancellation is that of a panic.
    let _exit = own_scope(scope.token.clone()).run(run).await;
    body.clear();
    drop(emptier);
    if let Some(payload) = scope.panic.take() {
        resume_unwind(payload);
    }
    value.expect("a scope without a panic ends when its body has returned")
}

/// Spawns children that borrow; see [`scope`].
///
/// `'scope` is the time while the scope runs, and `'env` is longer: what lives for `'env` can be
/// borrowed by children.
pub struct Scope<'scope, 'env: 'scope> {
    /// Has no destructor, or children could not refer to the scope.
    crowd: Crowd<dyn Future<Output = ()> + 'scope, ScopeHandle>,
    /// Cancels the body and all children.
    token: CancelToken,
    /// The first panic.
    panic: Cell<Option<Payload>>,
    /// Notices that the scope is cancelled.
    watch: Cell<CancelWatch>,
    /// What the children were told.
    told: RefCell<Option<Reason>>,
    /// Neither of the two can be taken for a longer or shorter one.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    fn new(at: &'static Location<'static>) -> Self {
        Self {
            crowd: Crowd::new(),
            token: CancelToken::new(),
            panic: Cell::new(None),
            watch: Cell::new(CancelWatch::at(at)),
            told: RefCell::default(),
            scope: PhantomData,
            env: PhantomData,
        }
    }

    /// Starts a child. It is polled after those that are woken already.
    ///
    /// Dropping the handle lets the child go its way, to its end or that of the scope.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let text = String::from("borrowed");
    ///     let len = task::scope(async |s| s.spawn(async { text.len() }).await).await;
    ///     assert_eq!(len.unwrap(), text.len());
    /// });
    /// ```
    pub fn spawn<F>(&'scope self, future: F) -> ScopedJoinHandle<'scope, F::Output>
    where
        F: Future + 'scope,
        F::Output: 'scope,
    {
        let cancel = CancelScope::new().ends_alone();
        let handle = cancel.handle();
        if let Some(reason) = self.told.borrow().as_ref() {
            handle.cancel(reason.clone());
        }
        let child = Rc::new(Child::new(handle.clone()));
        let running = Running::new(self, cancel, Rc::clone(&child), future);
        if let Err(refused) = self.crowd.add(Box::pin(running), handle) {
            // Spawned by a destructor, while the children are dropped.
            drop(refused);
            child.abort();
        }
        ScopedJoinHandle::new(child)
    }

    /// Returns how many children have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.crowd.len()
    }

    /// Returns whether all children have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.crowd.is_empty()
    }

    /// Polls the body, and the children that were woken.
    fn poll<B: Future>(
        &self,
        mut body: Pin<&mut Contained<B>>,
        value: &mut Option<B::Output>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.poll_cancelled(cx);
        if !body.is_done()
            && let Poll::Ready(returned) = body.as_mut().poll(cx)
        {
            match returned {
                Ok(returned) => *value = Some(returned),
                Err(payload) => self.fail(payload),
            }
        }
        self.crowd.poll(cx, |_, ()| {});
        if body.is_done() && self.crowd.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Tells all children when the scope, or what is around it, is cancelled. Those that wait for
    /// something that cannot be told would not notice otherwise, and each has to end by itself:
    /// others wait for it.
    fn poll_cancelled(&self, cx: &mut Context<'_>) {
        if self.told.borrow().is_some() {
            return;
        }
        let mut watch = self.watch.take();
        let checked = watch.poll_cancelled(cx);
        self.watch.set(watch);
        if let Err(cancelled) = checked {
            let reason = cancelled.reason();
            self.told.replace(Some(reason.clone()));
            for child in self.crowd.tags() {
                child.cancel(reason.clone());
            }
        }
    }

    /// Keeps the first panic and cancels everything.
    fn fail(&self, payload: Payload) {
        let Some(first) = self.panic.replace(Some(payload)) else {
            let reason = Reason::new(ReasonKind::Group, "a member of the scope panicked");
            self.token.cancel(reason);
            return;
        };
        if let Some(later) = self.panic.replace(Some(first)) {
            // Members are polled inside a loop, so there is somebody to tell.
            report(UnhandledKind::Panic, later);
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
