use std::io;

use ringloop_proactor::ops::MemoryAdvice;

use crate::rig::{Scratch, errno, proactor, scratch_file};

#[test]
fn files_are_lengthened_cut_off_and_punched() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("space");
    let path = scratch.file("file", vec![b'x'; 16_384]);
    let len = || std::fs::metadata(&path).unwrap().len();
    let opened = std::fs::File::options().write(true).open(&path).unwrap();
    let file = handle.adopt(opened);
    let punch = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let mut allocate = |mode, offset, len| {
        let allocate = handle.fallocate(&file, mode, offset, len);
        proactor.block_on(allocate).unwrap()
    };
    allocate(punch, 4096, 4096).unwrap();
    let content = std::fs::read(&path).unwrap();
    assert!(content[4096..8192].iter().all(|&byte| byte == 0));
    assert_eq!(
        (content[4095], content[8192], content.len()),
        (b'x', b'x', 16_384)
    );
    allocate(0, 16_384, 4096).unwrap();
    assert_eq!(len(), 20_480);
    allocate(libc::FALLOC_FL_KEEP_SIZE, 20_480, 4096).unwrap();
    assert_eq!(len(), 20_480);
    assert_eq!(errno(allocate(0, 0, 0)), libc::EINVAL);
    assert_eq!(errno(allocate(1 << 30, 0, 1)), libc::EOPNOTSUPP);
    for end in [1 << 63, u64::MAX] {
        assert_eq!(errno(allocate(0, end, 1)), libc::EINVAL);
        assert_eq!(errno(allocate(0, 0, end)), libc::EINVAL);
    }
    assert_eq!(errno(allocate(0, i64::MAX.unsigned_abs(), 1)), libc::EFBIG);

    let Ok(truncate) = handle.ftruncate(&file, 100) else {
        return; // Before Linux 6.9.
    };
    proactor.block_on(truncate).unwrap().unwrap();
    assert_eq!(len(), 100);
    let mut truncate = |file, len| {
        let truncate = handle.ftruncate(file, len).unwrap();
        proactor.block_on(truncate).unwrap()
    };
    truncate(&file, 1 << 33).unwrap();
    assert_eq!(len(), 1 << 33);
    truncate(&file, 0).unwrap();
    assert_eq!(len(), 0);
    for beyond in [1 << 63, u64::MAX] {
        assert_eq!(errno(truncate(&file, beyond)), libc::EINVAL);
    }
    let readable = handle.adopt(std::fs::File::open(&path).unwrap());
    assert_eq!(errno(truncate(&readable, 1)), libc::EINVAL);
    let allocate = handle.fallocate(&readable, 0, 0, 1);
    assert_eq!(errno(proactor.block_on(allocate).unwrap()), libc::EBADF);
}

#[test]
fn files_are_brought_to_the_disk() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("sync"));
    let (reader, _writer) = io::pipe().unwrap();
    let pipe = handle.adopt(reader);
    proactor
        .block_on(handle.write(&file, vec![1; 8192], 0))
        .unwrap()
        .unwrap();
    proactor.block_on(handle.fsync(&file)).unwrap().unwrap();
    proactor.block_on(handle.fdatasync(&file)).unwrap().unwrap();
    assert_eq!(
        errno(proactor.block_on(handle.fsync(&pipe)).unwrap()),
        libc::EINVAL
    );
    assert_eq!(
        errno(proactor.block_on(handle.fdatasync(&pipe)).unwrap()),
        libc::EINVAL
    );
    let mut sync = |file, offset, len, flags| {
        let sync = handle.sync_file_range(file, offset, len, flags);
        proactor.block_on(sync).unwrap()
    };
    let flags = libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    sync(&file, 0, 8192, flags).unwrap();
    sync(&file, 4096, 0, flags).unwrap();
    sync(&file, i64::MAX.unsigned_abs(), 0, flags).unwrap();
    assert_eq!(errno(sync(&file, 0, 1, 1 << 20)), libc::EINVAL);
    assert_eq!(errno(sync(&file, 1 << 63, 1, flags)), libc::EINVAL);
    assert_eq!(errno(sync(&file, u64::MAX, 1, flags)), libc::EINVAL);
    assert_eq!(errno(sync(&pipe, 0, 1, flags)), libc::ESPIPE);
}

