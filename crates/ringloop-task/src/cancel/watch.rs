//! What a wait keeps to notice that it is cancelled.

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::node::{self, Node};
use super::reason::Cancelled;
use super::stay::Stay;
use crate::context;
use crate::home::Home;
use crate::task::{self, Edges, TaskPtr, TaskRef};
use crate::waker_set::WakerKey;

/// What a wait keeps to notice that its task or a scope around it is cancelled.
///
/// For futures that wait for something themselves. At the first poll, call
/// [`poll_cancelled`](Self::poll_cancelled) before anything is begun; at later polls look for the
/// value first, and call it only if there is none (the value wins). Drop the watch with the
/// future.
///
/// It costs a look at two flags. Only if the future is polled with another waker than the task's
/// own, as collections of futures do, is that waker filed with the task and its scopes.
///
/// A task that ignores the answer and waits again, a thousand times in one poll, is let through
/// once and polled again, so that it does not hold the loop.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::{CancelWatch, Cancelled};
/// use ringloop_task::{Scheduler, task};
/// use std::future::poll_fn;
/// use std::task::Poll;
///
/// /// Waits for something that never comes.
/// async fn never() -> Cancelled {
///     let mut watch = CancelWatch::new();
///     poll_fn(|cx| match watch.poll_cancelled(cx) {
///         Ok(()) => Poll::Pending,
///         Err(cancelled) => Poll::Ready(cancelled),
///     })
///     .await
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::spawn(never());
///     task::yield_now().await?;
///     child.cancel("enough");
///     assert_eq!(child.await.unwrap().reason().text(), "enough");
///     Ok::<(), Cancelled>(())
/// })?;
/// # Ok::<(), Cancelled>(())
/// ```
#[must_use = "a watch that is not polled notices nothing"]
#[derive(Debug)]
pub struct CancelWatch {
    /// Where the wait was begun.
    at: &'static Location<'static>,
    /// What an unusual wait has to give back.
    filed: Option<Box<Filed>>,
}

/// What an unusual wait has to give back.
#[derive(Debug)]
enum Filed {
    /// It is polled with a waker of its own.
    Links(Links),
    /// It was told, and goes on.
    Stay(Stay, Option<Edges>),
}

impl Filed {
    #[cold]
    fn note_edge(&mut self, task: &TaskRef) {
        if let Self::Links(links) = self
            && links.edge.is_none()
        {
            links.edge = Some(Edges::here([task.id()]));
        }
    }
}

/// Where a waker is filed.
#[derive(Debug)]
struct Links {
    task: Option<(TaskRef, WakerKey)>,
    scopes: Vec<(Rc<Node>, WakerKey)>,
    waker: Waker,
    /// Whose end is waited for.
    edge: Option<Edges>,
}

impl CancelWatch {
    /// Makes a watch. The caller's place in the source is where the task is reported to be parked.
    #[track_caller]
    pub fn new() -> Self {
        Self::at(Location::caller())
    }

    /// Makes a watch of a wait that was begun elsewhere.
    pub fn at(location: &'static Location<'static>) -> Self {
        Self {
            at: location,
            filed: None,
        }
    }

