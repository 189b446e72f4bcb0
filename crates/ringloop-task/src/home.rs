//! A scheduler as its tasks see it: everything but the driver's type.
//!
//! One thread uses it, through plain cells. No borrow is held while user code (futures, wakers,
//! drops, hooks) runs.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use ringloop_core::WaitList;

use crate::cancel::{Node, Request};
use crate::gate::Gate;
use crate::local::{Context, Locals, Slot};
use crate::observe::{Reporter, Watch};
use crate::ready::ReadyQueue;
use crate::task::{Hubs, PollCounts, Registry, Runnable, TaskIds, TaskPtr, TaskRef, Turn};
use crate::time::Timers;
use crate::unhandled::{Hook, Payload, Unhandled, UnhandledKind};
use ringloop_core::panics::drop_quietly;

/// The state of a scheduler.
pub(crate) struct Home {
    /// What other threads may touch.
    pub(crate) gate: Arc<Gate>,
    /// Tasks to poll, in the order of their wakes.
    pub(crate) ready: ReadyQueue<TaskPtr>,
    /// All tasks.
    pub(crate) registry: Registry,
    /// The turn of the loop.
    pub(crate) turn: Cell<Turn>,
    /// How many polls are left in this turn.
    polls_left: Cell<usize>,
    /// The task that is being polled or dropped.
    pub(crate) current: Cell<Option<TaskPtr>>,
    /// The task locals of code that runs outside of any task.
    pub(crate) locals: Slot,
    /// The innermost scope around the code that is being polled.
    pub(crate) scope: RefCell<Option<Rc<Node>>>,
    /// What is counted in the current poll.
    pub(crate) counts: PollCounts,
    /// How many eager spawns are on the stack.
    pub(crate) eager_depth: Cell<u32>,
    pub(crate) timers: Rc<Timers>,
    pub(crate) ids: TaskIds,
    pub(crate) phase: Cell<Phase>,
    pub(crate) counters: Counters,
    /// The main task of the `block_on` that runs.
    pub(crate) main: RefCell<Option<TaskRef>>,
    /// Whether the main task was asked to end when there was none.
    pub(crate) stop_requested: Cell<bool>,
    /// The driver's clock; `None` while the driver is parked.
    clock: Box<dyn Fn() -> Option<Instant>>,
    /// The last time that the clock told.
    sampled: Cell<Instant>,
    hook: Hook,
    /// The way to the hook for reports.
    pub(crate) reporter: Reporter,
    /// What watches the tasks, if something does.
    pub(crate) watch: Option<Box<Watch>>,
    /// Whether a spawn has to look closer: the tasks are watched, or the phase is not `Open`.
    pub(crate) is_attentive: Cell<bool>,
    /// What waits for the ends of tasks without a waker of their own.
    pub(crate) hubs: Hubs,
    /// Scopes that are not in use, for the next ones.
    nodes: RefCell<Vec<Rc<Node>>>,
    /// Who waits until nothing moves. Made at its first use.
    settlers: OnceCell<Rc<WaitList>>,
}

/// How far a scheduler has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// It shuts down, and its tasks are asked to end.
    Closing,
    /// Nothing runs any more.
    Closed,
}

/// What a scheduler has counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Tasks that have not ended, and calls that are still to come.
    pub(crate) live: Cell<usize>,
    /// Calls that are still to come.
    pub(crate) calls: Cell<usize>,
    pub(crate) spawned: Cell<u64>,
    pub(crate) polls: Cell<u64>,
    pub(crate) turns: Cell<u64>,
    pub(crate) remote_wakes: Cell<u64>,
    pub(crate) unhandled: Cell<u64>,
    pub(crate) panicked: Cell<u64>,
}

impl Home {
    pub(crate) fn new(
        gate: Arc<Gate>,
        start: Instant,
        clock: Box<dyn Fn() -> Option<Instant>>,
        hook: Hook,
        (reporter, watch): (Reporter, Option<Box<Watch>>),
    ) -> Self {
        Self {
            gate,
            ready: ReadyQueue::new(),
            registry: Registry::default(),
            turn: Cell::default(),
            polls_left: Cell::new(0),
            current: Cell::new(None),
            locals: Slot::default(),
            scope: RefCell::new(None),
            counts: PollCounts::default(),
            eager_depth: Cell::new(0),
            timers: Timers::new(start),
            ids: TaskIds::new(),
            phase: Cell::new(Phase::Open),
            counters: Counters::default(),
            main: RefCell::new(None),
            stop_requested: Cell::new(false),
            clock,
            sampled: Cell::new(start),
            hook,
            reporter,
            is_attentive: Cell::new(watch.is_some()),
            watch,
            hubs: Hubs::default(),
            nodes: RefCell::default(),
            settlers: OnceCell::new(),
        }
    }

