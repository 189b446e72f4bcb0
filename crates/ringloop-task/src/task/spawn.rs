//! How tasks are made.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use super::cell::{Body, TaskCell};
use super::eager;
use super::error::JoinError;
use super::header::{CALL, Cold, Flags, HANDLE, Header, SCHEDULED};
use super::join::JoinHandle;
use super::local_refs::LocalRefs;
use super::pointer::TaskPtr;
use super::reference::TaskRef;
use super::runnable::Runnable;
use super::word::RemoteWord;
use crate::cancel::Request;
use crate::context;
use crate::home::{Home, Phase};
use crate::local::{self, Context, Locals, Slot};
use crate::sync::{AtomicPtr, Tracked};

/// Starts a task on this thread's loop. It is polled after the tasks that are ready already.
///
/// The loop owns the task; dropping the handle detaches it. Counterpart: `asyncio.create_task`.
///
/// # Panics
///
/// Outside of a running loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// let answer = Scheduler::new(ThreadDriver::new()).block_on(async {
///     task::spawn(async { 6 * 7 }).await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
#[doc(alias("create_task", "ensure_future", "start_soon", "spawn_local"))]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(Location::caller(), None, future)
}

/// Gives a task more than its future.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::Builder::new().name("child").spawn(async {});
///     assert_eq!(child.name().as_deref(), Some("child"));
/// });
/// ```
#[must_use = "a builder does nothing until it spawns"]
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<Arc<str>>,
    is_eager: bool,
    locals: Option<Context>,
}

impl Builder {
    /// Makes a builder of tasks without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name that reports show.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets whether the task is polled once in the call that spawns it, as
    /// [`spawn_eager`](super::spawn_eager) does.
    #[doc(alias = "eager_start")]
    pub fn eager(mut self, is_eager: bool) -> Self {
        self.is_eager = is_eager;
        self
    }

    /// Gives the task these values of task locals instead of those of its spawner. Counterpart:
    /// `create_task(context=…)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::local::Context;
    /// use ringloop_task::{Scheduler, task, task_local};
    ///
    /// task_local! {
    ///     static USER: &'static str = "nobody";
    /// }
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     USER.set("ada");
    ///     let clean = task::Builder::new().locals(Context::new());
    ///     assert_eq!(clean.spawn(async { USER.get() }).await.unwrap(), "nobody");
    /// });
    /// ```
    #[doc(alias = "context")]
    pub fn locals(mut self, context: Context) -> Self {
        self.locals = Some(context);
        self
    }

    /// Starts the task, as [`spawn`] does.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.start(Location::caller(), future)
    }

    /// Starts a task for which somebody else is to be named.
    #[track_caller]
    pub(crate) fn start<B>(self, at: &'static Location<'static>, body: B) -> JoinHandle<B::Output>
    where
        B: Body + 'static,
        B::Output: 'static,
    {
        if !self.is_eager && self.locals.is_none() {
            return spawn_at(at, self.name, body);
        }
        let started = context::with_home(|home| {
            let locals = match self.locals {
                Some(context) => context.into_locals(),
                None => local::capture(home),
            };
            let origin = Origin {
                at,
                name: self.name,
                locals,
            };
            if self.is_eager {
                eager::start(home, origin, body)
            } else {
                enqueue(home, origin, body)
            }
        });
        match started {
            Some(task) => JoinHandle::new(task),
            None => no_loop(),
        }
    }
}

/// Starts a task for which somebody else is to be named.
#[inline]
#[track_caller]
pub(crate) fn spawn_at<F>(
    at: &'static Location<'static>,
    name: Option<Arc<str>>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Body + 'static,
    F::Output: 'static,
{
    match context::with_home(|home| JoinHandle::new(start(home, at, name, future))) {
        Some(handle) => handle,
        None => no_loop(),
    }
}

/// What a task has from its spawner.
pub(super) struct Origin {
    pub(super) at: &'static Location<'static>,
    pub(super) name: Option<Arc<str>>,
    pub(super) locals: Option<Rc<Locals>>,
}

/// Makes a task that inherits, and puts it into the ready queue. The reference that is returned is
/// the handle's.
#[inline]
pub(super) fn start<F: Body>(
    home: &Home,
    at: &'static Location<'static>,
    name: Option<Arc<str>>,
    future: F,
) -> TaskRef {
    let locals = local::capture(home);
    enqueue(home, Origin { at, name, locals }, future)
}

/// Makes a task and puts it into the ready queue. The reference that is returned is the handle's.
#[inline]
pub(super) fn enqueue<F: Body>(home: &Home, origin: Origin, future: F) -> TaskRef {
    let task = make(home, origin, HANDLE | SCHEDULED, future);
    Runnable(task.0).queue(&home.ready);
    if home.is_attentive.get() {
        start_attentively(home, &task);
    }
    task
}

/// Makes a task that nobody knows yet. `flags` say who is to know it.
#[inline(always)]
pub(super) fn make<F: Body>(home: &Home, origin: Origin, flags: u32, future: F) -> TaskRef {
    let Origin { at, name, locals } = origin;
    let cold = match name {
        None => OnceCell::new(),
        Some(name) => OnceCell::from(Box::new(Cold {
            name: RefCell::new(Some(name)),
            ..Cold::default()
        })),
    };
    let header = TaskCell::allocate(
        |vtable| Header {
            vtable,
            gate: Arc::as_ptr(&home.gate),
            word: RemoteWord::new(),
            link: AtomicPtr::new(ptr::null_mut()),
            local_refs: LocalRefs::new(1),
            flags: Flags::new(flags),
            slot: Cell::new(0),
            id: home.ids.next(),
            polls: Cell::new(0),
            locals: Slot::new(locals),
            spawned_at: at,
            parked_at: Cell::new(None),
            joiner: Cell::new(None),
            cold,
            _tracked: Tracked::new(()),
        },
        future,
    );
    let task = TaskPtr(header);
    home.registry.add(task);
    home.counters.live.set(home.counters.live.get() + 1);
    home.counters.spawned.set(home.counters.spawned.get() + 1);
    TaskRef(task)
}

/// Makes a task that calls a function, and is not shown.
pub(crate) fn make_call<F: Body>(
    home: &Home,
    at: &'static Location<'static>,
    locals: Option<Rc<Locals>>,
    call: F,
) -> TaskRef {
    let spawned = &home.counters.spawned;
    let before = spawned.get();
    let origin = Origin {
        at,
        name: None,
        locals,
    };
    let task = make(home, origin, CALL, call);
    if let Some(watch) = &home.watch {
        watch.called(&task);
    }
    spawned.set(before);
    if home.current.get().is_none() {
        // A call that is made by a call: the driver comes first.
        let flags = &task.0.header().flags;
        flags.wait_for_turn_after(home.turn.get());
    }
    task
}

/// A task is spawned that is watched, or during a shutdown.
#[cold]
fn start_attentively(home: &Home, task: &TaskRef) {
    if let Some(watch) = &home.watch {
        watch.spawned(home, task);
    }
    match home.phase.get() {
        Phase::Open => {}
        Phase::Closing => {
            task.request(Request::shutdown());
        }
        Phase::Closed => task.0.kill(home, JoinError::gone(Some(task.id()))),
    }
}

#[cold]
#[track_caller]
fn no_loop() -> ! {
    panic!("there is no loop running on this thread to spawn a task on")
}
