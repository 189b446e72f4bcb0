//! Futures that are forgotten: what the kernel may write belongs to the table, so nothing but
//! memory is lost (F02).

use std::cell::RefCell;
use std::future::Future;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;

use ringloop_proactor::{Receiver, Sender};

use crate::quarantine;
use crate::rig::{churn, poll_once, proactor, settle, sound_alone, turn};

#[expect(clippy::mem_forget, reason = "this is what is tested")]
fn forget<T>(thing: T) {
    std::mem::forget(thing);
}

#[test]
fn ten_thousand_operations_may_be_forgotten() {
    let test = "forget::ten_thousand_operations_may_be_forgotten";
    sound_alone(test, || {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = handle.adopt(near);
        for at in 0..10_000 {
            // In the slot, in a box, in a vector of its own, in pages.
            match at % 4 {
                0 => forget_polled(handle.recv(&near, [0; 8])),
                1 => forget_polled(handle.recv(&near, [0; 200])),
                2 => forget_polled(handle.recv(&near, vec![0; 8])),
                _ => forget_polled(handle.recv(&near, vec![0; 5000])),
            }
            if at % 100 == 0 {
                turn(&mut proactor);
            }
        }
        assert_eq!(proactor.stats().live, 10_000);
        churn();
        // The kernel fills those that are first in line, with the memory of none of the others.
        far.set_nonblocking(true).unwrap();
        for _ in 0..50 {
            drop(far.write(&[0x77; 10_000]));
            turn(&mut proactor);
            churn();
        }
        quarantine::check();
        assert_eq!(proactor.stats().live, 10_000);
        let mut nop = handle.nop();
        assert!(poll_once(&mut nop).is_pending());
        assert_eq!(proactor.shut_down(), 0);
        assert_eq!(proactor.stats().live, 10_001);
        drop((proactor, handle, near, nop));
        churn();
    });
}

fn forget_polled<F: Future + Unpin>(mut future: F) {
    assert!(poll_once(&mut future).is_pending());
    forget(Box::new(future));
}

/// A slice that was lent to a read or write which was forgotten is the caller's again: the kernel
/// never had it.
#[test]
fn slices_of_forgotten_reads_are_the_callers_again() {
    let test = "forget::slices_of_forgotten_reads_are_the_callers_again";
    sound_alone(test, || {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = handle.adopt(near);
        let mut receiver = Receiver::new(near.clone());
        let mut sender = Sender::new(near);
        let mut slice = vec![1; 6000];
        let mut read = Box::pin(receiver.read(&mut slice));
        assert!(poll_once(&mut read).is_pending());
        forget(read);
        turn(&mut proactor);
        drop(slice);
        churn();
        far.write_all(&[2; 100]).unwrap();
        turn(&mut proactor);
        turn(&mut proactor);
        quarantine::check();
        let mut slice = vec![3; 300_000];
        let mut write = Box::pin(sender.write_all(&slice));
        assert!(poll_once(&mut write).is_pending());
        forget(write);
        slice.fill(4);
        drop(slice);
        churn();
        turn(&mut proactor);
        let mut bytes = vec![0; 100_000];
        std::io::Read::read_exact(&mut far, &mut bytes).unwrap();
        assert!(bytes.iter().all(|&byte| byte == 3));
        drop(far);
    });
}

/// A future that owns itself is never dropped.
#[test]
fn forgotten_in_a_cycle_of_counts() {
    sound_alone("forget::forgotten_in_a_cycle_of_counts", || {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, mut far) = UnixStream::pair().unwrap();
        let near = handle.adopt(near);
        for _ in 0..100 {
            let cycle = Rc::new(RefCell::new(None::<Pin<Box<dyn Future<Output = ()>>>>));
            let own = Rc::clone(&cycle);
            let recv = handle.recv(&near, vec![0; 4]);
            *cycle.borrow_mut() = Some(Box::pin(async move {
                drop(recv.await);
                drop(own);
            }));
            let mut future = cycle.borrow_mut();
            assert!(poll_once(future.as_mut().unwrap()).is_pending());
        }
        turn(&mut proactor);
        far.write_all(&[9; 400]).unwrap();
        settle(&mut proactor);
        churn();
    });
}
