//! The task of one connection.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use ringloop_task::group::Failure;

use super::report::{ServeReport, Teller};
use super::shared::Shared;
use crate::sync::Notify;

/// The live connections of one listener.
pub(super) struct Places {
    live: Cell<usize>,
    limit: usize,
    /// Told when a connection has ended.
    freed: Notify,
}

impl Places {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            live: Cell::new(0),
            limit,
            freed: Notify::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.live.get() >= self.limit
    }

    /// How many connections more may live, if there is a limit.
    pub(super) fn room(&self) -> Option<usize> {
        (self.limit != usize::MAX).then(|| self.limit - self.live.get())
    }

    pub(super) fn freed(&self) -> &Notify {
        &self.freed
    }
}

/// A connection lives, until this is dropped.
pub(super) struct Live<A> {
    places: Rc<Places>,
    shared: Rc<Shared<A>>,
}

impl<A> Live<A> {
    pub(super) fn new(places: &Rc<Places>, shared: &Rc<Shared<A>>) -> Self {
        places.live.update(|count| count + 1);
        shared.counters.live.update(|count| count + 1);
        Self {
            places: Rc::clone(places),
            shared: Rc::clone(shared),
        }
    }
}

impl<A> Drop for Live<A> {
    fn drop(&mut self) {
        self.places.live.update(|count| count - 1);
        self.shared.counters.live.update(|count| count - 1);
        self.places.freed.notify_waiters();
    }
}

pin_project! {
    /// The future of the task.
    pub(super) struct Connection<F, A> {
        // Before the place: when that is free, the handler is gone.
        #[pin]
        handler: F,
        // There until the handler has ended, and not while it is polled.
        live: Option<Live<A>>,
    }
}

impl<F, A> Connection<F, A> {
    pub(super) fn new(handler: F, live: Live<A>) -> Self {
        let live = Some(live);
        Self { handler, live }
    }
}

impl<F: Future<Output = Result<(), E>>, A, E> Future for Connection<F, A> {
    type Output = Result<(), E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let this = self.project();
        // If it fails or panics, it is not live any more when that is told.
        let live = this.live.take().expect("polled after it was done");
        let polled = this.handler.poll(cx);
        match polled {
            Poll::Pending => *this.live = Some(live),
            Poll::Ready(Ok(())) => live.shared.counters.completed.update(|count| count + 1),
            Poll::Ready(Err(_)) => {}
        }
        polled
    }
}

/// What is to be done when the handler of a connection has failed.
pub(super) fn on_failure<A: 'static, E: std::fmt::Display + 'static>(
    connection: u64,
    shared: &Rc<Shared<A>>,
    teller: &Teller<E>,
) -> impl Fn(Failure<E>) + 'static {
    let (shared, teller) = (Rc::clone(shared), teller.clone());
    move |failure| {
        let (counter, report) = match failure {
            Failure::Error(error) => {
                let report = ServeReport::Failed { connection, error };
                (&shared.counters.failed, report)
            }
            Failure::Panic(payload) => {
                let report = ServeReport::Panicked {
                    connection,
                    payload,
                };
                (&shared.counters.panicked, report)
            }
        };
        counter.update(|count| count + 1);
        teller.tell(report);
    }
}
