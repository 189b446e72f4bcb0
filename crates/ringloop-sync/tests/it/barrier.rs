//! The barrier: rounds, who is counted, and who is sent away.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use ringloop_sync::{BarrierError, BarrierState, BarrierTurn, hosted};

use crate::support::{Cancelled, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Barrier = hosted::Barrier<TestHost>;
type Turn = Result<BarrierTurn, BarrierError<Cancelled>>;

const BROKEN: Turn = Err(BarrierError::Broken);
const CANCELLED: Turn = Err(BarrierError::Cancelled(Cancelled));

/// A party that has come and waits.
#[track_caller]
fn waiting(barrier: &Barrier) -> Task<'_, Turn> {
    let mut party = Task::new(barrier.wait());
    party.waits();
    party
}

fn index(turn: Turn) -> usize {
    turn.expect("it has its turn").index()
}

#[test]
fn all_wait_for_the_last_one_and_have_indices_in_order() {
    for parties in 0..=4_usize {
        let barrier = Barrier::new(parties);
        assert_eq!(barrier.parties(), parties.max(1));
        for _round in 0..3 {
            let mut others: Vec<_> = (1..parties).map(|_| waiting(&barrier)).collect();
            assert_eq!(barrier.statistics().waiting, others.len());
            let last = Task::new(barrier.wait()).ends_at_once().unwrap();
            assert_eq!(last.index(), others.len());
            assert_eq!(last.is_leader(), others.is_empty());
            for (place, party) in others.iter_mut().enumerate() {
                assert_eq!(barrier.statistics().leaving, parties - 1 - place);
                let turn = party.ends().unwrap();
                assert_eq!((turn.index(), turn.is_leader()), (place, place == 0));
            }
            assert_eq!(barrier.statistics(), Barrier::new(parties).statistics());
        }
    }
}

/// One of two who wait for the third leaves, and is not counted: the others' indices have no gap.
#[test]
fn who_leaves_before_the_last_one_comes_is_not_counted() {
    for is_cancelled in [true, false] {
        for leaver in 0..2 {
            let barrier = Barrier::new(3);
            let mut parties = [waiting(&barrier), waiting(&barrier)];
            if is_cancelled {
                parties[leaver].cancel();
                assert_eq!(parties[leaver].ends(), CANCELLED);
            } else {
                parties[leaver].abort();
            }
            let mut third = waiting(&barrier);
            assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 2);
            assert_eq!(index(parties[1 - leaver].ends()), 0);
            assert_eq!(index(third.ends()), 1);
        }
    }
}

#[test]
fn who_leaves_afterwards_keeps_nobody() {
    for is_cancelled in [true, false] {
        let barrier = Barrier::new(3);
        let [mut one, mut other] = [waiting(&barrier), waiting(&barrier)];
        assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 2);
        if is_cancelled {
            one.cancel();
            assert_eq!(index(one.ends()), 0, "the value wins");
        } else {
            one.abort();
        }
        assert_eq!(barrier.statistics().state, BarrierState::Draining);
        assert_eq!(index(other.ends()), 1);
        assert_eq!(barrier.statistics(), Barrier::new(3).statistics());
    }
}

#[test]
fn who_comes_while_a_round_leaves_waits_for_the_next_one() {
    let barrier = Barrier::new(2);
    let mut first = waiting(&barrier);
    assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 1);
    let mut next = [(); 3].map(|()| waiting(&barrier));
    assert_eq!(barrier.statistics().waiting, 3);
    assert!(next.iter().all(|party| !party.is_woken()));

    first.ends().unwrap();
    assert_eq!(next.each_ref().map(Task::is_woken), [true, true, false]);
    assert_eq!(barrier.statistics().leaving, 2);
    let [two, three, four] = &mut next;
    assert_eq!(index(three.ends()), 1);
    assert_eq!(index(two.ends()), 0);
    assert_eq!(barrier.statistics().state, BarrierState::Filling);
    assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 1);
    assert_eq!(index(four.ends()), 0);
}

