use std::ffi::CString;

use super::{Bench, address, on_both, with};
use crate::ring::Sqe;
use crate::ring::sim::opcode::{
    FALLOCATE, FSYNC, FTRUNCATE, MKDIRAT, OPENAT, OPENAT2, READ, READ_FIXED, READV, RECV, RENAMEAT,
    STATX, UNLINKAT, WRITE, WRITE_FIXED, WRITEV,
};

fn path(bench: &Bench, what: &str) -> CString {
    let text = format!("/tmp/ringloop-{}-{what}-{}", std::process::id(), bench.name);
    CString::new(text).unwrap()
}

fn on_path(opcode: u8, path: &CString) -> Sqe {
    Sqe {
        address: path.as_ptr().expose_provenance() as u64,
        ..Sqe::new(opcode, libc::AT_FDCWD)
    }
}

fn open(path: &CString, flags: i32) -> Sqe {
    Sqe {
        op_flags: (flags | libc::O_CLOEXEC).cast_unsigned(),
        len: 0o600,
        ..on_path(OPENAT, path)
    }
}

fn at(offset: u64, sqe: Sqe) -> Sqe {
    Sqe { offset, ..sqe }
}

fn unlink(bench: &mut Bench, path: &CString) {
    assert_eq!(bench.result(on_path(UNLINKAT, path)), 0);
}

#[test]
fn files_are_written_read_and_positioned() {
    on_both(|bench| {
        let name = path(bench, "rw");
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let file = bench.open(open(&name, flags));
        assert_eq!(bench.result(open(&name, flags)), -libc::EEXIST);
        assert_eq!(
            bench.result(with(WRITE, file, &mut { *b"hello, ring" })),
            11
        );
        let mut buffer = [0; 16];
        assert_eq!(bench.result(at(7, with(READ, file, &mut buffer))), 4);
        assert_eq!(&buffer[..4], b"ring");
        assert_eq!(bench.result(at(11, with(READ, file, &mut buffer))), 0);
        assert_eq!(bench.result(at(1 << 40, with(READ, file, &mut buffer))), 0);
        let negative = at(1 << 63, with(READ, file, &mut buffer));
        assert_eq!(bench.result(negative), -libc::EINVAL);
        // The position begins at zero and moves with what is read there.
        let mut few = [0; 5];
        assert_eq!(bench.result(at(u64::MAX, with(READ, file, &mut few))), 5);
        assert_eq!(bench.result(at(u64::MAX, with(READ, file, &mut few))), 5);
        assert_eq!(&few, b", rin");
        assert_eq!(bench.result(Sqe::new(FSYNC, file)), 0);
        assert_eq!(bench.result(with(RECV, file, &mut buffer)), -libc::ENOTSOCK);
        // What is unlinked lives as long as it is open.
        unlink(bench, &name);
        assert_eq!(bench.result(open(&name, libc::O_RDONLY)), -libc::ENOENT);
        assert_eq!(bench.result(with(READ, file, &mut few)), 5);
        bench.close(&[file]);
    });
}

#[test]
fn modes_of_opening_are_kept() {
    on_both(|bench| {
        let name = path(bench, "modes");
        let mut buffer = [0; 16];
        let writer = bench.open(open(&name, libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND));
        assert_eq!(bench.result(with(WRITE, writer, &mut { *b"one" })), 3);
        assert_eq!(bench.result(with(WRITE, writer, &mut { *b"two" })), 3);
        assert_eq!(bench.result(with(READ, writer, &mut buffer)), -libc::EBADF);
        let reader = bench.open(open(&name, libc::O_RDONLY));
        assert_eq!(bench.result(with(READ, reader, &mut buffer)), 6);
        assert_eq!(&buffer[..6], b"onetwo");
        assert_eq!(
            bench.result(with(WRITE, reader, &mut { *b"x" })),
            -libc::EBADF
        );
        let cut = bench.open(open(&name, libc::O_RDWR | libc::O_TRUNC));
        assert_eq!(bench.result(with(READ, reader, &mut buffer)), 0);
        bench.close(&[writer, reader, cut]);
        unlink(bench, &name);
    });
}

#[test]
fn vectors_are_filled_in_order() {
    on_both(|bench| {
        let name = path(bench, "vectors");
        let file = bench.open(open(&name, libc::O_RDWR | libc::O_CREAT));
        let (mut one, mut two) = (*b"one", *b"two!");
        let mut vectors = [[address(&mut one), 3], [address(&mut two), 4]];
        let moved = |opcode, vectors: &mut [[u64; 2]; 2]| Sqe {
            address: address(vectors),
            len: 2,
            ..Sqe::new(opcode, file)
        };
        assert_eq!(bench.result(moved(WRITEV, &mut vectors)), 7);
        let (mut one, mut two) = ([0; 5], [0; 5]);
        let mut vectors = [[address(&mut one), 5], [address(&mut two), 5]];
        assert_eq!(bench.result(moved(READV, &mut vectors)), 7);
        assert_eq!((&one, &two), (b"onetw", b"o!\0\0\0"));
        bench.close(&[file]);
        unlink(bench, &name);
    });
}

