//! The cells of a postbox between threads, and what its two ends do to them.
//!
//! An allocation with two owners, the setter's end and the postbox's, of which the last one frees
//! it. Each owner has an address; the word in the allocation, [`State`], says who may touch the
//! cells at the moment.
//!
//! # Invariants
//!
//! - **I1** The allocation lives until both ends have gone: whichever of [`State::leave`] and
//!   [`State::close`] comes second frees it, and an end that went touches it no more.
//! - **I2** The answer's cell belongs to the one who sets (the setter's only owner, or who has
//!   claimed it) until `SET`, and to the postbox afterwards. It is empty before, and when the
//!   allocation is freed.
//! - **I3** The waker's cell is written by the postbox only, while `WAITING` is not set. While it is
//!   set, both sides may read it; the waker in it belongs to the postbox, and by the transition to
//!   `SET` to the setter.
//! - **I4** The postbox's methods take it exclusively, so one thread at a time is the postbox; and
//!   one thread at a time sets.

#![expect(
    unsafe_code,
    reason = "the cells are shared between threads, and the state word says whose they are"
)]

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

use super::state::{Close, Set, State};
use crate::loom::{Mutex, MutexGuard, Tracked, UnsafeCell};
use crate::panics::Panics;
use crate::postbox::abandoned::Abandoned;
use crate::postbox::callbacks::{CallbackKey, Callbacks, RemoteCallback, call_all};

/// What the two ends share.
struct Shared<T> {
    state: State,
    answer: UnsafeCell<Option<Result<T, Abandoned>>>,
    waker: UnsafeCell<MaybeUninit<Waker>>,
    /// Not touched unless there are callbacks.
    callbacks: Mutex<Callbacks<RemoteCallback<T>>>,
    _tracked: Tracked,
}

/// Makes the two ends.
#[inline]
pub(super) fn pair<T>() -> (SetterEnd<T>, PostboxEnd<T>) {
    let shared = Box::new(Shared {
        state: State::new(),
        answer: UnsafeCell::new(None),
        waker: UnsafeCell::new(MaybeUninit::uninit()),
        callbacks: Mutex::new(Callbacks::new()),
        _tracked: Tracked::new(()),
    });
    let shared = NonNull::from(Box::leak(shared));
    (SetterEnd { shared }, PostboxEnd { shared })
}

/// Frees the allocation.
///
/// # Safety
///
/// The other end has gone, and the caller's goes with this call.
#[inline]
unsafe fn free<T>(shared: NonNull<Shared<T>>) {
    // SAFETY: I1: the address is that of a box, and this is the last use of it.
    let shared = unsafe { Box::from_raw(shared.as_ptr()) };
    // Loom objects if the other end might still use a cell.
    shared.answer.with_mut(|_| ());
    shared.waker.with_mut(|_| ());
}

/// The setter's end of the allocation.
pub(super) struct SetterEnd<T> {
    shared: NonNull<Shared<T>>,
}

// SAFETY: I2: what moves between the ends is a `T`, which is `Send`; wakers and callbacks are too.
unsafe impl<T: Send> Send for SetterEnd<T> {}
// SAFETY: several threads may share the setter: I4 (one of them sets), and it lends no `T`.
unsafe impl<T: Send> Sync for SetterEnd<T> {}

impl<T> SetterEnd<T> {
    #[inline]
    fn shared(&self) -> &Shared<T> {
        // SAFETY: I1: this end has not gone.
        unsafe { self.shared.as_ref() }
    }

    #[inline]
    pub(super) fn state(&self) -> &State {
        &self.shared().state
    }

    /// Sets the value and wakes the waiter, or gives it back.
    #[inline]
    pub(super) fn set(&mut self, value: T) -> Result<(), T> {
        if self.state().is_claimed() {
            return Err(value);
        }
        // SAFETY: nobody else has the setter, and nobody has claimed it.
        unsafe { self.set_answer(Ok(value)) }.map_err(into_value)
    }

    /// Does the same for a setter that is shared.
    pub(super) fn claim_and_set(&self, value: T) -> Result<(), T> {
        if !self.state().claim() {
            return Err(value);
        }
        // SAFETY: this call has claimed the setter.
        unsafe { self.set_answer(Ok(value)) }.map_err(into_value)
    }

    /// Tells the waiter that no value will come, unless one was set.
    #[inline]
    pub(super) fn abandon(&mut self) {
        if !self.state().is_claimed() {
            // SAFETY: nobody else has the setter, and nobody has claimed it.
            let set = unsafe { self.set_answer(Err(Abandoned)) };
            drop(set);
        }
    }

