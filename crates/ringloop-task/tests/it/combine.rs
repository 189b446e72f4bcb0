//! Combinators that cancel what they need no more, and wait for it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::future::{first, join, poll_fn, race_staggered, try_join, try_join_all};
use ringloop_task::testing::settle;
use ringloop_task::{task, time};

use crate::driver::{Drops, Log, collected, run, secs};

/// What a future does; the number is the second of its end, if nothing comes before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Gives(u32),
    Fails(u32),
    Panics(u32),
    /// Until it is cancelled, which is an error.
    Sleeps,
    /// Sleeps, takes a while to clean up, and gives a value nevertheless.
    Cleans,
    /// Waits for what cannot be told.
    Blind,
}

/// What happens around after 2.5 seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Nothing,
    Timeout,
    Request,
    Drop,
}

const CLEANS: f32 = 1.25;
const EVENT: f32 = 2.5;

const ORDERS: [[u32; 3]; 6] = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
];

const EVENTS: [Event; 4] = [Event::Nothing, Event::Timeout, Event::Request, Event::Drop];

fn all_kinds() -> Vec<[Kind; 3]> {
    let kinds = |second| {
        [
            Kind::Gives(second),
            Kind::Fails(second),
            Kind::Panics(second),
            Kind::Sleeps,
            Kind::Cleans,
            Kind::Blind,
        ]
    };
    let mut all = Vec::new();
    for order in ORDERS {
        for a in kinds(order[0]) {
            for b in kinds(order[1]) {
                for c in kinds(order[2]) {
                    all.push([a, b, c]);
                }
            }
        }
    }
    all.sort_by_key(|kinds| format!("{kinds:?}"));
    all.dedup();
    all
}

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Own(usize),
    Cancelled,
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

async fn member(number: usize, kind: Kind, drops: &Drops) -> Result<usize, Failure> {
    let _value = drops.value();
    match kind {
        Kind::Gives(second) => time::sleep(secs(second.into())).await?,
        Kind::Fails(second) => {
            time::sleep(secs(second.into())).await?;
            return Err(Failure::Own(number));
        }
        Kind::Panics(second) => {
            time::sleep(secs(second.into())).await?;
            resume_unwind(Box::new(number)); // Quietly.
        }
        Kind::Sleeps => time::sleep(Duration::MAX).await?,
        Kind::Cleans => {
            time::sleep(Duration::MAX).await.unwrap_err();
            shield(time::sleep(Duration::from_secs_f32(CLEANS))).await?;
        }
        Kind::Blind => pending().await,
    }
    Ok(number)
}

/// The end of a combinator: what it gave, `Err` with the number of whoever panicked, or `None` if
/// it did not come to its end.
type End<T> = Option<Result<T, usize>>;

/// Runs a combinator until the event. Gives its end, and how long it took.
async fn with_event<T>(future: impl Future<Output = T>, event: Event) -> (End<T>, f32) {
    let before = time::now();
    let mut future = pin!(future);
    let contained =
        poll_fn(
            |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(polled) => polled.map(Ok),
                Err(payload) => Poll::Ready(Err(*payload.downcast::<usize>().unwrap())),
            },
        );
    let event_at = Duration::from_secs_f32(EVENT);
    let end = RefCell::new(None);
    let body = async {
        let ended = contained.await;
        end.replace(Some(ended));
    };
    match event {
        Event::Nothing => body.await,
        Event::Timeout => {
            let _late = time::timeout(event_at, body).await;
        }
        Event::Request => {
            let this = task::current().unwrap();
            let canceller = task::spawn(async move {
                time::sleep(event_at).await.unwrap();
                this.cancel("the event");
            });
            body.await;
            canceller.abort();
        }
        Event::Drop => {
            ringloop_core::future::race(body, time::sleep(event_at)).await;
        }
    }
    (end.take(), (time::now() - before).as_secs_f32())
}

