use super::open;
use crate::buf::Chunk;

fn message(fields: [u32; 4], rest: &[u8]) -> Chunk {
    let fields = fields.iter().flat_map(|field| field.to_ne_bytes());
    let bytes: Box<[u8]> = fields.chain(rest.iter().copied()).collect();
    let end = bytes.len();
    Chunk::own(bytes, 0, end)
}

#[test]
fn lengths_are_never_trusted() {
    let rest = [7; 200];
    for fields in [[u32::MAX; 4], [1; 4], [0; 4], [129, 33, u32::MAX, 0]] {
        let received = open(message(fields, &rest), 32).unwrap();
        assert_eq!((received.count, &received.buffers[..]), (40, &[7; 40][..]));
        assert_eq!(received.ancillary.messages().next(), None);
        assert_eq!(received.peer.is_none(), fields[0] < 2);
    }
    for len in [0, 100, 159] {
        assert!(open(message([0; 4], &rest[..len]), 32).is_none());
    }
    let empty = open(message([0; 4], &rest[..160]), 32).unwrap();
    assert_eq!((empty.count, empty.buffers.len()), (0, 0));
    assert!(open(Chunk::own(Box::new([1; 15]), 0, 15), 0).is_none());
}
