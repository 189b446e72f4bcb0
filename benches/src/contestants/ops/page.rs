//! An owned buffer for reads past the page cache, which want aligned memory.
//!
//! # Invariants
//!
//! - I1: the bytes are in a box: they do not move when the buffer does, are valid as long as it is,
//!   and stay valid if it is leaked. They are never read, so it does not matter which are filled.

#![expect(
    unsafe_code,
    reason = "the buffer traits of two crates have unsafe parts"
)]

use std::mem::MaybeUninit;

use ringloop_proactor::Room;

/// How long a page is.
pub(super) const PAGE_LEN: usize = 4096;

/// An aligned page on the heap.
#[derive(Debug)]
pub(super) struct Page(Box<Aligned>);

#[derive(Debug)]
#[repr(align(4096))]
struct Aligned([MaybeUninit<u8>; PAGE_LEN]);

impl Page {
    pub(super) fn new() -> Self {
        Self(Box::new(Aligned([MaybeUninit::uninit(); PAGE_LEN])))
    }
}

impl ringloop_proactor::IoBufMut for Page {
    fn room(&mut self) -> Room<'_> {
        Room::from(self.0.0.as_mut_slice())
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

impl compio_buf::IoBuf for Page {
    fn as_init(&self) -> &[u8] {
        &[]
    }
}

impl compio_buf::SetLen for Page {
    unsafe fn set_len(&mut self, _len: usize) {}
}

impl compio_buf::IoBufMut for Page {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.0.0
    }
}

// SAFETY: I1.
unsafe impl a10::io::BufMut for Page {
    unsafe fn parts_mut(&mut self) -> (*mut u8, u32) {
        (self.0.0.as_mut_ptr().cast(), LEN)
    }

    unsafe fn set_init(&mut self, _n: usize) {}

    fn spare_capacity(&self) -> u32 {
        LEN
    }
}

const LEN: u32 = 4096;
const _: () = assert!(LEN as usize == PAGE_LEN);
