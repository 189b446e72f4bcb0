//! What may be sent and shared between threads, and how large it is.

use std::future::Ready;
use std::marker::PhantomData;
use std::rc::Rc;

use ringloop_core::future::{Either, Join, Race};
use ringloop_core::{
    Abandoned, AtomicWaker, Postbox, RemotePostbox, RemoteSetter, Setter, ThreadDriver, Unparker,
    WaitKey, WaitList,
};

/// Whether a type is `Send` and whether it is `Sync`. An inherent constant, which is there only if
/// its bound holds, is preferred to the trait's.
macro_rules! send_sync {
    ($type:ty) => {
        (<Ask<$type>>::SEND, <Ask<$type>>::SYNC)
    };
}

struct Ask<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + Send> Ask<T> {
    const SEND: bool = true;
}

impl<T: ?Sized + Sync> Ask<T> {
    const SYNC: bool = true;
}

trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T: ?Sized> Otherwise for Ask<T> {}

const NEITHER: (bool, bool) = (false, false);
const SEND: (bool, bool) = (true, false);
const BOTH: (bool, bool) = (true, true);

#[test]
fn ends_between_threads_are_send() {
    assert_eq!(send_sync!(RemoteSetter<u32>), BOTH);
    assert_eq!(send_sync!(RemotePostbox<u32>), BOTH);
    assert_eq!(send_sync!(RemoteSetter<Rc<u32>>), NEITHER);
    assert_eq!(send_sync!(RemotePostbox<Rc<u32>>), NEITHER);
    assert_eq!(send_sync!(AtomicWaker), BOTH);
    assert_eq!(send_sync!(Unparker), BOTH);
    assert_eq!(send_sync!(ThreadDriver), BOTH);
    assert_eq!(send_sync!(Abandoned), BOTH);
}

#[test]
fn what_is_for_one_thread_is_not_shared() {
    assert_eq!(send_sync!(Setter<u32>), NEITHER);
    assert_eq!(send_sync!(Postbox<u32>), NEITHER);
    assert_eq!(send_sync!(WaitList), SEND);
}

#[test]
fn combinators_are_what_their_futures_are() {
    assert_eq!(send_sync!(Race<Ready<u32>, Ready<u32>>), BOTH);
    assert_eq!(send_sync!(Join<Ready<u32>, Ready<u32>>), BOTH);
    assert_eq!(send_sync!(Race<Ready<u32>, Postbox<u32>>), NEITHER);
    assert_eq!(send_sync!(Join<Postbox<u32>, Ready<u32>>), NEITHER);
}

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
