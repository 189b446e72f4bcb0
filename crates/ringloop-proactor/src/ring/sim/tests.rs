//! One body, two rings: the simulation is trusted where it does what the kernel does.

mod buffers;
mod cancels;
mod chains;
mod faults;
mod files;
mod polls;
mod queues;
mod sockets;
mod times;

use std::collections::BTreeMap;
use std::time::Duration;

use super::memory;
use super::{SimConfig, SimRing};
use crate::config::Config;
use crate::ring::{Cqe, KernelRing, Ring, Sqe};

/// Runs `body` on the kernel's ring and on a simulated one.
pub(super) fn on_both(body: fn(&mut Bench)) {
    on_both_of(64, body);
}

/// The same with rings of `entries`.
pub(super) fn on_both_of(entries: u32, body: fn(&mut Bench)) {
    let config = Config::default().ring_entries(entries);
    let kernel = Ring::Kernel(KernelRing::new(&config).unwrap());
    body(&mut Bench::new(kernel, "kernel"));
    let sim = SimRing::new(&config, &SimConfig::default()).unwrap();
    body(&mut Bench::new(Ring::Sim(sim), "sim"));
}

/// A ring, and what it has answered.
pub(super) struct Bench {
    pub(super) ring: Ring,
    pub(super) name: &'static str,
    last: u64,
    answers: BTreeMap<u64, Vec<Cqe>>,
}

impl Bench {
    fn new(ring: Ring, name: &'static str) -> Self {
        Self {
            ring,
            name,
            last: 0,
            answers: BTreeMap::new(),
        }
    }

    /// Queues entries; returns the `user_data` of each.
    pub(super) fn push<const COUNT: usize>(&mut self, sqes: [Sqe; COUNT]) -> [u64; COUNT] {
        sqes.map(|sqe| {
            self.last += 1;
            let sqe = Sqe {
                user_data: self.last,
                ..sqe
            };
            assert!(self.ring.push(&sqe), "the queue has room");
            self.last
        })
    }

    /// Submits, and takes what has been answered so far.
    pub(super) fn turn(&mut self) {
        self.ring.enter(0, None).unwrap();
        self.reap();
    }

    pub(super) fn reap(&mut self) {
        for cqe in self.ring.completions() {
            self.answers.entry(cqe.user_data).or_default().push(cqe);
        }
    }

    /// The next completion of a request; waits for it.
    pub(super) fn next(&mut self, user_data: u64) -> Cqe {
        for _ in 0..50 {
            if let Some(answers) = self.answers.get_mut(&user_data)
                && !answers.is_empty()
            {
                return answers.remove(0);
            }
            self.ring
                .enter(1, Some(Duration::from_millis(100)))
                .unwrap();
            self.reap();
        }
        panic!("{}: request {user_data} does not answer", self.name);
    }

    /// Whether a request has answered by now.
    pub(super) fn has(&self, user_data: u64) -> bool {
        self.answers
            .get(&user_data)
            .is_some_and(|answers| !answers.is_empty())
    }

    /// The results of requests that answer once each.
    pub(super) fn results<const COUNT: usize>(&mut self, sqes: [Sqe; COUNT]) -> [i32; COUNT] {
        self.push(sqes).map(|user_data| self.next(user_data).res)
    }

    /// The result of a request that answers once.
    pub(super) fn result(&mut self, sqe: Sqe) -> i32 {
        let [res] = self.results([sqe]);
        res
    }

    /// The new descriptor that a request brings.
    pub(super) fn open(&mut self, sqe: Sqe) -> i32 {
        let fd = self.result(sqe);
        assert!(fd >= 0, "{}: {fd}", self.name);
        fd
    }

    pub(super) fn close(&mut self, fds: &[i32]) {
        for &fd in fds {
            assert_eq!(
                self.result(Sqe::new(super::opcode::CLOSE, fd)),
                0,
                "{}",
                self.name
            );
        }
    }

    /// Two descriptors that are connected with each other.
    pub(super) fn pair(&mut self) -> (i32, i32) {
        let (near, far) = match self.simulation() {
            Some(simulation) => simulation.socket_pair().unwrap(),
            None => {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let near = std::net::TcpStream::connect(address).unwrap();
                (near.into(), listener.accept().unwrap().0.into())
            }
        };
        use super::placeholder::number;
        (number(near), number(far))
    }

    pub(super) fn simulation(&self) -> Option<super::Simulation> {
        match self.ring.clock() {
            crate::ring::Clock::Monotonic => None,
            crate::ring::Clock::Virtual(simulation) => Some(simulation),
        }
    }
}

/// An entry with the memory of `bytes`, which the caller keeps.
pub(super) fn with(opcode: u8, fd: i32, bytes: &mut [u8]) -> Sqe {
    Sqe::new(opcode, fd).memory(bytes.as_mut_ptr(), bytes.len())
}

/// The address of something that the caller keeps.
pub(super) fn address<T: ?Sized>(value: &mut T) -> u64 {
    (&raw mut *value).cast::<u8>().expose_provenance() as u64
}

pub(super) fn nop() -> Sqe {
    Sqe::new(super::opcode::NOP, -1)
}

/// A nop with a result of its own.
pub(super) fn nop_saying(res: i32) -> Sqe {
    Sqe {
        op_flags: 1,
        len: res.cast_unsigned(),
        ..nop()
    }
}

#[test]
fn windows_are_filled_one_after_another() {
    let (mut first, mut second) = ([0_u8; 2], [0_u8; 4]);
    let windows = [
        memory::Window::new(address(&mut first), 2),
        memory::Window::new(address(&mut second), 4),
    ];
    memory::scatter(&windows, b"abcde");
    assert_eq!((&first, &second), (b"ab", b"cde\0"));
    assert_eq!(memory::gather(&windows, 1, 3), b"bcd");
}
