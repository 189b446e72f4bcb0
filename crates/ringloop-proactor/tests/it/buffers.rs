use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

use ringloop_proactor::{Fd, IoBuf, IoBufMut, OpError, Proactor, Room, Slice};

use crate::rig::proactor;

/// A file without a name.
pub(crate) fn scratch(proactor: &Proactor, content: &[u8]) -> Fd {
    let mut file = unnamed();
    file.write_all(content).unwrap();
    proactor.handle().adopt(file)
}

fn unnamed() -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open(std::env::temp_dir())
        .unwrap()
}

fn read<B: IoBufMut>(
    proactor: &mut Proactor,
    fd: &Fd,
    buffer: B,
    offset: u64,
) -> Result<(usize, B), OpError<B>> {
    let read = proactor.handle().read(fd, buffer, offset);
    proactor.block_on(read).unwrap()
}

fn content(fd: &Fd) -> Vec<u8> {
    let fd = fd.plain().unwrap().as_raw_fd();
    std::fs::read(format!("/proc/self/fd/{fd}")).unwrap()
}

#[test]
fn every_kind_of_buffer_is_written() {
    fn write<B: IoBuf + PartialEq + Clone + std::fmt::Debug>(
        proactor: &mut Proactor,
        fd: &Fd,
        buffer: B,
    ) {
        let write = proactor.handle().write(fd, buffer.clone(), 0);
        assert_eq!(proactor.block_on(write).unwrap().unwrap(), (3, buffer));
        assert_eq!(content(fd), b"abc");
    }
    let mut proactor = proactor();
    let fd = scratch(&proactor, b"---");
    write(&mut proactor, &fd, b"abc".to_vec());
    write(&mut proactor, &fd, "abc".to_owned());
    write(&mut proactor, &fd, "abc");
    write(&mut proactor, &fd, &b"abc"[..]);
    write(&mut proactor, &fd, *b"abc");
    write(&mut proactor, &fd, Box::<[u8]>::from(*b"abc"));
    write(&mut proactor, &fd, Rc::<[u8]>::from(*b"abc"));
    write(&mut proactor, &fd, Arc::<[u8]>::from(*b"abc"));
    write(&mut proactor, &fd, "0abc4".slice(1..=3));
    write(&mut proactor, &fd, "0abc4".slice(1..).slice(..3));
}

#[test]
fn windows_are_cut_off_at_the_ends() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let text = || "0123456789".to_owned();
    assert_eq!(text().slice(..).as_slice(), b"0123456789");
    assert_eq!(text().slice(3..5).as_slice(), b"34");
    assert_eq!(text().slice(3..=5).as_slice(), b"345");
    assert_eq!(text().slice(8..100).as_slice(), b"89");
    assert_eq!(text().slice(10..).as_slice(), b"");
    assert_eq!(text().slice(usize::MAX..).as_slice(), b"");
    assert_eq!(text().slice(..=usize::MAX).as_slice(), b"0123456789");
    let nowhere = (Excluded(usize::MAX), Included(usize::MAX));
    assert_eq!(text().slice(nowhere).as_slice(), b"");
    assert_eq!(text().slice((Excluded(7), Unbounded)).as_slice(), b"89");
    #[expect(clippy::reversed_empty_ranges, reason = "it is an empty window")]
    let backwards = text().slice(7..3);
    assert_eq!(backwards.as_slice(), b"");
    assert_eq!(text().slice(2..8).slice(1..3).as_slice(), b"34");
    let whole = text().slice(2..8).slice(5..100);
    assert_eq!(whole.as_slice(), b"7");
    assert_eq!(whole.into_inner().into_inner(), text());
    assert_eq!(vec![0; 10].slice(..4).room().len(), 4);
    assert_eq!([0_u8; 4].slice(3..9).room().len(), 1);
    assert!([0_u8; 4].slice(9..).room().is_empty());
}

