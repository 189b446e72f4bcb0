use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;

/// Serves `count` connections one after the other, passing what arrives through `change`.
fn serve(count: usize, change: fn(&mut [u8])) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let streams: Vec<_> = (0..count).map(|_| listener.accept().unwrap().0).collect();
        thread::scope(|scope| {
            for mut stream in streams {
                scope.spawn(move || {
                    let mut bytes = [0; 40];
                    while let Ok(count @ 1..) = stream.read(&mut bytes) {
                        change(&mut bytes[..count]);
                        stream.write_all(&bytes[..count]).unwrap();
                    }
                });
            }
        });
    });
    (address, server)
}

#[test]
fn counts_every_message_and_reassembles_partial_echoes() {
    let (address, server) = serve(3, |_| {});
    let mut client = Client::connect(address, 3).unwrap();
    let mut samples = Samples::default();
    let run = client.run(Until::Messages(50), &mut samples).unwrap();
    assert_eq!((run.messages, samples.len()), (50, 50));
    assert!(run.elapsed > Duration::ZERO);
    drop(client);
    server.join().unwrap();
}

#[test]
fn fewer_messages_than_connections() {
    let (address, server) = serve(3, |_| {});
    let mut client = Client::connect(address, 3).unwrap();
    let run = client
        .run(Until::Messages(2), &mut Samples::default())
        .unwrap();
    assert_eq!(run.messages, 2);
    drop(client);
    server.join().unwrap();
}

#[test]
fn a_changed_byte_is_an_error() {
    let (address, server) = serve(1, |bytes| bytes[0] ^= 1);
    let mut client = Client::connect(address, 1).unwrap();
    let error = client
        .run(Until::Messages(1), &mut Samples::default())
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    drop(client);
    server.join().unwrap();
}
