//! The tree under loom: what is cancelled, made, waited for and dropped at the same moment.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ::loom::model::Builder;
use ::loom::thread;

use super::super::CancelToken;

/// A waker that counts, invisibly to loom, so that it adds no interleavings.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Loom counts the states of tokens, so a model also fails if one is leaked, and if the threads
/// block each other.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(3);
    }
    builder.check(body);
}

fn cancel_elsewhere(token: &CancelToken, reason: &'static str) -> thread::JoinHandle<bool> {
    let token = token.clone();
    thread::spawn(move || token.cancel(reason))
}

/// Either the wait sees the reason, or its last waker is woken.
#[test]
fn a_wait_sees_the_cancel_or_is_woken() {
    model(|| {
        let token = CancelToken::new();
        let other = cancel_elsewhere(&token, "enough");
        let (_, first_waker) = Count::new();
        let (last, last_waker) = Count::new();
        let mut signal = pin!(token.signal());
        let seen = [&first_waker, &last_waker, &last_waker]
            .into_iter()
            .any(|waker| {
                let mut cx = Context::from_waker(waker);
                matches!(signal.as_mut().poll(&mut cx), Poll::Ready(_))
            });
        assert!(other.join().unwrap());
        assert!(seen || last.get() == 1);
        let ready = signal.as_mut().poll(&mut Context::from_waker(&last_waker));
        assert!(ready.is_ready());
    });
}

/// A wait that goes leaves no waker behind, whether it was woken or not.
#[test]
fn a_wait_goes_while_the_token_is_cancelled() {
    model(|| {
        let token = CancelToken::new();
        let (count, waker) = Count::new();
        {
            let mut signal = pin!(token.signal());
            let ready = signal.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(ready.is_pending());
            let other = cancel_elsewhere(&token, "enough");
            // The end of the block withdraws the waker, with the other thread under way.
            drop(other);
        }
        drop(waker);
        let other = cancel_elsewhere(&token, "more than enough");
        other.join().unwrap();
        assert!(count.get() <= 1);
    });
}

/// A child that is made meanwhile is cancelled, at once or with its parent.
#[test]
fn a_child_is_made_while_the_parent_is_cancelled() {
    model(|| {
        let token = CancelToken::new();
        let other = cancel_elsewhere(&token, "enough");
        let child = token.child();
        let (count, waker) = Count::new();
        let is_waiting = child.register(&waker).is_some();
        assert!(other.join().unwrap());
        assert!(child.is_cancelled());
        assert_eq!(count.get(), usize::from(is_waiting));
    });
}

/// A child goes, and takes along an ancestor that only it kept.
#[test]
fn a_child_goes_while_the_root_is_cancelled() {
    model(|| {
        let root = CancelToken::new();
        let leaf = root.child().child();
        let other = cancel_elsewhere(&root, "enough");
        drop(leaf);
        assert!(other.join().unwrap());
        assert!(root.child().is_cancelled());
    });
}

/// Two children go at once, the last owners of their parent.
#[test]
fn two_children_go_at_once() {
    model(|| {
        let parent = CancelToken::new();
        let (first, second) = (parent.child(), parent.child());
        drop(parent);
        let other = thread::spawn(move || drop(first));
        drop(second);
        other.join().unwrap();
    });
}

/// Parent and child are cancelled at once: each waiter is woken once, and the child keeps the
/// reason of whoever was first.
#[test]
fn parent_and_child_are_cancelled_at_once() {
    model(|| {
        let parent = CancelToken::new();
        let child = parent.child();
        let (count, waker) = Count::new();
        assert!(child.register(&waker).is_some());
        let other = cancel_elsewhere(&parent, "parent");
        let was_first = child.cancel("child");
        assert!(other.join().unwrap());
        let reason = child.reason().unwrap();
        assert_eq!(reason.text(), if was_first { "child" } else { "parent" });
        assert_eq!(parent.reason().unwrap().text(), "parent");
        assert_eq!(count.get(), 1);
    });
}

/// A grandchild is made below a child while the root is cancelled.
#[test]
fn a_grandchild_is_made_while_the_root_is_cancelled() {
    model(|| {
        let root = CancelToken::new();
        let child = root.child();
        let other = cancel_elsewhere(&root, "enough");
        let grandchild = child.child();
        assert!(other.join().unwrap());
        assert!(child.is_cancelled() && grandchild.is_cancelled());
    });
}
