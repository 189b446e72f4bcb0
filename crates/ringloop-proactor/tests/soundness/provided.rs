//! Provided buffers: whoever drops what, each one comes home, and nobody reads another's bytes.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::Poll;

use ringloop_proactor::{BufGroup, BufGroupConfig, Fd, Proactor, Receiver};

use crate::rig::{churn, end, poll_once, proactor, settle, skipped, sound, turn};

fn pair(proactor: &Proactor) -> (Fd, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    (proactor.handle().adopt(near), far)
}

#[track_caller]
fn assert_home(group: &BufGroup) {
    let stats = group.stats();
    assert_eq!((stats.provided, stats.lent), (4, 0), "{stats:?}");
}

fn four() -> BufGroupConfig {
    BufGroupConfig::default().count(4).len_bytes(64)
}

/// The kernel fills one buffer for several operations in turn; their results are taken in another
/// order.
#[test]
fn results_taken_in_any_order_hold_their_own_bytes() {
    sound(|| {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let group = handle.provide(&four().incremental()).unwrap();
            let mut ends: Vec<_> = (0..3).map(|_| pair(&proactor)).collect();
            let mut recvs: Vec<_> = ends
                .iter()
                .map(|(near, _)| handle.recv_provided(near, &group))
                .collect();
            for recv in &mut recvs {
                assert!(poll_once(recv).is_pending());
            }
            turn(&mut proactor);
            for (at, (_, far)) in (0..).zip(&mut ends) {
                far.write_all(&[at; 10]).unwrap();
                turn(&mut proactor);
            }
            settle(&mut proactor);
            for at in order {
                let Poll::Ready(chunk) = poll_once(&mut recvs[at]) else {
                    panic!("it has completed")
                };
                let chunk = chunk.unwrap();
                assert_eq!(
                    chunk[..],
                    [u8::try_from(at).unwrap(); 10],
                    "taken in order {order:?}"
                );
            }
            drop((recvs, ends));
            assert_home(&group);
            drop(group);
            end(proactor);
        }
    });
}

/// The kernel fills one buffer for two streams in turn; what it brought is asked for in another order.
#[test]
fn streams_that_share_buffers_bring_their_own_bytes() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = handle.provide(&four().incremental()).unwrap();
        let mut ends: Vec<_> = (0..2).map(|_| pair(&proactor)).collect();
        let mut streams: Vec<_> = ends
            .iter()
            .map(|(near, _)| handle.recv_multishot(near, &group))
            .collect();
        for stream in &mut streams {
            assert!(poll_once(&mut pin!(stream.next())).is_pending());
        }
        turn(&mut proactor);
        for round in 0..8 {
            let (_, far) = &mut ends[round % 2];
            far.write_all(&[u8::try_from(round).unwrap(); 7]).unwrap();
            turn(&mut proactor);
        }
        for (at, stream) in streams.iter_mut().enumerate().rev() {
            for round in (at..8).step_by(2) {
                let Poll::Ready(Some(Ok(chunk))) = poll_once(&mut pin!(stream.next())) else {
                    panic!("it has arrived")
                };
                assert_eq!(chunk[..], [u8::try_from(round).unwrap(); 7]);
            }
        }
        drop((streams, ends));
        settle(&mut proactor);
        assert_home(&group);
        drop(group);
        end(proactor);
    });
}

/// While the result of a bundle waits, the other buffers go round and round.
#[test]
fn a_bundle_that_waits_to_be_taken_keeps_its_buffers() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = handle.provide(&four()).unwrap();
        let (near, mut far) = pair(&proactor);
        let (other, mut peer) = pair(&proactor);
        let mut bundle = handle.recv_bundle(&near, &group);
        assert!(poll_once(&mut bundle).is_pending());
        let bytes: Vec<u8> = (0..100).collect();
        far.write_all(&bytes).unwrap();
        settle(&mut proactor);
        for round in 0..40 {
            peer.write_all(&[round; 5]).unwrap();
            let chunk = proactor.block_on(handle.recv_provided(&other, &group));
            assert_eq!(chunk.unwrap().unwrap()[..], [round; 5]);
        }
        let Poll::Ready(result) = poll_once(&mut bundle) else {
            panic!("it has completed")
        };
        let Ok(chunks) = result else {
            return skipped("this kernel has no bundles");
        };
        let taken: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.to_vec()).collect();
        assert_eq!(taken, bytes);
        drop((chunks, near, other));
        assert_home(&group);
        drop((bundle, group));
        end(proactor);
    });
}

