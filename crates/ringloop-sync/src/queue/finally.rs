//! Something that is done also if what comes before it panics.
//!
//! Comparisons of items and wakers are foreign. What has to follow them so that nobody waits for
//! ever is made before they are called.

use ringloop_core::panics::Panics;

/// A closure that [runs](Self::run) once: in its turn, or when a panic comes by.
pub(super) struct Finally<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Finally<F> {
    #[inline]
    pub(super) fn new(code: F) -> Self {
        Self(Some(code))
    }

    #[inline]
    pub(super) fn run(mut self) {
        if let Some(code) = self.0.take() {
            code();
        }
    }

    /// It is not needed.
    #[inline]
    pub(super) fn forget(mut self) {
        self.0 = None;
    }
}

impl<F: FnOnce()> Drop for Finally<F> {
    #[inline]
    fn drop(&mut self) {
        if let Some(code) = self.0.take() {
            run_while_panicking(code);
        }
    }
}

#[cold]
fn run_while_panicking(code: impl FnOnce()) {
    let mut panics = Panics::default();
    panics.catch(code);
    panics.resume();
}
