//! What a wait keeps to notice that it is cancelled.

use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::node::{self, Node};
use super::reason::Cancelled;
use crate::context;
use crate::home::Home;
use crate::task::{self, TaskPtr, TaskRef};
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
    links: Option<Box<Links>>,
}

/// Where a waker is filed.
#[derive(Debug)]
struct Links {
    task: Option<(TaskRef, WakerKey)>,
    scopes: Vec<(Rc<Node>, WakerKey)>,
    waker: Waker,
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
            links: None,
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

    /// Files a waker that is not the task's own with everything that can cancel this wait.
    #[cold]
    fn link(&mut self, home: &Home, task: TaskPtr, waker: &Waker) {
        let is_filed = |links: &Links| links.waker.will_wake(waker) && links.fit(home);
        if self.links.as_deref().is_some_and(is_filed) {
            return;
        }
        // The old links go first: their slots are used again.
        drop(self.links.take());
        let mut links = Links {
            task: None,
            scopes: Vec::new(),
            waker: waker.clone(),
        };
        let mut next = home.scope.borrow().clone();
        while let Some(node) = next {
            let key = node.foreign.borrow_mut().insert(waker.clone());
            let outer = if node.is_shield.get() {
                None
            } else {
                node.parent.borrow().clone()
            };
            let is_shield = node.is_shield.get();
            links.scopes.push((node, key));
            if is_shield {
                self.links = Some(Box::new(links));
                return;
            }
            next = outer;
        }
        let task = TaskRef::retain(task);
        let key = task.link(waker.clone());
        links.task = Some((task, key));
        self.links = Some(Box::new(links));
    }
}

impl Links {
    /// Returns whether the wait is where it was when the links were made.
    fn fit(&self, home: &Home) -> bool {
        let scope = home.scope.borrow();
        match (&*scope, self.scopes.first()) {
            (None, None) => true,
            (Some(now), Some((then, _))) => Rc::ptr_eq(now, then),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl Default for CancelWatch {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

/// The usual watch has no links, and then there is nothing to do.
impl Drop for CancelWatch {
    #[inline]
    fn drop(&mut self) {
        if let Some(links) = self.links.take() {
            unlink(links);
        }
    }
}

#[cold]
fn unlink(links: Box<Links>) {
    drop(links);
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
