//! Sends without a copy: the kernel reads the buffer after the send has completed, until its
//! notification comes (F12).

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Fd, Proactor};

use crate::quarantine;
use crate::rig::{churn, end, poll_once, settle, skipped, small, sound, sound_alone, turn};

/// More than the buffers of two sockets hold, so that a part waits in the sender's memory.
const LEN: usize = 8 << 20;

fn connected(proactor: &Proactor) -> (Fd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    (proactor.handle().adopt(near), far)
}

/// Bytes of which each tells where it belongs; none of them is a mark of freed memory.
fn pattern() -> Vec<u8> {
    (0..LEN).map(|at| (at % 199).to_le_bytes()[0]).collect()
}

/// Reads to the end, and returns how many bytes came.
fn read_pattern(mut far: TcpStream) -> usize {
    let mut bytes = Vec::new();
    // A connection that is given up with bytes unsent is reset.
    drop(far.read_to_end(&mut bytes));
    let expected = (0..bytes.len()).map(|at| (at % 199).to_le_bytes()[0]);
    assert!(bytes.iter().copied().eq(expected), "freed memory was sent");
    bytes.len()
}

/// A send that has completed and has not been notified, with something in its buffer unsent.
fn half_done(proactor: &mut Proactor, near: &Fd) -> impl Future + Unpin + use<> {
    let handle = proactor.handle();
    let mut send = handle.send_zc(near, pattern(), 0);
    assert!(poll_once(&mut send).is_pending());
    let before = proactor.stats().completions;
    while proactor.stats().completions == before {
        turn(proactor);
    }
    assert!(
        poll_once(&mut send).is_pending(),
        "the notification is missing"
    );
    send
}

#[test]
fn a_dropped_send_keeps_its_buffer_until_the_notification() {
    sound(|| {
        let mut proactor = Proactor::new(&small()).unwrap();
        for _ in 0..5 {
            let (near, far) = connected(&proactor);
            drop(half_done(&mut proactor, &near));
            drop(near);
            churn();
            let reader = std::thread::spawn(move || read_pattern(far));
            while proactor.stats().live > 0 {
                proactor.park(Some(Duration::from_secs(1))).unwrap();
            }
            // The socket was the operation's last: it is closed now.
            settle(&mut proactor);
            assert!(reader.join().unwrap() > 0);
        }
        end(proactor);
    });
}

#[test]
fn a_dropped_proactor_waits_for_the_notification() {
    sound(|| {
        for is_future_first in [false, true] {
            let mut proactor = Proactor::new(&small()).unwrap();
            let (near, far) = connected(&proactor);
            let mut send = Some(half_done(&mut proactor, &near));
            if is_future_first {
                send = None;
            }
            let reader = std::thread::spawn(move || read_pattern(far));
            assert_eq!(proactor.shut_down(), 0);
            drop((proactor, near));
            churn();
            quarantine::check();
            if let Some(mut send) = send {
                assert!(poll_once(&mut send).is_ready());
            }
            assert!(reader.join().unwrap() > 0);
        }
    });
}

/// A peer that does not read holds nobody up for longer than the bound. The memory is the kernel's
/// for good, which sends it when the peer reads after all.
#[test]
fn buffers_that_are_still_being_sent_are_forgotten() {
    let test = "zero_copy::buffers_that_are_still_being_sent_are_forgotten";
    sound_alone(test, || {
        let config = small().drain(Duration::from_millis(20));
        let mut proactor = Proactor::new(&config).unwrap();
        let (near, far) = connected(&proactor);
        let send = half_done(&mut proactor, &near);
        let leaked = proactor.shut_down();
        drop((send, near, proactor));
        churn();
        if leaked == 0 {
            skipped("the kernel let go of the buffer");
        }
        // The descriptor is leaked with the operation, so there is no end to read to.
        far.set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        assert!(read_pattern(far) > 0);
    });
}
