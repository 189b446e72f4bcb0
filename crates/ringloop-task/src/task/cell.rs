//! The allocation of a task: its header, followed by its future or output.
//!
//! The output takes the place of the future, so a task is one allocation and never moves. The
//! functions here are reached through the header's [`VTable`]; the invariants they cite are those
//! of [the module above](super).

#![expect(
    unsafe_code,
    reason = "a cell is reached through a pointer to its header"
)]

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use super::error::JoinError;
use super::header::Header;

/// What a task runs: a future, or something like it that may end without an output.
pub(crate) trait Body {
    /// What the task's join handle gives.
    type Output;

    /// Returns what is to be reported of an output that nobody reads.
    fn unread(_output: &Self::Output) -> Option<String> {
        None
    }

    /// Polls as a future is polled. An error takes the place of the output.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Output, JoinError>>;
}

impl<F: Future> Body for F {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Output, JoinError>> {
        Future::poll(self, cx).map(Ok)
    }
}

/// A task with a future of type `F`.
#[repr(C)]
pub(super) struct TaskCell<F: Body> {
    header: Header,
    stage: UnsafeCell<Stage<F>>,
}

/// The future, then the output, then nothing.
enum Stage<F: Body> {
    Running(F),
    Finished(Result<F::Output, JoinError>),
    Consumed,
}

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// What depends on the type of a task's future. All functions want a pointer to the header of a
/// live cell of that type, on its home thread (`free`: on any thread, with nobody else left).
pub(super) struct VTable {
    /// Polls the future. Wants a cell whose future is present and not running.
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Polled,
    /// Drops the future and stores an error as the output; returns the panic of the drop. Wants
    /// a cell whose future is present and not running.
    pub(super) fail: unsafe fn(NonNull<Header>, JoinError) -> Result<(), Payload>,
    /// Moves the output to where the last pointer points: to an `Option` of the output's type.
    pub(super) take: unsafe fn(NonNull<Header>, NonNull<()>),
    /// Returns where the output is. Wants a cell with an output.
    pub(super) peek: unsafe fn(NonNull<Header>) -> NonNull<()>,
    /// Drops an output that nobody reads.
    pub(super) discard: unsafe fn(NonNull<Header>) -> Discarded,
    /// Frees the cell.
    pub(super) free: unsafe fn(NonNull<Header>),
}

/// What a poll came to.
#[must_use]
pub(super) enum Polled {
    Pending,
    /// The output is in the cell.
    Done,
    /// The output is in the cell, and the future's drop panicked.
    DoneDropPanicked(DropPanic),
}

/// The payload of a panic in a box of its own, so that what a poll came to fits into registers.
pub(super) struct DropPanic(Box<Payload>);

impl DropPanic {
    pub(super) fn into_payload(self) -> Payload {
        *self.0
    }
}

/// What an output was that nobody reads.
#[must_use]
pub(super) enum Discarded {
    Quietly,
    /// An error that is to be reported.
    Error(String),
    /// It was the panic of the task.
    Panic(Payload),
    /// Its drop panicked.
    DropPanicked(Payload),
}

impl<F: Body> TaskCell<F> {
    /// Allocates a cell. It is freed through its vtable.
    pub(super) fn allocate(
        make: impl FnOnce(&'static VTable) -> Header,
        future: F,
    ) -> NonNull<Header> {
        // Written field by field, where they stay: building the cell first would copy it.
        let cell = NonNull::from(Box::leak(Box::<Self>::new_uninit())).cast::<Header>();
        let header = make(Self::VTABLE);
        // SAFETY: the cell is allocated and begins with its header.
        unsafe { cell.write(header) };
        // SAFETY: the cell is one of this type. It lives, though without a stage.
        let stage = unsafe { Self::stage(cell) };
        // SAFETY: the place is in the cell, which nobody else knows.
        unsafe { stage.write(Stage::Running(future)) };
        cell
    }

    const VTABLE: &'static VTable = &VTable {
        poll: Self::poll,
        fail: Self::fail,
        take: Self::take,
        peek: Self::peek,
        discard: Self::discard,
        free: Self::free,
    };

