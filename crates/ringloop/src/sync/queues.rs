//! Queues, and channels whose ends are counted.

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
///             while let Some(job) = queue.next_job().await? {
///                 sum += *job;
///             }
///             Ok::<_, ringloop::Cancelled>(sum)
///         })
///     });
///     for n in 1..=100 {
///         queue.put(n).await?;
///     }
///     queue.join().await?;
///     queue.close();
///     let mut sum = 0;
///     for worker in workers {
///         sum += worker.await.expect("the worker does not panic")?;
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

/// Makes the two ends of a channel in which at most `capacity` items wait; see [`hosted::channel`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::channel;
///
/// ringloop::run(async {
///     let (sender, receiver) = channel(4);
///     for part in 0..3 {
///         let sender = sender.clone();
///         ringloop::spawn(async move { sender.send(part * 10).await });
///     }
///     drop(sender); // The tasks have clones.
///     let mut sum = 0;
///     while let Some(number) = receiver.next().await? {
///         sum += number;
///     }
///     assert_eq!(sum, 30);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("open_memory_channel", "mpsc", "mpmc"))]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::channel(capacity)
}

/// Makes the two ends of a channel in which any number of items wait; see
/// [`hosted::unbounded_channel`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::unbounded_channel;
///
/// ringloop::run(async {
///     let (sender, receiver) = unbounded_channel();
///     sender.send("a note").await?;
///     assert_eq!(receiver.recv().await?, "a note");
///     drop(receiver);
///     let error = sender.send("another").await.unwrap_err();
///     assert_eq!(error.into_item(), "another");
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    hosted::unbounded_channel()
}

/// The end of a [`channel()`] that items are sent from; see [`hosted::Sender`].
pub type Sender<T> = hosted::Sender<T, TaskHost>;

/// The end of a [`channel()`] that items come out of; see [`hosted::Receiver`].
pub type Receiver<T> = hosted::Receiver<T, TaskHost>;

/// Why an item was not sent; see [`ringloop_sync::SendError`].
pub type SendError<T> = ringloop_sync::SendError<T, crate::Cancelled>;

/// Why no item was received; see [`ringloop_sync::RecvError`].
pub type RecvError = ringloop_sync::RecvError<crate::Cancelled>;
