//! Fairness among connections: one that is busy does not hold up those that are quiet.

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;

use ringloop::net::{TcpListener, TcpStream};
use ringloop::{spawn, task};

use crate::rig::{run, until};

/// A connection of the loop, and its far end outside.
async fn from_outside(listener: &TcpListener) -> (TcpStream, std::net::TcpStream) {
    let far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().await.unwrap();
    (near, far)
}

#[test]
fn one_busy_connection_does_not_hold_up_many_quiet_ones() {
    const QUIET: usize = 300;
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let served = Rc::new(Cell::new(0));
        let mut far_quiet = Vec::new();
        for _ in 0..QUIET {
            let (mut near, far) = from_outside(&listener).await;
            far_quiet.push(far);
            let served = Rc::clone(&served);
            drop(spawn(async move {
                near.read_exact(&mut [0; 1]).await.unwrap();
                served.set(served.get() + 1);
            }));
        }
        let mut busy = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut flood, _) = listener.accept().await.unwrap();
        let reads = Rc::new(Cell::new(0_usize));
        let counted = Rc::clone(&reads);
        let reader = spawn(async move {
            let mut buf = vec![0; 16 * 1024];
            while busy.read(&mut buf).await.unwrap() > 0 {
                counted.set(counted.get() + 1);
            }
        });
        let writer = spawn(async move {
            let piece = vec![1; 64 * 1024];
            while flood.write_all(&piece).await.is_ok() {
                task::yield_now().await.unwrap();
            }
        });
        until(|| reads.get() > 1000).await;
        for far in &mut far_quiet {
            far.write_all(&[1]).unwrap();
        }
        let before = reads.get();
        while served.get() < QUIET {
            task::yield_now().await.unwrap();
        }
        let meanwhile = reads.get() - before;
        reader.abort();
        writer.abort();
        assert!(
            meanwhile < 4 * QUIET,
            "the busy one was read {meanwhile} times before {QUIET} others were read once"
        );
    });
}
