use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Bench, address, nop, with};
use crate::config::Config;
use crate::ring::sim::opcode::{
    ACCEPT, ASYNC_CANCEL, FTRUNCATE, OPENAT, READ, RECV, SEND, SEND_ZC, STATX, WRITE,
};
use crate::ring::sim::{Faults, SimConfig, SimRing};
use crate::ring::{Ring, Sqe};

const ALWAYS: u16 = 1000;

/// A simulated ring on which one thing goes wrong.
fn bench(fault: fn(&mut Faults)) -> Bench {
    let mut faults = Faults::none();
    fault(&mut faults);
    let sim = SimConfig::default().seed(1).faults(faults);
    let ring = SimRing::new(&Config::default(), &sim).unwrap();
    Bench::new(Ring::Sim(ring), "sim")
}

fn open(bench: &mut Bench, name: &str, bytes: &[u8]) -> i32 {
    bench.simulation().unwrap().write_file(name, bytes);
    let name = CString::new(name).unwrap();
    bench.open(Sqe {
        address: name.as_ptr().expose_provenance() as u64,
        op_flags: libc::O_RDWR.cast_unsigned(),
        ..Sqe::new(OPENAT, libc::AT_FDCWD)
    })
}

fn cancel(user_data: u64) -> Sqe {
    Sqe {
        address: user_data,
        ..Sqe::new(ASYNC_CANCEL, -1)
    }
}

#[test]
fn a_destination_is_overwritten_before_its_time() {
    let mut bench = bench(|faults| faults.scribble = ALWAYS);
    let (near, far) = bench.pair();
    let mut buffer = [0; 64];
    let [recv] = bench.push([with(RECV, far, &mut buffer)]);
    bench.turn();
    assert!(!bench.has(recv));
    assert!(buffer.iter().all(|&byte| byte == buffer[0]) && buffer[0] != 0);
    assert_eq!(bench.result(with(SEND, near, &mut { *b"data" })), 4);
    assert_eq!(bench.next(recv).res, 4);
    assert_eq!(&buffer[..4], b"data");
    bench.close(&[near, far]);
}

#[test]
fn a_ring_that_is_closed_still_writes() {
    let mut bench = bench(|_| {});
    let (near, far) = bench.pair();
    let mut buffer = [0; 64];
    bench.push([with(RECV, far, &mut buffer)]);
    bench.turn();
    bench.close(&[near]);
    let simulation = bench.simulation().unwrap();
    let mut other = [0; 64];
    bench.push([with(RECV, far, &mut other)]);
    drop(bench);
    // Submitted and in flight: written to. Never submitted: not.
    assert_eq!(simulation.in_flight(), 0, "the end of the stream came");
    assert!(other.iter().all(|&byte| byte == 0));
    crate::ring::sim::placeholder::close(far).unwrap();
    assert_eq!(simulation.open_descriptors(), 0);
}

#[test]
fn memory_in_flight_is_written_when_the_ring_goes() {
    let mut bench = bench(|_| {});
    let (near, far) = bench.pair();
    let mut buffer = [0; 64];
    bench.push([with(RECV, far, &mut buffer)]);
    bench.turn();
    assert!(buffer.iter().all(|&byte| byte == 0));
    drop(bench);
    assert!(buffer.iter().all(|&byte| byte == buffer[0]) && buffer[0] != 0);
    for fd in [near, far] {
        crate::ring::sim::placeholder::close(fd).unwrap();
    }
}

#[test]
fn what_is_sent_is_read_late() {
    let mut bench = bench(|faults| faults.delay = ALWAYS);
    let (near, far) = bench.pair();
    let (mut bytes, mut buffer) = (*b"early", [0; 5]);
    let [send] = bench.push([with(SEND, near, &mut bytes)]);
    bench.turn();
    bytes = *b"later";
    assert_eq!(bench.next(send).res, 5);
    assert_eq!(bench.result(with(RECV, far, &mut buffer)), 5);
    assert_eq!((&buffer, &bytes), (b"later", b"later"));
    bench.close(&[near, far]);
}

#[test]
fn some_reads_cannot_be_cancelled() {
    let mut bench = bench(|faults| faults.uncancellable = ALWAYS);
    let file = open(&mut bench, "/tmp/firm", b"written late");
    let mut buffer = [0; 12];
    let [read] = bench.push([with(READ, file, &mut buffer)]);
    assert_eq!(bench.result(cancel(read)), -libc::ENOENT);
    assert_eq!(buffer, [0; 12]);
    assert_eq!(bench.next(read).res, 12);
    assert_eq!(&buffer, b"written late");
    bench.close(&[file]);
}

