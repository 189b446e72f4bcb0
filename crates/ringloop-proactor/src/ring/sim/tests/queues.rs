use super::{nop, on_both_of, with};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{POLL_ADD, RECV, SEND};

#[test]
fn a_full_submission_queue_refuses() {
    on_both_of(2, |bench| {
        bench.push([nop(), nop()]);
        assert!(!bench.ring.push(&nop()), "{}", bench.name);
        assert!(bench.ring.has_unsubmitted());
        bench.turn();
        assert!(!bench.ring.has_unsubmitted());
        assert!(bench.ring.push(&nop()));
    });
}

#[test]
fn what_overflows_comes_later_and_in_order() {
    on_both_of(2, |bench| {
        // Eight completions fit.
        for start in 0..16 {
            for at in [0, 1] {
                let sqe = Sqe {
                    user_data: start * 2 + at,
                    ..nop()
                };
                assert!(bench.ring.push(&sqe));
            }
            bench.ring.enter(0, None).unwrap();
        }
        let mut seen = Vec::new();
        while seen.len() < 32 {
            let before = seen.len();
            seen.extend(bench.ring.completions().map(|cqe| cqe.user_data));
            assert_eq!(seen.len() - before, 8, "{}", bench.name);
            assert_eq!(bench.ring.is_flagged(), seen.len() < 32, "{}", bench.name);
            bench.ring.enter(0, None).unwrap();
        }
        assert_eq!(seen, (0..32).collect::<Vec<u64>>());
    });
}

#[test]
fn an_overflow_ends_a_multishot_request() {
    on_both_of(2, |bench| {
        let (near, far) = bench.pair();
        let [news] = bench.push([Sqe {
            op_flags: 1,
            len: 1,
            ..Sqe::new(POLL_ADD, far)
        }]);
        bench.turn();
        for _ in 0..4 {
            bench.push([nop(), nop()]);
            bench.ring.enter(0, None).unwrap();
        }
        let mut byte = [1];
        bench.push([with(SEND, near, &mut byte)]);
        bench.ring.enter(0, None).unwrap();
        let mut found = None;
        for _ in 0..4 {
            found = found.or(bench.ring.completions().find(|cqe| cqe.user_data == news));
            bench.ring.enter(0, None).unwrap();
        }
        let cqe = found.unwrap();
        assert_eq!((cqe.res, cqe.is_last()), (1, true), "{}", bench.name);
        assert_eq!(bench.result(with(RECV, far, &mut [0; 2])), 1);
        bench.close(&[near, far]);
    });
}

#[test]
fn completions_appear_only_inside_enter() {
    on_both_of(8, |bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 4];
        bench.push([with(RECV, far, &mut buffer)]);
        bench.turn();
        match bench.simulation() {
            None => {
                use std::io::Write;
                // A descriptor of its own for the other side of the connection.
                let near = crate::ring::sim::placeholder::duplicate(near).unwrap();
                std::net::TcpStream::from(near).write_all(b"data").unwrap();
            }
            Some(_) => {
                crate::ring::sim::placeholder::close(near).unwrap();
            }
        }
        assert!(!bench.ring.has_completions(), "{}", bench.name);
        while !bench.ring.is_flagged() {
            std::thread::yield_now();
        }
        assert!(!bench.ring.has_completions(), "{}", bench.name);
        bench.ring.enter(0, None).unwrap();
        assert!(bench.ring.has_completions(), "{}", bench.name);
        bench.close(&[far]);
        if bench.simulation().is_none() {
            bench.close(&[near]);
        }
    });
}
