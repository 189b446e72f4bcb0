//! A forked child that touches the proactor it has inherited, in every way there is.

#![expect(unsafe_code, reason = "fork(2) has no wrapper in std")]

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Fd, Proactor, Receiver, Sender};

use crate::rig::{Count, alone, poll_once, poll_with, tcp_pair};

#[test]
fn a_forked_child_is_told_that_the_proactor_is_not_its_own() {
    check_child(
        "fork::a_forked_child_is_told_that_the_proactor_is_not_its_own",
        |proactor, fd| {
            let handle = proactor.handle();
            let mut nop = handle.nop();
            assert!(poll_once(&mut nop).is_pending());
            proactor.unparker().unpark();
            check_error(proactor.park(None));
            check_error(proactor.park(Some(Duration::ZERO)));
            check_error(proactor.block_on(handle.recv(fd, vec![0; 16])).map(drop));
            let mut receiver = Receiver::new(fd.clone());
            let mut bytes = [0; 16];
            check_error(proactor.block_on(receiver.read(&mut bytes)).map(drop));
            let mut sender = Sender::new(fd.clone());
            let stray = async {
                sender.write_all(b"stray").await?;
                sender.flush().await
            };
            check_error(proactor.block_on(stray).map(drop));
            drop(nop.cancel());
        },
    );
}

#[test]
fn a_forked_child_may_shut_the_proactor_down() {
    check_child(
        "fork::a_forked_child_may_shut_the_proactor_down",
        |proactor, _fd| {
            let woken = Arc::new(Count::default());
            let mut staged = proactor.handle().nop();
            assert!(poll_with(&mut staged, &woken).is_pending());
            // The receive that is in flight in the parent.
            assert_eq!(proactor.shut_down(), 1);
            assert_eq!(woken.get(), 1);
            assert!(poll_once(&mut staged).is_ready());
            assert!(proactor.park(Some(Duration::ZERO)).is_err());
            let mut nop = proactor.handle().nop();
            let std::task::Poll::Ready(result) = poll_once(&mut nop) else {
                panic!("nothing starts any more")
            };
            assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
        },
    );
}

#[test]
fn a_forked_child_may_make_a_proactor_of_its_own() {
    check_child(
        "fork::a_forked_child_may_make_a_proactor_of_its_own",
        |proactor, _fd| {
            let mut own = Proactor::new(&Config::default()).unwrap();
            let handle = own.handle();
            own.block_on(handle.nop()).unwrap().unwrap();
            check_error(proactor.park(Some(Duration::ZERO)));
            own.block_on(handle.nop()).unwrap().unwrap();
        },
    );
}

#[test]
fn a_forked_child_keeps_what_it_has_mapped_where_the_queues_were() {
    const NAME: &str = "fork::a_forked_child_keeps_what_it_has_mapped_where_the_queues_were";
    if !alone(NAME) {
        return;
    }
    let proactor = Proactor::new(&Config::default()).unwrap();
    let queues = queues();
    assert_eq!(queues.len(), 2);
    let pid = fork();
    if pid == 0 {
        leave(|| {
            let pages: Vec<_> = queues.iter().map(|&address| map_at(address)).collect();
            drop(proactor);
            for page in pages {
                // SAFETY: it is mapped, or this test has something to tell.
                assert_eq!(unsafe { page.read_volatile() }, MARK);
            }
        });
    }
    assert_eq!(exit_code(pid), Some(0), "the child did not end well");
}

/// Where the queues of the only ring are mapped.
fn queues() -> Vec<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let queues = maps.lines().filter(|line| line.contains("[io_uring]"));
    let start = |line: &str| usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
    queues.map(start).collect()
}

/// Maps a page where nothing is, with a mark on it.
fn map_at(address: usize) -> *mut u8 {
    // SAFETY: the flag refuses an address where something is.
    let page = unsafe {
        libc::mmap(
            std::ptr::with_exposed_provenance_mut(address),
            1,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE,
            -1,
            0,
        )
    };
    assert_eq!(page.addr(), address);
    let page = page.cast::<u8>();
    // SAFETY: the page was just made, and is writable.
    unsafe { page.write(MARK) };
    page
}

const MARK: u8 = 42;

/// Forks with a receive in flight. The child does what `child` says, drops everything that it has
/// inherited, and leaves; then the parent goes on as if nothing had happened.
fn check_child(name: &str, child: impl FnOnce(&mut Proactor, &Fd)) {
    if !alone(name) {
        return;
    }
    let mut proactor = Proactor::new(&Config::default()).unwrap();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let fd = handle.adopt(near);
    let mut recv = handle.recv(&fd, vec![0; 16]);
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let before = proactor.stats();

    let pid = fork();
    if pid == 0 {
        leave(|| {
            child(&mut proactor, &fd);
            drop((recv, fd, proactor, handle));
        });
    }
    assert_eq!(exit_code(pid), Some(0), "the child did not end well");

    assert_eq!(proactor.stats(), before, "nothing has happened here");
    far.write_all(b"late").unwrap();
    let (count, bytes) = proactor.block_on(recv).unwrap().unwrap();
    assert_eq!(&bytes[..count], b"late");
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let stats = proactor.stats();
    assert_eq!((stats.in_flight, stats.stale_completions), (0, 0));
    assert_eq!(stats.submissions, before.submissions + 1);
    // The connection is open until this process closes it.
    drop(fd);
    drop(proactor);
    assert_eq!(far.read(&mut [0; 16]).unwrap(), 0);
}

fn check_error(result: std::io::Result<()>) {
    let text = result.unwrap_err().to_string();
    assert!(
        text.contains("belongs to the process that made it"),
        "{text}"
    );
}

/// The child's process id, and 0 in the child.
fn fork() -> libc::pid_t {
    // SAFETY: the child goes on on this thread alone and leaves by `_exit`; what it calls takes no
    // lock that another thread may have held.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    pid
}

/// Ends the child, in whose body nothing may panic.
fn leave(body: impl FnOnce()) -> ! {
    let passed = catch_unwind(AssertUnwindSafe(body));
    // SAFETY: ends the process, without running what belongs to the parent.
    unsafe { libc::_exit(i32::from(passed.is_err())) }
}

/// `None`: a signal has ended it.
fn exit_code(pid: libc::pid_t) -> Option<i32> {
    let mut status = 0;
    // SAFETY: the status is written into a live local.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid);
    libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status))
}
