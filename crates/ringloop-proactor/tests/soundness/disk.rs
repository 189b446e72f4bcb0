//! Reads of a real disk, past the page cache, that are under way when everything is dropped: the
//! kernel writes into their memory until they have ended, and closing the ring is no barrier (F01,
//! F03, F22).

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{FixedBuf, FixedPool, Handle, IoBuf, Op, Proactor, Slice, ops};

use crate::quarantine;
use crate::rig::{churn, poll_once, proactor, skipped, small, sound, sound_alone, turn};

const LEN: usize = 16 << 20;

/// A file of two large blocks, removed in the end.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("{name}-{}", std::process::id()));
        let mut file = File::create(&path).unwrap();
        let block = vec![0x5a; LEN];
        for _ in 0..2 {
            file.write_all(&block).unwrap();
        }
        file.sync_all().unwrap();
        Self(path)
    }

    /// `None`, with a line that says so, on a file system that has no such reads.
    fn open(&self) -> Option<File> {
        let mut options = File::options();
        let options = options.read(true).custom_flags(libc::O_DIRECT);
        let file = options.open(&self.0).ok();
        if file.is_none() {
            skipped("no O_DIRECT on this file system");
        }
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// A buffer as such reads want it, on pages of its own.
fn block() -> Slice<Vec<u8>> {
    let memory = vec![0; LEN + 4096];
    let start = memory.as_ptr().align_offset(4096);
    memory.slice(start..start + LEN)
}

type DiskRead = Op<ops::Read<Slice<Vec<u8>>>>;

/// Two reads that are under way.
fn start_reads(proactor: &mut Proactor, file: File) -> Vec<DiskRead> {
    let handle = proactor.handle();
    let file = handle.adopt(file);
    let mut reads: Vec<_> = [0, LEN as u64]
        .map(|offset| handle.read(&file, block(), offset))
        .into();
    for read in &mut reads {
        assert!(poll_once(read).is_pending());
    }
    turn(proactor);
    reads
}

/// As long as it takes a disk to write all of it.
fn wait_for_the_disk() {
    proactor().park(Some(Duration::from_millis(20))).unwrap();
}

/// Calls `round` thirty times; it says how many reads were under way when the end came.
fn thirty_rounds(name: &str, mut round: impl FnMut(File) -> usize) {
    let disk = Disk::new(name);
    let mut under_way = 0;
    for _ in 0..30 {
        let Some(file) = disk.open() else { return };
        under_way += round(file);
        quarantine::check();
        wait_for_the_disk();
        quarantine::check();
    }
    if under_way == 0 {
        skipped("the disk is too fast: no read was under way when it was dropped");
    }
}

#[test]
fn nothing_is_written_after_the_proactor_was_dropped() {
    sound(|| {
        thirty_rounds("dropped", |file| {
            let mut proactor = proactor();
            let reads = start_reads(&mut proactor, file);
            let under_way = proactor.stats().in_flight;
            drop(reads);
            drop(proactor);
            under_way
        });
    });
}

#[test]
fn what_comes_back_from_a_dropped_proactor_does_not_change() {
    sound(|| {
        thirty_rounds("back", |file| {
            let mut proactor = proactor();
            let mut reads = start_reads(&mut proactor, file);
            let under_way = proactor.stats().in_flight;
            assert_eq!(proactor.shut_down(), 0);
            let buffers = reads.iter_mut().map(|read| match poll_once(read) {
                Poll::Ready(Ok((_, buffer))) => buffer,
                Poll::Ready(Err(error)) => error.buffer,
                Poll::Pending => panic!("it has ended"),
            });
            let buffers: Vec<_> = buffers.collect();
            let before = buffers.clone();
            wait_for_the_disk();
            assert!(before == buffers, "written after it came back");
            under_way
        });
    });
}

#[test]
fn a_panic_takes_the_proactor_during_a_read() {
    sound(|| {
        thirty_rounds("panic", |file| {
            let mut proactor = proactor();
            let reads = start_reads(&mut proactor, file);
            let under_way = proactor.stats().in_flight;
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _all = (reads, proactor);
                std::panic::resume_unwind(Box::new("a panic goes by"));
            }));
            assert!(panic.is_err());
            under_way
        });
    });
}

fn read_fixed(handle: &Handle, file: File, pool: &FixedPool) -> Vec<Op<ops::ReadFixed<FixedBuf>>> {
    let file = handle.adopt(file);
    let buffers = std::iter::from_fn(|| pool.check_out());
    buffers
        .map(|buffer| handle.read_fixed(&file, buffer, 0))
        .collect()
}

#[test]
fn registered_memory_is_kept_until_the_reads_have_ended() {
    sound(|| {
        thirty_rounds("fixed", |file| {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let pool = handle.register_buffers(2, 8 << 20).unwrap();
            let mut reads = read_fixed(&handle, file, &pool);
            for read in &mut reads {
                assert!(poll_once(read).is_pending());
            }
            turn(&mut proactor);
            let under_way = proactor.stats().in_flight;
            drop((pool, reads));
            churn();
            drop(proactor);
            under_way
        });
    });
}

/// With no time to wait for the end, the memory is never freed.
#[test]
fn memory_of_reads_that_are_still_under_way_is_forgotten() {
    let test = "disk::memory_of_reads_that_are_still_under_way_is_forgotten";
    sound_alone(test, || {
        let disk = Disk::new("leaked");
        let Some(file) = disk.open() else { return };
        let mut proactor = Proactor::new(&small().drain(Duration::ZERO)).unwrap();
        let handle = proactor.handle();
        let file = handle.adopt(file);
        let buffers = [block(), block()];
        let places = buffers
            .each_ref()
            .map(|block| block.get_ref().as_ptr().addr());
        let mut reads = buffers.map(|buffer| handle.read(&file, buffer, 0));
        for read in &mut reads {
            assert!(poll_once(read).is_pending());
        }
        turn(&mut proactor);
        let leaked = proactor.shut_down();
        if leaked == 0 {
            return skipped("the disk is too fast");
        }
        drop((reads, file, handle, proactor));
        let freed = places
            .into_iter()
            .filter(|&place| quarantine::is_freed(place));
        if quarantine::WATCHES {
            assert_eq!(freed.count(), 2 - leaked);
        }
        quarantine::check();
        wait_for_the_disk();
    });
}
