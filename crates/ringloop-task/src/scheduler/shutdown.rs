//! The end of a scheduler: ask, wait, drop, let go.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ringloop_core::Driver;

use super::{Scheduler, ShutdownReport};
use crate::cancel::Request;
use crate::context;
use crate::home::Phase;
use crate::sync::yield_now;
use crate::task::TaskRef;
use crate::unhandled::UnhandledKind;

impl<D: Driver + 'static> Scheduler<D> {
    /// Ends all tasks: asks them to cancel, runs them until they have ended or `grace` is over, and
    /// drops those that are left.
    ///
    /// What is dropped is reported to the hook. A task that is spawned meanwhile is asked to cancel
    /// at once, or refused after the grace: its handle gives an error. Nothing runs on the
    /// scheduler afterwards; a second call does nothing. Counterpart: the end of `asyncio.run`.
    ///
    /// # Panics
    ///
    /// Inside a loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task, time};
    /// use std::time::Duration;
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// scheduler.block_on(async { drop(task::spawn(time::sleep(Duration::MAX))) });
    /// let report = scheduler.shutdown(Duration::from_secs(1));
    /// assert_eq!((report.cancelled, report.aborted), (1, 0));
    /// ```
    #[track_caller]
    pub fn shutdown(&mut self, grace: Duration) -> ShutdownReport {
        let _entered = context::enter(&self.home);
        self.close(grace)
    }

    fn close(&self, grace: Duration) -> ShutdownReport {
        let home = &*self.home;
        let mut report = ShutdownReport::default();
        if home.phase.get() == Phase::Closed {
            return report;
        }
        let panicked_before = home.counters.panicked.get();
        home.set_phase(Phase::Closing);
        if !grace.is_zero() {
            let asked = home.registry.live();
            for task in &asked {
                home.contain(|| {
                    task.request(Request::shutdown());
                });
            }
            self.run_out(grace);
            report.cancelled = asked.iter().filter(|task| task.is_done()).count();
        }
        home.set_phase(Phase::Closed);
        for job in home.gate.close() {
            self.drop_quietly(job);
        }
        for task in home.registry.live_and_calls() {
            report.aborted += usize::from(!task.is_done() && !task.is_call());
            self.abort(&task);
        }
        // What is left in the queue has ended; it only has to leave.
        while !home.ready.is_empty() {
            home.poll_ready(usize::MAX);
        }
        home.collect_tasks();
        for waker in home.timers.silence(home.now()) {
            home.contain(|| drop(waker));
        }
        home.release_locals(None, home.locals.replace(None));
        let panicked = home.counters.panicked.get() - panicked_before;
        report.panicked = usize::try_from(panicked).unwrap_or(usize::MAX);
        report
    }

    /// Runs the tasks until all have ended or the grace is over.
    fn run_out(&self, grace: Duration) {
        let home = &*self.home;
        let deadline = home.now().checked_add(grace);
        loop {
            home.collect_remote();
            home.poll_ready(self.poll_budget);
            if home.tasks_live() == 0 {
                return;
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(home.now()));
            // A driver that cannot wait any more ends the grace.
            if rest.is_some_and(|rest| rest.is_zero()) || self.park(rest).is_err() {
                return;
            }
        }
    }

    /// Drops the future of a task that had its chance.
    fn abort(&self, task: &TaskRef) {
        if task.is_done() {
            return;
        }
        if !task.is_call() {
            task.report(&self.home, UnhandledKind::Aborted);
        }
        task.kill(&self.home);
    }

    /// Drops a closure that will not run.
    fn drop_quietly(&self, job: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(job))) {
            self.home
                .report_for(None, UnhandledKind::DropPanic, Some(payload));
        }
    }
}

impl<D: Driver + 'static> Drop for Scheduler<D> {
    fn drop(&mut self) {
        {
            let _entered = context::enter_nested(&self.home);
            self.close(Duration::ZERO);
            // What was given back outside of the loop since the shutdown.
            self.home.collect_tasks();
        }
        // From here on nobody is at home. Whoever refers to a task gets it to keep.
        while !self.home.registry.orphan_all() {
            yield_now();
            self.home.collect_tasks();
        }
    }
}
