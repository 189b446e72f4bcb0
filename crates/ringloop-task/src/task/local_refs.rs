//! The home thread's count of the references to a task.

use std::cell::Cell;
use std::process;

/// How many references the home thread made, less those that it gave back: below zero if those of
/// other threads were given back here. Half a word, because every task has one.
///
/// A count that would wrap ends the process, as that of an `Arc` does: only a program that forgets
/// two billion wakers of one task gets there.
#[derive(Debug)]
pub(super) struct LocalRefs(Cell<i32>);

impl LocalRefs {
    pub(super) const fn new(refs: i32) -> Self {
        Self(Cell::new(refs))
    }

    #[inline]
    pub(super) fn get(&self) -> i64 {
        i64::from(self.0.get())
    }

    /// Counts one more.
    #[inline]
    pub(super) fn add_one(&self) {
        self.set(self.0.get().checked_add(1));
    }

    /// Counts one less.
    #[inline]
    pub(super) fn remove_one(&self) {
        self.set(self.0.get().checked_sub(1));
    }

    /// Takes over what other threads have counted.
    #[inline]
    pub(super) fn add(&self, delta: i64) {
        self.set(i32::try_from(self.get() + delta).ok());
    }

    #[inline]
    fn set(&self, refs: Option<i32>) {
        match refs {
            Some(refs) => self.0.set(refs),
            None => process::abort(),
        }
    }
}

#[cfg(test)]
mod tests;
