//! A future around an operation of compio's driver, which itself has keys instead.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use compio_buf::BufResult;
use compio_driver::{Key, OpCode, Proactor, PushEntry};

/// Pushes its operation at the first poll, and pops it when it is completed.
pub(super) struct Submitted<'d, O> {
    driver: &'d RefCell<Proactor>,
    progress: Progress<O>,
}

enum Progress<O> {
    Unstarted(O),
    Started(Key<O>),
    Taken,
}

impl<'d, O: OpCode + 'static> Submitted<'d, O> {
    pub(super) fn new(driver: &'d RefCell<Proactor>, op: O) -> Self {
        Self {
            driver,
            progress: Progress::Unstarted(op),
        }
    }
}

impl<O: OpCode + 'static> Future for Submitted<'_, O> {
    type Output = BufResult<usize, O>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut driver = self.driver.borrow_mut();
        let entry = match std::mem::replace(&mut self.progress, Progress::Taken) {
            Progress::Unstarted(op) => driver.push(op),
            Progress::Started(key) => driver.pop(key),
            Progress::Taken => panic!("polled after it was done"),
        };
        match entry {
            PushEntry::Ready(result) => Poll::Ready(result),
            PushEntry::Pending(key) => {
                driver.update_waker(&key, context.waker());
                drop(driver);
                self.progress = Progress::Started(key);
                Poll::Pending
            }
        }
    }
}

/// The operation is never pinned in the future: it moves into the driver.
impl<O> Unpin for Submitted<'_, O> {}
