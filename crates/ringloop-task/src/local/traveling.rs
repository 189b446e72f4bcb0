//! The values that leave the loop's thread with the work that does.

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::sync::Arc;

use super::context::{self, Context};
use super::map::{Key, Slot, TravelingValue, Value};
use crate::context::with_home;

/// The task locals of the code that runs that are declared `traveling`, as they were at one moment,
/// for work on another thread.
///
/// The facade sends them along with what it offloads, and a [`Remote`](crate::Remote) brings them
/// back into the loop; by hand it is for threads of one's own. Where nothing is set, nothing is
/// allocated. The values are shared, not cloned, and have to be `Send` and `Sync`. Counterpart:
/// the context that `asyncio.to_thread` copies into its thread.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::local::Traveling;
/// use ringloop_task::{Scheduler, task_local};
/// use std::thread;
///
/// task_local! {
///     traveling static REQUEST: u64 = 0;
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     REQUEST.set(7);
///     let mut traveling = Traveling::capture();
///     let work = move || traveling.run(|| REQUEST.get());
///     assert_eq!(thread::spawn(work).join().unwrap(), 7);
/// });
/// ```
#[derive(Clone, Default)]
#[doc(alias = "copy_context")]
pub struct Traveling {
    #[expect(
        clippy::box_collection,
        reason = "mostly there are none, and what carries this is small"
    )]
    values: Option<Box<Vec<(Key, TravelingValue)>>>,
}

impl Traveling {
    /// Returns the values of the code that runs: of the task, of the call, or of the
    /// [run](Self::run) that it is in. Elsewhere there are none.
    #[must_use]
    pub fn capture() -> Self {
        let here = with_home(|home| context::with_slot(home, Slot::traveling));
        match here {
            Some(values) => Self::of(values),
            None => with_arrived(|arrived| arrived.clone()).unwrap_or_default(),
        }
    }

    /// Returns whether there is nothing to take along.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    fn of(values: Vec<(Key, TravelingValue)>) -> Self {
        let values = (!values.is_empty()).then(|| Box::new(values));
        Self { values }
    }

    fn values(&self) -> &[(Key, TravelingValue)] {
        self.values.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Runs `f` with these values. What it sets stays in here.
    ///
    /// Also outside of any loop. Inside of one, the locals that do not travel are those of the code
    /// that runs.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        if crate::is_running() {
            return self.run_inside(f);
        }
        let outer = ARRIVED.replace(Some(mem::take(self)));
        let exit = Exit {
            traveling: self,
            outer,
        };
        let result = f();
        drop(exit);
        result
    }

    /// The same where a loop runs: what looks for a value looks in the loop first.
    #[cold]
    fn run_inside<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let mut context = Context::capture();
        let mut hidden = Vec::new();
        if !self.is_empty() || context.has_traveling() {
            let values = self
                .values
                .take()
                .map(|values| *values)
                .into_iter()
                .flatten();
            hidden = context.exchange(values.map(|(key, value)| (key, Value::Traveling(value))));
        }
        let result = context.run(f);
        *self = Self::of(context.traveling());
        drop((context, hidden));
        result
    }

    /// Returns a value of a local.
    pub(super) fn get(&self, key: Key) -> Option<Value> {
        let found = self.values().iter().find(|(have, _)| *have == key);
        found.map(|(_, value)| Value::Traveling(Arc::clone(value)))
    }

    /// Sets a value and returns the old one.
    #[must_use = "dropping a value runs code"]
    pub(super) fn insert(&mut self, key: Key, value: TravelingValue) -> Option<TravelingValue> {
        let values = self.values.get_or_insert_default();
        match values.iter_mut().find(|(have, _)| *have == key) {
            Some((_, place)) => Some(mem::replace(place, value)),
            None => {
                values.push((key, value));
                None
            }
        }
    }
}

impl fmt::Debug for Traveling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traveling")
            .field("len", &self.values().len())
            .finish()
    }
}

/// Ends a run, also when it panics.
struct Exit<'a> {
    traveling: &'a mut Traveling,
    outer: Option<Traveling>,
}

impl Drop for Exit<'_> {
    fn drop(&mut self) {
        let own = ARRIVED.replace(self.outer.take());
        *self.traveling = own.unwrap_or_default();
    }
}

/// Looks at the values of the run that this code is in, outside of any loop. No foreign code is
/// called meanwhile.
pub(super) fn with_arrived<R>(look: impl FnOnce(&mut Traveling) -> R) -> Option<R> {
    let mut arrived = ARRIVED.try_with(Cell::take).ok().flatten()?;
    let found = look(&mut arrived);
    ARRIVED.set(Some(arrived));
    Some(found)
}

thread_local! {
    static ARRIVED: Cell<Option<Traveling>> = const { Cell::new(None) };
}