    /// Sets the answer and wakes the waiter, or gives it back if the postbox is gone.
    ///
    /// # Safety
    ///
    /// The caller is the only one to set: it owns the setter alone and nobody has claimed it, or
    /// it has claimed it. Called once.
    #[inline]
    unsafe fn set_answer(&self, answer: Result<T, Abandoned>) -> Result<(), Result<T, Abandoned>> {
        let shared = self.shared();
        if shared.state.refuses() {
            // SAFETY: the same contract.
            return unsafe { self.call_and_set(answer) };
        }
        // SAFETY: the same contract.
        unsafe { self.put(answer) };
        match shared.state.set(false) {
            Set::Done { is_waiting: false } => Ok(()),
            Set::Done { is_waiting: true } => {
                // SAFETY: I3: the waker became the setter's by the transition to `SET`.
                let waker = unsafe { shared.read_waker() };
                waker.wake();
                Ok(())
            }
            Set::Listened | Set::Closed => {
                // SAFETY: I2: there was no transition, so the cell still is this side's.
                let answer = unsafe { shared.take_answer() };
                // SAFETY: the same contract.
                answer.map_or(Ok(()), |answer| unsafe { self.call_and_set(answer) })
            }
        }
    }

    /// Calls the callbacks with the answer, and then sets it.
    ///
    /// # Safety
    ///
    /// As [`set_answer`](Self::set_answer).
    #[cold]
    unsafe fn call_and_set(
        &self,
        answer: Result<T, Abandoned>,
    ) -> Result<(), Result<T, Abandoned>> {
        let shared = self.shared();
        let mut panics = Panics::default();
        // Nobody registers between the look at an empty list and the transition.
        let callbacks = loop {
            call_all(&answer, &mut panics, || shared.callbacks().pop());
            let callbacks = shared.callbacks();
            if callbacks.is_empty() {
                break callbacks;
            }
        };
        // SAFETY: the same contract.
        unsafe { self.put(answer) };
        let set = shared.state.set(true);
        drop(callbacks);
        let outcome = match set {
            Set::Done { is_waiting } => {
                if is_waiting {
                    // SAFETY: I3: the waker became the setter's by the transition to `SET`.
                    let waker = unsafe { shared.read_waker() };
                    panics.catch(|| waker.wake());
                }
                Ok(())
            }
            // SAFETY: I2: there was no transition, so the cell still is this side's.
            Set::Listened | Set::Closed => Err(unsafe { shared.take_answer() }),
        };
        panics.resume();
        match outcome {
            Ok(()) | Err(None) => Ok(()),
            Err(Some(answer)) => Err(answer),
        }
    }

    /// Puts the answer into its cell.
    ///
    /// # Safety
    ///
    /// The cell belongs to the setter (I2).
    #[inline]
    unsafe fn put(&self, answer: Result<T, Abandoned>) {
        self.shared().answer.with_mut(|cell| {
            // SAFETY: the contract of the function: this is the only access. The cell is empty, so
            // nothing in it has to be dropped.
            unsafe { cell.write(Some(answer)) };
        });
    }
}

/// The value of an answer that came back.
fn into_value<T>(answer: Result<T, Abandoned>) -> T {
    answer.expect("whoever gave a value gets it back")
}

/// The setter goes.
impl<T> Drop for SetterEnd<T> {
    #[inline]
    fn drop(&mut self) {
        if self.state().leave() {
            // SAFETY: I1: the postbox went before.
            unsafe { free(self.shared) };
        }
    }
}

/// The postbox's end of the allocation.
pub(super) struct PostboxEnd<T> {
    shared: NonNull<Shared<T>>,
}

// SAFETY: I2: what moves between the ends is a `T`, which is `Send`; wakers and callbacks are too.
unsafe impl<T: Send> Send for PostboxEnd<T> {}
// SAFETY: what takes the end by shared reference uses the state and the lock, and lends no `T`.
unsafe impl<T: Send> Sync for PostboxEnd<T> {}

impl<T> PostboxEnd<T> {
    #[inline]
    fn shared(&self) -> &Shared<T> {
        // SAFETY: I1: this end has not gone.
        unsafe { self.shared.as_ref() }
    }

    #[inline]
    pub(super) fn state(&self) -> &State {
        &self.shared().state
    }

