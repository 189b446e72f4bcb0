//! A place where tasks wait for each other.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | the round that fills and the one that leaves |
//! | `wait` | the future of a turn |
//! | `turn` | what each party gets, and why it may not |

mod raw;
mod turn;
mod wait;

pub use raw::{BarrierState, BarrierStatistics};
pub use turn::{BarrierError, BarrierTurn};
pub use wait::BarrierWait;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::host::Host;
use raw::RawBarrier;

/// A place where so many tasks of one thread wait until all of them are there; again and again.
///
/// Each party gets an index of its own, in the order in which they came. The round is over when all
/// have taken their turn; those who come before that wait for the next one.
///
/// A waiter that is cancelled or dropped before all are there is not counted: one more has to come.
/// Afterwards it is too late: the round is complete, and who is cancelled then has its turn.
/// [`reset`](Self::reset) sends those who wait away; [`abort`](Self::abort) does too, and
/// everybody who comes later, until a reset.
///
/// To share it, put it into an [`Rc`](std::rc::Rc). Counterpart: `asyncio.Barrier`,
/// [`std::sync::Barrier`].
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_core::future::join;
/// use ringloop_sync::Barrier;
///
/// let barrier = Barrier::new(2);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// let (one, other) = join!(barrier.wait(), barrier.wait()).await;
/// assert_eq!((one?.index(), other?.index()), (0, 1));
/// # Ok::<(), ringloop_sync::BarrierError>(())
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_pending()); // The first one was woken.
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias = "asyncio.Barrier")]
pub struct Barrier<H> {
    raw: RawBarrier,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> Barrier<H> {
    /// Makes a barrier for so many parties. Zero are as good as one, which never waits.
    #[must_use]
    pub const fn new(parties: usize) -> Self {
        Self {
            raw: RawBarrier::new(parties),
            host: PhantomData,
        }
    }

    /// Waits until all parties are there; the last one does not wait at all.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`] if the barrier is broken, or was reset meanwhile;
    /// [`BarrierError::Cancelled`] on a [host](Host) with cancellation.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before all are there, it is not counted. Dropped
    /// afterwards, its turn is lost; cancelled afterwards, it has its turn.
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> BarrierWait<'_, H> {
        BarrierWait::new(&self.raw, Location::caller())
    }

    /// Sends away those who wait for the rest of their round, with [`BarrierError::Broken`], and
    /// makes a broken barrier whole.
    ///
    /// It does nothing to a round that is complete, and to those who wait for the one after it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// use ringloop_sync::{Barrier, BarrierError};
    ///
    /// let barrier = Barrier::new(2);
    /// let mut one = pin!(barrier.wait());
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// assert!(one.as_mut().poll(&mut cx).is_pending());
    /// barrier.reset();
    /// assert_eq!(one.as_mut().poll(&mut cx), Poll::Ready(Err(BarrierError::Broken)));
    /// ```
    pub fn reset(&self) {
        self.raw.reset();
    }

    /// Breaks the barrier: those who wait, and all who come before it is [reset](Self::reset), get
    /// [`BarrierError::Broken`].
    ///
    /// Who is on the way out of a round that is complete has its turn.
    pub fn abort(&self) {
        self.raw.abort();
    }

    /// Returns whether the barrier is broken, until it is reset.
    #[doc(alias = "broken")]
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.raw.state() == BarrierState::Broken
    }

    /// Returns how many have to come for a round.
    #[must_use]
    pub fn parties(&self) -> usize {
        self.raw.parties()
    }

    /// Returns how things stand.
    #[doc(alias = "n_waiting")]
    #[must_use]
    pub fn statistics(&self) -> BarrierStatistics {
        self.raw.statistics()
    }
}

impl<H> fmt::Debug for Barrier<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BarrierStatistics {
            parties,
            waiting,
            leaving,
            state,
        } = self.raw.statistics();
        f.debug_struct("Barrier")
            .field("state", &state)
            .field("parties", &parties)
            .field("waiting", &waiting)
            .field("leaving", &leaving)
            .finish()
    }
}
