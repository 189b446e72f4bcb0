//! The options of a UDP socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::UdpSocket;

impl UdpSocket {
    /// Returns whether datagrams may go to broadcast addresses.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket().broadcast()
    }

    /// Lets datagrams go to broadcast addresses, or not.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "SO_BROADCAST")]
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket().set_broadcast(broadcast)
    }

    /// Returns how many hops a datagram of IPv4 may take.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().ttl_v4()
    }

    /// Sets how many hops a datagram of IPv4 may take.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_TTL")]
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_ttl_v4(ttl)
    }

    /// Returns how many hops a datagram of IPv6 may take.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn unicast_hops_v6(&self) -> io::Result<u32> {
        self.socket().unicast_hops_v6()
    }

    /// Sets how many hops a datagram of IPv6 may take.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_UNICAST_HOPS")]
    pub fn set_unicast_hops_v6(&self, hops: u32) -> io::Result<()> {
        self.socket().set_unicast_hops_v6(hops)
    }

    /// Returns the type of service of datagrams of IPv4.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn tos(&self) -> io::Result<u32> {
        self.socket().tos_v4()
    }

    /// Sets the type of service of datagrams of IPv4.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_TOS")]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.socket().set_tos_v4(tos)
    }

    /// Returns whether what is sent to groups of IPv4 comes back to this host.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.socket().multicast_loop_v4()
    }

    /// Lets what is sent to groups of IPv4 come back to this host, or not.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_MULTICAST_LOOP")]
    pub fn set_multicast_loop_v4(&self, comes_back: bool) -> io::Result<()> {
        self.socket().set_multicast_loop_v4(comes_back)
    }

    /// Returns whether what is sent to groups of IPv6 comes back to this host.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.socket().multicast_loop_v6()
    }

    /// Lets what is sent to groups of IPv6 come back to this host, or not.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_MULTICAST_LOOP")]
    pub fn set_multicast_loop_v6(&self, comes_back: bool) -> io::Result<()> {
        self.socket().set_multicast_loop_v6(comes_back)
    }

    /// Returns how many hops a datagram to a group of IPv4 may take.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.socket().multicast_ttl_v4()
    }

    /// Sets how many hops a datagram to a group of IPv4 may take: one, unless it is set.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_MULTICAST_TTL")]
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_multicast_ttl_v4(ttl)
    }

    /// Returns how many hops a datagram to a group of IPv6 may take.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn multicast_hops_v6(&self) -> io::Result<u32> {
        self.socket().multicast_hops_v6()
    }

    /// Sets how many hops a datagram to a group of IPv6 may take.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_MULTICAST_HOPS")]
    pub fn set_multicast_hops_v6(&self, hops: u32) -> io::Result<()> {
        self.socket().set_multicast_hops_v6(hops)
    }

    /// Sets the interface, by its address, from which datagrams to groups of IPv4 go out.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_MULTICAST_IF")]
    pub fn set_multicast_if_v4(&self, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket().set_multicast_if_v4(interface)
    }

    /// Sets the interface, by its index, from which datagrams to groups of IPv6 go out.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_MULTICAST_IF")]
    pub fn set_multicast_if_v6(&self, interface: u32) -> io::Result<()> {
        self.socket().set_multicast_if_v6(interface)
    }

    /// Joins a group on the interface with an address; `0.0.0.0` leaves the choice to the system.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_ADD_MEMBERSHIP")]
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket().join_multicast_v4(group, interface)
    }

    /// Leaves a group, as it was joined.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IP_DROP_MEMBERSHIP")]
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket().leave_multicast_v4(group, interface)
    }

    /// Joins a group on the interface with an index; zero leaves the choice to the system.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_ADD_MEMBERSHIP")]
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().join_multicast_v6(group, interface)
    }

    /// Leaves a group, as it was joined.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "IPV6_DROP_MEMBERSHIP")]
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().leave_multicast_v6(group, interface)
    }

    /// Returns how much the kernel holds for the socket before it drops: twice what was asked for.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        self.socket().recv_buffer_size()
    }

    /// Asks for so much room for what the socket has not taken in.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "SO_RCVBUF")]
    pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.socket().set_recv_buffer_size(bytes)
    }

    /// Returns how much may be on its way out: twice what was asked for.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        self.socket().send_buffer_size()
    }

    /// Asks for so much room for what is on its way out.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "SO_SNDBUF")]
    pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.socket().set_send_buffer_size(bytes)
    }

    /// Takes the error of the socket that nobody has been told.
    ///
    /// While a receive waits, that receive is told.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }
}
