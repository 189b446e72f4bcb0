//! ringloop: the facade with its default settings.

use std::io;
use std::time::Duration;

use ringloop::net::{TcpListener, TcpStream};
use ringloop::runtime::Runtime;
use ringloop::task;

use super::blocking::ended;
use super::{Announce, BULK_BUFFER, Contestant, LOOPBACK, Service, told};
use crate::clock;

/// Does everything on ringloop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ringloop;

impl Contestant for Ringloop {
    fn name(&self) -> &'static str {
        super::OURS[0]
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        service != Service::Datagrams
    }

    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        runtime()?.block_on(async {
            match service {
                Service::Echo(len) => each(connections, announce, |stream| echo(stream, len)).await,
                Service::Sink => each(connections, announce, sink).await,
                Service::Source(bytes) => {
                    each(connections, announce, |stream| source(stream, bytes)).await
                }
                Service::Datagrams => Err(self.lacks(service.about())),
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

async fn echo(mut stream: TcpStream, len: u32) -> io::Result<()> {
    let mut buffer = vec![0; len as usize];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

async fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BULK_BUFFER];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn source(mut stream: TcpStream, bytes: u64) -> io::Result<()> {
    let buffer = vec![1; BULK_BUFFER];
    for _ in 0..bytes / BULK_BUFFER as u64 {
        stream.write_all(&buffer).await?;
    }
    Ok(())
}

fn runtime() -> io::Result<Runtime> {
    Runtime::new().map_err(told)
}
