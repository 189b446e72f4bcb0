//! The lock-free stack on which other threads put tasks for the home thread.
//!
//! A push is one compare-and-swap on the head; the home thread takes everything at once, so no
//! node is ever popped by two threads and the stack knows no ABA problem. The links are in the
//! nodes: a push allocates nothing.
//!
//! # Invariants
//!
//! * **I1** A node that is pushed lives until it is taken, and is not pushed again before.
//!   ([`RemoteWord`](super::word::RemoteWord): whoever sets `QUEUED` pushes, and a queued task is
//!   not freed.)
//!
//! # Ordering
//!
//! A push releases the node's link and the taking swap acquires it.

#![expect(
    unsafe_code,
    reason = "nodes are linked by raw pointers, which other threads made"
)]

use std::ptr::{self, NonNull};

use crate::sync::{AtomicPtr, Ordering};

/// A node that carries its own link.
pub(crate) trait Linked: Sized {
    /// Returns the link.
    fn link(&self) -> &AtomicPtr<Self>;
}

/// A stack of nodes of type `N`.
#[derive(Debug)]
pub(crate) struct RemoteStack<N> {
    head: AtomicPtr<N>,
}

impl<N: Linked> RemoteStack<N> {
    /// Makes an empty stack.
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Returns whether nothing is on the stack. One load.
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: whoever pushes unparks afterwards, so an empty stack is looked at again.
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Pushes a node.
    ///
    /// # Safety
    ///
    /// * The node lives until the home thread has taken it.
    /// * It is not on a stack.
    pub(crate) unsafe fn push(&self, node: NonNull<N>) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: I1: the node lives, because it is not even pushed.
            let link = unsafe { node.as_ref() }.link();
            link.store(head, Ordering::Relaxed);
            // Ordering: release, pairs with the swap in `take`.
            let pushed = self.head.compare_exchange_weak(
                head,
                node.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            );
            match pushed {
                Ok(_) => return,
                Err(actual) => head = actual,
            }
        }
    }

    /// Takes all nodes and hands them to `each`, the oldest first.
    pub(crate) fn take(&self, mut each: impl FnMut(NonNull<N>)) {
        // Ordering: acquire, pairs with the pushes.
        let mut next = oldest_first(self.head.swap(ptr::null_mut(), Ordering::Acquire));
        while let Some(node) = next {
            // The link is read before `each`, which may free the node.
            // SAFETY: I1: the node has been taken just now.
            let link = unsafe { node.as_ref() }.link();
            next = NonNull::new(link.load(Ordering::Relaxed));
            each(node);
        }
    }
}

/// Reverses a chain in place.
fn oldest_first<N: Linked>(head: *mut N) -> Option<NonNull<N>> {
    let mut reversed = None;
    let mut rest = NonNull::new(head);
    while let Some(node) = rest {
        // SAFETY: I1: the whole chain has been taken just now.
        let link = unsafe { node.as_ref() }.link();
        rest = NonNull::new(link.load(Ordering::Relaxed));
        link.store(
            reversed.map_or(ptr::null_mut(), NonNull::as_ptr),
            Ordering::Relaxed,
        );
        reversed = Some(node);
    }
    reversed
}
