//! Runtimes of others, as far as the tests need them.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringloop_offload::Offload;

pub(crate) type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task of whichever runtime.
pub(crate) enum Task {
    Tokio(tokio::task::JoinHandle<()>),
    Smol(async_executor::Task<()>),
}

pub(crate) trait Host {
    fn block_on(&self, body: Body);

    fn spawn(&self, body: Body) -> Task;

    /// Ends the runtime with all its tasks.
    fn end(&self);

    /// Runs the task to its end.
    fn join(&self, task: Task) {
        self.block_on(Box::pin(async move {
            match task {
                Task::Tokio(task) => task.await.expect("the task does not panic"),
                Task::Smol(task) => task.await,
            }
        }));
    }

    /// Ends the task where it is.
    fn cancel(&self, task: Task) {
        self.block_on(Box::pin(async move {
            match task {
                Task::Tokio(task) => {
                    task.abort();
                    assert!(task.await.is_err_and(|error| error.is_cancelled()));
                }
                Task::Smol(task) => assert!(task.cancel().await.is_none()),
            }
        }));
    }

    /// Runs the tasks until one of them, or of their jobs, has sent something.
    fn until(&self, sign: &Receiver<()>) {
        loop {
            self.turn();
            // A bound on the wait for a thread, not for an event: the turn comes again.
            match sign.recv_timeout(Duration::from_millis(1)) {
                Ok(()) => return,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the sign never comes"),
            }
        }
    }

    fn turn(&self);
}

/// Runs the future on this thread.
pub(crate) fn wait<T>(offload: Offload<T>) -> T {
    async_io::block_on(offload).expect("the job runs")
}

/// One thread: tasks run while somebody blocks on the runtime.
pub(crate) struct TokioOne(Mutex<Option<tokio::runtime::Runtime>>);

/// Two threads: tasks run by themselves and move.
pub(crate) struct TokioTwo(Mutex<Option<tokio::runtime::Runtime>>);

impl TokioOne {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self(Mutex::new(Some(runtime.expect("tokio starts"))))
    }
}

impl TokioTwo {
    pub(crate) fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).build();
        Self(Mutex::new(Some(runtime.expect("tokio starts"))))
    }
}

macro_rules! tokio_host {
    ($host:ty) => {
        impl Host for $host {
            fn block_on(&self, body: Body) {
                let runtime = self.0.lock().expect("no test panics here");
                runtime.as_ref().expect("it has not ended").block_on(body);
            }

            fn spawn(&self, body: Body) -> Task {
                let runtime = self.0.lock().expect("no test panics here");
                Task::Tokio(runtime.as_ref().expect("it has not ended").spawn(body))
            }

            fn end(&self) {
                drop(self.0.lock().expect("no test panics here").take());
            }

            fn turn(&self) {
                self.block_on(Box::pin(tokio::task::yield_now()));
            }
        }
    };
}

tokio_host!(TokioOne);
tokio_host!(TokioTwo);

/// The executor of smol, with its reactor.
pub(crate) struct Smol(Mutex<Option<Arc<async_executor::Executor<'static>>>>);

impl Smol {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Some(Arc::default())))
    }

    fn executor(&self) -> Arc<async_executor::Executor<'static>> {
        let executor = self.0.lock().expect("no test panics here");
        Arc::clone(executor.as_ref().expect("it has not ended"))
    }
}

impl Host for Smol {
    fn block_on(&self, body: Body) {
        async_io::block_on(self.executor().run(body));
    }

    fn spawn(&self, body: Body) -> Task {
        Task::Smol(self.executor().spawn(body))
    }

    fn end(&self) {
        drop(self.0.lock().expect("no test panics here").take());
    }

    fn turn(&self) {
        let executor = self.executor();
        while executor.try_tick() {}
    }
}