#[test]
fn reading_into_a_window_leaves_everything_else() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, b"abcdef");
    // Appending, with less room than there is to read.
    let mut bytes = Vec::with_capacity(8);
    bytes.extend_from_slice(b"12345");
    let capacity = bytes.capacity();
    let window = bytes.slice(5..capacity);
    let (count, window) = read(&mut proactor, &fd, window, 0).unwrap();
    assert_eq!(count, capacity - 5);
    assert_eq!(window.into_inner(), &b"12345abcdef"[..capacity]);
    // In the middle.
    let (count, window) = read(&mut proactor, &fd, b"123456789".to_vec().slice(2..4), 1).unwrap();
    assert_eq!((count, &window.into_inner()[..]), (2, &b"12bc56789"[..]));
    // Over the end of what is there.
    let mut bytes = b"1234".to_vec();
    bytes.reserve(20);
    let (count, window) = read(&mut proactor, &fd, bytes.slice(3..), 0).unwrap();
    assert_eq!((count, &window.into_inner()[..]), (6, &b"123abcdef"[..]));
    // Behind a gap.
    let mut bytes = b"12".to_vec();
    bytes.reserve(20);
    let (count, window) = read(&mut proactor, &fd, bytes.slice(4..7), 0).unwrap();
    assert_eq!((count, &window.into_inner()[..]), (3, &b"12\0\0abc"[..]));
    // A window of a window, of a fixed length.
    let window = [b'.'; 8].slice(2..7).slice(1..4);
    let (count, window) = read(&mut proactor, &fd, window, 0).unwrap();
    assert_eq!((count, &window.into_inner().into_inner()), (3, b"...abc.."));
    // Without a window, what is read is all that there is.
    let (count, bytes) = read(&mut proactor, &fd, b"123456789".to_vec(), 4).unwrap();
    assert_eq!((count, &bytes[..]), (2, &b"ef"[..]));
}

#[test]
fn a_failed_or_empty_read_leaves_a_window_as_it_was() {
    let mut proactor = proactor();
    let directory = proactor.handle().adopt(File::open("/").unwrap());
    let mut bytes = b"1234".to_vec();
    bytes.reserve(20);
    let error = read(&mut proactor, &directory, bytes.slice(4..), 0).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EISDIR));
    let fd = scratch(&proactor, b"abc");
    // At the end of the file.
    let (count, window) = read(&mut proactor, &fd, error.buffer, 3).unwrap();
    assert_eq!((count, &window.into_inner()[..]), (0, &b"1234"[..]));
}

#[test]
fn buffers_and_windows_without_room_read_nothing() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, b"abc");
    assert_eq!(read(&mut proactor, &fd, Vec::new(), 0).unwrap().0, 0);
    assert_eq!(read(&mut proactor, &fd, [], 0).unwrap().0, 0);
    assert_eq!(read(&mut proactor, &fd, Box::from([]), 0).unwrap().0, 0);
    let (count, window) = read(&mut proactor, &fd, [7; 2].slice(2..), 0).unwrap();
    assert_eq!((count, window.into_inner()), (0, [7; 2]));
    // A start that no capacity has.
    let window = vec![7; 2].slice(usize::MAX - 1..);
    let (count, window) = read(&mut proactor, &fd, window, 0).unwrap();
    assert_eq!((count, window.into_inner()), (0, vec![7; 2]));
    let write = proactor.handle().write(&fd, "", 0);
    assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 0);
    assert_eq!(content(&fd), b"abc");
}

