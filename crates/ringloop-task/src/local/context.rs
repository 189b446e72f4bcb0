//! All values of a task at one moment.

use std::fmt;
use std::rc::Rc;

use super::map::{Key, Locals, Slot, TravelingValue, Value};
use crate::context;
use crate::home::Home;
use crate::task;

/// All task locals of the code that runs, as they were at one moment.
///
/// A copy: what the task sets later does not change it. For code that is called by somebody else
/// and has to see the values of whoever asked for it. Counterpart: `contextvars.Context`,
/// `contextvars.copy_context`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::local::Context;
/// use ringloop_task::{Scheduler, task_local};
///
/// task_local! {
///     static USER: &'static str = "nobody";
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     USER.set("ada");
///     let mut then = Context::capture();
///     USER.set("grace");
///     assert_eq!(then.run(|| USER.get()), "ada");
///     assert_eq!(USER.get(), "grace");
/// });
/// ```
#[derive(Clone, Default)]
#[doc(alias = "copy_context")]
pub struct Context {
    pub(super) locals: Option<Rc<Locals>>,
}

impl Context {
    /// Makes a context without values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the values of the code that runs: of the task, or of the call of
    /// [`call_soon`](crate::call::call_soon). Outside of a loop there are none.
    #[must_use]
    pub fn capture() -> Self {
        let locals = context::with_home(capture).flatten();
        Self { locals }
    }

    /// Runs `f` with these values. What it sets stays in this context. Counterpart:
    /// `Context.run`.
    ///
    /// # Panics
    ///
    /// Outside of a loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.swap();
        let exit = Exit { context: self };
        let result = f();
        drop(exit);
        result
    }

    /// Exchanges these values and those of the code that runs.
    fn swap(&mut self) {
        let swapped = context::with_home(|home| {
            let locals = self.locals.take();
            self.locals = with_slot(home, |slot| slot.replace(locals));
        });
        assert!(swapped.is_some(), "task locals belong to a running loop");
    }

    pub(super) fn insert(&mut self, key: Key, value: Value) {
        let mut locals = self.locals.take().unwrap_or_default();
        let old = Rc::make_mut(&mut locals).insert(key, value);
        self.locals = Some(locals);
        drop(old);
    }

    /// Puts these values in place of all that may go to other threads, and returns those.
    #[must_use = "dropping a value runs code"]
    pub(super) fn exchange(
        &mut self,
        values: impl Iterator<Item = (Key, Value)>,
    ) -> Vec<(Key, Value)> {
        let mut locals = self.locals.take().unwrap_or_default();
        let own = Rc::make_mut(&mut locals);
        let hidden = own.take_traveling();
        own.extend(values);
        self.locals = Some(locals);
        hidden
    }

    /// Returns whether there are values that may go to other threads.
    pub(super) fn has_traveling(&self) -> bool {
        self.locals.as_deref().is_some_and(Locals::has_traveling)
    }

    /// Returns the values that may go to other threads.
    pub(super) fn traveling(&self) -> Vec<(Key, TravelingValue)> {
        let locals = self.locals.as_deref();
        locals.map(Locals::traveling).unwrap_or_default()
    }

    pub(crate) fn into_locals(self) -> Option<Rc<Locals>> {
        self.locals
    }
}

/// Ends a run, also when it panics.
struct Exit<'a> {
    context: &'a mut Context,
}

impl Drop for Exit<'_> {
    fn drop(&mut self) {
        self.context.swap();
    }
}

/// Returns the values of the code that runs.
#[inline(always)]
pub(crate) fn capture(home: &Home) -> Option<Rc<Locals>> {
    with_slot(home, Slot::share)
}

/// Runs `f` with the slot of the code that runs: that of the current task, or, outside of any, that
/// of the loop, which the call of a function exchanges for its own.
#[inline(always)]
pub(super) fn with_slot<R>(home: &Home, f: impl FnOnce(&Slot) -> R) -> R {
    match home.current.get() {
        Some(task) => f(task::locals_of(&task)),
        None => f(&home.locals),
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("locals", &self.locals)
            .finish()
    }
}
