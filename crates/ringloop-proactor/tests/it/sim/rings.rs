//! One body, two rings: a proactor on the kernel's ring and one on a simulated ring.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::time::Duration;

use ringloop_proactor::sim::SimConfig;
use ringloop_proactor::{Config, Fd, Handle, Proactor};

use crate::rig::{settle, tcp_pair};

/// Runs `body` on both, and checks that everything has ended when it is done.
pub(super) fn on_both(body: fn(&mut Bench)) {
    let config = Config::default().buffer_count(16).buffer_len_bytes(256);
    let kernel = Proactor::new(&config).unwrap();
    let sim = SimConfig::default().patience(Duration::from_secs(1));
    let simulated = Proactor::simulated(&config, &sim);
    for proactor in [kernel, simulated] {
        let mut bench = Bench { proactor };
        body(&mut bench);
        settle(&mut bench.proactor);
        assert_eq!(bench.proactor.stats().live, 0);
        let simulation = bench.proactor.simulation();
        assert_eq!(bench.proactor.shut_down(), 0);
        if let Some(simulation) = simulation {
            assert_eq!(simulation.open_descriptors(), 0, "{}", simulation.trace());
            assert_eq!(simulation.lent_buffers(), 0);
        }
    }
}

/// A proactor on one of the rings.
pub(super) struct Bench {
    pub(super) proactor: Proactor,
}

impl Bench {
    pub(super) fn handle(&self) -> Handle {
        self.proactor.handle()
    }

    pub(super) fn run<F: Future>(&mut self, future: F) -> F::Output {
        self.proactor.block_on(future).unwrap()
    }

    /// Two connected sockets.
    pub(super) fn pair(&self) -> (Fd, Fd) {
        let handle = self.handle();
        match self.proactor.simulation() {
            Some(simulation) => {
                let (near, far) = simulation.socket_pair().unwrap();
                (handle.adopt(near), handle.adopt(far))
            }
            None => {
                let (near, far) = tcp_pair();
                (handle.adopt(near), handle.adopt(far))
            }
        }
    }

    /// A listening socket and its address.
    pub(super) fn listen(&self) -> (Fd, SocketAddr) {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        match self.proactor.simulation() {
            Some(simulation) => {
                let listener = simulation.listen(any).unwrap();
                let address = simulation.local_address(listener.as_fd()).unwrap();
                (self.handle().adopt(listener), address)
            }
            None => {
                let listener = TcpListener::bind(any).unwrap();
                let address = listener.local_addr().unwrap();
                (self.handle().adopt(listener), address)
            }
        }
    }
}