/// Runs in a task of its own, so that a request to it ends it.
fn run_case<T: 'static>(
    case: impl AsyncFnOnce(&Drops) -> (End<T>, f32) + 'static,
) -> (Option<(End<T>, f32)>, u32) {
    let drops = Drops::default();
    let copy = drops.clone();
    let ended = run(async { task::spawn(async move { case(&copy).await }).await });
    (ended.ok(), drops.count())
}

/// When the first of the members comes to an end by which the others are cancelled, and which one.
fn first_of(kinds: [Kind; 3], ends: impl Fn(Kind) -> Option<u32>) -> Option<(f32, usize)> {
    let ends = kinds.iter().enumerate().filter_map(|(number, &kind)| {
        let second = ends(kind)?;
        Some((second, number))
    });
    ends.min().map(|(second, number)| (second as f32, number))
}

fn panics(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Panics(second) => Some(second),
        Kind::Gives(_) | Kind::Fails(_) | Kind::Sleeps | Kind::Cleans | Kind::Blind => None,
    }
}

/// The last moment at which a member is awaited that is cancelled at some time.
fn awaited_until(kinds: [Kind; 3], cancelled_at: f32) -> f32 {
    let ends = kinds.map(|kind| match kind {
        Kind::Gives(second) | Kind::Fails(second) | Kind::Panics(second) => {
            cancelled_at.min(second as f32)
        }
        Kind::Sleeps | Kind::Blind => cancelled_at,
        Kind::Cleans => cancelled_at + CLEANS,
    });
    ends.into_iter().fold(0.0, f32::max)
}

/// What happens when a combinator is cancelled by `cause`, or by the event, or panics.
enum Course {
    /// Nothing ever ends it.
    Endless,
    /// It panics before anything else.
    Panics(f32, usize),
    /// It is dropped.
    Dropped,
    /// It is cancelled by one of its members.
    Decided(f32, usize),
    /// It is cancelled from outside.
    Cancelled,
    /// All come to their ends.
    Done(f32),
}

fn course(kinds: [Kind; 3], event: Event, decides: impl Fn(Kind) -> Option<u32>) -> Course {
    let decided = first_of(kinds, decides);
    let panicked = first_of(kinds, panics);
    let at = |first: Option<(f32, usize)>| first.map_or(f32::MAX, |(at, _)| at);
    let is_endless = kinds
        .iter()
        .any(|kind| matches!(kind, Kind::Sleeps | Kind::Cleans | Kind::Blind));
    let end = awaited_until(kinds, at(decided));
    let natural = at(decided)
        .min(at(panicked))
        .min(if is_endless { f32::MAX } else { end });
    if event != Event::Nothing && EVENT < natural {
        return if event == Event::Drop {
            Course::Dropped
        } else {
            Course::Cancelled
        };
    }
    match (decided, panicked) {
        (_, Some((panics_at, who))) if panics_at < at(decided) => Course::Panics(panics_at, who),
        (Some((decided_at, who)), _) => {
            if event == Event::Drop && end > EVENT {
                return Course::Dropped;
            }
            Course::Decided(decided_at, who)
        }
        (None, _) if is_endless => Course::Endless,
        (None, _) => Course::Done(end),
    }
}

/// Whether a member that is cancelled by the event returns that as its error.
fn says_so(kind: Kind) -> bool {
    match kind {
        Kind::Gives(second) | Kind::Fails(second) | Kind::Panics(second) => second > 2,
        Kind::Sleeps => true,
        Kind::Cleans | Kind::Blind => false,
    }
}

