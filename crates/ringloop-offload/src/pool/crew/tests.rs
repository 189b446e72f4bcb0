use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread::ThreadId;

use crate::executor::Executor;
use crate::offload::{Offload, offload_on};

use super::super::roster::Limits;
use super::*;

/// Makes the system refuse to start threads, for real: no address space has room for the stack.
#[derive(Default)]
pub(super) struct Faults {
    deny_threads: AtomicBool,
}

impl Faults {
    pub(super) fn pass(&self, builder: thread::Builder) -> thread::Builder {
        if self.deny_threads.load(Ordering::Relaxed) {
            builder.stack_size(1 << 50)
        } else {
            builder
        }
    }
}

/// A crew without its public handle.
struct Team(Arc<Crew>);

impl Team {
    fn new(max_threads: usize, keep_alive: Duration) -> Self {
        Self::bounded(max_threads, keep_alive, usize::MAX)
    }

    fn bounded(max_threads: usize, keep_alive: Duration, queue_bound: usize) -> Self {
        let config = Config {
            name: "team".to_owned(),
            limits: Limits {
                threads_max: max_threads,
                threads_min: 0,
                queue_bound,
                keep_alive,
            },
            stack_size: None,
            on_thread_start: None,
            on_thread_stop: None,
            on_stall: None,
        };
        Self(Arc::new(Crew::new(config)))
    }

    fn deny_threads(&self, deny: bool) {
        self.0.faults.deny_threads.store(deny, Ordering::Relaxed);
    }

    /// Waits until the crew's state is as `condition` wants it: workers announce themselves when
    /// they become idle and when they leave.
    fn wait_until(&self, mut condition: impl FnMut(&State<Queued, Ledger>) -> bool) {
        let mut state = self.0.roster.lock();
        while !condition(&state) {
            state = self.0.roster.left.wait(state).unwrap();
        }
        drop(state);
    }

    /// Occupies a worker until the sender is used or dropped. Returns once the job runs.
    fn occupy(&self) -> (mpsc::Sender<()>, Offload<ThreadId>) {
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let offload = offload_on(self, move || {
            started.send(()).unwrap();
            let _either = released.recv();
            thread::current().id()
        });
        has_started.recv().unwrap();
        (release, offload)
    }
}

impl Executor for Team {
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.0.submit(job)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        let (_dropped, _running) = self.0.close();
    }
}

fn poll<T>(offload: &mut Offload<T>) -> Poll<<Offload<T> as Future>::Output> {
    Pin::new(offload).poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a job that says on which thread it is.
fn thread_of_job(team: &Team) -> ThreadId {
    let (sender, receiver) = mpsc::channel();
    let offload = offload_on(team, move || sender.send(thread::current().id()).unwrap());
    let id = receiver.recv().unwrap();
    drop(offload);
    id
}

#[test]
fn an_idle_worker_is_used_again() {
    let team = Team::new(8, Duration::MAX);
    let first = thread_of_job(&team);
    for _ in 0..100 {
        team.wait_until(|state| state.idle() == 1);
        assert_eq!(thread_of_job(&team), first);
    }
    assert_eq!(team.0.stats().threads, 1);
}

#[test]
fn one_idle_worker_is_claimed_once() {
    let team = Team::new(8, Duration::MAX);
    thread_of_job(&team);
    team.wait_until(|state| state.idle() == 1);
    // Neither job ends before both run: the second must not wait for the worker that the first one
    // has claimed.
    let (meet, met) = mpsc::sync_channel::<()>(0);
    let sends = offload_on(&team, move || meet.send(()).unwrap());
    let receives = offload_on(&team, move || met.recv().unwrap());
    team.wait_until(|state| {
        let counts = state.book.counts();
        counts.completed + counts.abandoned == 3
    });
    assert!(!sends.is_queued() && !receives.is_queued());
}

#[test]
fn the_most_recently_idle_worker_is_the_next_to_work() {
    let team = Team::new(2, Duration::MAX);
    let (release_a, a) = team.occupy();
    let (release_b, b) = team.occupy();
    drop(release_a);
    team.wait_until(|state| state.idle() == 1);
    drop(release_b);
    team.wait_until(|state| state.idle() == 2);
    let [a, b] = [a, b].map(|mut offload| match poll(&mut offload) {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("the job has not ended"),
    });
    assert_ne!(a, b);
    assert_eq!(thread_of_job(&team), b);
}

#[test]
fn an_idle_worker_leaves_after_its_keep_alive_and_another_one_comes() {
    let team = Team::new(1, Duration::ZERO);
    for _ in 0..100 {
        thread_of_job(&team);
    }
    team.wait_until(|state| state.threads() == 0);
    let stats = team.0.stats();
    assert_eq!(
        (stats.threads, stats.idle, stats.running, stats.queued),
        (0, 0, 0, 0)
    );
    assert_eq!((stats.accepted, stats.ended), (100, 100));
}

#[test]
fn without_a_worker_and_a_thread_a_job_is_rejected_at_once() {
    let team = Team::new(4, Duration::MAX);
    team.deny_threads(true);
    let mut offload = offload_on(&team, || ());
    let Poll::Ready(Err(error)) = poll(&mut offload) else {
        panic!("the waiter was not told");
    };
    assert!(error.is_rejected(), "{error:?}");
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<PoolError>());
    assert!(matches!(source, Some(PoolError::NoThread(_))), "{error:?}");
    assert_eq!(team.0.stats().start_failures, 1);
    assert_eq!(team.0.stats().accepted, 0);

    // The next one tries again.
    team.deny_threads(false);
    thread_of_job(&team);
}

