//! Closures as actors.

use std::fmt;
use std::marker::PhantomData;

use super::{Actor, Context};

/// Makes an actor of a closure that handles a message.
///
/// # Examples
///
/// ```
/// use ringloop::{Cancelled, actor};
///
/// ringloop::run(async {
///     let mut sum = 0;
///     let (address, task) = actor::spawn(actor::from_fn(async move |number: u32| {
///         sum += number;
///         println!("{sum} so far");
///         Ok::<(), Cancelled>(())
///     }));
///     address.tell(1).await?;
///     address.tell(2).await?;
///     address.stop();
///     task.await??;
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn from_fn<M, E, F>(handle: F) -> FromFn<F, M, E>
where
    F: AsyncFnMut(M) -> Result<(), E>,
{
    FromFn {
        handle,
        types: PhantomData,
    }
}

/// An actor that is a closure; see [`from_fn`].
#[must_use = "an actor does nothing unless it is spawned"]
pub struct FromFn<F, M, E> {
    handle: F,
    types: PhantomData<fn(M) -> E>,
}

impl<F, M, E> Actor for FromFn<F, M, E>
where
    F: AsyncFnMut(M) -> Result<(), E>,
{
    type Message = M;
    type Error = E;

    async fn handle(&mut self, message: M, _: &Context<M>) -> Result<(), E> {
        (self.handle)(message).await
    }
}

impl<F, M, E> fmt::Debug for FromFn<F, M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}
