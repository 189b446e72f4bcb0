//! What the errors say, and what they become.

use std::error::Error;
use std::io;

use ringloop_sync::{GetError, PutError, TryGetError, TryPutError};

use crate::test_host::Cancelled;

/// An item that cannot be shown.
struct Opaque;

#[test]
fn errors_say_what_happened_and_what_to_do() {
    type Put = PutError<Opaque, Cancelled>;
    type Get = GetError<Cancelled>;
    let errors: [(Box<dyn Error>, &str, bool); 8] = [
        (
            Box::new(Put::Closed(Opaque)),
            "the queue is closed; `into_item` gives the item back",
            false,
        ),
        (
            Box::new(Put::Cancelled(Opaque, Cancelled)),
            "the item was not put: cancelled",
            true,
        ),
        (
            Box::new(TryPutError::Full(Opaque)),
            "the queue is full; `put` waits for room",
            false,
        ),
        (
            Box::new(TryPutError::Closed(Opaque)),
            "the queue is closed; `into_item` gives the item back",
            false,
        ),
        (
            Box::new(Get::Closed),
            "the queue is closed and nothing is left in it",
            false,
        ),
        (
            Box::new(Get::Cancelled(Cancelled)),
            "no item was got: cancelled",
            true,
        ),
        (
            Box::new(TryGetError::Empty),
            "the queue is empty; `get` waits for an item",
            false,
        ),
        (
            Box::new(TryGetError::Closed),
            "the queue is closed and nothing is left in it",
            false,
        ),
    ];
    for (error, text, has_source) in errors {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.source().is_some(), has_source, "{error:?}");
    }
    assert_eq!(
        format!("{:?}", Put::Cancelled(Opaque, Cancelled)),
        "Cancelled(.., Cancelled)"
    );
}

#[test]
fn errors_become_io_errors() {
    type Put = PutError<Opaque, Cancelled>;
    type Get = GetError<Cancelled>;
    let kind = |error: io::Error| error.kind();
    assert_eq!(kind(Put::Closed(Opaque).into()), io::ErrorKind::BrokenPipe);
    assert_eq!(
        kind(Put::Cancelled(Opaque, Cancelled).into()),
        io::ErrorKind::Other
    );
    assert_eq!(
        kind(TryPutError::Full(Opaque).into()),
        io::ErrorKind::WouldBlock
    );
    assert_eq!(
        kind(TryPutError::Closed(Opaque).into()),
        io::ErrorKind::BrokenPipe
    );
    assert_eq!(kind(Get::Closed.into()), io::ErrorKind::UnexpectedEof);
    assert_eq!(kind(Get::Cancelled(Cancelled).into()), io::ErrorKind::Other);
    assert_eq!(kind(TryGetError::Empty.into()), io::ErrorKind::WouldBlock);
    assert_eq!(
        kind(TryGetError::Closed.into()),
        io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn errors_give_the_item_back() {
    type Put = PutError<u8, Cancelled>;
    assert_eq!(Put::Closed(1).into_item(), 1);
    assert_eq!(Put::Cancelled(2, Cancelled).into_item(), 2);
    assert_eq!(TryPutError::Full(3).into_item(), 3);
    assert_eq!(TryPutError::Closed(4).into_item(), 4);
    assert!(Put::Closed(1).is_closed() && !Put::Closed(1).is_cancelled());
    assert!(TryPutError::Full(3).is_full() && !TryPutError::Full(3).is_closed());
}
