use super::{AHEAD_MAX, Fate, HIGH_WATER_BYTES, LETTERS_MAX, Outbox};

fn outbox(count: usize) -> Outbox {
    let mut outbox = Outbox::default();
    for _ in 0..count {
        outbox.push(b"four", &[], None);
    }
    assert!(outbox.turn_over());
    outbox
}

fn errno(outbox: &mut Outbox) -> Option<i32> {
    outbox.take_error().and_then(|error| error.raw_os_error())
}

#[test]
fn what_waits_stays_in_front_and_is_no_error() {
    let mut outbox = outbox(2);
    for cause in [libc::EAGAIN, libc::EINTR, libc::ECANCELED, libc::EAGAIN] {
        assert_eq!(outbox.settle(cause), Fate::Waits);
        assert_eq!((outbox.queued(), outbox.queued_bytes()), (2, 8));
    }
    assert!(!outbox.has_error());
    assert_eq!(outbox.settle(0), Fate::Gone);
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (1, 4));
}

#[test]
fn an_old_error_costs_no_datagram_and_one_of_its_own_does() {
    let mut outbox = outbox(2);
    for first in [libc::ECONNREFUSED, libc::EHOSTUNREACH] {
        assert_eq!(outbox.settle(first), Fate::Waits);
        assert_eq!(errno(&mut outbox), Some(first));
        // Once more is once too often.
        assert_eq!(outbox.settle(libc::ENETUNREACH), Fate::Gone);
        assert_eq!(errno(&mut outbox), Some(libc::ENETUNREACH));
    }
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (0, 0));
    assert!(!outbox.turn_over());
    // No route, say: that was not brought by an older one, and is told once.
    outbox.push(b"nowhere", &[], None);
    assert!(outbox.turn_over());
    assert_eq!(outbox.settle(libc::ENETUNREACH), Fate::Waits);
    assert_eq!(errno(&mut outbox), Some(libc::ENETUNREACH));
    assert_eq!(outbox.settle(libc::ENETUNREACH), Fate::Gone);
    assert_eq!(errno(&mut outbox), None);
    outbox.push(b"long", &[], None);
    assert!(outbox.turn_over());
    assert_eq!(outbox.settle(libc::EMSGSIZE), Fate::Gone);
    assert_eq!(errno(&mut outbox), Some(libc::EMSGSIZE));
    assert_eq!(errno(&mut outbox), None);
}

#[test]
fn what_is_written_meanwhile_waits_for_its_turn() {
    let mut outbox = outbox(2);
    outbox.push(b"later", &[], None);
    assert_eq!(outbox.settle(0), Fate::Gone);
    assert!(outbox.turn_over());
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (2, 9));
    assert_eq!(outbox.settle(0), Fate::Gone);
    assert!(outbox.turn_over());
    assert_eq!(outbox.queued_bytes(), 5);
    assert_eq!(outbox.settle(0), Fate::Gone);
    assert!(!outbox.turn_over());
}

#[test]
fn a_queue_has_bounds_and_takes_one_however_long() {
    let mut outbox = Outbox::default();
    assert!(outbox.has_room(HIGH_WATER_BYTES * 2));
    outbox.push(&[0; 100], &[], None);
    assert!(outbox.has_room(HIGH_WATER_BYTES - 100));
    assert!(!outbox.has_room(HIGH_WATER_BYTES - 99));
    for _ in 1..LETTERS_MAX {
        assert!(outbox.has_room(0));
        outbox.push(b"", &[], None);
    }
    assert!(!outbox.has_room(0));
    assert!(!outbox.is_low());
    assert!(outbox.turn_over());
    for _ in 0..LETTERS_MAX / 2 {
        assert!(!outbox.is_low());
        assert_eq!(outbox.settle(0), Fate::Gone);
    }
    assert!(outbox.is_low());
}

#[test]
fn a_turn_sends_so_many_and_leaves_one_to_the_ring() {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    let near = UdpSocket::bind("127.0.0.1:0").unwrap();
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    far.set_nonblocking(true).unwrap();
    near.connect(far.local_addr().unwrap()).unwrap();
    for (count, left) in [(1, 1), (2, 1), (AHEAD_MAX + 1, 1), (AHEAD_MAX + 5, 5)] {
        let mut outbox = outbox(count);
        outbox.send_ahead(near.as_fd(), 0);
        assert_eq!(outbox.queued(), left);
        let received = (0..count).take_while(|_| far.recv(&mut [0; 8]).is_ok());
        assert_eq!(received.count(), count - left);
    }
}
