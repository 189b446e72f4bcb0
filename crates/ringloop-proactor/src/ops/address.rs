//! A socket address as the kernel reads and writes it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::mem::offset_of;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;

/// The address of a socket of any family.
///
/// Made from std's addresses of IP and unix sockets with `into`, and turned back into them with
/// [`as_ip`](Self::as_ip) and [`as_unix`](Self::as_unix). Those of other families go by their bytes.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::SocketAddress;
/// use std::net::SocketAddr;
///
/// let address: SocketAddr = "[fe80::1%3]:80".parse()?;
/// assert_eq!(SocketAddress::from(address).as_ip(), Some(address));
///
/// let path = SocketAddress::unix("/run/example.sock")?;
/// let name = path.as_unix().expect("it is of the unix family");
/// assert_eq!(name.as_pathname(), Some("/run/example.sock".as_ref()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[doc(alias = "sockaddr")]
#[doc(alias = "sockaddr_storage")]
pub struct SocketAddress {
    bytes: Bytes,
}

/// Those of IP fit in place, so that connecting allocates nothing; unix paths do not.
#[derive(Clone, PartialEq, Eq)]
enum Bytes {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl SocketAddress {
    /// Of no family, without a name.
    pub(super) const UNSPECIFIED: Self = Self {
        bytes: Bytes::Short {
            len: 2,
            bytes: [0; SHORT],
        },
    };

    /// Makes the address of a unix socket with a path. An empty path makes the unnamed address.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path is longer than 107 bytes or holds a zero byte.
    pub fn unix(path: impl AsRef<std::path::Path>) -> io::Result<Self> {
        Ok(UnixAddr::from_pathname(path)?.into())
    }

    /// Makes the address of a unix socket with an abstract name, which is in no file system.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name is longer than 107 bytes.
    pub fn unix_abstract(name: impl AsRef<[u8]>) -> io::Result<Self> {
        Ok(UnixAddr::from_abstract_name(name)?.into())
    }

    /// Makes an address of any family from the bytes of its `sockaddr`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are fewer than 2 bytes, the family, or more than 128.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        if (FAMILY_LEN..=ROOM).contains(&bytes.len()) {
            return Ok(Self::new(bytes));
        }
        let text = "a socket address has 2 to 128 bytes";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }

    fn new(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        let bytes = match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(bytes);
                Bytes::Short { len, bytes: short }
            }
            (None | Some(_), _) => Bytes::Long(bytes.into()),
        };
        Self { bytes }
    }

    /// Returns the bytes of the `sockaddr`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Short { len, bytes } => &bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// Returns the family: `AF_INET`, `AF_INET6`, `AF_UNIX`, …
    #[must_use]
    pub fn family(&self) -> i32 {
        match *self.as_bytes() {
            [low, high, ..] => i32::from(u16::from_ne_bytes([low, high])),
            [] | [_] => libc::AF_UNSPEC,
        }
    }

    /// Returns the address and port, if it is of an IP family.
    #[must_use]
    pub fn as_ip(&self) -> Option<SocketAddr> {
        Self::ip_of_bytes(self.as_bytes())
    }

    /// Returns the address and port in the bytes of a `sockaddr`, if it is of an IP family.
    #[must_use]
    #[inline]
    pub fn ip_of_bytes(bytes: &[u8]) -> Option<SocketAddr> {
        let family = i32::from(u16::from_ne_bytes(field(bytes, 0)?));
        let port = u16::from_be_bytes(field(bytes, V4_PORT)?);
        match family {
            libc::AF_INET => {
                let ip = Ipv4Addr::from(field::<4>(bytes, V4_IP)?);
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(field::<16>(bytes, V6_IP)?);
                let flow = u32::from_ne_bytes(field(bytes, V6_FLOW)?);
                let scope = u32::from_ne_bytes(field(bytes, V6_SCOPE)?);
                Some(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            _ => None,
        }
    }

    /// The bytes of the `sockaddr` of an address of IP, and how many they are.
    #[inline]
    pub(crate) fn bytes_of_ip(address: SocketAddr) -> ([u8; SHORT], u8) {
        let mut bytes = [0; SHORT];
        let port = address.port().to_be_bytes();
        put(&mut bytes, V4_PORT, &port);
        let (family, len) = match address {
            SocketAddr::V4(v4) => {
                put(&mut bytes, V4_IP, &v4.ip().octets());
                (libc::AF_INET, size_of::<libc::sockaddr_in>())
            }
            SocketAddr::V6(v6) => {
                put(&mut bytes, V6_IP, &v6.ip().octets());
                put(&mut bytes, V6_FLOW, &v6.flowinfo().to_ne_bytes());
                put(&mut bytes, V6_SCOPE, &v6.scope_id().to_ne_bytes());
                (libc::AF_INET6, size_of::<libc::sockaddr_in6>())
            }
        };
        put(&mut bytes, 0, &family_bytes(family));
        let len = u8::try_from(len).expect("an IP address is a few bytes long");
        (bytes, len)
    }

    /// Returns the path or name, if it is of the unix family. That of a socket that was bound to
    /// none is unnamed.
    #[must_use]
    pub fn as_unix(&self) -> Option<UnixAddr> {
        if self.family() != libc::AF_UNIX {
            return None;
        }
        match self.as_bytes().get(FAMILY_LEN..)? {
            [0, name @ ..] => UnixAddr::from_abstract_name(name).ok(),
            path => {
                let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
                UnixAddr::from_pathname(OsStr::from_bytes(path)).ok()
            }
        }
    }
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> Self {
        let (bytes, len) = Self::bytes_of_ip(address);
        Self {
            bytes: Bytes::Short { len, bytes },
        }
    }
}

impl From<UnixAddr> for SocketAddress {
    fn from(address: UnixAddr) -> Self {
        let mut bytes = family_bytes(libc::AF_UNIX).to_vec();
        if let Some(path) = address.as_pathname() {
            bytes.extend_from_slice(path.as_os_str().as_bytes());
            bytes.push(0);
        } else if let Some(name) = address.as_abstract_name() {
            bytes.push(0);
            bytes.extend_from_slice(name);
        }
        Self::new(&bytes)
    }
}

impl fmt::Debug for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("SocketAddress");
        match (self.as_ip(), self.as_unix()) {
            (Some(ip), _) => tuple.field(&ip),
            (None, Some(unix)) => tuple.field(&unix),
            (None, None) => tuple.field(&self.as_bytes()),
        };
        tuple.finish()
    }
}

