use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::Scheduler;
use ringloop_task::testing::VirtualDriver;
use ringloop_task::time::{now, sleep, timeout};

use super::{ConnectError, STAGGER, first_to_answer, interleaved};

fn run<F: Future>(main: F) -> F::Output {
    Scheduler::new(VirtualDriver::new()).block_on(main)
}

fn v4(n: u8) -> SocketAddr {
    ([192, 0, 2, n], 80).into()
}

fn v6(n: u16) -> SocketAddr {
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, n], 80).into()
}

/// A host that answers, or refuses, after some milliseconds.
#[derive(Clone, Copy)]
enum Host {
    Answers(u64),
    Refuses(u64),
}

/// When each attempt began, and what was given up.
#[derive(Default)]
struct Log {
    begun: Vec<(SocketAddr, u64)>,
    open: usize,
}

struct Socket(Rc<RefCell<Log>>);

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.borrow_mut().open -= 1;
    }
}

async fn connect(hosts: &[(SocketAddr, Host)], log: &Rc<RefCell<Log>>) -> io::Result<SocketAddr> {
    let start = now();
    let addresses = hosts.iter().map(|(address, _)| *address).collect();
    first_to_answer(addresses, STAGGER, |address| {
        let host = hosts.iter().find(|(known, _)| *known == address).unwrap().1;
        let log = Rc::clone(log);
        async move {
            let after = u64::try_from(now().duration_since(start).as_millis()).unwrap();
            log.borrow_mut().begun.push((address, after));
            log.borrow_mut().open += 1;
            let _socket = Socket(Rc::clone(&log));
            let (Host::Answers(millis) | Host::Refuses(millis)) = host;
            sleep(Duration::from_millis(millis)).await?;
            match host {
                Host::Answers(_) => Ok(address),
                Host::Refuses(_) => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        }
    })
    .await
}

#[test]
fn families_take_turns_and_keep_their_order() {
    assert_eq!(
        interleaved(vec![v6(1), v6(2), v6(3), v4(1), v4(2)]),
        [v6(1), v4(1), v6(2), v4(2), v6(3)]
    );
    assert_eq!(
        interleaved(vec![v4(1), v4(2), v6(1)]),
        [v4(1), v6(1), v4(2)]
    );
    assert_eq!(interleaved(vec![v6(2), v6(1)]), [v6(2), v6(1)]);
    assert_eq!(interleaved(Vec::new()), []);
}

#[test]
fn a_silent_address_holds_the_next_one_for_a_quarter_second() {
    run(async {
        let log = Rc::default();
        let hosts = [
            (v6(1), Host::Answers(60_000)),
            (v6(2), Host::Answers(50_000)),
            (v4(1), Host::Answers(30)),
        ];
        let start = now();
        assert_eq!(connect(&hosts, &log).await.unwrap(), v4(1));
        assert_eq!(now().duration_since(start).as_millis(), 280);
        assert_eq!(log.borrow().begun, [(v6(1), 0), (v4(1), 250)]);
        assert_eq!(log.borrow().open, 0, "losers are over");
    });
}

#[test]
fn a_slow_address_may_still_win() {
    run(async {
        let log = Rc::default();
        let hosts = [(v6(1), Host::Answers(300)), (v4(1), Host::Answers(1000))];
        assert_eq!(connect(&hosts, &log).await.unwrap(), v6(1));
        assert_eq!(log.borrow().open, 0);
    });
}

#[test]
fn a_failure_expedites_the_next_and_all_of_them_are_told() {
    run(async {
        let log = Rc::default();
        let hosts = [
            (v6(1), Host::Refuses(10)),
            (v4(1), Host::Refuses(20)),
            (v6(2), Host::Refuses(5)),
        ];
        let error = connect(&hosts, &log).await.unwrap_err();
        assert_eq!(log.borrow().begun, [(v6(1), 0), (v4(1), 10), (v6(2), 30)]);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let attempts = ConnectError::of(&error).unwrap().attempts();
        let tried: Vec<_> = attempts.iter().map(|(address, _)| *address).collect();
        assert_eq!(tried, [v6(1), v4(1), v6(2)]);
        let text = "no address could be connected to: [2001:db8::1]:80: connection refused; \
                    192.0.2.1:80: connection refused; [2001:db8::2]:80: connection refused";
        assert_eq!(error.to_string(), text);
        let last = error.get_ref().unwrap().source().unwrap();
        assert_eq!(last.to_string(), "connection refused");
    });
}

#[test]
fn one_address_has_its_own_error_and_none_is_one() {
    run(async {
        let log = Rc::default();
        let error = connect(&[(v4(1), Host::Refuses(1))], &log).await;
        assert!(ConnectError::of(&error.unwrap_err()).is_none());
        let error = connect(&[], &log).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn cancelled_it_says_so_and_nothing_goes_on() {
    run(async {
        let log = Rc::default();
        let hosts = [
            (v6(1), Host::Refuses(10)),
            (v4(1), Host::Answers(5000)),
            (v6(2), Host::Answers(5000)),
        ];
        let connecting = async {
            let result = connect(&hosts, &log).await;
            assert!(crate::cancel::is_cancelled(result.as_ref().unwrap_err()));
            result
        };
        let limit = Duration::from_millis(400);
        assert!(timeout(limit, connecting).await.is_err());
        assert_eq!(log.borrow().begun.len(), 3);
        assert_eq!(log.borrow().open, 0);
    });
}
