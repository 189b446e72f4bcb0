//! Wakers that do something when they are touched: they find the tree unlocked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::super::{CancelToken, Reason, Signal};

/// Asks the token, by way of its lock, when it is woken and when it is dropped.
struct Curious {
    token: CancelToken,
    asked: Arc<AtomicUsize>,
}

impl Curious {
    fn waker(token: &CancelToken, asked: &Arc<AtomicUsize>) -> Waker {
        Waker::from(Arc::new(Self {
            token: token.clone(),
            asked: Arc::clone(asked),
        }))
    }

    fn ask(&self) {
        drop(self.token.child());
        self.asked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        self.ask();
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        self.ask();
    }
}

fn poll(signal: &mut Signal, waker: &Waker) -> Poll<Reason> {
    pin!(signal).poll(&mut Context::from_waker(waker))
}

#[test]
fn no_waker_is_touched_under_the_lock() {
    let asked = Arc::default();
    let token = CancelToken::new();
    let mut exchanged = token.signal();
    assert!(poll(&mut exchanged, &Curious::waker(&token, &asked)).is_pending());
    assert!(poll(&mut exchanged, Waker::noop()).is_pending());
    assert_eq!(asked.load(Ordering::Relaxed), 1, "dropped by an exchange");
    let mut withdrawn = token.signal();
    assert!(poll(&mut withdrawn, &Curious::waker(&token, &asked)).is_pending());
    drop(withdrawn);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "dropped by a withdrawal");
    let mut woken = token.signal();
    assert!(poll(&mut woken, &Curious::waker(&token, &asked)).is_pending());
    token.cancel("enough");
    assert_eq!(asked.load(Ordering::Relaxed), 4, "woken and dropped");
    assert!(token.register(&Curious::waker(&token, &asked)).is_none());
    assert_eq!(asked.load(Ordering::Relaxed), 5, "dropped by a refusal");
    assert!(matches!(poll(&mut woken, Waker::noop()), Poll::Ready(_)));
}

/// A waker that writes its name down, and may panic.
struct Note {
    name: usize,
    panics: bool,
    log: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push(self.name);
        assert!(!self.panics, "waker {}", self.name);
    }
}

/// A tree of four tokens with two waiters each, in which any set of wakers panics.
#[test]
fn everybody_is_told_in_order_whatever_wakers_do() {
    for panicking in 0..1_usize << 8 {
        let log: Arc<Mutex<Vec<usize>>> = Arc::default();
        let root = CancelToken::new();
        let first = root.child();
        let below = first.child();
        let last = root.child();
        let tokens = [&root, &first, &below, &last];
        for name in 0..8 {
            let note = Note {
                name,
                panics: panicking & 1 << name != 0,
                log: Arc::clone(&log),
            };
            let key = tokens[name / 2].register(&Waker::from(Arc::new(note)));
            assert!(key.is_some());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| root.cancel("all")));
        assert_eq!(*log.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(tokens.iter().all(|token| token.is_cancelled()));
        let message = outcome
            .err()
            .map(|payload| *payload.downcast::<String>().unwrap());
        let first = (0..8).find(|name| panicking & 1 << name != 0);
        assert_eq!(message, first.map(|name| format!("waker {name}")));
    }
}
