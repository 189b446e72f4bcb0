use std::sync::mpsc;
use std::thread;

use super::*;
use crate::client::{Client, Until};
use crate::process::Cores;

/// Runs `turn` for every contestant, each on a thread of its own as the runner does.
fn check(turn: fn(&dyn Contestant)) {
    for contestant in all() {
        thread::spawn(move || turn(&*contestant)).join().unwrap();
    }
}

#[test]
fn every_server_echoes_and_ends_with_its_last_connection() {
    for contestant in all() {
        let (sender, address) = mpsc::channel();
        let server = thread::spawn(move || {
            let announce = |address| sender.send(address).map_err(io::Error::other);
            contestant.serve(5, &announce).unwrap();
        });
        let mut client = Client::connect(address.recv().unwrap(), 5).unwrap();
        let run = client
            .run(Until::Messages(1000), &mut Samples::default())
            .unwrap();
        assert_eq!(run.messages, 1000);
        drop(client);
        server.join().unwrap();
    }
}

#[test]
fn every_kind_of_work_is_done_as_often_as_asked() {
    check(|contestant| {
        let cores = Cores::pick().unwrap();
        assert!(contestant.spawn_join(10).unwrap() > Duration::ZERO);
        assert!(contestant.spawn_batch(2, 10).unwrap() > Duration::ZERO);
        assert!(contestant.yields(3, 10).unwrap() > Duration::ZERO);
        assert!(contestant.timers(300, 20).unwrap() > Duration::ZERO);
        assert_eq!(
            contestant
                .sleeps(3, Duration::from_millis(1))
                .unwrap()
                .len(),
            3
        );
        assert_eq!(contestant.offloads(cores.client, 4).unwrap().len(), 4);
        assert_eq!(contestant.wakes(cores.client, 4).unwrap().len(), 4);
    });
}

#[test]
fn names_are_found_again() {
    for contestant in all() {
        let name = contestant.name();
        assert_eq!(by_name(name).map(|found| found.name()), Some(name));
    }
    assert!(by_name("nobody").is_none());
}
