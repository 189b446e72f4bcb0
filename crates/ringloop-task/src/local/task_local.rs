//! One value per task.

use std::error::Error;
use std::fmt;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use super::context::{self, Context};
use super::map::{Key, Slot, Value};
use super::scoped::Scoped;
use super::traveling::{self, Traveling};
use crate::context::{is_running, with_home};

/// A static that has a value of its own in each task; declared with
/// [`task_local!`](crate::task_local).
///
/// A task begins with the values of its spawner, and so do the calls of
/// [`call_soon`](crate::call::call_soon) and [`on_done`](crate::task::JoinHandle::on_done) with
/// those of whoever asked for them. The values themselves are shared, not cloned: a task that
/// inherits a `RefCell` has the same one. They are dropped on the loop's thread: with the end of
/// the last task that has them. Those of a local that is declared `traveling` may also be in work on
/// other threads, see [`Traveling`], and are dropped where they are had last.
/// Counterpart: `contextvars.ContextVar`.
#[doc(alias = "ContextVar")]
pub struct TaskLocal<T: 'static> {
    init: Option<fn() -> T>,
    share: fn(T) -> Value,
}

impl<T: 'static> TaskLocal<T> {
    #[doc(hidden)]
    #[must_use]
    pub const fn __new(init: Option<fn() -> T>) -> Self {
        let share = |value| Value::Home(Rc::new(value));
        Self { init, share }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn __traveling(init: Option<fn() -> T>) -> Self
    where
        T: Send + Sync,
    {
        let share = |value| Value::Traveling(Arc::new(value));
        Self { init, share }
    }

    /// Runs `f` with the value. It may set the value meanwhile: `f` goes on with the old one.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and if the value was not set and has no initial one.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task_local};
    /// use std::cell::Cell;
    ///
    /// task_local! {
    ///     static RETRIES: Cell<u32> = Cell::new(0);
    /// }
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     RETRIES.with(|retries| retries.set(retries.get() + 1));
    ///     assert_eq!(RETRIES.with(Cell::get), 1);
    /// });
    /// ```
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.value() {
            Ok(value) => f(value.as_ref()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs `f` with the value, if there is one.
    ///
    /// # Errors
    ///
    /// Outside of a loop, and if the value was not set and has no initial one.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        self.value().map(|value| f(value.as_ref()))
    }

    /// Returns a clone of the value. Counterpart: `ContextVar.get`.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[must_use]
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        match self.value() {
            Ok(value) => value.as_ref::<T>().clone(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sets the value for the code that runs: for this task, and those that it spawns from here on.
    /// Counterpart: `ContextVar.set`; instead of `reset`, use [`scope`](Self::scope).
    ///
    /// Outside of any task, in [`Scheduler::enter`](crate::Scheduler::enter), it is for all that is
    /// spawned from outside.
    ///
    /// Work on another thread sets a `traveling` local for itself, and for what it offloads or asks
    /// of the loop.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and of work that it has offloaded if the local is declared `traveling`.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        if let Err(error) = self.file((self.share)(value)) {
            panic!("{error}");
        }
    }

    /// Runs `future` with this value. What it sets, this local or others, stays inside.
    ///
    /// # Panics
    ///
    /// The future, when it is polled outside of a loop.
    ///
    /// # Cancel safety
    ///
    /// As that of the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task_local};
    ///
    /// task_local! {
    ///     static DEPTH: u32 = 0;
    /// }
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     assert_eq!(DEPTH.scope(1, async { DEPTH.get() }).await, 1);
    ///     assert_eq!(DEPTH.get(), 0);
    /// });
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scoped<F> {
        Scoped::new(self.context(value), future)
    }

    /// Runs `f` with this value. What it sets, this local or others, stays inside.
    ///
    /// # Panics
    ///
    /// Outside of a loop, and of work that it has offloaded if the local is declared `traveling`.
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        if is_running() {
            return self.context(value).run(f);
        }
        Traveling::capture().run(|| {
            self.set(value);
            f()
        })
    }

    /// Returns the context of the code that runs, with this value.
    fn context(&'static self, value: T) -> Context {
        let mut context = Context::capture();
        context.insert(self.key(), (self.share)(value));
        context
    }

    /// Returns the value; makes the initial one if it has to.
    fn value(&'static self) -> Result<Value, AccessError> {
        let key = self.key();
        let here = with_home(|home| context::with_slot(home, |slot| slot.get(key)));
        let found = match here {
            Some(found) => found,
            None => traveling::with_arrived(|values| values.get(key))
                .ok_or(AccessError { is_unset: false })?,
        };
        if let Some(value) = found {
            return Ok(value);
        }
        let init = self.init.ok_or(AccessError { is_unset: true })?;
        let value = (self.share)(init());
        self.file(value.clone())?;
        Ok(value)
    }

    /// Puts a value where the code that runs has its values.
    fn file(&'static self, value: Value) -> Result<(), AccessError> {
        let key = self.key();
        let mut value = Some(value);
        let insert = |slot: &Slot| value.take().and_then(|value| slot.insert(key, value));
        if let Some(old) = with_home(|home| context::with_slot(home, insert)) {
            drop(old);
            return Ok(());
        }
        match value {
            Some(Value::Traveling(value)) => {
                let old = traveling::with_arrived(|values| values.insert(key, value));
                old.map(drop).ok_or(AccessError { is_unset: false })
            }
            Some(Value::Home(_)) | None => Err(AccessError { is_unset: false }),
        }
    }

    fn key(&'static self) -> Key {
        ptr::from_ref(self).addr()
    }
}

