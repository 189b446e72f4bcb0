use bytes::{Bytes, BytesMut};
use ringloop_proactor::{IoBuf, IoBufMut};

use crate::buffers::scratch;
use crate::rig::proactor;

#[test]
fn the_buffers_of_the_bytes_crate_are_written_and_filled() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let fd = scratch(&proactor, b"");
    let text = Bytes::from_static(b"--abcdef").slice(2..);
    let write = handle.write(&fd, text.clone(), 0);
    let (count, back) = proactor.block_on(write).unwrap().unwrap();
    assert_eq!((count, back), (6, text));
    let write = handle.write(&fd, BytesMut::from(&b"123"[..]).slice(1..), 6);
    assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 2);
    // Whole: what is read is all that there is.
    let mut buffer = BytesMut::from(&b"old content"[..]);
    let read = handle.read(&fd, buffer.split_off(4), 4);
    let (count, rest) = proactor.block_on(read).unwrap().unwrap();
    assert_eq!((count, &rest[..]), (4, &b"ef23"[..]));
    // A window: the rest stays.
    buffer.reserve(20);
    let read = handle.read(&fd, buffer.slice(6..8), 0);
    let (count, window) = proactor.block_on(read).unwrap().unwrap();
    assert_eq!((count, &window.into_inner()[..]), (2, &b"old \0\0ab"[..]));
}

#[test]
fn asking_for_the_room_changes_nothing() {
    let mut buffer = BytesMut::from(&b"1234"[..]);
    buffer.reserve(100);
    let capacity = buffer.capacity();
    assert_eq!(buffer.room().len(), capacity);
    assert_eq!(&buffer[..], b"1234");
    assert!(BytesMut::new().room().is_empty());
}
