//! Options of sockets by name, and the types of their values.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// An option of a socket whose value is a `T`.
///
/// The constants say which option of `socket(7)`, `ip(7)`, `ipv6(7)` or `tcp(7)` they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SocketOption<T> {
    pub(super) level: i32,
    pub(super) name: i32,
    value: PhantomData<T>,
}

impl<T: OptionValue> SocketOption<T> {
    /// Names an option that has no constant here.
    ///
    /// # Safety
    ///
    /// The value of the option is a `T`, which is four bytes long for numbers and truth values, and
    /// the kernel touches no memory besides it. Among those that do are `SO_ATTACH_FILTER` and
    /// `SO_GET_FILTER`.
    #[must_use]
    pub const unsafe fn new(level: i32, name: i32) -> Self {
        Self::known(level, name)
    }

    const fn known(level: i32, name: i32) -> Self {
        Self {
            level,
            name,
            value: PhantomData,
        }
    }
}

impl SocketOption<bool> {
    /// `SO_ACCEPTCONN`: it listens. Can only be read.
    pub const IS_LISTENING: Self = Self::known(libc::SOL_SOCKET, libc::SO_ACCEPTCONN);
    /// `SO_BROADCAST`: datagrams may go to broadcast addresses.
    pub const BROADCAST: Self = Self::known(libc::SOL_SOCKET, libc::SO_BROADCAST);
    /// `SO_KEEPALIVE`: an idle connection is probed.
    pub const KEEP_ALIVE: Self = Self::known(libc::SOL_SOCKET, libc::SO_KEEPALIVE);
    /// `SO_PASSCRED`: messages bring the credentials of their sender.
    pub const PASS_CREDENTIALS: Self = Self::known(libc::SOL_SOCKET, libc::SO_PASSCRED);
    /// `SO_REUSEADDR`: an address may be bound again at once.
    pub const REUSE_ADDRESS: Self = Self::known(libc::SOL_SOCKET, libc::SO_REUSEADDR);
    /// `SO_REUSEPORT`: several sockets may be bound to an address.
    pub const REUSE_PORT: Self = Self::known(libc::SOL_SOCKET, libc::SO_REUSEPORT);
    /// `TCP_CORK`: only full frames are sent. Can only be set here.
    pub const CORK: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_CORK);
    /// `TCP_NODELAY`: small segments are not held back. Can only be set here.
    pub const NO_DELAY: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_NODELAY);
    /// `TCP_QUICKACK`: acknowledgments are not held back. Can only be set here.
    pub const QUICK_ACK: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_QUICKACK);
    /// `IPV6_V6ONLY`: no IPv4 on a socket of IPv6. Can only be set here.
    pub const ONLY_V6: Self = Self::known(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY);
}

