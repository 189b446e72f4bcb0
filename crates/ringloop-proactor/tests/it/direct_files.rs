use std::io::{self, ErrorKind};

use ringloop_proactor::{Fd, Proactor};

use crate::rig::{Scratch, proactor};

fn direct(proactor: &mut Proactor, file: std::fs::File) -> Fd {
    let handle = proactor.handle();
    let register = handle.register(&handle.adopt(file)).unwrap();
    proactor.block_on(register).unwrap().unwrap()
}

#[test]
fn file_operations_take_a_direct_descriptor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("direct-files");
    let path = scratch.file("file", "");
    let opened = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let file = direct(&mut proactor, opened);
    let ran: io::Result<()> = proactor
        .block_on(async {
            assert_eq!(handle.write(&file, "0123456789", 0).await?.0, 10);
            assert_eq!(
                handle.write_with(&file, "ab", 2, libc::RWF_DSYNC).await?.0,
                2
            );
            assert_eq!(
                handle.read(&file, Vec::with_capacity(4), 1).await?.1,
                b"1ab4"
            );
            handle.fsync(&file).await?;
            handle.fdatasync(&file).await?;
            handle
                .sync_file_range(&file, 0, 0, libc::SYNC_FILE_RANGE_WRITE)
                .await?;
            handle
                .fadvise(&file, 0, 0, libc::POSIX_FADV_SEQUENTIAL)
                .await?;
            handle.fallocate(&file, 0, 0, 5000).await?;
            assert_eq!(std::fs::metadata(&path)?.len(), 5000);
            if let Ok(truncate) = handle.ftruncate(&file, 100) {
                truncate.await?;
                assert_eq!(std::fs::metadata(&path)?.len(), 100);
            }
            match handle.fsetxattr(&file, "user.slot", "yes", 0)?.await {
                Err(error) if error.error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
                result => {
                    assert_eq!(result?, "yes");
                    let get = handle.fgetxattr(&file, "user.slot", Vec::with_capacity(8))?;
                    assert_eq!(get.await?.1, b"yes");
                }
            }
            Ok(())
        })
        .unwrap();
    ran.unwrap();
}

#[test]
fn operations_on_paths_refuse_a_direct_directory_by_name() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("direct-paths");
    // Slot 0: as a number of the process it would be the standard input.
    let slot = direct(&mut proactor, scratch.open());
    let at = Some(&slot);
    let how = ringloop_proactor::ops::OpenHow::new(libc::O_RDONLY);
    for (name, result) in [
        ("openat", handle.openat(at, "x", 0, 0).map(drop)),
        (
            "openat direct",
            handle.openat_direct(at, "x", 0, 0).map(drop),
        ),
        ("openat2", handle.openat2(at, "x", how).map(drop)),
        (
            "openat2 direct",
            handle.openat2_direct(at, "x", how).map(drop),
        ),
        ("statx", handle.statx(at, "x", 0, 0).map(drop)),
        ("statx", handle.statx_fd(&slot, 0).map(drop)),
        ("unlinkat", handle.unlinkat(at, "x", 0).map(drop)),
        ("mkdirat", handle.mkdirat(at, "x", 0).map(drop)),
        ("symlinkat", handle.symlinkat("x", at, "x").map(drop)),
        (
            "renameat2",
            handle.renameat2(at, "x", None, "x", 0).map(drop),
        ),
        (
            "renameat2",
            handle.renameat2(None, "x", at, "x", 0).map(drop),
        ),
        ("linkat", handle.linkat(at, "x", None, "x", 0).map(drop)),
        ("linkat", handle.linkat(None, "x", at, "x", 0).map(drop)),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let start = format!("{name} takes no direct descriptor");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
    assert_eq!(proactor.stats().live, 0);
}