#[test]
fn try_join_in_all_combinations() {
    let fails = |kind| match kind {
        Kind::Fails(second) => Some(second),
        Kind::Gives(_) | Kind::Panics(_) | Kind::Sleeps | Kind::Cleans | Kind::Blind => None,
    };
    for kinds in all_kinds() {
        for event in EVENTS {
            let course = course(kinds, event, fails);
            if matches!(course, Course::Endless) {
                continue;
            }
            let (ended, drops) = run_case(async move |drops| {
                let [a, b, c] = kinds;
                let joined = try_join!(
                    member(0, a, drops),
                    member(1, b, drops),
                    member(2, c, drops)
                );
                with_event(joined, event).await
            });
            let what = format!("{kinds:?} {event:?}");
            assert_eq!(drops, 3, "{what}: each is dropped, once");
            let has_blind = kinds.contains(&Kind::Blind);
            match course {
                Course::Endless => unreachable!(),
                Course::Done(at) => {
                    assert_eq!(ended, Some((Some(Ok(Ok((0, 1, 2)))), at)), "{what}");
                }
                Course::Panics(at, who) => assert_eq!(ended, Some((Some(Err(who)), at)), "{what}"),
                Course::Decided(at, who) => {
                    let at = awaited_until(kinds, at);
                    let error = Err(Failure::Own(who));
                    assert_eq!(ended, Some((Some(Ok(error)), at)), "{what}");
                }
                Course::Dropped => assert_eq!(ended, Some((None, EVENT)), "{what}"),
                Course::Cancelled => {
                    let at = awaited_until(kinds, EVENT);
                    let expected = if kinds.iter().any(|&kind| says_so(kind)) {
                        // Then it is the first failure, which cancels the others.
                        Some((Some(Ok(Err(Failure::Cancelled))), at))
                    } else if !has_blind {
                        Some((Some(Ok(Ok((0, 1, 2)))), at))
                    } else {
                        // Everything is dropped by the timeout, or the task.
                        (event == Event::Timeout).then_some((None, at))
                    };
                    assert_eq!(ended, expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn first_in_all_combinations() {
    let ends = |kind| match kind {
        Kind::Gives(second) | Kind::Fails(second) => Some(second),
        Kind::Panics(_) | Kind::Sleeps | Kind::Cleans | Kind::Blind => None,
    };
    for kinds in all_kinds() {
        for event in EVENTS {
            let course = course(kinds, event, ends);
            if matches!(course, Course::Endless) {
                continue;
            }
            let (ended, drops) = run_case(async move |drops| {
                let [a, b, c] = kinds;
                let raced = first!(
                    member(0, a, drops),
                    member(1, b, drops),
                    member(2, c, drops)
                );
                with_event(raced, event).await
            });
            let what = format!("{kinds:?} {event:?}");
            assert_eq!(drops, 3, "{what}: each is dropped, once");
            let told = |number: usize| match kinds[number] {
                Kind::Cleans => Some(Ok(number)),
                Kind::Blind => None,
                Kind::Gives(_) | Kind::Fails(_) | Kind::Panics(_) | Kind::Sleeps => {
                    Some(Err(Failure::Cancelled))
                }
            };
            match course {
                Course::Endless | Course::Done(_) => unreachable!(),
                Course::Panics(at, who) => assert_eq!(ended, Some((Some(Err(who)), at)), "{what}"),
                Course::Dropped => assert_eq!(ended, Some((None, EVENT)), "{what}"),
                Course::Decided(at, who) => {
                    let at = awaited_until(kinds, at);
                    let gives = matches!(kinds[who], Kind::Gives(_));
                    let winner = if gives {
                        Ok(who)
                    } else {
                        Err(Failure::Own(who))
                    };
                    let mut losers = [0, 1, 2].map(told);
                    losers[who] = None;
                    assert_eq!(ended, Some((Some(Ok((winner, losers))), at)), "{what}");
                }
                // What cannot be told goes with everything else if the scope around is cancelled,
                // unless one that was told had its end, and so cancelled the others.
                Course::Cancelled => {
                    let at = awaited_until(kinds, EVENT);
                    let (ended, took) = ended.unwrap_or((None, at));
                    assert_eq!(took, at, "{what}");
                    let Some(Ok((winner, losers))) = ended else {
                        assert!(kinds.contains(&Kind::Blind), "{what}");
                        continue;
                    };
                    let count = |output: &Result<usize, Failure>| {
                        let is = |other: &&Option<_>| other.as_ref() == Some(output);
                        usize::from(winner == *output) + losers.iter().filter(is).count()
                    };
                    for number in 0..3 {
                        let expected = told(number);
                        assert!(expected.is_none_or(|output| count(&output) > 0), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn try_join_takes_any_number_and_any_types() {
    run(async {
        let one = try_join!(ready(Ok::<_, Failure>(1))).await;
        assert_eq!(one, Ok((1,)));
        let four = try_join!(
            ready(Ok::<_, Failure>(1)),
            async { Ok("two") },
            async {
                time::sleep(secs(1)).await?;
                Ok(3.0)
            },
            ready(Ok([4])),
        );
        assert_eq!(four.await, Ok((1, "two", 3.0, [4])));
    });
}

#[test]
fn first_takes_outputs_of_different_types() {
    #[derive(Debug, PartialEq)]
    enum Event {
        Number(u32),
        Slept(bool),
    }
    run(async {
        let (first, losers) = first!(
            time::sleep(secs(9)) => |slept| Event::Slept(slept.is_ok()),
            async {
                time::sleep(secs(1)).await.unwrap();
                7
            } => Event::Number,
        )
        .await;
        assert_eq!(first, Event::Number(7));
        assert_eq!(losers, [Some(Event::Slept(false)), None]);
    });
}

#[test]
fn ties_go_to_the_first_argument_and_the_value_of_the_other_is_not_lost() {
    run(async {
        let (first, losers) = first!(ready(1), ready(2), ready(3)).await;
        assert_eq!((first, losers), (1, [None, Some(2), Some(3)]));
        let error = try_join!(ready(Err::<(), _>(1)), ready(Err::<(), _>(2))).await;
        assert_eq!(error, Err(1));
    });
}

#[test]
fn requests_say_that_they_come_from_the_siblings() {
    run(async {
        let log = Log::default();
        let told = async || {
            let cancelled: Cancelled = time::sleep(Duration::MAX).await.unwrap_err();
            log.add(format!("{:?}: {cancelled}", cancelled.reason().kind()));
            Err::<(), ()>(())
        };
        let _error = try_join!(told(), ready(Err::<(), _>(()))).await;
        let _first = first!(told(), ready(Err(()))).await;
        let attempts = (0..2).map(async |n| if n == 0 { told().await } else { Ok(()) });
        let winner = race_staggered(attempts, secs(1)).await.unwrap();
        assert_eq!((winner.index, winner.errors), (1, vec![(0, ())]));
        log.check(&[
            "Group: cancelled: another of the joined futures failed",
            "Group: cancelled: another future was the first",
            "Group: cancelled: another attempt succeeded first",
        ]);
    });
}

#[test]
fn failures_inside_of_timeouts_keep_their_scopes_apart() {
    run(async {
        // The error of a cancelled sibling does not make the timeout think it is its own, nor does
        // the combinator take the timeout's for its own.
        let joined = try_join!(time::sleep(Duration::MAX), time::sleep(Duration::MAX));
        assert!(time::timeout(secs(1), joined).await.is_err());
        let late = time::timeout(secs(2), async {
            let (first, losers) = first!(time::sleep(secs(1)), time::sleep(Duration::MAX)).await;
            assert!(first.is_ok());
            losers
        });
        assert!(matches!(late.await, Ok([None, Some(Err(_))])));
        let inner = time::timeout(secs(1), time::sleep(Duration::MAX));
        let value = try_join!(async { Ok::<_, Cancelled>(inner.await.is_err()) }).await;
        assert_eq!(value.unwrap(), (true,));
    });
}

#[test]
fn combinators_nest_in_each_other_and_in_collections() {
    run(async {
        let drops = Drops::default();
        let inner = async || {
            let (first, _) = first!(
                member(0, Kind::Cleans, &drops),
                member(1, Kind::Gives(1), &drops)
            )
            .await;
            first
        };
        let outer = try_join!(inner(), member(2, Kind::Fails(1), &drops), inner());
        let before = time::now();
        assert_eq!(collected(outer).await.unwrap_err(), Failure::Own(2));
        assert_eq!((time::now() - before).as_secs_f32(), 1.0 + CLEANS);
        assert_eq!(drops.count(), 5);
    });
}

#[test]
fn try_join_all_gives_values_in_order_or_the_first_error() {
    for count in [0, 1, 3, 200] {
        for failing in (0..count.min(3)).map(Some).chain([None]) {
            run(async {
                let drops = Drops::default();
                let told = Cell::new(0);
                let all = try_join_all((0..count).map(async |n| {
                    let _value = drops.value();
                    let slept = if failing == Some(n) {
                        time::sleep(secs(1)).await.unwrap();
                        return Err(Failure::Own(n));
                    } else {
                        time::sleep(secs(u64::try_from(2 + count - n).unwrap())).await
                    };
                    told.set(told.get() + usize::from(slept.is_err()));
                    slept?;
                    Ok(n)
                }));
                let before = time::now();
                let result = all.await;
                assert_eq!(drops.count() as usize, count);
                let took = (time::now() - before).as_secs();
                match failing {
                    None => {
                        assert_eq!(result, Ok((0..count).collect()));
                        let last = if count == 0 { 0 } else { 2 + count };
                        assert_eq!(took, last as u64);
                    }
                    Some(failing) => {
                        assert_eq!((result, took), (Err(Failure::Own(failing)), 1));
                        assert_eq!(told.get(), count - 1);
                    }
                }
            });
        }
    }
}

#[test]
fn try_join_all_waits_for_cleanup_and_drops_what_cannot_be_told() {
    run(async {
        let drops = Drops::default();
        let kinds = [
            Kind::Sleeps,
            Kind::Blind,
            Kind::Fails(1),
            Kind::Cleans,
            Kind::Gives(3),
        ];
        let numbered = kinds.into_iter().enumerate();
        let before = time::now();
        let result = try_join_all(numbered.map(|(n, kind)| member(n, kind, &drops))).await;
        assert_eq!(result, Err(Failure::Own(2)));
        assert_eq!((time::now() - before).as_secs_f32(), 1.0 + CLEANS);
        assert_eq!(drops.count(), 5);
    });
}

/// When attempt `n` begins, which happens in order, and how the race ends.
fn staggered_model(kinds: &[Kind], delay: f32) -> (Vec<f32>, Option<(f32, usize)>) {
    let mut begun: Vec<f32> = Vec::new();
    let mut winner: Option<(f32, usize)> = None;
    let mut begins_at = 0.0;
    for (n, kind) in kinds.iter().enumerate() {
        if winner.is_some_and(|(at, _)| at <= begins_at) {
            break;
        }
        begun.push(begins_at);
        let (end, is_success) = match *kind {
            Kind::Gives(second) => (begins_at + second as f32, true),
            Kind::Fails(second) => (begins_at + second as f32, false),
            Kind::Panics(_) | Kind::Sleeps | Kind::Cleans | Kind::Blind => (f32::MAX, false),
        };
        if is_success && winner.is_none_or(|(at, _)| end < at) {
            winner = Some((end, n));
        }
        let failed_at = if is_success { f32::MAX } else { end };
        begins_at = (begins_at + delay).min(failed_at);
        if begins_at == f32::MAX {
            break;
        }
    }
    (begun, winner)
}

#[test]
fn staggered_attempts_in_all_combinations() {
    // Odd delays, so that nothing coincides.
    for delay in [0.375, 1.375, 5.375] {
        for kinds in all_kinds() {
            if kinds.iter().any(|kind| matches!(kind, Kind::Panics(_))) {
                continue;
            }
            let (begun, winner) = staggered_model(&kinds, delay);
            let never_ends = kinds[..begun.len()]
                .iter()
                .any(|kind| !matches!(kind, Kind::Gives(_) | Kind::Fails(_)));
            if winner.is_none() && never_ends {
                continue;
            }
            let what = format!("{delay} {kinds:?}");
            run(async {
                let (drops, log) = (Drops::default(), RefCell::new(Vec::new()));
                let before = time::now();
                let attempts = kinds.into_iter().enumerate().map(|(n, kind)| {
                    log.borrow_mut().push((time::now() - before).as_secs_f32());
                    member(n, kind, &drops)
                });
                let delay = Duration::from_secs_f32(delay);
                let result = race_staggered(attempts, delay).await;
                let took = (time::now() - before).as_secs_f32();
                assert_eq!(*log.borrow(), begun, "{what}: when they begin");
                assert_eq!(drops.count() as usize, begun.len(), "{what}");
                let Some((won_at, who)) = winner else {
                    let all = (0..begun.len()).map(Failure::Own).collect();
                    assert_eq!(result.map(|won| won.value), Err(all), "{what}");
                    return;
                };
                let won = result.unwrap();
                assert_eq!((won.value, won.index), (who, who), "{what}");
                let cleaning: Vec<_> = (0..begun.len())
                    .filter(|&n| kinds[n] == Kind::Cleans)
                    .map(|n| (n, n))
                    .collect();
                let end = if cleaning.is_empty() {
                    won_at
                } else {
                    won_at + CLEANS
                };
                assert_eq!(took, end, "{what}");
                assert_eq!(won.late, cleaning, "{what}: values that came nevertheless");
                let failed_before = |n: &usize| matches!(kinds[*n], Kind::Fails(second) if begun[*n] + (second as f32) < won_at);
                let mut own: Vec<_> = won
                    .errors
                    .iter()
                    .filter(|(_, error)| *error != Failure::Cancelled)
                    .map(|&(n, _)| n)
                    .collect();
                own.sort_unstable();
                let failed: Vec<_> = (0..begun.len()).filter(failed_before).collect();
                assert_eq!(own, failed, "{what}");
            });
        }
    }
}

#[test]
fn staggered_race_without_attempts_or_successes() {
    run(async {
        let none = race_staggered([(); 0].map(|()| ready(Ok::<(), ()>(()))), Duration::ZERO).await;
        assert_eq!(none, Err(Vec::new()));
        let all = race_staggered((0..100).map(|n| ready(Err::<(), _>(n))), Duration::MAX).await;
        assert_eq!(all, Err((0..100).collect()));
    });
}

#[test]
fn cancelled_staggered_race_begins_no_more_attempts() {
    run(async {
        let begun = Cell::new(0);
        let attempts = (0..9).map(|_| {
            begun.set(begun.get() + 1);
            async { time::sleep(secs(5)).await.map_err(Failure::from) }
        });
        let late = time::timeout(
            Duration::from_secs_f32(1.5),
            race_staggered(attempts, secs(1)),
        );
        // The errors say only that there was a cancellation, so the result is theirs.
        let errors = late.await.unwrap().unwrap_err();
        assert_eq!(errors, [Failure::Cancelled, Failure::Cancelled]);
        assert_eq!(begun.get(), 2);
    });
}

#[test]
fn futures_are_held_once() {
    async fn large() -> Result<u32, ()> {
        let page = [0_u8; 1000];
        pending::<()>().await;
        u32::try_from(page.len()).map_err(|_| ())
    }
    assert!(size_of_val(&try_join!(large(), large(), large())) <= 3400);
    assert!(size_of_val(&first!(large(), large(), large())) <= 3400);
}

#[test]
fn join_of_the_core_is_here_too() {
    run(async {
        let both = join!(time::sleep(secs(1)), async { settle().await });
        let (slept, settled) = both.await;
        assert!(slept.is_ok() && settled.is_ok());
        assert_eq!(join(ready(1), ready(2)).await, (1, 2));
    });
}
