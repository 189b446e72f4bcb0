use std::net::UdpSocket;
use std::rc::Rc;

use super::RecvDatagrams;
use crate::net::datagram_receiver::state::State;
use crate::op::{Flow, Service};
use crate::ring::Cqe;
use crate::wakes::Wakes;
use crate::{Config, Proactor};

/// `IORING_CQE_F_BUFFER` and `IORING_CQE_F_MORE`, with the buffer of number zero.
const BUFFER: u32 = 1;
const MORE: u32 = 2;

fn completion(res: i32, flags: u32) -> Cqe {
    Cqe {
        user_data: 0,
        res,
        flags,
    }
}

fn service(proactor: &Proactor) -> RecvDatagrams {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    RecvDatagrams::new(Rc::new(State::ip(proactor.handle().adopt(socket))))
}

/// A message without a name and without bytes.
fn empty_message(service: &RecvDatagrams) -> i32 {
    i32::try_from(service.state.layout.prefix()).unwrap()
}

#[test]
fn what_comes_after_the_end_of_the_receiver_is_given_back() {
    let proactor = Proactor::new(&Config::default()).unwrap();
    let mut service = service(&proactor);
    let mut wakes = Wakes::default();
    let pool = Rc::clone(service.state.lender());
    let provided = pool.provided();
    let message = empty_message(&service);
    assert_eq!(
        service.on_completion(completion(message, BUFFER | MORE), &mut wakes),
        Flow::Rest
    );
    assert_eq!(pool.provided(), provided - 1, "it is queued");
    service.state.close();
    assert_eq!(pool.provided(), provided);
    for flags in [BUFFER | MORE, BUFFER] {
        let flow = service.on_completion(completion(message, flags), &mut wakes);
        assert_eq!((flow, pool.provided()), (Flow::Rest, provided));
    }
    // Nor does it begin again, for whatever reason it has ended.
    for errno in [libc::ENOBUFS, libc::EINTR, libc::ECANCELED, libc::EIO] {
        let flow = service.on_completion(completion(-errno, 0), &mut wakes);
        assert_eq!((flow, errno), (Flow::Rest, errno));
        assert_eq!(service.state.stats().queued, 0);
    }
}

#[test]
fn a_full_queue_asks_for_the_end_once() {
    let proactor = Proactor::new(&Config::default()).unwrap();
    let mut service = service(&proactor);
    let mut wakes = Wakes::default();
    let message = empty_message(&service);
    let pool = Rc::clone(service.state.lender());
    let flows: Vec<_> = (0..service.state.pieces_max + 2)
        .map(|_| {
            assert!(pool.refill(), "the kernel has something to pick from");
            service.on_completion(completion(message, BUFFER | MORE), &mut wakes)
        })
        .collect();
    let stops = flows.iter().filter(|flow| **flow == Flow::Stop).count();
    assert_eq!(flows[service.state.pieces_max - 1], Flow::Stop);
    assert_eq!((stops, service.state.stats().stops), (1, 1));
    // It was asked to end, it is full, and nobody waits.
    let ended = completion(-libc::ECANCELED, 0);
    assert_eq!(service.on_completion(ended, &mut wakes), Flow::Rest);
    assert!(!service.state.inbox.borrow().armed);
}
