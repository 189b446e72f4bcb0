use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{OpStream, Proactor, ops::PollMultishot};

use crate::rig::{poll_once, proactor, settle};

const POLLIN: u32 = 0x1;
const POLLOUT: u32 = 0x4;

fn next(proactor: &mut Proactor, polls: &mut OpStream<PollMultishot>) -> u32 {
    proactor.block_on(polls.next()).unwrap().unwrap().unwrap()
}

fn update(proactor: &mut Proactor, polls: &mut OpStream<PollMultishot>, events: u32) {
    let update = polls.update_events(events);
    proactor.block_on(update).unwrap().unwrap();
}

#[test]
fn a_poll_in_flight_changes_its_events() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut polls = handle.poll_multishot(&handle.adopt(near), POLLIN);
    assert!(poll_once(&mut pin!(polls.next())).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    update(&mut proactor, &mut polls, POLLOUT);
    assert_eq!(next(&mut proactor, &mut polls), POLLOUT, "it was there");
    update(&mut proactor, &mut polls, POLLIN);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(poll_once(&mut pin!(polls.next())).is_pending());
    far.write_all(b"x").unwrap();
    assert_eq!(next(&mut proactor, &mut polls), POLLIN);
    drop(polls);
    settle(&mut proactor);
}

#[test]
fn a_poll_begins_with_what_was_changed_before() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    // Not begun.
    let mut polls = handle.poll_multishot(&near, POLLIN);
    update(&mut proactor, &mut polls, POLLOUT);
    assert_eq!(next(&mut proactor, &mut polls), POLLOUT);
    // Staged, not submitted.
    let mut polls = handle.poll_multishot(&near, POLLIN);
    assert!(poll_once(&mut pin!(polls.next())).is_pending());
    update(&mut proactor, &mut polls, POLLOUT);
    assert_eq!(next(&mut proactor, &mut polls), POLLOUT);
    // Stopped, and begun again with the new events.
    update(&mut proactor, &mut polls, POLLIN);
    assert!(proactor.block_on(handle.cancel_fd(&near)).unwrap().unwrap() >= 1);
    let update = polls.update_events(POLLOUT);
    drop(proactor.block_on(update).unwrap());
    assert_eq!(next(&mut proactor, &mut polls), POLLOUT);
}

#[test]
fn a_late_change_hits_nobody() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    let mut polls = handle.poll_multishot(&near, POLLIN);
    assert!(poll_once(&mut pin!(polls.next())).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let late = polls.update_events(POLLOUT);
    drop(polls);
    settle(&mut proactor);
    // It gets the slot that has become free.
    let mut other = handle.poll_multishot(&near, POLLIN);
    assert!(poll_once(&mut pin!(other.next())).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let error = proactor.block_on(late).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    far.write_all(b"x").unwrap();
    assert_eq!(next(&mut proactor, &mut other), POLLIN);
}
