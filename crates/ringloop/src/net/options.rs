//! Options of sockets that are open.

use std::io;
use std::time::Duration;

use socket2::{Domain, SockRef};

use super::keepalive::Keepalive;
use super::{TcpListener, TcpStream, UnixStream};

/// Gives `$socket` the options that sockets of all families have.
macro_rules! common {
    ($($socket:ty),+) => {$(
        impl $socket {
            /// Returns how much the kernel keeps that has been received and not been read, in
            /// bytes.
            ///
            /// # Errors
            ///
            /// As `getsockopt(2)`.
            #[doc(alias = "SO_RCVBUF")]
            pub fn recv_buffer_size(&self) -> io::Result<usize> {
                SockRef::from(self).recv_buffer_size()
            }

            /// Sets how much the kernel keeps that has been received and not been read. It takes
            /// twice as much, for its own needs, which
            /// [`recv_buffer_size`](Self::recv_buffer_size) counts.
            ///
            /// # Errors
            ///
            /// As `setsockopt(2)`.
            pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
                SockRef::from(self).set_recv_buffer_size(bytes)
            }

            /// Returns how much the kernel takes of what is sent before it has gone, in bytes.
            ///
            /// # Errors
            ///
            /// As `getsockopt(2)`.
            #[doc(alias = "SO_SNDBUF")]
            pub fn send_buffer_size(&self) -> io::Result<usize> {
                SockRef::from(self).send_buffer_size()
            }

            /// Sets how much the kernel takes of what is sent before it has gone. It takes twice
            /// as much, for its own needs, which [`send_buffer_size`](Self::send_buffer_size)
            /// counts.
            ///
            /// # Errors
            ///
            /// As `setsockopt(2)`.
            pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
                SockRef::from(self).set_send_buffer_size(bytes)
            }

            /// Takes the error of the socket that has not been told yet.
            ///
            /// # Errors
            ///
            /// As `getsockopt(2)`.
            #[doc(alias = "SO_ERROR")]
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                SockRef::from(self).take_error()
            }
        }
    )+};
}

/// Gives `$socket` the options that sockets of both internet families have.
macro_rules! internet {
    ($($socket:ty),+) => {$(
        impl $socket {
            /// Returns how many hops what is sent may take.
            ///
            /// # Errors
            ///
            /// As `getsockopt(2)`.
            #[doc(alias("IP_TTL", "IPV6_UNICAST_HOPS"))]
            pub fn ttl(&self) -> io::Result<u32> {
                let socket = SockRef::from(self);
                match is_v6(&socket)? {
                    true => socket.unicast_hops_v6(),
                    false => socket.ttl_v4(),
                }
            }

            /// Sets how many hops what is sent may take.
            ///
            /// # Errors
            ///
            /// As `setsockopt(2)`.
            pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
                let socket = SockRef::from(self);
                match is_v6(&socket)? {
                    true => socket.set_unicast_hops_v6(hops),
                    false => socket.set_ttl_v4(hops),
                }
            }

            /// Returns the type of service, or traffic class, of what is sent.
            ///
            /// # Errors
            ///
            /// As `getsockopt(2)`.
            #[doc(alias("IP_TOS", "IPV6_TCLASS"))]
            pub fn tos(&self) -> io::Result<u32> {
                let socket = SockRef::from(self);
                match is_v6(&socket)? {
                    true => socket.tclass_v6(),
                    false => socket.tos_v4(),
                }
            }

            /// Sets the type of service, or traffic class, of what is sent.
            ///
            /// # Errors
            ///
            /// As `setsockopt(2)`.
            pub fn set_tos(&self, tos: u32) -> io::Result<()> {
                set_tos(&SockRef::from(self), tos)
            }
        }
    )+};
}

common!(TcpStream, TcpListener, UnixStream);
internet!(TcpStream, TcpListener);

impl TcpStream {
    /// Returns whether small writes are sent at once.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    #[doc(alias = "TCP_NODELAY")]
    pub fn nodelay(&self) -> io::Result<bool> {
        SockRef::from(self).tcp_nodelay()
    }

    /// Sends small writes at once (`true`) or gathers them while others are under way.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        SockRef::from(self).set_tcp_nodelay(nodelay)
    }

    /// Returns for how long closing waits for what the peer has not acknowledged.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    #[doc(alias = "SO_LINGER")]
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self).linger()
    }

    /// Sets for how long closing waits for what the peer has not acknowledged, in whole seconds.
    ///
    /// With zero, closing throws away what is under way and resets the connection. With more, it
    /// is the [`close`](Self::close) of this stream that waits, not the loop.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(self).set_linger(linger)
    }

    /// Returns how the connection is probed when nothing comes, `None` if it is not.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    #[doc(alias = "SO_KEEPALIVE")]
    pub fn keepalive(&self) -> io::Result<Option<Keepalive>> {
        Keepalive::of(&SockRef::from(self))
    }

    /// Sets how the connection is probed when nothing comes, `None` for not at all.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        let socket = SockRef::from(self);
        match keepalive {
            Some(keepalive) => keepalive.set_on(&socket),
            None => socket.set_keepalive(false),
        }
    }

    /// Returns whether what comes is acknowledged at once.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    #[doc(alias = "TCP_QUICKACK")]
    pub fn quickack(&self) -> io::Result<bool> {
        SockRef::from(self).tcp_quickack()
    }

    /// Sets whether what comes is acknowledged at once. The kernel changes it again as it sees fit.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        SockRef::from(self).set_tcp_quickack(quickack)
    }
}

impl TcpListener {
    /// Returns whether connections by IPv4 are left to other sockets.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`, which knows no such thing of an IPv4 socket.
    #[doc(alias = "IPV6_V6ONLY")]
    pub fn only_v6(&self) -> io::Result<bool> {
        SockRef::from(self).only_v6()
    }
}

pub(super) fn set_tos(socket: &SockRef<'_>, tos: u32) -> io::Result<()> {
    match is_v6(socket)? {
        true => socket.set_tclass_v6(tos),
        false => socket.set_tos_v4(tos),
    }
}

fn is_v6(socket: &SockRef<'_>) -> io::Result<bool> {
    Ok(socket.domain()? == Domain::IPV6)
}
