//! Attempts that begin one after the other, until one of them succeeds.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::crowd::Crowd;
use super::own_scope;
use crate::cancel::{CancelToken, Reason, ReasonKind, check_cancelled};
use crate::time::{Sleep, sleep};

/// What came out of [`race_staggered`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Staggered<T, E> {
    /// What the first attempt gave that succeeded.
    pub value: T,
    /// Which one that was, counted from 0.
    pub index: usize,
    /// What others gave that succeeded although they had been cancelled, and which ones those are.
    pub late: Vec<(usize, T)>,
    /// What the others gave that had begun, in the order of their ends.
    pub errors: Vec<(usize, E)>,
}

/// Begins one attempt after the other until one succeeds: the next one when the last one fails, or
/// when `delay` has passed. Then the others are cancelled and waited for.
///
/// This is how a client connects to a host with several addresses ("happy eyeballs"). The iterator
/// is asked for an attempt when that is to begin. With a `delay` of [`Duration::MAX`] the next
/// attempt begins only after a failure. Once the surrounding scope is cancelled none begins but
/// the first. Counterpart: `asyncio.staggered.staggered_race`.
///
/// # Errors
///
/// What the attempts gave, in their order, if all have failed; nothing, if there were none.
///
/// # Panics
///
/// When polled outside of a running loop. A panic of an attempt passes through, and drops the
/// others.
///
/// # Cancel safety
///
/// As that of the attempts: cancelled, those that have begun are, and are waited for; dropped, they
/// are dropped.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::future::race_staggered;
/// use ringloop_task::{Scheduler, time};
/// use std::io;
/// use std::time::Duration;
///
/// async fn connect(address: &str) -> io::Result<String> {
///     match address {
///         "refuses" => Err(io::ErrorKind::ConnectionRefused.into()),
///         "silent" => time::sleep(Duration::MAX).await.map(|()| unreachable!())?,
///         _ => Ok(format!("connected to {address}")),
///     }
/// }
///
/// let addresses = ["silent", "refuses", "works", "never asked"];
/// let connected = Scheduler::new(ThreadDriver::new()).block_on(race_staggered(
///     addresses.into_iter().map(connect),
///     Duration::from_millis(5),
/// ));
/// let connected = connected.expect("one of them works");
/// assert_eq!((connected.index, &*connected.value), (2, "connected to works"));
/// assert_eq!(connected.errors.len(), 2);
/// ```
#[doc(alias("staggered_race", "happy_eyeballs"))]
pub async fn race_staggered<I, F, T, E>(
    attempts: I,
    delay: Duration,
) -> Result<Staggered<T, E>, Vec<E>>
where
    I: IntoIterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    let crowd = Crowd::new();
    let _emptier = crowd.emptier();
    let token = CancelToken::new();
    let mut pace = Pace::new(delay);
    let mut outcome = Outcome::new();
    let mut attempts = attempts.into_iter();
    let run = poll_fn(|cx| {
        crowd.poll(cx, |_, (index, result)| {
            pace.note(index, &result);
            if outcome.note(index, result) {
                let reason = "another attempt succeeded first";
                token.cancel(Reason::new(ReasonKind::Group, reason));
            }
        });
        if outcome.winner.is_none() && pace.is_due(cx) {
            match attempts.next() {
                // It is polled in the next turn, for which the crowd wakes the task.
                Some(attempt) => drop(crowd.add(Box::pin(numbered(pace.begin(), attempt)), ())),
                None => pace.is_over = true,
            }
        }
        if crowd.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    // How the scope was left says nothing: the outcome tells.
    let _exit = own_scope(token.clone()).run(run).await;
    outcome.into_result()
}

async fn numbered<F: Future>(index: usize, attempt: F) -> (usize, F::Output) {
    (index, attempt.await)
}

/// When the next attempt begins.
struct Pace {
    delay: Duration,
    /// Runs since the last attempt has begun.
    timer: Option<Sleep>,
    begun: usize,
    has_last_failed: bool,
    /// No more attempts begin.
    is_over: bool,
}

impl Pace {
    fn new(delay: Duration) -> Self {
        Self {
            delay,
            timer: None,
            begun: 0,
            has_last_failed: false,
            is_over: false,
        }
    }

    /// An attempt has ended.
    fn note<T, E>(&mut self, index: usize, result: &Result<T, E>) {
        self.has_last_failed |= index + 1 == self.begun && result.is_err();
    }

    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        if self.is_over || self.begun == 0 {
            return !self.is_over;
        }
        let is_due = self.has_last_failed || self.has_waited(cx);
        if is_due && check_cancelled().is_err() {
            self.is_over = true;
        }
        is_due && !self.is_over
    }

    /// Whether the delay is over, or was cancelled.
    fn has_waited(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(timer) = &mut self.timer else {
            return false;
        };
        let has_waited = Pin::new(timer).poll(cx).is_ready();
        if has_waited {
            self.timer = None;
        }
        has_waited
    }

    /// An attempt begins. Returns its number.
    fn begin(&mut self) -> usize {
        self.timer = Some(sleep(self.delay));
        self.has_last_failed = false;
        self.begun += 1;
        self.begun - 1
    }
}

/// What has come out so far.
struct Outcome<T, E> {
    winner: Option<(usize, T)>,
    late: Vec<(usize, T)>,
    errors: Vec<(usize, E)>,
}

impl<T, E> Outcome<T, E> {
    fn new() -> Self {
        Self {
            winner: None,
            late: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// An attempt has ended. Returns whether it is the winner.
    fn note(&mut self, index: usize, result: Result<T, E>) -> bool {
        match result {
            Ok(value) if self.winner.is_none() => {
                self.winner = Some((index, value));
                return true;
            }
            Ok(value) => self.late.push((index, value)),
            Err(error) => self.errors.push((index, error)),
        }
        false
    }

    fn into_result(mut self) -> Result<Staggered<T, E>, Vec<E>> {
        match self.winner {
            Some((index, value)) => Ok(Staggered {
                value,
                index,
                late: self.late,
                errors: self.errors,
            }),
            None => {
                self.errors.sort_by_key(|&(index, _)| index);
                Err(self.errors.into_iter().map(|(_, error)| error).collect())
            }
        }
    }
}
