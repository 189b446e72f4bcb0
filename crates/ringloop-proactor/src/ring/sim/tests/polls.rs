use std::os::fd::AsRawFd;

use ringloop_core::Unpark;

use super::{address, on_both, with};
use crate::ring::sim::opcode::{PIPE, POLL_ADD, READ, RECV, SEND, WRITE};
use crate::ring::{SleepWord, Sqe};

fn poll(fd: i32, events: i16) -> Sqe {
    Sqe {
        op_flags: u32::from(events.cast_unsigned()),
        ..Sqe::new(POLL_ADD, fd)
    }
}

fn events(events: i16) -> i32 {
    events.into()
}

#[test]
fn a_poll_waits_for_what_it_asks_for() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        assert_eq!(
            bench.result(poll(far, libc::POLLOUT)),
            events(libc::POLLOUT)
        );
        let [readable] = bench.push([poll(far, libc::POLLIN)]);
        bench.turn();
        assert!(!bench.has(readable));
        assert_eq!(bench.result(with(SEND, near, &mut [1])), 1);
        assert_eq!(bench.next(readable).res, events(libc::POLLIN));
        bench.close(&[near, far]);
    });
}

#[test]
fn a_multishot_poll_tells_each_change() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let [news] = bench.push([Sqe {
            len: 1,
            ..poll(far, libc::POLLIN)
        }]);
        bench.turn();
        for _ in 0..3 {
            assert_eq!(bench.result(with(SEND, near, &mut [1])), 1);
            let cqe = bench.next(news);
            assert_eq!(cqe.res & 1, 1);
            assert!(!cqe.is_last());
            assert_eq!(bench.result(with(RECV, far, &mut [0])), 1);
            bench.turn();
            assert!(!bench.has(news), "{}", bench.name);
        }
        bench.close(&[near]);
        let hung_up = events(libc::POLLIN);
        assert_eq!(bench.next(news).res & hung_up, hung_up);
        bench.close(&[far]);
    });
}

#[test]
fn pipes_are_read_written_and_hung_up() {
    on_both(|bench| {
        let mut ends = [-1; 2];
        let make = Sqe {
            address: address(&mut ends),
            op_flags: libc::O_CLOEXEC.cast_unsigned(),
            ..Sqe::new(PIPE, 0)
        };
        assert_eq!(bench.result(make), 0);
        let [reader, writer] = ends;
        let mut buffer = [0; 8];
        let [read] = bench.push([with(READ, reader, &mut buffer)]);
        bench.turn();
        assert!(!bench.has(read));
        let mut nothing: [u8; 0] = [];
        assert_eq!(bench.result(with(READ, reader, &mut nothing)), 0);
        assert_eq!(bench.result(with(WRITE, writer, &mut { *b"pipe" })), 4);
        assert_eq!(bench.next(read).res, 4);
        assert_eq!(bench.result(with(READ, writer, &mut buffer)), -libc::EBADF);
        assert_eq!(bench.result(with(WRITE, reader, &mut buffer)), -libc::EBADF);
        bench.close(&[writer]);
        assert_eq!(
            bench.result(poll(reader, libc::POLLIN)),
            events(libc::POLLHUP)
        );
        assert_eq!(bench.result(with(READ, reader, &mut buffer)), 0);
        bench.close(&[reader]);
        assert_eq!(bench.result(make), 0);
        let [reader, writer] = ends;
        bench.close(&[reader]);
        assert_eq!(
            bench.result(with(WRITE, writer, &mut { *b"pipe" })),
            -libc::EPIPE
        );
        bench.close(&[writer]);
    });
}

#[test]
fn a_real_descriptor_can_be_polled() {
    on_both(|bench| {
        let word = SleepWord::new().unwrap();
        let wakes = Sqe {
            len: 1,
            ..poll(word.raw_eventfd(), libc::POLLIN)
        };
        let [wakes] = bench.push([wakes]);
        bench.turn();
        for _ in 0..2 {
            assert!(!bench.has(wakes), "{}", bench.name);
            assert!(word.fall_asleep());
            word.unpark();
            word.wake_up();
            // It is never read, so it stays readable: only the change is told.
            assert_eq!(bench.next(wakes).res, 1);
            bench.turn();
        }
        let once = poll(word.raw_eventfd(), libc::POLLIN);
        assert_eq!(bench.results([once, once]), [1, 1]);
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let both = libc::POLLIN | libc::POLLOUT;
        assert_eq!(bench.result(poll(file.as_raw_fd(), both)), events(both));
    });
}
