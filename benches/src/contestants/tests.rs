use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::client::{Client, Load, Transport, Until};
use crate::process::Cores;
use crate::scratch::Scratch;

/// Runs `turn` for every contestant, each on a thread of its own as the runner does.
fn check(level: Level, turn: fn(&dyn Contestant)) {
    for contestant in level.contestants() {
        thread::spawn(move || turn(&*contestant)).join().unwrap();
    }
}

/// Has `contestant` serve on a thread, and returns where.
fn serve(
    contestant: Box<dyn Contestant>,
    service: Service,
    connections: u32,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let (sender, address) = mpsc::channel();
    let server = thread::spawn(move || {
        let announce = |address| sender.send(address).map_err(io::Error::other);
        contestant.serve(service, connections, &announce).unwrap();
    });
    (address.recv().unwrap(), server)
}

/// Returns all who can do that.
fn servers(service: Service, connections: u32) -> impl Iterator<Item = Box<dyn Contestant>> {
    let all = Level::ALL.into_iter().flat_map(Level::contestants);
    all.filter(move |contestant| contestant.can_serve(service, connections))
}

#[test]
fn every_server_echoes_and_ends_with_its_last_connection() {
    for (connections, message_len) in [(5, 64), (1, 64), (3, 16 * 1024)] {
        let service = Service::Echo(message_len.max(4096));
        let mut load = Load::small(connections);
        load.message_len = message_len;
        for contestant in servers(service, connections) {
            let (address, server) = serve(contestant, service, connections);
            let mut client = Client::open(address, load).unwrap();
            let run = client.run(Until::Messages(300), &mut Samples::default());
            assert_eq!(run.unwrap().messages, 300);
            drop(client);
            server.join().unwrap();
        }
    }
}

#[test]
fn every_server_echoes_datagrams_until_an_empty_one() {
    let mut load = Load::small(4);
    load.transport = Transport::Udp;
    for contestant in servers(Service::Datagrams, 4) {
        let (address, server) = serve(contestant, Service::Datagrams, 4);
        let mut client = Client::open(address, load).unwrap();
        let run = client.run(Until::Messages(300), &mut Samples::default());
        assert_eq!(run.unwrap().messages, 300);
        drop(client);
        server.join().unwrap();
    }
}

#[test]
fn every_server_takes_and_sends_in_bulk() {
    const BYTES: u32 = 1 << 20;
    for contestant in servers(Service::Sink, 1) {
        let (address, server) = serve(contestant, Service::Sink, 1);
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&vec![1; BYTES as usize]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        server.join().unwrap();
    }
    let service = Service::Source(BYTES.into());
    for contestant in servers(service, 1) {
        let (address, server) = serve(contestant, service, 1);
        let mut stream = TcpStream::connect(address).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), BYTES as usize);
        server.join().unwrap();
    }
}

#[test]
fn everybody_connects_to_itself() {
    check(Level::Net, |contestant| match contestant.connects(20, 4) {
        Ok(elapsed) => assert!(elapsed > Duration::ZERO),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}"),
    });
}

#[test]
fn a_service_is_read_as_it_is_written() {
    for service in [
        Service::Echo(64),
        Service::Sink,
        Service::Source(1 << 30),
        Service::Datagrams,
    ] {
        assert_eq!(service.to_string().parse(), Ok(service));
    }
    for odd in ["", "echo", "echo:x", "echo:5000000000", "rest:0"] {
        assert!(odd.parse::<Service>().is_err(), "{odd}");
    }
}

