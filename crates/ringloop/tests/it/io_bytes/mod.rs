//! Streams of any bytes, cut at any place, read and written in any way, against models.
//!
//! Whatever a peer sends, and whatever is asked of it: what is read is what the model says, what is
//! given up takes nothing, nothing panics, and no memory is taken for bytes that have not come. The
//! fuzzer (`crates/ringloop-proactor/fuzz`) compiles this module, too, so it uses nothing of the
//! other tests, and no runtime.

mod lines;
mod reads;
mod source;
mod writes;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Takes `bytes` for a program and its data, and panics if something is wrong.
pub(crate) fn run(bytes: &[u8]) {
    reads::run(Script(bytes));
    lines::run(Script(bytes));
    writes::run(Script(bytes));
}

/// Choices that bytes make; zeros at the end.
#[derive(Clone, Copy)]
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound
    }

    /// A number that is mostly small, at times one that a liar would send.
    fn amount(&mut self) -> usize {
        const LIES: [usize; 6] = [8191, 8192, 70_000, 1 << 32, isize::MAX as usize, usize::MAX];
        let number = self.next();
        LIES.get(number.wrapping_sub(250))
            .copied()
            .unwrap_or(number / 4)
    }

    /// How often something is polled before it is given up; mostly as often as it takes.
    fn patience(&mut self) -> usize {
        match self.next() {
            few @ 0..96 => few % 6,
            _ => usize::MAX,
        }
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        first
    }
}

/// Polls so many times, and drops.
fn polled<F: Future>(patience: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..patience.min(POLLS_MAX) {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    assert!(patience < POLLS_MAX, "it never ends");
    None
}

const POLLS_MAX: usize = 100_000;
