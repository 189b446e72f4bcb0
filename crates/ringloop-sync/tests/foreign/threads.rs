//! The shared types: between tasks that may move, and plain threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use ringloop_sync::shared::{Event, Mutex, Semaphore, channel};

use crate::give_way;
use crate::host::{Host, Smol, Tokio};

/// Makes one test of each body for each runtime.
macro_rules! under_each {
    ($($name:ident)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn tokio_one() {
                    super::bodies::$name(&Tokio::one());
                }

                #[test]
                fn tokio_two() {
                    super::bodies::$name(&Tokio::two());
                }

                #[test]
                fn smol() {
                    super::bodies::$name(&Smol::default());
                }
            }
        )*
    };
}

under_each! {
    a_lock_excludes_tasks_and_threads
    no_more_tasks_are_in_than_there_are_permits
    items_arrive_once_and_in_the_order_of_their_sender
    an_event_wakes_all_tasks_and_threads
    a_cancelled_waiter_passes_the_lock_on
    no_item_is_lost_with_receivers_that_are_cancelled
}

mod bodies {
    use super::*;

    pub(super) fn a_lock_excludes_tasks_and_threads(host: &dyn Host) {
        const TIMES: usize = 200;
        let total = Arc::new(Mutex::new(0));
        let thread = thread::spawn({
            let total = Arc::clone(&total);
            move || {
                for _ in 0..TIMES {
                    let mut total = total.blocking_lock();
                    let before = *total;
                    thread::yield_now();
                    *total = before + 1;
                }
            }
        });
        let task = || {
            let total = Arc::clone(&total);
            host.spawn(Box::pin(async move {
                for _ in 0..TIMES {
                    let mut total = total.lock().await;
                    let before = *total;
                    give_way().await;
                    *total = before + 1;
                }
            }))
        };
        host.join((0..4).map(|_| task()).collect());
        thread.join().unwrap();
        assert_eq!(*total.blocking_lock(), 5 * TIMES);
    }

    pub(super) fn no_more_tasks_are_in_than_there_are_permits(host: &dyn Host) {
        let permits = Arc::new(Semaphore::new(2));
        let inside = Arc::new(AtomicUsize::new(0));
        let task = |wanted| {
            let (permits, inside) = (Arc::clone(&permits), Arc::clone(&inside));
            host.spawn(Box::pin(async move {
                for _ in 0..50 {
                    let _permit = permits.acquire_many(wanted).await;
                    assert!(inside.fetch_add(wanted, Ordering::Relaxed) + wanted <= 2);
                    give_way().await;
                    inside.fetch_sub(wanted, Ordering::Relaxed);
                }
            }))
        };
        host.join((0..9).map(|number| task(1 + number % 2)).collect());
        assert_eq!(permits.available(), 2);
    }

    pub(super) fn items_arrive_once_and_in_the_order_of_their_sender(host: &dyn Host) {
        const ITEMS: usize = 100;
        for capacity in [0, 1, 8] {
            let (sender, receiver) = channel(capacity);
            let (results, result) = mpsc::channel();
            let thread = thread::spawn({
                let sender = sender.clone();
                move || (0..ITEMS).for_each(|item| sender.blocking_send((0, item)).unwrap())
            });
            let mut tasks = Vec::new();
            for name in 1..4 {
                let sender = sender.clone();
                tasks.push(host.spawn(Box::pin(async move {
                    for item in 0..ITEMS {
                        sender.send((name, item)).await.unwrap();
                    }
                })));
            }
            drop(sender);
            for _ in 0..3 {
                let (receiver, results) = (receiver.clone(), results.clone());
                tasks.push(host.spawn(Box::pin(async move {
                    let (mut next, mut count) = ([0; 4], 0);
                    while let Ok((name, item)) = receiver.recv().await {
                        assert!(item >= next[name], "behind one that was sent later");
                        next[name] = item + 1;
                        count += 1;
                    }
                    results.send(count).unwrap();
                })));
            }
            drop(results);
            host.join(tasks);
            thread.join().unwrap();
            assert_eq!(result.iter().sum::<usize>(), 4 * ITEMS);
        }
    }

    pub(super) fn an_event_wakes_all_tasks_and_threads(host: &dyn Host) {
        let event = Arc::new(Event::new());
        let (ready, is_ready) = channel(0);
        let threads = [(); 2].map(|()| {
            let (event, ready) = (Arc::clone(&event), ready.clone());
            thread::spawn(move || {
                ready.blocking_send(()).unwrap();
                event.blocking_wait();
            })
        });
        let mut tasks: Vec<_> = (0..5)
            .map(|_| {
                let (event, ready) = (Arc::clone(&event), ready.clone());
                host.spawn(Box::pin(async move {
                    ready.send(()).await.unwrap();
                    event.wait().await;
                }))
            })
            .collect();
        tasks.push(host.spawn(Box::pin(async move {
            for _ in 0..7 {
                is_ready.recv().await.unwrap();
            }
            event.set();
        })));
        host.join(tasks);
        for thread in threads {
            thread.join().unwrap();
        }
    }

    pub(super) fn a_cancelled_waiter_passes_the_lock_on(host: &dyn Host) {
        // Cancelled before it has the lock, with it, or in between: who comes next has it then.
        for round in 0..50 {
            let mutex = Arc::new(Mutex::new(0));
            let held = mutex.try_lock().unwrap();
            let waiter = |count| {
                let mutex = Arc::clone(&mutex);
                host.spawn(Box::pin(async move { *mutex.lock().await += count }))
            };
            let (cancelled, last) = (waiter(10), waiter(1));
            host.block_on(Box::pin(give_way()));
            let thread = thread::spawn({
                let mutex = Arc::clone(&mutex);
                move || *mutex.blocking_lock() += 1
            });
            if round % 2 == 0 {
                drop(held);
                host.block_on(Box::pin(cancelled.cancel()));
            } else {
                host.block_on(Box::pin(cancelled.cancel()));
                drop(held);
            }
            host.join(vec![last]);
            thread.join().unwrap();
            let count = *mutex.blocking_lock();
            assert!(count == 2 || round % 2 == 0 && count == 12, "{count}");
        }
    }

    pub(super) fn no_item_is_lost_with_receivers_that_are_cancelled(host: &dyn Host) {
        const ITEMS: usize = 20;
        for capacity in [0, 1, ITEMS] {
            let (sender, receiver) = channel(capacity);
            let received = Arc::new(AtomicUsize::new(0));
            let mut receivers = Vec::new();
            for _ in 0..2 * ITEMS {
                let (receiver, received) = (receiver.clone(), Arc::clone(&received));
                receivers.push(host.spawn(Box::pin(async move {
                    if receiver.recv().await.is_ok() {
                        received.fetch_add(1, Ordering::Relaxed);
                    }
                })));
            }
            let sending = host.spawn(Box::pin(async move {
                for item in 0..ITEMS {
                    sender.send(item).await.unwrap();
                }
            }));
            host.block_on(Box::pin(async move {
                for (number, receiver) in receivers.into_iter().enumerate() {
                    if number % 2 == 0 {
                        receiver.cancel().await;
                    } else {
                        receiver.join().await;
                    }
                }
                sending.join().await;
            }));
            // As many were left as there are items, so each of these has come to somebody.
            assert_eq!(received.load(Ordering::Relaxed), ITEMS);
            assert!(receiver.is_empty());
        }
    }
}