#[test]
fn a_cancel_that_misses_decides_nothing() {
    let mut bench = bench(|faults| faults.cancel_race = ALWAYS);
    let (near, far) = bench.pair();
    let mut buffer = [0; 12];
    for data in [true, false] {
        let [recv] = bench.push([with(RECV, far, &mut buffer)]);
        bench.turn();
        assert_eq!(bench.result(cancel(recv)), -libc::EALREADY);
        if data {
            assert_eq!(bench.result(with(SEND, near, &mut { *b"won" })), 3);
            assert_eq!(bench.next(recv).res, 3);
        } else {
            assert_eq!(bench.next(recv).res, -libc::ECANCELED);
        }
    }
    bench.close(&[near, far]);
}

#[test]
fn a_cancelled_worker_may_say_what_has_no_name() {
    let mut bench = bench(|faults| faults.restart = ALWAYS);
    let mut stat = [0; 32];
    let root = CString::new("/").unwrap();
    let [statx] = bench.push([Sqe {
        address: root.as_ptr().expose_provenance() as u64,
        offset: address::<[u64; 32]>(&mut stat),
        ..Sqe::new(STATX, libc::AT_FDCWD)
    }]);
    assert_eq!(bench.result(cancel(statx)), 0);
    let cqe = bench.next(statx);
    assert_eq!((cqe.res, cqe.errno()), (-512, libc::ECANCELED));
}

#[test]
fn a_worker_looks_its_descriptor_up_late() {
    let mut bench = bench(|_| {});
    let (first, second) = ("/tmp/first", "/tmp/second");
    let file = open(&mut bench, first, b"first");
    let [cut] = bench.push([Sqe::new(FTRUNCATE, file)]);
    bench.turn();
    crate::ring::sim::placeholder::close(file).unwrap();
    let other = open(&mut bench, second, b"second");
    assert_eq!(other, file, "numbers are reused");
    assert_eq!(bench.next(cut).res, 0);
    let simulation = bench.simulation().unwrap();
    assert_eq!(simulation.read_file(first).unwrap(), b"first");
    assert_eq!(simulation.read_file(second).unwrap(), b"");
    bench.close(&[other]);
}

#[test]
fn disks_are_full_descriptors_gone_and_connections_reset() {
    let mut bench = bench(|faults| {
        faults.no_space = ALWAYS;
        faults.reset = ALWAYS;
        faults.abort = ALWAYS;
    });
    let file = open(&mut bench, "/tmp/full", b"");
    assert_eq!(bench.result(with(WRITE, file, &mut [1])), -libc::ENOSPC);
    let (near, far) = bench.pair();
    assert_eq!(bench.result(with(SEND, near, &mut [1])), -libc::ECONNRESET);
    assert_eq!(
        bench.result(with(RECV, far, &mut [0; 1])),
        -libc::ECONNRESET
    );
    assert_eq!(bench.result(with(RECV, far, &mut [0; 1])), 0);
    assert_eq!(bench.result(Sqe::new(ACCEPT, near)), -libc::EINVAL);
    bench.close(&[near, far, file]);
}

#[test]
fn what_must_never_happen_panics() {
    let panics = |body: &dyn Fn(&mut Bench, &mut [u8; 4])| {
        // It outlives the ring, which writes into it when it goes.
        let mut buffer = [1; 4];
        let mut bench = bench(|_| {});
        let (near, far) = bench.pair();
        let result = catch_unwind(AssertUnwindSafe(|| body(&mut bench, &mut buffer)));
        drop(bench);
        for fd in [near, far] {
            crate::ring::sim::placeholder::close(fd).unwrap();
        }
        result.is_err()
    };
    assert!(!panics(&|bench, _| assert_eq!(bench.result(nop()), 0)));
    assert!(panics(&|bench, buffer| {
        let (_near, far) = bench.pair();
        for _ in 0..2 {
            bench.ring.push(&with(RECV, far, buffer));
        }
        bench.turn();
    }));
    assert!(panics(&|bench, buffer| {
        let (near, _far) = bench.pair();
        let [send] = bench.push([with(SEND_ZC, near, buffer)]);
        assert!(!bench.next(send).is_last());
        buffer[1] = 0;
        bench.next(send);
    }));
}
