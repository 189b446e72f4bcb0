//! A proactor on one of the rings, and what a test needs on that ring.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;

use ringloop_proactor::{Fd, Proactor};

use crate::rig::small;

/// What a proactor runs on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ring {
    Kernel,
}

pub(super) const RINGS: [Ring; 1] = [Ring::Kernel];

impl Ring {
    pub(super) fn proactor(self) -> Proactor {
        match self {
            Self::Kernel => Proactor::new(&small()).unwrap(),
        }
    }
}

/// Two connected sockets.
pub(super) fn pair(proactor: &Proactor) -> (Fd, Fd) {
    let handle = proactor.handle();
    let (near, far) = UnixStream::pair().unwrap();
    (handle.adopt(near), handle.adopt(far))
}

/// A listening socket and its address.
pub(super) fn listen(proactor: &Proactor) -> (Fd, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (proactor.handle().adopt(listener), address)
}
