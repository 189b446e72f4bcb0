//! What waits say that fail: through `?`, and to people.

use std::error::Error;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringloop::cancel::{Cancelled, is_cancelled};
use ringloop::sync::{self, shared};
use ringloop::sync::{
    AcquireTokenError, Barrier, BarrierError, CapacityLimiter, GetError, PutError, Queue,
    Semaphore, broadcast, watch,
};
use ringloop::{spawn, timeout};

use crate::rig::run;

/// With items that are neither `Send` nor `Debug`.
struct Item(#[expect(dead_code, reason = "it is in the way")] Rc<()>);

fn item() -> Item {
    Item(Rc::new(()))
}

/// A function of a program, which has an error of each kind and none of its own.
async fn everything(queue: &Queue<Item>, limiter: &CapacityLimiter) -> io::Result<()> {
    let _token = limiter.acquire_on_behalf_of(7).await?;
    queue.put(item()).await?;
    queue.get().await?;
    queue.get_job().await?.done();
    let (sender, receiver) = sync::channel(1);
    sender.send(item()).await?;
    sender.try_send(item())?;
    receiver.recv().await?;
    receiver.try_recv()?;
    let (sender, receiver) = shared::channel(1);
    sender.send(item()).await?;
    sender.try_send(item())?;
    receiver.recv().await?;
    receiver.try_recv()?;
    sender.blocking_send_timeout(item(), Duration::ZERO)?;
    receiver.blocking_recv_timeout(Duration::ZERO)?;
    let (sender, mut receiver) = watch::channel(1);
    sender.send(2)?;
    receiver.changed().await?;
    let (sender, mut receiver) = broadcast::channel(1);
    sender.send(2)?;
    receiver.recv().await?;
    receiver.try_recv()?;
    drop(limiter.try_acquire_on_behalf_of(8)?);
    Semaphore::bounded(1).release(1)?;
    Barrier::new(1).wait().await?;
    Ok(())
}

/// The same where all errors are welcome.
async fn anything(queue: &Queue<Item>) -> Result<(), Box<dyn Error>> {
    queue.try_put(item())?;
    queue.put(item()).await?;
    let (sender, receiver) = sync::channel::<Item>(1);
    sender.send(item()).await?;
    drop(receiver);
    Ok(())
}

#[test]
fn errors_go_through_question_marks() {
    run(async {
        let queue = Rc::new(Queue::bounded(1));
        let limiter = Rc::new(CapacityLimiter::new(1));
        let (ours, limits) = (Rc::clone(&queue), Rc::clone(&limiter));
        let task = spawn(async move { everything(&ours, &limits).await });
        task.cancel("enough");
        let error = task.await.unwrap().unwrap_err();
        assert!(is_cancelled(&error), "{error}");

        // Its token is not the matter of the queue.
        let late = timeout(Duration::from_millis(1), everything(&queue, &limiter)).await;
        assert!(
            late.is_err(),
            "the second get waits, and its error is the timeout's"
        );
        let late = timeout(Duration::from_millis(1), anything(&queue)).await;
        assert!(late.is_err(), "the second put waits");

        queue.close();
        let error = anything(&queue).await.unwrap_err();
        assert!(error.to_string().contains("closed"), "{error}");
        let error = everything(&queue, &limiter).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}

/// The aliases of the facade are what its waits say.
#[test]
fn errors_are_named_without_the_host() {
    async fn put(queue: &Queue<u32>) -> Result<(), PutError<u32>> {
        queue.put(1).await
    }
    async fn get(queue: &Queue<u32>) -> Result<u32, GetError> {
        queue.get().await
    }
    async fn send(sender: &sync::Sender<u32>) -> Result<(), sync::SendError<u32>> {
        sender.send(1).await
    }
    async fn send_far(sender: &shared::Sender<u32>) -> Result<(), shared::SendError<u32>> {
        sender.send(1).await
    }
    async fn recv_far(receiver: &shared::Receiver<u32>) -> Result<u32, shared::RecvError> {
        receiver.recv().await
    }
    async fn meet(barrier: &Barrier) -> Result<bool, BarrierError> {
        Ok(barrier.wait().await?.is_leader())
    }
    async fn borrow(limiter: &CapacityLimiter) -> Result<(), AcquireTokenError> {
        drop(limiter.acquire().await?);
        limiter.acquire_on_behalf_of(1).await.map(drop)
    }
    run(async {
        let queue = Queue::bounded(1);
        put(&queue).await.unwrap();
        assert_eq!(get(&queue).await.unwrap(), 1);
        let (sender, receiver) = sync::channel(1);
        send(&sender).await.unwrap();
        drop(receiver);
        assert_eq!(send(&sender).await.unwrap_err().into_item(), 1);
        let (sender, receiver) = shared::channel(1);
        send_far(&sender).await.unwrap();
        assert_eq!(recv_far(&receiver).await.unwrap(), 1);
        drop(receiver);
        assert_eq!(send_far(&sender).await.unwrap_err().into_item(), 1);
        assert!(meet(&Barrier::new(1)).await.unwrap());
        borrow(&CapacityLimiter::new(1)).await.unwrap();
    });
}

/// Each says what to do about it.
#[test]
fn errors_name_the_remedy() {
    let (to, from) = sync::channel(0);
    let (to_thread, from_thread) = shared::channel(0);
    let (news, mut reader) = broadcast::channel::<u32>(1);
    let (level, seen) = watch::channel(1);
    let limiter = CapacityLimiter::new(0);
    let queue = Queue::bounded(1);
    queue.try_put(1).unwrap();
    let mut errors: Vec<(Box<dyn Error>, &str)> = vec![
        (Box::new(queue.try_put(2).unwrap_err()), "`put`"),
        (Box::new(to.try_send(1).unwrap_err()), "`send`"),
        (Box::new(from.try_recv().unwrap_err()), "`recv`"),
        (Box::new(to_thread.try_send(1).unwrap_err()), "`send`"),
        (Box::new(from_thread.try_recv().unwrap_err()), "`recv`"),
        (Box::new(reader.try_recv().unwrap_err()), "`recv`"),
        (
            Box::new(limiter.try_acquire_on_behalf_of(1).unwrap_err()),
            "acquire",
        ),
    ];
    assert_eq!(queue.close_now(), [1]);
    drop((seen, reader));
    errors.push((Box::new(queue.try_get().unwrap_err()), "closed"));
    errors.push((Box::new(level.send(2).unwrap_err()), "`send_replace`"));
    errors.push((Box::new(news.send(2).unwrap_err()), "`subscribe`"));
    for (error, remedy) in errors {
        assert!(error.to_string().contains(remedy), "{error}");
    }
    run(async {
        let task = spawn(async move { to.send(1).await });
        task.cancel("enough");
        let error = task.await.unwrap().unwrap_err();
        assert!(error.to_string().ends_with("cancelled: enough"), "{error}");
        assert!(error.source().unwrap().is::<Cancelled>());
        assert!(is_cancelled(&error.into()));
    });
}