/// Room for the address that the kernel writes, and for its length.
pub(super) struct AddressRoom {
    /// Room before the kernel writes it; afterwards how long the address is, were there room.
    pub(super) len: u32,
    pub(super) bytes: [u8; ROOM],
}

impl AddressRoom {
    pub(super) fn new() -> Self {
        Self {
            len: ROOM_LEN,
            bytes: [0; ROOM],
        }
    }

    /// What the kernel wrote, `len` bytes long; `None` if it wrote none.
    pub(super) fn read(&self, len: u32) -> Option<SocketAddress> {
        let len = usize::try_from(len).map_or(ROOM, |len| len.min(ROOM));
        SocketAddress::from_bytes(&self.bytes[..len]).ok()
    }
}

impl fmt::Debug for AddressRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressRoom")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// The family, in the type that the address structs have it in.
fn family_bytes(family: i32) -> [u8; FAMILY_LEN] {
    let family = libc::sa_family_t::try_from(family);
    family
        .expect("address families are small numbers")
        .to_ne_bytes()
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn put(bytes: &mut [u8; SHORT], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}

/// `struct sockaddr_storage` has as much.
const ROOM: usize = size_of::<libc::sockaddr_storage>();
pub(super) const ROOM_LEN: u32 = 128;
const SHORT: usize = size_of::<libc::sockaddr_in6>();
const FAMILY_LEN: usize = 2;
const V4_PORT: usize = offset_of!(libc::sockaddr_in, sin_port);
const V4_IP: usize = offset_of!(libc::sockaddr_in, sin_addr);
const V6_FLOW: usize = offset_of!(libc::sockaddr_in6, sin6_flowinfo);
const V6_IP: usize = offset_of!(libc::sockaddr_in6, sin6_addr);
const V6_SCOPE: usize = offset_of!(libc::sockaddr_in6, sin6_scope_id);

const _: () = assert!(ROOM == ROOM_LEN as usize, "the room has a fixed length");
const _: () = assert!(
    V4_PORT == offset_of!(libc::sockaddr_in6, sin6_port),
    "both IP families have the port in the same place"
);
const _: () = assert!(size_of::<SocketAddress>() <= 32, "it fits into a slot");

#[cfg(test)]
mod tests;
