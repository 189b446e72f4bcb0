#![expect(unsafe_code, reason = "std makes no epoll instances")]

use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::ops::{EpollChange, EpollEvent};
use ringloop_proactor::{Fd, Handle, Outcome, Proactor};

use crate::rig::{poll_once, proactor};

const EPOLLIN: u32 = 1;

fn epoll(handle: &Handle) -> Fd {
    // SAFETY: the call takes an integer.
    let raw = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    assert!(raw >= 0);
    // SAFETY: it was just opened, nobody else knows it.
    handle.adopt(unsafe { OwnedFd::from_raw_fd(raw) })
}

fn change(proactor: &mut Proactor, epoll: &Fd, fd: &Fd, change: EpollChange) {
    let change = proactor.handle().epoll_ctl(epoll, fd, change).unwrap();
    proactor.block_on(change).unwrap().unwrap();
}

#[test]
fn events_come_with_their_data() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let epoll = epoll(&handle);
    let mut writers = Vec::new();
    let mut readers = Vec::new();
    for data in 0..3 {
        let (reader, writer) = std::io::pipe().unwrap();
        let reader = handle.adopt(reader);
        let add = EpollChange::Add(EpollEvent::new(EPOLLIN, u64::MAX - data));
        change(&mut proactor, &epoll, &reader, add);
        writers.push(writer);
        readers.push(reader);
    }
    let room = Vec::with_capacity(8);
    let mut wait = handle.epoll_wait(&epoll, room).unwrap();
    assert!(poll_once(&mut wait).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(poll_once(&mut wait).is_pending(), "nothing has come");
    writers[1].write_all(b"x").unwrap();
    let events = proactor.block_on(wait).unwrap().unwrap();
    assert_eq!(events, [EpollEvent::new(EPOLLIN, u64::MAX - 1)]);
    assert_eq!(events.capacity(), 8, "the room comes back");

    // Two are ready, and there is room for one.
    writers[2].write_all(b"x").unwrap();
    let room = Vec::with_capacity(1);
    let wait = handle.epoll_wait(&epoll, room).unwrap();
    let events = proactor.block_on(wait).unwrap().unwrap();
    assert_eq!(events.len(), 1);

    let modify = EpollChange::Modify(EpollEvent::new(EPOLLIN, 42));
    change(&mut proactor, &epoll, &readers[1], modify);
    change(&mut proactor, &epoll, &readers[2], EpollChange::Remove);
    let wait = handle.epoll_wait(&epoll, Vec::with_capacity(8)).unwrap();
    let events = proactor.block_on(wait).unwrap().unwrap();
    assert_eq!(events, [EpollEvent::new(EPOLLIN, 42)]);
}

#[test]
fn the_room_comes_back_with_an_error_and_a_cancellation() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let epoll = epoll(&handle);
    let wait = handle.epoll_wait(&epoll, Vec::new()).unwrap();
    let error = proactor.block_on(wait).unwrap().unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EINVAL));
    let room = vec![EpollEvent::new(1, 1); 5];
    let mut wait = handle.epoll_wait(&epoll, room).unwrap();
    assert!(poll_once(&mut wait).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let Outcome::Cancelled(room) = proactor.block_on(wait.cancel()).unwrap() else {
        panic!("nothing has come")
    };
    assert_eq!((room.len(), room.capacity()), (0, 5));
}
