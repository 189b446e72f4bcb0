//! `join!` and `race!`: any number of futures.
//!
//! They nest the functions of two, and flatten what comes out. The arguments are evaluated where
//! the macro stands, and what it gives has to be awaited like any other future, so that every
//! point where a task may be switched has its `.await`.
//!
//! The macros have names of their own at the root of the crate, hidden, because that is where
//! `macro_export` puts them; they are documented and used by their paths in [`future`](super).

/// Polls any number of futures side by side until all are done: gives a future of the tuple of
/// their outputs.
///
/// At each poll the first argument goes first. One that is done is dropped at once, its output
/// waits for the others. Nothing is allocated. Counterpart: `asyncio.gather`.
///
/// The futures are evaluated at once, and need not have the same type.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect of its own, and drops
/// all the futures, and the outputs of those that were done.
///
/// # Examples
///
/// ```
/// use ringloop_core::future::join;
/// use std::future::ready;
/// # use std::task::{Context, Waker};
///
/// # let check = std::pin::pin!(async {
/// let (number, text, flag) = join!(ready(1), ready("one"), async { true }).await;
/// assert_eq!((number, text, flag), (1, "one", true));
/// # });
/// # assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    (@nest $last:expr,) => {
        $crate::future::join(
            ::core::future::IntoFuture::into_future($last),
            ::core::future::ready(()),
        )
    };
    (@nest $first:expr, $($rest:expr,)+) => {
        $crate::future::join(
            ::core::future::IntoFuture::into_future($first),
            $crate::__join!(@nest $($rest,)+),
        )
    };
    (@flat $outputs:ident [$($flat:tt)*] [$($path:tt)*]) => {
        ($($flat)*)
    };
    (@flat $outputs:ident [$($flat:tt)*] [$($path:tt)*] $first:expr, $($rest:expr,)*) => {
        $crate::__join!(
            @flat $outputs [$($flat)* $outputs $($path)* .0,] [$($path)* .1] $($rest,)*
        )
    };
    () => {
        ::core::future::ready(())
    };
    ($($future:expr),+ $(,)?) => {
        $crate::future::__macros::map(
            $crate::__join!(@nest $($future,)+),
            |outputs| $crate::__join!(@flat outputs [] [] $($future,)+),
        )
    };
}

/// Polls any number of futures until one of them is done, and drops the others: gives a future of
/// its output.
///
/// At each poll the first argument goes first, and wins if several are done in the same poll. The
/// losers are dropped where they are, before the output is given. Nothing is allocated.
/// Counterpart: `asyncio.wait(…, return_when=FIRST_COMPLETED)` with the rest cancelled by dropping
/// it.
///
/// The futures are evaluated at once. Their outputs have one type; where they have not, a function
/// behind `=>` turns each into what the caller matches on.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect of its own, and drops
/// all the futures. The losers are dropped in any case, so race only futures that are cancel safe.
///
/// # Examples
///
/// ```
/// use ringloop_core::future::race;
/// use std::future::{pending, ready};
/// # use std::task::{Context, Waker};
///
/// enum Event {
///     Line(String),
///     Late,
/// }
///
/// # let check = std::pin::pin!(async {
/// assert_eq!(race!(pending(), ready(2), ready(3)).await, 2);
///
/// let line = async { String::from("hello") };
/// match race!(pending::<()>() => |()| Event::Late, line => Event::Line).await {
///     Event::Line(line) => assert_eq!(line, "hello"),
///     Event::Late => unreachable!(),
/// }
/// # });
/// # assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __race {
    (@map $future:expr) => {
        ::core::future::IntoFuture::into_future($future)
    };
    (@map $future:expr, $map:expr) => {
        $crate::future::__macros::map(::core::future::IntoFuture::into_future($future), $map)
    };
    ($last:expr $(=> $map:expr)? $(,)?) => {
        $crate::__race!(@map $last $(, $map)?)
    };
    ($first:expr $(=> $map:expr)?, $($rest:expr $(=> $rest_map:expr)?),+ $(,)?) => {
        $crate::future::__macros::map(
            $crate::future::race(
                $crate::__race!(@map $first $(, $map)?),
                $crate::__race!($($rest $(=> $rest_map)?),+),
            ),
            $crate::future::Either::into_inner,
        )
    };
}
