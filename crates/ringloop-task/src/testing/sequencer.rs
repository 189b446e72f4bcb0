//! Tasks in the order of numbers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::cancel::{CancelWatch, Cancelled};

/// Makes tasks take turns in the order of numbers, from 0 on.
///
/// For tests that need one certain interleaving. Each number is used once, by whichever task; its
/// step begins when that of the number before has ended, and lasts until the [`Step`] is dropped.
/// Clones are the same sequence. Counterpart: `trio.testing.Sequencer`.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::{Sequencer, VirtualDriver};
/// use ringloop_task::{Scheduler, task};
/// use std::{cell::RefCell, rc::Rc};
///
/// Scheduler::new(VirtualDriver::new()).block_on(async {
///     let (sequence, log) = (Sequencer::new(), Rc::new(RefCell::new(String::new())));
///     let other = task::spawn({
///         let (sequence, log) = (sequence.clone(), Rc::clone(&log));
///         async move {
///             let step = sequence.step(1).await?;
///             log.borrow_mut().push_str("world");
///             drop(step); // From here on number 2 may run.
///             sequence.step(3).await?; // A step of no length.
///             log.borrow_mut().push('!');
///             Ok::<(), ringloop_task::testing::SequenceError>(())
///         }
///     });
///     {
///         let _step = sequence.step(0).await?;
///         log.borrow_mut().push_str("hello ");
///     }
///     {
///         let _step = sequence.step(2).await?;
///         log.borrow_mut().push_str(", again");
///     }
///     other.await.unwrap()?;
///     assert_eq!(*log.borrow(), "hello world, again!");
///     Ok::<(), ringloop_task::testing::SequenceError>(())
/// })?;
/// # Ok::<(), ringloop_task::testing::SequenceError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sequencer {
    sequence: Rc<RefCell<Sequence>>,
}

#[derive(Debug, Default)]
struct Sequence {
    /// Whose turn it is, or will be when it comes.
    next: u32,
    /// Numbers that were used.
    used: BTreeSet<u32>,
    waiting: BTreeMap<u32, Waker>,
    /// A number that was given up: nothing comes after it.
    broken: Option<u32>,
}

impl Sequencer {
    /// Makes a sequence that begins with 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for the turn of `number`, which is used up by this call.
    ///
    /// # Errors
    ///
    /// * `UsedTwice` if the number was used before. The sequence goes on.
    /// * `Broken` if the wait for this or for a smaller number was dropped or cancelled: its turn
    ///   never ends, so that of this number never comes.
    /// * `Cancelled` if the task or a scope around is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropped or cancelled before it completes, the sequence is broken, and all
    /// later steps are errors. A number that nobody uses is not an error but a wait.
    #[track_caller]
    pub fn step(&self, number: u32) -> StepWait {
        let is_first = self.sequence.borrow_mut().used.insert(number);
        StepWait {
            sequencer: self.clone(),
            number,
            state: if is_first { State::Waits } else { State::Twice },
            watch: CancelWatch::new(),
        }
    }

    /// Passes the turn on.
    fn finish(&self, number: u32) {
        let mut sequence = self.sequence.borrow_mut();
        // After the last number of all nobody is left.
        sequence.next = number.saturating_add(1);
        let next = sequence.next;
        let waker = sequence.waiting.remove(&next);
        drop(sequence);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Breaks the sequence: the turn of `number` never ends.
    fn give_up(&self, number: u32) {
        let mut sequence = self.sequence.borrow_mut();
        let first = sequence.broken.map_or(number, |broken| broken.min(number));
        sequence.broken = Some(first);
        // Those before it have their turns yet.
        let concerned = sequence.waiting.split_off(&number);
        drop(sequence);
        for waker in concerned.into_values() {
            waker.wake();
        }
    }

    /// Returns whether it is the turn of `number`; else files the waker.
    fn poll_turn(&self, number: u32, cx: &Context<'_>) -> Poll<Result<(), SequenceError>> {
        let waker = cx.waker().clone();
        let mut sequence = self.sequence.borrow_mut();
        if sequence.next == number {
            return Poll::Ready(Ok(()));
        }
        if let Some(broken) = sequence.broken
            && broken < number
        {
            return Poll::Ready(Err(SequenceError::Broken(broken)));
        }
        let old = sequence.waiting.insert(number, waker);
        drop(sequence);
        drop(old);
        Poll::Pending
    }
}

/// Waits for the turn of a number; see [`Sequencer::step`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct StepWait {
    sequencer: Sequencer,
    number: u32,
    state: State,
    watch: CancelWatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its turn has not come.
    Waits,
    /// The number was used before.
    Twice,
    /// It was told how it ended.
    Over,
}

impl Future for StepWait {
    type Output = Result<Step, SequenceError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let number = self.number;
        if self.state == State::Twice {
            return Poll::Ready(Err(SequenceError::UsedTwice(number)));
        }
        match self.sequencer.poll_turn(number, cx) {
            Poll::Ready(Ok(())) => {
                self.state = State::Over;
                let sequencer = self.sequencer.clone();
                Poll::Ready(Ok(Step { sequencer, number }))
            }
            // The drop of this breaks the numbers from this one on.
            Poll::Ready(Err(broken)) => Poll::Ready(Err(broken)),
            Poll::Pending => match self.watch.poll_cancelled(cx) {
                Ok(()) => Poll::Pending,
                Err(cancelled) => Poll::Ready(Err(cancelled.into())),
            },
        }
    }
}

impl Drop for StepWait {
    fn drop(&mut self) {
        if mem::replace(&mut self.state, State::Over) == State::Waits {
            self.sequencer.give_up(self.number);
        }
    }
}

/// The turn of one number: it ends when this is dropped.
///
/// Not `must_use`: a step that is dropped at once only orders what is around it.
#[derive(Debug)]
pub struct Step {
    sequencer: Sequencer,
    number: u32,
}

impl Drop for Step {
    fn drop(&mut self) {
        self.sequencer.finish(self.number);
    }
}

/// A turn that does not come.
///
/// # Examples
///
/// ```
/// use ringloop_task::Scheduler;
/// use ringloop_task::testing::{SequenceError, Sequencer, VirtualDriver};
///
/// let sequence = Sequencer::new();
/// drop(sequence.step(3)); // Nobody will ever end that.
/// let never = Scheduler::new(VirtualDriver::new()).block_on(sequence.step(4));
/// assert_eq!(never.unwrap_err().to_string(), "step 3 of the sequence was given up");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SequenceError {
    /// This number was used before.
    UsedTwice(u32),
    /// The wait for this number, which is before, was dropped or cancelled.
    Broken(u32),
    /// The wait was cancelled.
    Cancelled(Cancelled),
}

impl fmt::Display for SequenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsedTwice(number) => write!(f, "step {number} of the sequence was used before"),
            Self::Broken(number) => write!(f, "step {number} of the sequence was given up"),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl Error for SequenceError {}

impl From<Cancelled> for SequenceError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}