#[test]
fn without_a_thread_a_job_waits_for_a_worker_that_exists() {
    let team = Team::new(4, Duration::MAX);
    let (release, busy) = team.occupy();
    team.deny_threads(true);
    let mut offload = offload_on(&team, || 7);
    assert!(offload.is_queued());
    assert_eq!(team.0.stats().start_failures, 1);
    drop(release);
    team.wait_until(|state| state.idle() == 1);
    assert!(matches!(poll(&mut offload), Poll::Ready(Ok(7))));
    drop(busy);
}

#[test]
fn cancelled_jobs_do_not_pile_up() {
    let team = Team::new(1, Duration::MAX);
    let (release, busy) = team.occupy();
    let live: Vec<_> = (0..100)
        .map(|number| offload_on(&team, move || number))
        .collect();
    let mut queue_len_max = 0;
    for _ in 0..10_000 {
        drop(offload_on(&team, || panic!("it was cancelled")));
        queue_len_max = queue_len_max.max(team.0.stats().queued);
    }
    assert!(queue_len_max <= 2 * 101 + 64, "{queue_len_max}");
    drop(release);
    team.wait_until(|state| state.idle() == 1);
    for (number, mut offload) in live.into_iter().enumerate() {
        assert!(matches!(poll(&mut offload), Poll::Ready(Ok(value)) if value == number));
    }
    // The occupying job and the live ones; none that was cancelled.
    assert_eq!(team.0.stats().ended, 101);
    drop(busy);
}

#[test]
fn a_worker_survives_a_result_that_panics_when_dropped() {
    struct Fuse;

    impl Drop for Fuse {
        fn drop(&mut self) {
            panic!("a destructor's panic");
        }
    }

    let team = Team::new(1, Duration::MAX);
    let first = thread_of_job(&team);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let unwanted = offload_on(&team, move || {
        started.send(()).unwrap();
        let _either = released.recv();
        Fuse
    });
    has_started.recv().unwrap();
    drop(unwanted);
    drop(release);
    assert_eq!(thread_of_job(&team), first);
}

#[test]
fn a_full_pool_that_was_short_of_threads_once_grows_again() {
    let team = Team::bounded(4, Duration::MAX, 0);
    let (release, busy) = team.occupy();
    team.deny_threads(true);
    let mut waiting = offload_on(&team, || 7);
    assert_eq!(team.0.stats().start_failures, 1);
    // To ask for a thread costs more than a refusal may, so few of those ask.
    let refuse_many = || (0..100).for_each(|_| drop(offload_on(&team, || ())));
    refuse_many();
    assert!((2..20).contains(&team.0.stats().start_failures));
    assert_eq!(
        team.0.stats().rejected,
        100,
        "what cannot be started is no room"
    );
    team.deny_threads(false);
    refuse_many();
    team.wait_until(|state| state.threads() > 1 && state.idle() == state.threads() - 1);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(7))));
    drop((release, busy));
}

#[test]
fn a_pool_whose_last_worker_has_left_tells_that_no_thread_can_be_had() {
    let team = Team::new(4, Duration::ZERO);
    thread_of_job(&team);
    team.wait_until(|state| state.threads() == 0);
    team.deny_threads(true);
    let mut offload = offload_on(&team, || ());
    assert!(matches!(poll(&mut offload), Poll::Ready(Err(error)) if error.is_rejected()));
    assert_eq!(team.0.stats().queued, 0);
}

#[test]
fn jobs_side_by_side_have_a_worker_in_reserve() {
    let team = Team::new(8, Duration::MAX);
    let busy = [team.occupy(), team.occupy()];
    team.wait_until(|state| state.threads() == 3 && state.idle() == 1);
    drop(busy);
}
