//! tokio: the current-thread runtime with its default settings.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::task;

use super::blocking::ended;
use super::borrowed::services;
use super::{Announce, BULK_BUFFER, Contestant, DATAGRAM_BUFFER, LOOPBACK, Service};
use crate::clock;

/// Does everything on tokio's current-thread runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokio;

impl Contestant for Tokio {
    fn name(&self) -> &'static str {
        "tokio-net"
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
                task.await??;
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
    F: Future<Output = io::Result<()>> + Send + 'static,
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
        task.await??;
    }
    Ok(())
}

services!();

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
    Builder::new_current_thread().enable_all().build()
}
