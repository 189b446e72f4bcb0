use std::os::fd::{AsRawFd, IntoRawFd};

use super::{Ancillary, AncillaryMessage, HEADER};
use crate::{Config, Proactor};

const TIMESTAMP: (i32, i32) = (libc::SOL_SOCKET, libc::SO_TIMESTAMP);

fn message(level: i32, kind: i32, payload: &[u8]) -> Vec<u8> {
    let mut ancillary = Ancillary::new();
    ancillary.append(level, kind, payload);
    ancillary.bytes
}

/// A message with descriptors that nobody owns, as the kernel leaves them.
fn rights(count: usize) -> (Vec<u8>, Vec<i32>) {
    let open = || std::fs::File::open("/dev/null").unwrap().into_raw_fd();
    let numbers: Vec<i32> = std::iter::repeat_with(open).take(count).collect();
    let payload: Vec<u8> = numbers.iter().flat_map(|fd| fd.to_ne_bytes()).collect();
    (
        message(libc::SOL_SOCKET, libc::SCM_RIGHTS, &payload),
        numbers,
    )
}

fn received(control: &[u8]) -> Ancillary {
    Ancillary::copy_received(control, control.len(), 0)
}

fn payloads(ancillary: &Ancillary) -> Vec<Vec<u8>> {
    let messages = ancillary.messages();
    messages.map(|message| message.payload.to_vec()).collect()
}

#[test]
fn messages_come_out_as_they_went_in() {
    let mut ancillary = Ancillary::new();
    for (kind, payload) in (1..5).zip([&b""[..], b"1", b"12345678", b"123456789"]) {
        ancillary.push(libc::IPPROTO_IP, kind, payload).unwrap();
    }
    let kinds: Vec<_> = ancillary.messages().map(|m| (m.level, m.kind)).collect();
    assert_eq!(kinds, [(0, 1), (0, 2), (0, 3), (0, 4)]);
    assert_eq!(payloads(&ancillary)[3], b"123456789");
    assert_eq!(ancillary.to_send().1, 4 * HEADER + 8 + 8 + 16);
    ancillary.clear();
    assert_eq!(ancillary.messages().next(), None);
    assert_eq!(ancillary.to_send().1, 0);
    // What was only room is not sent.
    let mut ancillary = Ancillary::with_room(100);
    ancillary.push(libc::IPPROTO_IP, 7, b"x").unwrap();
    assert_eq!(ancillary.to_send().1, Ancillary::room_for(1));
}

#[test]
fn descriptors_are_owned_once_and_leave_the_bytes() {
    let (bytes, numbers) = rights(3);
    let around = message(TIMESTAMP.0, TIMESTAMP.1, b"before.");
    let control = [around.clone(), bytes, around].concat();
    let mut ancillary = received(&control);
    assert_eq!(payloads(&ancillary), [b"before.", b"before."]);
    let fds = ancillary.take_descriptors().unwrap();
    let owned: Vec<_> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    assert_eq!(owned, numbers);
    // Sent on, the numbers do not go out a second time.
    assert_eq!(ancillary.to_send().1, 2 * Ancillary::room_for(7));
    assert!(ancillary.take_descriptors().unwrap().is_empty());
}

#[test]
fn the_descriptor_of_the_sender_is_not_one_that_was_sent() {
    let (mut bytes, numbers) = rights(1);
    let kind = super::SCM_PIDFD.to_ne_bytes();
    bytes[HEADER - kind.len()..HEADER].copy_from_slice(&kind);
    let mut ancillary = received(&bytes);
    assert!(ancillary.take_descriptors().unwrap().is_empty());
    let pidfd = ancillary.take_pidfd().unwrap();
    assert_eq!(pidfd.as_raw_fd(), numbers[0]);
    assert!(ancillary.take_pidfd().is_none());
    // Of a process that is gone, the kernel has an errno.
    for errno in [libc::ESRCH, 1] {
        let payload = (-errno).to_ne_bytes();
        let bytes = message(libc::SOL_SOCKET, super::SCM_PIDFD, &payload);
        assert!(received(&bytes).take_pidfd().is_none());
    }
}

#[test]
fn what_is_cut_off_is_not_read() {
    let whole = message(libc::IPPROTO_IP, 1, b"12345678");
    for len in 0..whole.len() {
        let ancillary = received(&whole[..len]);
        assert_eq!(ancillary.messages().next(), None, "{len}");
    }
    // A last message need not be padded.
    let short = message(libc::IPPROTO_IP, 1, b"1");
    let ancillary = received(&short[..=HEADER]);
    assert_eq!(payloads(&ancillary), [b"1"]);
    for bad in [0, HEADER - 1, usize::MAX, usize::MAX - HEADER] {
        let mut bytes = whole.clone();
        bytes[..size_of::<usize>()].copy_from_slice(&bad.to_ne_bytes());
        let ancillary = received(&bytes);
        assert_eq!(ancillary.messages().next(), None, "{bad}");
    }
}

#[test]
fn descriptors_are_sent_as_such_or_not_at_all() {
    let proactor = Proactor::new(&Config::default()).unwrap();
    let fd = proactor.handle().adopt(std::fs::File::open("/").unwrap());
    let mut ancillary = Ancillary::new();
    let number = fd.plain().unwrap().as_raw_fd().to_ne_bytes();
    let refused = ancillary.push(libc::SOL_SOCKET, libc::SCM_RIGHTS, &number);
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::InvalidInput
    );
    ancillary.push_descriptors(&[fd.clone(), fd]).unwrap();
    assert_eq!(ancillary.sending.len(), 2);
    let raw = super::message_at(&ancillary.bytes, 0).unwrap();
    let expected = AncillaryMessage {
        level: libc::SOL_SOCKET,
        kind: libc::SCM_RIGHTS,
        payload: &[number, number].concat(),
    };
    assert_eq!(raw, expected);
}