impl<T: 'static> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocal")
            .field("has_init", &self.init.is_some())
            .finish()
    }
}

/// A task local has no value where it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError {
    is_unset: bool,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_unset {
            "the task local was not set, and has no initial value"
        } else {
            "task locals belong to a running loop; those that are declared `traveling` also to work \
             that it has offloaded"
        })
    }
}

impl Error for AccessError {}

/// Declares statics that have a value of their own in each task; see the module
/// [`local`](crate::local).
///
/// With an initial value, the first use in a task that has inherited none makes it. Without, it has
/// to be [set](crate::local::TaskLocal::set) or given by a
/// [scope](crate::local::TaskLocal::scope) first. With `traveling` before `static` it goes with work
/// that leaves the loop's thread, see [`Traveling`], and its type has to be
/// `Send` and `Sync`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, task_local};
///
/// task_local! {
///     /// Who asks.
///     static USER: String;
///     pub static DEPTH: u32 = 0;
///     /// Also in offloaded work.
///     pub traveling static REQUEST: u64
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     USER.set(String::from("ada"));
///     let child = task::spawn(async {
///         DEPTH.set(DEPTH.get() + 1);
///         USER.with(|user| format!("{user} at {}", DEPTH.get()))
///     });
///     assert_eq!(child.await.unwrap(), "ada at 1");
///     assert_eq!(DEPTH.get(), 0);
/// });
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::task_local! { $(#[$attr])* $vis static $name: $type = $init }
        $crate::task_local! { $($rest)* }
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $type:ty = $init:expr) => {
        $crate::task_local! { @ $(#[$attr])* $vis static $name: $type = __new(Some($init)) }
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local! { $(#[$attr])* $vis static $name: $type }
        $crate::task_local! { $($rest)* }
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $type:ty) => {
        $crate::task_local! { @ $(#[$attr])* $vis static $name: $type = __new(None) }
    };
    ($(#[$attr:meta])* $vis:vis traveling static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::task_local! { $(#[$attr])* $vis traveling static $name: $type = $init }
        $crate::task_local! { $($rest)* }
    };
    ($(#[$attr:meta])* $vis:vis traveling static $name:ident: $type:ty = $init:expr) => {
        $crate::task_local! { @ $(#[$attr])* $vis static $name: $type = __traveling(Some($init)) }
    };
    ($(#[$attr:meta])* $vis:vis traveling static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local! { $(#[$attr])* $vis traveling static $name: $type }
        $crate::task_local! { $($rest)* }
    };
    ($(#[$attr:meta])* $vis:vis traveling static $name:ident: $type:ty) => {
        $crate::task_local! { @ $(#[$attr])* $vis static $name: $type = __traveling(None) }
    };
    (@ $(#[$attr:meta])* $vis:vis static $name:ident: $type:ty = $new:ident(None)) => {
        $(#[$attr])*
        $vis static $name: $crate::local::TaskLocal<$type> =
            $crate::local::TaskLocal::$new(::core::option::Option::None);
    };
    (@ $(#[$attr:meta])* $vis:vis static $name:ident: $type:ty = $new:ident(Some($init:expr))) => {
        $(#[$attr])*
        $vis static $name: $crate::local::TaskLocal<$type> = {
            fn init() -> $type {
                $init
            }
            $crate::local::TaskLocal::$new(::core::option::Option::Some(init))
        };
    };
}
