use super::{address, nop, on_both};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{ASYNC_CANCEL, TIMEOUT, TIMEOUT_REMOVE};

fn timeout(time: &mut [i64; 2]) -> Sqe {
    Sqe {
        address: address(time),
        len: 1,
        ..Sqe::new(TIMEOUT, -1)
    }
}

#[test]
fn timeouts_end_in_the_order_of_their_times() {
    on_both(|bench| {
        let (mut late, mut soon) = ([0, 2_000_000], [0, 500_000]);
        let [late, soon] = bench.push([timeout(&mut late), timeout(&mut soon)]);
        assert_eq!(bench.next(soon).res, -libc::ETIME);
        assert!(!bench.has(late) || bench.name == "kernel");
        assert_eq!(bench.next(late).res, -libc::ETIME);
    });
}

#[test]
fn a_timeout_can_be_removed_and_cancelled() {
    on_both(|bench| {
        let mut hour = [3600, 0];
        for opcode in [TIMEOUT_REMOVE, ASYNC_CANCEL] {
            let [timer] = bench.push([timeout(&mut hour)]);
            bench.turn();
            let remove = Sqe {
                address: timer,
                ..Sqe::new(opcode, -1)
            };
            assert_eq!(bench.result(remove), 0);
            assert_eq!(bench.next(timer).res, -libc::ECANCELED);
            assert_eq!(bench.result(remove), -libc::ENOENT);
        }
    });
}

#[test]
fn a_timeout_may_be_updated() {
    on_both(|bench| {
        let (mut hour, mut now) = ([3600, 0], [0_i64, 1000]);
        let [timer] = bench.push([timeout(&mut hour)]);
        bench.turn();
        let update = Sqe {
            address: timer,
            offset: address(&mut now),
            op_flags: 2,
            ..Sqe::new(TIMEOUT_REMOVE, -1)
        };
        assert_eq!(bench.result(update), 0);
        assert_eq!(bench.next(timer).res, -libc::ETIME);
    });
}

#[test]
fn a_timeout_may_count_completions() {
    on_both(|bench| {
        let mut hour = [3600, 0];
        let [timer] = bench.push([Sqe {
            offset: 2,
            ..timeout(&mut hour)
        }]);
        bench.turn();
        assert_eq!(bench.results([nop(), nop()]), [0, 0]);
        assert_eq!(bench.next(timer).res, 0, "{}", bench.name);
    });
}

#[test]
fn a_timeout_may_fire_again() {
    on_both(|bench| {
        let mut moment = [0, 1000];
        let [timer] = bench.push([Sqe {
            op_flags: 1 << 6,
            offset: 3,
            ..timeout(&mut moment)
        }]);
        for is_last in [false, false, true] {
            let cqe = bench.next(timer);
            assert_eq!(
                (cqe.res, cqe.is_last()),
                (-libc::ETIME, is_last),
                "{}",
                bench.name
            );
        }
    });
}
