//! The first of several futures; the others are cancelled, and waited for.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::own_scope;
use crate::cancel::{CancelToken, Reason, ReasonKind, RunScoped};

/// Polls any number of futures until one of them is done, cancels the others, and *waits for their
/// cleanup*: gives a future of the first output and what the others returned nevertheless.
///
/// The second part is an array with a place for each argument: what that future returned after it
/// was told, usually an error that says `Cancelled`, but a value if it was quicker than the request
/// (the value wins). `None` is in the place of the winner, and of a future that was dropped because
/// it waited for something that cannot be told. So nothing is lost that is not thrown away in
/// plain sight:
///
/// ```text
/// let (first, _) = first!(one, two).await;
/// ```
///
/// [`race!`](macro@crate::future::race) drops the losers where they are, at once. Prefer `first!`
/// where they have something to put in order.
///
/// At each poll the first argument goes first, and wins if several are done in the same poll. The
/// futures are evaluated at once. Their outputs have one type; where they have not, a function
/// behind `=>` turns each into what the caller matches on. Counterpart:
/// `asyncio.wait(…, return_when=FIRST_COMPLETED)`, with the rest cancelled and awaited.
///
/// # Panics
///
/// The future panics when it is polled outside of a running loop. A panic of one of the futures
/// passes through, and drops the others.
///
/// # Cancel safety
///
/// As that of the futures: cancelled, all of them are, and are waited for; dropped, they are
/// dropped.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::{Cancelled, shield};
/// use ringloop_task::future::first;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// async fn ask(after: Duration) -> Result<Duration, Cancelled> {
///     let slept = time::sleep(after).await;
///     if slept.is_err() {
///         shield(time::sleep(Duration::from_millis(1))).await?; // Say goodbye.
///     }
///     slept.map(|()| after)
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let short = Duration::from_millis(1);
///     let (answer, losers) = first!(ask(Duration::MAX), ask(short)).await;
///     assert_eq!(answer?, short);
///     assert!(matches!(losers, [Some(Err(_)), None]));
///     Ok::<(), Cancelled>(())
/// })?;
/// # Ok::<(), Cancelled>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __first {
    (@none $future:expr) => {
        ::core::option::Option::None
    };
    (@map $future:expr) => {
        ::core::future::IntoFuture::into_future($future)
    };
    (@map $future:expr, $map:expr) => {
        $crate::future::__macros::map(::core::future::IntoFuture::into_future($future), $map)
    };
    (@pair) => {
        ()
    };
    (@pair $first:expr $(=> $map:expr)?, $($rest:expr $(=> $rest_map:expr)?,)*) => {
        (
            $crate::__first!(@map $first $(, $map)?),
            $crate::__first!(@pair $($rest $(=> $rest_map)?,)*),
        )
    };
    (@join $first:ident $futures:ident [$($path:tt)*]) => {
        ::core::future::ready(())
    };
    (@join $first:ident $futures:ident [$($path:tt)*] $future:expr, $($rest:expr,)*) => {
        $crate::future::join(
            $first.branch($futures $($path)* .0),
            $crate::__first!(@join $first $futures [$($path)* .1] $($rest,)*),
        )
    };
    ($($future:expr $(=> $map:expr)?),+ $(,)?) => {
        $crate::future::__macros::first(
            $crate::__first!(@pair $($future $(=> $map)?,)+),
            |first, futures| $crate::__first!(@join first futures [] $($future,)+),
            [$($crate::__first!(@none $future)),+],
        )
    };
}

/// Makes the future of [`first!`](macro@crate::future::first). For its expansion.
pub fn first<P, A: Future, T, const N: usize>(
    futures: P,
    begin: impl FnOnce(&Rc<Outputs<T, [Option<T>; N]>>, P) -> A,
    nothing: [Option<T>; N],
) -> First<A, T, [Option<T>; N]> {
    let outputs = Rc::new(Outputs::new(nothing));
    let all = begin(&outputs, futures);
    First {
        all: own_scope(outputs.token.clone()).run(all),
        outputs,
    }
}

pin_project! {
    /// The future of [`first!`](macro@crate::future::first).
    #[must_use = "futures do nothing unless awaited"]
    pub struct First<A, T, L> {
        #[pin]
        all: RunScoped<A>,
        outputs: Rc<Outputs<T, L>>,
    }
}

impl<A: Future, T, const N: usize> Future for First<A, T, [Option<T>; N]> {
    type Output = (T, [Option<T>; N]);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // How the scope was left says nothing: the outputs are kept outside of it.
        let Poll::Ready(_exit) = this.all.poll(cx) else {
            return Poll::Pending;
        };
        let winner = this.outputs.winner.take();
        let winner = winner.expect("the scope is cancelled by the winner alone");
        let losers = this
            .outputs
            .losers
            .borrow_mut()
            .each_mut()
            .map(Option::take);
        Poll::Ready((winner, losers))
    }
}

impl<A, T, L> fmt::Debug for First<A, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("First")
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// What came out of several futures that run side by side: the first output cancels the others.
/// `L` is an array with a place for each.
pub struct Outputs<T, L> {
    token: CancelToken,
    winner: RefCell<Option<T>>,
    losers: RefCell<L>,
    /// How many futures there are so far.
    branches: Cell<usize>,
}

impl<T, L: AsMut<[Option<T>]>> Outputs<T, L> {
    fn new(nothing: L) -> Self {
        Self {
            token: CancelToken::new(),
            winner: RefCell::new(None),
            losers: RefCell::new(nothing),
            branches: Cell::new(0),
        }
    }

    /// Makes the future of the next place.
    pub fn branch<F: Future<Output = T>>(self: &Rc<Self>, future: F) -> Branch<F, T, L> {
        let place = self.branches.replace(self.branches.get() + 1);
        Branch {
            future,
            place,
            outputs: Rc::clone(self),
        }
    }

    fn set(&self, place: usize, output: T) {
        if self.winner.borrow().is_some() {
            self.losers.borrow_mut().as_mut()[place] = Some(output);
            return;
        }
        self.winner.replace(Some(output));
        let reason = "another future was the first";
        self.token.cancel(Reason::new(ReasonKind::Group, reason));
    }
}

impl<T, L> fmt::Debug for Outputs<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs")
            .field("is_decided", &self.winner.borrow().is_some())
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// One of several futures; its output goes to a place of its own.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Branch<F, T, L> {
        #[pin]
        future: F,
        place: usize,
        outputs: Rc<Outputs<T, L>>,
    }
}

impl<F, T, L> Future for Branch<F, T, L>
where
    F: Future<Output = T>,
    L: AsMut<[Option<T>]>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let place = *this.place;
        this.future
            .poll(cx)
            .map(|output| this.outputs.set(place, output))
    }
}