/// F08: ten times as many dropped reads as there are buffers, whatever was under way.
#[test]
fn buffers_of_dropped_reads_come_home() {
    sound(|| {
        for config in [four(), four().incremental()] {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let group = handle.provide(&config).unwrap();
            let (near, mut far) = pair(&proactor);
            for round in 0..120 {
                let mut recv = handle.recv_provided(&near, &group);
                assert!(poll_once(&mut recv).is_pending());
                if round % 3 > 0 {
                    turn(&mut proactor);
                }
                far.write_all(&[1; 40]).unwrap();
                if round % 3 > 1 {
                    settle(&mut proactor);
                }
                drop(recv);
                settle(&mut proactor);
            }
            // What nobody received is there, and all buffers are there to receive it.
            let mut stream = handle.recv_multishot(&near, &group);
            drop(proactor.block_on(stream.next()).unwrap());
            drop((stream, near));
            settle(&mut proactor);
            assert_home(&group);
            drop(group);
            end(proactor);
        }
    });
}

/// The same for the buffers that all receivers share: numbered bytes, no gap and no repeat (F07).
#[test]
fn bytes_of_dropped_reads_stay_in_the_stream() {
    sound(|| {
        let mut proactor = proactor();
        let (near, mut far) = pair(&proactor);
        let mut receiver = Receiver::new(near);
        let mut expected = 0_u8;
        for round in 0..100 {
            // Eight buffers there are; a hundred reads are dropped, each with bytes for it there.
            assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 50]))).is_pending());
            let bytes: Vec<u8> = (0..50).map(|at| expected.wrapping_add(at)).collect();
            far.write_all(&bytes).unwrap();
            if round % 2 == 0 {
                turn(&mut proactor);
            }
            let mut bytes = [0; 50];
            let mut taken = 0;
            while taken < 50 {
                let read = receiver.read(&mut bytes[..1 + round % 50]);
                let count = proactor.block_on(read).unwrap().unwrap();
                for byte in &bytes[..count] {
                    assert_eq!(*byte, expected);
                    expected = expected.wrapping_add(1);
                }
                taken += count;
            }
        }
        drop(receiver);
        end(proactor);
    });
}

/// F09: leases, groups and pools that outlive their proactor, in every order.
#[test]
fn leases_outlive_everything_else() {
    sound(|| {
        for order in 0..6 {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let group = handle.provide(&four()).unwrap();
            let (near, mut far) = pair(&proactor);
            far.write_all(b"provided").unwrap();
            let chunk = proactor.block_on(handle.recv_provided(&near, &group));
            let mut chunk = chunk.unwrap().unwrap();
            let part = chunk.split_to(4);
            far.write_all(b"shared").unwrap();
            let mut receiver = Receiver::new(near.clone());
            let shared = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
            drop(handle);
            let mut things: Vec<Box<dyn std::any::Any>> = vec![
                Box::new(proactor),
                Box::new(group),
                Box::new((receiver, near)),
            ];
            things.rotate_left(order % 3);
            if order >= 3 {
                things.reverse();
            }
            for thing in things {
                drop(thing);
                churn();
                assert_eq!((&part[..], &chunk[..]), (&b"prov"[..], &b"ided"[..]));
                assert_eq!(&shared[..], b"shared");
            }
            drop((part, shared, chunk));
        }
    });
}