    /// Takes the answer, if there is one.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Result<T, Abandoned>> {
        let shared = self.shared();
        if !shared.state.is_set() {
            return None;
        }
        // SAFETY: I2: the answer is the postbox's, which is this thread alone (I4).
        unsafe { shared.take_answer() }
    }

    /// Shows the answer, if there is one.
    pub(super) fn peek<R>(&mut self, look: impl FnOnce(Result<&T, Abandoned>) -> R) -> Option<R> {
        let shared = self.shared();
        if !shared.state.is_set() {
            return None;
        }
        shared.answer.with(|cell| {
            // SAFETY: I2 and I4: nobody else uses the cell while the postbox is borrowed.
            let answer = unsafe { &*cell }.as_ref()?;
            Some(look(answer.as_ref().map_err(|&abandoned| abandoned)))
        })
    }

    /// Takes the answer, or registers `waker` for it. `None` if the answer was taken before.
    #[inline]
    pub(super) fn poll(&mut self, waker: &Waker) -> Option<Poll<Result<T, Abandoned>>> {
        let shared = self.shared();
        if shared.state.is_set() {
            return self.take().map(Poll::Ready);
        }
        if !shared.state.is_waiting() {
            let clone = waker.clone();
            return self.register(clone);
        }
        let is_known = shared.waker.with(|cell| {
            // SAFETY: I3: the cell is full, and whoever else uses it only reads. The waker in it
            // may have been woken meanwhile; its two words, which are compared, are still there.
            let known = unsafe { &*cell.cast::<Waker>() };
            known.will_wake(waker)
        });
        if is_known {
            return Some(Poll::Pending);
        }
        self.register_anew(waker)
    }

    #[cold]
    fn register_anew(&mut self, waker: &Waker) -> Option<Poll<Result<T, Abandoned>>> {
        let clone = waker.clone();
        let shared = self.shared();
        if !shared.state.end_wait() {
            // The cell is not to be touched: the setter is about to take the waker out.
            drop(clone);
            return self.take().map(Poll::Ready);
        }
        // SAFETY: I3: the waker is the postbox's, which does not use it again.
        let replaced = unsafe { shared.read_waker() };
        drop(replaced);
        self.register(clone)
    }

    /// Puts a waker into its cell, which is empty, and gives it away, or takes the answer.
    #[inline]
    fn register(&mut self, waker: Waker) -> Option<Poll<Result<T, Abandoned>>> {
        let shared = self.shared();
        shared.waker.with_mut(|cell| {
            // SAFETY: I3: `WAITING` is not set, so the cell is the postbox's alone (I4).
            unsafe { cell.cast::<Waker>().write(waker) };
        });
        if shared.state.begin_wait() {
            return Some(Poll::Pending);
        }
        // SAFETY: I3: the setter found no `WAITING`, so the waker still is the postbox's.
        let unneeded = unsafe { shared.read_waker() };
        drop(unneeded);
        self.take().map(Poll::Ready)
    }

    /// The state's name, for `Debug`.
    pub(super) fn name(&self) -> &'static str {
        let shared = self.shared();
        if !shared.state.is_set() {
            return shared.state.name();
        }
        shared.answer.with(|cell| {
            // SAFETY: I2 and I4: the answer is the postbox's, which nobody has exclusively now.
            match unsafe { &*cell } {
                None => "Taken",
                Some(Ok(_)) => "Set",
                Some(Err(Abandoned)) => "Abandoned",
            }
        })
    }

    /// Registers a callback, or gives it back if there is or was an answer.
    pub(super) fn listen(
        &mut self,
        callback: RemoteCallback<T>,
    ) -> Result<CallbackKey, RemoteCallback<T>> {
        let shared = self.shared();
        let mut callbacks = shared.callbacks();
        let key = callbacks.push(callback);
        if shared.state.listen() {
            return Ok(key);
        }
        callbacks.remove(key).map_or(Ok(CallbackKey::NONE), Err)
    }

    /// Takes a callback out, for the caller to drop.
    pub(super) fn unlisten(&mut self, key: CallbackKey) -> Option<RemoteCallback<T>> {
        let shared = self.shared();
        let mut callbacks = shared.state.is_listened().then(|| shared.callbacks())?;
        callbacks.remove(key)
    }
}

/// The postbox goes: it takes along what it has, closes, and then drops that.
impl<T> Drop for PostboxEnd<T> {
    #[inline]
    fn drop(&mut self) {
        let shared = self.shared();
        let mut is_set = shared.state.is_set();
        let mut waker = None;
        if !is_set && shared.state.is_waiting() && shared.state.end_wait() {
            // SAFETY: I3: the waker is the postbox's, which does not use it again.
            waker = Some(unsafe { shared.read_waker() });
        }
        let is_listened = shared.state.is_listened();
        let callbacks = is_listened.then(|| std::mem::take(&mut *shared.callbacks()));
        let mut answer = None;
        loop {
            if is_set {
                // SAFETY: I2: the answer is the postbox's, which is this thread alone (I4).
                answer = unsafe { shared.take_answer() };
            }
            match shared.state.close(is_set) {
                Close::Answered => is_set = true,
                Close::Left => break,
                Close::Free => {
                    // SAFETY: I1: the setter went before.
                    unsafe { free(self.shared) };
                    break;
                }
            }
        }
        drop((waker, callbacks, answer));
    }
}

impl<T> Shared<T> {
    /// Takes the answer out of its cell.
    ///
    /// # Safety
    ///
    /// The cell belongs to the caller's side (I2).
    #[inline]
    unsafe fn take_answer(&self) -> Option<Result<T, Abandoned>> {
        self.answer.with_mut(|cell| {
            // SAFETY: the contract of the function: this is the only access.
            let answer = unsafe { &mut *cell };
            answer.take()
        })
    }

    /// Moves the waker out of its cell. It only reads, because the other side may do so too.
    ///
    /// # Safety
    ///
    /// The waker belongs to the caller's side (I3), which takes it once.
    #[inline]
    unsafe fn read_waker(&self) -> Waker {
        self.waker.with(|cell| {
            // SAFETY: the contract of the function: the cell is full, and nobody else moves the
            // waker out.
            unsafe { cell.cast::<Waker>().read() }
        })
    }

    fn callbacks(&self) -> MutexGuard<'_, Callbacks<RemoteCallback<T>>> {
        // No foreign code runs under the lock, so a poisoned one holds a valid list.
        self.callbacks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