#[test]
fn what_is_too_long_for_the_kernel_is_done_in_part() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    // Address space, of which a page or two are touched.
    for capacity in [1 << 31, u32::MAX as usize, (1 << 32) + 1, 5 << 30] {
        let fd = scratch(&proactor, b"abc");
        let buffer = Vec::with_capacity(capacity);
        let (count, buffer) = read(&mut proactor, &fd, buffer, 0).unwrap();
        assert_eq!((count, &buffer[..]), (3, &b"abc"[..]));
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"abc").unwrap();
        let near = handle.adopt(near);
        let recv = handle.recv(&near, buffer);
        let (count, buffer) = proactor.block_on(recv).unwrap().unwrap();
        assert_eq!((count, &buffer[..]), (3, &b"abc"[..]));
        // Zero pages, mapped and never written.
        let zeros = vec![0; capacity];
        let null = handle.adopt(OpenOptions::new().write(true).open("/dev/null").unwrap());
        let write = handle.write(&null, zeros, 0);
        let (count, zeros) = proactor.block_on(write).unwrap().unwrap();
        assert_eq!(count, 0x7fff_f000);
        assert_eq!(zeros.len(), capacity);
        far.set_nonblocking(true).unwrap();
        let mut send = handle.send(&near, zeros);
        drop(crate::rig::poll_once(&mut send));
        send.request_cancel();
        let count = match proactor.block_on(send).unwrap() {
            Ok((count, _)) => count,
            Err(error) => {
                assert_eq!(error.error.raw_os_error(), Some(libc::ECANCELED));
                0
            }
        };
        assert!(count < capacity);
    }
}

#[test]
fn offsets_that_no_file_has_are_errors() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let fd = scratch(&proactor, b"abc");
    for offset in [1 << 63, (1 << 63) + 1, u64::MAX - 1] {
        let OpError { error, buffer, .. } =
            read(&mut proactor, &fd, vec![1; 4], offset).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(buffer, [1; 4]);
        let write = handle.write(&fd, "xyz", offset);
        let OpError { error, buffer, .. } = proactor.block_on(write).unwrap().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(buffer, "xyz");
    }
    // The last position that there is: no byte fits.
    let last = u64::try_from(i64::MAX).unwrap();
    let write = handle.write(&fd, "xyz", last);
    proactor.block_on(write).unwrap().unwrap_err();
    assert_eq!(content(&fd), b"abc");
}

/// A buffer that gives another answer each time it is asked.
#[derive(Debug)]
struct Liar {
    asked: usize,
    long: Vec<u8>,
    short: Vec<u8>,
    told: Vec<(usize, usize)>,
}

impl Liar {
    fn new() -> Self {
        Self {
            asked: 0,
            long: vec![0; 4096],
            short: vec![0; 3],
            told: Vec::new(),
        }
    }
}

impl IoBufMut for Liar {
    fn room(&mut self) -> Room<'_> {
        self.asked += 1;
        let bytes = if self.asked % 2 == 1 {
            &mut self.short
        } else {
            &mut self.long
        };
        Room::from(&mut bytes[..])
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
    unsafe fn set_filled(&mut self, len: usize) {
        self.told.push((0, len));
        // What it does next is its own affair.
        self.long = Vec::new();
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
    unsafe fn set_filled_at(&mut self, start: usize, len: usize) {
        self.told.push((start, len));
    }
}

#[test]
fn a_buffer_that_lies_is_held_to_its_first_answer() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, &[9; 4096]);
    let (count, liar) = read(&mut proactor, &fd, Liar::new(), 0).unwrap();
    assert_eq!((count, liar.asked), (3, 1));
    assert_eq!(liar.told, [(0, 3)]);
    assert_eq!(liar.short, [9; 3]);
    let (count, window) = read(&mut proactor, &fd, Slice::new(Liar::new(), 1..100), 0).unwrap();
    let liar = window.into_inner();
    assert_eq!((count, liar.asked), (2, 1));
    assert_eq!(liar.told, [(1, 2)]);
    assert_eq!(liar.short, [0, 9, 9]);
    // Asked once already: the next answer is the long one, and the short one stays alone.
    let mut asked = Liar::new();
    assert_eq!(asked.room().len(), 3);
    let (count, liar) = read(&mut proactor, &fd, asked, 0).unwrap();
    assert_eq!((count, liar.short), (4096, vec![0; 3]));
}

#[test]
fn a_peer_gets_the_window_only() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    let send = handle.send(&near, Arc::<[u8]>::from(*b"--window--").slice(2..8));
    assert_eq!(proactor.block_on(send).unwrap().unwrap().0, 6);
    drop(near);
    drop(proactor);
    let mut text = String::new();
    far.read_to_string(&mut text).unwrap();
    assert_eq!(text, "window");
}
