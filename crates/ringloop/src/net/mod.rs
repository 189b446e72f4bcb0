//! TCP and unix sockets. Counterpart: `std::net`, `std::os::unix::net`.

mod accepted;
mod addr;
mod check;
mod connect;
mod connect_error;
mod connecting;
mod connection;
mod conversions;
mod datagram;
mod datagram_methods;
mod datagram_waits;
mod datagrams;
mod fd_stream;
mod halves;
mod incoming;
mod keepalive;
mod listener;
mod lookup;
mod methods;
mod options;
mod read_chunk;
mod send_file;
mod serve;
mod settings;
mod tcp_listener;
mod tcp_listener_builder;
mod tcp_stream;
mod tcp_stream_builder;
mod udp_builder;
mod udp_options;
mod udp_socket;
mod unix_addr;
mod unix_datagram;
mod unix_listener;
mod unix_listener_builder;
mod unix_stream;
mod write_owned;

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use ringloop_proactor::Fd;

pub use addr::ToSocketAddrs;
pub use connect_error::ConnectError;
pub use datagram::{Datagram, PeerAddr, PeerCredentials};
pub use datagram_waits::{FlushDatagrams, Recv, RecvDatagram, RecvFrom, SendDatagram};
pub use datagrams::Datagrams;
pub use fd_stream::FdStream;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use incoming::Incoming;
pub use keepalive::Keepalive;
pub use lookup::lookup_host;
pub use read_chunk::ReadChunk;
pub use serve::{Listener, Outcome, Serve, ServeReport, Server, ServerStats, serve};
pub use tcp_listener::{Accept, TcpListener};
pub use tcp_listener_builder::TcpListenerBuilder;
pub use tcp_stream::TcpStream;
pub use tcp_stream_builder::TcpStreamBuilder;
pub use udp_builder::UdpBuilder;
pub use udp_socket::UdpSocket;
pub use unix_datagram::UnixDatagram;
pub use unix_listener::{AcceptUnix, UnixListener};
pub use unix_listener_builder::UnixListenerBuilder;
pub use unix_stream::UnixStream;
pub use write_owned::WriteOwned;

/// The descriptor for system calls.
fn plain(fd: &Fd) -> BorrowedFd<'_> {
    fd.plain()
        .expect("sockets of this module are never direct descriptors")
}

fn ip(address: socket2::SockAddr) -> io::Result<SocketAddr> {
    let unknown = || io::Error::new(io::ErrorKind::InvalidData, "not an internet address");
    address.as_socket().ok_or_else(unknown)
}
