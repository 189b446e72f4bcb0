//! ringloop's proactor alone: its operations on its own `block_on`, or on a loop that parks.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::path::Path;

use ringloop_core::Driver;
use ringloop_proactor::ops::Nop;
use ringloop_proactor::{Config, Fd, Handle, Op, Proactor};

use super::{
    Announce, BUFFER_LEN, Contestant, DirectReads, Drill, Page, READ_LEN, Samples, Service, Tasks,
    Throughput, WARM_UP, accept, all_of, be_woken, hear, open_direct, told, whole,
};
use crate::meter::{Cost, Meter};

/// Does everything with operations of `ringloop-proactor`, default settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ringloop;

impl Contestant for Ringloop {
    fn name(&self) -> &'static str {
        "proactor"
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        matches!(service, Service::Echo(_))
    }

    fn serve(&self, _: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        let mut proactor = proactor()?;
        let handle = &proactor.handle();
        match <[TcpStream; 1]>::try_from(accept(connections, announce)?) {
            Ok([stream]) => proactor.block_on(echo(handle, stream))?,
            Err(streams) => {
                let tasks = streams.into_iter();
                let tasks = Tasks::new(tasks.map(|stream| Box::pin(echo(handle, stream)) as _));
                tasks.run(|| proactor.park(None))
            }
        }
    }

    fn nops(&self, batch: u32, count: u32) -> io::Result<Cost> {
        let mut proactor = proactor()?;
        let handle = proactor.handle();
        proactor.block_on(async {
            if batch == 1 {
                nops_one_by_one(&handle, WARM_UP).await?;
                let meter = Meter::start();
                nops_one_by_one(&handle, count).await?;
                return Ok(meter.read());
            }
            let mut ops = Vec::with_capacity(batch as usize);
            nops_in_batches(&handle, &mut ops, WARM_UP / batch, batch).await?;
            let meter = Meter::start();
            nops_in_batches(&handle, &mut ops, count / batch, batch).await?;
            Ok(meter.read())
        })?
    }

    fn reads(&self, file: &Path, count: u32) -> io::Result<Cost> {
        let mut proactor = proactor()?;
        let handle = proactor.handle();
        let file = handle.adopt(File::open(file)?);
        proactor.block_on(async {
            let mut buffer = Vec::with_capacity(READ_LEN);
            for _ in 0..WARM_UP {
                (_, buffer) = handle.read(&file, buffer, 0).await?;
            }
            let meter = Meter::start();
            for _ in 0..count {
                (_, buffer) = handle.read(&file, buffer, 0).await?;
            }
            Ok(meter.read())
        })?
    }

    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let mut proactor = proactor()?;
        let handle = &proactor.handle();
        let file = &handle.adopt(open_direct(plan)?);
        let drill = &Drill::new(plan);
        let readers = (0..plan.depth).map(|_| Box::pin(read_pages(handle, file, drill)) as _);
        drill.run(Tasks::new(readers), || proactor.park(None))
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let mut proactor = proactor()?;
        be_woken(ringer_cpu, count, |bell| {
            proactor.block_on(hear(bell, count))
        })
    }
}

async fn nops_one_by_one(handle: &Handle, count: u32) -> io::Result<()> {
    for _ in 0..count {
        handle.nop().await?;
    }
    Ok(())
}

async fn nops_in_batches(
    handle: &Handle,
    ops: &mut Vec<Op<Nop>>,
    count: u32,
    batch: u32,
) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..count {
        ops.extend((0..batch).map(|_| handle.nop()));
        let keep_error = |output: io::Result<()>| {
            if output.is_err() {
                result = output;
            }
        };
        all_of(ops, keep_error).await;
    }
    result
}

async fn echo(handle: &Handle, stream: TcpStream) -> io::Result<()> {
    let fd = handle.adopt(stream);
    let mut buffer = Vec::with_capacity(BUFFER_LEN);
    loop {
        (_, buffer) = handle.recv(&fd, buffer).await?;
        if buffer.is_empty() {
            return Ok(());
        }
        let count;
        let expected = buffer.len();
        (count, buffer) = handle.send(&fd, buffer).await?;
        whole(count, expected)?;
    }
}

async fn read_pages(handle: &Handle, file: &Fd, drill: &Drill<'_>) -> io::Result<()> {
    let mut page = Page::new();
    while let Some(offset) = drill.next_offset() {
        let count;
        (count, page) = handle.read(file, page, offset).await?;
        drill.note(count)?;
    }
    Ok(())
}

fn proactor() -> io::Result<Proactor> {
    Proactor::new(&Config::default()).map_err(told)
}
