//! Where freed blocks wait, the oldest first.

use std::alloc::Layout;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::mark::{self, Damage};
use super::{paged, small};

/// A freed block.
#[derive(Clone, Copy)]
pub(super) struct Block {
    start: *mut u8,
    layout: Layout,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Small,
    Paged,
    /// With its pages out of reach.
    Sealed,
}

/// A ring of blocks in memory that is nobody else's, so that using it allocates nothing (Q2).
struct Shelf {
    /// Null until it is needed.
    blocks: *mut Block,
    first: usize,
    count: usize,
    bytes: usize,
    /// The first damage that was found and not told.
    damage: Option<Damage>,
}

// SAFETY: the blocks on it are nobody else's (Q1).
unsafe impl Send for Shelf {}

static SHELF: Mutex<Shelf> = Mutex::new(Shelf {
    blocks: ptr::null_mut(),
    first: 0,
    count: 0,
    bytes: 0,
    damage: None,
});

impl Block {
    pub(super) fn small(start: *mut u8, layout: Layout) -> Self {
        let kind = Kind::Small;
        Self {
            start,
            layout,
            kind,
        }
    }

    pub(super) fn paged(start: *mut u8, layout: Layout, is_sealed: bool) -> Self {
        let kind = if is_sealed { Kind::Sealed } else { Kind::Paged };
        Self {
            start,
            layout,
            kind,
        }
    }

    fn len(&self) -> usize {
        match self.kind {
            Kind::Small => self.layout.size() + small::TAIL,
            Kind::Paged | Kind::Sealed => self.layout.size(),
        }
    }

    fn look(&self) -> Option<Damage> {
        if self.kind == Kind::Sealed {
            paged::protect(self.start, self.layout, libc::PROT_READ);
        }
        // SAFETY: Q1, the block is on the shelf and mapped.
        let damage = unsafe { mark::look("a freed block", self.start, self.len()) };
        if self.kind == Kind::Sealed {
            paged::protect(self.start, self.layout, libc::PROT_NONE);
        }
        damage
    }

    /// # Safety
    ///
    /// It has been taken from the shelf.
    unsafe fn release(self) {
        match self.kind {
            // SAFETY: the caller's promise.
            Kind::Small => unsafe { small::release(self.start, self.layout) },
            // SAFETY: the caller's promise.
            Kind::Paged | Kind::Sealed => unsafe { paged::release(self.start, self.layout) },
        }
    }
}

/// Takes a freed block, and gives the oldest ones back to the system while there are too many.
pub(super) fn put(block: Block) {
    let mut shelf = lock();
    if !shelf.is_there() {
        // SAFETY: it was not put anywhere.
        return unsafe { block.release() };
    }
    while shelf.count == BLOCKS_MAX || shelf.count > 0 && shelf.bytes > BYTES_MAX {
        let oldest = shelf.take_oldest();
        let damage = oldest.look();
        shelf.damage = shelf.damage.or(damage);
        // SAFETY: it was just taken.
        unsafe { oldest.release() };
    }
    shelf.push(block);
}

/// Looks at all blocks. Returns what was found, now or since the last time.
pub(super) fn inspect() -> Option<Damage> {
    let mut shelf = lock();
    if let Some(damage) = shelf.damage.take() {
        return Some(damage);
    }
    (0..shelf.count).find_map(|at| shelf.at(at).look())
}

/// Keeps damage to be told.
pub(super) fn note(damage: Damage) {
    let mut shelf = lock();
    shelf.damage = shelf.damage.or(Some(damage));
}

/// Whether a block that waits has that address in it.
pub(super) fn holds(address: usize) -> bool {
    let shelf = lock();
    let mut blocks = (0..shelf.count).map(|at| shelf.at(at));
    blocks.any(|block| (0..block.len()).contains(&address.wrapping_sub(block.start.addr())))
}

/// Ends the process if a block that is being freed has been freed before.
pub(super) fn assert_absent(address: usize) {
    if holds(address) {
        let text = b"a block is freed twice\n";
        // SAFETY: the text is there. Nothing here may allocate or unwind (Q2).
        unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        std::process::abort();
    }
}

impl Shelf {
    /// Maps the room for blocks, once.
    fn is_there(&mut self) -> bool {
        if self.blocks.is_null() {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let len = BLOCKS_MAX * size_of::<Block>();
            // SAFETY: a new mapping, where the system wants it.
            let mapped = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, -1, 0) };
            if mapped != libc::MAP_FAILED {
                self.blocks = mapped.cast();
            }
        }
        !self.blocks.is_null()
    }

    fn push(&mut self, block: Block) {
        let at = (self.first + self.count) % BLOCKS_MAX;
        self.count += 1;
        self.bytes += block.len();
        // SAFETY: inside of the room that was mapped.
        let place = unsafe { self.blocks.add(at) };
        // SAFETY: the place is free.
        unsafe { place.write(block) };
    }

    fn take_oldest(&mut self) -> Block {
        let oldest = self.at(0);
        self.first = (self.first + 1) % BLOCKS_MAX;
        self.count -= 1;
        self.bytes -= oldest.len();
        oldest
    }

    /// The block so many after the oldest.
    fn at(&self, at: usize) -> Block {
        let at = (self.first + at) % BLOCKS_MAX;
        // SAFETY: inside of the room that was mapped.
        let place = unsafe { self.blocks.add(at) };
        // SAFETY: it was written there.
        unsafe { place.read() }
    }
}

fn lock() -> MutexGuard<'static, Shelf> {
    SHELF.lock().unwrap_or_else(PoisonError::into_inner)
}

const BYTES_MAX: usize = 64 << 20;
const BLOCKS_MAX: usize = 1 << 18;
