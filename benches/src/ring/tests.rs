use std::time::Duration;

use super::*;
use crate::clock;

#[test]
fn nops_complete_in_order() {
    let mut ring = Ring::new(4, 64).unwrap();
    let (mut submissions, mut completions) = ring.split();
    for number in 0..10 {
        submissions.nop(number).unwrap();
    }
    submissions.enter(1, None).unwrap();
    completions.sync();
    let numbers: Vec<u64> = completions.map(|cqe| cqe.user_data()).collect();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn enter_with_timeout_waits_for_it() {
    let mut ring = Ring::new(4, 8).unwrap();
    let (mut submissions, _) = ring.split();
    let start = clock::now();
    submissions
        .enter(1, Some(Duration::from_millis(2)))
        .unwrap();
    assert!(clock::now() - start >= Duration::from_millis(2));
}

#[test]
fn ring_is_entered_by_its_registered_index() {
    let ring = Ring::new(4, 8).unwrap();
    let shown = format!("{ring:?}");
    assert!(shown.contains("flags: 16"), "{shown}");
}

#[test]
fn provided_buffers_come_back_round() {
    let (left, right) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut ring = Ring::new(8, 16).unwrap();
    let mut buffers = ring.provide_buffers(0, 2, 16).unwrap();
    let (mut submissions, mut completions) = ring.split();
    submissions
        .recv_multi(right.as_raw_fd(), &buffers, 7)
        .unwrap();
    for round in 0..5_u8 {
        io::Write::write_all(&mut (&left), &[round; 16]).unwrap();
        submissions.enter(1, None).unwrap();
        completions.sync();
        let cqe = completions.next().unwrap();
        let id = cqueue::buffer_select(cqe.flags()).unwrap();
        let mut bytes = [0; 16];
        buffers.filled(id, 16).copy_to(&mut bytes);
        assert_eq!(bytes, [round; 16]);
        buffers.put(id);
        buffers.publish();
    }
}
