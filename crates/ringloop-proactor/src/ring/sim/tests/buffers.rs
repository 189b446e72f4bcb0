use super::{Bench, address, on_both, with};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{ASYNC_CANCEL, RECV, SEND};

/// A ring of four provided buffers, as the kernel reads it.
#[repr(C, align(4096))]
struct Group {
    entries: [[u64; 2]; 4],
    buffers: [[u8; 8]; 4],
}

impl Group {
    fn new(bench: &mut Bench) -> Box<Self> {
        Self::with_flags(bench, 0)
    }

    fn with_flags(bench: &mut Bench, flags: u16) -> Box<Self> {
        let mut group = Box::new(Self {
            entries: [[0; 2]; 4],
            buffers: [[0; 8]; 4],
        });
        let ring = address(&mut group.entries);
        bench
            .ring
            .register_buffers(usize::try_from(ring).unwrap(), 4, 3, flags)
            .unwrap();
        group
    }

    /// Provides the first `count` buffers, at positions from `tail` on.
    fn provide(&mut self, tail: u16, count: u16) {
        for at in 0..count {
            let id = at;
            let slot = usize::from((tail + at) % 4);
            let buffer = address(&mut self.buffers[usize::from(id)]);
            let kept = self.entries[slot][1] & (0xffff << 48);
            self.entries[slot] = [buffer, 8 | u64::from(id) << 32 | kept];
        }
        let others = self.entries[0][1] & !(0xffff << 48);
        self.entries[0][1] = others | u64::from(tail + count) << 48;
    }
}

fn select(fd: i32, ioprio: u16) -> Sqe {
    Sqe {
        flags: 1 << 5,
        buffer: 3,
        ioprio,
        ..Sqe::new(RECV, fd)
    }
}

const POLL_FIRST: u16 = 1;
const MULTISHOT: u16 = 2;

#[test]
fn an_empty_group_is_an_answer_at_once() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut group = Group::new(bench);
        assert_eq!(bench.result(select(far, 0)), -libc::ENOBUFS);
        let [patient] = bench.push([select(far, POLL_FIRST | MULTISHOT)]);
        bench.turn();
        assert!(!bench.has(patient), "{}", bench.name);
        assert_eq!(bench.result(with(SEND, near, &mut { *b"stays" })), 5);
        let cqe = bench.next(patient);
        assert_eq!((cqe.res, cqe.is_last()), (-libc::ENOBUFS, true));
        group.provide(0, 1);
        let [recv] = bench.push([select(far, 0)]);
        let cqe = bench.next(recv);
        assert_eq!((cqe.res, cqe.buffer_id()), (5, Some(0)));
        assert_eq!(&group.buffers[0][..5], b"stays");
        bench.ring.unregister_buffers(3).unwrap();
        assert!(bench.ring.unregister_buffers(3).is_err());
        bench.close(&[near, far]);
    });
}

#[test]
fn a_multishot_receive_takes_buffer_after_buffer() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut group = Group::new(bench);
        group.provide(0, 4);
        let [recv] = bench.push([select(far, MULTISHOT)]);
        bench.turn();
        assert_eq!(
            bench.result(with(SEND, near, &mut { *b"twelve bytes" })),
            12
        );
        let (first, second) = (bench.next(recv), bench.next(recv));
        assert_eq!((first.res, second.res), (8, 4));
        assert_eq!((first.buffer_id(), second.buffer_id()), (Some(0), Some(1)));
        assert!(!first.is_last() && !second.is_last());
        assert_eq!(&group.buffers[0], b"twelve b");
        assert_eq!(&group.buffers[1][..4], b"ytes");
        // Two are left: the third piece finds none.
        assert_eq!(bench.result(with(SEND, near, &mut [7; 20])), 20);
        assert_eq!((bench.next(recv).res, bench.next(recv).res), (8, 8));
        let last = bench.next(recv);
        assert_eq!((last.res, last.is_last()), (-libc::ENOBUFS, true));
        // Provided again, the first two serve; the end takes none.
        group.provide(4, 2);
        let [recv] = bench.push([select(far, MULTISHOT)]);
        let cqe = bench.next(recv);
        assert_eq!((cqe.res, cqe.buffer_id()), (4, Some(0)), "{}", bench.name);
        bench.close(&[near]);
        let end = bench.next(recv);
        assert_eq!((end.res, end.buffer_id(), end.is_last()), (0, None, true));
        bench.ring.unregister_buffers(3).unwrap();
        bench.close(&[far]);
    });
}

#[test]
fn a_cancelled_receive_takes_no_buffer() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut group = Group::new(bench);
        group.provide(0, 1);
        let [recv] = bench.push([select(far, MULTISHOT)]);
        bench.turn();
        let cancel = Sqe {
            address: recv,
            ..Sqe::new(ASYNC_CANCEL, -1)
        };
        assert_eq!(bench.result(cancel), 0);
        let cqe = bench.next(recv);
        assert_eq!((cqe.res, cqe.buffer_id()), (-libc::ECANCELED, None));
        assert_eq!(bench.result(with(SEND, near, &mut [1])), 1);
        assert_eq!(bench.result(select(far, 0)), 1);
        bench.ring.unregister_buffers(3).unwrap();
        bench.close(&[near, far]);
    });
}

#[test]
fn an_incremental_group_fills_its_buffers_part_by_part() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut group = Group::with_flags(bench, 1 << 1);
        group.provide(0, 2);
        let [recv] = bench.push([select(far, MULTISHOT)]);
        bench.turn();
        for (part, is_kept) in [
            (&mut *b"one".to_vec(), true),
            (&mut *b"three".to_vec(), false),
        ] {
            let len = i32::try_from(part.len()).unwrap();
            assert_eq!(bench.result(with(SEND, near, part)), len);
            let cqe = bench.next(recv);
            let seen = (cqe.res, cqe.buffer_id(), cqe.keeps_buffer());
            assert_eq!(seen, (len, Some(0), is_kept), "{}", bench.name);
        }
        assert_eq!(&group.buffers[0], b"onethree");
        bench.close(&[near]);
        assert_eq!(bench.next(recv).res, 0);
        bench.ring.unregister_buffers(3).unwrap();
        bench.close(&[far]);
    });
}

#[test]
fn a_bundle_fills_several_buffers_at_once() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut group = Group::new(bench);
        group.provide(0, 4);
        assert_eq!(
            bench.result(with(SEND, near, &mut { *b"twelve bytes" })),
            12
        );
        let [recv] = bench.push([select(far, BUNDLE)]);
        let cqe = bench.next(recv);
        assert_eq!((cqe.res, cqe.buffer_id()), (12, Some(0)), "{}", bench.name);
        assert_eq!(
            (&group.buffers[0], &group.buffers[1][..4]),
            (b"twelve b", &b"ytes"[..])
        );
        bench.ring.unregister_buffers(3).unwrap();
        bench.close(&[near, far]);
    });
}

const BUNDLE: u16 = 1 << 4;
