//! What the items of a queue wait in: whoever comes out next is decided here.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;

/// A collection that a [`hosted::Queue`](crate::hosted::Queue) keeps its items in, and by that the
/// order in which they come out: [`VecDeque`], [`Vec`] or [`Heap`].
///
/// The trait is sealed: its methods are called while the queue is borrowed, so they must not run
/// code that uses the queue.
pub trait Buffer<T>: Sealed {
    #[doc(hidden)]
    const EMPTY: Self;
    #[doc(hidden)]
    const NAME: &'static str;

    #[doc(hidden)]
    fn push(&mut self, item: T);
    #[doc(hidden)]
    fn pop(&mut self) -> Option<T>;
    #[doc(hidden)]
    fn len(&self) -> usize;
    #[doc(hidden)]
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// All items, in the order in which they would come out.
    #[doc(hidden)]
    fn into_items(self) -> Vec<T>;
}

/// Keeps others from implementing [`Buffer`].
#[expect(unnameable_types, reason = "what nobody can name, nobody implements")]
pub trait Sealed {}

impl<T> Sealed for VecDeque<T> {}
impl<T> Sealed for Vec<T> {}
impl<T> Sealed for Heap<T> {}

/// First in, first out.
impl<T> Buffer<T> for VecDeque<T> {
    const EMPTY: Self = Self::new();
    const NAME: &'static str = "Queue";

    #[inline]
    fn push(&mut self, item: T) {
        self.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.pop_front()
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn into_items(self) -> Vec<T> {
        self.into()
    }
}

/// Last in, first out.
impl<T> Buffer<T> for Vec<T> {
    const EMPTY: Self = Self::new();
    const NAME: &'static str = "LifoQueue";

    #[inline]
    fn push(&mut self, item: T) {
        self.push(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.pop()
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn into_items(mut self) -> Self {
        self.reverse();
        self
    }
}

/// Smallest first, and among equals the one that came first.
impl<T: Ord> Buffer<T> for Heap<T> {
    const EMPTY: Self = Self {
        entries: BinaryHeap::new(),
        next_ticket: 0,
    };
    const NAME: &'static str = "PriorityQueue";

    #[inline]
    fn push(&mut self, item: T) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.entries.push(Entry { item, ticket });
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        Some(self.entries.pop()?.item)
    }

    #[inline]
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn into_items(self) -> Vec<T> {
        let entries = self.entries.into_sorted_vec();
        entries.into_iter().rev().map(|entry| entry.item).collect()
    }
}

/// The items of a [`hosted::PriorityQueue`](crate::hosted::PriorityQueue).
pub struct Heap<T> {
    entries: BinaryHeap<Entry<T>>,
    next_ticket: u64,
}

impl<T> fmt::Debug for Heap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heap")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// An item and when it came. The greatest entry is the one that comes out next.
struct Entry<T> {
    item: T,
    ticket: u64,
}

impl<T: Ord> Ord for Entry<T> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let by_item = other.item.cmp(&self.item);
        by_item.then_with(|| other.ticket.cmp(&self.ticket))
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Entry<T> {}
