use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::AssertUnwindSafe;
use std::ptr;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Config, IoBufMut, Proactor, Receiver, Room, Sender};

use crate::rig::{alone, open_fds, poll_once, proactor, tcp_pair};

#[test]
fn dropping_with_operations_in_flight_leaks_no_descriptor() {
    if !alone("shutdown::dropping_with_operations_in_flight_leaks_no_descriptor") {
        return;
    }
    let before = open_fds();
    for _ in 0..50 {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, far) = tcp_pair();
        let near = handle.adopt(near);
        let far = handle.adopt(far);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor::new(handle.adopt(listener));
        assert!(poll_once(&mut Box::pin(acceptor.accept())).is_pending());
        let mut receiver = Receiver::new(near.clone());
        assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
        let mut open = handle.open("/dev/null", libc::O_RDONLY, 0).unwrap();
        assert!(poll_once(&mut open).is_pending());
        let mut poll = handle.poll(&far, 1);
        assert!(poll_once(&mut poll).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let mut late = handle.recv(&far, vec![0; 10]);
        assert!(poll_once(&mut late).is_pending());
        assert_eq!(proactor.shut_down(), 0);
        drop(proactor);
        drop((open, poll, late, receiver, acceptor, client));
    }
    assert_eq!(open_fds(), before);
}

#[test]
fn resources_of_a_gone_proactor_say_so() {
    let proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut receiver = Receiver::new(near.clone());
    let mut sender = Sender::new(near.clone());
    drop(proactor);
    let mut nop = handle.nop();
    let std::task::Poll::Ready(result) = poll_once(&mut nop) else {
        panic!("it cannot wait")
    };
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    for _ in 0..2 {
        let mut buf = [0; 1];
        let read = poll_once(&mut Box::pin(receiver.read(&mut buf)));
        let std::task::Poll::Ready(Err(error)) = read else {
            panic!("it cannot wait")
        };
        assert!(error.to_string().contains("shut down"), "{error}");
        let write = poll_once(&mut Box::pin(sender.write_all(b"x")));
        assert!(matches!(write, std::task::Poll::Ready(Err(_))));
    }
}

/// The kernel writes into the memory of disk reads long after a ring was closed; so memory must
/// be kept until the last completion. Guarded by a buffer that notices.
#[test]
fn memory_is_freed_only_after_the_kernel_is_done_with_it() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("direct-{}", std::process::id()));
    File::create(&path)
        .unwrap()
        .write_all(&vec![0x5a; 16 << 20])
        .unwrap();
    for _ in 0..10 {
        let Ok(file) = File::options()
            .read(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)
        else {
            break;
        };
        watched::reset();
        let mut proactor = proactor();
        let handle = proactor.handle();
        let file = handle.adopt(file);
        let mut reads: Vec<_> = (0..16)
            .map(|at| handle.read(&file, watched::Block::new(), at * watched::LEN as u64))
            .collect();
        for read in &mut reads {
            assert!(poll_once(read).is_pending());
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
        drop(reads);
        drop(file);
        drop(proactor);
        assert_eq!(watched::released(), 16);
        std::thread::yield_now();
        watched::assert_untouched();
    }
    std::fs::remove_file(&path).unwrap();
}

/// Buffers whose memory stays mapped, and which are marked when they are released.
mod watched {
    use std::cell::RefCell;

    use ringloop_proactor::{IoBufMut, Room};

    pub(crate) const LEN: usize = 1 << 20;
    const MARK: u8 = 0xee;

    thread_local! {
        static RELEASED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }

    pub(crate) struct Block {
        memory: Vec<u8>,
        start: usize,
    }

    impl Block {
        pub(crate) fn new() -> Self {
            let memory = vec![0; LEN + 4096];
            let start = memory.as_ptr().align_offset(4096);
            Self { memory, start }
        }
    }

    impl IoBufMut for Block {
        fn room(&mut self) -> Room<'_> {
            Room::from(&mut self.memory[self.start..][..LEN])
        }

