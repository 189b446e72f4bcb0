//! The tasks that are to be polled, in the order of their wakes.
//!
//! A wake is a push and a poll begins with a look, so both are to be few instructions: the queue
//! is a vector that is read from a place which moves on. What has been read is left there until the
//! queue is empty, or until there is as much of it as there is to be read and room is needed.
//!
//! # Invariants
//!
//! * **R1** Each method is done with the vector when it returns, and calls nothing meanwhile that
//!   could come back here: no future, no waker, no drop. What is in it is plain data.

#![expect(
    unsafe_code,
    reason = "a borrow that is counted costs a third of a push"
)]

use std::cell::{Cell, UnsafeCell};

/// The ready queue of a scheduler. One thread's.
pub(crate) struct ReadyQueue<T> {
    tasks: UnsafeCell<Vec<T>>,
    /// How many have been taken off the front.
    head: Cell<usize>,
}

impl<T: Copy> ReadyQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            tasks: UnsafeCell::new(Vec::new()),
            head: Cell::new(0),
        }
    }

    /// Puts a task at the end.
    #[inline]
    pub(crate) fn push(&self, task: T) {
        // SAFETY: R1.
        let tasks = unsafe { &mut *self.tasks.get() };
        if tasks.len() == tasks.capacity() {
            // By itself, because a call in here would cost registers.
            return self.push_more(task);
        }
        tasks.push(task);
    }

    /// The same with more room.
    #[cold]
    #[inline(never)]
    fn push_more(&self, task: T) {
        // SAFETY: R1.
        let tasks = unsafe { &mut *self.tasks.get() };
        let taken = self.head.get();
        if taken > tasks.len() / 2 {
            tasks.drain(..taken);
            self.head.set(0);
        }
        tasks.push(task);
    }

    /// Takes the first task, unless `is_last` says that the turn ends before it.
    #[inline(always)]
    pub(crate) fn pop_unless(&self, is_last: impl FnOnce(T) -> bool) -> Option<T> {
        let head = self.head.get();
        // SAFETY: R1.
        let Some(task) = unsafe { &*self.tasks.get() }.get(head).copied() else {
            self.begin_anew();
            return None;
        };
        if is_last(task) {
            return None;
        }
        self.head.set(head + 1);
        Some(task)
    }

    /// The queue is empty: leaves what has been taken behind.
    #[inline]
    fn begin_anew(&self) {
        if self.head.replace(0) > 0 {
            // SAFETY: R1.
            unsafe { &mut *self.tasks.get() }.clear();
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: R1.
        let end = unsafe { &*self.tasks.get() }.len();
        end - self.head.get()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back what there is room for beyond `kept` tasks, if nothing is in the queue.
    #[inline]
    pub(crate) fn give_back_memory(&self, kept: usize) {
        // SAFETY: R1.
        let capacity = unsafe { &*self.tasks.get() }.capacity();
        if capacity > kept && self.is_empty() {
            self.begin_anew();
            // SAFETY: R1.
            unsafe { &mut *self.tasks.get() }.shrink_to(kept / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::ReadyQueue;

    #[test]
    fn tasks_leave_in_the_order_in_which_they_came_whatever_room_there_is() {
        let queue = ReadyQueue::new();
        let mut model = VecDeque::new();
        let mut random: u32 = 7;
        for step in 0..20_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // More pushes than pops for a while, then more pops.
            let pushes = if step / 1000 % 2 == 0 { 3 } else { 2 };
            if (random >> 24) % 5 < pushes {
                queue.push(step);
                model.push_back(step);
            } else {
                assert_eq!(queue.pop_unless(|_| false), model.pop_front());
            }
            assert_eq!(queue.len(), model.len());
            assert_eq!(queue.is_empty(), model.is_empty());
            if step % 777 == 0 {
                queue.give_back_memory(0);
            }
        }
    }

    #[test]
    fn a_task_stays_in_front_while_its_turn_has_not_come() {
        let queue = ReadyQueue::new();
        queue.push(1);
        queue.push(2);
        assert_eq!(queue.pop_unless(|task| task == 1), None);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.pop_unless(|task| task == 2), Some(1));
        assert_eq!(queue.pop_unless(|task| task == 2), None);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_queue_that_is_never_empty_needs_no_more_room_than_a_few_times_what_is_in_it() {
        let queue = ReadyQueue::new();
        (0..100).for_each(|task| queue.push(task));
        for task in 100..100_000 {
            assert_eq!(queue.pop_unless(|_| false), Some(task - 100));
            queue.push(task);
        }
        // SAFETY: R1.
        let capacity = unsafe { &*queue.tasks.get() }.capacity();
        assert!(capacity <= 400, "{capacity}");
        while queue.pop_unless(|_| false).is_some() {}
        queue.give_back_memory(8);
        // SAFETY: R1.
        assert!(unsafe { &*queue.tasks.get() }.capacity() <= 8);
    }
}
