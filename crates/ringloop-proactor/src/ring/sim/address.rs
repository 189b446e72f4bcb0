//! Socket addresses as the kernel reads and writes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a socket is bound or connected to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    Inet(SocketAddr),
    Unix(Vec<u8>),
}

impl Address {
    /// Reads a `sockaddr`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, i32> {
        let family = bytes.first_chunk::<2>().ok_or(libc::EINVAL)?;
        match i32::from(u16::from_ne_bytes(*family)) {
            libc::AF_INET => {
                let port = bytes.get(2..4).ok_or(libc::EINVAL)?;
                let ip: [u8; 4] = part(bytes, 4)?;
                let ip = IpAddr::V4(Ipv4Addr::from(ip));
                Ok(Self::Inet(SocketAddr::new(ip, port_of(port))))
            }
            libc::AF_INET6 => {
                let port = bytes.get(2..4).ok_or(libc::EINVAL)?;
                let ip: [u8; 16] = part(bytes, 8)?;
                let ip = IpAddr::V6(Ipv6Addr::from(ip));
                Ok(Self::Inet(SocketAddr::new(ip, port_of(port))))
            }
            libc::AF_UNIX => {
                let path = bytes.get(2..).unwrap_or_default();
                let end = path.iter().skip(1).position(|&byte| byte == 0);
                let end = end.map_or(path.len(), |end| end + 1);
                Ok(Self::Unix(path[..end].to_vec()))
            }
            _ => Err(libc::EAFNOSUPPORT),
        }
    }

    pub(super) fn family(&self) -> i32 {
        match self {
            Self::Inet(SocketAddr::V4(_)) => libc::AF_INET,
            Self::Inet(SocketAddr::V6(_)) => libc::AF_INET6,
            Self::Unix(_) => libc::AF_UNIX,
        }
    }

    /// Writes a `sockaddr`.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let family = u16::try_from(self.family()).expect("families are small numbers");
        let mut bytes = family.to_ne_bytes().to_vec();
        match self {
            Self::Inet(SocketAddr::V4(address)) => {
                bytes.extend(address.port().to_be_bytes());
                bytes.extend(address.ip().octets());
                bytes.extend([0; 8]);
            }
            Self::Inet(SocketAddr::V6(address)) => {
                bytes.extend(address.port().to_be_bytes());
                bytes.extend(address.flowinfo().to_ne_bytes());
                bytes.extend(address.ip().octets());
                bytes.extend(address.scope_id().to_ne_bytes());
            }
            Self::Unix(path) => bytes.extend(path),
        }
        bytes
    }
}

fn part<const LEN: usize>(bytes: &[u8], start: usize) -> Result<[u8; LEN], i32> {
    let part = bytes.get(start..).and_then(<[u8]>::first_chunk::<LEN>);
    part.copied().ok_or(libc::EINVAL)
}

fn port_of(bytes: &[u8]) -> u16 {
    let mut port = [0; 2];
    port.copy_from_slice(bytes);
    u16::from_be_bytes(port)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.escape_ascii()),
        }
    }
}
