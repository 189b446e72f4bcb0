//! The loop that accepts.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;

use ringloop_task::cancel::{check_cancelled, is_cancelled};
use ringloop_task::group::TaskGroup;
use ringloop_task::task;

use super::backoff::{Backoff, Verdict};
use super::connection::{Connection, Live, Places, on_failure};
use super::listener::Listener;
use super::outcome::Outcome;
use super::report::{ServeReport, Teller};
use super::shared::{Attached, Shared};
use crate::time::{self, timeout};

/// What the loop stands on.
pub(super) struct Accepting<'a, L: Listener, H, E> {
    pub(super) listener: &'a L,
    pub(super) handler: Rc<H>,
    pub(super) teller: Teller<E>,
    pub(super) places: Rc<Places>,
    pub(super) attached: &'a Attached<L::Addr>,
    pub(super) group: &'a TaskGroup<E>,
}

impl<L, H, R> Accepting<'_, L, H, R::Error>
where
    L: Listener,
    H: AsyncFn(L::Stream, L::Addr) -> R + 'static,
    R: Outcome,
{
    /// Accepts until it is cancelled, or cannot any more.
    pub(super) async fn run(&self) -> io::Result<()> {
        let mut backoff = None;
        let mut in_a_row = 0;
        loop {
            while self.places.is_full() {
                self.places.freed().notified().await?;
            }
            if let Some(room) = self.places.room() {
                self.listener.set_room(room - 1);
            }
            let error = match self.accept().await {
                Ok(connection) => {
                    in_a_row = 0;
                    self.recovered(backoff.take());
                    self.begin(connection);
                    continue;
                }
                Err(error) if is_cancelled(&error) => return Err(error),
                Err(error) => error,
            };
            self.shared()
                .counters
                .accept_errors
                .update(|count| count + 1);
            in_a_row += 1;
            match Verdict::of(&error) {
                Verdict::Fatal => return Err(error),
                Verdict::Again if in_a_row < IN_A_ROW_MAX => task::checkpoint().await?,
                Verdict::Again | Verdict::Exhausted => {
                    self.pause(&mut backoff, error).await?;
                }
            }
        }
    }

    /// Takes a connection, unless it was stopped: then what has come stays with the listener.
    async fn accept(&self) -> io::Result<(L::Stream, L::Addr)> {
        let mut accept = pin!(self.listener.accept());
        poll_fn(|cx| {
            if self.shared().stop.is_cancelled() {
                check_cancelled()?;
            }
            accept.as_mut().poll(cx)
        })
        .await
    }

    /// Starts the task of a connection.
    fn begin(&self, (stream, peer): (L::Stream, L::Addr)) {
        let counters = &self.shared().counters;
        let number = counters.accepted.get() + 1;
        counters.accepted.set(number);
        let name = format!("connection {number} from {peer:?}");
        let live = Live::new(&self.places, self.shared());
        let handler = Rc::clone(&self.handler);
        let handled = async move { (*handler)(stream, peer).await.into_result() };
        let failed = on_failure(number, self.shared(), &self.teller);
        let task = task::Builder::new().name(name).spawn_isolated_in(
            self.group,
            Connection::new(handled, live),
            failed,
        );
        drop(task);
    }

    /// Waits before the next attempt, until a connection has ended at the longest.
    async fn pause(&self, backoff: &mut Option<Backoff>, error: io::Error) -> io::Result<()> {
        let backoff = match backoff {
            Some(backoff) => backoff,
            None => {
                self.attached.set_exhausted(true);
                self.teller.tell(ServeReport::Exhausted { error });
                backoff.insert(Backoff::new(time::now()))
            }
        };
        let delay = backoff.next();
        if let Ok(ended) = timeout(delay, self.places.freed().notified()).await {
            ended?;
            backoff.hurry();
        }
        Ok(())
    }

    fn shared(&self) -> &Rc<Shared<L::Addr>> {
        &self.attached.shared
    }

    fn recovered(&self, backoff: Option<Backoff>) {
        if let Some(backoff) = backoff {
            self.attached.set_exhausted(false);
            let after = time::now().saturating_duration_since(backoff.since());
            self.teller.tell(ServeReport::Recovered {
                attempts: backoff.attempts(),
                after,
            });
        }
    }
}

/// So many errors of single connections in a row are none: something else is wrong, and accepting
/// again at once would hold the processor.
const IN_A_ROW_MAX: u32 = 100;
