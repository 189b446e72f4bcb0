//! Blocking calls of std, where one thread is enough for the work.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::{Announce, BULK_BUFFER, Contestant, DATAGRAM_BUFFER, LOOPBACK, Service};
use crate::clock;

/// Blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking;

impl Contestant for Blocking {
    fn name(&self) -> &'static str {
        super::FLOORS[0]
    }

    fn can_serve(&self, service: Service, connections: u32) -> bool {
        service == Service::Datagrams || connections == 1
    }

    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        if service == Service::Datagrams {
            return datagrams(announce);
        }
        let listener = TcpListener::bind(LOOPBACK)?;
        if connections != 1 {
            return Err(self.lacks(service.about()));
        }
        announce(listener.local_addr()?)?;
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        match service {
            Service::Echo(len) => echo(&mut stream, len),
            Service::Sink => sink(&mut stream),
            Service::Source(bytes) => source(&mut stream, bytes),
            Service::Datagrams => Ok(()),
        }
    }

    fn connects(&self, count: u32, in_flight: u32) -> io::Result<Duration> {
        let listener = TcpListener::bind(LOOPBACK)?;
        let address = listener.local_addr()?;
        let start = clock::now();
        for _ in 0..count / in_flight {
            // A connection is made when the backlog has it: nothing here waits.
            let ours: Result<Vec<_>, _> = (0..in_flight)
                .map(|_| TcpStream::connect(address))
                .collect();
            for _ in 0..in_flight {
                let (stream, _) = listener.accept()?;
                drop(stream);
            }
            for mut stream in ours? {
                ended(stream.read(&mut [0])?)?;
            }
        }
        Ok(clock::now() - start)
    }
}

fn echo(stream: &mut TcpStream, len: u32) -> io::Result<()> {
    let mut buffer = vec![0; len as usize];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count])?;
    }
}

fn sink(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BULK_BUFFER];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

fn source(stream: &mut TcpStream, bytes: u64) -> io::Result<()> {
    let buffer = vec![1; BULK_BUFFER];
    for _ in 0..bytes / BULK_BUFFER as u64 {
        stream.write_all(&buffer)?;
    }
    Ok(())
}

fn datagrams(announce: &Announce<'_>) -> io::Result<()> {
    let socket = UdpSocket::bind(LOOPBACK)?;
    announce(socket.local_addr()?)?;
    let mut buffer = [0; DATAGRAM_BUFFER];
    loop {
        let (count, peer) = socket.recv_from(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        socket.send_to(&buffer[..count], peer)?;
    }
}

/// Checks that a read told the end of the stream.
pub(super) fn ended(count: usize) -> io::Result<()> {
    if count == 0 {
        Ok(())
    } else {
        Err(io::Error::other("a connection of nothing brought bytes"))
    }
}
