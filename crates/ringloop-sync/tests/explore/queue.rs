//! The queues, in three orders.

use std::fmt;

use ringloop_sync::hosted::{Buffer, Queue};
use ringloop_sync::{GetError, Job, PutError, TryGetError, TryPutError, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::items::{Item, Items, Order, Out};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Put(u32),
    TryPut(u32),
    Get,
    TryGet,
    GetJob,
    /// Says that the job is done.
    Done,
    Join,
    Close,
    CloseNow,
}

/// The items, the jobs that are not done, and who waits for that.
#[derive(Debug)]
pub(crate) struct Work {
    items: Items,
    wants_job: [bool; 4],
    has_job: [bool; 4],
    joiners: Vec<usize>,
}

impl Work {
    fn new(order: Order, capacity: usize) -> Self {
        Self {
            items: Items::new(order, capacity),
            wants_job: [false; 4],
            has_job: [false; 4],
            joiners: Vec::new(),
        }
    }

    fn unfinished(&self) -> usize {
        self.items.buffer.len() + self.has_job.iter().filter(|has| **has).count()
    }

    fn end_joins_if_idle(&mut self, grants: &mut Grants) {
        if self.unfinished() == 0 {
            for who in std::mem::take(&mut self.joiners) {
                self.items.give(who, Out::Done, grants);
            }
        }
    }
}

impl Model for Work {
    type Op = Op;
    type Out = Out;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Put(_) | Op::Get | Op::GetJob | Op::Join)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.wants_job[who] = matches!(op, Op::GetJob);
        match op {
            Op::Put(item) => self.items.put(who, item, true, grants),
            Op::TryPut(item) => self.items.put(who, item, false, grants),
            Op::Get | Op::GetJob => self.items.get(who, true, grants),
            Op::TryGet => self.items.get(who, false, grants),
            Op::Done => {
                self.end(who, grants);
                self.items.give(who, Out::Done, grants);
            }
            Op::Join => {
                self.joiners.push(who);
                self.end_joins_if_idle(grants);
            }
            Op::Close => {
                self.items.close(grants);
                self.items.give(who, Out::Done, grants);
            }
            Op::CloseNow => {
                let left = self.items.close_now(grants);
                self.items.give(who, Out::Items(left), grants);
                self.end_joins_if_idle(grants);
            }
        }
    }

    fn take(&mut self, who: usize, grants: &mut Grants) -> Out {
        let out = self.items.take(who, grants);
        self.has_job[who] |= self.wants_job[who] && matches!(out, Out::Item(_));
        self.end_joins_if_idle(grants);
        out
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.items.withdraw(who);
        self.joiners.retain(|&other| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.items.refuse(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        if std::mem::take(&mut self.has_job[who]) {
            self.end_joins_if_idle(grants);
        }
    }
}

impl<B: Buffer<Item> + fmt::Debug + 'static> Subject for Queue<Item, TestHost, B> {
    type Model = Work;
    type Hand<'a> = Option<Job<'a, Item>>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Option<Job<'a, Item>>,
    ) -> Result<Out, Cancelled> {
        Ok(match op {
            Op::Put(item) => match self.put(Item(item)).await {
                Ok(()) => Out::Done,
                Err(PutError::Cancelled(back, cancelled)) => {
                    assert_eq!(back.0, item);
                    return Err(cancelled);
                }
                Err(closed) => {
                    assert_eq!(closed.into_item().0, item);
                    Out::Closed
                }
            },
            Op::TryPut(item) => match self.try_put(Item(item)) {
                Ok(()) => Out::Done,
                Err(error) => {
                    let is_full = matches!(error, TryPutError::Full(_));
                    assert_eq!(error.into_item().0, item);
                    if is_full { Out::Full } else { Out::Closed }
                }
            },
            Op::Get => match self.get().await {
                Ok(item) => Out::Item(item.0),
                Err(GetError::Cancelled(cancelled)) => return Err(cancelled),
                Err(_) => Out::Closed,
            },
            Op::TryGet => match self.try_get() {
                Ok(item) => Out::Item(item.0),
                Err(TryGetError::Empty) => Out::Empty,
                Err(_) => Out::Closed,
            },
            Op::GetJob => match self.get_job().await {
                Ok(job) => Out::Item(hand.insert(job).0),
                Err(GetError::Cancelled(cancelled)) => return Err(cancelled),
                Err(_) => Out::Closed,
            },
            Op::Done => {
                *hand = None;
                Out::Done
            }
            Op::Join => {
                self.join().await?;
                Out::Done
            }
            Op::Close => {
                self.close();
                Out::Done
            }
            Op::CloseNow => Out::Items(self.close_now().iter().map(|item| item.0).collect()),
        })
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Work) {
        let statistics = self.statistics();
        assert_eq!(statistics.len, model.items.free());
        assert_eq!(statistics.is_closed, model.items.is_closed);
        assert_eq!(statistics.waiting_getters, model.items.getters.len());
        assert_eq!(statistics.waiting_putters, model.items.putters.len());
        assert_eq!(statistics.unfinished, model.unfinished());
    }

    fn check_unused(&self) {
        let statistics = self.statistics();
        assert_eq!(statistics.unfinished, statistics.len);
        assert_eq!(statistics.waiting_getters, 0);
        assert_eq!(statistics.waiting_putters, 0);
    }
}

type Fifo = Queue<Item, TestHost>;
type Lifo = hosted::LifoQueue<Item, TestHost>;
type Priority = hosted::PriorityQueue<Item, TestHost>;

