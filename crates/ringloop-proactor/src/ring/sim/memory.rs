//! The memory that entries name, read and written as the kernel does: through bare addresses.
//!
//! # Invariants
//!
//! - **M1** Whoever pushes an entry keeps the memory it names valid until its last completion, and
//!   has exposed its provenance when it wrote the address. This is K2 of the kernel's ring: the op
//!   table keeps it. Every address here comes from an entry whose request has not ended.
//! - **M2** No reference to that memory is alive while the simulation runs: user code runs between
//!   its calls, on the same thread.

#![expect(
    unsafe_code,
    reason = "it stands in for the kernel, which is given bare addresses"
)]

use std::ptr;

/// A piece of the user's memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Window {
    pub(super) address: u64,
    pub(super) len: u64,
}

impl Window {
    pub(super) fn new(address: u64, len: u64) -> Self {
        Self { address, len }
    }

    pub(super) fn len(self) -> usize {
        usize::try_from(self.len).unwrap_or(usize::MAX)
    }

    /// What is left of it behind its first `count` bytes.
    fn after(self, count: usize) -> Self {
        let count = (count as u64).min(self.len);
        Self {
            address: self.address + count,
            len: self.len - count,
        }
    }
}

/// How many bytes `windows` have together.
pub(super) fn total(windows: &[Window]) -> usize {
    windows
        .iter()
        .fold(0, |sum, window| window.len().saturating_add(sum))
}

/// Reads up to `count` bytes of `windows` behind the first `skip`.
pub(super) fn gather(windows: &[Window], skip: usize, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut skip = skip;
    for window in windows {
        let rest = window.after(skip);
        skip = skip.saturating_sub(window.len());
        let wanted = rest.len().min(count - bytes.len());
        bytes.extend(read(rest.address, wanted));
    }
    bytes
}

/// Writes `bytes` over the start of `windows`.
pub(super) fn scatter(windows: &[Window], bytes: &[u8]) {
    let mut rest = bytes;
    for window in windows {
        let (now, later) = rest.split_at(window.len().min(rest.len()));
        write(window.address, now);
        rest = later;
    }
}

/// Copies `len` bytes from `address`.
pub(super) fn read(address: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    if len > 0 {
        // SAFETY: M1 for the source, and M2; the destination is a fresh vector of `len` bytes.
        unsafe { ptr::copy_nonoverlapping(pointer(address), bytes.as_mut_ptr(), len) };
    }
    bytes
}

/// Copies `bytes` to `address`.
pub(super) fn write(address: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        // SAFETY: M1 for the destination, and M2.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), pointer(address), bytes.len()) };
    }
}

/// Reads a path or another text that a zero ends.
pub(super) fn read_text(address: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [byte] = read(address + bytes.len() as u64, 1)[..]
        && byte != 0
    {
        bytes.push(byte);
    }
    bytes
}

/// Reads a struct of the kernel's ABI, for which every pattern of bits is a value.
pub(super) fn read_struct<T: Abi>(address: u64) -> T {
    // SAFETY: M1 and M2; `Abi` makes any bytes a value. An odd address is no mistake here.
    unsafe { ptr::read_unaligned(pointer(address).cast::<T>().cast_const()) }
}

fn pointer(address: u64) -> *mut u8 {
    let address = usize::try_from(address).expect("addresses are as wide as this machine's");
    ptr::with_exposed_provenance_mut(address)
}

/// Structs of the kernel's ABI.
///
/// # Safety
///
/// Every pattern of bits is a value.
pub(super) unsafe trait Abi {}

// SAFETY: integers.
unsafe impl Abi for Window {}
// SAFETY: integers.
unsafe impl Abi for [i64; 2] {}
// SAFETY: integers.
unsafe impl Abi for [u64; 3] {}
// SAFETY: integers and addresses.
unsafe impl Abi for libc::msghdr {}
// SAFETY: integers.
unsafe impl Abi for u32 {}
// SAFETY: integers.
unsafe impl Abi for u16 {}
// SAFETY: integers.
unsafe impl Abi for super::buffers::Entry {}

const _: () = assert!(
    size_of::<Window>() == size_of::<libc::iovec>(),
    "a window is an iovec"
);
