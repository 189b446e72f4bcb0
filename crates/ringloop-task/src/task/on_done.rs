//! Callbacks for the end of a task.

use std::fmt;
use std::mem;
use std::panic::Location;

use super::header::DONE;
use super::pointer::TaskPtr;
use super::reference::TaskRef;
use crate::call;
use crate::context;
use crate::home::Home;
use crate::local::Context;

/// The number of a callback at its task; see [`TaskRef::on_done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallbackId(u64);

/// The callbacks of one task, in the order of their registration.
#[derive(Default)]
pub(super) struct Callbacks {
    next: u64,
    entries: Vec<Entry>,
}

struct Entry {
    id: CallbackId,
    at: &'static Location<'static>,
    /// The values of whoever asked for it.
    context: Context,
    callback: Box<dyn FnOnce(&TaskRef)>,
}

impl TaskRef {
    /// Calls `callback` from the loop when the task has ended, in the order of these calls; in the
    /// next turn if it has ended already.
    ///
    /// It is called as by [`call_soon`](call::call_soon): outside of any task, after what is ready,
    /// and a panic is told to the hook. It never runs if the scheduler shuts down before.
    /// Counterpart: `Task.add_done_callback`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// let ended = Rc::new(Cell::new(None));
    /// let seen = Rc::clone(&ended);
    /// Scheduler::new(ThreadDriver::new()).block_on(async move {
    ///     let child = task::Builder::new().name("child").spawn(async {});
    ///     child.on_done(move |task| seen.set(task.name()));
    ///     child.await.unwrap();
    ///     task::yield_now().await
    /// })?;
    /// assert_eq!(ended.take().as_deref(), Some("child"));
    /// # Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// ```
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_done(&self, callback: impl FnOnce(&Self) + 'static) -> CallbackId {
        let header = self.0.header();
        let mut callbacks = header.cold().callbacks.borrow_mut();
        let id = CallbackId(callbacks.next);
        callbacks.next += 1;
        if header.word.is_orphaned() {
            drop(callbacks);
            drop(callback);
            return id;
        }
        callbacks.entries.push(Entry {
            id,
            at: Location::caller(),
            context: Context::capture(),
            callback: Box::new(callback),
        });
        drop(callbacks);
        if header.flags.has(DONE) {
            self.tell_late();
        }
        id
    }

    /// Takes a callback back. Returns false if its call was put into the ready queue before: the
    /// task has ended. Counterpart: `Task.remove_done_callback`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "remove_done_callback")]
    pub fn remove_on_done(&self, id: CallbackId) -> bool {
        let Some(cold) = self.0.header().cold.get() else {
            return false;
        };
        let mut callbacks = cold.callbacks.borrow_mut();
        let place = callbacks.entries.iter().position(|entry| entry.id == id);
        let entry = place.map(|place| callbacks.entries.remove(place));
        drop(callbacks);
        // What it holds is dropped without a borrow.
        entry.is_some()
    }

    /// A callback came to a task that has ended.
    #[cold]
    fn tell_late(&self) {
        let gate = self.0.header().gate;
        if context::with_home_of(gate, |home| tell(home, self.0)).is_none() {
            // The loop tells when it learns of this reference.
            drop(self.clone());
        }
    }
}

/// Puts the callbacks of a task that has ended into the ready queue.
#[cold]
pub(super) fn tell(home: &Home, task: TaskPtr) {
    let Some(cold) = task.header().cold.get() else {
        return;
    };
    let entries = mem::take(&mut cold.callbacks.borrow_mut().entries);
    for entry in entries {
        let (task, callback) = (TaskRef::retain(task), entry.callback);
        let locals = entry.context.into_locals();
        drop(call::soon(home, entry.at, locals, move || callback(&task)));
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}