    /// Returns whether debug mode is on.
    pub(crate) fn is_debugged(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.is_debug())
    }

    /// Goes on to the next phase.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
        self.is_attentive.set(true);
    }

    /// Returns the time: fresh, but for code that runs inside the driver's park.
    pub(crate) fn now(&self) -> Instant {
        if let Some(now) = (self.clock)() {
            self.sampled.set(now);
            self.timers.admit(now);
        }
        self.sampled.get()
    }

    /// Polls what is ready, and what becomes ready meanwhile, each task once: `budget` polls at most.
    ///
    /// A chain of tasks that wake each other needs one turn of the loop, then, and a task that
    /// keeps waking itself does not keep the loop from looking at the driver.
    #[inline]
    pub(crate) fn poll_ready(&self, budget: usize) {
        match &self.watch {
            None => self.poll_each(budget, |task, turn| task.run(self, turn)),
            Some(watch) => self.poll_watched(watch, budget),
        }
    }

    #[cold]
    fn poll_watched(&self, watch: &Watch, budget: usize) {
        self.poll_each(budget, |task, turn| watch.run(self, task, turn));
    }

    #[inline(always)]
    fn poll_each(&self, budget: usize, poll: impl Fn(Runnable, Turn)) {
        let turn = self.turn.get().next();
        self.turn.set(turn);
        self.polls_left.set(budget);
        let mut polls = 0;
        while self.polls_left.get() > 0
            // One that was polled in this turn is the last, for so were all who could have woken those
            // behind it.
            && let Some(task) = Runnable::take(&self.ready, turn)
        {
            self.polls_left.set(self.polls_left.get() - 1);
            polls += 1;
            poll(task, turn);
        }
        let counted = &self.counters.polls;
        counted.set(counted.get() + polls);
    }

    /// Has the loop come round after the current poll.
    pub(crate) fn end_turn(&self) {
        self.polls_left.set(0);
    }

    /// Takes in what other threads have left.
    #[inline]
    pub(crate) fn collect_remote(&self) {
        if !self.gate.stack.is_empty() {
            self.collect_tasks();
        }
        if self.gate.has_jobs() {
            self.run_jobs();
        }
    }

    /// Takes in the tasks that other threads have woken, or given references to back.
    pub(crate) fn collect_tasks(&self) {
        self.gate
            .stack
            .take(|task| TaskPtr::from_header(task).collect(self));
    }

    #[cold]
    fn run_jobs(&self) {
        for job in self.gate.take_jobs() {
            let mut context = Context::capture();
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| context.run(job))) {
                self.report_for(None, UnhandledKind::Panic, Some(payload));
            }
            self.release_locals(None, context.into_locals());
        }
    }

    /// Returns whether there is something to do without parking.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.gate.stack.is_empty() || self.gate.has_jobs()
    }

    /// Gives back what a crowd of tasks has left behind. The queue is empty, and the loop is about
    /// to sleep.
    #[inline]
    pub(crate) fn give_back_memory(&self) {
        self.ready.give_back_memory(CAPACITY_KEPT);
        self.registry.give_back_memory(CAPACITY_KEPT);
        self.timers.give_back_memory(CAPACITY_KEPT);
    }

    /// Returns the list of those that wait until nothing moves.
    pub(crate) fn settlers(&self) -> Rc<WaitList> {
        Rc::clone(self.settlers.get_or_init(Rc::default))
    }

    /// Returns whether somebody waits until nothing moves.
    #[inline]
    pub(crate) fn is_settling(&self) -> bool {
        let settlers = self.settlers.get();
        settlers.is_some_and(|settlers| !settlers.is_empty())
    }

    /// Returns how many tasks have not ended.
    pub(crate) fn tasks_live(&self) -> usize {
        self.counters
            .live
            .get()
            .saturating_sub(self.counters.calls.get())
    }

    /// Returns whether nothing runs any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.get() == Phase::Closed
    }

    /// Asks the main task to end, now or as soon as there is one.
    pub(crate) fn stop(&self) {
        let main = self.main.borrow().clone();
        match main {
            Some(main) => {
                main.request(Request::shutdown());
            }
            None => self.stop_requested.set(true),
        }
    }

    /// Tells the hook what nobody else will hear of.
    #[cold]
    pub(crate) fn report(&self, task: TaskPtr, kind: UnhandledKind, payload: Option<Payload>) {
        self.report_for(Some(TaskRef::retain(task)), kind, payload);
    }

    pub(crate) fn report_for(
        &self,
        task: Option<TaskRef>,
        kind: UnhandledKind,
        payload: Option<Payload>,
    ) {
        self.tell(Unhandled::new(task, kind, payload));
    }

    #[cold]
    pub(crate) fn tell(&self, unhandled: Unhandled) {
        let counters = &self.counters;
        counters.unhandled.set(counters.unhandled.get() + 1);
        if unhandled.payload().is_some() {
            counters.panicked.set(counters.panicked.get() + 1);
        }
        // A hook that panics must not take the loop along, and there is nobody left to tell.
        let told = catch_unwind(AssertUnwindSafe(|| {
            (self.hook)(&unhandled);
            drop(unhandled);
        }));
        if let Err(payload) = told {
            drop_quietly(payload);
        }
    }

    /// Wakes or drops wakers that are not a task's. What panics in there must not leave the caller
    /// half done.
    #[cold]
    pub(crate) fn contain(&self, touch: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(touch)) {
            self.report_for(None, UnhandledKind::Panic, Some(payload));
        }
    }

    /// Gives up a share of task locals. Nobody hears of a panic in a drop but the hook.
    pub(crate) fn release_locals(&self, task: Option<TaskPtr>, locals: Option<Rc<Locals>>) {
        if let Some(locals) = locals {
            locals.release(|payload| {
                let task = task.map(TaskRef::retain);
                self.report_for(task, UnhandledKind::DropPanic, Some(payload));
            });
        }
    }

    /// Returns a scope that is as good as new.
    pub(crate) fn take_node(&self) -> Rc<Node> {
        self.nodes.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a scope for later, if the caller has the only reference. The caller drops its own at
    /// once.
    pub(crate) fn give_node(&self, node: &mut Rc<Node>) {
        let Some(unique) = Rc::get_mut(node) else {
            return;
        };
        unique.reset();
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() < NODES_MAX {
            nodes.push(Rc::clone(node));
        }
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("phase", &self.phase.get())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// For how many tasks, or timers, there is room that is not given back.
const CAPACITY_KEPT: usize = 1024;
/// How many scopes are kept for later.
const NODES_MAX: usize = 256;
