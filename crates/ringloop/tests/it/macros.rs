//! `#[ringloop::test]`. `#[ringloop::main]` is tried out by the examples.

use std::io;

use ringloop::net::{TcpListener, TcpStream};

use crate::rig::{again, is_child};

#[ringloop::test]
async fn it_awaits() {
    assert_eq!(ringloop::spawn(async { 6 * 7 }).await.unwrap(), 42);
}

#[ringloop::test]
async fn it_may_return_a_result() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let (stream, _) = listener.accept().await?;
    stream.close().await?;
    assert_eq!(client.read(&mut [0; 1]).await?, 0);
    Ok(())
}

#[ringloop::test]
#[should_panic(expected = "as it should")]
async fn it_may_panic() {
    ringloop::task::yield_now().await.unwrap();
    panic!("as it should");
}

#[ringloop::test]
async fn it_fails_in_a_child() -> Result<(), &'static str> {
    ringloop::task::yield_now()
        .await
        .map_err(|_| "nobody cancels it")?;
    if is_child() {
        return Err("the reason of the failure");
    }
    Ok(())
}

#[test]
fn an_error_is_a_failure() {
    let output = again("macros::it_fails_in_a_child");
    assert_eq!(output.status.code(), Some(101));
    let errors = String::from_utf8_lossy(&output.stderr);
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("1 failed"), "{report}");
    let said = "the reason of the failure";
    assert!(
        errors.contains(said) || report.contains(said),
        "{errors}{report}"
    );
}
