use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Fd, FixedBuf, IoBuf, OpError, Proactor};

use crate::buffers::scratch;
use crate::rig::{alone, alone_with_little_locked_memory, poll_once, proactor, settle};

fn read<B: ringloop_proactor::RegisteredBuf + std::fmt::Debug>(
    proactor: &mut Proactor,
    fd: &Fd,
    buffer: B,
    offset: u64,
) -> (usize, B) {
    let read = proactor.handle().read_fixed(fd, buffer, offset);
    proactor.block_on(read).unwrap().unwrap()
}

#[test]
fn a_registered_buffer_is_filled_and_written() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let pool = handle.register_buffers(3, 100).unwrap();
    let fd = scratch(&proactor, b"0123456789");
    for _ in 0..20 {
        let buffer = pool.check_out().unwrap();
        assert_eq!(buffer.len(), 100);
        assert_eq!(buffer.as_ptr().addr() % 4096, 0);
        let (count, buffer) = read(&mut proactor, &fd, buffer, 2);
        assert_eq!((count, &buffer[..8]), (8, &b"23456789"[..]));
        // Windows, read and written.
        let (count, window) = read(&mut proactor, &fd, buffer.slice(1..4), 0);
        assert_eq!((count, &window.get_ref()[..5]), (3, &b"20126"[..]));
        let window = window.into_inner().slice(..4).slice(2..);
        let write = handle.write_fixed(&fd, window, 0);
        let (count, window) = proactor.block_on(write).unwrap().unwrap();
        assert_eq!(count, 2);
        let mut buffer: FixedBuf = window.into_inner().into_inner();
        // Plain operations take it too.
        let (count, again) = proactor
            .block_on(handle.read(&fd, buffer, 0))
            .unwrap()
            .unwrap();
        assert_eq!((count, &again[..4]), (10, &b"1223"[..]));
        buffer = again;
        buffer[..2].copy_from_slice(b"01");
        let write = handle.write_fixed(&fd, buffer.slice(..2), 0);
        proactor.block_on(write).unwrap().unwrap();
        assert_eq!(pool.available(), 3);
    }
}

