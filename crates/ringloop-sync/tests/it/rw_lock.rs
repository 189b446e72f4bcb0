//! The lock for readers and writers: who comes in with whom, and what becomes of the line when
//! somebody leaves it.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::{RwLockStatistics, hosted};

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type RwLock<T> = hosted::RwLock<T, TestHost>;

/// A task that locks, notes its name and holds on to the lock until it is let go.
fn visit<'a>(lock: &'a RwLock<u32>, log: &Log, name: char, gate: &Gate) -> Task<'a, Outcome> {
    let (log, gate) = (log.clone(), gate.clone());
    Task::new(async move {
        if name.is_uppercase() {
            let mut value = lock.write().await?;
            *value += 1;
            log.note(name);
            gate.wait().await;
            drop(value);
        } else {
            let value = lock.read().await?;
            log.note(name);
            gate.wait().await;
            drop(value);
        }
        Ok(())
    })
}

type Outcome = Result<(), Cancelled>;

/// Keeps tasks in their place until they are polled with the gate open.
#[derive(Clone, Default)]
struct Gate(Rc<RefCell<bool>>);

impl Gate {
    fn open(&self) {
        *self.0.borrow_mut() = true;
    }

    async fn wait(&self) {
        std::future::poll_fn(|_| {
            if *self.0.borrow() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }
}

fn standing(lock: &RwLock<u32>) -> (usize, bool, usize) {
    let RwLockStatistics {
        readers,
        is_write_locked,
        waiting,
        ..
    } = lock.statistics();
    (readers, is_write_locked, waiting)
}

/// Each line of up to five readers (small) and writers (capital): who is in at once, group by group.
#[test]
fn neighbors_that_read_come_in_together_and_nobody_overtakes() {
    for pattern in 0..32_u32 {
        let names: String = (0..5)
            .map(|place| {
                let name = char::from_digit(10 + place, 36).unwrap();
                if pattern & (1 << place) == 0 {
                    name
                } else {
                    name.to_ascii_uppercase()
                }
            })
            .collect();
        let mut groups: Vec<String> = Vec::new();
        for name in names.chars() {
            match groups.last_mut() {
                Some(group) if group.ends_with(char::is_lowercase) && name.is_lowercase() => {
                    group.push(name);
                }
                _ => groups.push(name.into()),
            }
        }

        let lock = RwLock::new(0);
        let log = Log::default();
        let held = lock.try_write().unwrap();
        let gates: Vec<Gate> = groups.iter().map(|_| Gate::default()).collect();
        let gate_of = |name: char| {
            let group = groups.iter().position(|group| group.contains(name));
            &gates[group.unwrap()]
        };
        let mut tasks: Vec<_> = names
            .chars()
            .map(|name| visit(&lock, &log, name, gate_of(name)))
            .collect();
        tasks.iter_mut().for_each(Task::waits);
        assert_eq!(standing(&lock), (0, true, 5));
        drop(held);

        let mut tasks = tasks.into_iter();
        let mut waiting = 5;
        for (group, gate) in groups.iter().zip(&gates) {
            let mut inside: Vec<_> = tasks.by_ref().take(group.len()).collect();
            waiting -= group.len();
            let is_writer = group.ends_with(char::is_uppercase);
            let readers = if is_writer { 0 } else { group.len() };
            assert_eq!(standing(&lock), (readers, is_writer, waiting), "{names}");
            let is_closed = is_writer || waiting > 0;
            assert_eq!(lock.try_read().is_none(), is_closed, "{names}");
            assert!(lock.try_write().is_none(), "{names}");
            for task in &mut inside {
                assert!(task.is_woken(), "{names}");
                task.waits();
            }
            let seen: String = log.take().split(' ').collect();
            assert_eq!(&seen, group, "{names}");
            gate.open();
            for task in &mut inside {
                assert_eq!(task.ends_at_once(), Ok(()));
            }
        }
        assert_eq!(standing(&lock), (0, false, 0));
    }
}

#[test]
fn lock_passes_by_who_is_cancelled_or_gone() {
    for pattern in 0..8 {
        for is_cancelled in [true, false] {
            for is_given in [true, false] {
                passes_by(pattern, is_cancelled, is_given);
            }
        }
    }
}

/// Three wait, readers or writers as `pattern` says; the first one leaves.
fn passes_by(pattern: u32, is_cancelled: bool, is_given: bool) {
    let name = |place: u32| match pattern & (1 << place) {
        0 => 'r',
        _ => 'W',
    };
    let lock = RwLock::new(0);
    let log = Log::default();
    let open = Gate::default();
    open.open();
    let mut held = lock.try_write();
    let mut tasks = [0, 1, 2].map(|place| visit(&lock, &log, name(place), &open));
    tasks.iter_mut().for_each(Task::waits);
    if is_given {
        held = None;
    }
    if is_cancelled {
        tasks[0].cancel();
        let expected = if is_given { Ok(()) } else { Err(Cancelled) };
        assert_eq!(tasks[0].ends(), expected, "the value wins");
    } else {
        tasks[0].abort();
    }
    drop(held);
    for task in &mut tasks[1..] {
        assert_eq!(task.ends(), Ok(()), "{pattern}");
    }
    assert_eq!(standing(&lock), (0, false, 0));
}

#[test]
fn writer_that_gives_up_keeps_readers_out_no_more() {
    for is_cancelled in [true, false] {
        let lock = RwLock::new(0);
        let log = Log::default();
        let gate = Gate::default();
        let held = lock.try_read().unwrap();
        let mut writer = visit(&lock, &log, 'W', &gate);
        let mut readers = ['a', 'b'].map(|name| visit(&lock, &log, name, &gate));
        let mut last = visit(&lock, &log, 'V', &gate);
        writer.waits();
        readers.iter_mut().for_each(Task::waits);
        last.waits();
        if is_cancelled {
            writer.cancel();
            assert_eq!(writer.ends(), Err(Cancelled));
        } else {
            writer.abort();
        }
        assert_eq!(standing(&lock), (3, false, 1));
        assert!(readers.iter().all(Task::is_woken) && !last.is_woken());
        drop((readers, held));
        assert!(last.is_woken());
    }
}

#[test]
fn writer_that_becomes_a_reader_lets_in_the_readers_that_are_next() {
    let lock = RwLock::new(0);
    let log = Log::default();
    let gate = Gate::default();
    let mut held = lock.try_write().unwrap();
    let mut tasks = ['a', 'b', 'W', 'c'].map(|name| visit(&lock, &log, name, &gate));
    tasks.iter_mut().for_each(Task::waits);
    *held = 7;
    let held = held.downgrade();
    assert_eq!(*held, 7);
    assert_eq!(standing(&lock), (3, false, 2));
    tasks[..2].iter_mut().for_each(Task::waits);
    assert_eq!(log.take(), "a b");
    assert!(tasks[2..].iter().all(|task| !task.is_woken()));
    drop(held);
    gate.open();
    for task in &mut tasks {
        assert_eq!(task.ends_at_once(), Ok(()));
    }
    assert_eq!(log.take(), "W c");
    assert_eq!(lock.try_read().as_deref(), Some(&8));
}

#[test]
fn a_cancelled_task_does_not_lock() {
    for name in ['r', 'W'] {
        let lock = RwLock::new(0);
        let log = Log::default();
        let mut task = visit(&lock, &log, name, &Gate::default());
        task.cancel();
        assert_eq!(task.ends(), Err(Cancelled));
        assert_eq!(standing(&lock), (0, false, 0));
    }
}

#[test]
fn state_can_be_printed() {
    let lock = RwLock::new(5);
    let text = format!("{lock:?}");
    assert!(
        text.contains("value: 5") && text.contains("readers: 0"),
        "{text}"
    );
    let guard = lock.try_write().unwrap();
    let text = format!("{lock:?} {guard:?}");
    assert!(
        text.contains("<locked>") && text.contains("rw_lock.rs"),
        "{text}"
    );
}

/// Whatever is done to a waker may use the lock.
#[test]
fn a_waker_may_use_its_lock() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let lock = Rc::new(RwLock::new(0));
        let owned = Rc::clone(&lock);
        let mut holder = Task::new(async move {
            let _held = owned.write().await;
            pending::<()>().await;
        });
        holder.waits();
        let holder = Rc::new(RefCell::new(Some(holder)));
        let uses = {
            let (lock, holder) = (Rc::clone(&lock), Rc::clone(&holder));
            move || {
                drop(holder.take());
                drop((lock.try_read(), lock.try_write()));
            }
        };
        let mut hooked = pin!(lock.read());
        let mut after = Task::new(async { lock.write().await.map(drop) });
        with_hook(act, uses, |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending(), "{act:?}");
            after.waits();
            drop(holder.take());
            assert!(hooked.as_mut().poll(cx).is_ready(), "{act:?}");
        });
        assert_eq!(after.ends(), Ok(()), "{act:?}");
        assert_eq!(standing(&lock), (0, false, 0));
    }
}

#[test]
fn a_waker_that_panics_keeps_no_reader_out() {
    let lock = RwLock::new(0);
    let held = lock.try_write();
    let mut hooked = pin!(lock.read());
    let mut after = Task::new(async { lock.read().await.map(drop) });
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending());
            after.waits();
            assert!(catch_unwind(AssertUnwindSafe(|| drop(held))).is_err());
        },
    );
    assert_eq!(after.ends(), Ok(()));
}