#[test]
fn sizes_can_be_set_and_asked_for() {
    on_both(|bench| {
        let name = path(bench, "sizes");
        let file = bench.open(open(&name, libc::O_RDWR | libc::O_CREAT));
        assert_eq!(bench.result(at(100, Sqe::new(FTRUNCATE, file))), 0);
        assert_eq!(size(bench, &name), (libc::S_IFREG | 0o600, 100));
        let room = Sqe {
            address: 100,
            offset: 50,
            ..Sqe::new(FALLOCATE, file)
        };
        assert_eq!(bench.result(room), 0);
        assert_eq!(size(bench, &name).1, 150);
        assert_eq!(bench.result(at(10, Sqe::new(FTRUNCATE, file))), 0);
        assert_eq!(size(bench, &name).1, 10);
        let negative = at(1 << 63, Sqe::new(FTRUNCATE, file));
        assert_eq!(bench.result(negative), -libc::EINVAL);
        bench.close(&[file]);
        unlink(bench, &name);
    });
}

/// Mode and size by `statx`.
fn size(bench: &mut Bench, path: &CString) -> (u32, u64) {
    let mut stat = [0_u64; 32];
    let sqe = Sqe {
        len: libc::STATX_BASIC_STATS,
        offset: address(&mut stat),
        ..on_path(STATX, path)
    };
    assert_eq!(bench.result(sqe), 0);
    let mode = stat[3].to_ne_bytes();
    (u16::from_ne_bytes([mode[4], mode[5]]).into(), stat[5])
}

#[test]
fn names_are_made_moved_and_removed() {
    on_both(|bench| {
        let (directory, other) = (path(bench, "dir"), path(bench, "other"));
        let make = |path| Sqe {
            len: 0o755,
            ..on_path(MKDIRAT, path)
        };
        assert_eq!(bench.result(make(&directory)), 0);
        assert_eq!(bench.result(make(&directory)), -libc::EEXIST);
        let inside = CString::new(format!("{}/file", directory.to_str().unwrap())).unwrap();
        let missing = CString::new(format!("{}/no/file", directory.to_str().unwrap())).unwrap();
        let flags = libc::O_RDWR | libc::O_CREAT;
        assert_eq!(bench.result(open(&missing, flags)), -libc::ENOENT);
        let file = bench.open(open(&inside, flags));
        bench.close(&[file]);
        let below = CString::new(format!("{}/x", inside.to_str().unwrap())).unwrap();
        assert_eq!(bench.result(open(&below, flags)), -libc::ENOTDIR);
        let remove = |path| Sqe {
            op_flags: libc::AT_REMOVEDIR.cast_unsigned(),
            ..on_path(UNLINKAT, path)
        };
        assert_eq!(bench.result(remove(&directory)), -libc::ENOTEMPTY);
        assert_eq!(bench.result(on_path(UNLINKAT, &directory)), -libc::EISDIR);
        let rename = Sqe {
            offset: other.as_ptr().expose_provenance() as u64,
            len: libc::AT_FDCWD.cast_unsigned(),
            ..on_path(RENAMEAT, &inside)
        };
        assert_eq!(bench.result(rename), 0);
        assert_eq!(bench.result(rename), -libc::ENOENT);
        assert_eq!(bench.result(remove(&directory)), 0);
        assert_eq!(bench.result(remove(&other)), -libc::ENOTDIR);
        unlink(bench, &other);
        assert_eq!(bench.result(on_path(UNLINKAT, &other)), -libc::ENOENT);
    });
}

#[test]
fn registered_memory_is_read_and_written_within_its_bounds() {
    on_both(|bench| {
        let name = path(bench, "fixed");
        let file = bench.open(open(&name, libc::O_RDWR | libc::O_CREAT));
        let mut memory = *b"registered......";
        let start = usize::try_from(address(&mut memory)).unwrap();
        bench.ring.register_fixed_table(2).unwrap();
        bench.ring.update_fixed(1, start, 10).unwrap();
        let on = |index, sqe: Sqe| Sqe {
            buffer: index,
            ..sqe
        };
        let whole = with(WRITE_FIXED, file, &mut memory[..10]);
        assert_eq!(bench.result(on(1, whole)), 10);
        assert_eq!(bench.result(on(0, whole)), -libc::EFAULT);
        let beyond = with(WRITE_FIXED, file, &mut memory);
        assert_eq!(bench.result(on(1, beyond)), -libc::EFAULT);
        let part = with(READ_FIXED, file, &mut memory[2..6]);
        assert_eq!(bench.result(on(1, part)), 4);
        assert_eq!(&memory, b"reregiered......");
        bench.ring.update_fixed(1, 0, 0).unwrap();
        assert_eq!(bench.result(on(1, part)), -libc::EFAULT);
        bench.close(&[file]);
        unlink(bench, &name);
    });
}

#[test]
fn a_directory_is_no_file() {
    on_both(|bench| {
        let root = CString::new("/").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(bench.result(open(&root, libc::O_WRONLY)), -libc::EISDIR);
        let directory = bench.open(open(&root, libc::O_RDONLY | libc::O_DIRECTORY));
        assert_eq!(
            bench.result(with(READ, directory, &mut buffer)),
            -libc::EISDIR
        );
        assert_eq!(size(bench, &root).0 & libc::S_IFMT, libc::S_IFDIR);
        let name = CString::new(path(bench, "relative").as_bytes()["/".len()..].to_vec()).unwrap();
        let mut how = [
            u64::from((libc::O_RDWR | libc::O_CREAT).cast_unsigned()),
            0o600,
            0,
        ];
        let relative = Sqe {
            fd: directory,
            len: 24,
            offset: address(&mut how),
            ..on_path(OPENAT2, &name)
        };
        let file = bench.open(relative);
        bench.close(&[file, directory]);
        let name = path(bench, "relative");
        unlink(bench, &name);
    });
}
