use std::net::{SocketAddr, SocketAddrV6};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;

use super::{AddressRoom, SocketAddress};

/// Through the bytes that the kernel would read and write back.
fn round_trip(address: &SocketAddress) -> SocketAddress {
    let bytes = address.as_bytes();
    let mut room = AddressRoom::new();
    room.bytes[..bytes.len()].copy_from_slice(bytes);
    let len = u32::try_from(bytes.len()).unwrap();
    room.read(len).unwrap()
}

#[test]
fn ip_addresses_keep_all_their_parts() {
    let v4: SocketAddr = "192.0.2.7:443".parse().unwrap();
    let v6 = SocketAddrV6::new("2001:db8::7".parse().unwrap(), 8080, 0x000a_bcde, 77);
    for ip in [v4, SocketAddr::V6(v6)] {
        let address = round_trip(&SocketAddress::from(ip));
        assert_eq!(address.as_ip(), Some(ip));
        assert!(address.as_unix().is_none());
    }
    assert_eq!(SocketAddress::from(v4).as_bytes().len(), 16);
    assert_eq!(SocketAddress::from(SocketAddr::V6(v6)).as_bytes().len(), 28);
}

#[test]
fn unix_addresses_keep_their_names() {
    let long = "x".repeat(107);
    for path in ["/run/a.sock", "relative", &long] {
        let address = round_trip(&SocketAddress::unix(path).unwrap());
        let unix = address.as_unix().unwrap();
        assert_eq!(unix.as_pathname(), Some(path.as_ref()));
        assert_eq!(address.as_bytes().len(), 2 + path.len() + 1);
    }
    assert!(SocketAddress::unix("x".repeat(108)).is_err());
    assert!(SocketAddress::unix("nul\0inside").is_err());
    for name in [&b"name"[..], b"", b"nul\0inside", long.as_bytes()] {
        let address = round_trip(&SocketAddress::unix_abstract(name).unwrap());
        assert_eq!(address.as_unix().unwrap().as_abstract_name(), Some(name));
        assert_eq!(address.as_bytes().len(), 3 + name.len());
    }
    let unnamed = round_trip(&UnixAddr::from_pathname("").unwrap().into());
    assert!(unnamed.as_unix().unwrap().is_unnamed());
    assert_eq!(unnamed.as_bytes().len(), 2);
}

#[test]
fn what_the_kernel_says_is_never_trusted() {
    let mut room = AddressRoom::new();
    assert!(room.read(0).is_none() && room.read(1).is_none());
    // A path that fills the room has no zero at its end, and a length beyond the room is cut off.
    room.bytes = [b'x'; 128];
    room.bytes[..2].copy_from_slice(&1_u16.to_ne_bytes());
    assert_eq!(room.read(u32::MAX).unwrap().as_bytes().len(), 128);
    assert!(room.read(128).unwrap().as_unix().is_none());
    // Too short for its family.
    room.bytes[..2].copy_from_slice(&2_u16.to_ne_bytes());
    assert!(room.read(4).unwrap().as_ip().is_none());
    room.bytes[..2].copy_from_slice(&10_u16.to_ne_bytes());
    assert!(room.read(20).unwrap().as_ip().is_none());
    assert!(SocketAddress::from_bytes(&[0; 129]).is_err());
}

#[test]
fn other_families_go_by_their_bytes() {
    let netlink = [16, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0];
    let address = SocketAddress::from_bytes(&netlink).unwrap();
    assert_eq!((address.family(), address.as_bytes()), (16, &netlink[..]));
    assert!(address.as_ip().is_none() && address.as_unix().is_none());
    assert!(format!("{address:?}").contains("16, 0"));
}
