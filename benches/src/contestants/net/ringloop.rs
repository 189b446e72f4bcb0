//! ringloop: the facade with its default settings, with borrowed buffers or with its own.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringloop::net::{TcpListener, TcpStream, UdpSocket};
use ringloop::runtime::Runtime;
use ringloop::task;

use super::blocking::ended;
use super::borrowed::services;
use super::{Announce, BULK_BUFFER, Contestant, DATAGRAM_BUFFER, LOOPBACK, Service, told};
use crate::clock;

/// Does everything on ringloop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ringloop {
    /// Reads into a buffer, and writes out of it.
    Borrowing,
    /// Reads what the stream lends, and hands over what it writes.
    Owning,
}

impl Contestant for Ringloop {
    fn name(&self) -> &'static str {
        super::OURS[*self as usize]
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        matches!(self, Self::Borrowing) || service != Service::Datagrams
    }

    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        runtime()?.block_on(async {
            match (self, service) {
                (Self::Borrowing, Service::Echo(len)) => {
                    each(connections, announce, |stream| echo(stream, len)).await
                }
                (Self::Borrowing, Service::Sink) => each(connections, announce, sink).await,
                (Self::Borrowing, Service::Source(bytes)) => {
                    each(connections, announce, |stream| source(stream, bytes)).await
                }
                (Self::Owning, Service::Echo(_)) => each(connections, announce, echo_chunks).await,
                (Self::Owning, Service::Sink) => each(connections, announce, sink_chunks).await,
                (Self::Owning, Service::Source(bytes)) => {
                    each(connections, announce, |stream| source_owned(stream, bytes)).await
                }
                (_, Service::Datagrams) => datagrams(announce).await,
            }
        })
    }

    fn connects(&self, count: u32, in_flight: u32) -> io::Result<Duration> {
        if matches!(self, Self::Owning) {
            return Err(self.lacks("connect in a way of its own"));
        }
        runtime()?.block_on(async move {
            let listener = TcpListener::bind(LOOPBACK).await?;
            let address = listener.local_addr()?;
            let start = clock::now();
            let mut tasks = vec![task::spawn(async move {
                for _ in 0..count / in_flight * in_flight {
                    drop(listener.accept().await?);
                }
                Ok::<(), io::Error>(())
            })];
            for _ in 0..in_flight {
                tasks.push(task::spawn(async move {
                    for _ in 0..count / in_flight {
                        let mut stream = TcpStream::connect(address).await?;
                        ended(stream.read(&mut [0]).await?)?;
                    }
                    Ok(())
                }));
            }
            for task in tasks {
                task.await.map_err(told)??;
            }
            Ok(clock::now() - start)
        })
    }
}

/// Accepts so many connections, and has each served by a task.
async fn each<F>(
    connections: u32,
    announce: &Announce<'_>,
    serve: impl Fn(TcpStream) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + 'static,
{
    let listener = TcpListener::bind(LOOPBACK).await?;
    announce(listener.local_addr()?)?;
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tasks.push(task::spawn(serve(stream)));
    }
    for task in tasks {
        task.await.map_err(told)??;
    }
    Ok(())
}

services!();

async fn echo_chunks(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let chunk = stream.read_chunk().await?;
        if chunk.is_empty() {
            return Ok(());
        }
        stream.write_owned(chunk).await.map_err(told)?;
    }
}

async fn sink_chunks(mut stream: TcpStream) -> io::Result<()> {
    while !stream.read_chunk().await?.is_empty() {}
    Ok(())
}

async fn source_owned(mut stream: TcpStream, bytes: u64) -> io::Result<()> {
    let buffer: Rc<[u8]> = vec![1; BULK_BUFFER].into();
    for _ in 0..bytes / BULK_BUFFER as u64 {
        let piece = Rc::clone(&buffer);
        stream.write_owned(piece).await.map_err(told)?;
    }
    Ok(())
}

async fn datagrams(announce: &Announce<'_>) -> io::Result<()> {
    let socket = UdpSocket::bind(LOOPBACK).await?;
    announce(socket.local_addr()?)?;
    let mut buffer = [0; DATAGRAM_BUFFER];
    loop {
        let (count, peer) = socket.recv_from(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        socket.send_to(&buffer[..count], peer).await?;
    }
}

fn runtime() -> io::Result<Runtime> {
    Runtime::new().map_err(told)
}
