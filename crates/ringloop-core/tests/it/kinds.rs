//! The two kinds of postbox, behind one trait: what holds for one holds for the other.

use std::fmt::Debug;

use ringloop_core::{
    Abandoned, CallbackKey, Postbox, RemotePostbox, RemoteSetter, Setter, SharedPostbox,
    SharedRemotePostbox, postbox, remote_postbox,
};

/// A callback, as both kinds take it.
pub(crate) type Callback<T> = Box<dyn FnOnce(Result<&T, Abandoned>) + Send>;

/// What the two kinds have in common.
pub(crate) trait Kind<T> {
    type Setter: Debug;
    type Postbox: Future<Output = Result<T, Abandoned>> + Unpin + Debug;
    type Shared: Future<Output = Result<T, Abandoned>> + Unpin + Debug + Clone;

    fn pair() -> (Self::Setter, Self::Postbox);
    fn set(setter: Self::Setter, value: T) -> Result<(), T>;
    fn try_set(setter: &Self::Setter, value: T) -> Result<(), T>;
    fn has_set(setter: &Self::Setter) -> bool;
    fn is_closed(setter: &Self::Setter) -> bool;
    fn try_take(postbox: &mut Self::Postbox) -> Option<Result<T, Abandoned>>;
    fn peek_with<R>(
        postbox: &mut Self::Postbox,
        look: impl FnOnce(Result<&T, Abandoned>) -> R,
    ) -> Option<R>;
    fn is_set(postbox: &Self::Postbox) -> bool;
    fn on_set(postbox: &mut Self::Postbox, callback: Callback<T>) -> CallbackKey;
    fn remove_callback(postbox: &mut Self::Postbox, key: CallbackKey) -> bool;
    fn shared(postbox: Self::Postbox) -> Self::Shared;
    fn shared_peek(shared: &Self::Shared) -> Option<Result<T, Abandoned>>;
    fn shared_is_set(shared: &Self::Shared) -> bool;
    fn shared_on_set(shared: &Self::Shared, callback: Callback<T>) -> CallbackKey;
    fn shared_remove_callback(shared: &Self::Shared, key: CallbackKey) -> bool;

    fn peek(postbox: &mut Self::Postbox) -> Option<Result<T, Abandoned>>
    where
        T: Clone,
    {
        Self::peek_with(postbox, |answer| answer.cloned())
    }
}

/// The kind whose ends are on one thread.
pub(crate) struct Local;
/// The kind whose ends are on any threads.
pub(crate) struct Remote;

/// Writes out the methods, which both kinds have by the same names.
macro_rules! kind {
    ($kind:ident, $make:ident, $setter:ident, $postbox:ident, $shared:ident, $($bounds:tt)*) => {
        impl<T: $($bounds)*> Kind<T> for $kind {
            type Setter = $setter<T>;
            type Postbox = $postbox<T>;
            type Shared = $shared<T>;

            fn pair() -> (Self::Setter, Self::Postbox) {
                $make()
            }
            fn set(setter: Self::Setter, value: T) -> Result<(), T> {
                setter.set(value)
            }
            fn try_set(setter: &Self::Setter, value: T) -> Result<(), T> {
                setter.try_set(value)
            }
            fn has_set(setter: &Self::Setter) -> bool {
                setter.is_set()
            }
            fn is_closed(setter: &Self::Setter) -> bool {
                setter.is_closed()
            }
            fn try_take(postbox: &mut Self::Postbox) -> Option<Result<T, Abandoned>> {
                postbox.try_take()
            }
            fn peek_with<R>(
                postbox: &mut Self::Postbox,
                look: impl FnOnce(Result<&T, Abandoned>) -> R,
            ) -> Option<R> {
                postbox.peek(look)
            }
            fn is_set(postbox: &Self::Postbox) -> bool {
                postbox.is_set()
            }
            fn on_set(postbox: &mut Self::Postbox, callback: Callback<T>) -> CallbackKey {
                postbox.on_set(callback)
            }
            fn remove_callback(postbox: &mut Self::Postbox, key: CallbackKey) -> bool {
                postbox.remove_callback(key)
            }
            fn shared(postbox: Self::Postbox) -> Self::Shared {
                postbox.shared()
            }
            fn shared_peek(shared: &Self::Shared) -> Option<Result<T, Abandoned>> {
                shared.peek()
            }
            fn shared_is_set(shared: &Self::Shared) -> bool {
                shared.is_set()
            }
            fn shared_on_set(shared: &Self::Shared, callback: Callback<T>) -> CallbackKey {
                shared.on_set(callback)
            }
            fn shared_remove_callback(shared: &Self::Shared, key: CallbackKey) -> bool {
                shared.remove_callback(key)
            }
        }
    };
}

kind!(
    Local,
    postbox,
    Setter,
    Postbox,
    SharedPostbox,
    Clone + 'static
);
kind!(
    Remote,
    remote_postbox,
    RemoteSetter,
    RemotePostbox,
    SharedRemotePostbox,
    Clone + Send + Sync + 'static
);
