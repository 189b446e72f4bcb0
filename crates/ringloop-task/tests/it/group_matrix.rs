//! Groups of up to three children, in all combinations of what their members do.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ringloop_task::cancel::Cancelled;
use ringloop_task::group::{GroupError, TaskGroup, group};
use ringloop_task::time::Elapsed;
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Drops, VirtualDriver, secs};

/// What a child does at its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Return,
    Fail,
    Panic,
    CancelGroup,
    AbortItself,
    /// Returns; fails if it is cancelled before.
    Stubborn,
    /// Returns; panics if it is cancelled before.
    Explosive,
}

const ACTS: [Act; 7] = [
    Act::Return,
    Act::Fail,
    Act::Panic,
    Act::CancelGroup,
    Act::AbortItself,
    Act::Stubborn,
    Act::Explosive,
];

/// What the body does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Value,
    Fail,
    Panic,
    /// Waits ten seconds, and returns what it is told.
    Wait,
    /// Waits, and has a value whatever it is told.
    Swallow,
    /// Waits, and fails if it is cancelled.
    Stubborn,
}

const BODIES: [Body; 6] = [
    Body::Value,
    Body::Fail,
    Body::Panic,
    Body::Wait,
    Body::Swallow,
    Body::Stubborn,
];

/// One combination.
#[derive(Debug)]
struct Case {
    /// What each child does, and at which second.
    children: Vec<(Act, u64)>,
    body: Body,
    /// When a timeout around the group ends, in milliseconds.
    timeout: Option<u64>,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Value,
    /// The numbers of those who failed, in order.
    Errors(Vec<usize>),
    OwnCancel,
    Elapsed,
    Panic(usize),
}

#[derive(Debug)]
enum Failure {
    Number(usize),
    Cancelled(#[expect(dead_code, reason = "it is kept alive")] Cancelled),
}

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// The number of the body.
const BODY: usize = 9;

/// Why a group is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Body,
    Child(usize),
    Timeout,
}

impl Act {
    /// Returns whether it ends the group.
    fn ends_group(self) -> bool {
        matches!(self, Self::Fail | Self::Panic | Self::CancelGroup)
    }
}

impl Body {
    fn is_waiting(self) -> bool {
        matches!(self, Self::Wait | Self::Swallow | Self::Stubborn)
    }
}

impl Case {
    /// Says why and when the group is cancelled, if it is. The earlier comes first.
    fn cause(&self) -> Option<(u64, Cause)> {
        let body = matches!(self.body, Body::Fail | Body::Panic).then_some((0, Cause::Body));
        let children = self.children.iter().enumerate();
        let child = children
            .filter(|(_, (act, _))| act.ends_group())
            .map(|(number, (_, at))| (at * 1000, Cause::Child(number)));
        let timeout = self.timeout.filter(|&at| at < self.quiet_end());
        let timeout = timeout.map(|at| (at, Cause::Timeout));
        body.into_iter()
            .chain(child)
            .chain(timeout)
            .min_by_key(|&(at, _)| at)
    }

    /// Says when the group ends if nobody cancels it.
    fn quiet_end(&self) -> u64 {
        if self.body.is_waiting() {
            return 10_000;
        }
        let times = self.children.iter().map(|(_, at)| at * 1000);
        times.max().unwrap_or(0)
    }

    /// Lists who fails, and who panics, in order.
    fn casualties(&self, end: u64, cause: Cause) -> (Vec<usize>, Vec<usize>) {
        let (mut errors, mut panics) = (Vec::new(), Vec::new());
        match cause {
            Cause::Body if self.body == Body::Fail => errors.push(BODY),
            Cause::Body => panics.push(BODY),
            Cause::Child(number) if self.children[number].0 == Act::Fail => errors.push(number),
            Cause::Child(number) if self.children[number].0 == Act::Panic => panics.push(number),
            Cause::Child(_) | Cause::Timeout => {}
        }
        if self.body == Body::Stubborn {
            errors.push(BODY);
        }
        for (number, &(act, at)) in self.children.iter().enumerate() {
            if at * 1000 > end && act == Act::Stubborn {
                errors.push(number);
            }
            if at * 1000 > end && act == Act::Explosive {
                panics.push(number);
            }
        }
        (errors, panics)
    }

    /// Says what has to come out, after how many milliseconds, and how much is reported.
    fn expected(&self) -> (Outcome, u128, usize) {
        let Some((end, cause)) = self.cause() else {
            return (Outcome::Value, self.quiet_end().into(), 0);
        };
        let (errors, panics) = self.casualties(end, cause);
        let errors_len = errors.len();
        let outcome = match panics.first() {
            Some(&number) => Outcome::Panic(number),
            None if !errors.is_empty() => Outcome::Errors(errors),
            None if self.body != Body::Wait => Outcome::Value,
            None if cause == Cause::Timeout => Outcome::Elapsed,
            None => Outcome::OwnCancel,
        };
        let reports = match panics.len() {
            0 => 0,
            panics => panics - 1 + errors_len,
        };
        (outcome, end.into(), reports)
    }

