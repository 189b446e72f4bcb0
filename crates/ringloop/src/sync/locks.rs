//! Locks around a value, and what is like one.

use ringloop_sync::hosted;

use super::TaskHost;

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
#[doc(alias("Lock", "asyncio.Lock", "trio.Lock"))]
pub type Mutex<T> = hosted::Mutex<T, TaskHost>;

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
#[doc(alias = "ReadWriteLock")]
pub type RwLock<T> = hosted::RwLock<T, TaskHost>;

/// Tasks that wait for a change of what a mutex protects; see [`hosted::Condvar`].
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
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("Condition", "asyncio.Condition", "trio.Condition", "wait_for"))]
pub type Condvar = hosted::Condvar<TaskHost>;

/// A value that is made once, when it is first needed; see [`hosted::OnceCell`].
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
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type OnceCell<T> = hosted::OnceCell<T, TaskHost>;