#[test]
fn advice_on_a_file_is_taken() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("fadvise"));
    let (reader, _writer) = io::pipe().unwrap();
    let pipe = handle.adopt(reader);
    proactor
        .block_on(handle.write(&file, vec![1; 8192], 0))
        .unwrap()
        .unwrap();
    proactor.block_on(handle.fsync(&file)).unwrap().unwrap();
    let mut advise = |file, offset, len, advice| {
        let advise = handle.fadvise(file, offset, len, advice);
        proactor.block_on(advise).unwrap()
    };
    for advice in [
        libc::POSIX_FADV_NORMAL,
        libc::POSIX_FADV_RANDOM,
        libc::POSIX_FADV_SEQUENTIAL,
        libc::POSIX_FADV_WILLNEED,
        libc::POSIX_FADV_DONTNEED,
    ] {
        advise(&file, 0, 4096, advice).unwrap();
        advise(&file, 4096, 0, advice).unwrap();
    }
    assert_eq!(errno(advise(&file, 0, 0, 99)), libc::EINVAL);
    assert_eq!(
        errno(advise(&pipe, 0, 0, libc::POSIX_FADV_NORMAL)),
        libc::ESPIPE
    );
    // Too long for the field of old kernels. Those refuse it, the others take it.
    for len in [1 << 32, i64::MAX.unsigned_abs()] {
        let result = advise(&file, 0, len, libc::POSIX_FADV_WILLNEED);
        assert!(result.is_ok() || errno(result) == libc::EINVAL);
    }
    assert_eq!(
        errno(advise(&file, 0, u64::MAX, libc::POSIX_FADV_NORMAL)),
        libc::EINVAL
    );
}

#[test]
fn advice_on_memory_leaves_what_is_in_it() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut pattern = vec![0; 1 << 20];
    for (at, byte) in pattern.iter_mut().enumerate() {
        *byte = u8::try_from(at % 251).unwrap();
    }
    let mut memory = pattern.clone().into_boxed_slice();
    for advice in [
        MemoryAdvice::Normal,
        MemoryAdvice::Random,
        MemoryAdvice::Sequential,
        MemoryAdvice::WillNeed,
        MemoryAdvice::Cold,
        MemoryAdvice::PageOut,
        MemoryAdvice::PopulateRead,
        MemoryAdvice::PopulateWrite,
    ] {
        let result = proactor.block_on(handle.madvise(memory, advice)).unwrap();
        memory = result.map_err(io::Error::from).unwrap();
        assert!(*memory == *pattern, "{advice:?}");
    }
    // The kernel may be built without huge pages, or have none to spare.
    for advice in [
        MemoryAdvice::HugePage,
        MemoryAdvice::Collapse,
        MemoryAdvice::NoHugePage,
    ] {
        let result = proactor.block_on(handle.madvise(memory, advice)).unwrap();
        memory = result.unwrap_or_else(|error| error.buffer);
        assert!(*memory == *pattern, "{advice:?}");
    }
}

#[test]
fn advice_touches_whole_pages_inside_the_buffer_only() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    // Smaller than a page, or across the border of two: no page is whole, and that is no error.
    for len in [0, 1, 100, 4095] {
        let advise = handle.madvise(vec![3; len], MemoryAdvice::PopulateWrite);
        let result = proactor.block_on(advise).unwrap();
        assert_eq!(result.map_err(io::Error::from).unwrap(), vec![3; len]);
    }
    // The pages of a fresh mapping are there when it comes back: touching them faults no more.
    let memory = vec![0_u8; 8 << 20];
    let advise = handle.madvise(memory, MemoryAdvice::PopulateWrite);
    let result = proactor.block_on(advise).unwrap();
    let mut memory = result.map_err(io::Error::from).unwrap();
    let before = minor_faults();
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    let faults = minor_faults() - before;
    assert!(faults < 1000, "{faults} of 2048 pages were not there");
}

/// Page faults of this thread that needed no disk.
fn minor_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    fields.split_whitespace().nth(7).unwrap().parse().unwrap()
}
