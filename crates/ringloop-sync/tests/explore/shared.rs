//! The locks between threads, used by one: the same models as for those of one thread.
//!
//! Their wakers look at them, so a wake under one of their locks would never end.

use ringloop_sync::shared::{MutexGuard, Permit, hosted};

use crate::event::{Flag, Op as EventOp};
use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::Subject;
use crate::mutex::{Line, Op as MutexOp};
use crate::semaphore::{Op as SemaphoreOp, Permits};
use crate::test_host::{Cancelled, TestHost};

type Mutex = hosted::Mutex<(), TestHost>;
type Semaphore = hosted::Semaphore<TestHost>;
type Event = hosted::Event<TestHost>;

impl Subject for Mutex {
    type Model = Line;
    type Hand<'a> = Option<MutexGuard<'a, ()>>;

    async fn perform<'a>(
        &'a self,
        op: MutexOp,
        hand: &mut Option<MutexGuard<'a, ()>>,
    ) -> Result<bool, Cancelled> {
        match op {
            MutexOp::Lock => *hand = Some(self.lock().await?),
            MutexOp::TryLock => *hand = self.try_lock(),
            MutexOp::Unlock => *hand = None,
        }
        Ok(hand.is_some())
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Line) {
        let statistics = self.statistics();
        assert_eq!(statistics.is_locked, model.owner.is_some());
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        self.check(&Line::default());
        assert!(self.try_lock().is_some());
    }
}

impl Subject for Semaphore {
    type Model = Permits;
    type Hand<'a> = Option<Permit<'a>>;

    async fn perform<'a>(
        &'a self,
        op: SemaphoreOp,
        hand: &mut Option<Permit<'a>>,
    ) -> Result<usize, Cancelled> {
        match op {
            SemaphoreOp::Acquire(wanted) => *hand = Some(self.acquire_many(wanted).await?),
            SemaphoreOp::TryAcquire(wanted) => *hand = self.try_acquire_many(wanted),
            SemaphoreOp::GiveBack => *hand = None,
            SemaphoreOp::Release(more) => self.add_permits(more),
            SemaphoreOp::Forget => hand.take().into_iter().for_each(Permit::forget),
        }
        Ok(hand.as_ref().map_or(0, Permit::num_permits))
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Permits) {
        let statistics = self.statistics();
        assert_eq!(statistics.available, model.available);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        assert_eq!(self.statistics().waiting, 0);
        assert!(self.try_acquire_many(self.available()).is_some());
    }
}

impl Subject for Event {
    type Model = Flag;
    type Hand<'a> = ();

    async fn perform(&self, op: EventOp, (): &mut ()) -> Result<(), Cancelled> {
        match op {
            EventOp::Wait => self.wait().await?,
            EventOp::Set => self.set(),
            EventOp::Clear => self.clear(),
        }
        Ok(())
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Flag) {
        let statistics = self.statistics();
        assert_eq!(statistics.is_set, model.is_set);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        self.clear();
        self.check(&Flag::default());
    }
}

#[test]
fn two_visit_a_mutex_and_one_barges() {
    const TWICE: &[Step<MutexOp>] = &[
        Do(MutexOp::Lock),
        Yield,
        Do(MutexOp::Unlock),
        Do(MutexOp::Lock),
    ];
    const BARGE: &[Step<MutexOp>] = &[Do(MutexOp::TryLock), Yield, Do(MutexOp::Unlock)];
    Scenario::<Mutex> {
        name: "shared mutex: two visit and one barges",
        make: Default::default,
        scripts: &[TWICE, TWICE, BARGE],
        acts: &[],
        faults: 2,
        at_least: 1000,
    }
    .explore();
}

#[test]
fn three_want_different_amounts() {
    const ONE: &[Step<SemaphoreOp>] = &[
        Do(SemaphoreOp::Acquire(1)),
        Yield,
        Do(SemaphoreOp::GiveBack),
    ];
    const TWO: &[Step<SemaphoreOp>] = &[
        Do(SemaphoreOp::Acquire(2)),
        Yield,
        Do(SemaphoreOp::GiveBack),
    ];
    Scenario::<Semaphore> {
        name: "shared semaphore: three want different amounts",
        make: || (Semaphore::new(2), Permits::new(2)),
        scripts: &[ONE, TWO, ONE],
        acts: &[],
        faults: 2,
        at_least: 1000,
    }
    .explore();
}

#[test]
fn permits_come_from_outside() {
    const TWO: &[Step<SemaphoreOp>] = &[
        Do(SemaphoreOp::Acquire(2)),
        Yield,
        Do(SemaphoreOp::GiveBack),
    ];
    const SPEND: &[Step<SemaphoreOp>] = &[Do(SemaphoreOp::Acquire(1)), Do(SemaphoreOp::Forget)];
    Scenario::<Semaphore> {
        name: "shared semaphore: permits come from outside",
        make: || (Semaphore::new(0), Permits::new(0)),
        scripts: &[TWO, SPEND],
        acts: &[SemaphoreOp::Release(1), SemaphoreOp::Release(2)],
        faults: 2,
        at_least: 1000,
    }
    .explore();
}

#[test]
fn two_wait_for_an_event_while_it_is_set_and_cleared() {
    const WAIT_AND_CLEAR: &[Step<EventOp>] = &[
        Do(EventOp::Wait),
        Do(EventOp::Clear),
        Do(EventOp::Wait),
        Do(EventOp::Clear),
    ];
    Scenario::<Event> {
        name: "shared event: two wait while it is set and cleared",
        make: Default::default,
        scripts: &[&[Do(EventOp::Wait), Do(EventOp::Wait)], WAIT_AND_CLEAR],
        acts: &[EventOp::Set, EventOp::Clear, EventOp::Set],
        faults: 1,
        at_least: 1000,
    }
    .explore();
}