#[test]
fn a_reset_sends_those_away_who_wait() {
    let barrier = Barrier::new(3);
    barrier.reset();
    assert_eq!(barrier.statistics(), Barrier::new(3).statistics());
    let [mut one, mut other] = [waiting(&barrier), waiting(&barrier)];
    barrier.reset();
    barrier.reset();
    assert_eq!(barrier.statistics().state, BarrierState::Resetting);
    assert!(!barrier.is_broken());
    let next = [(); 3].map(|()| waiting(&barrier));
    one.cancel();
    assert_eq!(one.ends(), BROKEN, "it was woken before");
    assert!(!next[0].is_woken());
    other.abort();
    assert_eq!(next.map(|mut party| index(party.ends())), [0, 1, 2]);
}

#[test]
fn a_reset_does_nothing_to_a_round_that_is_complete() {
    let barrier = Barrier::new(2);
    let mut first = waiting(&barrier);
    index(Task::new(barrier.wait()).ends_at_once());
    let mut next = waiting(&barrier);
    barrier.reset();
    assert_eq!(index(first.ends()), 0);
    assert!(!next.is_woken());
    assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 1);
    assert_eq!(index(next.ends()), 0);
}

#[test]
fn an_abort_lasts_until_a_reset() {
    let barrier = Barrier::new(2);
    let mut first = waiting(&barrier);
    index(Task::new(barrier.wait()).ends_at_once());
    let mut next = waiting(&barrier);
    barrier.abort();
    assert!(barrier.is_broken());
    assert_eq!(Task::new(barrier.wait()).ends_at_once(), BROKEN);
    assert_eq!(index(first.ends()), 0, "its round was complete");
    assert!(barrier.is_broken());

    barrier.reset();
    assert_eq!(barrier.statistics().state, BarrierState::Resetting);
    let mut late = waiting(&barrier);
    assert_eq!(next.ends(), BROKEN);
    assert_eq!(barrier.statistics().state, BarrierState::Filling);
    assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 1);
    assert_eq!(index(late.ends()), 0);

    barrier.abort();
    barrier.reset();
    assert_eq!(barrier.statistics(), Barrier::new(2).statistics());
}

#[test]
fn a_cancelled_task_does_not_come() {
    let barrier = Barrier::new(1);
    barrier.abort();
    let mut task = Task::new(barrier.wait());
    task.cancel();
    assert_eq!(task.ends(), CANCELLED);
}

/// What a barrier does, said in the plainest way; each party by its number.
struct Model {
    parties: usize,
    state: BarrierState,
    counted: Vec<usize>,
    /// Those who wait for the round to begin.
    blocked: Vec<usize>,
    /// Those who were woken, with their index unless they are broken.
    leaving: Vec<(usize, Option<usize>)>,
}