#[test]
fn every_kind_of_work_is_done_as_often_as_asked() {
    check(Level::Runtime, |contestant| {
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
fn every_scheduler_does_its_work() {
    check(Level::Task, |contestant| {
        let cores = Cores::pick().unwrap();
        let name = contestant.name();
        let soon = Duration::from_millis(1);
        for done in [
            contestant.spawn_join(10),
            contestant.spawn_batch(2, 10),
            contestant.spawn_eager(10),
            contestant.yields(3, 10),
            contestant.ping_one_shots(10),
            contestant.ping_channels(10),
            contestant.timers(300, 2_500),
            contestant.wakes_near(5, 10),
            contestant.wakes_far(cores.client, 5, 10),
        ] {
            match done {
                Ok(elapsed) => assert!(elapsed > Duration::ZERO, "{name}"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}"),
            }
        }
        let Ok(footprint) = contestant.sleepers(200) else {
            assert_eq!(name, "glommio", "it is refused on some machines");
            return;
        };
        assert!(footprint.bytes > 0 && footprint.future > 0, "{name}");
        assert!(footprint.allocations >= 200, "{name}");
        assert_eq!(contestant.sleeps(3, soon).unwrap().len(), 3);
        assert_eq!(contestant.wakes(cores.client, 4).unwrap().len(), 4);
        let start = contestant.starts(soon).unwrap();
        assert!(start.bare > 0.0 && start.with_a_task > 0.0, "{name}");
    });
}

#[test]
fn every_library_does_its_work() {
    check(Level::Sync, |contestant| {
        let cpu = Cores::pick().unwrap().client;
        let name = contestant.name();
        let mut done = vec![
            contestant.locks(10),
            contestant.permits(10),
            contestant.events(10),
            contestant.hand_overs(10, 0),
            contestant.hand_overs(10, 1),
            contestant.streams(300, 64),
        ];
        for room in [Room::Of(64), Room::Any] {
            done.push(contestant.queues(10, room));
            done.push(contestant.channels(10, room));
        }
        for place in [Place::Home, Place::Here] {
            for room in [Room::Of(16), Room::Any] {
                done.push(contestant.receives(place, cpu, 300, room));
            }
            done.push(contestant.trips(place, cpu, 4).map(|trips| {
                assert_eq!(trips.len(), 4, "{name}");
                Duration::MAX
            }));
        }
        for done in done {
            match done {
                Ok(elapsed) => assert!(elapsed > Duration::ZERO, "{name}"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}"),
            }
        }
    });
}

#[test]
fn every_bridge_does_its_work() {
    check(Level::Offload, |contestant| {
        let cores = Cores::pick().unwrap();
        let name = contestant.name();
        let grain = Grain::of(Duration::from_micros(5));
        let soon = Duration::from_millis(1);
        let mapped = contestant.offload_map(grain, 200, 1);
        if name == "rayon" || name.starts_with("glommio") && mapped.is_err() {
            let other = contestant.offloads(cores.client, 1).unwrap_err();
            assert_eq!(other.kind(), io::ErrorKind::Unsupported, "{name}");
            return;
        }
        assert!(mapped.unwrap() > Duration::ZERO, "{name}");
        assert_eq!(contestant.offloads(cores.client, 4).unwrap().len(), 4);
        for waiters in [Waiters::One, Waiters::Each] {
            let done = contestant.offload_batch(2, 100, waiters).unwrap();
            assert!(done > Duration::ZERO, "{name}");
        }
        let late = contestant.sleeps_beside(grain, 3, soon).unwrap();
        assert_eq!(late.len(), 3, "{name}");
        let idle = contestant.idles(soon).unwrap();
        assert!(idle.wakes >= 0.0, "{name}");
    });
}

#[test]
fn every_operation_is_done_as_often_as_asked() {
    check(Level::Op, |contestant| {
        let cores = Cores::pick().unwrap();
        let program = std::env::current_exe().unwrap();
        let name = contestant.name();
        let mut costs = vec![contestant.reads(&program, 100)];
        if name != "a10" {
            costs.push(contestant.nops(1, 100));
            costs.push(contestant.nops(64, 128));
        }
        let wakes = contestant.wakes(cores.client, 4);
        if name == "fio" {
            assert!(costs.iter().all(Result::is_err) && wakes.is_err());
            return;
        }
        assert_eq!(wakes.unwrap().len(), 4, "{name}");
        for cost in costs {
            let cost = cost.unwrap();
            assert!(cost.elapsed > Duration::ZERO, "{name}");
            if name == "ring" || name == "proactor" {
                assert_eq!(cost.allocations, 0, "{name}");
            }
        }
    });
}

#[test]
fn random_pages_are_read_for_a_while() {
    check(Level::Op, |contestant| {
        let scratch = Scratch::new(1);
        let plan = |file| DirectReads {
            file,
            pages: scratch.pages(),
            depth: 4,
            duration: Duration::from_millis(20),
            cpu: Cores::pick().unwrap().server,
        };
        let done = scratch
            .path()
            .and_then(|path| contestant.direct_reads(&plan(path)));
        match done {
            // No fio here, or no disk.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            done => assert!(done.unwrap().operations >= 4, "{}", contestant.name()),
        }
    });
}

#[test]
fn names_are_found_again() {
    for contestant in Level::ALL.into_iter().flat_map(Level::contestants) {
        let name = contestant.name();
        assert_eq!(by_name(name).map(|found| found.name()), Some(name));
    }
    assert!(by_name("nobody").is_none());
}
