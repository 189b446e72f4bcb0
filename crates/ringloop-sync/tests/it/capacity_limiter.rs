//! The limiter: order, one token to a borrower, and a total that moves.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::{AcquireTokenError, Borrower, CapacityToken, TryAcquireTokenError, hosted};

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type CapacityLimiter = hosted::CapacityLimiter<TestHost>;
type AcquireError = AcquireTokenError<Cancelled>;

/// Waits for a token for `name`, or for nobody in particular.
fn acquire(
    limiter: &CapacityLimiter,
    name: Option<u64>,
) -> Task<'_, Result<CapacityToken<'_>, AcquireError>> {
    Task::new(async move {
        match name {
            Some(name) => limiter.acquire_on_behalf_of(name).await,
            None => Ok(limiter.acquire().await?),
        }
    })
}

#[test]
fn tokens_go_to_those_who_wait_in_order() {
    let limiter = CapacityLimiter::new(1);
    let log = Log::default();
    let visit = |name: u64| {
        let (limiter, log) = (&limiter, log.clone());
        Task::new(async move {
            let token = limiter.acquire_on_behalf_of(name).await.unwrap();
            assert_eq!(limiter.borrowers(), [Borrower::new(name)]);
            log.note(token.borrower().unwrap());
        })
    };
    let held = limiter.try_acquire().unwrap();
    assert_eq!(held.borrower(), None);
    let mut tasks = [3, 1, 2].map(visit);
    tasks.iter_mut().for_each(Task::waits);
    assert!(limiter.borrowers().is_empty());
    drop(held);
    for task in &mut tasks {
        assert!(limiter.try_acquire().is_none(), "it is handed over");
        task.ends();
    }
    assert_eq!(log.take(), "3 1 2");
    assert_eq!(limiter.statistics(), CapacityLimiter::new(1).statistics());
}

/// The first who waits is cancelled or dropped, before and after a token was given to it, with names
/// and without.
#[test]
fn a_token_passes_by_who_is_cancelled_or_gone() {
    for case in 0..16 {
        let [is_cancelled, is_given, first_has_name, second_has_name] =
            [0, 1, 2, 3].map(|bit| case & 1 << bit != 0);
        let limiter = CapacityLimiter::new(1);
        let mut held = limiter.try_acquire();
        let mut first = acquire(&limiter, first_has_name.then_some(1));
        let mut second = acquire(&limiter, second_has_name.then_some(2));
        first.waits();
        second.waits();
        if is_given {
            held = None;
            let expected = first_has_name.then(|| Borrower::new(1));
            assert_eq!(limiter.borrowers(), Vec::from_iter(expected));
        }
        if is_cancelled {
            first.cancel();
            match first.ends() {
                Ok(token) => assert!(is_given && token.borrower().is_some() == first_has_name),
                Err(error) => assert!(!is_given && error == AcquireError::Cancelled(Cancelled)),
            }
        } else {
            first.abort();
        }
        drop(held);
        let token = second.ends().unwrap();
        let expected = second_has_name.then(|| Borrower::new(2));
        assert_eq!(limiter.borrowers(), Vec::from_iter(expected));
        drop(token);
        assert_eq!(limiter.statistics(), CapacityLimiter::new(1).statistics());
        assert!(
            limiter.try_acquire_on_behalf_of(1).is_ok(),
            "its name is free"
        );
    }
}

#[test]
fn a_borrower_has_one_token() {
    let limiter = CapacityLimiter::new(2);
    let client = Borrower::new(7);
    let is_refused = || {
        let before = limiter.statistics();
        let error = acquire(&limiter, Some(7)).ends_at_once().unwrap_err();
        assert_eq!(error, AcquireError::AlreadyBorrowed(client));
        let error = limiter.try_acquire_on_behalf_of(client).unwrap_err();
        assert_eq!(error, TryAcquireTokenError::AlreadyBorrowed(client));
        assert_eq!(limiter.statistics(), before, "nothing has changed");
    };
    let token = limiter.try_acquire_on_behalf_of(client).unwrap();
    is_refused();
    let other = acquire(&limiter, None).ends_at_once();
    drop(token);
    let token = acquire(&limiter, Some(7)).ends_at_once().unwrap();
    is_refused();
    drop(token);

    // Waiting counts, and so does what was given and not taken yet.
    let nobody = limiter.try_acquire();
    let error = limiter.try_acquire_on_behalf_of(client).unwrap_err();
    assert_eq!(error, TryAcquireTokenError::NoTokens);
    let mut waits = acquire(&limiter, Some(7));
    waits.waits();
    is_refused();
    drop(other);
    is_refused();
    drop(waits.ends());
    drop(nobody);
    assert!(limiter.try_acquire_on_behalf_of(client).is_ok());
    assert_eq!(limiter.borrowed(), 0);
}

