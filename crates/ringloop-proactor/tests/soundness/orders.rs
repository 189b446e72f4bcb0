//! Everything that a proactor gives out, dropped in any order: before it, after it, in between (F01,
//! F03, F09, F27).

use std::any::Any;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, BufGroupConfig, IoBuf, Link, Proactor, Receiver, Sender};

use crate::rig::{churn, poll_once, proactor, sound, turn};

type Thing = Box<dyn Any>;

/// One of each, with something under way.
#[expect(clippy::too_many_lines, reason = "a line for each thing")]
fn things(seed: u64) -> Vec<Thing> {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut things: Vec<Thing> = Vec::new();
    let (near, far) = UnixStream::pair().unwrap();
    let (near, mut far) = (handle.adopt(near), far);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = handle.adopt(listener);
    let group = handle
        .provide(&BufGroupConfig::default().count(4).len_bytes(64))
        .unwrap();
    let fixed = handle.register_buffers(2, 5000).unwrap();

    far.write_all(b"chunk").unwrap();
    let chunk = handle.recv_provided(&near, &group);
    let mut chunk = proactor.block_on(chunk).unwrap().unwrap();
    things.push(Box::new(chunk.split_to(2)));
    things.push(Box::new(chunk));
    let mut receiver = Receiver::new(near.clone());
    far.write_all(b"shared").unwrap();
    let shared = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
    things.push(Box::new(shared));
    let direct = proactor.block_on(handle.register(&near).unwrap());
    let direct = direct.unwrap().unwrap();

    let mut recv = handle.recv(&direct, vec![0; 10_000].slice(10..9000));
    let mut read = handle.read_fixed(&near, fixed.check_out().unwrap(), u64::MAX);
    let mut provided = handle.recv_provided(&near, &group);
    let mut chain = handle
        .recv(&near, [0; 8])
        .then(handle.recv(&near, [0; 300]))
        .then(handle.nop());
    let mut accepts = handle.accept_multishot(&listener);
    let mut stream = handle.recv_multishot(&near, &group);
    let acceptor = Acceptor::new(listener.clone());
    let mut sender = Sender::new(near.clone());
    let mut inbox = handle.inbox().unwrap();
    let close = near.clone().close();
    if !seed.is_multiple_of(4) {
        assert!(poll_once(&mut recv).is_pending());
        assert!(poll_once(&mut read).is_pending());
        assert!(poll_once(&mut provided).is_pending());
        assert!(poll_once(&mut chain).is_pending());
        assert!(poll_once(&mut pin!(accepts.next())).is_pending());
        assert!(poll_once(&mut pin!(stream.next())).is_pending());
        assert!(poll_once(&mut acceptor.accept()).is_pending());
        assert!(poll_once(&mut pin!(inbox.recv())).is_pending());
        assert!(poll_once(&mut pin!(sender.write_all(&[1; 4000]))).is_ready());
        assert!(poll_once(&mut pin!(sender.flush())).is_pending());
    }
    if seed % 4 > 1 {
        turn(&mut proactor);
    }
    if seed % 4 > 2 {
        // Not all at once, so that something is still to come.
        far.write_all(&[5; 100]).unwrap();
        things.push(Box::new(TcpStream::connect(address).unwrap()));
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    things.extend([
        Box::new(recv) as Thing,
        Box::new(read),
        Box::new(provided),
        Box::new(chain),
        Box::new(accepts),
        Box::new(stream),
        Box::new(acceptor),
        Box::new(receiver),
        Box::new(sender),
        Box::new(inbox.address()),
        Box::new(inbox),
        Box::new(close),
        Box::new(fixed.check_out()),
        Box::new(fixed),
        Box::new(group.wait_provided()),
        Box::new(group),
        Box::new((near, listener)),
        Box::new(direct),
        Box::new(proactor.unparker()),
        Box::new(handle),
        Box::new(proactor),
        Box::new(far),
    ]);
    things
}

/// Puts them into one of many orders.
fn shuffle(things: &mut [Thing], seed: u64) {
    let mut state = seed;
    for at in (1..things.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(seed | 1);
        things.swap(at, (state >> 33) as usize % (at + 1));
    }
}

#[test]
fn everything_may_be_dropped_in_any_order() {
    sound(|| {
        for seed in 0..300 {
            let mut things = things(seed);
            shuffle(&mut things, seed);
            for mut thing in things {
                if let Some(proactor) = thing.downcast_mut::<Proactor>() {
                    assert_eq!(proactor.shut_down(), 0);
                    assert_eq!(proactor.stats().stale_completions, 0);
                }
                drop(thing);
            }
            if seed % 20 == 0 {
                churn();
            }
        }
    });
}

/// The same with turns in between, for as long as there is a loop.
#[test]
fn everything_may_be_dropped_in_any_order_while_the_loop_turns() {
    sound(|| {
        for seed in 1000..1300 {
            let mut things = things(seed);
            shuffle(&mut things, seed);
            let at = things.iter().position(|thing| thing.is::<Proactor>());
            let mut proactor = things.remove(at.unwrap()).downcast::<Proactor>().unwrap();
            for (at, thing) in things.into_iter().enumerate() {
                drop(thing);
                if (seed >> (at % 10)) & 1 == 0 {
                    turn(&mut proactor);
                }
            }
            crate::rig::end(*proactor);
        }
    });
}
