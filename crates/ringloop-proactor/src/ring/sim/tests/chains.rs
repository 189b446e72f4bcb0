use super::{address, nop, nop_saying, on_both, with};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{ASYNC_CANCEL, LINK_TIMEOUT, RECV, SEND, TIMEOUT, UNLINKAT};

const LINK: u8 = 4;
const HARDLINK: u8 = 8;
const SKIP: u8 = 64;
const ETIME_SUCCESS: u32 = 1 << 5;

fn flagged(flags: u8, sqe: Sqe) -> Sqe {
    Sqe { flags, ..sqe }
}

fn limit(time: &mut [i64; 2]) -> Sqe {
    Sqe {
        address: address(time),
        len: 1,
        ..Sqe::new(LINK_TIMEOUT, -1)
    }
}

#[test]
fn a_failure_cancels_the_rest_of_a_chain() {
    on_both(|bench| {
        let chain = [
            flagged(LINK, nop()),
            flagged(LINK, nop_saying(-5)),
            flagged(LINK, nop()),
            nop(),
            nop(),
        ];
        let canceled = -libc::ECANCELED;
        assert_eq!(bench.results(chain), [0, -5, canceled, canceled, 0]);
    });
}

#[test]
fn a_name_that_is_missing_breaks_no_chain() {
    on_both(|bench| {
        let mut path = *b"/ringloop-nobody-has-this-name\0";
        let unlink = Sqe {
            address: address(&mut path),
            ..Sqe::new(UNLINKAT, libc::AT_FDCWD)
        };
        let results = bench.results([flagged(LINK, unlink), nop()]);
        assert_eq!(results, [-libc::ENOENT, 0], "{}", bench.name);
    });
}

#[test]
fn a_timeout_breaks_its_chain_unless_told_not_to() {
    on_both(|bench| {
        let mut time = [0_i64, 1_000_000];
        for (op_flags, next) in [(ETIME_SUCCESS, 0), (0, -libc::ECANCELED)] {
            let timeout = Sqe {
                address: address(&mut time),
                len: 1,
                op_flags,
                ..Sqe::new(TIMEOUT, -1)
            };
            let results = bench.results([flagged(LINK, timeout), nop()]);
            assert_eq!(results, [-libc::ETIME, next], "{}", bench.name);
        }
    });
}

#[test]
fn a_hard_link_holds() {
    on_both(|bench| {
        let chain = [flagged(HARDLINK, nop_saying(-5)), nop()];
        assert_eq!(bench.results(chain), [-5, 0]);
    });
}

#[test]
fn the_next_waits_for_the_one_before() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 8];
        let [recv, next] = bench.push([flagged(LINK, with(RECV, far, &mut buffer)), nop()]);
        bench.turn();
        assert!(!bench.has(next), "{}", bench.name);
        let started = Sqe {
            address: next,
            ..Sqe::new(ASYNC_CANCEL, -1)
        };
        assert_eq!(bench.result(started), -libc::ENOENT, "{}", bench.name);
        assert_eq!(bench.result(with(SEND, near, &mut [1])), 1);
        // A short receive breaks no link.
        assert_eq!(bench.next(recv).res, 1);
        assert_eq!(bench.next(next).res, 0);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_bad_entry_fails_its_chain() {
    on_both(|bench| {
        let chain = [flagged(LINK, nop()), Sqe::new(250, -1), nop()];
        assert_eq!(bench.results(chain), [-libc::ECANCELED, -libc::EINVAL, 0]);
    });
}

#[test]
fn a_link_timeout_ends_what_takes_too_long() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let (mut buffer, mut time) = ([0; 8], [0, 1_000_000]);
        let results = bench.results([
            flagged(LINK, with(RECV, far, &mut buffer)),
            limit(&mut time),
        ]);
        assert_eq!(results, [-libc::ECANCELED, -libc::ETIME], "{}", bench.name);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_link_timeout_ends_with_what_it_watches() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let (mut buffer, mut time) = ([0; 8], [3600, 0]);
        let [recv, timeout] = bench.push([
            flagged(LINK, with(RECV, far, &mut buffer)),
            limit(&mut time),
        ]);
        bench.turn();
        assert_eq!(bench.result(with(SEND, near, &mut [1])), 1);
        assert_eq!(bench.next(recv).res, 1);
        assert_eq!(bench.next(timeout).res, -libc::ECANCELED);
        assert_eq!(bench.result(limit(&mut time)), -libc::EINVAL);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_success_may_be_left_unsaid() {
    on_both(|bench| {
        let [quiet, failed, last] =
            bench.push([flagged(SKIP, nop()), flagged(SKIP, nop_saying(-5)), nop()]);
        assert_eq!(bench.next(last).res, 0);
        assert_eq!(bench.next(failed).res, -5);
        assert!(!bench.has(quiet), "{}", bench.name);
    });
}
