//! Scopes of three children: what each does, who comes first, what the body does, and what happens
//! to the scope, in all combinations.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop_task::cancel::shield;
use ringloop_task::{task, time};

use crate::driver::{Drops, run, secs};

/// What a child does; the number is the second of its end, if nothing comes before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Child {
    Ends(u32),
    Panics(u32),
    /// Until it is cancelled.
    Sleeps,
    /// Sleeps, and takes a while to clean up.
    Cleans,
    /// Waits for what cannot be told.
    Blind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Body {
    /// Waits for all children, in their order.
    Awaits,
    /// Panics after 1.5 seconds.
    Panics,
    /// Cancels all children after 5 seconds.
    Cancels,
}

/// What happens to the scope after 2.5 seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Nothing,
    Timeout,
    Request,
    Abort,
    Drop,
    Forget,
}

/// How a scope ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Returned,
    Panicked,
    /// It never ended: it was dropped, or forgotten.
    Never,
}

/// Nothing coincides.
const CLEANS: f32 = 1.25;
const EVENT: f32 = 2.5;
const BODY_PANICS: f32 = 1.5;
const BODY_CANCELS: f32 = 5.0;

fn children(order: [u32; 3]) -> Vec<[Child; 3]> {
    let kinds = |n: usize| {
        let second = order[n];
        [
            Child::Ends(second),
            Child::Panics(second),
            Child::Sleeps,
            Child::Cleans,
            Child::Blind,
        ]
    };
    let mut all = Vec::new();
    for a in kinds(0) {
        for b in kinds(1) {
            for c in kinds(2) {
                all.push([a, b, c]);
            }
        }
    }
    all
}

/// What has to come out: how, when, and how many of the children panicked.
fn expected(children: [Child; 3], body: Body, event: Event) -> Option<(End, f32)> {
    let is_endless = |child: &Child| !matches!(child, Child::Ends(_) | Child::Panics(_));
    let mut cancelled_at = match body {
        Body::Awaits => f32::MAX,
        Body::Panics => BODY_PANICS,
        Body::Cancels => BODY_CANCELS,
    };
    let mut panicked_at = if body == Body::Panics {
        BODY_PANICS
    } else {
        f32::MAX
    };
    for child in children {
        if let Child::Panics(second) = child {
            panicked_at = panicked_at.min(second as f32);
        }
    }
    cancelled_at = cancelled_at.min(panicked_at);
    if matches!(event, Event::Timeout | Event::Request) {
        cancelled_at = cancelled_at.min(EVENT);
    }
    let body_end = if body == Body::Awaits {
        0.0
    } else {
        cancelled_at
    };
    let end = children.iter().fold(body_end, |end: f32, child| {
        end.max(match *child {
            Child::Ends(second) | Child::Panics(second) => cancelled_at.min(second as f32),
            Child::Sleeps | Child::Blind => cancelled_at,
            Child::Cleans => cancelled_at + CLEANS,
        })
    });
    let is_ended_by_event = matches!(event, Event::Abort | Event::Drop | Event::Forget);
    if is_ended_by_event && end > EVENT {
        return Some((End::Never, EVENT));
    }
    if cancelled_at == f32::MAX && children.iter().any(is_endless) {
        return None;
    }
    if panicked_at < f32::MAX && panicked_at <= cancelled_at {
        return Some((End::Panicked, end));
    }
    Some((End::Returned, end))
}

async fn child(kind: Child) {
    match kind {
        Child::Ends(second) => drop(time::sleep(secs(second.into())).await),
        Child::Panics(second) => {
            if time::sleep(secs(second.into())).await.is_ok() {
                resume_unwind(Box::new(())); // Quietly.
            }
        }
        Child::Sleeps => drop(time::sleep(Duration::MAX).await),
        Child::Cleans => {
            drop(time::sleep(Duration::MAX).await);
            drop(shield(time::sleep(Duration::from_secs_f32(CLEANS))).await);
        }
        Child::Blind => pending().await,
    }
}

/// The scope, in code that lends something to it.
async fn scope(children: [Child; 3], body: Body, drops: Drops, lent: Rc<RefCell<[u32; 3]>>) {
    let ended = RefCell::new([0; 3]);
    // Also on a panic: the count of what was lent is looked at from outside.
    let _publish = Publish(&ended, lent);
    task::scope(async |s| {
        let _value = drops.value();
        let mut handles = Vec::new();
        for (n, kind) in children.into_iter().enumerate() {
            let (value, ended) = (drops.value(), &ended);
            handles.push(s.spawn(async move {
                let _value = value;
                child(kind).await;
                ended.borrow_mut()[n] += 1;
            }));
        }
        match body {
            Body::Awaits => {
                for handle in handles {
                    drop(handle.await);
                }
            }
            Body::Panics => {
                if time::sleep(Duration::from_secs_f32(BODY_PANICS))
                    .await
                    .is_ok()
                {
                    resume_unwind(Box::new(())); // Quietly.
                }
            }
            Body::Cancels => {
                drop(time::sleep(Duration::from_secs_f32(BODY_CANCELS)).await);
                for handle in &handles {
                    handle.cancel("enough");
                }
            }
        }
    })
    .await;
}