#[test]
fn a_cancelled_task_borrows_nothing() {
    for name in [None, Some(1)] {
        let limiter = CapacityLimiter::new(1);
        let _held = name.map(|name| limiter.try_acquire_on_behalf_of(name));
        let mut task = acquire(&limiter, name);
        task.cancel();
        let error = task.ends().unwrap_err();
        assert_eq!(error, AcquireError::Cancelled(Cancelled));
        assert_eq!(limiter.borrowed(), usize::from(name.is_some()));
    }
}

#[test]
fn a_total_that_grows_wakes_as_many() {
    let limiter = CapacityLimiter::new(0);
    assert!(limiter.try_acquire().is_none());
    let mut tasks = [None, Some(1), Some(2), None].map(|name| acquire(&limiter, name));
    tasks.iter_mut().for_each(Task::waits);
    limiter.set_total(0);
    let are_woken = |tasks: &[Task<'_, _>]| tasks.iter().filter(|task| task.is_woken()).count();
    for (total, woken) in [(1, 1), (3, 3), (2, 3), (3, 3), (usize::MAX, 4)] {
        limiter.set_total(total);
        assert_eq!((limiter.total(), limiter.borrowed()), (total, woken));
        assert_eq!(are_woken(&tasks), woken);
        assert!(tasks[..woken].iter().all(Task::is_woken), "in order");
    }
    assert_eq!(limiter.available(), usize::MAX);
    let tokens = tasks.each_mut().map(Task::ends);
    assert_eq!(limiter.borrowers(), [1, 2].map(Borrower::new));
    drop(tokens);
    assert_eq!(limiter.borrowed(), 0);
}

#[test]
fn a_total_that_shrinks_takes_nothing_away() {
    let limiter = CapacityLimiter::new(3);
    let mut tokens: Vec<_> = (0..3).filter_map(|_| limiter.try_acquire()).collect();
    limiter.set_total(1);
    assert_eq!((limiter.borrowed(), limiter.available()), (3, 0));
    let mut waits = acquire(&limiter, None);
    waits.waits();
    for _ in 0..2 {
        tokens.pop();
        assert!(!waits.is_woken() && limiter.try_acquire().is_none());
    }
    tokens.pop();
    assert!(waits.ends().is_ok());
    limiter.set_total(0);
    assert!(limiter.try_acquire().is_none());
}

/// Whatever is done to a waker may use the limiter.
#[test]
fn a_waker_may_use_its_limiter() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        for name in [None, Some(1)] {
            let limiter = Rc::new(CapacityLimiter::new(0));
            let uses = {
                let limiter = Rc::clone(&limiter);
                move || {
                    limiter.set_total(2);
                    drop(limiter.try_acquire_on_behalf_of(1));
                    drop(limiter.try_acquire());
                }
            };
            let mut after = acquire(&limiter, Some(2));
            let mut hooked = pin!(async {
                match name {
                    Some(name) => limiter.acquire_on_behalf_of(name).await.ok(),
                    None => limiter.acquire().await.ok(),
                }
            });
            let is_ready = with_hook(act, uses, |cx| {
                let is_ready = hooked.as_mut().poll(cx).is_ready();
                assert_eq!(is_ready, act == Act::Clone);
                assert!(after.poll().is_ready() == is_ready);
                limiter.set_total(1);
                is_ready || hooked.as_mut().poll(cx).is_ready()
            });
            assert!(is_ready, "{act:?}");
            assert_eq!(limiter.statistics().waiting, 0);
        }
    }
}

