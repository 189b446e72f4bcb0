//! Runtimes of others, as far as the tests need them.

use std::pin::Pin;

pub(crate) type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) type LocalBody = Pin<Box<dyn Future<Output = ()>>>;

/// A task of whichever runtime.
pub(crate) enum Task {
    Tokio(tokio::task::JoinHandle<()>),
    Smol(async_executor::Task<()>),
}

impl Task {
    /// Waits for its end.
    pub(crate) async fn join(self) {
        match self {
            Self::Tokio(task) => task.await.expect("the task does not panic"),
            Self::Smol(task) => task.await,
        }
    }

    /// Ends it where it is, unless it has ended.
    pub(crate) async fn cancel(self) {
        match self {
            Self::Tokio(task) => {
                task.abort();
                if let Err(error) = task.await {
                    assert!(error.is_cancelled(), "{error}");
                }
            }
            Self::Smol(task) => drop(task.cancel().await),
        }
    }
}

/// A runtime whose tasks are `Send`.
pub(crate) trait Host {
    /// Runs a future, and the tasks beside it.
    fn block_on(&self, body: Body);

    fn spawn(&self, body: Body) -> Task;

    /// Runs the tasks to their ends.
    fn join(&self, tasks: Vec<Task>) {
        self.block_on(Box::pin(async {
            for task in tasks {
                task.join().await;
            }
        }));
    }
}

pub(crate) struct Tokio(tokio::runtime::Runtime);

impl Tokio {
    /// One thread: tasks run while somebody blocks on the runtime.
    pub(crate) fn one() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self(runtime.expect("tokio starts"))
    }

    /// Two threads: tasks run by themselves and move.
    pub(crate) fn two() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).build();
        Self(runtime.expect("tokio starts"))
    }
}

impl Host for Tokio {
    fn block_on(&self, body: Body) {
        self.0.block_on(body);
    }

    fn spawn(&self, body: Body) -> Task {
        Task::Tokio(self.0.spawn(body))
    }
}

/// The executor of smol, with its reactor.
#[derive(Default)]
pub(crate) struct Smol(async_executor::Executor<'static>);

impl Host for Smol {
    fn block_on(&self, body: Body) {
        async_io::block_on(self.0.run(body));
    }

    fn spawn(&self, body: Body) -> Task {
        Task::Smol(self.0.spawn(body))
    }
}

/// A runtime whose tasks stay on its thread.
pub(crate) trait LocalHost {
    /// Runs a future, and the tasks beside it.
    fn block_on(&self, body: LocalBody);

    fn spawn(&self, body: LocalBody) -> Task;
}

pub(crate) struct TokioLocal {
    runtime: tokio::runtime::Runtime,
    tasks: tokio::task::LocalSet,
}

impl TokioLocal {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Self {
            runtime: runtime.expect("tokio starts"),
            tasks: tokio::task::LocalSet::new(),
        }
    }
}

impl LocalHost for TokioLocal {
    fn block_on(&self, body: LocalBody) {
        self.tasks.block_on(&self.runtime, body);
    }

    fn spawn(&self, body: LocalBody) -> Task {
        Task::Tokio(self.tasks.spawn_local(body))
    }
}

#[derive(Default)]
pub(crate) struct SmolLocal(async_executor::LocalExecutor<'static>);

impl LocalHost for SmolLocal {
    fn block_on(&self, body: LocalBody) {
        async_io::block_on(self.0.run(body));
    }

    fn spawn(&self, body: LocalBody) -> Task {
        Task::Smol(self.0.spawn(body))
    }
}
