//! Circles of tasks that wait for each other's locks: that each is reported once, with who and
//! where, and that nothing else is.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ringloop_sync::deadlock::{Deadlock, TaskLabel};
use ringloop_sync::{Host, MutexGuard, hosted};

use crate::support::{Cancelled, Task, TestHost};

/// The host of the tests, in debug mode.
enum DebugHost {}

thread_local! {
    static CURRENT: RefCell<Option<TaskLabel>> = const { RefCell::new(None) };
    static REPORTS: RefCell<Vec<Deadlock>> = const { RefCell::new(Vec::new()) };
}

impl Host for DebugHost {
    type Watch = ();
    type Cancelled = Cancelled;
    type Outcome<T> = Result<T, Cancelled>;

    fn watch(at: &'static Location<'static>) {
        TestHost::watch(at);
    }

    fn poll_begin(watch: &mut (), cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        TestHost::poll_begin(watch, cx)
    }

    fn poll_cancelled(watch: &mut (), cx: &mut Context<'_>) -> Result<(), Cancelled> {
        TestHost::poll_cancelled(watch, cx)
    }

    fn outcome<T>(result: Result<T, Cancelled>) -> Result<T, Cancelled> {
        result
    }

    fn task(_: Option<&Waker>) -> Option<TaskLabel> {
        CURRENT.with_borrow(Clone::clone)
    }

    fn report(deadlock: &Deadlock) {
        REPORTS.with_borrow_mut(|reports| reports.push(deadlock.clone()));
    }
}

type Mutex<T> = hosted::Mutex<T, DebugHost>;
type RwLock<T> = hosted::RwLock<T, DebugHost>;
type Condvar = hosted::Condvar<DebugHost>;
type Outcome = Result<(), Cancelled>;

fn label(id: u64) -> TaskLabel {
    TaskLabel::new(id, Some(&format!("t{id}")))
}

/// A task that the host knows.
fn task<'a, T>(id: u64, body: impl Future<Output = T> + 'a) -> Task<'a, T> {
    Task::new(async move {
        let mut body = pin!(body);
        poll_fn(|cx| as_task(id, || body.as_mut().poll(cx))).await
    })
}

/// Runs `code` as a part of a task.
fn as_task<R>(id: u64, code: impl FnOnce() -> R) -> R {
    CURRENT.set(Some(label(id)));
    let result = code();
    CURRENT.set(None);
    result
}

fn reports() -> Vec<Deadlock> {
    REPORTS.take()
}

/// Who waits, in the order of the circle.
fn tasks(deadlock: &Deadlock) -> Vec<u64> {
    let circle = deadlock.circle.iter();
    circle.map(|blocked| blocked.task.id()).collect()
}