#[test]
fn an_exhausted_pool_says_so_and_buffers_come_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let pool = handle.register_buffers(3, 5000).unwrap();
    let mut out: Vec<_> = (0..3).map(|_| pool.check_out().unwrap()).collect();
    assert!(pool.check_out().is_none());
    for (byte, buffer) in (1..).zip(&mut out) {
        buffer.fill(byte);
    }
    for (byte, buffer) in (1..).zip(&out) {
        assert!(buffer.iter().all(|&found| found == byte), "each is its own");
    }
    drop(out.remove(1));
    assert_eq!((pool.available(), pool.count()), (1, 3));
    drop(out);
    // In an operation that is dropped, it is out until the kernel is done with it.
    let (near, far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    let mut read = handle.read_fixed(&near, pool.check_out().unwrap(), 0);
    assert!(poll_once(&mut read).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop(read);
    assert_eq!(pool.available(), 2);
    settle(&mut proactor);
    assert_eq!(pool.available(), 3);
    drop(far);
}

#[test]
fn pools_come_and_go_in_any_order() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let fd = scratch(&proactor, &[5; 8192]);
    let mut held = std::collections::VecDeque::new();
    for round in 0..600 {
        let pool = handle.register_buffers(2, 8192).unwrap();
        let buffer = pool.check_out().unwrap();
        if round % 2 == 0 {
            // The pool goes first, its buffer later.
            drop(pool);
        } else {
            held.push_back((Some(pool), None));
        }
        let (count, buffer) = read(&mut proactor, &fd, buffer, 0);
        assert_eq!(count, 8192);
        held.push_back((None, Some(buffer)));
        if held.len() > 20 {
            held.drain(..7);
        }
    }
    // More than there are places at once.
    held.clear();
    let mut pools = Vec::new();
    let error = loop {
        match handle.register_buffers(1, 1) {
            Ok(pool) => pools.push(pool),
            Err(error) => break error,
        }
    };
    assert_eq!(pools.len(), 256, "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::QuotaExceeded);
    pools.swap_remove(77);
    let pool = handle.register_buffers(1, 8192).unwrap();
    let (count, _) = read(&mut proactor, &fd, pool.check_out().unwrap(), 0);
    assert_eq!(count, 8192);
}

#[test]
fn pools_and_buffers_outlive_their_proactor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let pool = handle.register_buffers(3, 4096).unwrap();
    let fd = scratch(&proactor, &[5; 4096]);
    let (_, buffer) = read(&mut proactor, &fd, pool.check_out().unwrap(), 0);
    let (near, _far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    let mut pending = handle.read_fixed(&near, pool.check_out().unwrap(), 0);
    assert!(poll_once(&mut pending).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop(proactor);
    assert!(buffer.iter().all(|&byte| byte == 5));
    let late = handle.read_fixed(&fd, pool.check_out().unwrap(), 0);
    let mut late = Box::pin(late);
    for op in [&mut Box::pin(pending), &mut late] {
        let std::task::Poll::Ready(Err(OpError { error, .. })) = poll_once(op) else {
            panic!("it has ended")
        };
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    }
    assert_eq!(pool.available(), 2);
    assert!(handle.register_buffers(1, 1).is_err());
    drop(pool);
    drop(handle);
    assert!(buffer.iter().all(|&byte| byte == 5));
}

#[test]
fn a_buffer_of_another_proactor_is_refused() {
    let mut here = proactor();
    let elsewhere = proactor();
    let fd = scratch(&here, &[5; 4096]);
    let pool = elsewhere.handle().register_buffers(1, 4096).unwrap();
    let _ours = here.handle().register_buffers(1, 4096).unwrap();
    let read = here.handle().read_fixed(&fd, pool.check_out().unwrap(), 0);
    let OpError { error, buffer, .. } = here.block_on(read).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EFAULT));
    assert!(buffer.iter().all(|&byte| byte == 0));
}

#[test]
fn sizes_that_cannot_be_registered_are_errors() {
    let proactor = proactor();
    let handle = proactor.handle();
    for (count, len) in [(0, 100), (100, 0), (u32::MAX, u32::MAX), (1, (1 << 30) + 1)] {
        let error = handle.register_buffers(count, len).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_direct_read_takes_a_registered_buffer() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let path = std::env::current_exe().unwrap();
    let direct = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(&path);
    let Ok(direct) = direct else {
        // The file system has no such reads.
        return;
    };
    let pool = handle.register_buffers(2, 16 * 1024).unwrap();
    let file = handle.adopt(direct);
    let (count, buffer) = read(&mut proactor, &file, pool.check_out().unwrap(), 4096);
    let whole = std::fs::read(path).unwrap();
    assert_eq!(buffer[..count], whole[4096..4096 + count]);
    assert_eq!(count, 16 * 1024);
}

#[test]
fn a_low_limit_on_locked_memory_is_named() {
    if !alone_with_little_locked_memory("fixed::a_low_limit_on_locked_memory_is_named") {
        return;
    }
    let config = Config::default().ring_entries(32);
    let proactor = Proactor::new(&config).unwrap();
    let error = proactor.handle().register_buffers(64, 1 << 20).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
    assert!(error.to_string().contains("ulimit -l"), "{error}");
    // What is given back counts no more.
    for _ in 0..20 {
        drop(proactor.handle().register_buffers(4, 1 << 20).unwrap());
    }
}

#[test]
fn registered_memory_is_freed() {
    if !alone("fixed::registered_memory_is_freed") {
        return;
    }
    let resident = || -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse().unwrap()
    };
    let proactor = proactor();
    let round = || drop(proactor.handle().register_buffers(16, 1 << 20).unwrap());
    round();
    let before = resident();
    for _ in 0..20 {
        round();
    }
    // Each round is 4,096 pages, and AddressSanitizer keeps 256 MiB of what is freed.
    assert!(resident() < before + 70_000);
}
