//! Who is compared in sockets: floors, which are bare loops over completions or blocking calls, and
//! whole runtimes, each with the calls that its users would choose for the work.
//!
//! No bare loop is the floor: how often a turn submits decides how well both sides overlap, and the
//! size of provided buffers decides over long messages. So there are several, and ours is compared
//! with the best of them.

mod bare;
mod blocking;
mod borrowed;
#[cfg(feature = "peers")]
mod compio;
#[cfg(feature = "peers")]
mod glommio;
#[cfg(feature = "peers")]
mod monoio;
mod ringloop;
#[cfg(feature = "peers")]
mod smol;
mod tokio;

use std::io;

use super::{Announce, Contestant, LOOPBACK, Service};

use bare::{Bare, Receive};

/// Returns the contestants of this level, the floors first and ours last.
pub(super) fn contestants() -> Vec<Box<dyn Contestant>> {
    let mut all: Vec<Box<dyn Contestant>> = vec![Box::new(blocking::Blocking)];
    for bare in BARE {
        all.push(Box::new(bare));
    }
    all.push(Box::new(tokio::Tokio));
    #[cfg(feature = "peers")]
    all.extend([
        Box::new(monoio::Monoio) as Box<dyn Contestant>,
        Box::new(glommio::Glommio),
        Box::new(compio::Compio),
        Box::new(smol::Smol),
    ]);
    all.push(Box::new(ringloop::Ringloop::Borrowing));
    all.push(Box::new(ringloop::Ringloop::Owning));
    all
}

/// The bare rings.
const BARE: [Bare; 6] = [
    Bare {
        name: FLOORS[1],
        ..Bare::PLAIN_LOOP
    },
    Bare {
        name: FLOORS[2],
        receive: Receive::Linked,
        ..Bare::PLAIN_LOOP
    },
    Bare {
        name: FLOORS[3],
        submit_every: 16,
        ..Bare::PLAIN_LOOP
    },
    Bare {
        name: FLOORS[4],
        has_flags: false,
        ..Bare::PLAIN_LOOP
    },
    Bare {
        name: FLOORS[5],
        receive: Receive::Multi,
        ..Bare::PLAIN_LOOP
    },
    Bare {
        name: FLOORS[6],
        receive: Receive::Multi,
        submit_every: 8,
        ..Bare::PLAIN_LOOP
    },
];

/// The names of the floors.
pub(super) const FLOORS: [&str; 7] = [
    "blocking",
    "single",
    "linked",
    "single-16",
    "no-flags",
    "multi",
    "multi-8",
];

/// The names of ours.
pub(super) const OURS: [&str; 2] = ["ringloop-net", "ringloop-own"];

/// How long the buffer of a connection is that bulk goes through.
const BULK_BUFFER: usize = 256 * 1024;
/// How long the buffer of a datagram is.
const DATAGRAM_BUFFER: usize = 2048;

/// Makes an error of something that went wrong.
fn told(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