    /// Runs it and compares.
    fn check(&self) {
        let (drops, handles) = (Drops::default(), Drops::default());
        let reports = Rc::new(Cell::new(0));
        let count = Rc::clone(&reports);
        let mut scheduler = Scheduler::builder()
            .on_unhandled(move |_| count.set(count.get() + 1))
            .build(VirtualDriver::new().patience(Duration::ZERO));
        let times = Cell::new(None);
        let run = catch_unwind(AssertUnwindSafe(|| {
            scheduler.block_on(async {
                let start = time::now();
                times.set(Some(start));
                let members = group(async |g| self.body(g, start, &drops, &handles).await);
                match self.timeout {
                    None => Ok(members.await),
                    Some(at) => time::timeout(Duration::from_millis(at), members).await,
                }
            })
        }));
        let (live, end) = scheduler.block_on(async { (task::all_tasks().len(), time::now()) });
        let start = times.get().expect("it has begun");
        let found = (outcome(run), (end - start).as_millis(), reports.get());
        assert_eq!(found, self.expected(), "{self:?}");
        assert_eq!(drops.count() as usize, self.children.len() + 1, "{self:?}");
        assert_eq!(handles.count(), 1, "the output of the body's last child");
        assert_eq!(live, 1, "{self:?}");
    }

    async fn body(
        &self,
        g: &TaskGroup<Failure>,
        start: Instant,
        drops: &Drops,
        outputs: &Drops,
    ) -> Result<(), Failure> {
        let _value = drops.value();
        for (number, &(act, at)) in self.children.iter().enumerate() {
            let (value, siblings) = (drops.value(), g.clone());
            g.spawn(async move {
                let _value = value;
                child(number, act, start + secs(at), siblings).await
            });
        }
        let _output = outputs.value();
        match self.body {
            Body::Value => Ok(()),
            Body::Fail => Err(Failure::Number(BODY)),
            Body::Panic => resume_unwind(Box::new(BODY)),
            Body::Wait => Ok(time::sleep(secs(10)).await?),
            Body::Swallow => {
                drop(time::sleep(secs(10)).await);
                Ok(())
            }
            Body::Stubborn => time::sleep(secs(10))
                .await
                .map_err(|_| Failure::Number(BODY)),
        }
    }
}

async fn child(
    number: usize,
    act: Act,
    at: Instant,
    group: TaskGroup<Failure>,
) -> Result<(), Failure> {
    if let Err(cancelled) = time::sleep_until(at).await {
        match act {
            Act::Stubborn => return Err(Failure::Number(number)),
            Act::Explosive => resume_unwind(Box::new(number)),
            Act::Return | Act::Fail | Act::Panic | Act::CancelGroup | Act::AbortItself => {
                return Err(cancelled.into());
            }
        }
    }
    match act {
        Act::Return | Act::Stubborn | Act::Explosive => {}
        Act::Fail => return Err(Failure::Number(number)),
        Act::Panic => resume_unwind(Box::new(number)),
        Act::CancelGroup => assert!(group.cancel("enough")),
        Act::AbortItself => {
            task::current().expect("a task runs this").abort();
            task::yield_now().await?;
            unreachable!("it goes after its poll");
        }
    }
    Ok(())
}

/// Puts what came out into words.
fn outcome(run: std::thread::Result<Result<Result<(), GroupError<Failure>>, Elapsed>>) -> Outcome {
    match run {
        Err(payload) => Outcome::Panic(*payload.downcast().expect("a number")),
        Ok(Err(_)) => Outcome::Elapsed,
        Ok(Ok(Ok(()))) => Outcome::Value,
        Ok(Ok(Err(error))) if error.is_cancelled() => Outcome::OwnCancel,
        Ok(Ok(Err(error))) => {
            let numbers = error.into_errors().into_iter().map(|error| match error {
                Failure::Number(number) => number,
                Failure::Cancelled(_) => unreachable!("a cancelled member has not failed"),
            });
            Outcome::Errors(numbers.collect())
        }
    }
}

/// Goes through all cases with so many children.
fn check_all(len: u32) {
    let timeouts = [None, Some(0), Some(500), Some(1500), Some(2500)];
    for acts in 0..ACTS.len().pow(len) {
        for is_reversed in [false, true] {
            let mut rest = acts;
            let children: Vec<_> = (1..=u64::from(len))
                .map(|at| {
                    let act = ACTS[rest % ACTS.len()];
                    rest /= ACTS.len();
                    (
                        act,
                        if is_reversed {
                            u64::from(len) + 1 - at
                        } else {
                            at
                        },
                    )
                })
                .collect();
            for body in BODIES {
                for timeout in timeouts {
                    let children = children.clone();
                    Case {
                        children,
                        body,
                        timeout,
                    }
                    .check();
                }
            }
        }
    }
}

#[test]
fn no_children() {
    check_all(0);
}

#[test]
fn one_child() {
    check_all(1);
}

#[test]
fn two_children() {
    check_all(2);
}

#[test]
fn three_children() {
    check_all(3);
}