async fn step() {
    let mut is_first = true;
    poll_fn(|_| {
        if mem::take(&mut is_first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Locks its own and then the next one's, with a step in between.
async fn lock_two(own: &Mutex<u32>, next: &Mutex<u32>) -> Outcome {
    let _own = own.lock().await?;
    step().await;
    let _next = next.lock().await?;
    Ok(())
}

/// As many tasks as there are locks, each of which has one and wants the next.
fn ring(locks: &[Mutex<u32>]) -> Vec<Task<'_, Outcome>> {
    let next = locks.iter().cycle().skip(1);
    let pairs = locks.iter().zip(next).zip(1..);
    pairs
        .map(|((own, next), id)| task(id, lock_two(own, next)))
        .collect()
}

#[test]
fn circles_of_every_length_are_reported_when_they_are_closed() {
    for count in 1..=5 {
        let locks: Vec<_> = (0..count).map(Mutex::new).collect();
        let mut ring = ring(&locks);
        ring.iter_mut().for_each(Task::waits);
        for (place, task) in ring.iter_mut().enumerate() {
            assert!(reports().is_empty(), "{place} of {count} wait");
            task.waits();
        }
        let [deadlock] = &reports()[..] else {
            panic!("one circle, one report");
        };
        // The last one has closed it, and comes first.
        let count = u64::from(count);
        let expected: Vec<_> = (count..=count).chain(1..count).collect();
        assert_eq!(tasks(deadlock), expected);
        assert_eq!(deadlock.is_recursion(), count == 1);
        let text = deadlock.to_string();
        for blocked in &deadlock.circle {
            assert_eq!(blocked.lock, "Mutex");
            assert_eq!(blocked.waits_at.line(), blocked.taken_at.line() + 2);
            for part in [
                blocked.waits_at.to_string(),
                blocked.taken_at.to_string(),
                blocked.task.to_string(),
            ] {
                assert!(text.contains(&part), "{part} is in {text}");
            }
        }
        // Nothing is reported twice, and one that gives up sets all others free.
        ring.iter_mut().for_each(Task::waits);
        ring[0].cancel();
        assert_eq!(ring[0].ends(), Err(Cancelled));
        for task in ring[1..].iter_mut().rev() {
            assert_eq!(task.ends(), Ok(()));
        }
        assert!(reports().is_empty());
    }
}

#[test]
fn who_waits_for_a_circle_is_not_part_of_it() {
    let locks: Vec<_> = (0..3).map(Mutex::new).collect();
    let mut ring = ring(&locks);
    ring.iter_mut().for_each(Task::waits);
    ring.iter_mut().for_each(Task::waits);
    assert_eq!(reports().len(), 1);
    let mut fourth = task(4, async { locks[0].lock().await.map(drop) });
    fourth.waits();
    assert!(reports().is_empty());
}

#[test]
fn chain_that_ends_is_no_circle() {
    let locks: Vec<_> = (0..4).map(Mutex::new).collect();
    let mut ring = ring(&locks);
    ring.iter_mut().for_each(Task::waits);
    // All but one.
    ring[..3].iter_mut().for_each(Task::waits);
    drop(ring.pop());
    for task in ring.iter_mut().rev() {
        assert_eq!(task.ends(), Ok(()));
    }
    assert!(reports().is_empty());
}

#[test]
fn wait_that_is_over_is_part_of_no_circle() {
    for is_cancelled in [true, false] {
        let (one, other) = (Mutex::new(0), Mutex::new(0));
        let held = as_task(1, || one.try_lock().unwrap());
        let mut first = task(1, async { other.lock().await.map(drop) });
        let mut second = task(2, async {
            let _own = other.lock().await?;
            step().await;
            one.lock().await.map(drop)
        });
        second.waits();
        first.waits();
        if is_cancelled {
            first.cancel();
            assert_eq!(first.ends(), Err(Cancelled));
        } else {
            first.abort();
        }
        second.waits();
        assert!(reports().is_empty(), "the first waits no more");
        // It waits again, for the same lock: now there is a circle.
        let mut first = task(1, async { other.lock().await.map(drop) });
        first.waits();
        assert_eq!(tasks(&reports()[0]), [1, 2]);
        drop(held);
        assert_eq!(second.ends(), Ok(()));
        assert_eq!(first.ends(), Ok(()));
    }
}

/// The ways to wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Lock,
    Read,
    Write,
    Condvar,
}

/// The locks of a test.
#[derive(Default)]
struct Locks {
    mutex: Mutex<u32>,
    rw_lock: RwLock<u32>,
    condvar: Condvar,
}

impl Locks {
    async fn wait(&self, way: Way) -> Outcome {
        match way {
            Way::Lock => self.mutex.lock().await.map(drop),
            Way::Read => self.rw_lock.read().await.map(drop),
            Way::Write => self.rw_lock.write().await.map(drop),
            Way::Condvar => {
                let guard = self.mutex.lock().await?;
                self.condvar.wait(guard).await.1
            }
        }
    }
}

#[test]
fn no_way_to_wait_and_no_end_of_it_leaves_anything_behind() {
    for way in [Way::Lock, Way::Read, Way::Write, Way::Condvar] {
        for end in ["given", "cancelled", "dropped"] {
            if (way, end) == (Way::Condvar, "cancelled") {
                continue; // It waits on.
            }
            let (locks, other) = (Locks::default(), Mutex::new(0));
            let mut first = task(1, locks.wait(way));
            if way == Way::Condvar {
                first.waits();
                locks.condvar.notify_one();
            }
            // The second task has all locks but one.
            let take = || (locks.mutex.try_lock(), locks.rw_lock.try_write());
            let mut held = Some(as_task(2, take));
            let kept = as_task(1, || other.try_lock());
            first.waits();
            match end {
                "given" => {
                    held = None;
                    assert_eq!(first.ends(), Ok(()));
                    held.replace(as_task(2, take));
                }
                "cancelled" => {
                    first.cancel();
                    assert_eq!(first.ends(), Err(Cancelled));
                }
                _ => first.abort(),
            }
            let mut second = task(2, async { other.lock().await.map(drop) });
            second.waits();
            assert!(reports().is_empty(), "{way:?} {end}");
            // If it still waited, there would be a circle.
            let mut first = task(1, locks.wait(way));
            first.waits();
            assert_eq!(tasks(&reports()[0]), [1, 2], "{way:?} {end}");
            drop((held, kept));
            assert_eq!(second.ends(), Ok(()));
        }
    }
}

#[test]
fn lock_on_its_way_to_a_task_is_nobodys() {
    let (one, other) = (Mutex::new(0), Mutex::new(0));
    let held = as_task(1, || one.try_lock());
    let kept = as_task(3, || other.try_lock());
    let mut second = task(2, async { one.lock().await.map(drop) });
    second.waits();
    drop(held); // The second has it, and does not know yet.
    let mut first = task(1, async { other.lock().await.map(drop) });
    let mut third = task(3, async { one.lock().await.map(drop) });
    first.waits();
    third.waits();
    assert!(reports().is_empty());
    drop(kept);
    assert_eq!((second.ends(), third.ends()), (Ok(()), Ok(())));
}

#[test]
fn lock_that_was_handed_over_belongs_to_who_has_it_now() {
    let (one, other) = (Mutex::new(0), Mutex::new(0));
    let mut second = task(2, async {
        let _one = one.lock().await?;
        step().await;
        other.lock().await.map(drop)
    });
    let held = as_task(1, || one.try_lock().unwrap());
    second.waits();
    drop(held);
    second.waits(); // It has the lock now.
    let held = as_task(1, || other.try_lock().unwrap());
    let mut first = task(1, async { one.lock().await.map(drop) });
    first.waits();
    assert!(reports().is_empty());
    second.waits();
    assert_eq!(tasks(&reports()[0]), [2, 1]);
    drop(held);
    assert_eq!((second.ends(), first.ends()), (Ok(()), Ok(())));
}

#[test]
fn lock_counts_as_that_of_the_task_that_took_it() {
    let (one, other) = (Mutex::new(0), Mutex::new(0));
    // The first task hands its guard to the second.
    let handed: RefCell<Option<MutexGuard<'_, u32>>> = RefCell::default();
    as_task(1, || handed.replace(one.try_lock()));
    let mut second = task(2, async {
        let one = handed.take();
        step().await;
        drop(one);
        other.lock().await.map(drop)
    });
    second.waits();
    let held = as_task(1, || other.try_lock().unwrap());
    let mut first = task(1, async { one.lock().await.map(drop) });
    first.waits();
    assert!(reports()[0].is_recursion());
    // Once it is given up, nothing is left of it.
    second.waits();
    assert_eq!(first.ends(), Ok(()));
    drop(held);
    assert_eq!(second.ends(), Ok(()));
    assert!(reports().is_empty());
}

#[test]
fn readers_and_writers_wait_for_each_other() {
    // Who has the lock, and who closes the circle, as a reader or a writer.
    for has_read in [true, false] {
        for wants_read in [true, false] {
            let (lock, mutex) = (RwLock::new(0), Mutex::new(0));
            let mut read = None;
            let mut written = None;
            as_task(1, || {
                if has_read {
                    read = lock.try_read();
                } else {
                    written = lock.try_write();
                }
            });
            // Another reader is no part of it, and a writer makes other readers wait.
            let bystander = as_task(7, || lock.try_read());
            let mut writer = task(8, async { lock.write().await.map(drop) });
            writer.waits();
            let mut second = task(2, async {
                let _own = mutex.lock().await?;
                step().await;
                if wants_read {
                    lock.read().await.map(drop)
                } else {
                    lock.write().await.map(drop)
                }
            });
            second.waits();
            let mut first = task(1, async { mutex.lock().await.map(drop) });
            first.waits();
            assert!(reports().is_empty());
            second.waits();
            let reports = reports();
            assert_eq!(reports.len(), 1);
            assert_eq!(tasks(&reports[0]), [2, 1]);
            let locks: Vec<_> = reports[0].circle.iter().map(|step| step.lock).collect();
            assert_eq!(locks, ["RwLock", "Mutex"]);
            drop((read, written, bystander));
            assert_eq!(writer.ends(), Ok(()));
            assert_eq!((second.ends(), first.ends()), (Ok(()), Ok(())));
        }
    }
}

#[test]
fn reader_that_reads_again_behind_a_writer_waits_for_itself() {
    let lock = RwLock::new(0);
    let mut reader = task(1, async {
        let one = lock.read().await?;
        let two = lock.read().await?; // Nobody is in between.
        drop(one);
        step().await;
        let _three = lock.read().await?;
        drop(two);
        Ok(())
    });
    let mut writer = task(2, async { lock.write().await.map(drop) });
    reader.waits();
    writer.waits();
    assert!(reports().is_empty());
    reader.waits();
    let reports = reports();
    assert!(reports[0].is_recursion());
    let step = &reports[0].circle[0];
    assert_eq!(step.waits_at.line(), step.taken_at.line() + 3, "the second");
    writer.abort();
    assert_eq!(reader.ends(), Ok::<(), Cancelled>(()));
}

#[test]
fn writer_that_becomes_a_reader_still_has_the_lock() {
    let lock = RwLock::new(0);
    let mut task = task(1, async {
        let value = lock.write().await?.downgrade();
        let again = lock.write().await;
        drop(value);
        again.map(drop)
    });
    task.waits();
    assert!(reports()[0].is_recursion());
    task.abort();
    assert_eq!(as_task(1, || lock.try_write().as_deref().copied()), Some(0));
    assert!(reports().is_empty());
}

#[test]
fn condition_variable_gives_up_and_takes_the_lock() {
    let (one, other, condvar) = (Mutex::new(0), Mutex::new(0), Condvar::new());
    let mut first = task(1, async {
        let _other = other.lock().await?;
        let guard = one.lock().await?;
        let (_guard, outcome) = condvar.wait(guard).await;
        outcome
    });
    first.waits();
    let mut second = task(2, async {
        let one = one.lock().await?;
        step().await;
        let _other = other.lock().await?;
        drop(one);
        Ok(())
    });
    second.waits();
    condvar.notify_one();
    first.waits();
    assert!(reports().is_empty());
    second.waits();
    assert_eq!(tasks(&reports()[0]), [2, 1]);
    first.abort();
    assert_eq!(second.ends(), Ok::<(), Cancelled>(()));
    let mut third = task(1, async { one.lock().await.map(drop) });
    assert_eq!(third.ends_at_once(), Ok(()));
    assert!(reports().is_empty());
}

#[test]
fn what_no_task_does_is_not_tracked() {
    let mutex = Mutex::new(0);
    let held = mutex.try_lock().unwrap();
    let mut lock = pin!(mutex.lock());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(lock.as_mut().poll(&mut cx).is_pending());
    drop(held);
    assert!(lock.as_mut().poll(&mut cx).is_ready());
    assert!(reports().is_empty());
}

#[test]
fn lock_that_was_given_up_is_nobodys() {
    let (mutex, rw_lock) = (Mutex::new(0), RwLock::new(0));
    // Nobody waits for them.
    as_task(1, || drop((mutex.try_lock(), rw_lock.try_read())));
    let held = (mutex.try_lock(), rw_lock.try_write());
    let mut lock = task(1, async { mutex.lock().await.map(drop) });
    let mut read = task(1, async { rw_lock.read().await.map(drop) });
    lock.waits();
    read.waits();
    assert!(reports().is_empty(), "no task has them");
    drop(held);
    assert_eq!((lock.ends(), read.ends()), (Ok(()), Ok(())));
}

#[test]
fn forgotten_guard_is_not_taken_for_one_of_another_lock() {
    let mut mutex = Mutex::new(0);
    let _forgotten = as_task(1, || mutex.try_lock().map(ManuallyDrop::new));
    mutex = Mutex::new(0); // In the same place.
    let held = as_task(2, || mutex.try_lock().unwrap());
    let mut first = task(1, async { mutex.lock().await.map(drop) });
    first.waits();
    assert!(reports().is_empty());
    drop(held);
    assert_eq!(first.ends(), Ok(()));
}

/// Two readers go one after the other; nobody waits meanwhile.
#[test]
fn lock_that_the_last_reader_gave_up_is_nobodys() {
    let lock = RwLock::new(0);
    let readers = [1, 2].map(|id| as_task(id, || lock.try_read().unwrap()));
    drop(readers);
    // A reader whom nobody knows, which takes no notice of what was there.
    let held = lock.try_read().unwrap();
    for id in [1, 2] {
        let mut write = task(id, async { lock.write().await.map(drop) });
        write.waits();
        assert!(reports().is_empty(), "task {id} has it no more");
    }
    drop(held);
}
