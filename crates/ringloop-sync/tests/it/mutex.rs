//! The mutex: order, hand-over, and what becomes of a lock whose new owner is gone.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::hosted;

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Mutex<T> = hosted::Mutex<T, TestHost>;

#[test]
fn lock_goes_to_those_who_wait_in_order() {
    let mutex = Mutex::new(0);
    let log = Log::default();
    let visit = |name| {
        let (mutex, log) = (&mutex, log.clone());
        Task::new(async move {
            *mutex.lock().await.unwrap() += 1;
            log.note(name);
        })
    };
    let held = mutex.try_lock().unwrap();
    let mut tasks = ["a", "b", "c"].map(visit);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(mutex.statistics().waiting, 3);
    drop(held);
    for task in &mut tasks {
        assert!(
            mutex.is_locked() && mutex.try_lock().is_none(),
            "it is handed over"
        );
        task.ends();
    }
    assert_eq!(log.take(), "a b c");
    assert!(!mutex.is_locked());
    assert_eq!(mutex.try_lock().as_deref(), Some(&3));
}

#[test]
fn lock_passes_by_who_is_cancelled_or_gone() {
    for is_cancelled in [true, false] {
        for is_given in [true, false] {
            let mutex = Mutex::new(());
            let mut held = mutex.try_lock();
            let mut first = Task::new(async { mutex.lock().await.map(drop) });
            let mut second = Task::new(async { mutex.lock().await.map(drop) });
            first.waits();
            second.waits();
            if is_given {
                held = None;
            }
            if is_cancelled {
                first.cancel();
                let expected = if is_given { Ok(()) } else { Err(Cancelled) };
                assert_eq!(first.ends(), expected, "the value wins");
            } else {
                first.abort();
            }
            drop(held);
            assert_eq!(second.ends(), Ok(()));
            assert!(!mutex.is_locked());
        }
    }
}

#[test]
fn a_cancelled_task_does_not_lock() {
    let mutex = Mutex::new(());
    let mut task = Task::new(async { mutex.lock().await.map(drop) });
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
}

/// Whatever is done to a waker may use the mutex.
#[test]
fn a_waker_may_use_its_mutex() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let mutex = Rc::new(Mutex::new(0));
        let owned = Rc::clone(&mutex);
        let mut holder = Task::new(async move {
            let _held = owned.lock().await;
            pending::<()>().await;
        });
        holder.waits();
        let holder = Rc::new(RefCell::new(Some(holder)));
        let uses = {
            let (mutex, holder) = (Rc::clone(&mutex), Rc::clone(&holder));
            move || {
                drop(holder.take());
                drop(mutex.try_lock());
            }
        };
        let mut hooked = pin!(mutex.lock());
        let mut after = Task::new(async { mutex.lock().await.map(drop) });
        with_hook(act, uses, |cx| {
            assert!(hooked.as_mut().poll(cx).is_pending(), "{act:?}");
            after.waits();
            drop(holder.take());
            assert!(hooked.as_mut().poll(cx).is_ready(), "{act:?}");
        });
        assert_eq!(after.ends(), Ok(()), "{act:?}");
        assert!(!mutex.is_locked());
    }
}
