use ringloop_proactor::{Fd, IO_BUFS_MAX, IoBuf, IoBufs, IoBufsMut, OpError, Proactor, Room};

use crate::buffers::scratch;
use crate::rig::proactor;

fn read<S: IoBufsMut>(proactor: &mut Proactor, fd: &Fd, set: S) -> (usize, S) {
    let read = proactor.handle().read_vectored(fd, set, 0);
    let read = read.map_err(|error| error.error).unwrap();
    proactor
        .block_on(read)
        .unwrap()
        .map_err(|error| error.error)
        .unwrap()
}

fn write<S: IoBufs>(proactor: &mut Proactor, fd: &Fd, set: S) -> usize {
    let write = proactor.handle().write_vectored(fd, set, 0);
    let write = write.map_err(|error| error.error).unwrap();
    let result = proactor.block_on(write).unwrap();
    result.map_err(|error| error.error).unwrap().0
}

#[test]
fn a_set_is_filled_from_its_first_buffer() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, b"abcdef");
    let set = vec![vec![b'.'; 2], Vec::with_capacity(3), b"old".to_vec()];
    let (count, set) = read(&mut proactor, &fd, set);
    assert_eq!(count, 6);
    assert_eq!(set, [&b"ab"[..], b"cde", b"f"]);
    let fd = scratch(&proactor, b"abc");
    let (count, set) = read(&mut proactor, &fd, [vec![0; 2], vec![0; 2], vec![0; 2]]);
    assert_eq!(count, 3);
    assert_eq!(set, [&b"ab"[..], b"c", b""]);
    let set = ([0; 2], Box::<[u8]>::from(*b"12"), b"34".to_vec().slice(1..));
    let (count, (head, body, tail)) = read(&mut proactor, &fd, set);
    assert_eq!((count, &head, &body[..]), (3, b"ab", &b"c2"[..]));
    assert_eq!(tail.into_inner(), b"34");
}

#[test]
fn a_set_is_written_in_order() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, b"");
    assert_eq!(
        write(&mut proactor, &fd, ("head ", b"body".to_vec(), [b'!'])),
        10
    );
    let (_, set) = read(&mut proactor, &fd, [[0; 10]]);
    assert_eq!(&set[0], b"head body!");
}

#[test]
fn sets_have_zero_to_1024_buffers() {
    let mut proactor = proactor();
    // Around the bound of what is in the operation, and that of the kernel.
    for count in [0, 1, 3, 4, 5, 6, IO_BUFS_MAX - 1, IO_BUFS_MAX] {
        let fd = scratch(&proactor, b"");
        let bytes: Vec<[u8; 2]> = (0..count)
            .map(|at| u16::try_from(at).unwrap().to_le_bytes())
            .collect();
        assert_eq!(write(&mut proactor, &fd, bytes.clone()), count * 2);
        let (read, back) = read(&mut proactor, &fd, vec![[0; 2]; count]);
        assert_eq!((read, back), (count * 2, bytes));
    }
    let fd = scratch(&proactor, b"abc");
    let before = proactor.stats();
    let handle = proactor.handle();
    let too_many = vec![[7_u8; 2]; IO_BUFS_MAX + 1];
    let OpError { error, buffer, .. } = handle.read_vectored(&fd, too_many, 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let OpError { error, buffer, .. } = handle.write_vectored(&fd, buffer, 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(buffer.len(), IO_BUFS_MAX + 1);
    assert_eq!(proactor.stats(), before);
}

#[test]
fn a_set_of_huge_buffers_is_done_in_part() {
    let mut proactor = proactor();
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null");
    let null = proactor.handle().adopt(null.unwrap());
    let count = write(&mut proactor, &null, [vec![0; 3 << 30], vec![0; 5 << 30]]);
    assert_eq!(count, 0x7fff_f000);
}

/// A set that changes each time it is asked.
struct Liar {
    asked: usize,
    buffers: Vec<Vec<u8>>,
    told: Vec<usize>,
}

impl Liar {
    fn new() -> Self {
        Self {
            asked: 0,
            buffers: vec![Vec::new(); 5000],
            told: Vec::new(),
        }
    }
}

impl IoBufsMut for Liar {
    fn rooms(&mut self) -> impl Iterator<Item = Room<'_>> {
        self.asked += 1;
        // Few at the construction, very many later.
        let count = if self.asked == 1 { 1 } else { 5000 };
        self.buffers[..count].iter_mut().map(|buffer| {
            buffer.resize(2, 0);
            Room::from(&mut buffer[..])
        })
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
    unsafe fn set_filled(&mut self, lens: impl Iterator<Item = usize>) {
        self.told = lens.collect();
    }
}

impl IoBufs for Liar {
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::repeat_n(&b"x"[..], self.asked)
    }
}

#[test]
fn a_set_that_lies_is_held_to_its_last_answer() {
    let mut proactor = proactor();
    let fd = scratch(&proactor, &[9; 9000]);
    let (count, liar) = read(&mut proactor, &fd, Liar::new());
    assert_eq!((count, liar.asked), (2 * IO_BUFS_MAX, 2));
    assert_eq!(liar.told, vec![2; IO_BUFS_MAX]);
    assert_eq!(write(&mut proactor, &fd, liar), 2);
}
