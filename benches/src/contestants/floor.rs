//! The floor: each piece of work with nothing around it.
//!
//! Sleeps go to a bare ring with ringloop's setup flags. Work that needs no kernel is
//! done by the plainest structure of the standard library that does it: boxed closures in a queue,
//! a binary heap, channels between threads, an eventfd.

mod heap;

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Bell, Contestant, far_delay};
use crate::clock;
use crate::process;
use crate::ring::Ring;
use crate::samples::Samples;
use heap::Heap;

/// Does everything as directly as it can be done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Floor;

impl Contestant for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn spawn_join(&self, count: u32) -> io::Result<Duration> {
        let mut queue = Queue::new();
        let result = Rc::new(Cell::new(0));
        let start = clock::now();
        for number in 0..count {
            let target = Rc::clone(&result);
            queue.push_back(Box::new(move |_| target.set(black_box(number))));
            run(&mut queue);
            black_box(result.get());
        }
        Ok(clock::now() - start)
    }

    fn spawn_batch(&self, batches: u32, size: u32) -> io::Result<Duration> {
        let mut queue = Queue::new();
        let result = Rc::new(Cell::new(0));
        let start = clock::now();
        for _ in 0..batches {
            for number in 0..size {
                let target = Rc::clone(&result);
                queue.push_back(Box::new(move |_| target.set(black_box(number))));
            }
            run(&mut queue);
        }
        Ok(clock::now() - start)
    }

    fn yields(&self, tasks: u32, count: u32) -> io::Result<Duration> {
        let mut queue: VecDeque<Box<dyn FnMut() -> bool>> = VecDeque::new();
        for _ in 0..tasks {
            let mut left = black_box(count);
            queue.push_back(Box::new(move || {
                left = left.saturating_sub(1);
                left > 0
            }));
        }
        let start = clock::now();
        while let Some(mut job) = queue.pop_front() {
            if job() {
                queue.push_back(job);
            }
        }
        Ok(clock::now() - start)
    }

    fn timers(&self, count: u32, outstanding: u32) -> io::Result<Duration> {
        let mut heap = Heap::default();
        let base = clock::now();
        for number in 0..outstanding {
            heap.insert(base + far_delay(number));
        }
        let start = clock::now();
        for number in 0..count {
            let key = heap.insert(clock::now() + far_delay(number));
            heap.remove(black_box(key));
        }
        Ok(clock::now() - start)
    }

    fn sleeps(&self, count: u32, duration: Duration) -> io::Result<Samples> {
        let mut ring = Ring::new(8, 16)?;
        let (mut submissions, _) = ring.split();
        let mut samples = Samples::default();
        for _ in 0..count {
            let deadline = clock::now() + duration;
            let mut now = clock::now();
            while now < deadline {
                submissions.enter(1, Some(deadline - now))?;
                now = clock::now();
            }
            samples.push(now - deadline);
        }
        Ok(samples)
    }

    fn offloads(&self, worker_cpu: usize, count: u32) -> io::Result<Samples> {
        type Job = Box<dyn FnOnce() + Send>;
        let (jobs, inbox) = mpsc::channel::<Job>();
        let worker = thread::spawn(move || {
            for job in inbox {
                job();
            }
        });
        let mut samples = Samples::default();
        let (done, results) = mpsc::channel();
        for _ in 0..count {
            let start = clock::now();
            let done = done.clone();
            let job = move || {
                process::pin_once(worker_cpu);
                // The receiver outlives the loop; a lost result shows there.
                let _sent = done.send(());
            };
            jobs.send(Box::new(job))
                .map_err(|_| io::Error::other("the worker is gone"))?;
            results.recv().map_err(io::Error::other)?;
            samples.push(clock::now() - start);
        }
        drop(jobs);
        worker
            .join()
            .map_err(|_| io::Error::other("the worker panicked"))?;
        Ok(samples)
    }

    fn wakes(&self, ringer_cpu: usize, count: u32) -> io::Result<Samples> {
        let bell = Bell::default();
        let event = process::event_file()?;
        let wake = || (&event).write_all(&1_u64.to_ne_bytes());
        thread::scope(|scope| {
            let ringer = scope.spawn(|| bell.ring_often(ringer_cpu, count, wake));
            let mut samples = Samples::default();
            for _ in 0..count {
                samples.push(bell.heard_by(|| (&event).read_exact(&mut [0; 8]))?);
            }
            ringer
                .join()
                .map_err(|_| io::Error::other("the ringer panicked"))??;
            Ok(samples)
        })
    }
}

/// Closures that wait to be called, with the moment's stand-in for a context.
type Queue = VecDeque<Box<dyn FnOnce(&mut u32)>>;

fn run(queue: &mut Queue) {
    let mut context = 0;
    while let Some(job) = queue.pop_front() {
        job(&mut context);
    }
}