fn explore_fifo<const CAPACITY: usize>(
    name: &'static str,
    scripts: &'static [&'static [Step<Op>]],
    acts: &'static [Op],
    faults: usize,
) {
    Scenario::<Fifo> {
        name,
        make: || (Fifo::bounded(CAPACITY), Work::new(Order::First, CAPACITY)),
        scripts,
        acts,
        faults,
        at_least: 1000,
    }
    .explore();
}

const PUT_TWO: &[Step<Op>] = &[Do(Op::Put(11)), Do(Op::Put(12))];
const GET_TWO: &[Step<Op>] = &[Do(Op::Get), Do(Op::Get)];

#[test]
fn one_puts_and_two_get() {
    const SCRIPTS: &[&[Step<Op>]] = &[PUT_TWO, GET_TWO, &[Do(Op::Get)]];
    explore_fifo::<0>("queue of 0: one puts and two get", SCRIPTS, &[], 2);
    explore_fifo::<1>("queue of 1: one puts and two get", SCRIPTS, &[], 2);
    explore_fifo::<2>("queue of 2: one puts and two get", SCRIPTS, &[], 2);
}

#[test]
fn two_put_and_one_gets() {
    const SCRIPTS: &[&[Step<Op>]] = &[PUT_TWO, &[Do(Op::Put(21))], GET_TWO];
    explore_fifo::<0>("queue of 0: two put and one gets", SCRIPTS, &[], 2);
    explore_fifo::<1>("queue of 1: two put and one gets", SCRIPTS, &[], 2);
}

#[test]
fn one_tries_between_others() {
    const SCRIPTS: &[&[Step<Op>]] = &[
        PUT_TWO,
        GET_TWO,
        &[Do(Op::TryPut(31)), Yield, Do(Op::TryGet)],
    ];
    explore_fifo::<0>("queue of 0: one tries between others", SCRIPTS, &[], 2);
    explore_fifo::<1>("queue of 1: one tries between others", SCRIPTS, &[], 2);
}

#[test]
fn queue_is_closed_from_outside() {
    const SCRIPTS: &[&[Step<Op>]] = &[PUT_TWO, GET_TWO];
    explore_fifo::<0>("queue of 0: closed from outside", SCRIPTS, &[Op::Close], 3);
    explore_fifo::<1>("queue of 1: closed from outside", SCRIPTS, &[Op::Close], 3);
    let now = &[Op::CloseNow];
    explore_fifo::<0>("queue of 0: closed at once", SCRIPTS, now, 3);
    explore_fifo::<1>("queue of 1: closed at once", SCRIPTS, now, 3);
}

#[test]
fn two_get_while_it_is_closed() {
    const SCRIPTS: &[&[Step<Op>]] = &[&[Do(Op::Get)], &[Do(Op::Get)]];
    for acts in [
        &[Op::TryPut(1), Op::Close] as &[_],
        &[Op::TryPut(1), Op::CloseNow],
    ] {
        explore_fifo::<1>("queue of 1: two get while it is closed", SCRIPTS, acts, 2);
    }
}

#[test]
fn jobs_are_joined() {
    const JOB: &[Step<Op>] = &[Do(Op::GetJob), Yield, Do(Op::Done)];
    const JOIN: &[Step<Op>] = &[Do(Op::Join)];
    const PUT_AND_JOIN: &[Step<Op>] = &[Do(Op::Put(1)), Do(Op::Join)];
    const CLOSE: &[Step<Op>] = &[Do(Op::TryPut(1)), Yield, Do(Op::CloseNow)];
    explore_fifo::<1>("queue: jobs are joined", &[JOB, PUT_AND_JOIN], &[], 4);
    explore_fifo::<1>("queue: jobs are joined", &[JOB, JOIN, PUT_AND_JOIN], &[], 2);
    explore_fifo::<1>("queue: jobs are joined", &[JOB, JOIN, CLOSE], &[], 2);
    explore_fifo::<0>("queue: jobs are joined", &[JOB, JOIN, PUT_AND_JOIN], &[], 2);

    const GET: &[Step<Op>] = &[Do(Op::Get), Yield, Do(Op::TryGet)];
    const TRY: &[Step<Op>] = &[Do(Op::TryGet), Yield, Do(Op::TryGet)];
    explore_fifo::<1>("queue: items are joined", &[GET, PUT_AND_JOIN], &[], 4);
    explore_fifo::<1>(
        "queue: items are joined",
        &[TRY, PUT_AND_JOIN, JOIN],
        &[],
        2,
    );
}

/// What comes out is the best at the time, also for those who were woken before.
#[test]
fn other_orders() {
    const PUT_WORSE: &[Step<Op>] = &[Do(Op::Put(21)), Do(Op::Put(11)), Do(Op::Put(12))];
    const SCRIPTS: &[&[Step<Op>]] = &[PUT_WORSE, GET_TWO, &[Do(Op::Get)]];
    Scenario::<Lifo> {
        name: "lifo queue",
        make: || (Lifo::bounded(2), Work::new(Order::Last, 2)),
        scripts: SCRIPTS,
        acts: &[],
        faults: 3,
        at_least: 19_000,
    }
    .explore();
    Scenario::<Priority> {
        name: "priority queue",
        make: || (Priority::bounded(2), Work::new(Order::Smallest, 2)),
        scripts: SCRIPTS,
        acts: &[],
        faults: 3,
        at_least: 19_000,
    }
    .explore();
    Scenario::<Priority> {
        name: "priority queue: closed at once",
        make: || {
            (
                Priority::unbounded(),
                Work::new(Order::Smallest, usize::MAX),
            )
        },
        scripts: &[PUT_WORSE, &[Do(Op::Get)]],
        acts: &[Op::CloseNow],
        faults: 3,
        at_least: 2000,
    }
    .explore();
}
