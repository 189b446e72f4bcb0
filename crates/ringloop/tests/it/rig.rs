//! What the tests share: running bodies, child processes, socket pairs, numbered bytes.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::process::{Command, Output};
use std::task::Poll;
use std::time::Duration;

use ringloop::Runtime;
use ringloop::cancel::{CancelScope, CancelToken};
use ringloop::net::{TcpListener, TcpStream};
use ringloop::testing::VirtualDriver;
use ringloop_task::Scheduler;

/// Runs `main` on a runtime of its own.
pub(crate) fn run<F: Future>(main: F) -> F::Output {
    ringloop::run(main).unwrap()
}

/// Runs `main` in virtual time, without a ring.
pub(crate) fn run_virtual<F: Future>(main: F) -> F::Output {
    Scheduler::new(VirtualDriver::new()).block_on(main)
}

pub(crate) fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

/// Turns the loop until nothing is in the table and `fds` descriptors are open.
///
/// What ends an operation or closes a descriptor comes from the kernel, in its own time; the bound
/// is only there to fail.
#[track_caller]
pub(crate) fn settle(runtime: &mut Runtime, fds: usize) {
    for _ in 0..1000 {
        let proactor = runtime.stats().proactor;
        if (proactor.live, proactor.in_flight, open_fds()) == (0, 0, fds) {
            return;
        }
        runtime
            .block_on(ringloop::sleep(Duration::from_millis(1)))
            .unwrap();
    }
    panic!(
        "{} descriptors, not {fds}; {:?}",
        open_fds(),
        runtime.stats()
    );
}

/// Turns the loop until it is so. What has to come from the kernel comes in its own time; the bound
/// is only there to fail.
#[track_caller]
pub(crate) fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let at = std::panic::Location::caller();
    async move {
        for _ in 0..5000 {
            if is_so() {
                return;
            }
            ringloop::sleep(Duration::from_millis(1)).await.unwrap();
        }
        panic!("it is not so, at {at}");
    }
}

/// A listener on loopback, and where it listens.
pub(crate) async fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A connection of which the far end is a plain blocking socket.
pub(crate) fn pair() -> (TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    (TcpStream::from_std(near).unwrap(), far)
}

/// Closes with a reset, as a machine that crashes does.
pub(crate) fn reset(stream: std::net::TcpStream) {
    let abrupt = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    abrupt.unwrap();
}

/// Bytes whose order shows: position modulo a prime.
pub(crate) fn numbered(from: usize, len: usize) -> Vec<u8> {
    (from..from + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// Runs `body` in a scope that is cancelled before.
pub(crate) async fn in_cancelled_scope<F: Future>(body: F) -> Option<F::Output> {
    let token = CancelToken::new();
    token.cancel("before it began");
    CancelScope::with_token(token).run(body).await.done()
}

/// Runs `body` in a scope that is cancelled once the body waits.
pub(crate) async fn cancelled_while_pending<F: Future>(body: F) -> Option<F::Output> {
    let token = CancelToken::new();
    let scope = CancelScope::with_token(token.clone());
    let mut body = pin!(body);
    let body = poll_fn(|cx| {
        let polled = body.as_mut().poll(cx);
        if polled.is_pending() {
            token.cancel("while it waits");
        }
        polled
    });
    scope.run(body).await.done()
}

/// Polls `body` once, and drops it.
pub(crate) async fn polled_once<F: Future>(body: F) -> Option<F::Output> {
    let mut body = pin!(body);
    poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Fails unless the result is that of a wait in a cancelled scope.
#[track_caller]
pub(crate) fn assert_cancelled<T: std::fmt::Debug>(result: &io::Result<T>) {
    let error = result.as_ref().expect_err("a cancelled wait has no value");
    assert!(ringloop::cancel::is_cancelled(error), "{error:?}");
}

/// The descriptors that this process has open.
pub(crate) fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Runs the body of the test with the path `test` in a child process, so that what it counts is its
/// own. `true` in the child: go on. The child may not print anything on standard error.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let output = again(test);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    false
}

/// Runs the test with the path `test` once more in a child process.
pub(crate) fn again(test: &str) -> Output {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        report.contains("running 1 test\n"),
        "no test {test}: {report}"
    );
    output
}

/// Whether this is the process that [`again`] starts.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

pub(crate) const CHILD: &str = "RINGLOOP_TEST_CHILD";
