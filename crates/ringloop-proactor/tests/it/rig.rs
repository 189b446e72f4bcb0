//! What the tests share: a proactor, socket pairs, polling by hand, counting descriptors.

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Proactor};

pub(crate) fn proactor() -> Proactor {
    Proactor::new(&Config::default()).unwrap()
}

/// A connected pair of blocking sockets on loopback.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    (near, far)
}

/// Two sockets that are connected to each other; the second one does not wait for ever.
pub(crate) fn udp_pair() -> (UdpSocket, UdpSocket) {
    let near = UdpSocket::bind("127.0.0.1:0").unwrap();
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    far.connect(near.local_addr().unwrap()).unwrap();
    near.connect(far.local_addr().unwrap()).unwrap();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (near, far)
}

/// An empty file that has no name.
pub(crate) fn scratch_file(name: &str) -> File {
    let path = std::env::temp_dir().join(format!("ringloop-{name}-{}", std::process::id()));
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(true);
    let file = options.open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file
}

/// An empty directory of a test, removed with what is in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ringloop-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes a file in it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A descriptor of the directory itself.
    pub(crate) fn open(&self) -> File {
        File::open(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The number of an error of the system.
pub(crate) fn errno<T: std::fmt::Debug, E: Into<std::io::Error>>(result: Result<T, E>) -> i32 {
    let error: std::io::Error = result
        .map(|value| format!("{value:?}"))
        .map_err(E::into)
        .unwrap_err();
    error
        .raw_os_error()
        .unwrap_or_else(|| panic!("not of the system: {error}"))
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

/// Polls once with a waker that counts.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, count: &Arc<Count>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(count));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// Submits what is staged and parks until nothing is in flight. Every turn waits for a completion,
/// so the count is a bound on completions, not on time.
pub(crate) fn settle(proactor: &mut Proactor) {
    proactor.park(Some(Duration::ZERO)).unwrap();
    for _ in 0..1000 {
        if proactor.stats().in_flight == 0 {
            return;
        }
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    panic!("operations do not end: {:?}", proactor.stats());
}

/// Descriptors of this process that are of the same socket or file as none before.
pub(crate) fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Whether a program that is executed does not get it.
pub(crate) fn is_closed_on_exec(fd: &OwnedFd) -> bool {
    let info = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let info = std::fs::read_to_string(info).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
    flags & libc::O_CLOEXEC != 0
}

/// Runs a test body in a child process, so that what it counts is its own.
pub(crate) fn alone(test: &str) -> bool {
    alone_after(test, "true")
}

/// The same, with room for 200 descriptors.
pub(crate) fn alone_with_few_descriptors(test: &str) -> bool {
    alone_after(test, "ulimit -n 200")
}

/// The same, where no more than 8 MiB may be locked; also by root, who is exempt otherwise.
pub(crate) fn alone_with_little_locked_memory(test: &str) -> bool {
    let unexempt = r#"exec setpriv --bounding-set=-ipc_lock "$0" "$@""#;
    let setup = format!("ulimit -l 8192 && {{ [ $(id -u) -ne 0 ] || {unexempt}; }}");
    alone_after(test, &setup)
}

/// Runs a test body in a child process of another user, who may lock so much memory. `false` with a
/// line that says so where that is not allowed.
pub(crate) fn alone_as_user(test: &str, user: u32, memlock_bytes: u32) -> bool {
    let become_user = format!(
        "exec setpriv --reuid={user} --clear-groups prlimit --memlock={memlock_bytes} \"$0\" \"$@\""
    );
    // The other user may not even be able to read this binary.
    let works = is_child()
        || std::process::Command::new("sh")
            .args(["-c", &become_user])
            .arg(std::env::current_exe().unwrap())
            .args(["--list", "--exact", test])
            .output()
            .is_ok_and(|output| output.status.success());
    if !works {
        skipped("setpriv or prlimit is missing, or not allowed here");
    }
    works && alone_after(test, &become_user)
}

/// Says so past the harness, which keeps what a passing test prints to itself.
fn skipped(why: &str) {
    let line = format!("skipped: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs a test body in a child process under strace(1), which injects faults. Returns what strace
/// noted, or `None` with a line that says so where it is missing or not allowed.
pub(crate) fn alone_under_strace(test: &str, inject: &str) -> Option<String> {
    let works = std::process::Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        skipped("strace is missing, or not allowed here");
        return None;
    }
    let name = test.rsplit("::").next().unwrap_or(test);
    let notes = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.strace"));
    let mut strace = std::process::Command::new("strace");
    strace
        .args([
            "-f",
            "-qq",
            "-e",
            "trace=io_uring_enter",
            "-e",
            inject,
            "-o",
        ])
        .arg(&notes);
    check_child(strace, test);
    let text = std::fs::read_to_string(&notes).unwrap();
    std::fs::remove_file(notes).unwrap();
    Some(text)
}

/// Whether this is the child process of a test.
pub(crate) fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

fn alone_after(test: &str, setup: &str) -> bool {
    if is_child() {
        return true;
    }
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("{setup} && exec \"$0\" \"$@\"")]);
    check_child(shell, test);
    false
}

/// Runs `program` with this test binary and one test of it as its arguments.
fn check_child(mut program: std::process::Command, test: &str) {
    let output = program
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

const MARK: &str = "RINGLOOP_TEST_ALONE";
