//! A proactor on one of the rings, and what a test needs on that ring.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;

#[cfg(feature = "sim")]
use ringloop_proactor::sim::{Faults, SimConfig};
use ringloop_proactor::{Fd, Proactor};

use crate::rig::small;

/// What a proactor runs on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ring {
    Kernel,
    /// A simulation in which nothing goes wrong.
    #[cfg(feature = "sim")]
    Calm,
    /// One in which everything does that a program need not see: what is in flight is scribbled
    /// over, read late, cannot be cancelled.
    #[cfg(feature = "sim")]
    Wild(u64),
}

pub(super) fn rings() -> Vec<Ring> {
    vec![
        Ring::Kernel,
        #[cfg(feature = "sim")]
        Ring::Calm,
        #[cfg(feature = "sim")]
        Ring::Wild(1),
        #[cfg(feature = "sim")]
        Ring::Wild(2),
    ]
}

impl Ring {
    pub(super) fn proactor(self) -> Proactor {
        match self {
            Self::Kernel => Proactor::new(&small()).unwrap(),
            #[cfg(feature = "sim")]
            Self::Calm => Proactor::simulated(&small(), &SimConfig::default()),
            #[cfg(feature = "sim")]
            Self::Wild(seed) => {
                let mut faults = Faults::wild();
                // The surroundings need descriptors and connections.
                faults.no_descriptors = 0;
                faults.reset = 0;
                faults.abort = 0;
                let sim = SimConfig::default().seed(seed).faults(faults);
                Proactor::simulated(&small(), &sim)
            }
        }
    }
}

/// Two connected sockets.
pub(crate) fn pair(proactor: &Proactor) -> (Fd, Fd) {
    let handle = proactor.handle();
    #[cfg(feature = "sim")]
    if let Some(simulation) = proactor.simulation() {
        let (near, far) = simulation.socket_pair().unwrap();
        return (handle.adopt(near), handle.adopt(far));
    }
    let (near, far) = UnixStream::pair().unwrap();
    (handle.adopt(near), handle.adopt(far))
}

/// A listening socket and its address.
pub(super) fn listen(proactor: &Proactor) -> (Fd, SocketAddr) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    #[cfg(feature = "sim")]
    if let Some(simulation) = proactor.simulation() {
        use std::os::fd::AsFd;
        let listener = simulation.listen(any).unwrap();
        let address = simulation.local_address(listener.as_fd()).unwrap();
        return (proactor.handle().adopt(listener), address);
    }
    let listener = TcpListener::bind(any).unwrap();
    let address = listener.local_addr().unwrap();
    (proactor.handle().adopt(listener), address)
}

/// A file with something in it.
pub(super) fn file(proactor: &mut Proactor) -> Fd {
    let handle = proactor.handle();
    #[cfg(feature = "sim")]
    if let Some(simulation) = proactor.simulation() {
        simulation.write_file("/tmp/file", &[4; 10_000]);
        let open = handle.open("/tmp/file", libc::O_RDONLY, 0);
        let file = proactor.block_on(open.unwrap()).unwrap().unwrap();
        return handle.adopt(file);
    }
    handle.adopt(File::open("/proc/self/exe").unwrap())
}

/// Whether sockets are the kernel's.
pub(super) fn is_real(proactor: &Proactor) -> bool {
    #[cfg(feature = "sim")]
    return proactor.simulation().is_none();
    #[cfg(not(feature = "sim"))]
    return {
        let _kernel = proactor;
        true
    };
}

/// Looks into a simulation whether anything is left there. Call what it returns in the end.
pub(super) fn leftovers(proactor: &Proactor) -> impl FnOnce() + use<> {
    #[cfg(feature = "sim")]
    let simulation = proactor.simulation();
    #[cfg(not(feature = "sim"))]
    let _kernel = proactor;
    move || {
        #[cfg(feature = "sim")]
        if let Some(simulation) = simulation {
            assert_eq!(simulation.open_descriptors(), 0, "{}", simulation.trace());
            assert_eq!(simulation.direct_descriptors(), 0, "{}", simulation.trace());
            assert_eq!(simulation.lent_buffers(), 0, "{}", simulation.trace());
        }
    }
}