    /// Returns the place of the stage.
    ///
    /// # Safety
    ///
    /// The header is that of a live cell of this type.
    unsafe fn stage(header: NonNull<Header>) -> *mut Stage<F> {
        let cell = header.cast::<Self>().as_ptr();
        // SAFETY: the caller says that the cell lives; the pointer came from the whole cell.
        let stage = unsafe { &raw const (*cell).stage };
        UnsafeCell::raw_get(stage)
    }

    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Polled {
        // SAFETY: as the vtable wants.
        let stage = unsafe { Self::stage(header) };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: I3: this poll is the only one that uses the stage.
            let Stage::Running(future) = (unsafe { &mut *stage }) else {
                unreachable!("I3: a task that is polled has its future")
            };
            // SAFETY: I4: the future stays in its cell until it is dropped there.
            let future = unsafe { Pin::new_unchecked(future) };
            Body::poll(future, cx)
        }));
        let output = match polled {
            Ok(Poll::Pending) => return Polled::Pending,
            Ok(Poll::Ready(output)) => output,
            Err(payload) => {
                // SAFETY: as the vtable wants.
                let id = unsafe { header.as_ref() }.id;
                Err(JoinError::panicked(Some(id), payload))
            }
        };
        // SAFETY: I3, as above.
        match unsafe { Self::replace(stage, Stage::Finished(output)) } {
            Ok(()) => Polled::Done,
            Err(payload) => Polled::DoneDropPanicked(DropPanic(Box::new(payload))),
        }
    }

    unsafe fn fail(header: NonNull<Header>, error: JoinError) -> Result<(), Payload> {
        // SAFETY: as the vtable wants.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: as the vtable wants.
        unsafe { Self::replace(stage, Stage::Finished(Err(error))) }
    }

    unsafe fn take(header: NonNull<Header>, output: NonNull<()>) {
        // SAFETY: as the vtable wants.
        let value = unsafe { Self::take_output(header) };
        let output = output.cast::<Option<Result<F::Output, JoinError>>>();
        // SAFETY: as the vtable wants.
        unsafe { *output.as_ptr() = Some(value) };
    }

    unsafe fn peek(header: NonNull<Header>) -> NonNull<()> {
        // SAFETY: as the vtable wants.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: I3: the output is there, and nobody moves it before its flag is cleared.
        let Stage::Finished(output) = (unsafe { &*stage }) else {
            unreachable!("I3: the output is there when its flag is set")
        };
        NonNull::from(output).cast()
    }

    unsafe fn discard(header: NonNull<Header>) -> Discarded {
        // SAFETY: as the vtable wants.
        match unsafe { Self::take_output(header) } {
            Ok(output) => {
                let dropped = catch_unwind(AssertUnwindSafe(|| {
                    let error = F::unread(&output);
                    drop(output);
                    error
                }));
                match dropped {
                    Ok(None) => Discarded::Quietly,
                    Ok(Some(error)) => Discarded::Error(error),
                    Err(payload) => Discarded::DropPanicked(payload),
                }
            }
            Err(error) => error
                .into_panic()
                .map_or(Discarded::Quietly, Discarded::Panic),
        }
    }

    unsafe fn free(header: NonNull<Header>) {
        let cell = header.cast::<Self>().as_ptr();
        // SAFETY: I1: nobody else refers to the cell, which `allocate` took from a box.
        drop(unsafe { Box::from_raw(cell) });
    }

    /// Moves the output out of the cell.
    ///
    /// # Safety
    ///
    /// As for the functions of the vtable; the output is there.
    unsafe fn take_output(header: NonNull<Header>) -> Result<F::Output, JoinError> {
        // SAFETY: the caller says so.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: I3: whoever takes the output is the only one that uses the stage.
        let Stage::Finished(output) = (unsafe { &*stage }) else {
            unreachable!("I3: the output is there when its flag is set")
        };
        // SAFETY: the write below makes this the only copy.
        let output = unsafe { ptr::read(output) };
        // SAFETY: I3; the value that is overwritten has been moved out.
        unsafe { ptr::write(stage, Stage::Consumed) };
        output
    }

    /// Drops what is in the stage, then writes `next`. Returns the panic of the drop.
    ///
    /// # Safety
    ///
    /// Nobody else uses the stage.
    unsafe fn replace(stage: *mut Stage<F>, next: Stage<F>) -> Result<(), Payload> {
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: I4: the future is dropped where it was polled. It is not used again, also
            // if its drop panics: the write below follows in any case.
            unsafe { ptr::drop_in_place(stage) };
        }));
        // SAFETY: the caller says that nobody else uses the stage, and its value is dropped.
        unsafe { ptr::write(stage, next) };
        dropped
    }
}
