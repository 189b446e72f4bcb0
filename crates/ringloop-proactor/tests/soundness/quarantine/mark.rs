//! The byte that freed memory is filled with, and what it means if it is not there.

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "it is there to be printed")]
pub(super) struct Damage {
    what: &'static str,
    block: usize,
    len: usize,
    /// Where the first changed byte is.
    offset: usize,
    found: [u8; 8],
}

/// Marks `len` bytes.
///
/// # Safety
///
/// They are writable, and nobody else's (Q1).
pub(super) unsafe fn fill(start: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { start.write_bytes(MARK, len) };
}

/// Looks whether `len` bytes are still marked.
///
/// # Safety
///
/// They are readable. Somebody may write them meanwhile: that is what is looked for.
pub(super) unsafe fn look(what: &'static str, start: *const u8, len: usize) -> Option<Damage> {
    // SAFETY: the caller's promise; if somebody writes them, the test has failed already.
    let bytes = unsafe { std::slice::from_raw_parts(start, len) };
    let is_changed = |piece: &&[u8]| **piece != MARKS[..piece.len()];
    let piece = bytes.chunks(MARKS.len()).find(is_changed)?;
    let in_piece = piece.iter().position(|&byte| byte != MARK)?;
    let mut found = [MARK; 8];
    for (kept, &byte) in found.iter_mut().zip(&piece[in_piece..]) {
        *kept = byte;
    }
    Some(Damage {
        what,
        block: start.addr(),
        len,
        offset: piece.as_ptr().addr() - start.addr() + in_piece,
        found,
    })
}

/// What fresh memory holds, so that nobody takes it for zeros.
pub(super) const FRESH: u8 = 0xa7;
pub(super) const MARK: u8 = 0xde;
const MARKS: [u8; 4096] = [MARK; 4096];
