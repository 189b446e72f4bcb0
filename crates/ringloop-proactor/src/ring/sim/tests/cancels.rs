use super::{nop, on_both, with};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{ASYNC_CANCEL, POLL_ADD, POLL_REMOVE, RECV, SEND};

fn cancel(user_data: u64, flags: u32) -> Sqe {
    Sqe {
        address: user_data,
        op_flags: flags,
        ..Sqe::new(ASYNC_CANCEL, -1)
    }
}

const ALL: u32 = 1;
const FD: u32 = 2;
const ANY: u32 = 4;

#[test]
fn a_cancel_finds_its_target_or_says_so() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 8];
        let [recv] = bench.push([with(RECV, far, &mut buffer)]);
        bench.turn();
        assert_eq!(bench.result(cancel(recv, 0)), 0);
        assert_eq!(bench.next(recv).res, -libc::ECANCELED);
        assert_eq!(bench.result(cancel(recv, 0)), -libc::ENOENT);
        let [done] = bench.push([nop()]);
        bench.turn();
        assert_eq!(bench.result(cancel(done, 0)), -libc::ENOENT);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_cancel_of_many_counts_them() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffers = [[0; 8]; 3];
        let [first, second, third] = &mut buffers;
        let recvs = bench.push([
            with(RECV, far, first),
            with(RECV, far, second),
            with(RECV, near, third),
        ]);
        bench.turn();
        let on = |fd, flags| Sqe {
            fd,
            ..cancel(0, flags)
        };
        assert_eq!(bench.result(on(far, FD | ALL)), 2, "{}", bench.name);
        assert_eq!(bench.result(on(far, FD | ALL)), 0);
        assert_eq!(bench.result(on(far, FD)), -libc::ENOENT);
        assert_eq!(bench.result(cancel(0, ANY)), 1);
        for recv in recvs {
            assert_eq!(bench.next(recv).res, -libc::ECANCELED);
        }
        assert_eq!(bench.result(cancel(0, ANY | ALL)), 0);
        bench.close(&[near, far]);
    });
}

#[test]
fn what_was_moved_before_a_cancel_counts() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 64];
        let [recv] = bench.push([Sqe {
            op_flags: libc::MSG_WAITALL.cast_unsigned(),
            ..with(RECV, far, &mut buffer)
        }]);
        bench.turn();
        assert_eq!(bench.result(with(SEND, near, &mut { *b"abc" })), 3);
        bench.turn();
        assert_eq!(bench.result(cancel(recv, 0)), 0);
        assert_eq!(bench.next(recv).res, 3);
        assert_eq!(&buffer[..3], b"abc");
        bench.close(&[near, far]);
    });
}

#[test]
fn a_poll_can_be_removed() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let [poll] = bench.push([Sqe {
            op_flags: 1,
            ..Sqe::new(POLL_ADD, far)
        }]);
        bench.turn();
        let remove = Sqe {
            address: poll,
            ..Sqe::new(POLL_REMOVE, -1)
        };
        assert_eq!(bench.result(remove), 0);
        assert_eq!(bench.next(poll).res, -libc::ECANCELED);
        assert_eq!(bench.result(remove), -libc::ENOENT);
        bench.close(&[near, far]);
    });
}
