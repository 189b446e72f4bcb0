//! Waiting for a word in memory to change, across threads.
//!
//! The words are counted: the kernel reads them when it runs the entry, so each operation keeps its
//! own alive. They are private to the process, as those of std and of C libraries are by default, and
//! the other side may as well use `futex(2)`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Waits until somebody wakes the waiters of `word`, if it holds `expected` still when the kernel
    /// looks. Counterpart: `FUTEX_WAIT` of `futex(2)`, `io_uring_prep_futex_wait(3)`.
    ///
    /// Look at the word again afterwards: a wake is a hint.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7. The future gives `WouldBlock` if the word held something else.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, it tells whether a wake came first. Dropped, it may have taken a wake along that
    /// another waiter could have had: then wake one more.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let word = Arc::new(AtomicU32::new(0));
    /// let theirs = Arc::clone(&word);
    /// let other = std::thread::spawn(move || {
    ///     let mut proactor = Proactor::new(&Config::default())?;
    ///     theirs.store(1, Ordering::Release);
    ///     proactor.block_on(proactor.handle().futex_wake(&theirs, 1)?)?
    /// });
    /// let handle = proactor.handle();
    /// while word.load(Ordering::Acquire) == 0 {
    ///     // Woken, or the word changed before the kernel looked.
    ///     let _hint = proactor.block_on(handle.futex_wait(&word, 0)?)?;
    /// }
    /// other.join().expect("it does not panic")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn futex_wait(&self, word: &Arc<AtomicU32>, expected: u32) -> io::Result<Op<FutexWait>> {
        self.require(io_uring::opcode::FutexWait::CODE, "futex_wait", "6.7")?;
        let word = Arc::clone(word);
        Ok(self.submit(FutexWait { word, expected }))
    }

    /// Wakes up to `count` of those who wait for `word`, and tells how many that were. Counterpart:
    /// `FUTEX_WAKE` of `futex(2)`, `io_uring_prep_futex_wake(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, it wakes all the same.
    pub fn futex_wake(&self, word: &Arc<AtomicU32>, count: u32) -> io::Result<Op<FutexWake>> {
        self.require(io_uring::opcode::FutexWake::CODE, "futex_wake", "6.7")?;
        let word = Arc::clone(word);
        Ok(self.submit(FutexWake { word, count }))
    }

    /// Waits until somebody wakes the waiters of any of `words`, if each holds the value beside it
    /// still when the kernel looks. Counterpart: `futex_waitv(2)`, `io_uring_prep_futex_waitv(3)`.
    ///
    /// The future tells which word it was; others may have been woken as well.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7, `InvalidInput` for no words and for more than 128. The future
    /// gives `WouldBlock` if a word held something else.
    ///
    /// # Cancel safety
    ///
    /// As [`futex_wait`](Self::futex_wait).
    pub fn futex_waitv(&self, words: Vec<(Arc<AtomicU32>, u32)>) -> io::Result<Op<FutexWaitV>> {
        self.require(io_uring::opcode::FutexWaitV::CODE, "futex_waitv", "6.7")?;
        if !(1..=WORDS_MAX).contains(&words.len()) {
            let text = format!("futex_waitv takes 1 to {WORDS_MAX} words");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let waiters = words.iter().map(|(word, expected)| Waiter {
            value: u64::from(*expected),
            address: address(word),
            flags: FLAGS,
            reserved: 0,
        });
        let waiters = waiters.collect();
        Ok(self.submit(FutexWaitV { waiters, words }))
    }
}

/// Waits for a wake of a word. Linux 6.7. Counterpart: `io_uring_prep_futex_wait(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_futex_wait")]
pub struct FutexWait {
    word: Arc<AtomicU32>,
    expected: u32,
}

// SAFETY: the entry names a word that is counted here.
unsafe impl Operation for FutexWait {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "futex_wait";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        let code = io_uring::opcode::FutexWait::CODE;
        futex(code, &self.word, self.expected)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Wakes those who wait for a word. Linux 6.7. Counterpart: `io_uring_prep_futex_wake(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_futex_wake")]
pub struct FutexWake {
    word: Arc<AtomicU32>,
    count: u32,
}

// SAFETY: the entry names a word that is counted here.
unsafe impl Operation for FutexWake {
    /// How many were woken.
    type Output = io::Result<u32>;
    type Leftover = ();
    const NAME: &'static str = "futex_wake";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        let code = io_uring::opcode::FutexWake::CODE;
        // The kernel counts in an `int`.
        futex(code, &self.word, self.count.min(i32::MAX.unsigned_abs()))
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Waits for a wake of one of several words. Linux 6.7. Counterpart:
/// `io_uring_prep_futex_waitv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_futex_waitv")]
pub struct FutexWaitV {
    waiters: Box<[Waiter]>,
    words: Vec<(Arc<AtomicU32>, u32)>,
}

// SAFETY: the entry names an array on the heap, and that names words which are counted here.
unsafe impl Operation for FutexWaitV {
    /// The place of the word that was woken.
    type Output = io::Result<usize>;
    type Leftover = Vec<(Arc<AtomicU32>, u32)>;
    const NAME: &'static str = "futex_waitv";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        // The kernel wants the descriptor to be zero.
        Sqe::new(io_uring::opcode::FutexWaitV::CODE, 0)
            .memory(self.waiters.as_ptr().cast(), self.waiters.len())
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let place = cqe.result()?;
        Ok(usize::try_from(place).expect("there are few words"))
    }

    fn reclaim(self) -> Self::Leftover {
        self.words
    }
}

fn futex(code: u8, word: &Arc<AtomicU32>, value: u32) -> Sqe {
    Sqe {
        address: address(word),
        offset: u64::from(value),
        address3: ANY_WAITER,
        ..Sqe::new(code, FLAGS.cast_signed())
    }
}

fn address(word: &Arc<AtomicU32>) -> u64 {
    word.as_ptr().expose_provenance() as u64
}

/// `struct futex_waitv`.
#[derive(Debug)]
#[repr(C)]
struct Waiter {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// `FUTEX2_SIZE_U32` and `FUTEX2_PRIVATE`.
const FLAGS: u32 = 0x02 | 0x80;
/// `FUTEX_BITSET_MATCH_ANY`.
const ANY_WAITER: u64 = 0xffff_ffff;
/// `FUTEX_WAITV_MAX`.
const WORDS_MAX: usize = 128;