impl Model {
    fn new(parties: usize) -> Self {
        Self {
            parties,
            state: BarrierState::Filling,
            counted: Vec::new(),
            blocked: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// What the one that comes gets at once.
    fn come(&mut self, party: usize) -> Option<Option<usize>> {
        if self.state == BarrierState::Broken {
            return Some(None);
        }
        if self.state == BarrierState::Filling {
            self.counted.push(party);
        } else {
            self.blocked.push(party);
        }
        if self.counted.len() < self.parties {
            return None;
        }
        self.complete();
        let (_, index) = self.leaving.pop().expect("it is the last");
        self.state = if self.leaving.is_empty() {
            BarrierState::Filling
        } else {
            BarrierState::Draining
        };
        Some(index)
    }

    fn complete(&mut self) {
        let round = self.counted.drain(..).enumerate();
        self.leaving = round.map(|(index, party)| (party, Some(index))).collect();
    }

    fn is_woken(&self, party: usize) -> bool {
        self.leaving.iter().any(|&(leaver, _)| leaver == party)
    }

    /// A party has come for its turn, or gone; what was in store for it if it was woken.
    fn go(&mut self, party: usize) -> Option<Option<usize>> {
        self.counted.retain(|&other| other != party);
        self.blocked.retain(|&other| other != party);
        let place = (self.leaving.iter()).position(|&(leaver, _)| leaver == party)?;
        let (_, turn) = self.leaving.remove(place);
        if self.leaving.is_empty() && self.state != BarrierState::Broken {
            self.state = BarrierState::Filling;
            let count = self.blocked.len().min(self.parties);
            self.counted = self.blocked.drain(..count).collect();
            if self.counted.len() == self.parties {
                self.complete();
                self.state = BarrierState::Draining;
            }
        }
        Some(turn)
    }

    fn break_counted(&mut self) {
        let broken = self.counted.drain(..).map(|party| (party, None));
        self.leaving.extend(broken);
    }

    fn reset(&mut self) {
        if self.state == BarrierState::Filling && !self.counted.is_empty() {
            self.break_counted();
            self.state = BarrierState::Resetting;
        } else if self.state == BarrierState::Broken {
            self.state = if self.leaving.is_empty() {
                BarrierState::Filling
            } else {
                BarrierState::Resetting
            };
        }
    }

    fn abort(&mut self) {
        self.break_counted();
        self.counted.append(&mut self.blocked);
        self.break_counted();
        self.state = BarrierState::Broken;
    }
}

/// What happens in one step; `false` is the oldest party, `true` the youngest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Come,
    Reset,
    Abort,
    Poll(bool),
    Cancel(bool),
    Drop(bool),
}

const STEPS: [Step; 9] = [
    Step::Come,
    Step::Reset,
    Step::Abort,
    Step::Poll(false),
    Step::Poll(true),
    Step::Cancel(false),
    Step::Cancel(true),
    Step::Drop(false),
    Step::Drop(true),
];

/// All that can happen in some steps: each sequence of them, compared with the model after each.
#[test]
fn it_does_what_the_model_does() {
    for (parties, length) in [(1, 4), (2, 6), (3, 5)] {
        for case in 0..STEPS.len().pow(length) {
            let steps: Vec<_> = (0..length)
                .map(|digit| STEPS[case / STEPS.len().pow(digit) % STEPS.len()])
                .collect();
            follow(parties, &steps);
        }
    }
}

fn follow(parties: usize, steps: &[Step]) {
    let barrier = Barrier::new(parties);
    let mut model = Model::new(parties);
    let mut tasks: Vec<(usize, Task<'_, Turn>)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Come => {
                let mut task = Task::new(barrier.wait());
                match (task.poll(), model.come(number)) {
                    (Poll::Ready(turn), Some(expected)) => {
                        assert_eq!(turn.ok().map(BarrierTurn::index), expected, "{steps:?}");
                    }
                    (Poll::Pending, None) => tasks.push((number, task)),
                    other => panic!("{other:?} in {steps:?}"),
                }
            }
            Step::Reset => {
                barrier.reset();
                model.reset();
            }
            Step::Abort => {
                barrier.abort();
                model.abort();
            }
            Step::Poll(of_last) | Step::Cancel(of_last) | Step::Drop(of_last) => {
                let place = if of_last {
                    tasks.len().wrapping_sub(1)
                } else {
                    0
                };
                let Some((party, task)) = tasks.get_mut(place) else {
                    return; // A shorter sequence has shown this.
                };
                let (party, is_woken) = (*party, model.is_woken(*party));
                assert_eq!(task.is_woken(), is_woken, "{steps:?}");
                if matches!(step, Step::Drop(_)) {
                    tasks.remove(place);
                    model.go(party);
                } else if is_woken || matches!(step, Step::Cancel(_)) {
                    if !matches!(step, Step::Poll(_)) {
                        task.cancel();
                    }
                    let turn = task.ends();
                    let expected = match model.go(party) {
                        Some(turn) => turn.ok_or(BarrierError::Broken),
                        None => Err(BarrierError::Cancelled(Cancelled)),
                    };
                    assert_eq!(turn.map(BarrierTurn::index), expected, "{steps:?}");
                    tasks.remove(place);
                } else {
                    return;
                }
            }
        }
        let statistics = barrier.statistics();
        assert_eq!(statistics.state, model.state, "{steps:?}");
        assert_eq!(statistics.leaving, model.leaving.len(), "{steps:?}");
        let waiting = model.counted.len() + model.blocked.len();
        assert_eq!(statistics.waiting, waiting, "{steps:?}");
        let woken = tasks.iter().filter(|(_, task)| task.is_woken());
        let woken: BTreeSet<_> = woken.map(|(party, _)| *party).collect();
        let expected: BTreeSet<_> = model.leaving.iter().map(|(party, _)| *party).collect();
        assert_eq!(woken, expected, "{steps:?}");
    }
}

