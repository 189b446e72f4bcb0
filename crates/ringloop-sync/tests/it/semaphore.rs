//! The semaphore: order, many permits at once, and what becomes of permits whose owner is gone.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::{Permit, hosted};

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Semaphore = hosted::Semaphore<TestHost>;

#[test]
fn permits_go_to_those_who_wait_in_order() {
    let semaphore = Semaphore::new(2);
    let log = Log::default();
    let visit = |name| {
        let (semaphore, log) = (&semaphore, log.clone());
        Task::new(async move {
            let permit = semaphore.acquire().await.unwrap();
            log.note(name);
            permit
        })
    };
    let held = semaphore.try_acquire_many(2).unwrap();
    let mut tasks = ["a", "b", "c"].map(visit);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(semaphore.statistics().waiting, 3);
    drop(held);
    assert_eq!(semaphore.available(), 0, "they are handed over");
    assert!(semaphore.try_acquire().is_none());
    let mut late = visit("late");
    late.waits();
    let [a, b, c] = &mut tasks;
    drop((a.ends(), b.ends()));
    drop((c.ends(), late.ends()));
    assert_eq!(log.take(), "a b c late");
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn a_big_request_holds_back_small_ones_behind_it() {
    for is_cancelled in [true, false] {
        let semaphore = Semaphore::new(3);
        let held = semaphore.try_acquire().unwrap();
        let mut big = Task::new(semaphore.acquire_many(3));
        let mut small = Task::new(semaphore.acquire());
        let mut middle = Task::new(semaphore.acquire_many(2));
        big.waits();
        small.waits();
        middle.waits();
        assert_eq!(semaphore.available(), 2);
        assert!(semaphore.try_acquire().is_none(), "nobody overtakes");
        assert!(!small.is_woken() && !middle.is_woken());
        if is_cancelled {
            big.cancel();
            assert_eq!(big.ends().map(drop), Err(Cancelled));
        } else {
            big.abort();
        }
        let small = small.ends();
        assert!(!middle.is_woken());
        drop(held);
        drop((small, middle.ends()));
        assert_eq!(semaphore.available(), 3);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    IsCancelled,
    IsDropped,
}

const FATES: [Fate; 3] = [Fate::Stays, Fate::IsCancelled, Fate::IsDropped];

/// What a semaphore does, said in the plainest way.
#[derive(Default)]
struct Model {
    available: usize,
    waiting: Vec<(usize, usize)>,
    granted: Vec<(usize, usize)>,
}

impl Model {
    fn hand_out(&mut self) {
        while let Some(&(_, wanted)) = self.waiting.first()
            && wanted <= self.available
        {
            self.available -= wanted;
            self.granted.push(self.waiting.remove(0));
        }
    }

    fn leave(&mut self, who: usize, fate: Fate) {
        self.waiting.retain(|&(waiter, _)| waiter != who);
        if fate == Fate::IsDropped
            && let Some(place) = self.granted.iter().position(|&(granted, _)| granted == who)
        {
            self.available += self.granted.remove(place).1;
        }
        self.hand_out();
    }
}

/// Three wait for one to three permits each; each stays, is cancelled, or is dropped, before or after
/// up to six permits are released.
#[test]
fn nothing_is_lost_whoever_leaves() {
    for case in 0..27 * 27 * 7 * 2 {
        let wants = [0, 1, 2].map(|who| 1 + case / 3_usize.pow(who) % 3);
        let fates = [3, 4, 5].map(|digit| FATES[case / 3_usize.pow(digit) % 3]);
        let released = case / 729 % 7;
        let is_granted = case / 729 / 7 == 1;
        check_who_leaves(wants, fates, released, is_granted);
    }
}

fn check_who_leaves(wants: [usize; 3], fates: [Fate; 3], released: usize, is_granted: bool) {
    let case = format!("{wants:?} {fates:?} {released} {is_granted}");
    let semaphore = Rc::new(Semaphore::new(0));
    let mut model = Model::default();
    let held = RefCell::new(Vec::new());
    let mut tasks: Vec<Task<'_, Option<usize>>> = Vec::new();
    for (who, wanted) in wants.into_iter().enumerate() {
        let (semaphore, held) = (Rc::clone(&semaphore), &held);
        let mut task = Task::new(async move {
            let permit = semaphore.acquire_many_owned(wanted).await.ok()?;
            let permits = permit.num_permits();
            held.borrow_mut().push(permit);
            Some(permits)
        });
        task.waits();
        tasks.push(task);
        model.waiting.push((who, wanted));
    }
    let release = |model: &mut Model| {
        semaphore.release(released).expect("there is no bound");
        model.available += released;
        model.hand_out();
    };
    if is_granted {
        release(&mut model);
    }
    for (who, fate) in fates.into_iter().enumerate() {
        match fate {
            Fate::Stays => continue,
            Fate::IsDropped => tasks[who].abort(),
            Fate::IsCancelled => {
                tasks[who].cancel();
                let granted = model.granted.iter().find(|&&(granted, _)| granted == who);
                assert_eq!(
                    tasks[who].ends(),
                    granted.map(|&(_, wanted)| wanted),
                    "{case}"
                );
            }
        }
        model.leave(who, fate);
        assert_eq!(semaphore.available(), model.available, "{case}");
    }
    if !is_granted {
        release(&mut model);
    }
    for (who, fate) in fates.into_iter().enumerate() {
        if fate == Fate::Stays {
            let granted = model.granted.iter().any(|&(granted, _)| granted == who);
            assert_eq!(tasks[who].is_woken(), granted, "{case}");
            if granted {
                assert_eq!(tasks[who].ends(), Some(wants[who]), "{case}");
            }
        }
    }
    let statistics = semaphore.statistics();
    assert_eq!(statistics.waiting, model.waiting.len(), "{case}");
    drop(tasks);
    held.borrow_mut().clear();
    assert_eq!(semaphore.available(), released, "{case}");
}

#[test]
fn a_cancelled_task_takes_no_permit() {
    let semaphore = Semaphore::new(1);
    let mut task = Task::new(semaphore.acquire());
    task.cancel();
    assert_eq!(task.ends().map(drop), Err(Cancelled));
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_bound_takes_back_what_was_forgotten_and_no_more() {
    let semaphore = Semaphore::bounded(3);
    let held = semaphore.try_acquire().unwrap();
    let before = semaphore.statistics();
    let error = semaphore.release(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 permit was released to a semaphore that has 3 of at most 3: release only what was forgotten"
    );
    assert_eq!(semaphore.statistics(), before, "nothing has changed");

    held.forget();
    semaphore.try_acquire().unwrap().forget();
    assert_eq!(
        (semaphore.statistics().total, semaphore.available()),
        (1, 1)
    );
    let mut task = Task::new(semaphore.acquire_many(3));
    task.waits();
    assert!(semaphore.release(3).is_err());
    assert!(!task.is_woken());
    semaphore.release(2).unwrap();
    assert_eq!(task.ends().unwrap().num_permits(), 3);
    assert_eq!(semaphore.statistics(), Semaphore::bounded(3).statistics());
}

#[test]
fn an_unbounded_one_takes_new_permits() {
    let semaphore = Semaphore::new(0);
    let mut tasks = [2, 1, 3].map(|wanted| Task::new(semaphore.acquire_many(wanted)));
    tasks.iter_mut().for_each(Task::waits);
    semaphore.release(5).unwrap();
    let [two, one, three] = &mut tasks;
    let (two, one) = (two.ends().unwrap(), one.ends().unwrap());
    assert_eq!(semaphore.available(), 2);
    drop(one);
    drop(three.ends());
    drop(two);
    assert_eq!(semaphore.available(), 5);
}

#[test]
fn huge_numbers_do_not_overflow() {
    for semaphore in [Semaphore::new(usize::MAX), Semaphore::bounded(usize::MAX)] {
        semaphore.release(0).unwrap();
        let one = semaphore.try_acquire().unwrap();
        for released in [1, usize::MAX] {
            assert!(semaphore.release(released).is_err());
        }
        assert!(semaphore.try_acquire_many(usize::MAX).is_none());
        drop(one);
        let all = Task::new(semaphore.acquire_many(usize::MAX)).ends_at_once();
        assert_eq!(all.unwrap().num_permits(), usize::MAX);
        assert_eq!(semaphore.available(), usize::MAX);
    }
}

#[test]
fn none_are_there_at_once_and_nobody_is_in_the_way() {
    for semaphore in [Semaphore::new(0), Semaphore::bounded(0)] {
        assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
        assert!(Task::new(semaphore.acquire_many(0)).ends_at_once().is_ok());
    }
    let semaphore = Semaphore::new(1);
    let mut task = Task::new(semaphore.acquire_many(2));
    task.waits();
    drop(semaphore.try_acquire_many(0).unwrap());
    assert!(Task::new(semaphore.acquire_many(0)).ends_at_once().is_ok());
    assert!(!task.is_woken());
}

#[test]
fn what_never_comes_is_not_waited_for() {
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    let semaphore = Rc::new(Semaphore::bounded(2));
    assert!(panics(&|| drop(semaphore.acquire_many(3))));
    assert!(panics(&|| drop(
        Rc::clone(&semaphore).acquire_many_owned(3)
    )));
    assert!(semaphore.try_acquire_many(3).is_none());
    assert!(panics(&|| drop(Semaphore::bounded(0).acquire())));

    // Somebody may release more.
    let semaphore = Semaphore::new(2);
    let mut task = Task::new(semaphore.acquire_many(3));
    task.waits();
    semaphore.release(1).unwrap();
    assert!(task.ends().is_ok());
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = Semaphore::new(5);
    let other = Semaphore::new(5);
    let mut four = semaphore.try_acquire_many(4).unwrap();
    assert!(four.split(5).is_none());
    assert_eq!(four.num_permits(), 4);
    let three = four.split(3).unwrap();
    assert_eq!((four.num_permits(), three.num_permits()), (1, 3));
    drop(four);
    assert_eq!(semaphore.available(), 2);
    merge_to_four(three, semaphore.try_acquire().unwrap());
    assert_eq!(semaphore.available(), 5);

    let (left, right) = (semaphore.try_acquire(), other.try_acquire());
    let merged = AssertUnwindSafe(|| merge_to_four(left.unwrap(), right.unwrap()));
    assert!(catch_unwind(merged).is_err());
    assert_eq!((semaphore.available(), other.available()), (5, 5));
}

fn merge_to_four<'a>(mut left: Permit<'a>, right: Permit<'a>) {
    left.merge(right);
    assert_eq!(left.num_permits(), 4);
}

#[test]
fn owned_permits_are_split_and_merged() {
    let semaphore = Rc::new(Semaphore::new(5));
    let other = Rc::new(Semaphore::new(5));
    let take = |count| Rc::clone(&semaphore).try_acquire_many_owned(count).unwrap();
    let mut four = take(4);
    assert!(Rc::clone(&semaphore).try_acquire_many_owned(2).is_none());
    assert!(four.split(5).is_none());
    drop(four.split(3).unwrap());
    assert_eq!(semaphore.available(), 4);
    four.merge(take(1));
    assert_eq!(four.num_permits(), 2);
    assert!(Rc::ptr_eq(four.semaphore(), &semaphore));
    four.forget();
    assert_eq!(semaphore.statistics().total, 3);

    let (mut left, right) = (take(1), Rc::clone(&other).try_acquire_owned().unwrap());
    assert!(catch_unwind(AssertUnwindSafe(|| left.merge(right))).is_err());
    drop(left);
    assert_eq!((semaphore.available(), other.available()), (3, 5));
}

/// An owned permit, and a wait for one, keep the semaphore: nobody else has to.
#[test]
fn an_owned_permit_keeps_the_semaphore() {
    let semaphore = Rc::new(Semaphore::new(1));
    let weak = Rc::downgrade(&semaphore);
    let permit = Rc::clone(&semaphore).try_acquire_owned().unwrap();
    let mut task = Task::new(semaphore.acquire_owned());
    task.waits();
    drop(permit);
    let permit = task.ends().unwrap();
    drop(task);
    assert_eq!(weak.upgrade().unwrap().available(), 0);
    drop(permit);
    assert!(weak.upgrade().is_none());
}

/// Whatever is done to a waker may use the semaphore.
#[test]
fn a_waker_may_use_its_semaphore() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let semaphore = Rc::new(Semaphore::new(0));
        let uses = {
            let semaphore = Rc::clone(&semaphore);
            move || {
                semaphore.release(1).unwrap();
                drop(semaphore.try_acquire());
            }
        };
        let mut hooked = pin!(semaphore.acquire());
        let mut after = Task::new(semaphore.acquire_many(2));
        let mut is_ready = false;
        with_hook(act, uses, |cx| {
            is_ready = hooked.as_mut().poll(cx).is_ready();
            assert_eq!(is_ready, act == Act::Clone);
            after.waits();
            semaphore.release(1).unwrap();
            is_ready = is_ready || hooked.as_mut().poll(cx).is_ready();
        });
        assert!(is_ready, "{act:?}");
        let before = semaphore.statistics();
        if before.waiting == 1 {
            assert!(before.available < 2, "{act:?}: {before:?}");
            semaphore.release(2 - before.available).unwrap();
        }
        assert!(after.ends().is_ok(), "{act:?}");
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_waking() {
    let semaphore = Semaphore::new(0);
    let mut hooked = pin!(semaphore.acquire());
    let mut after = Task::new(semaphore.acquire());
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending());
            after.waits();
            let release = AssertUnwindSafe(|| semaphore.release(2));
            assert!(catch_unwind(release).is_err());
        },
    );
    assert!(after.ends().is_ok());
}

#[test]
fn it_says_how_things_stand() {
    let semaphore = Semaphore::bounded(3);
    let held = semaphore.try_acquire_many(2).unwrap();
    assert_eq!(
        format!("{semaphore:?}"),
        "Semaphore { available: 1, total: 3, bound: 3, waiting: 0 }"
    );
    assert_eq!(format!("{held:?}"), "Permit { permits: 2, .. }");
    let statistics = semaphore.statistics();
    assert_eq!((statistics.bound, statistics.waiting), (Some(3), 0));
}