    /// Returns `Err` if the wait is cancelled; else sees to it that the future is polled again when
    /// it is.
    ///
    /// # Errors
    ///
    /// `Cancelled` if a scope around, up to a shield, or the task is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Result<(), Cancelled> {
        let is_parked = context::with_home_at_ease(|home| {
            let task = home.current.get();
            let own = task.filter(|&task| task::is_waker_of(cx.waker(), task));
            own.map(|task| task::set_parked_at(task, self.at)).is_some()
        });
        if is_parked == Some(true) {
            return Ok(());
        }
        self.poll_closely(cx)
    }

    /// The same inside a scope, when cancelled, without budget, outside of tasks, or with a waker
    /// that is not the task's own.
    #[inline(never)]
    fn poll_closely(&mut self, cx: &mut Context<'_>) -> Result<(), Cancelled> {
        context::with_home(|home| {
            let Some(task) = home.current.get() else {
                return Ok(());
            };
            if node::may_go_on(home, task) && task::is_waker_of(cx.waker(), task) {
                task::set_parked_at(task, self.at);
                return Ok(());
            }
            self.poll_slowly(home, task, cx)
        })
        .unwrap_or(Ok(()))
    }

    /// What a wait asks before it looks for its value: `Err` if it is cancelled already, and
    /// `Pending`, with the task woken, if the task has used up its
    /// [budget](crate::task::poll_budget); else spends a piece of that.
    ///
    /// For waits that are often over at once, in place of [`poll_cancelled`](Self::poll_cancelled)
    /// and [`poll_budget`](crate::task::poll_budget) at the first poll. To be asked again if it
    /// said `Pending`, which it also says in place of letting a cancelled wait through.
    ///
    /// # Errors
    ///
    /// `Cancelled` as [`poll_cancelled`](Self::poll_cancelled).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        if Self::try_begin() {
            return Poll::Ready(Ok(()));
        }
        Self::poll_begin_in_scope(cx)
    }

    /// Begins a wait where that needs no closer look, which is so for tasks that are not cancelled,
    /// outside of scopes: spends a piece of the budget. `false` says nothing, and
    /// [`poll_begin`](Self::poll_begin) is to be asked.
    ///
    /// For a first poll that has the usual case apart from all others: a call in between, even one
    /// that is not made, costs what is in registers.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::Scheduler;
    /// use ringloop_task::cancel::CancelWatch;
    ///
    /// assert!(!CancelWatch::try_begin(), "outside of tasks poll_begin is to be asked");
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     assert!(CancelWatch::try_begin());
    /// });
    /// ```
    #[inline(always)]
    #[must_use = "the wait has begun, or has to be begun"]
    pub fn try_begin() -> bool {
        context::take_ease()
    }

    /// The same with a look: within scopes, when cancelled, without budget, or outside of tasks. It
    /// has no use for the watch, which may stay in registers therefore.
    #[inline(never)]
    fn poll_begin_in_scope(cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        let begins = context::with_home(|home| {
            let may_go_on = (home.current.get())
                .is_some_and(|task| node::may_go_on(home, task) || node::is_quiet(home, task));
            may_go_on && task::try_spend(home)
        });
        if begins == Some(true) {
            return Poll::Ready(Ok(()));
        }
        Self::poll_begin_slowly(cx)
    }

    /// The same where there is more to be said.
    #[cold]
    fn poll_begin_slowly(cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        match context::with_home(|home| node::poll_check(home, cx)) {
            None | Some(Poll::Ready(Ok(()))) => task::poll_spend(cx).map(Ok),
            Some(not_yet) => not_yet,
        }
    }

    /// Says that the wait is for the end of `task`. Only a wait whose waker does not show who waits
    /// has to note it.
    #[inline]
    pub(crate) fn awaits(&mut self, task: &TaskRef) {
        if let Some(filed) = &mut self.filed {
            filed.note_edge(task);
        }
    }

    /// The same inside a scope, when cancelled, or with a waker that is not the task's own.
    #[cold]
    fn poll_slowly(
        &mut self,
        home: &Home,
        task: TaskPtr,
        cx: &mut Context<'_>,
    ) -> Result<(), Cancelled> {
        node::check(home)?;
        task::set_parked_at(task, self.at);
        if !task::is_waker_of(cx.waker(), task) {
            self.link(home, task, cx.waker());
        }
        Ok(())
    }

    /// Says that the wait goes on although it was told that it is cancelled: it has asked for its
    /// end, and waits for that, as the await of a join handle does.
    ///
    /// Without this, a scope that finds its body pending takes it for one that waits for things
    /// which know nothing of cancellation, and drops it. To be called in the poll in which
    /// [`poll_cancelled`](Self::poll_cancelled) said no; it holds until the watch is dropped, and
    /// the watch is not asked again.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[cold]
    pub fn stay(&mut self) {
        let edge = match self.filed.as_deref_mut() {
            Some(Filed::Links(links)) => links.edge.take(),
            Some(Filed::Stay(_, edge)) => edge.take(),
            None => None,
        };
        drop(self.filed.take());
        let stay = context::with_home(Stay::here);
        self.filed = stay.map(|stay| Box::new(Filed::Stay(stay, edge)));
    }

    /// Says so once more, at a later poll, which may be one in another task or scope.
    pub(crate) fn stay_on(&mut self) {
        let fits = |home: &Home| match self.filed.as_deref() {
            Some(Filed::Stay(stay, _)) => stay.fits(home),
            Some(Filed::Links(_)) | None => false,
        };
        if context::with_home(fits) == Some(false) {
            self.stay();
        }
    }

    /// The wait is over, although the watch may be kept.
    #[cold]
    pub(crate) fn leave(&mut self) {
        drop(self.filed.take());
    }

    /// Files a waker that is not the task's own with everything that can cancel this wait.
    #[cold]
    fn link(&mut self, home: &Home, task: TaskPtr, waker: &Waker) {
        if let Some(Filed::Links(links)) = self.filed.as_deref()
            && links.waker.will_wake(waker)
            && links.fit(home, task)
        {
            return;
        }
        // The old links go first: their slots are used again.
        drop(self.filed.take());
        let links = Links::here(home, task, waker);
        self.filed = Some(Box::new(Filed::Links(links)));
    }
}

impl Links {
    /// Files `waker` with the task and the scopes around, up to a shield.
    fn here(home: &Home, task: TaskPtr, waker: &Waker) -> Self {
        let mut links = Self {
            task: None,
            scopes: Vec::new(),
            waker: waker.clone(),
            edge: None,
        };
        let mut next = home.scope.borrow().clone();
        while let Some(node) = next {
            let waker = waker.clone();
            let key = node.foreign.borrow_mut().insert(waker);
            let is_shield = node.is_shield.get();
            next = node.parent.borrow().clone();
            links.scopes.push((node, key));
            if is_shield {
                return links;
            }
        }
        let task = TaskRef::retain(task);
        let key = task.link(waker.clone());
        links.task = Some((task, key));
        links
    }

    /// Returns whether the wait is where it was when the links were made: in the same task and
    /// scopes, with the same shields.
    fn fit(&self, home: &Home, task: TaskPtr) -> bool {
        let is_same_task = match &self.task {
            Some((then, _)) => then.is(task),
            None => (self.scopes.last()).is_some_and(|(node, _)| node.is_shield.get()),
        };
        let scopes = self.scopes.iter().map(|(node, _)| node);
        is_same_task && node::are_around(home, scopes, true)
    }
}

impl Default for CancelWatch {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

/// The usual watch has filed nothing, and then there is nothing to do but a look.
impl Drop for CancelWatch {
    #[inline(always)]
    fn drop(&mut self) {
        // A look first: to take what is not there would be to write.
        if self.filed.is_some()
            && let Some(filed) = self.filed.take()
        {
            give_back(filed);
        }
    }
}

#[cold]
fn give_back(filed: Box<Filed>) {
    drop(filed);
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some((task, key)) = self.task.take() {
            task.unlink(key);
        }
        for (node, key) in self.scopes.drain(..) {
            let waker = node.foreign.borrow_mut().remove(key);
            drop(waker);
        }
    }
}