/// A token that is there for the next who waits is not there for a waker.
#[test]
fn a_waker_does_not_overtake_who_waits() {
    let limiter = Rc::new(CapacityLimiter::new(0));
    let overtakes = {
        let limiter = Rc::clone(&limiter);
        move || assert!(limiter.try_acquire().is_none())
    };
    let mut hooked = pin!(limiter.acquire());
    let mut after = acquire(&limiter, None);
    with_hook(Act::Wake, overtakes, |cx| {
        assert!(hooked.as_mut().poll(cx).is_pending());
        after.waits();
        limiter.set_total(2);
        assert!(hooked.as_mut().poll(cx).is_ready());
    });
    assert!(after.ends().is_ok());
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_waking() {
    let limiter = CapacityLimiter::new(0);
    let mut hooked = pin!(limiter.acquire());
    let mut after = acquire(&limiter, Some(1));
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending());
            after.waits();
            let grows = AssertUnwindSafe(|| limiter.set_total(2));
            assert!(catch_unwind(grows).is_err());
        },
    );
    assert!(after.ends().is_ok());
}

#[test]
fn errors_say_what_to_do() {
    let twice = AcquireTokenError::<Infallible>::AlreadyBorrowed(Borrower::new(7));
    let text = "borrower 7 has a token or waits for one: drop that first";
    assert_eq!(twice.to_string(), text);
    let error = TryAcquireTokenError::AlreadyBorrowed(Borrower::new(7));
    assert_eq!(error.to_string(), text);
    assert_eq!(
        TryAcquireTokenError::NoTokens.to_string(),
        "all tokens are borrowed: wait for one with acquire"
    );
    let error = AcquireError::Cancelled(Cancelled);
    assert_eq!(error.to_string(), "cancelled");
    assert!(error.source().is_some_and(<dyn Error>::is::<Cancelled>));

    let io_error = io::Error::from(AcquireTokenError::<Infallible>::AlreadyBorrowed(
        Borrower::new(7),
    ));
    assert_eq!(io_error.to_string(), text);
}

#[test]
fn it_says_how_things_stand() {
    let limiter = CapacityLimiter::new(2);
    let token = limiter.try_acquire_on_behalf_of(5).unwrap();
    assert_eq!(
        format!("{limiter:?}"),
        "CapacityLimiter { total: 2, borrowed: 1, waiting: 0, .. }"
    );
    assert_eq!(
        format!("{token:?}"),
        "CapacityToken { borrower: Some(Borrower(5)), .. }"
    );
    limiter.set_total(usize::MAX);
    assert_eq!(
        format!("{limiter:?}"),
        "CapacityLimiter { total: <no limit>, borrowed: 1, waiting: 0, .. }"
    );
}

/// A borrower whose waker could not be cloned does not wait.
#[test]
fn a_waker_whose_clone_panics_leaves_no_borrower_behind() {
    let limiter = CapacityLimiter::new(1);
    let held = limiter.try_acquire().unwrap();
    let mut hooked = pin!(limiter.acquire_on_behalf_of(1));
    with_hook(
        Act::Clone,
        || panic!("foreign"),
        |cx| {
            let poll = AssertUnwindSafe(|| hooked.as_mut().poll(cx));
            assert!(catch_unwind(poll).is_err());
        },
    );
    drop(held);
    assert!(limiter.try_acquire_on_behalf_of(1).is_ok());
}

/// With a cost for each that grows with their number, this takes minutes.
#[test]
fn many_borrowers_come_and_go() {
    let limiter = CapacityLimiter::new(usize::MAX);
    let mut tokens = VecDeque::new();
    for name in 0..300_000 {
        tokens.push_back(limiter.try_acquire_on_behalf_of(name).unwrap());
    }
    while let (Some(first), Some(last)) = (tokens.pop_front(), tokens.pop_back()) {
        drop((first, last));
    }
    assert_eq!(limiter.borrowed(), 0);
    assert_eq!(limiter.borrowers(), []);
}