/// Whatever is done to a waker may send the others away, or come itself; the round is complete
/// before the first waker runs.
#[test]
fn a_waker_may_use_its_barrier() {
    type Use = fn(&Barrier);
    let uses: [Use; 3] = [Barrier::reset, Barrier::abort, |barrier| {
        drop(Task::new(barrier.wait()).poll());
    }];
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        for (number, use_it) in uses.into_iter().enumerate() {
            let case = format!("{act:?} {number}");
            let barrier = Rc::new(Barrier::new(3));
            let mut before = waiting(&barrier);
            let mut hooked = pin!(barrier.wait());
            let hook = {
                let barrier = Rc::clone(&barrier);
                move || use_it(&barrier)
            };
            with_hook(act, hook, |cx| {
                let is_ready = hooked.as_mut().poll(cx).is_ready();
                let mut last = Task::new(barrier.wait());
                if last.poll().is_ready() {
                    assert!(before.is_woken(), "{case}");
                    assert!(is_ready || hooked.as_mut().poll(cx).is_ready(), "{case}");
                }
            });
            drop(before.poll());
            barrier.reset();
            drop(before);
            let statistics = barrier.statistics();
            assert!(statistics.waiting < 3, "{case}: {statistics:?}");
        }
    }
}

/// The waker of one drops the other, which is a part of the round all the same.
#[test]
fn a_waker_may_drop_another_of_its_round() {
    for breaks in [false, true] {
        let barrier = Rc::new(Barrier::new(3));
        let mut hooked = pin!(barrier.wait());
        let other = Rc::new(RefCell::new(None));
        let drops = {
            let other = Rc::clone(&other);
            move || drop(other.take())
        };
        let turn = with_hook(Act::Wake, drops, |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending());
            let owner = Rc::clone(&barrier);
            let mut task = Task::new(async move { owner.wait().await });
            task.waits();
            other.replace(Some(task));
            if breaks {
                barrier.reset();
            } else {
                assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 2);
            }
            assert!(other.take().is_none());
            hooked.as_mut().poll(cx)
        });
        let turn = match turn {
            Poll::Ready(turn) => turn.ok().map(BarrierTurn::index),
            Poll::Pending => panic!("it was woken"),
        };
        assert_eq!(turn, (!breaks).then_some(0));
        assert_eq!(barrier.statistics(), Barrier::new(3).statistics());
    }
}

/// Nobody steps in for one of a round that has gone: the next one waits for another.
#[test]
fn a_round_is_complete_before_its_first_waker_runs() {
    let barrier = Rc::new(Barrier::new(2));
    let mut leaves = waiting(&barrier);
    index(Task::new(barrier.wait()).ends_at_once());
    let mut hooked = pin!(barrier.wait());
    let other = Rc::new(RefCell::new(None));
    let drops = {
        let other = Rc::clone(&other);
        move || drop(other.take())
    };
    with_hook(Act::Wake, drops, |cx| {
        assert!(hooked.as_mut().poll(cx).is_pending());
        let owner = Rc::clone(&barrier);
        let mut task = Task::new(async move { owner.wait().await });
        task.waits();
        other.replace(Some(task));
        let mut next = waiting(&barrier);
        leaves.ends().unwrap();
        assert!(other.take().is_none() && !next.is_woken());
        assert!(hooked.as_mut().poll(cx).is_ready());
        assert_eq!(index(Task::new(barrier.wait()).ends_at_once()), 1);
        assert_eq!(index(next.ends()), 0);
    });
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_waking() {
    let barrier = Barrier::new(3);
    let mut hooked = pin!(barrier.wait());
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending());
            let mut other = waiting(&barrier);
            let last = AssertUnwindSafe(|| Task::new(barrier.wait()).poll());
            assert!(catch_unwind(last).is_err());
            assert_eq!(index(other.ends()), 1);
            assert!(hooked.as_mut().poll(cx).is_ready());
        },
    );
    assert_eq!(barrier.statistics(), Barrier::new(3).statistics());
}

#[test]
fn errors_say_what_to_do() {
    let text = "the barrier was broken: reset it, and come again";
    assert_eq!(BarrierError::<Infallible>::Broken.to_string(), text);
    let error = BarrierError::from(Cancelled);
    assert_eq!(error.to_string(), "cancelled");
    assert!(error.source().is_some_and(<dyn Error>::is::<Cancelled>));
    let error = io::Error::from(BarrierError::<Infallible>::Broken);
    assert_eq!(error.to_string(), text);
}

#[test]
fn it_says_how_things_stand() {
    let barrier = Barrier::new(2);
    let _party = waiting(&barrier);
    assert_eq!(
        format!("{barrier:?}"),
        "Barrier { state: Filling, parties: 2, waiting: 1, leaving: 0 }"
    );
}
