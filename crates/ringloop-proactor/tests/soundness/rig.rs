//! What the tests share: the frame around each test, and polling by hand.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Proactor};

use crate::census::Census;
use crate::quarantine;

/// Runs a test: one at a time, and afterwards the same descriptors are open, and nobody has
/// written what was freed.
#[track_caller]
pub(crate) fn sound(body: impl FnOnce()) {
    let _turn = take_turn();
    let census = Census::take();
    body();
    census.assert_unchanged();
    quarantine::check();
}

/// The same in a child process, for tests that leave something behind: what is forgotten is lost
/// with the process.
#[track_caller]
pub(crate) fn sound_alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(MARK).is_some() {
        body();
        return quarantine::check();
    }
    let _turn = take_turn();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What one test does, another one would see.
fn take_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that something is not tested here, past the harness, which keeps what a passing test
/// prints to itself.
pub(crate) fn skipped(why: &str) {
    let line = format!("skipped: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A proactor with few and small receive buffers, which are quickly looked at.
pub(crate) fn small() -> Config {
    Config::default().buffer_count(8).buffer_len_bytes(256)
}

pub(crate) fn proactor() -> Proactor {
    Proactor::new(&small()).unwrap()
}

/// Polls once with a waker that does nothing.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A waker that counts its wakes.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Submits what is staged and takes what has completed, without a wait.
pub(crate) fn turn(proactor: &mut Proactor) {
    proactor.park(Some(Duration::ZERO)).unwrap();
}

/// Takes turns until nothing is in flight. Every turn waits for a completion, so the count is a
/// bound on completions, not on time.
#[track_caller]
pub(crate) fn settle(proactor: &mut Proactor) {
    turn(proactor);
    for _ in 0..20_000 {
        if proactor.stats().in_flight == 0 {
            return;
        }
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    panic!("operations do not end: {:?}", proactor.stats());
}

/// Checks that nothing is left in the table and that no completion was a stranger's, then that
/// the shutdown has nothing to leak.
#[track_caller]
pub(crate) fn end(mut proactor: Proactor) {
    settle(&mut proactor);
    // What was given up with the last completion may close a descriptor.
    settle(&mut proactor);
    let stats = proactor.stats();
    assert_eq!((stats.live, stats.stale_completions), (0, 0), "{stats:?}");
    assert_eq!(proactor.shut_down(), 0);
}

/// Allocates, writes and frees, so that memory that was freed too early is somebody else's now.
pub(crate) fn churn() {
    let mut blocks = Vec::new();
    for at in 0..200_usize {
        blocks.push(vec![0x55_u8; 16 << (at % 8)]);
    }
    drop(std::hint::black_box(blocks));
}

const MARK: &str = "RINGLOOP_SOUNDNESS_ALONE";
