//! Two executors for all futures of this level: one for a single future, one for many.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Polls `future` until it is done; `park` submits what was started and waits for a completion.
pub(super) fn block_on<F: Future>(
    future: F,
    waker: &Waker,
    mut park: impl FnMut() -> io::Result<()>,
) -> io::Result<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Ok(output);
        }
        park()?;
    }
}

/// Polls those of `futures` that are left, and hands their outputs to `take`.
pub(super) async fn all_of<F: Future + Unpin>(
    futures: &mut Vec<F>,
    mut take: impl FnMut(F::Output),
) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| match Pin::new(future).poll(context) {
            Poll::Ready(output) => {
                take(output);
                false
            }
            Poll::Pending => true,
        });
        if futures.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

type Task<'t> = Pin<Box<dyn Future<Output = io::Result<()>> + 't>>;

/// Tasks, each of which is polled when its waker was called.
pub(super) struct Tasks<'t> {
    tasks: Vec<(Option<Task<'t>>, Waker)>,
    woken: Arc<[AtomicBool]>,
}

impl<'t> Tasks<'t> {
    pub(super) fn new(tasks: impl Iterator<Item = Task<'t>>) -> Self {
        let tasks: Vec<_> = tasks.collect();
        let woken: Arc<[AtomicBool]> = tasks.iter().map(|_| AtomicBool::new(true)).collect();
        let waker = |index| {
            Waker::from(Arc::new(TaskWaker {
                woken: Arc::clone(&woken),
                index,
            }))
        };
        let tasks = tasks.into_iter().enumerate();
        let tasks = tasks
            .map(|(index, task)| (Some(task), waker(index)))
            .collect();
        Self { tasks, woken }
    }

    /// Runs all tasks to their end; `park` submits what was started and waits for a completion.
    pub(super) fn run(mut self, mut park: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let mut left = self.tasks.len();
        loop {
            for (woken, (slot, waker)) in self.woken.iter().zip(&mut self.tasks) {
                // Ordering: all wakers are called on this thread.
                if !woken.load(Ordering::Relaxed) {
                    continue;
                }
                woken.store(false, Ordering::Relaxed);
                let Some(task) = slot else { continue };
                let mut context = Context::from_waker(waker);
                if let Poll::Ready(result) = task.as_mut().poll(&mut context) {
                    result?;
                    *slot = None;
                    left -= 1;
                }
            }
            if left == 0 {
                return Ok(());
            }
            park()?;
        }
    }
}

struct TaskWaker {
    woken: Arc<[AtomicBool]>,
    index: usize,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: all wakers are called on this thread.
        self.woken[self.index].store(true, Ordering::Relaxed);
    }
}
