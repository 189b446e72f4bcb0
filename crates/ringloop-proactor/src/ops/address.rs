//! A socket address as the kernel reads and writes it.

use std::net::SocketAddr;

/// A socket address as the kernel reads it.
#[derive(Clone, Copy)]
pub(super) enum RawAddress {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl RawAddress {
    pub(super) fn memory(&self) -> (*const u8, u32) {
        match self {
            Self::V4(address) => ((&raw const *address).cast(), V4_LEN),
            Self::V6(address) => ((&raw const *address).cast(), V6_LEN),
        }
    }

    fn family(&self) -> u16 {
        match self {
            Self::V4(address) => address.sin_family,
            Self::V6(address) => address.sin6_family,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::V4(libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Self::V6(libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            }),
        }
    }
}

impl std::fmt::Debug for RawAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAddress")
            .field("family", &self.family())
            .finish_non_exhaustive()
    }
}

/// The family of an address, in the type that the address structs want.
fn family(family: i32) -> libc::sa_family_t {
    libc::sa_family_t::try_from(family).expect("address families are small numbers")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the structs are a few bytes long"
)]
const V4_LEN: u32 = size_of::<libc::sockaddr_in>() as u32;
#[expect(
    clippy::cast_possible_truncation,
    reason = "the structs are a few bytes long"
)]
const V6_LEN: u32 = size_of::<libc::sockaddr_in6>() as u32;
