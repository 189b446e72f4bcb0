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
#[doc(alias(
    "asyncio.Queue",
    "put_nowait",
    "get_nowait",
    "task_done",
    "qsize",
    "maxsize"
))]
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
#[doc(alias("asyncio.LifoQueue", "stack"))]
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
#[doc(alias("asyncio.PriorityQueue", "heapq"))]
pub type PriorityQueue<T> = hosted::PriorityQueue<T, TaskHost>;

/// Why an item was not put; see [`ringloop_sync::PutError`].
#[doc(alias = "QueueShutDown")]
pub type PutError<T> = ringloop_sync::PutError<T, crate::Cancelled>;

/// Why no item was got; see [`ringloop_sync::GetError`].
#[doc(alias("QueueShutDown", "QueueEmpty"))]
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
#[doc(alias("open_memory_channel", "mpsc", "mpmc", "send_nowait", "receive_nowait"))]
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
#[doc(alias = "unbounded")]
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    hosted::unbounded_channel()
}

/// The end of a [`channel()`] that items are sent from; see [`hosted::Sender`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::{SendError, Sender};
///
/// async fn count(numbers: Sender<u32>) -> Result<(), SendError<u32>> {
///     for number in 1..=3 {
///         numbers.send(number).await?; // Waits for room.
///     }
///     Ok(())
/// }
/// # ringloop::run(async {
/// # let (sender, receiver) = ringloop::sync::channel(3);
/// # count(sender).await.unwrap();
/// # assert_eq!(receiver.len(), 3);
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Sender<T> = hosted::Sender<T, TaskHost>;

/// The end of a [`channel()`] that items come out of; see [`hosted::Receiver`].
///
/// # Examples
///
/// ```
/// use ringloop::Cancelled;
/// use ringloop::sync::Receiver;
///
/// async fn sum(numbers: Receiver<u32>) -> Result<u32, Cancelled> {
///     let mut sum = 0;
///     while let Some(number) = numbers.next().await? {
///         sum += number;
///     }
///     Ok(sum) // All senders are gone.
/// }
/// # ringloop::run(async {
/// # let (sender, receiver) = ringloop::sync::channel(3);
/// # for number in 1..=3 { sender.send(number).await.unwrap(); }
/// # drop(sender);
/// # assert_eq!(sum(receiver).await.unwrap(), 6);
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Receiver<T> = hosted::Receiver<T, TaskHost>;

/// Why an item was not sent; see [`ringloop_sync::SendError`].
pub type SendError<T> = ringloop_sync::SendError<T, crate::Cancelled>;

/// Why no item was received; see [`ringloop_sync::RecvError`].
pub type RecvError = ringloop_sync::RecvError<crate::Cancelled>;
