//! Calling functions from the loop: soon, later, at a time.
//!
//! A call is a closure that the loop runs outside of any task. It stands in the ready queue between
//! the tasks, first in, first out. Inside it is a task without a handle, so that the timer queue
//! has a waker to file, and a panic finds its way to the hook; it is not shown as a task.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::context;
use crate::home::Home;
use crate::local::{self, Locals};
use crate::task::{self, Body, JoinError, TaskRef};
use crate::time::TimerEntry;

/// Calls `f` from the loop, after what is ready already.
///
/// The call is made outside of any task: [`task::current`] is `None`, and no cancellation reaches
/// it. What a call calls itself comes after the driver was looked at. A panic is told to the hook for what is [`Unhandled`](crate::Unhandled), once. Dropping the
/// handle changes nothing. Counterpart: `loop.call_soon`.
///
/// # Panics
///
/// Outside of a loop; see [`Scheduler::enter`](crate::Scheduler::enter).
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::{ThreadDriver, postbox};
/// use ringloop_task::{Scheduler, call};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let (setter, postbox) = postbox();
///     call::call_soon(move || drop(setter.set("called")));
///     assert_eq!(postbox.await.unwrap(), "called");
/// });
/// ```
#[track_caller]
pub fn call_soon(f: impl FnOnce() + 'static) -> CallHandle {
    let at = Location::caller();
    match context::with_home(|home| CallHandle::new(soon(home, at, local::capture(home), f), None))
    {
        Some(handle) => handle,
        None => no_loop(),
    }
}

/// Calls `f` after `delay`, never earlier. Zero is the next time that the loop looks at its timers.
///
/// As [`call_soon`] in everything else. Counterpart: `loop.call_later`.
///
/// # Panics
///
/// Outside of a loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, call, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let reminder = call::call_later(Duration::from_secs(60), || panic!("too late"));
///     time::sleep(Duration::from_millis(1)).await?;
///     assert!(reminder.cancel());
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn call_later(delay: Duration, f: impl FnOnce() + 'static) -> CallHandle {
    let at = Location::caller();
    match context::with_home(|home| timed(home, at, home.now().checked_add(delay), f)) {
        Some(handle) => handle,
        None => no_loop(),
    }
}

/// Calls `f` at the time `when`, never earlier; calls with equal times in the order they were made.
///
/// As [`call_soon`] in everything else. Counterpart: `loop.call_at`.
///
/// # Panics
///
/// Outside of a loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, call, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let soon = time::now() + Duration::from_millis(1);
///     let bell = call::call_at(soon, move || assert!(time::now() >= soon));
///     assert_eq!(bell.when(), Some(soon));
///     time::sleep_until(soon).await
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn call_at(when: Instant, f: impl FnOnce() + 'static) -> CallHandle {
    let at = Location::caller();
    match context::with_home(|home| timed(home, at, Some(when), f)) {
        Some(handle) => handle,
        None => no_loop(),
    }
}

/// Takes a call back. Dropping it lets the call happen. Counterpart: `asyncio.Handle`,
/// `asyncio.TimerHandle`.
#[doc(alias("Handle", "TimerHandle"))]
#[derive(Clone)]
pub struct CallHandle {
    call: TaskRef,
    when: Option<Instant>,
}

impl CallHandle {
    fn new(call: TaskRef, when: Option<Instant>) -> Self {
        Self { call, when }
    }

    /// Takes the call back and drops its closure. Returns false if the call has begun, or was taken
    /// back before.
    ///
    /// Outside of the loop the closure is dropped when the loop runs again.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&self) -> bool {
        self.call.withdraw()
    }

    /// Returns whether the call was taken back.
    #[must_use]
    #[doc(alias = "cancelled")]
    pub fn is_cancelled(&self) -> bool {
        self.call.is_aborted()
    }

    /// Returns when the call is due. `None` for [`call_soon`], and if it is too far away to come.
    #[must_use]
    pub fn when(&self) -> Option<Instant> {
        self.when
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHandle")
            .field("made_at", &format_args!("{}", self.call.spawned_at()))
            .field("when", &self.when)
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// Puts a call into the ready queue.
pub(crate) fn soon(
    home: &Home,
    at: &'static Location<'static>,
    locals: Option<Rc<Locals>>,
    f: impl FnOnce() + 'static,
) -> TaskRef {
    let call = task::make_call(home, at, locals, Call::new(home, f, When::Now));
    call.schedule(home);
    close_late(home, &call);
    call
}

/// Files a call under a time. `None` is too far away to come.
fn timed(
    home: &Home,
    at: &'static Location<'static>,
    when: Option<Instant>,
    f: impl FnOnce() + 'static,
) -> CallHandle {
    let locals = local::capture(home);
    let call = task::make_call(home, at, locals, Call::new(home, f, When::At(when)));
    // The first poll only files the timer.
    call.run_inside(home);
    close_late(home, &call);
    CallHandle::new(call, when)
}

/// After a shutdown nothing is called any more.
fn close_late(home: &Home, call: &TaskRef) {
    if home.is_closed() {
        call.kill_with(home, JoinError::gone(Some(call.id())));
    }
}

/// What runs a call.
struct Call<F> {
    f: Option<F>,
    when: When,
}

enum When {
    Now,
    At(Option<Instant>),
    Filed(TimerEntry),
}

impl<F: FnOnce()> Call<F> {
    fn new(home: &Home, f: F, when: When) -> Self {
        home.counters.calls.set(home.counters.calls.get() + 1);
        Self { f: Some(f), when }
    }

    /// Returns whether the time has come; sees to it that there is a poll then.
    fn is_due(&mut self, home: &Home, cx: &Context<'_>) -> bool {
        match &self.when {
            When::Now => true,
            When::Filed(entry) => entry.has_fired(),
            When::At(when) => {
                if let Some(entry) = when.and_then(|when| home.timers.insert(when, cx.waker())) {
                    self.when = When::Filed(entry);
                }
                false
            }
        }
    }

    fn call(&mut self, home: &Home) {
        let Some(f) = self.f.take() else {
            return;
        };
        let mut context = local::Context::capture();
        let aside = home.set_aside(None);
        let called = catch_unwind(AssertUnwindSafe(|| context.run(f)));
        home.take_up(aside);
        home.release_locals(home.current.get(), context.into_locals());
        if let Err(payload) = called {
            resume_unwind(payload);
        }
    }
}

impl<F> Unpin for Call<F> {}

impl<F: FnOnce()> Body for Call<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), JoinError>> {
        let this = self.get_mut();
        let polled = context::with_home(|home| {
            if !this.is_due(home, cx) {
                return Poll::Pending;
            }
            this.call(home);
            Poll::Ready(Ok(()))
        });
        polled.expect("a call is polled by the loop")
    }
}

/// Calls are no tasks: nobody waits for them.
impl<F> Drop for Call<F> {
    fn drop(&mut self) {
        context::with_home(|home| {
            let calls = &home.counters.calls;
            calls.set(calls.get() - 1);
        });
    }
}

#[cold]
#[track_caller]
fn no_loop() -> ! {
    panic!("there is no loop running on this thread to call from")
}
