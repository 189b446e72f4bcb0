//! Locks, queues and channels, for the tasks of a runtime.
//!
//! The types of the crate `ringloop-sync`, whose waits here are those of tasks: they say
//! [`Cancelled`](crate::Cancelled) in a cancelled scope, and they take turns with others even where
//! nothing has to be waited for.

pub mod broadcast;
mod task_host;
pub mod watch;

pub use ringloop_sync::CondvarStatistics;
pub use ringloop_sync::OnceCellStatistics;
pub use ringloop_sync::EventStatistics;
pub use ringloop_sync::NotifyStatistics;
pub mod shared;

pub use ringloop_sync::{MutexGuard, MutexStatistics};
pub use ringloop_sync::{OverRelease, Permit, SemaphoreStatistics};
pub use ringloop_sync::{RwLockReadGuard, RwLockStatistics, RwLockWriteGuard};
pub use task_host::TaskHost;

use ringloop_sync::hosted;

/// A flag that tasks of one thread wait for; see [`hosted::Event`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Event;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let ready = Rc::new(Event::new());
///     let sets = Rc::clone(&ready);
///     let task = ringloop::spawn(async move { sets.set() });
///     ready.wait().await?;
///     assert!(ready.is_set());
///     task.await.expect("the task does not panic");
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Event = hosted::Event<TaskHost>;

/// A lock around a value, for the tasks of one thread; see [`hosted::Mutex`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Mutex;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let total = Rc::new(Mutex::new(0));
///     let other = Rc::clone(&total);
///     let task = ringloop::spawn(async move {
///         *other.lock().await? += 1;
///         Ok::<(), ringloop::Cancelled>(())
///     });
///     *total.lock().await? += 1;
///     task.await.expect("the task does not panic")?;
///     assert_eq!(*total.lock().await?, 2);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Mutex<T> = hosted::Mutex<T, TaskHost>;

/// A word to one task of this thread or to all; see [`hosted::Notify`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Notify;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let changed = Rc::new(Notify::new());
///     let tells = Rc::clone(&changed);
///     let task = ringloop::spawn(async move { tells.notify_one() });
///     changed.notified().await?;
///     task.await.expect("the task does not panic");
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Notify = hosted::Notify<TaskHost>;

/// A lock around a value for many readers or one writer, for the tasks of one thread; see
/// [`hosted::RwLock`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::RwLock;
///
/// let settings = RwLock::new(vec!["verbose"]);
/// ringloop::run(async {
///     {
///         let one = settings.read().await?;
///         let other = settings.read().await?; // Readers do not exclude each other.
///         assert_eq!(one.len(), other.len());
///     }
///     settings.write().await?.push("color");
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// assert_eq!(settings.into_inner(), ["verbose", "color"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type RwLock<T> = hosted::RwLock<T, TaskHost>;

/// Tasks that wait for a change of what a mutex protects; see [`hosted::Condvar`].
/// A number of permits that the tasks of one thread share; see [`hosted::Semaphore`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::{Condvar, Mutex};
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let jobs = Rc::new((Mutex::new(Vec::new()), Condvar::new()));
///     let boss = Rc::clone(&jobs);
///     ringloop::spawn(async move {
///         let (list, changed) = &*boss;
///         list.lock().await?.push("sweep");
///         changed.notify_one();
///         Ok::<(), ringloop::Cancelled>(())
///     });
///     let (list, changed) = &*jobs;
///     let list = list.lock().await?;
///     let (mut list, waited) = changed.wait_while(list, |list| list.is_empty()).await;
///     waited?; // The mutex is locked again, even if this says `Cancelled`.
///     assert_eq!(list.pop(), Some("sweep"));
/// use ringloop::sync::Semaphore;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let slots = Rc::new(Semaphore::bounded(2));
///     let workers: Vec<_> = (0..5)
///         .map(|_| {
///             let slots = Rc::clone(&slots);
///             ringloop::spawn(async move {
///                 let _slot = slots.acquire().await?;
///                 assert!(slots.available() < 2);
///                 Ok::<(), ringloop::Cancelled>(())
///             })
///         })
///         .collect();
///     for worker in workers {
///         worker.await.expect("the task does not panic")?;
///     }
///     assert_eq!(slots.available(), 2);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Condvar = hosted::Condvar<TaskHost>;

/// A value that is made once, when it is first needed; see [`hosted::OnceCell`].
pub type Semaphore = hosted::Semaphore<TaskHost>;

/// Permits that keep their semaphore alive; see [`hosted::OwnedPermit`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::OnceCell;
/// use std::time::Duration;
///
/// let answer = OnceCell::new();
/// let compute = async || {
///     ringloop::sleep(Duration::from_millis(1)).await?;
///     Ok::<_, ringloop::Cancelled>(42)
/// };
/// ringloop::run(async {
///     // Whoever comes second waits for the first.
///     let first = answer.get_or_try_init(compute);
///     let second = answer.get_or_try_init(compute);
///     let (first, second) = ringloop::future::join(first, second).await;
///     assert_eq!((first??, second??), (&42, &42));
/// use ringloop::sync::{OwnedPermit, Semaphore};
/// use std::rc::Rc;
///
/// struct Connection {
///     permit: OwnedPermit,
/// }
///
/// ringloop::run(async {
///     let limit = Rc::new(Semaphore::new(100));
///     let permit = Rc::clone(&limit).acquire_owned().await?;
///     let connection = Connection { permit };
///     assert_eq!(limit.available(), 99);
///     drop(connection.permit);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type OnceCell<T> = hosted::OnceCell<T, TaskHost>;
pub type OwnedPermit = hosted::OwnedPermit<TaskHost>;
