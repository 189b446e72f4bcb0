//! The receive buffers of datagram sockets.

use std::rc::{Rc, Weak};

use super::Shared;
use crate::buf::{BufPool, PoolSpec};

/// Which sockets a pool is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DatagramPool {
    Ip,
    Unix,
}

impl DatagramPool {
    /// The largest datagram fits, with its address and what comes beside it: of UDP 64 KiB, of a
    /// unix socket what the send buffer of an unprivileged process holds.
    pub(crate) fn buffer_bytes(self) -> usize {
        match self {
            Self::Ip => 64 * 1024 + 256,
            Self::Unix => 416 * 1024 + 2048,
        }
    }

    /// Most datagrams are short, and pages that nobody touches cost address space only.
    fn count_max(self) -> u16 {
        match self {
            Self::Ip => 256,
            Self::Unix => 64,
        }
    }
}

impl Shared {
    /// The buffers that all datagram sockets of a kind share, made when the first needs them.
    /// `None` if the kernel does not take them.
    pub(crate) fn datagram_pool(
        &self,
        kind: DatagramPool,
        owner: Weak<Self>,
    ) -> Option<Rc<BufPool>> {
        let mut pools = self.datagram_pools.borrow_mut();
        let known = match kind {
            DatagramPool::Ip => &mut pools[0],
            DatagramPool::Unix => &mut pools[1],
        };
        if known.is_none() {
            let spec = PoolSpec {
                group: 0,
                count: COUNT,
                max: kind.count_max(),
                len_bytes: u32::try_from(kind.buffer_bytes()).expect("it is less than 4 GiB"),
                incremental: false,
            };
            *known = self.provide(spec, owner).ok();
        }
        known.clone()
    }
}

/// As many are there from the start. More come when they are used up.
const COUNT: u16 = 16;
