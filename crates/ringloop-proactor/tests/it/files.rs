use std::os::fd::AsFd;

use ringloop_proactor::OpError;

use crate::rig::proactor;

#[test]
fn a_file_is_written_and_read_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let path = std::env::temp_dir().join(format!("ringloop-files-{}", std::process::id()));
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    let read = proactor
        .block_on(async {
            let file = handle.adopt(handle.open(&path, flags, 0o600)?.await?);
            let (written, _) = handle.write(&file, "hello, ring".to_owned(), 0).await?;
            assert_eq!(written, 11);
            let (count, bytes) = handle.read(&file, Vec::with_capacity(64), 7).await?;
            assert_eq!(count, 4);
            file.close().await?;
            Ok::<_, std::io::Error>(bytes)
        })
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read.unwrap(), b"ring");
}

#[test]
fn a_failed_read_gives_the_buffer_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let directory = handle.adopt(std::fs::File::open("/").unwrap());
    let result = proactor
        .block_on(handle.read(&directory, vec![7; 3], 0))
        .unwrap();
    let OpError { error, buffer, .. } = result.unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EISDIR));
    assert_eq!(buffer.capacity(), 3);
}

#[test]
fn a_missing_file_and_a_bad_path_are_the_errors_of_std() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let missing = handle
        .open("/nowhere/at/all".as_ref(), libc::O_RDONLY, 0)
        .unwrap();
    let error = proactor.block_on(missing).unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    let error = handle.open("a\0b".as_ref(), libc::O_RDONLY, 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn an_inline_buffer_is_filled_where_it_stays() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(std::fs::File::open("/proc/self/stat").unwrap());
    let (count, small) = proactor
        .block_on(handle.read(&file, [0_u8; 8], 0))
        .unwrap()
        .unwrap();
    let (_, large) = proactor
        .block_on(handle.read(&file, [0_u8; 512], 0))
        .unwrap()
        .unwrap();
    assert_eq!(count, 8);
    assert_eq!(small, large[..8]);
}

#[test]
fn opened_descriptors_are_closed_on_exec() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let open = handle
        .open("/dev/null".as_ref(), libc::O_RDONLY, 0)
        .unwrap();
    let file = proactor.block_on(open).unwrap().unwrap();
    let socket = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
    let socket = proactor.block_on(socket).unwrap().unwrap();
    for fd in [file.as_fd(), socket.as_fd()] {
        let flags = std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{}",
            std::os::fd::AsRawFd::as_raw_fd(&fd)
        ))
        .unwrap();
        let flags = flags
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        let flags = i32::from_str_radix(flags.trim(), 8).unwrap();
        assert_ne!(flags & libc::O_CLOEXEC, 0);
    }
}
