//! The rules of cancellation for a wait on a stream.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use ringloop_task::cancel::{CancelWatch, Cancelled};
use ringloop_task::task::poll_budget;

/// A wait on a stream: it looks for a cancellation before it begins, and then after it has looked
/// for the value.
#[derive(Debug)]
pub(crate) struct Wait {
    watch: CancelWatch,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New,
    /// Between two steps.
    Between,
    Begun,
}

impl Wait {
    #[track_caller]
    pub(crate) fn new() -> Self {
        Self {
            watch: CancelWatch::new(),
            stage: Stage::New,
        }
    }

    /// Whether it has not begun.
    #[inline(always)]
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.stage, Stage::New)
    }

    /// Begins a wait that is new, if that needs no closer look. `false`: ask [`begin`](Self::begin).
    /// The wait counts as new until it [goes on](Self::go_on).
    ///
    /// What follows is best apart from what other polls do: then the compiler sees through the
    /// future that was made just now.
    #[inline(always)]
    pub(crate) fn try_begin(&self) -> bool {
        debug_assert!(self.is_new(), "a wait begins once");
        CancelWatch::try_begin()
    }

    /// To be asked at the beginning of each poll.
    ///
    /// Fails if the wait is begun inside a cancelled scope. Takes a turn of the loop first if the
    /// task has done much in this poll, and if it has been told many times that it is cancelled;
    /// else spends a piece of the task's budget.
    #[inline(always)]
    pub(crate) fn begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        match self.stage {
            Stage::New => ready!(self.watch.poll_begin(cx))?,
            Stage::Between => {
                self.watch.poll_cancelled(cx)?;
                ready!(poll_budget(cx)).spend();
            }
            Stage::Begun => return Poll::Ready(Ok(())),
        }
        self.stage = Stage::Begun;
        Poll::Ready(Ok(()))
    }

    /// Between two steps of a wait that takes several: spends a piece of the task's budget, or
    /// takes a turn of the loop, after which it looks for a cancellation: the steps may have no end.
    #[inline]
    pub(crate) fn next_step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stage = Stage::Between;
        ready!(poll_budget(cx)).spend();
        self.stage = Stage::Begun;
        Poll::Ready(())
    }

    /// `Pending`, unless the wait has been cancelled.
    #[inline]
    pub(crate) fn go_on<T, E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>
    where
        E: From<Cancelled>,
    {
        self.stage = Stage::Begun;
        self.watch.poll_cancelled(cx)?;
        Poll::Pending
    }
}

/// Waits for what `poll` gives, also when cancelled: it is about to come, and what it is needed for
/// would be lost. A later wait tells of the cancellation.
#[track_caller]
pub(crate) fn see_through<T>(
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> impl Future<Output = T> {
    let mut watch = CancelWatch::new();
    let mut stays = false;
    poll_fn(move |cx| {
        if let Poll::Ready(value) = poll(cx) {
            return Poll::Ready(value);
        }
        if !stays && watch.poll_cancelled(cx).is_err() {
            watch.stay();
            stays = true;
        }
        Poll::Pending
    })
}
