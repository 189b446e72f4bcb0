//! The stream below, which can be taken back from one that does something when it is dropped.

use std::fmt;

/// A stream that is there until it is taken, by a method that consumes its owner.
pub(super) struct Below<S>(Option<S>);

impl<S> Below<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Some(stream))
    }

    #[inline]
    pub(super) fn get(&self) -> &S {
        self.0.as_ref().expect(OWNED)
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> &mut S {
        self.0.as_mut().expect(OWNED)
    }

    pub(super) fn take(&mut self) -> S {
        self.0.take().expect(OWNED)
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

impl<S: fmt::Debug> fmt::Debug for Below<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

const OWNED: &str = "who takes it owns what it is in";
