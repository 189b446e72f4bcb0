//! The allocator finds what it is made to find.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::panic::catch_unwind;

use super::mark::MARK;
use super::{check, is_freed};
use crate::rig::sound;

/// Whether a look finds something, and says so.
fn finds() -> bool {
    let Err(panic) = catch_unwind(check) else {
        return false;
    };
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("has been written"), "{text}");
    true
}

#[test]
fn a_write_into_a_freed_block_is_found() {
    sound(|| {
        for len in [1, 100, 4096] {
            let mut block = vec![1_u8; len];
            let start = block.as_mut_ptr();
            drop(block);
            assert!(is_freed(start.addr()));
            check();
            // SAFETY: inside of the block.
            let middle = unsafe { start.add(len / 2) };
            // SAFETY: the block waits on the shelf, and this is what it waits for.
            unsafe { middle.write(0) };
            assert!(finds());
            // SAFETY: as above.
            unsafe { middle.write(MARK) };
        }
    });
}

#[test]
fn a_write_behind_a_block_is_found() {
    sound(|| {
        for len in [1, 100, 4097] {
            let mut block = vec![1_u64; len];
            let behind = block.as_mut_ptr_range().end.cast::<u8>();
            if behind.addr() % 4096 == 0 {
                // That is the guard page.
                continue;
            }
            // SAFETY: every block has a tail.
            unsafe { behind.write(0) };
            drop(block);
            assert!(finds());
            assert!(!finds(), "it is told once");
        }
    });
}

/// Has the kernel write one byte somewhere.
fn write_by_kernel(pipe: &mut (PipeReader, PipeWriter), place: *mut u8, byte: u8) -> Option<i32> {
    pipe.1.write_all(&[byte]).unwrap();
    // SAFETY: the kernel writes there, or says that it cannot. Nobody looks at the byte.
    let place = unsafe { std::slice::from_raw_parts_mut(place, 1) };
    let error = pipe.0.read_exact(place).err();
    if error.is_some() {
        pipe.0.read_exact(&mut [0]).unwrap();
    }
    error.and_then(|error| error.raw_os_error())
}

#[test]
fn a_write_of_the_kernel_into_freed_pages_is_found_or_refused() {
    sound(|| {
        let mut pipe = std::io::pipe().unwrap();
        let (mut found, mut refused) = (0, 0);
        for _ in 0..10 {
            let block = vec![1_u8; 10_000];
            let place = block.as_ptr().cast_mut();
            drop(block);
            match write_by_kernel(&mut pipe, place, 0) {
                None => {
                    assert!(finds());
                    found += 1;
                    write_by_kernel(&mut pipe, place, MARK);
                }
                Some(errno) => {
                    assert_eq!(errno, libc::EFAULT);
                    refused += 1;
                }
            }
        }
        // Other threads free blocks too, so it may not be every second one.
        assert!(found > 0 && refused > 0);
    });
}

#[test]
fn a_write_of_the_kernel_behind_a_block_is_refused() {
    sound(|| {
        let mut pipe = std::io::pipe().unwrap();
        let mut block = vec![1_u8; 3 * 4096];
        let behind = block.as_mut_ptr_range().end;
        let errno = write_by_kernel(&mut pipe, behind, 0);
        assert_eq!(errno, Some(libc::EFAULT));
    });
}

#[test]
fn freed_memory_is_given_back_in_the_end() {
    sound(|| {
        let first = vec![1_u8; 100];
        let start = first.as_ptr().addr();
        drop(first);
        assert!(is_freed(start));
        for _ in 0..70 {
            drop(vec![1_u8; 1 << 20]);
        }
        assert!(!is_freed(start));
    });
}
