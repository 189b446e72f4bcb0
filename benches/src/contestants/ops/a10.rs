//! a10: its futures, and its ring polled for completions.

use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::task::{Wake, Waker};

use a10::fd::AsyncFd;
use a10::{Extract, Ring, SubmissionQueue};

use super::{
    Announce, BUFFER_LEN, Contestant, DirectReads, Drill, Page, READ_LEN, Samples, Service, Tasks,
    Throughput, WARM_UP, accept, be_woken, block_on, hear, open_direct, whole,
};
use crate::meter::{Cost, Meter};

/// Does everything with operations of a10.
#[derive(Clone, Copy, Debug)]
pub(super) struct A10;

impl Contestant for A10 {
    fn name(&self) -> &'static str {
        "a10"
    }

    fn can_serve(&self, service: Service, _: u32) -> bool {
        matches!(service, Service::Echo(_))
    }

    fn serve(&self, _: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        let mut ring = ring()?;
        let queue = &ring.sq();
        match <[TcpStream; 1]>::try_from(accept(connections, announce)?) {
            Ok([stream]) => {
                let echo = echo(queue.clone(), stream);
                block_on(echo, &waker(&ring), || ring.poll(None))?
            }
            Err(streams) => {
                let tasks = streams.into_iter();
                let task = |stream| Box::pin(echo(queue.clone(), stream)) as _;
                Tasks::new(tasks.map(task)).run(|| ring.poll(None))
            }
        }
    }

    fn reads(&self, file: &Path, count: u32) -> io::Result<Cost> {
        let mut ring = ring()?;
        let file = AsyncFd::new(File::open(file)?.into(), ring.sq());
        let work = async {
            let mut buffer = Vec::with_capacity(READ_LEN);
            for _ in 0..WARM_UP {
                buffer = file.read(buffer).from(0).await?;
                buffer.clear();
            }
            let meter = Meter::start();
            for _ in 0..count {
                buffer = file.read(buffer).from(0).await?;
                buffer.clear();
            }
            Ok(meter.read())
        };
        block_on(work, &waker(&ring), || ring.poll(None))?
    }

    fn direct_reads(&self, plan: &DirectReads<'_>) -> io::Result<Throughput> {
        let mut ring = ring()?;
        let file = &AsyncFd::new(open_direct(plan)?.into(), ring.sq());
        let drill = &Drill::new(plan);
        let readers = (0..plan.depth).map(|_| Box::pin(read_pages(file, drill)) as _);
        drill.run(Tasks::new(readers), || ring.poll(None))
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let mut ring = ring()?;
        be_woken(ringer_cpu, count, |bell| {
            block_on(hear(bell, count), &waker(&ring), || ring.poll(None))
        })
    }
}

async fn echo(queue: SubmissionQueue, stream: TcpStream) -> io::Result<()> {
    let fd = AsyncFd::new(stream.into(), queue);
    let mut buffer = Vec::with_capacity(BUFFER_LEN);
    loop {
        buffer = fd.recv(buffer).await?;
        if buffer.is_empty() {
            return Ok(());
        }
        let count;
        (buffer, count) = fd.send(buffer).extract().await?;
        whole(count, buffer.len())?;
        buffer.clear();
    }
}

async fn read_pages(file: &AsyncFd, drill: &Drill<'_>) -> io::Result<()> {
    let mut page = Page::new();
    while let Some(offset) = drill.next_offset() {
        // The count goes to the buffer, which has no use for it.
        page = file.read(page).from(offset).await?;
        drill.note(super::page::PAGE_LEN)?;
    }
    Ok(())
}

/// Makes a ring with the flags that suit one thread, as the others have them.
fn ring() -> io::Result<Ring> {
    Ring::config()
        .single_issuer()
        .defer_task_run()
        .with_submission_queue_size(256)
        .with_completion_queue_size(1024)
        .build()
}

fn waker(ring: &Ring) -> Waker {
    Waker::from(Arc::new(RingWaker(ring.sq())))
}

struct RingWaker(SubmissionQueue);

impl Wake for RingWaker {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake();
    }
}