        #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
        unsafe fn set_filled(&mut self, _len: usize) {}
    }

    impl Drop for Block {
        fn drop(&mut self) {
            let mut memory = std::mem::take(&mut self.memory);
            memory.fill(MARK);
            RELEASED.with_borrow_mut(|released| released.push(memory));
        }
    }

    pub(crate) fn reset() {
        RELEASED.with_borrow_mut(Vec::clear);
    }

    pub(crate) fn released() -> usize {
        RELEASED.with_borrow(Vec::len)
    }

    pub(crate) fn assert_untouched() {
        RELEASED.with_borrow(|released| {
            for memory in released {
                assert!(
                    memory.iter().all(|byte| *byte == MARK),
                    "written after it was released"
                );
            }
        });
    }
}

#[test]
fn rings_can_be_made_and_dropped_without_end() {
    for round in 0..400 {
        let config = Config::default().ring_entries(if round % 2 == 0 { 256 } else { 8 });
        let mut proactor = Proactor::new(&config).unwrap();
        proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    }
}

#[test]
fn what_is_staged_at_the_shutdown_never_happens() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, vec![0; 100]);
    assert!(poll_once(&mut recv).is_pending());
    let mut receiver = Receiver::new(near);
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 10]))).is_pending());
    let before = proactor.stats().submissions;
    assert_eq!(proactor.shut_down(), 0);
    assert!(
        proactor.stats().submissions - before <= 2,
        "the eventfd's poll and a cancel"
    );
    let std::task::Poll::Ready(result) = poll_once(&mut recv) else {
        panic!("it has ended")
    };
    assert_eq!(
        result.unwrap_err().error.raw_os_error(),
        Some(libc::ECANCELED)
    );
    assert!(proactor.park(None).is_err(), "there is nothing to wait for");
}

#[test]
fn everyone_who_closes_a_descriptor_is_told() {
    let mut proactor = proactor();
    let (near, _far) = tcp_pair();
    let near = proactor.handle().adopt(near);
    let mut first = near.clone().close();
    assert!(poll_once(&mut first).is_pending());
    let mut second = near.close();
    assert!(
        poll_once(&mut first).is_pending(),
        "the descriptor is open still"
    );
    proactor.block_on(&mut second).unwrap().unwrap();
    proactor.block_on(&mut first).unwrap().unwrap();
}

/// The kernel hands closes of some files (here: message queues) to a worker, where a cancel-all
/// finds them.
#[test]
fn descriptors_whose_close_is_handed_to_a_worker_are_closed_too() {
    if !alone("shutdown::descriptors_whose_close_is_handed_to_a_worker_are_closed_too") {
        return;
    }
    let queue = message_queue();
    let before = open_fds();
    for _ in 0..20 {
        let mut proactor = proactor();
        for _ in 0..60 {
            drop(proactor.handle().adopt(queue.try_clone().unwrap()));
        }
        let (near, _far) = tcp_pair();
        let near = proactor.handle().adopt(near);
        let mut op = proactor.handle().poll(&near, 1);
        assert!(poll_once(&mut op).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        assert_eq!(proactor.shut_down(), 0);
    }
    assert_eq!(open_fds(), before);
}

#[expect(unsafe_code, reason = "message queues have no wrapper in std")]
fn message_queue() -> OwnedFd {
    let name = std::ffi::CString::new(format!("/ringloop-{}", std::process::id())).unwrap();
    let flags = libc::O_RDWR | libc::O_CREAT;
    // SAFETY: the name is a C string, and no attributes are given.
    let fd = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, ptr::null::<libc::mq_attr>()) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the name is a C string.
    unsafe { libc::mq_unlink(name.as_ptr()) };
    // SAFETY: just opened, nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

#[test]
fn a_buffer_that_panics_when_dropped_does_not_stop_the_shutdown() {
    struct Bomb(Vec<u8>);

    impl IoBufMut for Bomb {
        fn room(&mut self) -> Room<'_> {
            self.0.room()
        }

        #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
        unsafe fn set_filled(&mut self, _len: usize) {}
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }

    if !alone("shutdown::a_buffer_that_panics_when_dropped_does_not_stop_the_shutdown") {
        return;
    }
    let before = open_fds();
    let (near, far) = tcp_pair();
    let mut proactor = proactor();
    let handle = proactor.handle();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, Bomb(vec![0; 10]));
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop((recv, near));
    let ended = std::panic::catch_unwind(AssertUnwindSafe(move || drop(proactor)));
    assert!(
        ended.is_err(),
        "the panic is told, after everything has ended"
    );
    drop((handle, far));
    assert_eq!(open_fds(), before);
}