impl SocketOption<i32> {
    /// `SO_DOMAIN`: the family, `AF_INET` and so on. Can only be read.
    pub const DOMAIN: Self = Self::known(libc::SOL_SOCKET, libc::SO_DOMAIN);
    /// `SO_ERROR`: an errno that is pending, or zero; reading it clears it. Can only be read.
    pub const ERROR: Self = Self::known(libc::SOL_SOCKET, libc::SO_ERROR);
    /// `SO_MARK`: a mark for routing and filters.
    pub const MARK: Self = Self::known(libc::SOL_SOCKET, libc::SO_MARK);
    /// `SO_PRIORITY`: the priority of what is sent.
    pub const PRIORITY: Self = Self::known(libc::SOL_SOCKET, libc::SO_PRIORITY);
    /// `SO_PROTOCOL`: the protocol, `IPPROTO_TCP` and so on. Can only be read.
    pub const PROTOCOL: Self = Self::known(libc::SOL_SOCKET, libc::SO_PROTOCOL);
    /// `SO_RCVBUF`: the size of the receive buffer. The kernel doubles what is set.
    pub const RECV_BUFFER: Self = Self::known(libc::SOL_SOCKET, libc::SO_RCVBUF);
    /// `SO_RCVLOWAT`: a receive waits for so many bytes.
    pub const RECV_LOW_WATER: Self = Self::known(libc::SOL_SOCKET, libc::SO_RCVLOWAT);
    /// `SO_SNDBUF`: the size of the send buffer. The kernel doubles what is set.
    pub const SEND_BUFFER: Self = Self::known(libc::SOL_SOCKET, libc::SO_SNDBUF);
    /// `SO_TYPE`: `SOCK_STREAM` and so on. Can only be read.
    pub const TYPE: Self = Self::known(libc::SOL_SOCKET, libc::SO_TYPE);
    /// `TCP_KEEPIDLE`: seconds of silence until the first probe. Can only be set here.
    pub const KEEP_ALIVE_IDLE: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE);
    /// `TCP_KEEPINTVL`: seconds between two probes. Can only be set here.
    pub const KEEP_ALIVE_INTERVAL: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL);
    /// `TCP_KEEPCNT`: how many probes go unanswered until the connection is given up. Can only be
    /// set here.
    pub const KEEP_ALIVE_COUNT: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_KEEPCNT);
    /// `TCP_USER_TIMEOUT`: milliseconds that sent bytes may go unacknowledged. Can only be set here.
    pub const USER_TIMEOUT: Self = Self::known(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT);
    /// `IP_TTL`: how many routers a packet may pass. Can only be set here.
    pub const TTL: Self = Self::known(libc::IPPROTO_IP, libc::IP_TTL);
    /// `IPV6_UNICAST_HOPS`: how many routers a packet may pass. Can only be set here.
    pub const UNICAST_HOPS_V6: Self = Self::known(libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS);
}

impl SocketOption<Option<Duration>> {
    /// `SO_LINGER`: whether, and for how many whole seconds, closing waits for what is unsent.
    pub const LINGER: Self = Self::known(libc::SOL_SOCKET, libc::SO_LINGER);
}

impl<T> fmt::Debug for SocketOption<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketOption")
            .field("level", &self.level)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The value of a [`SocketOption`].
pub trait OptionValue: sealed::Value {}

impl<T: sealed::Value> OptionValue for T {}

mod sealed {
    use super::{Duration, VALUE_LEN, field};

    /// A value and its bytes.
    #[expect(unnameable_types, reason = "sealed: the kernel's types are few")]
    pub trait Value: Copy + 'static {
        const LEN: u32;
        fn to_bytes(&self) -> [u8; VALUE_LEN];
        fn from_bytes(bytes: &[u8; VALUE_LEN]) -> Self;
    }

    impl Value for i32 {
        const LEN: u32 = 4;

        fn to_bytes(&self) -> [u8; VALUE_LEN] {
            let [a, b, c, d] = self.to_ne_bytes();
            [a, b, c, d, 0, 0, 0, 0]
        }

        fn from_bytes(bytes: &[u8; VALUE_LEN]) -> Self {
            field(bytes, 0)
        }
    }

    impl Value for bool {
        const LEN: u32 = 4;

        fn to_bytes(&self) -> [u8; VALUE_LEN] {
            i32::from(*self).to_bytes()
        }

        fn from_bytes(bytes: &[u8; VALUE_LEN]) -> Self {
            field(bytes, 0) != 0
        }
    }

    /// `struct linger`: whether, and for how many seconds.
    impl Value for Option<Duration> {
        const LEN: u32 = 8;

        fn to_bytes(&self) -> [u8; VALUE_LEN] {
            let seconds = self.map_or(0, |duration| duration.as_secs());
            let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
            let [a, b, c, d] = i32::from(self.is_some()).to_ne_bytes();
            let [e, f, g, h] = seconds.to_ne_bytes();
            [a, b, c, d, e, f, g, h]
        }

        fn from_bytes(bytes: &[u8; VALUE_LEN]) -> Self {
            let seconds = u64::try_from(field(bytes, 4)).unwrap_or_default();
            (field(bytes, 0) != 0).then(|| Duration::from_secs(seconds))
        }
    }
}

/// The number at a position of a value.
fn field(bytes: &[u8; VALUE_LEN], at: usize) -> i32 {
    let bytes = bytes[at..].first_chunk();
    bytes.map_or(0, |bytes| i32::from_ne_bytes(*bytes))
}

/// The longest value, `struct linger`.
pub(super) const VALUE_LEN: usize = 8;
