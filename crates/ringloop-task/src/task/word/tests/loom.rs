//! The word and the stack under loom, with a task that is nothing else.

#![expect(unsafe_code, reason = "loom checks what the accesses claim")]

use std::ptr::NonNull;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::super::{Action, RemoteWord};
use crate::sync::AtomicPtr;
use crate::task::stack::{Linked, RemoteStack};

/// A task that counts like one. The cell stands for its memory: whoever uses the task reads it,
/// whoever frees the task writes it, and loom objects if the two are not ordered.
struct Node {
    word: RemoteWord,
    link: AtomicPtr<Node>,
    memory: UnsafeCell<bool>,
}

impl Linked for Node {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

struct Shared {
    node: Node,
    stack: RemoteStack<Node>,
}

impl Shared {
    fn new() -> Arc<Self> {
        let link = AtomicPtr::new(std::ptr::null_mut());
        let node = Node {
            word: RemoteWord::new(),
            link,
            memory: UnsafeCell::new(true),
        };
        Arc::new(Self {
            node,
            stack: RemoteStack::new(),
        })
    }

    fn use_memory(&self) {
        // SAFETY: loom checks.
        self.node
            .memory
            .with(|is_alive| assert!(unsafe { *is_alive }, "used after the release"));
    }

    fn free(&self) {
        // SAFETY: loom checks.
        self.node.memory.with_mut(|is_alive| unsafe {
            assert!(*is_alive, "freed twice");
            *is_alive = false;
        });
    }

    fn is_freed(&self) -> bool {
        // SAFETY: loom checks.
        self.node.memory.with(|is_alive| !unsafe { *is_alive })
    }

    /// What another thread does after a transition.
    fn act(&self, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Push => {
                self.use_memory();
                // SAFETY: the node lives as long as the model, and `QUEUED` was set by us.
                unsafe { self.stack.push(NonNull::from(&self.node)) };
            }
            Action::Free => self.free(),
        }
    }

    /// Pops and counts; returns whether somebody wants a poll.
    fn collect(&self, local: &mut i64) -> bool {
        let mut woken = false;
        self.stack.take(|node| {
            // SAFETY: the node lives as long as the model.
            let collected = unsafe { node.as_ref() }.word.collect();
            *local += collected.delta;
            woken |= collected.woken;
        });
        woken
    }

    /// Frees the task if nobody refers to it.
    fn settle(&self, local: i64) {
        let (delta, is_queued) = self.node.word.snapshot();
        if !is_queued && local + delta == 0 {
            self.free();
        }
    }
}

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(f);
}

#[test]
fn last_release_elsewhere_reaches_home() {
    model(|| {
        let shared = Shared::new();
        let other = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.use_memory();
                let action = shared.node.word.release();
                shared.act(action);
            })
        };
        let mut local = 1;
        // The task ends here, while the other thread gives its reference back.
        shared.node.word.mark_done();
        shared.settle(local);
        while !shared.is_freed() {
            thread::yield_now();
            if !shared.stack.is_empty() {
                let _ = shared.collect(&mut local);
                shared.settle(local);
            }
        }
        other.join().unwrap();
    });
}

#[test]
fn wake_and_drop_from_two_threads() {
    model(|| {
        let shared = Shared::new();
        let threads = [true, false].map(|wakes| {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.use_memory();
                let word = &shared.node.word;
                let action = if wakes {
                    word.wake_and_release()
                } else {
                    word.release()
                };
                shared.act(action);
            })
        });
        let mut local = 2;
        let mut is_done = false;
        while !is_done {
            thread::yield_now();
            is_done = shared.collect(&mut local);
        }
        shared.node.word.mark_done();
        shared.settle(local);
        for thread in threads {
            thread.join().unwrap();
        }
        if !shared.is_freed() {
            let _ = shared.collect(&mut local);
            shared.settle(local);
        }
        assert!(shared.is_freed());
    });
}

#[test]
fn two_wakes_are_one_push() {
    model(|| {
        let shared = Shared::new();
        let threads = [(); 2].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || {
                let action = shared.node.word.wake();
                shared.act(action);
            })
        });
        let mut local = 2;
        while !shared.collect(&mut local) {
            thread::yield_now();
        }
        for thread in threads {
            thread.join().unwrap();
        }
        // The second wake either came before the pop or has left the task queued once more.
        let is_queued = shared.node.word.snapshot().1;
        assert_eq!(is_queued, !shared.stack.is_empty());
        assert_eq!(is_queued, shared.collect(&mut local));
        assert!(shared.stack.is_empty());
    });
}

#[test]
fn orphaning_against_wake_and_release() {
    model(|| {
        let shared = Shared::new();
        shared.node.word.mark_done();
        let threads = [true, false].map(|wakes| {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.use_memory();
                let word = &shared.node.word;
                let action = if wakes {
                    word.wake_and_release()
                } else {
                    word.release()
                };
                shared.act(action);
            })
        });
        let mut local = 2;
        loop {
            let (delta, is_queued) = shared.node.word.snapshot();
            if !is_queued && local + delta == 0 {
                shared.free();
                break;
            }
            if !is_queued && shared.node.word.orphan(local).is_ok() {
                break;
            }
            thread::yield_now();
            let _ = shared.collect(&mut local);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(shared.is_freed());
    });
}

#[test]
fn what_was_written_before_a_wake_is_seen_after_the_pop() {
    model(|| {
        let shared = Shared::new();
        let written = Arc::new(UnsafeCell::new(0));
        // Whichever thread queues the task, the wake is the second thread's.
        let queues = {
            let shared = shared.clone();
            thread::spawn(move || {
                let action = shared.node.word.release_and_tell();
                shared.act(action);
            })
        };
        let wakes = {
            let (shared, written) = (shared.clone(), written.clone());
            thread::spawn(move || {
                // SAFETY: loom checks.
                written.with_mut(|written| unsafe { *written = 7 });
                let action = shared.node.word.wake();
                shared.act(action);
            })
        };
        let mut local = 2;
        while !shared.collect(&mut local) {
            thread::yield_now();
        }
        // SAFETY: loom checks.
        assert_eq!(written.with(|written| unsafe { *written }), 7);
        queues.join().unwrap();
        wakes.join().unwrap();
    });
}
