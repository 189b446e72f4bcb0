//! monoio on its ring, with its default settings.

use std::io;
use std::time::Duration;

use monoio::buf::IoBuf;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::udp::UdpSocket;
use monoio::net::{TcpListener, TcpStream};
use monoio::{IoUringDriver, Runtime, RuntimeBuilder, spawn};

use super::blocking::ended;
use super::{Announce, BULK_BUFFER, Contestant, DATAGRAM_BUFFER, LOOPBACK, Service};
use crate::clock;

/// Does everything on monoio, with buffers that it owns meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monoio;

impl Contestant for Monoio {
    fn name(&self) -> &'static str {
        "monoio-net"
    }

    fn can_serve(&self, _: Service, _: u32) -> bool {
        true
    }

    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        runtime()?.block_on(async {
            match service {
                Service::Echo(len) => each(connections, announce, |stream| echo(stream, len)).await,
                Service::Sink => each(connections, announce, sink).await,
                Service::Source(bytes) => {
                    each(connections, announce, |stream| source(stream, bytes)).await
                }
                Service::Datagrams => datagrams(announce).await,
            }
        })
    }

    fn connects(&self, count: u32, in_flight: u32) -> io::Result<Duration> {
        runtime()?.block_on(async move {
            let listener = TcpListener::bind(LOOPBACK)?;
            let address = listener.local_addr()?;
            let start = clock::now();
            let mut tasks = vec![spawn(async move {
                for _ in 0..count / in_flight * in_flight {
                    drop(listener.accept().await?);
                }
                Ok::<(), io::Error>(())
            })];
            for _ in 0..in_flight {
                tasks.push(spawn(async move {
                    for _ in 0..count / in_flight {
                        let mut stream = TcpStream::connect(address).await?;
                        let (read, _) = stream.read(vec![0]).await;
                        ended(read?)?;
                    }
                    Ok(())
                }));
            }
            for task in tasks {
                task.await?;
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
    let listener = TcpListener::bind(LOOPBACK)?;
    announce(listener.local_addr()?)?;
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tasks.push(spawn(serve(stream)));
    }
    for task in tasks {
        task.await?;
    }
    Ok(())
}

async fn echo(mut stream: TcpStream, len: u32) -> io::Result<()> {
    let mut buffer = vec![0; len as usize];
    loop {
        let (read, filled) = stream.read(buffer).await;
        let count = read?;
        if count == 0 {
            return Ok(());
        }
        let (written, slice) = stream.write_all(filled.slice(..count)).await;
        written?;
        buffer = slice.into_inner();
    }
}

async fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BULK_BUFFER];
    loop {
        let (read, filled) = stream.read(buffer).await;
        if read? == 0 {
            return Ok(());
        }
        buffer = filled;
    }
}

async fn source(mut stream: TcpStream, bytes: u64) -> io::Result<()> {
    let mut buffer = vec![1; BULK_BUFFER];
    for _ in 0..bytes / BULK_BUFFER as u64 {
        let (written, sent) = stream.write_all(buffer).await;
        written?;
        buffer = sent;
    }
    Ok(())
}

async fn datagrams(announce: &Announce<'_>) -> io::Result<()> {
    let socket = UdpSocket::bind(LOOPBACK)?;
    announce(socket.local_addr()?)?;
    let mut buffer = vec![0; DATAGRAM_BUFFER];
    loop {
        let (received, filled) = socket.recv_from(buffer).await;
        let (count, peer) = received?;
        if count == 0 {
            return Ok(());
        }
        let (sent, slice) = socket.send_to(filled.slice(..count), peer).await;
        sent?;
        buffer = slice.into_inner();
    }
}

fn runtime() -> io::Result<Runtime<IoUringDriver>> {
    RuntimeBuilder::<IoUringDriver>::new().build()
}
