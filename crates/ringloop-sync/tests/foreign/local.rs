//! The types of one thread: between tasks that stay where they are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ringloop_sync::{
    Barrier, Condvar, Mutex, OnceCell, Queue, RwLock, Semaphore, broadcast, channel, watch,
};

use crate::give_way;
use crate::host::{LocalHost, SmolLocal, TokioLocal};

/// Makes one test of each body for each runtime.
macro_rules! under_each {
    ($($name:ident)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn tokio() {
                    super::bodies::$name(Rc::new(TokioLocal::new()));
                }

                #[test]
                fn smol() {
                    super::bodies::$name(Rc::new(SmolLocal::default()));
                }
            }
        )*
    };
}

under_each! {
    locks_exclude_and_are_handed_over
    a_queue_is_worked_off_and_closed
    a_channel_ends_with_its_senders
    everybody_sees_what_is_broadcast_and_the_latest_of_a_watch
    who_meets_at_a_barrier_sees_one_value
    a_condition_is_waited_for
    cancelled_waiters_strand_nothing
}

mod bodies {
    use super::*;

    type Runtime = Rc<dyn LocalHost>;

    pub(super) fn locks_exclude_and_are_handed_over(host: Runtime) {
        let shared = Rc::new((Mutex::new(0), RwLock::new(0), Semaphore::bounded(1)));
        let inside = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (shared, inside) = (Rc::clone(&shared), Rc::clone(&inside));
                host.spawn(Box::pin(async move {
                    let (mutex, lock, semaphore) = &*shared;
                    for _ in 0..20 {
                        let mut total = mutex.lock().await;
                        let before = *total;
                        give_way().await;
                        *total = before + 1;
                        drop(total);
                        assert!(*lock.read().await <= 100);
                        *lock.write().await += 1;
                        let _permit = semaphore.acquire().await;
                        assert_eq!(inside.replace(1), 0);
                        give_way().await;
                        inside.set(0);
                    }
                }))
            })
            .collect();
        host.block_on(Box::pin(async move {
            for task in tasks {
                task.join().await;
            }
            assert_eq!(*shared.0.lock().await, 100);
            assert_eq!(*shared.1.read().await, 100);
        }));
    }

    pub(super) fn a_queue_is_worked_off_and_closed(host: Runtime) {
        for capacity in [0, 1, 8] {
            let queue = Rc::new(Queue::bounded(capacity));
            let sum = Rc::new(Cell::new(0));
            let workers = [(); 3].map(|()| {
                let (queue, sum) = (Rc::clone(&queue), Rc::clone(&sum));
                host.spawn(Box::pin(async move {
                    while let Ok(job) = queue.get_job().await {
                        give_way().await;
                        sum.set(sum.get() + *job);
                    }
                }))
            });
            host.block_on(Box::pin(async move {
                for number in 1..=100 {
                    queue.put(number).await.unwrap();
                }
                queue.join().await;
                assert_eq!(sum.get(), 5050);
                queue.close();
                for worker in workers {
                    worker.join().await;
                }
            }));
        }
    }

    pub(super) fn a_channel_ends_with_its_senders(host: Runtime) {
        for capacity in [0, 1, 8] {
            let (sender, receiver) = channel(capacity);
            let senders = [0, 10, 20].map(|from| {
                let sender = sender.clone();
                host.spawn(Box::pin(async move {
                    for item in from..from + 10 {
                        sender.send(item).await.unwrap();
                    }
                }))
            });
            drop(sender);
            host.block_on(Box::pin(async move {
                let mut items = Vec::new();
                while let Some(item) = receiver.next().await {
                    items.push(item);
                }
                items.sort_unstable();
                assert!(items.into_iter().eq(0..30));
                for sender in senders {
                    sender.join().await;
                }
            }));
        }
    }

    pub(super) fn everybody_sees_what_is_broadcast_and_the_latest_of_a_watch(host: Runtime) {
        let (news, reader) = broadcast::channel(16);
        let (level, seen) = watch::channel(0);
        let readers = [(); 3].map(|()| {
            let (mut reader, mut seen) = (reader.clone(), seen.clone());
            host.spawn(Box::pin(async move {
                for line in ["first", "second"] {
                    assert_eq!(reader.recv().await.unwrap(), line);
                }
                assert!(reader.recv().await.is_err());
                assert_eq!(*seen.wait_for(|&level| level > 5).await.unwrap(), 7);
            }))
        });
        drop((reader, seen));
        host.block_on(Box::pin(async move {
            news.send("first").unwrap();
            give_way().await;
            news.send("second").unwrap();
            drop(news);
            for new in [3, 7] {
                give_way().await;
                level.send(new).unwrap();
            }
            for reader in readers {
                reader.join().await;
            }
        }));
    }

    pub(super) fn who_meets_at_a_barrier_sees_one_value(host: Runtime) {
        let shared = Rc::new((Barrier::new(3), OnceCell::new()));
        let made = Rc::new(Cell::new(0));
        let parties = [(); 3].map(|()| {
            let (shared, made) = (Rc::clone(&shared), Rc::clone(&made));
            host.spawn(Box::pin(async move {
                let (barrier, cell) = &*shared;
                for _ in 0..3 {
                    barrier.wait().await.unwrap();
                    let value = cell.get_or_init(async || {
                        give_way().await;
                        made.set(made.get() + 1);
                        42
                    });
                    assert_eq!(*value.await, 42);
                }
            }))
        });
        host.block_on(Box::pin(async move {
            for party in parties {
                party.join().await;
            }
            assert_eq!(made.get(), 1);
        }));
    }

    pub(super) fn a_condition_is_waited_for(host: Runtime) {
        let jobs = Rc::new((Mutex::new(Vec::new()), Condvar::new()));
        let worker = host.spawn(Box::pin({
            let jobs = Rc::clone(&jobs);
            async move {
                let (list, changed) = &*jobs;
                for expected in 0..5 {
                    let list = list.lock().await;
                    let (mut list, ()) = changed.wait_while(list, |list| list.is_empty()).await;
                    assert_eq!(list.pop(), Some(expected));
                }
            }
        }));
        host.block_on(Box::pin(async move {
            let (list, changed) = &*jobs;
            for job in 0..5 {
                while !list.lock().await.is_empty() {
                    give_way().await;
                }
                list.lock().await.push(job);
                changed.notify_one();
            }
            worker.join().await;
        }));
    }

    pub(super) fn cancelled_waiters_strand_nothing(host: Runtime) {
        let queue = Rc::new(Queue::unbounded());
        let mutex = Rc::new(Mutex::new(()));
        let got = Rc::new(RefCell::new(Vec::new()));
        let getter = |name| {
            let (queue, mutex, got) = (Rc::clone(&queue), Rc::clone(&mutex), Rc::clone(&got));
            host.spawn(Box::pin(async move {
                let item: u32 = queue.get().await.unwrap();
                let _locked = mutex.lock().await;
                got.borrow_mut().push((name, item));
            }))
        };
        let [first, second, third] = ["first", "second", "third"].map(getter);
        host.block_on(Box::pin(async move {
            let locked = mutex.lock().await;
            give_way().await;
            // Theirs before they run; and the first goes without it.
            queue.put(1).await.unwrap();
            queue.put(2).await.unwrap();
            first.cancel().await;
            // The second waits for the lock, has it, and goes before it runs.
            give_way().await;
            drop(locked);
            second.cancel().await;
            queue.put(3).await.unwrap();
            third.join().await;
            assert!(mutex.try_lock().is_some());
        }));
        let got = got.borrow();
        assert_eq!(got.last().unwrap().0, "third", "{got:?}");
    }
}