struct Publish<'a>(&'a RefCell<[u32; 3]>, Rc<RefCell<[u32; 3]>>);

impl Drop for Publish<'_> {
    fn drop(&mut self) {
        self.1.replace(*self.0.borrow());
    }
}

/// Runs a scope until the event, and sees to what comes then. Returns how it ended.
async fn with_event(scope: impl Future<Output = ()> + 'static, event: Event) -> End {
    // A panic is an end like others.
    let mut scope = Box::pin(scope);
    let contained = async move {
        poll_fn(
            |cx| match catch_unwind(AssertUnwindSafe(|| scope.as_mut().poll(cx))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(())) => Poll::Ready(End::Returned),
                Err(_) => Poll::Ready(End::Panicked),
            },
        )
        .await
    };
    let half = Duration::from_secs_f32(EVENT);
    match event {
        Event::Nothing => contained.await,
        Event::Timeout => {
            let ended = RefCell::new(End::Never);
            let body = async {
                let end = contained.await;
                ended.replace(end);
            };
            let _late = time::timeout(half, body).await;
            ended.into_inner()
        }
        Event::Request | Event::Abort => {
            let task = task::spawn(contained);
            let watcher = {
                let task = task.task();
                task::spawn(async move {
                    time::sleep(half).await.unwrap();
                    task.cancel("the event");
                })
            };
            if event == Event::Request {
                let ended = task.await.unwrap();
                watcher.abort();
                return ended;
            }
            watcher.abort();
            drop(ringloop_core::future::race(task.wait(), time::sleep(half)).await);
            task.abort();
            task.await.unwrap_or(End::Never)
        }
        Event::Drop | Event::Forget => {
            let mut contained = Box::pin(contained);
            let raced = ringloop_core::future::race(contained.as_mut(), time::sleep(half)).await;
            if event == Event::Forget {
                #[expect(clippy::mem_forget, reason = "that is the test")]
                std::mem::forget(contained);
            }
            raced.left().unwrap_or(End::Never)
        }
    }
}

const ORDERS: [[u32; 3]; 6] = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
];

/// Runs all combinations with an event. Returns how many there were.
fn check_all(event: Event) -> usize {
    let mut count = 0;
    for body in [Body::Awaits, Body::Panics, Body::Cancels] {
        for children in ORDERS.into_iter().flat_map(children) {
            // Those that would never end are left out.
            if let Some(expected) = expected(children, body, event) {
                check(children, body, event, expected);
                count += 1;
            }
        }
    }
    count
}

fn check(children: [Child; 3], body: Body, event: Event, (end, at): (End, f32)) {
    let drops = Drops::default();
    let lent = Rc::new(RefCell::new([0; 3]));
    let (took, ended) = run(async {
        let before = time::now();
        let scope = scope(children, body, drops.clone(), lent.clone());
        let ended = with_event(scope, event).await;
        ((time::now() - before).as_secs_f32(), ended)
    });
    let what = format!("{event:?} {body:?} {children:?}");
    assert_eq!((ended, took), (end, at), "{what}");
    if end == End::Never && event == Event::Forget {
        assert!(
            drops.count() < 4,
            "{what}: at least the body is not dropped"
        );
        return;
    }
    assert_eq!(
        drops.count(),
        4,
        "{what}: each is dropped once, and the body"
    );
    for (times, kind) in lent.take().into_iter().zip(children) {
        let is_blind = kind == Child::Blind;
        assert!(times <= 1 && !(times == 1 && is_blind), "{what}");
        let runs_to_its_end = matches!(kind, Child::Sleeps | Child::Cleans);
        let is_cut_short = times == 0 && runs_to_its_end;
        assert!(!is_cut_short || end == End::Never, "{what}");
    }
}

#[test]
fn all_combinations_end_as_they_have_to() {
    let events = [
        Event::Nothing,
        Event::Timeout,
        Event::Request,
        Event::Abort,
        Event::Drop,
    ];
    let count: usize = events.into_iter().map(check_all).sum();
    assert!(count > 9000, "{count}");
}

#[test]
fn forgotten_scopes_in_all_combinations_run_no_more() {
    assert!(check_all(Event::Forget) > 2000);
}
