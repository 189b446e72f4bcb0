//! Queues.

use ringloop_sync::hosted;

use super::TaskHost;

/// A queue, first in, first out; see [`hosted::Queue`].
///
/// # Examples
///
/// A boss and two workers:
///
/// ```
/// use ringloop::sync::Queue;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let queue = Rc::new(Queue::bounded(3));
///     let workers = [(); 2].map(|()| {
///         let queue = Rc::clone(&queue);
///         ringloop::spawn(async move {
///             let mut sum = 0;
///             while let Ok(job) = queue.get_job().await {
///                 sum += *job;
///             }
///             sum
///         })
///     });
///     for n in 1..=100 {
///         queue.put(n).await?;
///     }
///     queue.join().await?;
///     queue.close();
///     let mut sum = 0;
///     for worker in workers {
///         sum += worker.await.expect("the worker does not panic");
///     }
///     assert_eq!(sum, 5050);
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Queue<T> = hosted::Queue<T, TaskHost>;

/// A queue, last in, first out; see [`hosted::LifoQueue`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::LifoQueue;
///
/// ringloop::run(async {
///     let plates = LifoQueue::bounded(2);
///     plates.put("lower").await?;
///     plates.put("upper").await?;
///     assert_eq!(plates.get().await?, "upper");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LifoQueue<T> = hosted::LifoQueue<T, TaskHost>;

/// A queue, smallest first, equals as they came; see [`hosted::PriorityQueue`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::PriorityQueue;
/// use std::cmp::Reverse;
///
/// ringloop::run(async {
///     let scores = PriorityQueue::unbounded();
///     for score in [20, 70, 50] {
///         scores.put(Reverse(score)).await?;
///     }
///     scores.close();
///     while let Some(Reverse(score)) = scores.next().await? {
///         println!("{score}"); // 70, 50, 20
///     }
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PriorityQueue<T> = hosted::PriorityQueue<T, TaskHost>;

/// Why an item was not put; see [`ringloop_sync::PutError`].
pub type PutError<T> = ringloop_sync::PutError<T, crate::Cancelled>;

/// Why no item was got; see [`ringloop_sync::GetError`].
pub type GetError = ringloop_sync::GetError<crate::Cancelled>;
