//! Sandboxes that forbid a part of io_uring: what goes without goes on, what does not says so.

use std::io;
use std::thread;

use ringloop::net::UdpSocket;
use ringloop::{Runtime, SetupErrorKind, offload, spawn};

use crate::kernel;
use crate::rig::{listener, numbered};

/// Bytes there and back, a datagram, a job on another thread that wakes this one.
async fn work() -> io::Result<()> {
    const LEN: usize = 300_000;
    let (listener, address) = listener().await;
    let mut near = ringloop::net::TcpStream::connect(address).await?;
    let (mut far, _) = listener.accept().await?;
    let echo = spawn(async move {
        let mut buf = [0; 4000];
        while let count @ 1.. = far.read(&mut buf).await? {
            far.write_all(&buf[..count]).await?;
        }
        far.close().await
    });
    let mut received = vec![0; LEN];
    for part in received.chunks_mut(50_000) {
        near.write_all(&numbered(0, part.len())).await?;
        near.read_exact(part).await?;
        assert!(part == numbered(0, part.len()));
    }
    near.close().await?;
    echo.await.unwrap()?;
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.send_to(b"ping", socket.local_addr()?).await?;
    assert_eq!(socket.recv_from(&mut [0; 9]).await?.0, 4);
    assert_eq!(offload(|| 7).await.unwrap(), 7);
    Ok(())
}

/// F115: nothing that a ring has to be told beforehand is needed, only faster.
#[test]
fn a_ring_that_may_register_nothing_serves_as_well() {
    // A filter holds for the thread that installs it.
    let served = thread::spawn(|| {
        kernel::refuse(libc::SYS_io_uring_register, libc::EPERM).unwrap();
        let mut runtime = Runtime::new().unwrap();
        runtime.block_on(work())
    });
    served.join().unwrap().unwrap();
}

/// F114: a ring that can do less can do all of this.
#[test]
fn a_ring_for_the_network_serves_as_well() {
    let builder = Runtime::builder().network_only(true);
    builder.build().unwrap().block_on(work()).unwrap();
}

/// F115: the setup tells, not the first wait.
#[test]
fn a_ring_that_may_not_be_entered_is_none() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        let refused = thread::spawn(move || {
            kernel::refuse(libc::SYS_io_uring_enter, errno).unwrap();
            Runtime::new().map(drop)
        });
        let error = refused.join().unwrap().unwrap_err();
        assert_eq!(*error.kind(), SetupErrorKind::Sandbox);
        assert!(error.to_string().contains("io_uring_enter"), "{error}");
    }
}
