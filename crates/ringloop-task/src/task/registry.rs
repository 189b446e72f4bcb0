//! All tasks of a scheduler that are not freed yet, ended ones included.

use std::cell::RefCell;

use super::header::{CALL, DONE};
use super::pointer::TaskPtr;
use super::reference::TaskRef;

/// The tasks of one scheduler, in no order. A task knows its place, so it leaves in one step.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tasks: RefCell<Vec<TaskPtr>>,
}

impl Registry {
    /// Adds a task that was made just now.
    #[inline]
    pub(super) fn add(&self, task: TaskPtr) {
        let mut tasks = self.tasks.borrow_mut();
        task.header().slot.set(slot_of(tasks.len()));
        tasks.push(task);
    }

    /// Removes a task that is about to be freed.
    #[inline]
    pub(super) fn remove(&self, task: TaskPtr) {
        let mut tasks = self.tasks.borrow_mut();
        let slot = task.header().slot.get();
        let removed = tasks.swap_remove(slot as usize);
        debug_assert!(removed == task, "a task knows its place");
        if let Some(moved) = tasks.get(slot as usize) {
            moved.header().slot.set(slot);
        }
    }

    /// Gives back memory, unless it has room for no more than `kept` tasks or a quarter is in use.
    #[inline]
    pub(crate) fn give_back_memory(&self, kept: usize) {
        let mut tasks = self.tasks.borrow_mut();
        if tasks.capacity() > kept && tasks.len() < tasks.capacity() / 4 {
            let double = tasks.len() * 2;
            tasks.shrink_to(double);
        }
    }

    /// Returns the tasks that have not ended, in spawn order.
    pub(crate) fn live(&self) -> Vec<TaskRef> {
        self.without(DONE | CALL)
    }

    /// The same with the calls of functions that are still to come.
    pub(crate) fn live_and_calls(&self) -> Vec<TaskRef> {
        self.without(DONE)
    }

    fn without(&self, flags: u32) -> Vec<TaskRef> {
        let tasks = self.tasks.borrow();
        let live = tasks.iter().filter(|task| !task.header().flags.has(flags));
        let mut live: Vec<_> = live.map(|&task| TaskRef::retain(task)).collect();
        live.sort_unstable_by_key(TaskRef::id);
        live
    }

    /// Leaves all tasks to those who refer to them. Returns false if some have to wait for
    /// another thread, which is about to push them.
    pub(crate) fn orphan_all(&self) -> bool {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.orphan());
        (0..)
            .zip(tasks.iter())
            .for_each(|(slot, task)| task.header().slot.set(slot));
        tasks.is_empty()
    }
}

fn slot_of(len: usize) -> u32 {
    u32::try_from(len).expect("the tasks of one scheduler fit into memory, four billion do not")
}
