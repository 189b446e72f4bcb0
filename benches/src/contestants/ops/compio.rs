//! compio's driver: its operations as futures, and its proactor polled for completions.

mod nop;
mod submitted;

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::path::Path;

use compio_buf::{BufResult, IntoInner, IoBuf};
use compio_driver::op::{ReadAt, Recv, RecvFlags, Send, SendFlags};
use compio_driver::{Proactor, SharedFd, ToSharedFd};

use super::{
    Announce, BUFFER_LEN, Contestant, DirectReads, Drill, Page, READ_LEN, Samples, Service, Tasks,
    Throughput, WARM_UP, accept, all_of, be_woken, block_on, hear, open_direct, whole,
};
use crate::meter::{Cost, Meter};
use nop::Nop;
use submitted::Submitted;

/// Does everything with operations of compio's driver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compio;

impl Contestant for Compio {
    fn name(&self) -> &'static str {
        "compio"
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        matches!(service, Service::Echo(_))
    }

    fn serve(&self, _: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        let driver = &driver()?;
        match <[TcpStream; 1]>::try_from(accept(connections, announce)?) {
            Ok([stream]) => {
                let waker = driver.borrow().waker();
                block_on(echo(driver, stream), &waker, || park(driver))?
            }
            Err(streams) => {
                let tasks = streams.into_iter();
                let tasks = Tasks::new(tasks.map(|stream| Box::pin(echo(driver, stream)) as _));
                tasks.run(|| park(driver))
            }
        }
    }

    fn nops(&self, batch: u32, count: u32) -> io::Result<Cost> {
        let driver = &driver()?;
        let work = async {
            if batch == 1 {
                nops_one_by_one(driver, WARM_UP).await?;
                let meter = Meter::start();
                nops_one_by_one(driver, count).await?;
                return Ok(meter.read());
            }
            let mut ops = Vec::with_capacity(batch as usize);
            nops_in_batches(driver, &mut ops, WARM_UP / batch, batch).await?;
            let meter = Meter::start();
            nops_in_batches(driver, &mut ops, count / batch, batch).await?;
            Ok(meter.read())
        };
        let waker = driver.borrow().waker();
        block_on(work, &waker, || park(driver))?
    }

    fn reads(&self, file: &Path, count: u32) -> io::Result<Cost> {
        let driver = &driver()?;
        let file = SharedFd::new(File::open(file)?);
        let work = async {
            let mut buffer = Vec::with_capacity(READ_LEN);
            for _ in 0..WARM_UP {
                (_, buffer) = read(driver, &file, buffer, 0).await?;
            }
            let meter = Meter::start();
            for _ in 0..count {
                (_, buffer) = read(driver, &file, buffer, 0).await?;
            }
            Ok(meter.read())
        };
        let waker = driver.borrow().waker();
        block_on(work, &waker, || park(driver))?
    }

    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let driver = &driver()?;
        let file = &SharedFd::new(open_direct(plan)?);
        let drill = &Drill::new(plan);
        let readers = (0..plan.depth).map(|_| Box::pin(read_pages(driver, file, drill)) as _);
        drill.run(Tasks::new(readers), || park(driver))
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let driver = driver()?;
        be_woken(ringer_cpu, count, |bell| {
            let waker = driver.borrow().waker();
            block_on(hear(bell, count), &waker, || park(&driver))
        })
    }
}

async fn nops_one_by_one(driver: &RefCell<Proactor>, count: u32) -> io::Result<()> {
    for _ in 0..count {
        Submitted::new(driver, Nop).await.0?;
    }
    Ok(())
}

async fn nops_in_batches<'d>(
    driver: &'d RefCell<Proactor>,
    ops: &mut Vec<Submitted<'d, Nop>>,
    count: u32,
    batch: u32,
) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..count {
        ops.extend((0..batch).map(|_| Submitted::new(driver, Nop)));
        let keep_error = |BufResult(output, Nop)| {
            if output.is_err() {
                result = output.map(drop);
            }
        };
        all_of(ops, keep_error).await;
    }
    result
}

async fn read<B: compio_buf::IoBufMut>(
    driver: &RefCell<Proactor>,
    file: &SharedFd<File>,
    buffer: B,
    offset: u64,
) -> io::Result<(usize, B)> {
    let op = ReadAt::new(file.to_shared_fd(), offset, buffer);
    let BufResult(count, op) = Submitted::new(driver, op).await;
    Ok((count?, op.into_inner()))
}

async fn echo(driver: &RefCell<Proactor>, stream: TcpStream) -> io::Result<()> {
    let fd = SharedFd::new(stream);
    // A buffer that is full from the start: its length need not be set, which would be unsafe.
    let mut buffer = vec![0; BUFFER_LEN];
    loop {
        let recv = Recv::new(fd.to_shared_fd(), buffer, RecvFlags::empty());
        let BufResult(received, recv) = Submitted::new(driver, recv).await;
        let received = received?;
        if received == 0 {
            return Ok(());
        }
        let bytes = recv.into_inner().slice(..received);
        let send = Send::new(fd.to_shared_fd(), bytes, SendFlags::empty());
        let BufResult(sent, send) = Submitted::new(driver, send).await;
        whole(sent?, received)?;
        buffer = send.into_inner().into_inner();
    }
}

async fn read_pages(
    driver: &RefCell<Proactor>,
    file: &SharedFd<File>,
    drill: &Drill<'_>,
) -> io::Result<()> {
    let mut page = Page::new();
    while let Some(offset) = drill.next_offset() {
        let count;
        (count, page) = read(driver, file, page, offset).await?;
        drill.note(count)?;
    }
    Ok(())
}

/// Makes a driver with the flags that suit one thread, as the others have them.
fn driver() -> io::Result<RefCell<Proactor>> {
    let mut builder = Proactor::builder();
    builder
        .capacity(256)
        .cqsize(1024)
        .single_issuer(true)
        .defer_taskrun(true)
        .taskrun_flag(true);
    builder.build().map(RefCell::new)
}

fn park(driver: &RefCell<Proactor>) -> io::Result<()> {
    match driver.borrow_mut().poll(None) {
        // It looked and found nothing: the caller comes again.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}
