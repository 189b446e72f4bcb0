//! What the consumer and the runners of a map share.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use crate::contain::{catch, drop_quietly, lock};
use crate::error::OffloadError;
use crate::job::Outcome;

use super::progress::Counters;
use super::results::{Batch, Results};

/// The state of a map, and the closure. See the module's invariants.
pub(super) struct Shared<I, T, F: ?Sized = dyn Fn(I) -> T + Send + Sync> {
    state: Mutex<State<I, T>>,
    pub(super) counters: Arc<Counters>,
    pub(super) f: F,
}

struct State<I, T> {
    input: VecDeque<I>,
    /// Items taken out of the input: the number of the next one.
    taken: u64,
    results: Results<T>,
    done: u64,
    running: usize,
    runners: usize,
    is_closed: bool,
    sleeper: Option<Sleeper>,
}

/// A consumer that waits.
struct Sleeper {
    waker: Waker,
    want: Want,
}

/// What a consumer waits for, besides trouble and the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// A result that can be yielded.
    Next,
    /// That so many more items fit into the input and the runners' hands together, which hold at
    /// most `buffer`; or an error.
    Room { buffer: usize, room: usize },
    /// All results, or an error.
    All,
}

/// What a consumer finds.
pub(super) enum Look {
    /// There are results in the batch.
    Results,
    /// For a consumer who wants room: so many items fit.
    Room(usize),
    /// For a consumer who wants all results.
    Error(OffloadError),
    /// Items are left and no runner exists.
    Stuck,
    /// There is nothing, and nothing will come of what was put in.
    Empty,
    /// There is nothing yet, and the waker is registered. The former one is for the caller to
    /// drop.
    Asleep(#[expect(dead_code, reason = "it is dropped outside of the lock")] Option<Waker>),
}

impl<I, T> Shared<I, T> {
    pub(super) fn new(f: impl Fn(I) -> T + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Shared {
            state: Mutex::new(State {
                input: VecDeque::new(),
                taken: 0,
                results: Results::new(),
                done: 0,
                running: 0,
                runners: 0,
                is_closed: false,
                sleeper: None,
            }),
            counters: Arc::default(),
            f,
        })
    }

    pub(super) fn set_ordered(&self, is_ordered: bool) {
        lock(&self.state).results.set_ordered(is_ordered);
    }

    /// Puts items in. They are run by what [`recruit`](Self::recruit) lets start.
    pub(super) fn feed(&self, items: &mut Vec<I>) {
        lock(&self.state).input.extend(items.drain(..));
    }

    /// Counts a runner in, if another one would find something to do: I2.
    pub(super) fn recruit(&self, limit: usize) -> bool {
        let mut state = lock(&self.state);
        let wanted = limit.min(state.input.len() + state.running);
        let is_wanted = state.runners < wanted;
        state.runners += usize::from(is_wanted);
        is_wanted
    }

    /// Looks for what the consumer wants, and registers its waker if that is not there.
    pub(super) fn look(&self, batch: &mut Batch<T>, want: Want, waker: Waker) -> Look {
        let mut state = lock(&self.state);
        if let Want::Room { .. } | Want::All = want
            && let Some(error) = state.results.take_error()
        {
            return Look::Error(error);
        }
        if state.results.has_next() {
            state.results.take_into(batch);
            return Look::Results;
        }
        if state.is_stuck() {
            return Look::Stuck;
        }
        if let Some(room) = state.room(want) {
            return Look::Room(room);
        }
        if state.is_empty() {
            return Look::Empty;
        }
        Look::Asleep(
            state
                .sleeper
                .replace(Sleeper { waker, want })
                .map(|former| former.waker),
        )
    }

    /// Gives the first item its error, if no runner can be found for it. Returns the item, for the
    /// caller to drop, or else the error.
    pub(super) fn fail_first(&self, error: OffloadError) -> Result<I, OffloadError> {
        let mut state = lock(&self.state);
        if !state.is_stuck() {
            return Err(error);
        }
        let Some((number, item)) = state.take_first() else {
            return Err(error);
        };
        state.finish(&self.counters, number, Err(error));
        Ok(item)
    }

    /// Takes everything out that is not being run, for the caller to drop.
    pub(super) fn close(&self) -> (VecDeque<I>, Batch<T>, Option<Waker>) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        let sleeper = state.sleeper.take();
        (
            mem::take(&mut state.input),
            state.results.clear(),
            sleeper.map(|sleeper| sleeper.waker),
        )
    }

    /// Takes an item for a runner. `None`: the runner has retired.
    pub(super) fn take(&self) -> Option<(u64, I)> {
        self.take_or_retire(|_| None)
    }

    /// Stores a result and takes the next item. `None`: the runner has retired.
    pub(super) fn finish(&self, number: u64, outcome: Outcome<T>) -> Option<(u64, I)> {
        self.take_or_retire(|state| {
            if state.is_closed {
                state.running -= 1;
                return Some(outcome);
            }
            state.finish(&self.counters, number, outcome);
            None
        })
    }

    /// A runner is gone that has not retired.
    pub(super) fn lose_runner(&self) {
        let mut state = lock(&self.state);
        state.runners -= 1;
        let sleeper = state.take_sleeper();
        drop(state);
        wake(sleeper);
    }

    /// One critical section per item: the end of the last and the beginning of the next.
    fn take_or_retire(
        &self,
        end: impl FnOnce(&mut State<I, T>) -> Option<Outcome<T>>,
    ) -> Option<(u64, I)> {
        let mut state = lock(&self.state);
        let unwanted = end(&mut state);
        let next = state.take_first();
        state.runners -= usize::from(next.is_none());
        self.counters
            .running
            .store(state.running, Ordering::Relaxed);
        let sleeper = state.take_sleeper();
        drop(state);
        wake(sleeper);
        if let Some(unwanted) = unwanted {
            drop_quietly(unwanted);
        }
        next
    }
}

impl<I, T> State<I, T> {
    fn take_first(&mut self) -> Option<(u64, I)> {
        let item = self.input.pop_front()?;
        let number = self.taken;
        self.taken += 1;
        self.running += 1;
        self.results.expect_next();
        Some((number, item))
    }

    fn finish(&mut self, counters: &Counters, number: u64, outcome: Outcome<T>) {
        self.running -= 1;
        self.done += 1;
        counters.done.store(self.done, Ordering::Relaxed);
        self.results.put(number, outcome);
    }

    /// Items are left that no runner will take.
    fn is_stuck(&self) -> bool {
        self.runners == 0 && !self.input.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.input.is_empty() && self.running == 0
    }

    /// Returns how many items fit, if they are as many as wanted.
    fn room(&self, want: Want) -> Option<usize> {
        let Want::Room { buffer, room } = want else {
            return None;
        };
        let free = buffer.saturating_sub(self.input.len() + self.running);
        (free >= room).then_some(free)
    }

    /// Takes the consumer's waker out, if there is something for it to see.
    fn take_sleeper(&mut self) -> Option<Sleeper> {
        let want = self.sleeper.as_ref()?.want;
        let has_come = match want {
            Want::Next => self.results.has_next(),
            Want::Room { .. } | Want::All => self.results.has_error() || self.room(want).is_some(),
        };
        (has_come || self.is_empty() || self.is_stuck())
            .then(|| self.sleeper.take())
            .flatten()
    }
}

fn wake(sleeper: Option<Sleeper>) {
    if let Some(sleeper) = sleeper
        && let Err(payload) = catch(|| sleeper.waker.wake())
    {
        drop_quietly(payload);
    }
}
