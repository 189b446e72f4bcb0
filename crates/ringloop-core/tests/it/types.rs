//! How large things are.

use std::future::pending;

use ringloop_core::future::{Either, Race, join, race};
use ringloop_core::{
    Abandoned, AtomicWaker, Postbox, RemotePostbox, RemoteSetter, Setter, ThreadDriver, Unparker,
    WaitKey,
};

#[test]
fn handles_are_one_pointer() {
    let pointer = size_of::<usize>();
    assert_eq!(size_of::<Setter<[u8; 100]>>(), pointer);
    assert_eq!(size_of::<Postbox<[u8; 100]>>(), pointer);
    assert_eq!(size_of::<RemoteSetter<[u8; 100]>>(), pointer);
    assert_eq!(size_of::<RemotePostbox<[u8; 100]>>(), pointer);
    assert_eq!(size_of::<Option<Setter<u8>>>(), pointer);
    assert_eq!(size_of::<ThreadDriver>(), pointer);
    assert_eq!(size_of::<Unparker>(), 2 * pointer);
}

#[test]
fn places_are_small() {
    let pointer = size_of::<usize>();
    assert_eq!(size_of::<AtomicWaker>(), 3 * pointer);
    assert_eq!(size_of::<WaitKey>(), 16);
    assert_eq!(size_of::<Abandoned>(), 0);
    assert_eq!(size_of::<Either<u8, u8>>(), 2);
    // The futures side by side, and no copies of them.
    assert!(size_of::<Race<[u64; 100], [u64; 100]>>() <= 1600 + 16);
}

#[test]
fn macros_hold_their_futures_once() {
    async fn large() -> usize {
        let page = [0_u8; 1000];
        pending::<()>().await;
        page.len()
    }
    assert!(size_of_val(&join!(large(), large(), large())) <= 3300);
    assert!(size_of_val(&race!(large(), large(), large())) <= 3300);
    assert!(size_of_val(&race!(large() => |len| len, large() => |len| len)) <= 2200);
}
